"""ContactPoint's failure: a record of a protected child with mistakes in it became a second child whom everybody saw."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from services.plumbing.kafka.consumer import Record
from tests.childview.identity import mistakes
from tests.childview.identity.world import World, record

SEED = 20261125
SHIELDED, ADOPTED, MUTATED, NEWCOMERS = 200, 100, 2_000, 2_000
FEW = 0.05
"""Of newcomers who are nobody's lookalike so many may be withheld beside 300 protected children, no more."""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Identity alone: what is withheld stands in its links."""
    world = await World(database, projects=False).start()
    yield world
    await world.stop()


async def arrive(world: World, records: list[Record]) -> None:
    """Through identity in batches, as from Kafka."""
    for start in range(0, len(records), 100):
        await world.go(*records[start : start + 100])


def persons(world: World, first: int, people: list[mistakes.Fields], service: str = "education") -> list[Record]:
    """Their events; the records are numbered from `first`."""
    return [world.event(f"{service}.person-recorded.v1", record(first + n), who) for n, who in enumerate(people)]


async def protected_children(world: World, people: list[mistakes.Fields]) -> None:
    """Children of social care's who are shielded, and adopted."""
    await arrive(world, persons(world, 0, people, "socialcare"))
    kinds = ["shielded"] * SHIELDED + ["adopted"] * ADOPTED
    data = {"start_date": "2026-01-01", "end_date": None, "withdrawn": False}
    type = "socialcare.protection-recorded.v1"
    await arrive(world, [world.event(type, record(n), {"protection_kind": kind, **data}) for n, kind in enumerate(kinds)])


async def shown(world: World, first: int, count: int) -> list[int]:
    """Of these records those that somebody sees outside the teams of protected children: not withheld, and in no protected
    child."""
    rows = await world.pool.fetch(
        "select l.stream_id::text as id from identity.links l where not l.withheld and not exists (select from identity.links f"
        " join identity.protected p using (stream_id) where f.child_id = l.child_id) and not exists"
        " (select from identity.links f where f.child_id = l.child_id and f.withheld)"
    )
    known = {row["id"] for row in rows}
    return [n for n in range(count) if record(first + n) in known]


@pytest.mark.timeout(900)
async def test_no_mistyped_record_of_a_protected_child_becomes_a_child_that_others_see(world: World):
    luck = random.Random(SEED)
    print("seed", SEED)
    people = [mistakes.child(luck) for _ in range(SHIELDED + ADOPTED)]
    await protected_children(world, people)
    wrong = [mistakes.mutated(luck, luck.choice(people)) for _ in range(MUTATED)]
    await arrive(world, persons(world, 10_000, [who for _, who in wrong]))
    escaped = await shown(world, 10_000, MUTATED)
    assert not escaped, Counter(wrong[n][0] for n in escaped)


@pytest.mark.timeout(600)
async def test_of_children_who_are_nobodys_lookalike_few_are_withheld(world: World):
    luck = random.Random(SEED + 1)
    await protected_children(world, [mistakes.child(luck) for _ in range(SHIELDED + ADOPTED)])
    await arrive(world, persons(world, 10_000, [mistakes.child(luck) for _ in range(NEWCOMERS)]))
    hidden = NEWCOMERS - len(await shown(world, 10_000, NEWCOMERS))
    print("seed", SEED + 1, "withheld", hidden, "of", NEWCOMERS)
    assert hidden <= FEW * NEWCOMERS


async def test_protecting_a_child_withholds_the_mistyped_records_that_came_before(world: World):
    luck = random.Random(SEED + 2)
    people = [mistakes.child(luck) for _ in range(SHIELDED + ADOPTED)]
    wrong = [mistakes.mutated(luck, luck.choice(people)) for _ in range(MUTATED // 4)]
    await arrive(world, persons(world, 10_000, [who for _, who in wrong]))
    await protected_children(world, people)
    escaped = await shown(world, 10_000, MUTATED // 4)
    assert not escaped, Counter(wrong[n][0] for n in escaped)
