"""Access records: durable before the first byte of the answer they describe leaves.

One writer in each service, with a connection of its own (a shared pool deadlocks when every request holds a connection
and waits for the writer). All requests waiting at one moment share one transaction: group commit. Numbers are the
versions of one stream, taken under its row's lock: dense, so a deleted record leaves a hole.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from services.plumbing import database, telemetry
from services.plumbing.contracts import SchemaRefused
from services.plumbing.kafka import envelope
from services.plumbing.kafka.outbox import NewEvent, Outbox, Validator, lock_streams
from services.plumbing.problems import Problem
from services.plumbing.tokens import Principal

TYPE = "access-recorded.v1"
PATIENCE = 5.0
MOST_AT_ONCE = 256
_NAMESPACE = uuid.UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60")


class Relationship(msgspec.Struct, frozen=True):
    """How the asker stands to the child: kinds (`contracts/attributes.yaml`) and phase (`current`, `closing`, or None)."""

    kinds: list[str] = []
    phase: str | None = None


class Entries(msgspec.Struct, frozen=True):
    """Fields that were decided alike: the attributes that are theirs beside what the catalogue says of each field, the fields as
    bits (hexadecimal, by the catalogue's order), how many times each was decided, the level and `sat`."""

    vector: dict[str, Any]
    fields: str
    count: int
    level: str
    sat: str


class ChildAccess(msgspec.Struct, frozen=True):
    """What was decided for one child, and of which versions of what the answer was made."""

    child: str
    relationship: Relationship
    vectors: dict[str, Any]
    entries: list[Entries] = []
    fields: dict[str, str] = {}
    flags: dict[str, bool] = {}
    streams: dict[str, int] = {}
    decision: int = 0
    parked: list[str] = []


class Access(msgspec.Struct, frozen=True):
    """One access. No personal value: ids, kinds, hashes and bitmasks, so it is not sealed."""

    id: str
    action: str
    person: str
    post: str | None
    purpose: str | None
    clock: str
    channel: str
    status: int
    bundle: str | None = None
    policy_version: int | None = None
    catalogue: str | None = None
    projection_version: int | None = None
    release: str | None = None
    query: str | None = None
    answer: str | None = None
    stale: list[str] = []
    parked: list[str] = []
    children: list[ChildAccess] = []
    detail: dict[str, Any] = {}


def digest(key: bytes, *parts: bytes) -> str:
    """A keyed digest: whoever lacks the key cannot test a guess against it."""
    return hmac.digest(key, b"\x1f".join(parts), "sha256").hex()


def _data(access: Access) -> dict[str, Any]:
    """The record as its contract is checked and written. Entries stay as they are: the encoder writes them, and turning hundreds
    of them into plain values first cost more than writing them."""
    return {
        **msgspec.structs.asdict(access),
        "children": [
            {**msgspec.structs.asdict(child), "relationship": msgspec.structs.asdict(child.relationship)} for child in access.children
        ],
    }


def stream_of(service: str) -> uuid.UUID:
    """The stream that a service's access records are numbered in."""
    return uuid.uuid5(_NAMESPACE, service)


def of_request(who: Principal, action: str, *, status: int, purpose: str | None = None, detail: dict[str, Any]) -> Access:
    """The record of one request that reads no child's view: whose it was, what it did, what became of it.

    detail: ids and counts, never a personal value.
    """
    return Access(
        id=envelope.uuid7(),
        action=action,
        person=who.subject,
        post=who.post,
        purpose=purpose,
        clock=envelope.timestamp(datetime.now(UTC)),
        channel="service" if who.service else "api",
        status=status,
        detail=detail,
    )


@dataclass
class _Waiting:
    access: Access
    done: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class AccessWriter:
    """The one road by which a service's accesses become durable."""

    def __init__(self, *, service: str, dsn: str, schemas: Validator, telemetry: telemetry.Telemetry) -> None:
        self._service = service
        self._dsn = dsn
        self._outbox = Outbox(service, f"{service}.access", schemas, wakes=False)
        self._telemetry = telemetry
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._conn: asyncpg.Connection | None = None

    async def start(self) -> None:
        """Begin writing."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, then end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._conn is not None:
            await self._conn.close()

    async def write(self, access: Access) -> int:
        """The access's number, once its record is on disk. Raises Problem `audit-unavailable` when it cannot be."""
        waiting = _Waiting(access)
        self._queue.put_nowait(waiting)
        self._telemetry.metrics.set("access_records_waiting", self._queue.qsize())
        try:
            return await asyncio.wait_for(asyncio.shield(waiting.done), PATIENCE)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SchemaRefused) as error:
            raise Problem("audit-unavailable", "It could not be recorded, so nothing is shown or confirmed. Try again soon.") from error

    @contextlib.asynccontextmanager
    async def recorded(
        self, who: Principal, action: str, *, status: int = 200, purpose: str | None = None, **detail: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Around the work of one request: what became of it, done or refused, is recorded before the answer leaves.

        Gives the record's `detail`, to which the work may add ids and counts. Raises Problem `audit-unavailable`: what was
        done stays done, the caller learns nothing of it, and asking again with the same Idempotency-Key does it no second time.
        """
        try:
            yield detail
        except Exception as error:
            status = error.status if isinstance(error, Problem) else 500
            await self.write(of_request(who, action, status=status, purpose=purpose, detail=detail))
            raise
        await self.write(of_request(who, action, status=status, purpose=purpose, detail=detail))

    async def _run(self) -> None:
        while True:
            group = [await self._queue.get()]
            while not self._queue.empty() and len(group) < MOST_AT_ONCE:
                group.append(self._queue.get_nowait())
            await self._settle(group)

    async def _settle(self, group: list[_Waiting]) -> None:
        """Write one group; whoever waits learns the number or the failure. A record that may not be written fails alone."""
        try:
            last = await self._insert([waiting.access for waiting in group])
        except (Problem, SchemaRefused) as error:
            if len(group) > 1:
                for waiting in group:
                    await self._settle([waiting])
            elif not group[0].done.done():
                group[0].done.set_exception(error)
            return
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self._drop_connection()
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
                    waiting.done.exception()
            return
        for number, waiting in enumerate(group, last - len(group) + 1):
            if not waiting.done.done():
                waiting.done.set_result(number)

    async def _insert(self, accesses: list[Access]) -> int:
        stream = stream_of(self._service)
        if self._conn is None or self._conn.is_closed():
            self._conn = await database.connect_one(self._dsn, name=self._service)
            await lock_streams(self._conn, [stream], kind="access")
        events = [NewEvent(f"{self._service}.{TYPE}", _data(access), None) for access in accesses]
        async with self._conn.transaction():
            return (await self._outbox.append(self._conn, [(stream, events)]))[stream]

    async def _drop_connection(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._conn.close(timeout=1)
        self._conn = None
