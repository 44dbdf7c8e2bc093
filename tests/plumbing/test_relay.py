"""The relay: what is not in Kafka is not called published, what commits late is not passed over, and a stream stays in one partition."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from deploy.local import kafka as local_kafka
from services.plumbing import database as databases
from services.plumbing.kafka.consumer import LogReader, Record, places_of
from services.plumbing.kafka.relay import Relay, pending, producer
from services.plumbing.telemetry import Telemetry


@pytest.fixture
async def pool(database: str):
    await databases.migrate(database)
    found = await databases.connect(database, name="education")
    yield found
    await found.close()


@pytest.fixture
def topic() -> str:
    return f"relayed.{uuid.uuid4().hex}"


async def put(conn: asyncpg.Connection | asyncpg.Pool, topic: str, stream: uuid.UUID, version: int) -> None:
    value = f"{stream} {version}".encode()
    await conn.execute("insert into outbox (topic, stream_id, stream_version, value) values ($1, $2, $3, $4)", topic, stream, version, value)


@contextlib.asynccontextmanager
async def relaying(dsn: str, kafka: str, count: int = 1) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(Relay(service="education", dsn=dsn, bootstrap=kafka, telemetry=Telemetry(f"r{n}")).run()) for n in range(count)]
    try:
        yield
        assert not any(task.done() for task in tasks), "a relay ended"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds: Callable, *, within: float = 20) -> None:
    async with asyncio.timeout(within):
        while not await holds():
            await asyncio.sleep(0.05)


async def everything(kafka: str, topic: str) -> list[Record]:
    """The whole topic as far as it reaches now."""
    reader = LogReader(kafka, client="test")
    await reader.start(dict.fromkeys(await places_of(kafka, [topic]), 0))
    found: list[Record] = []
    try:
        count = sum((await reader.end_offsets()).values())
        while len(found) < count:
            found += await reader.next_batch(maximum=500)
    finally:
        await reader.stop()
    return found


def nothing_waits(pool: asyncpg.Pool) -> Callable:
    async def holds() -> bool:
        async with pool.acquire() as conn:
            return not await pending(conn)

    return holds


async def test_what_kafka_does_not_take_stays_unpublished_and_is_sent_once_it_does(pool, database, kafka, topic):
    await local_kafka.create_topics(kafka, {"heartbeats": 1})
    streams = [uuid.uuid4() for _ in range(3)]
    for stream in streams:
        await put(pool, topic, stream, 1)
    async with relaying(database, kafka):
        await asyncio.sleep(3)
        assert await pool.fetchval("select count(*) from outbox where published is not null") == 0, "there is no such topic yet"
        await local_kafka.create_topics(kafka, {topic: 2})
        await until(nothing_waits(pool), within=60)
    assert sorted(record.value for record in await everything(kafka, topic)) == sorted(f"{stream} 1".encode() for stream in streams)
    placed = await pool.fetch("select kafka_partition, kafka_offset, value from outbox")
    assert {(row["kafka_partition"], row["kafka_offset"]): row["value"] for row in placed} == {(r.partition, r.offset): r.value for r in await everything(kafka, topic)}


async def test_a_row_that_commits_after_a_later_one_is_published_all_the_same(pool, database, kafka, topic):
    await local_kafka.create_topics(kafka, {"heartbeats": 1, topic: 1})
    slow = await asyncpg.connect(database)
    late = slow.transaction()
    await late.start()
    await put(slow, topic, uuid.uuid4(), 1)
    await put(pool, topic, uuid.uuid4(), 1)
    async with relaying(database, kafka):
        await until(nothing_waits(pool))
        await late.commit()
        await until(nothing_waits(pool))
    await slow.close()
    assert len(await everything(kafka, topic)) == 2


async def test_the_rows_of_a_stream_lie_in_one_partition_in_their_order_once(pool, database, kafka, topic):
    await local_kafka.create_topics(kafka, {"heartbeats": 1, topic: 4})
    streams = [uuid.uuid4() for _ in range(12)]
    for version in range(1, 6):
        for stream in streams:
            await put(pool, topic, stream, version)
    async with relaying(database, kafka, 2):
        await until(nothing_waits(pool))
    found = await everything(kafka, topic)
    assert len(found) == 60, "a second relay, or a partition of its own, sent something twice"
    for stream in streams:
        mine = [record for record in found if record.key == str(stream).encode()]
        assert len({record.partition for record in mine}) == 1
        assert [record.value for record in sorted(mine, key=lambda r: r.offset)] == [f"{stream} {version}".encode() for version in range(1, 6)]


async def test_a_producer_waits_for_every_replica_and_sends_nothing_twice(kafka):
    """One broker cannot show the difference: so this looks at the settings."""
    sender = producer(kafka)
    await sender.start()
    try:
        assert sender._sender._acks == -1 and sender._txn_manager is not None
    finally:
        await sender.stop()
