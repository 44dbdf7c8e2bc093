"""What the two readers of the log do with releases, missing keys, malformed records and batches, on real PostgreSQL."""

from __future__ import annotations

import time

import msgspec
import pytest

from services.childview import parking
from services.childview.identity import store as identities
from services.childview.identity.decide import Decision
from services.childview.identity.store import DECISIONS
from services.childview.identity.store import TOPIC as DECISIONS_TOPIC
from services.childview.projection import store
from services.childview.projection.freshness import Freshness, heartbeat
from services.plumbing import database as databases
from services.plumbing.contracts import SchemaRefused
from services.plumbing.kafka import envelope
from services.plumbing.kafka.watchdog import NoProgress, Watchdog, first_to_end
from services.plumbing.sealing import Keyring
from tests.journeys.log import ADA, CHANNELS, SCHEMAS, Log, stream, value

TWIN = {**ADA, "given_name": "Ida"}


@pytest.fixture
async def log(database):
    await databases.migrate(database)
    pool = await databases.connect(database, name="childview", size=5)
    yield await Log(pool).start()
    await pool.close()


async def waiting(log: Log, schema: str) -> int:
    return await log.pool.fetchval(f"select count(*) from {schema}.waiting")


# -- how far decisions are ---------------------------------------------------------------------------------------


def fresh(log: Log, projection, *, decision: int) -> set[str]:
    """The sources that are fresh for a projection, by identity's heartbeat and theirs."""
    found = Freshness(frozenset(topic for topic, channel in CHANNELS.items() if channel.kind == "events"))
    found.hear(heartbeat("2026-11-24T10:00:00.000000Z", log.identity.applied, decision=decision))
    found.hear(msgspec.json.encode({"source": "socialcare", "time": "2026-11-24T10:00:00.000000Z", "offsets": {"socialcare.events": {"0": 1}}}))
    return set(found.settle(projection.applied, decision=projection.decision))


async def test_a_decision_that_sets_no_record_leaves_everything_fresh_when_the_projector_starts_again(log):
    await log.read(log.person(stream(1), service="socialcare"))
    await log.read(log.person(stream(2), **TWIN))
    async with databases.transaction(log.pool) as conn:
        await identities.lock_decisions(conn)
        await identities.record_decision(conn, log.outbox, Decision("cannot-tell", {}, by="officer", reason="no paper"))
    await log.read(*await log.published())
    again = await log.another(store.LIVE)
    assert again.decision == log.identity.decision
    assert fresh(log, again, decision=log.identity.decision) == {"socialcare"}


async def test_releases_count_for_nobody_who_waits_for_decisions(log):
    await log.read(log.person(stream(1), service="socialcare"))
    await log.release(log.records[0], action="retry")
    await log.read(*await log.published())
    restarted = await log.another_identity()
    assert restarted.decision == log.identity.decision == log.projection.decision == 1


async def test_a_decision_nobody_can_read_darkens_nothing_once_it_is_skipped(log):
    await log.read(log.person(stream(1), service="socialcare"))
    log._versions[str(DECISIONS)] = 1
    await log.read(log.garbage(str(DECISIONS), topic=DECISIONS_TOPIC))
    await log.release(log.records[-1])
    await log.read(*await log.published())
    assert fresh(log, log.projection, decision=2) == {"socialcare"}


# -- releases ----------------------------------------------------------------------------------------------------


async def test_poison_among_the_decisions_can_be_released(log):
    await log.read(log.person(stream(1)))
    bad = log.garbage(str(DECISIONS), topic=DECISIONS_TOPIC)
    await log.read(bad)
    assert await log.parked() == await log.parked("identity") == [str(DECISIONS)]
    await log.read(log.person(stream(2), given_name="Bo", birth_date="2012-07-09"))
    await log.release(bad)
    await log.read(*await log.published())
    assert await log.parked() == await log.parked("identity") == []
    assert await log.pool.fetchval("select count(*) from projection.links") == 2
    assert await log.rebuilt(size=1) == await log.rebuilt(size=500) == await log.digests()


async def test_a_release_nobody_can_read_never_stands_in_the_way_of_the_next(log):
    bad = log.garbage(stream(1))
    await log.read(bad, log.garbage(str(parking.RELEASES), topic=DECISIONS_TOPIC))
    await log.release(bad)
    await log.read(*await log.published())
    assert await log.parked() == await log.parked("identity") == []


