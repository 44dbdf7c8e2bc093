"""Codes of disabilities. One of them is NONE, which says that there is none: it is no blank."""

from __future__ import annotations

from services.plumbing.files import values

NONE = "NONE"


def code(text: str | None) -> str | None:
    """The code; None when nothing is said."""
    return NONE if (text or "").strip() == NONE else values.code(text)
