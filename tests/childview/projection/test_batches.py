"""However the log is cut into batches the tables are the same, and a batch is applied whole, once, with its offsets, or not at all."""

from __future__ import annotations

import random

import asyncpg
import pytest

from services.childview.identity.store import DECIDED, DECISIONS, Fenced
from services.childview.identity.store import TOPIC as DECISIONS_TOPIC
from services.childview.projection import store
from services.plumbing import database as databases
from tests.journeys.log import CHANNELS, Log, stream, value


@pytest.fixture
async def log(database):
    await databases.migrate(database)
    pool = await databases.connect(database, name="childview", size=5)
    yield await Log(pool).start()
    await pool.close()


class Moves:
    """Decisions that move records about, and where they leave every child."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.number = 0
        self.place: dict[str, str] = {}
        self.became: dict[str, str] = {}

    def decide(self, **sets: str) -> None:
        """One decision: record n (as `r<n>`) belongs to this child."""
        self.number += 1
        named = {stream(int(name[1:])): child for name, child in sets.items()}
        body = {
            "kind": "merge", "by": "officer",
            "sets": [{"record": one, "child": child, "status": "linked", "basis": "verified", "withheld": False} for one, child in named.items()],
        }  # fmt: skip
        self.log.put(DECISIONS_TOPIC, str(DECISIONS), value(DECIDED, str(DECISIONS), self.number, body))
        left = {self.place[one]: child for one, child in named.items() if self.place.get(one, child) != child}
        self.place |= named
        for old, child in left.items():
            if old not in self.place.values():
                self.became = {name: child if to == old else to for name, to in self.became.items()} | {old: child}
        for child in self.place.values():
            self.became.pop(child, None)


async def tables(log: Log, schema: str) -> tuple[dict[str, str], dict[str, str]]:
    """(child an id became, child of each record that is composed there)."""
    aliases = await log.pool.fetch(f"select child_id::text as c, became::text as b from {schema}.aliases")
    links = await log.pool.fetch(f"select stream_id::text as s, child_id::text as c from {schema}.links join {schema}.children using (child_id)")
    return {row["c"]: row["b"] for row in aliases}, {row["s"]: row["c"] for row in links}


async def the_same_in_any_batches(log: Log, moves: Moves) -> None:
    """Every size of batch gives these digests and this model."""
    found = []
    for size in (1, 2, 7, 500):
        found.append(await log.rebuilt(size=size))
        aliases, composed = await tables(log, store.BESIDE)
        assert aliases == moves.became, f"in batches of {size}"
        assert composed == moves.place, f"in batches of {size}"
        assert await log.pool.fetchval(f"select count(*) from {store.BESIDE}.children") == len(set(moves.place.values()))
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("seed", [0, 1, 3])
async def test_records_that_move_from_child_to_child_end_the_same_in_any_batches(log, seed):
    luck, moves = random.Random(seed), Moves(log)
    for n in range(1, 5):
        log.person(stream(n), family_name=f"Berg{n}")
    children = [stream(100 + n) for n in range(1, 5)]
    for n, child in enumerate(children, 1):
        moves.decide(**{f"r{n}": child})
    for _ in range(14):
        some = luck.sample(range(1, 5), luck.choice([1, 1, 2, 3]))
        moves.decide(**{f"r{n}": luck.choice(children) for n in some})
    await the_same_in_any_batches(log, moves)


async def test_two_merges_and_the_way_back_end_the_same_in_any_batches(log):
    moves, (a, b, c) = Moves(log), (stream(100 + n) for n in range(3))
    for n in (1, 2, 3):
        log.person(stream(n), family_name=f"Berg{n}")
    moves.decide(r1=a, r2=b, r3=c)
    moves.decide(r1=b)
    moves.decide(r1=c, r2=c)
    assert moves.became == {a: c, b: c}
    await the_same_in_any_batches(log, moves)
    moves.decide(r1=a)
    assert moves.became == {b: c}
    await the_same_in_any_batches(log, moves)


async def test_a_child_that_a_record_comes_to_and_leaves_again_in_one_batch_is_not_taken_for_empty(log):
    moves, (a, b, c, d) = Moves(log), (stream(100 + n) for n in range(4))
    for n in (1, 2, 3, 4):
        log.person(stream(n), family_name=f"Berg{n}")
    moves.decide(r1=a, r2=b, r3=c, r4=c)
    moves.decide(r1=b)
    moves.decide(r4=d)
    assert moves.became == {a: b}
    for child in (b, d):
        moves.decide(r4=child)
    assert moves.became == {a: b}
    await the_same_in_any_batches(log, moves)


# -- whole, once, or not at all ------------------------------------------------------------------------------------


async def state(log: Log, schema: str = store.LIVE) -> tuple:
    rows = await log.pool.fetch(f"select topic, partition, next from {schema}.offsets order by 1, 2")
    return [tuple(row) for row in rows], await log.digests()


async def test_a_batch_that_fails_moves_no_offset_and_comes_whole_the_second_time(log):
    one, other = log.person(stream(1)), log.person(stream(2), family_name="Corn")
    before = await state(log)
    await log.pool.execute("alter table projection.records rename to away")
    with pytest.raises(asyncpg.UndefinedTableError):
        await log.projection.apply([one, other])
    await log.pool.execute("alter table projection.away rename to records")
    assert await state(log) == before
    await log.projection.apply([one, other])
    assert await log.pool.fetchval("select count(*) from projection.records") == 2
    assert (("education.events", 0, 2)) in (await state(log))[0]


async def test_what_identity_cannot_decide_moves_no_offset_and_is_decided_the_second_time(log):
    one = log.person(stream(1))
    await log.pool.execute("alter table identity.links rename to away")
    with pytest.raises(asyncpg.UndefinedTableError):
        await log.identity.apply([one])
    await log.pool.execute("alter table identity.away rename to links")
    assert await log.pool.fetchval("select next from identity.offsets where topic = 'education.events' and partition = 0") == 0
    assert await log.published() == []
    await log.read(one)
    assert await log.pool.fetchval("select count(*) from projection.links") == 1


async def test_a_second_projector_is_fenced_off_and_changes_nothing(log):
    second = await log.another(store.LIVE)
    one = log.person(stream(1))
    await log.projection.apply([one])
    before = await state(log)
    with pytest.raises(store.FencedOff):
        await second.apply([one])
    assert await state(log) == before


async def test_a_second_identity_is_fenced_off_and_decides_nothing(log):
    second = await log.another_identity()
    one = log.person(stream(1))
    await log.identity.apply([one])
    with pytest.raises(Fenced):
        await second.apply([one])
    assert len(await log.published()) == 1


async def test_an_event_that_is_resent_changes_nothing(log):
    one, other = log.person(stream(1)), log.person(stream(1), given_name="Adele")
    await log.read(one, other)
    before = await log.digests()
    await log.read(*(log.put("education.events", stream(1), record.value) for record in (one, other)))
    assert await log.digests() == before and await log.parked() == []


async def test_an_event_that_is_missing_parks_its_stream_until_it_comes(log):
    first = log.person(stream(1))
    log.person(stream(1), given_name="Lost")
    third = log.person(stream(1), given_name="Adele")
    log.records.remove(log.records[1])
    await log.read(first, third, log.person(stream(2), family_name="Corn", birth_date="2012-01-01"))
    await log.read(log.person(stream(1), given_name="Later"))
    assert await log.parked() == await log.parked("identity") == [stream(1)]
    assert await log.names() == ["ada"] and await log.pool.fetchval("select count(*) from projection.waiting") == 2


async def test_what_cannot_be_opened_now_waits_and_everything_else_goes_on(log):
    sealed = log.person(stream(1), sealed=True)
    other = log.person(stream(2), service="socialcare", given_name="Bo", family_name="Corn", birth_date="2012-01-01")
    log.keys_to_be_had = False
    await log.identity.apply([sealed, other])
    done = await log.projection.apply([sealed, other])
    assert done.refused == {sealed.place: sealed.offset} and await log.parked() == await log.parked("identity") == []
    assert await log.pool.fetchval("select count(*) from projection.records") == 1
    log.keys_to_be_had = True
    await log.read(*await log.published(), sealed)
    assert await log.names() == ["ada", "bo"] and await log.parked() == []


def test_every_channel_of_decisions_has_one_partition():
    assert {channel.partitions for channel in CHANNELS.values() if channel.kind == "decisions"} == {1}


async def test_who_became_a_child_that_then_became_another_is_found_there_again_when_that_is_undone(log):
    moves, (a, b, c) = Moves(log), (stream(100 + n) for n in range(3))
    for n in (1, 2, 3):
        log.person(stream(n), family_name=f"Berg{n}")
    moves.decide(r1=a, r2=b, r3=c)
    moves.decide(r1=b)
    moves.decide(r1=c, r2=c)
    moves.decide(r1=b, r2=b)
    moves.became = {a: b}
    await the_same_in_any_batches(log, moves)