async def test_identity_made_anew_numbers_the_next_release_after_those_in_the_log(log):
    await log.release(log.garbage(stream(1)))
    await log.read(*log.records, *await log.published())
    await log.pool.execute("drop schema identity cascade")
    await log.pool.execute("delete from streams")
    log.identity = await log.another_identity()
    await log.identity.apply([record for record in log.records if record.topic == DECISIONS_TOPIC])
    async with databases.transaction(log.pool) as conn:
        said = {"action": "skip", "topic": "education.events", "partition": 0, "offset": 9, "by": "test"}
        assert await parking.say_released(conn, log.outbox, said) == 2


async def test_what_is_released_is_judged_before_what_follows_in_its_batch(log):
    bad = log.garbage(stream(1))
    await log.read(bad, log.person(stream(1), given_name="One"))
    await log.release(bad)
    await log.read(*await log.published(), log.person(stream(1), given_name="Two", extracted="2026-11-02"))
    assert await log.parked() == await log.parked("identity") == []
    assert await log.rebuilt(size=1) == await log.rebuilt(size=500) == await log.digests()


async def test_a_stream_that_parks_and_goes_on_within_one_batch_forgets_nothing(log):
    first, bad, last = log.person(stream(1)), log.garbage(stream(1)), log.person(stream(1), given_name="Adele")
    await log.release(bad)
    await log.read(first, bad, last, *await log.published())
    assert await log.parked() == await log.parked("identity") == []
    assert await log.rebuilt(size=1) == await log.rebuilt(size=500) == await log.digests()


async def test_a_release_waits_for_the_keys_of_what_it_sets_free(log):
    bad = log.garbage(stream(1), topic="socialcare.events")
    shield = log.say(
        "socialcare.protection-recorded.v1", stream(1), {"protection_kind": "shielded", "start_date": "2026-01-01"}, sealed=True
    )
    await log.read(bad, shield)
    await log.release(bad)
    before, releases = log.person(stream(2)), await log.published()
    log.keys_to_be_had = False
    await log.read(before)
    decided = [record for record in log.records if record.topic == DECISIONS_TOPIC]
    await log.identity.apply(releases)
    done = await log.projection.apply(releases)
    assert done.refused == {(DECISIONS_TOPIC, 0): releases[0].offset}
    assert await waiting(log, "identity") == await waiting(log, store.LIVE) == 2
    log.keys_to_be_had = True
    await log.read(*[record for record in decided if record.offset >= releases[0].offset])
    assert await waiting(log, "identity") == await waiting(log, store.LIVE) == 0
    assert await log.pool.fetchval("select count(*) from identity.protected") == 1


# -- malformed records -------------------------------------------------------------------------------------------


def malformed(log: Log) -> dict[str, object]:
    """Each in a stream of its own."""
    plain = "education.person-recorded.v1"
    said = {"provenance": {"extracted": "2026-11-01"}, **ADA}
    return {
        "no value": log.put("education.events", stream(11), None),
        "a key that is no stream id": log.put("education.events", "not-a-stream", value(plain, "not-a-stream", 1, said)),
        "36 characters that are no stream id": log.put("education.events", "x" * 36, b"{"),
        "hyphens where no UUID has them": log.put("education.events", "-" * 4 + "0" * 32, b"{"),
        "a key of bytes": log.put("education.events", b"\xff\x00\xfe", b"{"),
        "an endless key": log.put("education.events", "y" * 100_000, b"{"),
        "no key": log.put("education.events", b"", b"{"),
        "no provenance": log.put("education.events", stream(12), value(plain, stream(12), 1, {"given_name": "A"})),
        "data that is no object": log.put("education.events", stream(13), value(plain, stream(13), 1, [1])),
        "an identifier without a type": log.put(
            "education.events", stream(14), value(plain, stream(14), 1, {**said, "identifiers": [{"value": "x", "valid": True}]})
        ),
        "a day that never was": log.put("education.events", stream(15), value(plain, stream(15), 1, {**said, "birth_date": "2015-02-31"})),
        "a version beyond counting": log.put("education.events", stream(16), value(plain, stream(16), 2**70, said)),
        "a time that is none": log.put("education.events", stream(17), value(plain, stream(17), 1, said, time="soon")),
        "a character no text may hold": log.put(
            "education.events", stream(18), value(plain, stream(18), 1, {**said, "given_name": "A\u0000"}, sealed=True)
        ),
        "sealed, a subject that is no stream id": log.put("education.events", "nobody", value(plain, "nobody", 1, said, sealed=True)),
    }


