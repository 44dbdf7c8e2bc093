"""The outbox: events are written beside the state they come from, in one transaction, sealed.

This is the one place where data is sealed on its way out. A resend is therefore the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from services.plumbing import sealing, telemetry
from services.plumbing.kafka import envelope
from services.plumbing.problems import Problem


@dataclass(frozen=True)
class NewEvent:
    """An event that has happened and is not recorded yet. `record_class` None: not sealed."""

    type: str
    data: Mapping[str, Any]
    record_class: str | None


class Validator(Protocol):
    """What checks data against the contract of its type (see `plumbing.contracts.Schemas`)."""

    def validate(self, type: str, data: Mapping[str, Any]) -> None:
        """Raises when the data breaks the contract."""


Change = tuple[UUID, Sequence[NewEvent]]
"""(stream, its new events in order)"""

_encoder = msgspec.json.Encoder()
NUL = b"\\u0000"
"""As JSON writes it. Readers park a stream that holds one, so it is refused before anything is recorded."""


_LOCK = "select stream_id, version from streams where stream_id = any($1::uuid[]) order by stream_id for update"


async def lock_streams(
    conn: asyncpg.Connection, stream_ids: Sequence[UUID], *, kind: str
) -> dict[UUID, int]:
    """Lock the rows of these streams, in id order so that two writers cannot deadlock; their versions.

    Streams not seen before get a row of version 0.
    """
    ids = sorted(set(stream_ids))
    if len(ids) == 1 and (rows := await conn.fetch(_LOCK, ids)):
        return {row["stream_id"]: row["version"] for row in rows}
    await conn.execute(
        "insert into streams (stream_id, kind) select id, $2 from unnest($1::uuid[]) as id order by id"
        " on conflict do nothing",
        ids,
        kind,
    )
    return {row["stream_id"]: row["version"] for row in await conn.fetch(_LOCK, ids)}


@dataclass(frozen=True)
class Outbox:
    """Where one service's events go. Only a service that seals needs a keyring.

    wakes: the relay is told at the commit. PostgreSQL commits of a cluster that tell anybody anything take turns, each with its
    wait for the disk: what nobody waits for (accesses) tells nobody, and is found when the relay next looks.
    """

    service: str
    topic: str
    schemas: Validator
    keyring: sealing.Keyring | None = None
    wakes: bool = True

    async def append(self, conn: asyncpg.Connection, changes: Sequence[Change]) -> dict[UUID, int]:
        """Record the events of these streams; their new versions.

        The streams must have been locked by `lock_streams` in this transaction (one whose writer decides by nothing it reads,
        such as that of accesses, need only have been made). Raises SchemaRefused for data that breaks its contract, before
        anything is written.
        """
        changes = [(stream, events) for stream, events in changes if events]
        if not changes:
            return {}
        for _, events in changes:
            for event in events:
                self.schemas.validate(event.type, event.data)
        versions, recorded = await self._advance(conn, changes)
        keys = await self._keys(conn, changes)
        rows = [
            (stream, version, self._value(stream, version, event, recorded, keys))
            for stream, events in changes
            for version, event in enumerate(events, versions[stream] - len(events) + 1)
        ]
        await self._insert(conn, rows)
        return versions

    async def _advance(self, conn: asyncpg.Connection, changes: Sequence[Change]) -> tuple[dict[UUID, int], datetime]:
        """Give the events their numbers, dense in each stream, and their time: the transaction's start."""
        rows = await conn.fetch(
            "update streams s set version = s.version + n.count"
            " from unnest($1::uuid[], $2::int[]) as n(id, count) where s.stream_id = n.id"
            " returning s.stream_id, s.version, now() as recorded",
            [stream for stream, _ in changes],
            [len(events) for _, events in changes],
        )
        if len(rows) != len(changes):
            raise ValueError("a stream appears twice or was not locked")
        return {row["stream_id"]: row["version"] for row in rows}, rows[0]["recorded"]

    async def _keys(
        self, conn: asyncpg.Connection, changes: Sequence[Change]
    ) -> dict[sealing.KeyName, bytes]:
        names = {
            (str(stream), event.record_class)
            for stream, events in changes
            for event in events
            if event.record_class is not None
        }
        if not names:
            return {}
        if self.keyring is None:
            raise ValueError("this service has no keyring")
        return await self.keyring.keys(conn, names)

    def _value(
        self,
        stream: UUID,
        version: int,
        event: NewEvent,
        recorded: datetime,
        keys: Mapping[sealing.KeyName, bytes],
    ) -> bytes:
        sealed = event.record_class is not None
        header = envelope.Header(
            id=envelope.uuid7(),
            source=f"/{self.service}",
            type=event.type,
            subject=str(stream),
            time=envelope.timestamp(recorded),
            streamversion=version,
            dataschema=f"/contracts/{event.type}",
            datacontenttype=envelope.SEALED if sealed else envelope.PLAIN,
            recordclass=event.record_class,
            traceparent=telemetry.traceparent(),
        )
        data = _encoder.encode(event.data)
        if NUL in data:
            raise Problem("validation", "A text holds a character that no text may hold (NUL).")
        if event.record_class is not None:
            data = sealing.seal(
                keys[(str(stream), event.record_class)], plain=data, bound_to=envelope.associated_data(header)
            )
        value = envelope.encode(header, data)
        if len(value) > envelope.LARGEST:
            raise Problem("too-large", "What this would record is larger than one event may be.")
        return value

    async def _insert(self, conn: asyncpg.Connection, rows: Sequence[tuple[UUID, int, bytes]]) -> None:
        """Store the rows, and wake the relay when they commit: one question."""
        told = "select pg_notify('outbox', $1::text)" if self.wakes else "select $1::text"
        await conn.execute(
            f"with said as ({told}) insert into outbox (topic, stream_id, stream_version, value)"
            " select $1, s, v, b from said, unnest($2::uuid[], $3::bigint[], $4::bytea[]) with ordinality as r(s, v, b, n)"
            " order by n",
            self.topic,
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
        )
