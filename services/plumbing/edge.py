"""The edge of every HTTP service: what becomes an answer that is not what was asked for, and what stands around each request."""

from __future__ import annotations

import errno
import socket

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.plumbing import problems, telemetry
from services.plumbing.problems import Problem

_log = telemetry.log("http")


AWAY = (
    asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # fmt: skip
"""What asyncpg raises while the database starts, ends, is full, or went away in the middle of an answer."""


def stand(app: FastAPI, measure: telemetry.Telemetry) -> None:
    """Every failure of this application becomes an answer here."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in AWAY:
        app.add_exception_handler(away, _unreachable)
    app.add_exception_handler(OSError, _system)
    app.add_middleware(Edge, measure=measure)


def answer(problem: Problem) -> JSONResponse:
    """A problem as an HTTP answer."""
    return JSONResponse(problem.body, status_code=problem.status, media_type=problems.MEDIA_TYPE)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    request.app.state.telemetry.metrics.add("refusals", type=error.kind)
    return answer(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """Say where the request is wrong, never what stood there: it may be a name."""
    assert isinstance(error, RequestValidationError)
    places = [{"at": "/".join(map(str, item["loc"])), "why": item["type"]} for item in error.errors()]
    return answer(Problem("validation", "Some of the request is missing or has the wrong form.", errors=places))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = {404: "not-found", 401: "token", 413: "too-large", 429: "too-many"}.get(error.status_code, "validation")
    return answer(Problem(kind, SAID.get(error.status_code, "The request could not be read."), status=error.status_code))


SAID = {
    404: "There is nothing at this address.", 405: "This address does not take that method.", 413: "The request is too large.",
    401: "Sign in again.",
}  # fmt: skip


async def _unreachable(_: Request, error: Exception) -> Response:
    _log.warning("A part this depends on cannot be reached.", extra=telemetry.fields(error=type(error).__name__))
    return answer(Problem("no-lease", "A part this depends on cannot be reached. Try again soon."))


NETWORK = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})


async def _system(request: Request, error: Exception) -> Response:
    """A network's failure is a part that cannot be reached; any other (a file, a right, a full disk) is a fault of ours.

    asyncio gives an OSError without a number where several addresses of one host failed.
    """
    assert isinstance(error, OSError)
    network = isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)) or error.errno in NETWORK
    if network or (type(error) is OSError and error.errno is None):
        return await _unreachable(request, error)
    raise error


def fault() -> JSONResponse:
    """The answer to a fault of ours: that it is one, and nothing more."""
    body = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    return JSONResponse(body, status_code=500, media_type=problems.MEDIA_TYPE)


ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""Nothing of ours is kept by a browser or a proxy."""


class Edge:
    """Around every request: one span under the caller's trace, without its address; headers that always stand.

    What nobody answered for rises to here: it is logged once, by its type and place, and answered as a fault.

    Plain ASGI: `app.middleware("http")` runs each request in a task group of its own, which cost a third of a read.
    """

    def __init__(self, app: ASGIApp, *, measure: telemetry.Telemetry) -> None:
        self._app = app
        self._measure = measure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        with self._measure.span("request", parent=parent, method=scope["method"]) as span:
            begun = False

            async def answer(message: Message) -> None:
                nonlocal begun
                if message["type"] == "http.response.start":
                    begun = True
                    span.set_attribute("status", message["status"])
                    there = {name.lower() for name, _ in message["headers"]}
                    message["headers"] = [*message["headers"], *(one for one in ALWAYS if one[0] not in there)]
                await send(message)

            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                if begun:
                    raise
                _log.error("A request failed by a fault of ours.", exc_info=error)
                self._measure.metrics.add("faults", error=type(error).__name__)
                await fault()(scope, receive, answer)
