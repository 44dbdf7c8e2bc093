"""The relay: publishes outbox rows in stream order, and says each second how far everything has got.

It publishes *unpublished rows*, never `position > last`: positions commit out of order. Rows of one stream are written
under that stream's lock, so position order is stream order. One relay works at a time (advisory lock); a second
waits, and what both might send twice is dropped by its stream version on the other side.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.plumbing import database, telemetry
from services.plumbing.kafka import envelope

HEARTBEATS = "heartbeats"
BATCH = 1000
HEARTBEAT_EVERY = 1.0
SLOW_POLL = 0.5
_RELAY_LOCK = 7_305_115
_log = telemetry.log("relay")


def producer(bootstrap: str) -> AIOKafkaProducer:
    """An idempotent producer with acks=all (both off by default in aiokafka); no lingering, large batches."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=131_072,
        max_request_size=envelope.ROOM,
        request_timeout_ms=15_000,
    )


async def pending(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    """The next rows to publish, in stream order."""
    return await conn.fetch(
        "select position, topic, stream_id::text as stream, value from outbox where published is null"
        " order by position limit $1",
        BATCH,
    )


async def recorded_before(conn: asyncpg.Connection, *, service: str) -> datetime:
    """T: every event recorded before it is committed and visible to the next query.

    An event's time is its transaction's start. So T is the start of the oldest transaction among the sessions that
    may write this service's outbox, or the clock when there is none. xmin would not do: it is cluster-wide.
    """
    return await conn.fetchval(
        "select least(clock_timestamp(), min(xact_start)) from pg_stat_activity"
        " where datname = current_database() and application_name = $1 and xact_start is not null"
        " and pid <> pg_backend_pid()",
        service,
    )


async def mark_published(conn: asyncpg.Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Note where each row lies in Kafka: (position, partition, offset). Rows stay: Kafka can be refilled from them."""
    await conn.execute(
        "update outbox o set published = now(), kafka_partition = r.p, kafka_offset = r.o"
        " from unnest($1::bigint[], $2::int[], $3::bigint[]) as r(id, p, o) where o.position = r.id",
        *[list(column) for column in zip(*rows, strict=True)],
    )


async def placed(conn: asyncpg.Connection) -> dict[str, dict[int, int]]:
    """Per topic and partition the offset after the last row published."""
    rows = await conn.fetch(
        "select topic, kafka_partition as partition, max(kafka_offset) + 1 as next from outbox"
        " where published is not null group by 1, 2"
    )
    offsets: dict[str, dict[int, int]] = {}
    for row in rows:
        offsets.setdefault(row["topic"], {})[row["partition"]] = row["next"]
    return offsets


class Relay:
    """The life of one service's relay. `run` returns only by cancellation or by raising."""

    def __init__(self, *, service: str, dsn: str, bootstrap: str, telemetry: telemetry.Telemetry) -> None:
        self._service = service
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._telemetry = telemetry
        self._woken = asyncio.Event()
        self._offsets: dict[str, dict[int, int]] = {}
        self.ready = False

    async def run(self) -> None:
        """Take turns with any other relay of this service, then publish until cancelled."""
        conn = await database.connect_one(self._dsn, name=f"{self._service}-relay", replayed=True)  # a mark that is lost is a resend
        listener = await database.connect_one(self._dsn, name=f"{self._service}-relay")
        try:
            await listener.add_listener("outbox", lambda *_: self._woken.set())
            self.ready = True
            while not await conn.fetchval("select pg_try_advisory_lock($1)", _RELAY_LOCK):
                await asyncio.sleep(SLOW_POLL)
            self._offsets = await placed(conn)
            while True:
                await self._with_producer(conn)
        finally:
            await conn.close()
            await listener.close()

    async def _with_producer(self, conn: asyncpg.Connection) -> None:
        """Publish until the producer fails; then the caller builds another and what was sent is sent again."""
        sender = producer(self._bootstrap)
        try:
            await sender.start()
            await self._publish_forever(conn, sender)
        except KafkaError as error:
            _log.warning("Kafka refused; building another producer.", extra=telemetry.fields(error=type(error).__name__))
            await asyncio.sleep(1)
        finally:
            await sender.stop()

    async def _publish_forever(self, conn: asyncpg.Connection, sender: AIOKafkaProducer) -> None:
        due = 0.0
        while True:
            self._woken.clear()
            before = await recorded_before(conn, service=self._service)
            count = await self._publish(conn, sender)
            if count < BATCH and time.monotonic() >= due:
                await self._beat(sender, before)
                due = time.monotonic() + HEARTBEAT_EVERY
            if count == 0:
                await self._wait(max(0.0, due - time.monotonic()))

    async def _publish(self, conn: asyncpg.Connection, sender: AIOKafkaProducer) -> int:
        rows = await pending(conn)
        self._telemetry.metrics.set("outbox_waiting", len(rows))
        if not rows:
            return 0
        waiting = [
            await sender.send(row["topic"], key=row["stream"].encode(), value=row["value"]) for row in rows
        ]
        sent = await asyncio.gather(*waiting)
        await mark_published(
            conn,
            [(row["position"], meta.partition, meta.offset) for row, meta in zip(rows, sent, strict=True)],
        )
        for row, meta in zip(rows, sent, strict=True):
            self._offsets.setdefault(row["topic"], {})[meta.partition] = meta.offset + 1
        self._telemetry.metrics.add("events_published", len(rows))
        if self._telemetry.taken:
            self._trace(rows)
        return len(rows)

    def _trace(self, rows: Sequence[asyncpg.Record]) -> None:
        """In each trace that led here, the moment its events were in Kafka."""
        found = (envelope.decode(row["value"]).traceparent for row in rows)
        for trace in dict.fromkeys(one for one in found if one):
            self._telemetry.mark("publish", parent=trace)

    async def _beat(self, sender: AIOKafkaProducer, before: datetime) -> None:
        """Say: everything recorded before T is in Kafka up to these offsets."""
        value = heartbeat(self._service, envelope.timestamp(before), self._offsets)
        await sender.send_and_wait(HEARTBEATS, key=self._service.encode(), value=value)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), min(seconds, SLOW_POLL))
        except TimeoutError:
            return


def heartbeat(source: str, time: str, offsets: dict[str, dict[int, int]]) -> bytes:
    """The value of one heartbeat."""
    named = {topic: {str(p): n for p, n in parts.items()} for topic, parts in offsets.items()}
    return msgspec.json.encode({"source": source, "time": time, "offsets": named})
