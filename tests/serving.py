"""An authority of real services in the test's own process: an issuer and some of its services, on real PostgreSQL.

No Kafka: what they publish and record is read from their outboxes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import uvicorn
from fastapi import FastAPI

from deploy.local import issuer as local_issuer
from deploy.local.export import APPLICATIONS
from deploy.local.issuer import Issuer
from services.plumbing import demonstration, sealing, settings
from services.plumbing.kafka import envelope
from services.plumbing.sealing import Keyring
from services.plumbing.settings import Settings, from_environment

ROOT = Path(__file__).parents[1]
MASTER = bytes.fromhex("42" * 32)
COLUMNS = ("person_id", "post_id", "name", "role", "organisation_kind", "vetting_until", "starts", "covers")


@contextlib.asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[None]:
    """An application on a port, from started to ended."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the application did not start"
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def settings_of(service: str, dsn: str, *, issuer: str, port: int, state: Path, urls: Mapping[str, str]) -> Settings:
    """As a demonstration's process has them."""
    return from_environment(
        service,
        "api",
        {
            "CHILDVIEW_DATABASE": dsn, "CHILDVIEW_ISSUER": issuer, "CHILDVIEW_STATE": str(state), "CHILDVIEW_DEMONSTRATION": "1",
            "CHILDVIEW_CONTRACTS": str(ROOT / "contracts"), settings.CLIENT: f"{service}-secret", settings.MASTER: MASTER.hex(),
            settings.ADDRESS: "22" * 32, settings.DIGEST: "33" * 32, settings.port_variable(service): str(port),
            **{f"{settings.URL}{name.upper()}": url for name, url in urls.items()},
        },
    )  # fmt: skip


@dataclass
class Authority:
    """What a test asks: the services over HTTP, and their outboxes."""

    issuer: Issuer
    urls: dict[str, str]
    databases: dict[str, str]
    http: httpx.AsyncClient
    running: dict[str, contextlib.AsyncExitStack]

    async def stop(self, service: str) -> None:
        """End one service."""
        await self.running[service].aclose()

    async def ask(self, method: str, service: str, path: str, *, as_: str | None = "cli", post: str | None = None, **kwargs: Any) -> httpx.Response:
        """A request as a service or, with a post, as a person; None: without a token."""
        headers = dict(kwargs.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {self.token(as_, service, post=post)}"
        return await self.http.request(method, self.urls[service] + path, headers=headers, timeout=20, **kwargs)

    def token(self, who: str, audience: str, *, post: str | None = None) -> str:
        """A bearer token."""
        if post is None:
            return self.issuer.sign(f"service:{who}", audience, lifetime=600)
        return self.issuer.sign(who, audience, lifetime=600, post=post)

    async def hire(self, *rows: Mapping[str, str]) -> None:
        """Take posts as a staff file."""
        lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
        done = await self.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", "\n".join(lines).encode())})
        assert done.status_code == 200 and done.json()["files"][0]["refused"] == 0, done.text

    async def said(self, service: str, topic: str) -> list[Any]:
        """The data of everything in the outbox of one topic, opened, in order."""
        conn = await asyncpg.connect(self.databases[service])
        try:
            rows = await conn.fetch("select value from outbox where topic = $1 order by position", topic)
            return [await _opened(conn, row["value"]) for row in rows]
        finally:
            await conn.close()

    async def accesses(self, service: str, action: str) -> list[dict[str, Any]]:
        """The access records of one action."""
        return [one for one in await self.said(service, f"{service}.access") if one["action"] == action]


async def _opened(conn: asyncpg.Connection, value: bytes) -> Any:
    found = envelope.decode(value)
    if not found.sealed:
        return msgspec.json.decode(found.data)
    name = (found.subject, found.recordclass)
    key = (await Keyring(MASTER).existing(conn, [name]))[name]
    bound_to = envelope.associated_data(found.header())
    return msgspec.json.decode(sealing.open_seal(key, sealed=envelope.ciphertext(found), bound_to=bound_to))


@contextlib.asynccontextmanager
async def authority(
    make: Callable[[], Awaitable[str]], ports: Callable[[], int], folder: Path, services: Sequence[str]
) -> AsyncIterator[Authority]:
    """An issuer and these services. make: gives the address of a fresh database; ports: a free port."""
    port = {name: ports() for name in ("issuer", *services)}
    urls = {name: f"http://127.0.0.1:{number}" for name, number in port.items()}
    signer = local_issuer.make(
        url=urls["issuer"], folder=folder / "secrets", clients={name: f"{name}-secret" for name in services},
        personas=folder / "personas.json", redirects={name: f"{urls[name]}/signed-in" for name in services},
    )  # fmt: skip
    here = Authority(signer, urls, {}, httpx.AsyncClient(), {})
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(here.http)
        await stack.enter_async_context(serving(local_issuer.application(signer), port["issuer"]))
        for name in services:
            here.databases[name] = await make()
            await demonstration.mark(here.databases[name])
            found = settings_of(name, here.databases[name], issuer=signer.url, port=port[name], state=folder, urls=urls)
            here.running[name] = await stack.enter_async_context(contextlib.AsyncExitStack())
            await here.running[name].enter_async_context(serving(APPLICATIONS[name](found), port[name]))
        yield here
