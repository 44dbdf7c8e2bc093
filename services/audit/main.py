"""The service `audit`. `python -m services.audit.main api|relay`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI

from services.audit import api, ledger
from services.plumbing import app as wires
from services.plumbing import contracts, database, source
from services.plumbing.access import AccessWriter
from services.plumbing.contracts import Schemas
from services.plumbing.settings import Settings, from_environment
from services.plumbing.telemetry import Telemetry

MIGRATIONS = Path(__file__).parent / "migrations"


def application(settings: Settings) -> FastAPI:
    """The HTTP service; the ledger is written beside it in the same process."""
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await database.migrate(settings.database, MIGRATIONS)
        pool = await database.connect(settings.database, name="audit-ledger", size=4, replayed=True)
        writer = AccessWriter(
            service="audit", dsn=settings.database, schemas=Schemas.load(*settings.contracts), telemetry=measure
        )
        await writer.start()
        topics = [c.topic for c in contracts.channels(*settings.contracts) if c.kind != "heartbeats"]
        book = ledger.Ledger(pool, bootstrap=settings.kafka, topics=topics, measure=measure)
        app.state.pool, app.state.writer, app.state.ledger = pool, writer, book
        keeping = asyncio.create_task(book.run())
        keeping.add_done_callback(ledger.end_process)
        try:
            yield
        finally:
            keeping.remove_done_callback(ledger.end_process)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await writer.stop()
            await pool.close()

    return wires.create_app(settings, routers=[api.router], lifespan=lifespan, measure=measure)


def main() -> None:
    """Run one process of the service."""
    role = sys.argv[1] if len(sys.argv) > 1 else "api"
    settings = from_environment("audit", role)
    if role == "api":
        wires.run(wires.serve(application(settings), settings))
    else:
        wires.run(source.run_relay(settings, MIGRATIONS))


if __name__ == "__main__":
    main()
