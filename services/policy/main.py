"""The service `policy`: who is who at work, and which policies are in force. `python -m services.policy.main api|relay`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from services.plumbing import app as wires
from services.plumbing import database, source
from services.plumbing.access import AccessWriter
from services.plumbing.contracts import Schemas, read_yaml
from services.plumbing.files.unnamed import keep_in
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.settings import Settings, from_environment
from services.plumbing.telemetry import Telemetry
from services.policy import api, store
from services.policy.api import Policy

MIGRATIONS = Path(__file__).parent / "migrations"
STARTER = Path(__file__).parent / "starter_policies"


def starter_policies() -> list[dict[str, Any]]:
    """The policies that a new authority starts from: one file each."""
    return [json.loads(path.read_text()) for path in sorted(STARTER.glob("*.json"))]


def vocabulary(contracts: Path) -> dict[str, Any]:
    """The closed list of attributes."""
    found = read_yaml((contracts / "attributes.yaml").read_bytes())
    return {group: names for group, names in found.items() if group != "version"}


def application(settings: Settings) -> FastAPI:
    """The HTTP service."""
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        keep_in(settings.state)
        await database.migrate(settings.database, MIGRATIONS)
        pool = await database.connect(settings.database, name="policy")
        schemas = Schemas.load(*settings.contracts)
        writer = AccessWriter(service="policy", dsn=settings.database, schemas=schemas, telemetry=measure)
        await writer.start()
        outbox = Outbox("policy", "policy.events", schemas)
        users = {name: wires.verifier(settings, name, app.state.http) for name in api.DECIDERS}
        here = Policy(settings, pool, outbox, writer, vocabulary(settings.contracts[0]), users)
        await _start(here)
        app.state.policy, app.state.pool = here, pool
        try:
            yield
        finally:
            await writer.stop()
            await pool.close()

    return wires.create_app(settings, routers=[api.router], lifespan=lifespan, measure=measure)


async def _start(here: Policy) -> None:
    """A new authority starts with the starter policies in force."""
    async with database.transaction(here.pool) as conn:
        await conn.execute("select version from position for update")
        if await store.bundle(conn) is None:
            await api.put_in_force(conn, here.outbox, starter_policies(), here.vocabulary, by="service:policy")


def main() -> None:
    """Run one process of the service."""
    role = sys.argv[1] if len(sys.argv) > 1 else "api"
    settings = from_environment("policy", role)
    if role == "api":
        wires.run(wires.serve(application(settings), settings))
    else:
        wires.run(source.run_relay(settings, MIGRATIONS))


if __name__ == "__main__":
    main()
