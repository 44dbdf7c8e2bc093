"""The pages of childview: sign in, find a child, the child. Rendered by the server from the same functions as the API."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

router = APIRouter()


def mount(app: FastAPI) -> None:
    """Add what the pages need to the application."""
