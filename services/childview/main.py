"""The service `childview`. `python -m services.childview.main api|relay|identity|projector`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from services.childview import api
from services.childview.identity import process as identity
from services.childview.identity import store as identities
from services.childview.pages import site
from services.childview.projection import projector, rebuild, store
from services.childview.projection.apply import Rules
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.projector import Projector
from services.childview.reading import road
from services.childview.reading.asking import Reading
from services.childview.reading.lease_holder import LeaseHolder
from services.plumbing import app as wires
from services.plumbing import contracts, database, source, telemetry
from services.plumbing.access import AccessWriter
from services.plumbing.contracts import Schemas
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.keys import KeyClient
from services.plumbing.problems import Problem
from services.plumbing.sealing import KeyCache
from services.plumbing.settings import Settings, from_environment
from services.plumbing.telemetry import Telemetry
from services.plumbing.tokens import ServiceTokens

MIGRATIONS = Path(__file__).parent / "migrations"


def rules(settings: Settings) -> Rules:
    """What folding and composing need: all of it read from the contracts."""
    found = settings.contracts
    return Rules(
        schemas=Schemas.load(*found),
        catalogue=Catalogue.load(*found),
        channels=projector.followed(contracts.channels(*found)),
        address_key=settings.address_key,
    )


def key_cache(settings: Settings, http: httpx.AsyncClient) -> KeyCache:
    """Keys fetched as this process's own service identity."""
    client = "childview" if settings.role in ("api", "relay") else settings.role
    tokens = ServiceTokens(settings.issuer, client=client, secret=settings.client_secret, http=http)
    return KeyCache(KeyClient(settings.urls, tokens, http).ask, lifetime=settings.key_lifetime)


async def make_schemas(settings: Settings, pool: asyncpg.Pool) -> None:
    """Every table of childview, whichever process comes first."""
    await database.migrate(settings.database, MIGRATIONS)
    async with database.transaction(pool) as conn:
        await conn.execute("select pg_advisory_xact_lock(7305117)")
        await store.make(conn, store.LIVE)
        await identities.make(conn)
        await rebuild.hide_outdated(conn)


def application(settings: Settings) -> FastAPI:
    """The HTTP service."""
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = await database.connect(settings.database, name="childview-reads", size=8)
        deciding = await database.connect(settings.database, name="childview", size=2)
        await make_schemas(settings, pool)
        schemas = Schemas.load(*settings.contracts)
        writer = AccessWriter(service="childview", dsn=settings.database, schemas=schemas, telemetry=measure)
        await writer.start()
        leases = LeaseHolder(settings.urls["policy"], tokens=app.state.tokens, http=app.state.http)
        app.state.reading = Reading(settings, pool, deciding, Catalogue.load(*settings.contracts), leases, writer, measure)
        app.state.pool = pool
        app.state.outbox = Outbox("childview", identities.TOPIC, schemas)
        app.state.status = status
        try:
            yield
        finally:
            await writer.stop()
            await deciding.close()
            await pool.close()

    app = wires.create_app(settings, routers=[api.router, site.router], lifespan=lifespan, measure=measure)
    site.mount(app)
    app.router.routes.insert(0, Route("/v1/children/{id}", api.read_child))  # before FastAPI's own, which documents it
    app.add_exception_handler(road.Moved, api.moved)
    for error in (asyncpg.UndefinedColumnError, asyncpg.UndefinedTableError):
        app.add_exception_handler(error, other_version)
    return app


async def other_version(_: Request, error: Exception) -> Response:
    """The tables are of another version until the projector has made them anew: nothing is shown."""
    return wires.answer(Problem("stale-source", "The view is being made again, so nothing is shown. Try again soon.", retry_after=30))


async def status(pool: asyncpg.Pool) -> dict[str, Any]:
    """Counts and times, for operators."""
    async with pool.acquire() as conn:
        fresh = await conn.fetch(f"select source, as_of from {store.LIVE}.freshness order by source")
        return {
            "children": await conn.fetchval(f"select count(*) from {store.LIVE}.children"),
            "parked": await conn.fetchval(f"select count(*) from {store.LIVE}.parked"),
            "records": {
                row["service"]: row["n"]
                for row in await conn.fetch(f"select service, count(*) as n from {store.LIVE}.records group by 1 order by 1")
            },
            "undecided": await conn.fetchval(
                f"select count(*) from {store.LIVE}.records r where not exists"
                f" (select from {store.LIVE}.links l where l.stream_id = r.stream_id)"
            ),
            "held": await identities.counts(conn),
            "fresh_as_of": {row["source"]: row["as_of"].isoformat() for row in fresh},
        }


async def run_projector(settings: Settings) -> None:
    """The process `projector`."""
    telemetry.log_to_stderr()
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)
    pool = await database.connect(settings.database, name="childview-projector", size=3, replayed=True)
    await make_schemas(settings, pool)
    async with httpx.AsyncClient() as http:
        process = Projector(
            pool,
            bootstrap=settings.kafka,
            keys=key_cache(settings, http),
            rules=rules(settings),
            measure=measure,
            watchdog_after=settings.watchdog_after,
        )
        health = wires.serve_health(settings, ready=lambda: process.ready, measure=measure)
        await wires.run_beside(settings, process.run(), health)


async def run_identity(settings: Settings) -> None:
    """The process `identity`."""
    telemetry.log_to_stderr()
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)
    pool = await database.connect(settings.database, name="childview", size=2)
    await make_schemas(settings, pool)
    found = rules(settings)
    async with httpx.AsyncClient() as http:
        process = identity.Identity(
            pool,
            bootstrap=settings.kafka,
            keys=key_cache(settings, http),
            rules=identity.Rules(
                found.schemas,
                {topic: channel for topic, channel in found.channels.items() if channel.kind != "policy"},
                Outbox("childview", identities.TOPIC, found.schemas),
            ),
            measure=measure,
            watchdog_after=settings.watchdog_after,
        )
        health = wires.serve_health(settings, ready=lambda: process.ready, measure=measure)
        await wires.run_beside(settings, process.run(), health)


async def verify_rebuild(settings: Settings, say: rebuild.Say) -> tuple[dict[str, str], dict[str, str]]:
    """Rebuild beside and compare: (live, rebuilt) digests."""
    async with _rebuilding(settings) as (pool, keys):
        return await rebuild.verify(pool, bootstrap=settings.kafka, keys=keys, rules=rules(settings), say=say)


async def flip_rebuild(settings: Settings, say: rebuild.Say) -> dict[str, Any]:
    """Rebuild beside and let that take the live view's place; the counts of what is live now."""
    async with _rebuilding(settings) as (pool, keys):
        await rebuild.flip(pool, bootstrap=settings.kafka, keys=keys, rules=rules(settings), say=say)
        return await status(pool)


@contextlib.asynccontextmanager
async def _rebuilding(settings: Settings) -> AsyncIterator[tuple[asyncpg.Pool, KeyCache]]:
    pool = await database.connect(settings.database, name="childview-rebuild", size=3, replayed=True)
    try:
        async with httpx.AsyncClient() as http:
            yield pool, key_cache(settings, http)
    finally:
        await pool.close()


def main() -> None:
    """Run one process of the service."""
    role = sys.argv[1] if len(sys.argv) > 1 else "api"
    settings = from_environment("childview", role)
    if role == "api":
        wires.run(wires.serve(application(settings), settings))
    else:
        run = {"relay": source.run_relay, "projector": run_projector, "identity": run_identity}[role]
        wires.run(run(settings))


if __name__ == "__main__":
    main()
