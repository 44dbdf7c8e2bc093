"""Outbox, relay, access records and parking, on real PostgreSQL and real Kafka."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import asyncpg
import pytest

from deploy.local import kafka as local_kafka
from services.childview import parking
from services.childview.parking import Position, judge
from services.plumbing import access, database
from services.plumbing.access import Access, AccessWriter
from services.plumbing.contracts import Schemas
from services.plumbing.kafka.consumer import LogReader, Poison, Record, places_of, read_envelopes
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams
from services.plumbing.kafka.relay import Relay, pending, recorded_before
from services.plumbing.problems import Problem
from services.plumbing.sealing import Keyring
from services.plumbing.telemetry import Telemetry
from tests.childview.events import marks

SCHEMAS = Schemas.load(Path(__file__).parents[2] / "contracts")
MARK = {"school": "s", "date": "2026-11-20", "session": "AM", "attendance_code": "/"}


def events(count: int) -> list[NewEvent]:
    data = {"marks": [MARK], "provenance": {"extracted": "2026-11-20"}}
    return [NewEvent("education.attendance-recorded.v1", data, "R-REGISTER") for _ in range(count)]


@pytest.fixture
async def pool(database_dsn):
    await database.migrate(database_dsn)
    found = await database.connect(database_dsn, name="education")
    yield found
    await found.close()


@pytest.fixture
def database_dsn(database):
    return database


@pytest.fixture
def outbox() -> Outbox:
    return Outbox("education", "education.events", SCHEMAS, Keyring(b"m" * 32))


async def append(pool, outbox: Outbox, stream: uuid.UUID, count: int) -> None:
    async with database.transaction(pool) as conn:
        await lock_streams(conn, [stream], kind="pupil")
        await outbox.append(conn, [(stream, events(count))])


async def test_versions_are_dense_whoever_writes_at_the_same_moment(pool, outbox):
    stream = uuid.uuid4()
    await asyncio.gather(*(append(pool, outbox, stream, 3) for _ in range(10)))
    async with pool.acquire() as conn:
        found = [row["stream_version"] for row in await conn.fetch("select stream_version from outbox order by 1")]
    assert found == list(range(1, 31))


async def test_what_was_rolled_back_was_never_said(pool, outbox):
    stream = uuid.uuid4()
    with pytest.raises(RuntimeError):
        async with database.transaction(pool) as conn:
            await lock_streams(conn, [stream], kind="pupil")
            await outbox.append(conn, [(stream, events(2))])
            raise RuntimeError
    await append(pool, outbox, stream, 1)
    async with pool.acquire() as conn:
        assert [row["stream_version"] for row in await conn.fetch("select stream_version from outbox")] == [1]


async def test_an_event_that_breaks_its_contract_is_never_written(pool, outbox):
    from services.plumbing.contracts import SchemaRefused

    stream = uuid.uuid4()
    async with pool.acquire() as conn, conn.transaction():
        await lock_streams(conn, [stream], kind="pupil")
        with pytest.raises(SchemaRefused):
            await outbox.append(conn, [(stream, [NewEvent("education.attendance-recorded.v1", {"marks": [{}]}, "R-REGISTER")])])


async def test_an_event_larger_than_kafka_takes_is_refused_before_it_is_acknowledged(pool, outbox):
    data = {"marks": [{**MARK, "comment": "x" * 400} for _ in range(12_000)], "provenance": {"extracted": "2026-11-20"}}
    async with pool.acquire() as conn, conn.transaction():
        stream = uuid.uuid4()
        await lock_streams(conn, [stream], kind="pupil")
        with pytest.raises(Problem, match="too-large"):
            await outbox.append(conn, [(stream, [NewEvent("education.attendance-recorded.v1", data, "R-REGISTER")])])


async def test_a_heartbeat_never_passes_a_transaction_that_may_still_write(pool, database_dsn, outbox):
    other = await asyncpg.connect(database_dsn, server_settings={"application_name": "education"})
    begun = other.transaction()
    await begun.start()
    started = await other.fetchval("select now()")
    await asyncio.sleep(0.05)
    async with pool.acquire() as conn:
        await conn.execute("set application_name = 'education-relay'")
        before = await recorded_before(conn, service="education")
    await begun.rollback()
    await other.close()
    assert before <= started


async def test_the_relay_publishes_every_row_in_stream_order_and_a_second_one_none_twice(pool, outbox, database_dsn, kafka):
    await local_kafka.create_topics(kafka, {"education.events": 2, "heartbeats": 1})
    streams = [uuid.uuid4() for _ in range(5)]
    for _ in range(3):
        await asyncio.gather(*(append(pool, outbox, stream, 2) for stream in streams))
    relays = [
        asyncio.create_task(Relay(service="education", dsn=database_dsn, bootstrap=kafka, telemetry=Telemetry(f"t{n}")).run()) for n in range(2)
    ]
    try:
        for _ in range(100):
            async with pool.acquire() as conn:
                if not await pending(conn):
                    break
            await asyncio.sleep(0.1)
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
    found = await everything(kafka, "education.events", 30)
    by_stream = {str(stream): [v for s, v in found if s == str(stream)] for stream in streams}
    assert by_stream == {str(stream): [1, 2, 3, 4, 5, 6] for stream in streams}


async def everything(kafka: str, topic: str, count: int) -> list[tuple[str, int]]:
    reader = LogReader(kafka, client="test")
    await reader.start(dict.fromkeys(await places_of(kafka, [topic]), 0))
    found: list[Record] = []
    try:
        for _ in range(50):
            found += await reader.next_batch(maximum=100)
            if len(found) >= count:
                break
    finally:
        await reader.stop()
    return [(one.envelope.subject, one.envelope.streamversion) for one in read_envelopes(found)]


# -- access records ----------------------------------------------------------------------------------------------


def an_access() -> Access:
    return Access(
        id=str(uuid.uuid4()), action="read", person="p", post="q", purpose="casework", clock="2026-11-24T10:00:00.000000Z", channel="api",
        status=200, bundle="b", policy_version=1, catalogue="c", projection_version=1, release="0", query=None, answer="d", stale=[],
        parked=[], children=[],
    )  # fmt: skip


async def test_an_access_is_on_disk_when_the_writer_answers_and_numbers_have_no_holes(pool, database_dsn):
    writer = AccessWriter(service="childview", dsn=database_dsn, schemas=SCHEMAS, telemetry=Telemetry("t"))
    await writer.start()
    try:
        numbers = await asyncio.gather(*(writer.write(an_access()) for _ in range(100)))
        async with pool.acquire() as conn:
            kept = await conn.fetchval("select count(*) from outbox where stream_id = $1", access.stream_of("childview"))
    finally:
        await writer.stop()
    assert sorted(numbers) == list(range(1, 101)) and kept == 100


async def test_a_record_that_may_not_be_written_fails_alone_and_the_writer_lives(pool, database_dsn):
    import msgspec

    writer = AccessWriter(service="childview", dsn=database_dsn, schemas=SCHEMAS, telemetry=Telemetry("t"))
    await writer.start()
    huge = msgspec.structs.replace(an_access(), stale=["x" * 400] * 12_000)
    try:
        found = await asyncio.gather(writer.write(an_access()), writer.write(huge), writer.write(an_access()), return_exceptions=True)
        assert isinstance(found[1], Problem)
        assert sorted(n for n in found if isinstance(n, int)) == [1, 2]
        assert await writer.write(an_access()) == 3
    finally:
        await writer.stop()


async def test_without_a_database_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(access, "PATIENCE", 0.5)
    writer = AccessWriter(service="childview", dsn="postgresql://nobody@127.0.0.1:1/none", schemas=SCHEMAS, telemetry=Telemetry("t"))
    await writer.start()
    try:
        with pytest.raises(Problem) as refused:
            await writer.write(an_access())
    finally:
        await writer.stop()
    assert refused.value.kind == "audit-unavailable" and refused.value.status == 503


# -- parking -----------------------------------------------------------------------------------------------------


def test_the_next_version_is_applied_and_one_seen_before_is_dropped():
    first, second = marks(1), marks(2)
    at = judge(Position(), first).position
    assert judge(at, first).outcome == "known"
    assert judge(at, second).outcome == "apply"


def test_a_gap_the_same_version_with_another_id_and_poison_park_the_stream():
    at = judge(Position(), marks(1)).position
    for odd in (marks(3), marks(1), Poison(marks(2).record, "unreadable")):
        found = judge(at, odd)
        assert found.outcome == "park" and found.reason
        assert judge(found.position, marks(2)).outcome == "wait"


def test_what_a_person_skips_is_left_out_and_the_stream_goes_on():
    at = judge(Position(), marks(1)).position
    after = judge(at, Poison(marks(2).record, "unreadable"), skipped=True)
    assert after.outcome == "known" and judge(after.position, marks(3)).outcome == "apply"


def test_releasing_is_an_event_of_the_contracts():
    data = {"action": "skip", "topic": "education.events", "partition": 0, "offset": 3, "reason": "broken", "by": "service:cli"}
    SCHEMAS.validate(parking.RELEASED, data)
