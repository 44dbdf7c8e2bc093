"""The service `policy`: who is who at work, and which policies are in force. `python -m services.policy.main api|relay`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI

from services.plumbing import app as wires
from services.plumbing import database, source
from services.plumbing.contracts import Schemas
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.settings import Settings, from_environment
from services.plumbing.tokens import Verifier
from services.policy import api, store
from services.policy.api import Policy

MIGRATIONS = Path(__file__).parent / "migrations"
STARTER = Path(__file__).parent / "starter_policies"


def starter_policies() -> list[dict[str, Any]]:
    """The policies that a new authority starts from: one file each."""
    return [json.loads(path.read_text()) for path in sorted(STARTER.glob("*.json"))]


def vocabulary(contracts: Path) -> dict[str, Any]:
    """The closed list of attributes."""
    found = yaml.safe_load((contracts / "attributes.yaml").read_text())
    return {group: names for group, names in found.items() if group != "version"}


def application(settings: Settings) -> FastAPI:
    """The HTTP service."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await database.migrate(settings.database, MIGRATIONS)
        pool = await database.connect(settings.database, name="policy")
        outbox = Outbox("policy", "policy.events", Schemas.load(*settings.contracts))
        users = Verifier(settings.issuer, "childview", http=app.state.http)
        here = Policy(settings, pool, outbox, vocabulary(settings.contracts[0]), users)
        await _start(here)
        app.state.policy = here
        try:
            yield
        finally:
            await pool.close()

    return wires.create_app(settings, routers=[api.router], lifespan=lifespan)


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
        asyncio.run(wires.serve(application(settings), settings))
    else:
        asyncio.run(source.run_relay(settings, MIGRATIONS))


if __name__ == "__main__":
    main()
