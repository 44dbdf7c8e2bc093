"""Two records that are refused are never one child, in whatever order they and others come.

Refused by the rules: two that are not linked when they are all there is, because what they say contradicts (numbers of their own,
two local numbers of one source). Refused by people: "not the same" of two records, while identity reads the sources anew in
another order. What is held may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.childview.identity.demographics import Demographics
from services.childview.identity.judge import Other, judge
from services.childview.identity.memory import Population
from services.childview.identity.model import Model
from services.plumbing.kafka.consumer import Record
from tests.childview.identity import families
from tests.childview.identity.test_any_order import FIELDS, in_a_world
from tests.childview.identity.world import World, record

CONTRADICTIONS = {"number-conflict", "two-local-numbers"}
"""Vetoes by what two records say; the others speak of what is not known yet, or of third children."""
MODEL = Model()
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Families are small as they are: to make a failing one smaller would take longer than a test may."""


def contradict(one: Demographics, other: Demographics) -> bool:
    """Whether the rules refuse that these are one child, if they are all that is known."""
    judged = judge(one, [Other("other", other)], MODEL, seen=1).judged
    return bool(judged) and not CONTRADICTIONS.isdisjoint(judged[0].vetoes)


def together(records: Sequence[Demographics], order: Sequence[int]) -> set[frozenset[int]]:
    """The pairs of records that end as one child, where they come in this order."""
    people = Population(MODEL)
    for place in order:
        people.arrive(place, records[place])
    people.again(everybody=True)
    children = [child.records for child in people.children if not child.gone]
    return {frozenset(pair) for child in children for pair in combinations(child, 2)}


@settings(max_examples=200, deadline=None, phases=PHASES)
@given(records=families.records(), luck=st.randoms(use_true_random=False))
def test_two_records_that_contradict_are_one_child_in_no_order(records: list[Demographics], luck: Any):
    refused = [pair for pair in combinations(range(len(records)), 2) if contradict(*(records[n] for n in pair))]
    for _ in range(4):
        order = luck.sample(range(len(records)), len(records))
        assert not together(records, order) & set(map(frozenset, refused)), f"linked in the order {order}"


@settings(max_examples=12, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(said=st.lists(FIELDS, min_size=4, max_size=5), more=st.lists(st.tuples(st.integers(0, 4), FIELDS), max_size=4), luck=st.randoms(use_true_random=False))
def test_what_people_told_apart_is_joined_in_no_order(database: str, said: list[Any], more: list[Any], luck: Any):
    events = [(n, fields) for n, fields in enumerate(said)] + [(n % len(said), fields) for n, fields in more]

    async def work(world: World) -> None:
        for n, fields in events:
            await world.person(record(n + 1), fields, "socialcare")
        refused = await tell_apart(world, luck)
        decisions = [one for one in world.log if one.topic == "childview.identity"]
        await world.lose_identity()
        await world.identity.apply(decisions)
        sources = [one for one in world.log if one.topic == "socialcare.events"]
        assert not refused & await joined(world)
        await others_first(world, sources, luck)
        assert not refused & await joined(world), "people told these apart"

    in_a_world(database, work)


async def tell_apart(world: World, luck: Any) -> set[frozenset[str]]:
    """People say of every pair that is open, one after another, that it is two children."""
    refused: set[frozenset[str]] = set()
    while pairs := sorted(sorted(both) for both, _ in await world.pairs()):
        pair = luck.choice(pairs)
        await world.decide(*pair, "different")
        refused.add(frozenset(pair))
    return refused


async def joined(world: World) -> set[frozenset[str]]:
    """The pairs of records that are one child."""
    rows = await world.pool.fetch("select array_agg(stream_id::text) as records from identity.links group by child_id")
    return {frozenset(pair) for row in rows for pair in combinations(row["records"], 2)}


async def others_first(world: World, sources: Sequence[Record], luck: Any) -> None:
    """Identity reads the sources again: each stream in its order, the streams in another."""
    left: dict[bytes, list[Record]] = {}
    for one in sources:
        left.setdefault(one.key, []).append(one)
    for offset in range(len(sources)):
        key = luck.choice(sorted(left))
        await world.identity.apply([replace(left[key].pop(0), offset=offset)])
        if not left[key]:
            del left[key]
