"""Templates become pages, with the headers that every page has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.childview.pages import words
from services.childview.pages.session import Session

FOLDER = Path(__file__).parent


def templates() -> Environment:
    """The pages' templates: what they print is escaped, and what they lack is an error."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.globals["purposes"] = words.PURPOSES
    return found


def page(request: Request, template: str, *, status: int = 200, session: Session | None = None, **context: Any) -> HTMLResponse:
    """A page with its headers: no script, nothing from elsewhere, nothing kept."""
    settings, templates = request.app.state.settings, request.app.state.templates
    assert isinstance(templates, Environment)
    html = templates.get_template(template).render(demonstration=settings.demonstration, session=session, **context)
    response = HTMLResponse(html, status_code=status)
    response.headers.update({
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self' {settings.issuer}",
        "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    })  # fmt: skip
    return response
