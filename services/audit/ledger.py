"""The ledger: every record of every topic but heartbeats, exactly as it lies in Kafka. It holds no keys and reads no name.

Positions in a partition, and numbers of access records in a service, are dense: whatever is missing is evidence.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from services.plumbing import database, telemetry
from services.plumbing.kafka.consumer import Event, LogReader, Place, Record, places_of, read_envelopes
from services.plumbing.telemetry import Telemetry

LINGER = 0.25
"""Seconds: nobody waits for the ledger."""
_log = telemetry.log("ledger")


class Hole(Exception):
    """A record is missing from the log: the position jumped."""


def end_process(task: asyncio.Task) -> None:
    """When the ledger cannot be written the process ends, and the supervisor starts another."""
    if not task.cancelled() and task.exception() is not None:
        _log.error("The ledger stopped; the process ends.", exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)


class Ledger:
    """Copies the log. `next`: the offset each place is to be read from."""

    def __init__(self, pool: asyncpg.Pool, *, bootstrap: str, topics: Sequence[str], measure: Telemetry) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._topics = topics
        self._measure = measure
        self.next: dict[Place, int] = {}

    async def run(self) -> None:
        """Copy until cancelled."""
        places = await places_of(self._bootstrap, self._topics)
        rows = await self._pool.fetch('select topic, partition, max("offset") + 1 as next from ledger group by 1, 2')
        self.next = dict.fromkeys(places, 0) | {(r["topic"], r["partition"]): r["next"] for r in rows}
        reader = LogReader(self._bootstrap, client="audit", linger=LINGER)
        await reader.start(self.next)
        try:
            while True:
                await self._keep(await reader.next_batch())
        finally:
            await reader.stop()

    async def _keep(self, records: Sequence[Record]) -> None:
        """One batch, in one transaction."""
        following = dict(self.next)
        for record in records:
            place = (record.topic, record.partition)
            if record.offset != following[place]:
                raise Hole(f"{record.topic}/{record.partition}: expected {following[place]}, found {record.offset}")
            following[place] = record.offset + 1
        async with database.transaction(self._pool) as conn:
            await conn.executemany(
                "insert into ledger values ($1, $2, $3, $4, $5, $6)",
                [(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value) for r in records],
            )
            await self._index(conn, [r for r in records if r.topic.endswith(".access")])
        self.next = following
        self._measure.metrics.add("ledger_records", len(records))

    async def _index(self, conn: asyncpg.Connection, records: Sequence[Record]) -> None:
        """Access records by number, person and child. A resend has the same number and changes nothing."""
        found = [(item, msgspec.json.decode(item.data or b"{}")) for item in read_envelopes(records) if isinstance(item, Event)]
        await conn.executemany(
            "insert into accesses values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            [
                (item.envelope.service, item.envelope.streamversion, body["id"], body["action"], body["person"], body["status"],
                 datetime.fromisoformat(body["clock"]), item.record.topic, item.record.partition, item.record.offset)
                for item, body in found
            ],
        )  # fmt: skip
        await conn.executemany(
            "insert into access_children values ($1, $2, $3) on conflict do nothing",
            [
                (child["child"], item.envelope.service, item.envelope.streamversion)
                for item, body in found
                for child in body.get("children", [])
            ],
        )


async def holes(conn: asyncpg.Connection) -> dict[str, list[int]]:
    """Numbers of access records that are missing below the highest, by service: a deleted record leaves a hole."""
    rows = await conn.fetch(
        "select service, n as number from (select service, max(number) as top from accesses group by service) s,"
        " generate_series(1, s.top) as n where not exists"
        " (select from accesses a where a.service = s.service and a.number = n) limit 1000"
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["service"], []).append(row["number"])
    return found