async def test_a_malformed_record_parks_its_stream_and_nothing_else(log):
    records = malformed(log)
    for record in records.values():
        await log.read(record)
    await log.read(log.person(stream(1)))
    streams = sorted({record.stream for record in records.values()})
    assert sorted(await log.parked()) == sorted(await log.parked("identity")) == streams
    assert await log.names() == ["ada"]
    for record in records.values():
        await log.release(record)
    await log.read(*await log.published())
    assert await log.parked() == await log.parked("identity") == []


async def test_an_event_type_nobody_knows_is_passed_over(log):
    await log.read(
        log.person(stream(1)),
        log.put("education.events", stream(1), value("education.new-thing.v1", stream(1), 2, [1])),
        log.put("policy.events", stream(2), value("policy.new-thing.v1", stream(2), 1, [1])),
        log.person(stream(1), version=3, given_name="Adele"),
    )
    assert await log.parked() == [] and await log.names() == ["adele"]


def test_a_day_that_is_in_no_calendar_breaks_every_contract():
    said = {"provenance": {"extracted": "2026-11-01"}, "birth_date": "2016-02-29"}
    SCHEMAS.validate("health.person-recorded.v1", said)
    for day in ("2015-02-29", "2015-13-01", "0000-00-00"):
        with pytest.raises(SchemaRefused, match="birth_date"):
            SCHEMAS.validate("health.person-recorded.v1", {**said, "birth_date": day})


async def test_a_key_asked_for_under_no_stream_id_is_no_key(log):
    async with log.pool.acquire() as conn:
        keyring = Keyring(b"m" * 32)
        made = await keyring.keys(conn, [(stream(1), "R-IDENT")])
        assert await keyring.existing(conn, [("not-a-stream", "R-IDENT"), (stream(1), "R-IDENT")]) == made
        assert await keyring.existing(conn, [("not-a-stream", "R-IDENT")]) == {}


def test_a_heartbeat_nobody_can_read_says_nothing():
    found = Freshness(frozenset())
    for odd in (b"", b"{", b"[]", b'{"source":"education"}', b'{"source":"education","time":"soon","offsets":{}}'):
        assert not found.hear(odd)
    assert found.settle({}, decision=0) == {}


# -- the watchdog ------------------------------------------------------------------------------------------------


def test_the_watchdog_sees_one_hung_place_among_busy_ones():
    watchdog, start = Watchdog(after=10, bootstrap="", client="test"), time.monotonic()
    ends = {("urgent", 0): 5, ("slow", 0): 5}
    watchdog.look(ends, {("urgent", 0): 5}, set(), now=start)
    watchdog.look(ends, {("urgent", 0): 5}, set(), now=start + 9)
    with pytest.raises(NoProgress, match="slow/0 waits at 0 of 5"):
        watchdog.look(ends, {("urgent", 0): 5}, set(), now=start + 11)


def test_the_watchdog_leaves_alone_what_waits_for_keys_or_for_its_turn():
    watchdog, start = Watchdog(after=10, bootstrap="", client="test"), time.monotonic()
    ends = {("slow", 0): 5}
    watchdog.look(ends, {}, set(), now=start)
    watchdog._turn = start + 11
    watchdog.look(ends, {}, {("slow", 0)}, now=start + 12)
    with pytest.raises(NoProgress):
        watchdog.look(ends, {}, {("slow", 0)}, now=start + 30)
    watchdog.alive([("slow", 0)])
    watchdog.look(ends, {}, set(), now=time.monotonic())


async def test_a_loop_that_hangs_is_ended_by_the_watchdog_beside_it(kafka, make_topics_now):
    import asyncio

    from services.plumbing.kafka.relay import producer

    topic = await make_topics_now()
    sender = producer(kafka)
    await sender.start()
    await sender.send_and_wait(topic, key=b"k", value=b"v")
    await sender.stop()
    watchdog = Watchdog(after=1, bootstrap=kafka, client="test")
    with pytest.raises(NoProgress, match=topic):
        await asyncio.wait_for(first_to_end(asyncio.sleep(60), watchdog.watch(lambda: {(topic, 0): 0}, set)), 20)


@pytest.fixture
def make_topics_now(kafka):
    from deploy.local import kafka as local_kafka

    async def make() -> str:
        topic = f"watched.{envelope.uuid7()}"
        await local_kafka.create_topics(kafka, {topic: 1})
        return topic

    return make
