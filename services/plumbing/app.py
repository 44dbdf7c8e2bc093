"""The wires every HTTP service shares: tokens, health, metrics, idempotency, preconditions, and serving itself."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Annotated, Any

import asyncpg
import httpx
import uvicorn
import uvloop
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from services.plumbing import access, database, demonstration, edge, telemetry
from services.plumbing.problems import Problem
from services.plumbing.settings import Settings
from services.plumbing.tokens import Principal, ServiceTokens, Verifier, refused

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000, pattern=r"^[^\x00]+$")]
"""Why somebody does something, in their own words."""
LARGEST_BODY = 1_000_000
"""Bytes of a request that carries no files."""
Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]
Ready = Callable[[], Awaitable[bool]]
SCRAPERS = ("cli", "scrape")
_log = telemetry.log("http")


def create_app(
    settings: Settings,
    *,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    ready: Ready | None = None,
    measure: telemetry.Telemetry | None = None,
) -> FastAPI:
    """A service's application. `lifespan` puts what the endpoints need on `app.state`; `ready` says whether it can serve: without
    it, whether the service's database (`app.state.pool`) answers.

    On `app.state` there is from the start: settings, telemetry, http (a client), verifier, tokens (its own).
    """
    app = FastAPI(
        title=settings.service, version="1", lifespan=_with_client(lifespan), docs_url=None, redoc_url=None, max_body_size=LARGEST_BODY
    )
    app.state.settings = settings
    app.state.telemetry = measure or telemetry.Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)
    app.state.ready = ready
    for router in (*routers, _health):
        app.include_router(router)
    edge.stand(app, app.state.telemetry)
    return app


def _with_client(lifespan: Lifespan) -> Lifespan:
    @contextlib.asynccontextmanager
    async def both(app: FastAPI) -> AsyncIterator[None]:
        settings: Settings = app.state.settings
        async with httpx.AsyncClient() as http:
            app.state.http = http
            app.state.verifier = verifier(settings, settings.service, http)
            app.state.tokens = ServiceTokens(
                settings.issuer, client=settings.service, secret=settings.client_secret, http=http
            )
            async with lifespan(app):
                yield
        app.state.telemetry.shutdown()

    return both


def verifier(settings: Settings, audience: str, http: httpx.AsyncClient) -> Verifier:
    """What verifies tokens that this installation's issuer made for an audience."""
    return Verifier(
        settings.issuer, audience, http=http, lifetime=settings.signing_keys_lifetime, demonstration=settings.demonstration
    )


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a process's work to its end. Whole files and batches are held at once: looking through them for cycles after each
    few hundred new objects, as Python does by default, took a tenth of the time."""
    gc.set_threshold(50_000, 20, 50)
    uvloop.run(work)


async def serve(app: FastAPI, settings: Settings) -> None:
    """Serve on 127.0.0.1 until told to stop. Raises Disagreement where a demonstration and what is real would mix."""
    telemetry.log_to_stderr()
    _log.info("Starting.", extra=telemetry.fields(**settings.describe()))
    await demonstration.agree(settings)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=settings.port, log_config=None, access_log=False, timeout_graceful_shutdown=5
    )
    await uvicorn.Server(config).serve()


async def serve_health(settings: Settings, *, ready: Callable[[], bool], measure: telemetry.Telemetry) -> None:
    """The health port of a process that has no API."""

    async def is_ready() -> bool:
        return ready()

    @contextlib.asynccontextmanager
    async def nothing(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app(settings, routers=[], lifespan=nothing, ready=is_ready, measure=measure)
    await serve(app, settings)


async def run_beside(settings: Settings, work: Awaitable[Any], health: Awaitable[None]) -> None:
    """Run a process's work beside its health port; when either ends, the process ends.

    Raises what the work raised, so that the last line of the log says why.
    """
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(health)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


# -- what an endpoint asks for -----------------------------------------------------------------------------------


async def principal(request: Request, authorization: Annotated[str | None, Header()] = None) -> Principal:
    """Who is asking, by bearer token. Raises Problem `token`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refused()
    return await request.app.state.verifier.verify(token)


def service_only(*names: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets only these services in."""

    async def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        if who.service not in names:
            raise Problem("token", "This caller may not use this address.", status=403)
        return who

    return check


def etag(key: bytes, *parts: bytes) -> str:
    """A keyed digest of what stands: who lacks the key cannot test a guess by it."""
    return f'"{access.digest(key, *parts)[:32]}"'


def fits(if_match: str | None, stands: str | None) -> None:
    """Raises Problem `version-conflict` when an If-Match names neither what stands (None: nothing) nor, by `*`, anything."""
    named = {one.strip() for one in (if_match or "").split(",")}
    if if_match is not None and (stands is None or not named & {stands, "*"}):
        raise Problem("version-conflict", "It changed in the meantime. Read it again, then decide again.")


async def once(
    conn: asyncpg.Connection,
    *,
    principal: str,
    key: str | None,
    request: bytes,
    work: Callable[[], Awaitable[tuple[int, bytes]]],
) -> tuple[int, bytes]:
    """Do `work` once for this principal's Idempotency-Key; asked again, give the same answer.

    Runs in the caller's transaction: the key is taken, the work done and its answer kept together or not at all.
    The caller authorises before, so a replay is authorised again. Raises Problem `idempotency-mismatch`.
    """
    if key is None:
        return await work()
    mark = hashlib.sha256(request).digest()
    await conn.execute(
        "insert into idempotency (principal, key, request) values ($1, $2, $3) on conflict do nothing",
        principal,
        key,
        mark,
    )
    row = await conn.fetchrow(
        "select request, status, body from idempotency where principal = $1 and key = $2 for update", principal, key
    )
    if row["request"] != mark:
        raise Problem("idempotency-mismatch", "Use a new Idempotency-Key for a new request.")
    if row["status"] is not None:
        return row["status"], row["body"]
    status, body = await work()
    await conn.execute(
        "update idempotency set status = $3, body = $4 where principal = $1 and key = $2",
        principal,
        key,
        status,
        body,
    )
    return status, body


# -- health, metrics ---------------------------------------------------------------------------------------------

_health = APIRouter()


@_health.get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "live"}


@_health.get("/health/ready", include_in_schema=False)
async def ready_now(request: Request) -> JSONResponse:
    """The process can do its work: 200, or 503."""
    check: Ready | None = request.app.state.ready
    good = await (check() if check is not None else database.answers(request.app.state.pool))
    return JSONResponse({"status": "ready" if good else "waiting"}, status_code=200 if good else 503)


@_health.get("/metrics", include_in_schema=False)
async def metrics(request: Request, who: Annotated[Principal, Depends(service_only(*SCRAPERS))]) -> Response:
    """Prometheus text. Sizes of queues tell of protected children: only operators and what collects figures read them."""
    return Response(request.app.state.telemetry.metrics.render(), media_type="text/plain; version=0.0.4")
