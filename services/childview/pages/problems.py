"""A problem that a browser meets becomes a page: the same words, the same status, the same for every reason behind a 404."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.childview.pages.rendering import page
from services.childview.pages.session import Session
from services.plumbing.problems import MEDIA_TYPE

PAGE, DATA = ("text/html", "application/xhtml+xml"), (MEDIA_TYPE, "application/json", "application/*")


def problem_page(request: Request, body: dict[str, Any], *, session: Session | None = None) -> HTMLResponse:
    """A problem's own words as a page: what it is, what to do, and what of the request is wrong."""
    wrong = [": ".join(str(part) for part in one.values()) for one in body.get("errors", []) if isinstance(one, dict)]
    told = {"title": body["title"], "detail": body.get("detail", ""), "wrong": wrong}
    return page(request, "problem.html", status=body["status"], session=session, **told)


def prefers_page(accept: str) -> bool:
    """Whether who asks would rather have a page than data. Nothing said, or `*/*` alone: data."""
    if "html" not in accept.lower():  # nearly every request: it costs no more than this
        return False
    wanted = dict(map(_weighed, accept.lower().split(",")))
    html, data = (max(wanted.get(kind, 0.0) for kind in kinds) for kinds in (PAGE, DATA))
    return html > data


def _weighed(one: str) -> tuple[str, float]:
    kind, *parameters = (part.strip() for part in one.split(";"))
    said = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return kind, float(said)
    except ValueError:
        return kind, 0.0


class Readable:
    """Around every request: where a browser asked, and the answer is a problem, a page is sent in its place. Other headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not prefers_page(Headers(scope=scope).get("accept", "")):
            await self._app(scope, receive, send)
            return
        begun: Message | None = None
        body = b""

        async def answer(message: Message) -> None:
            nonlocal begun, body
            if message["type"] == "http.response.start" and Headers(raw=message["headers"]).get("content-type") == MEDIA_TYPE:
                begun = message
            elif begun is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _as_page(Request(scope), begun, json.loads(body))(scope, receive, send)

        await self._app(scope, receive, answer)


def _as_page(request: Request, begun: Message, body: dict[str, Any]) -> HTMLResponse:
    made = problem_page(request, body)
    for name, text in MutableHeaders(raw=begun["headers"]).items():
        if name not in ("content-type", "content-length"):
            made.headers.setdefault(name, text)
    return made

