"""Whatever comes in whichever order: nobody who resembles a protected child is shown, and every merge can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.childview.identity import decide, demographics, index, people
from services.childview.identity.decide import Candidate, Linked, Pair
from services.childview.identity.model import Model
from services.childview.identity.people import Parting
from services.childview.identity.resembles import resembles
from tests.childview.identity.world import World, former_upn, nhs, record, upn

RECORDS = [record(n) for n in range(1, 6)]
FIELDS = st.fixed_dictionaries({
    "given_name": st.sampled_from(["Ada", "Ida"]), "family_name": st.sampled_from(["Berg", "Corn"]),
    "birth_date": st.sampled_from(["2015-03-05", "2015-05-03", "2011-01-20"]),
    "identifiers": st.lists(st.sampled_from([upn("A1"), upn("B1"), former_upn("A1"), nhs("N1")]), max_size=2),
})  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What happens, in its order: ("person", record, fields), ("protect", record, kind), ("adoption", record, other)."""

    steps: tuple[tuple[str, str, Any], ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Up to five records, a few protections and at most one adoption, in any order."""
    names = RECORDS[: draw(st.integers(2, 5))]
    steps: list[tuple[str, str, Any]] = [("person", name, draw(FIELDS)) for name in names]
    kinds = st.sampled_from(["shielded", "adopted"])
    steps += [("protect", name, draw(kinds)) for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True))]
    if draw(st.booleans()):
        steps.append(("adoption", *draw(st.permutations(names))[:2]))
    return Story(tuple(draw(st.permutations(steps))))


async def tell(world: World, steps: tuple[tuple[str, str, Any], ...]) -> None:
    """Let it happen."""
    for what, stream, more in steps:
        if what == "person":
            await world.person(stream, more, "socialcare")
        elif what == "protect":
            await world.protect(stream, more)
        else:
            await world.adoption(stream, more)


async def nothing_is_shown_that_must_not_be(world: World) -> None:
    """The promises that hold after every event."""
    async with world.pool.acquire() as conn:
        rows = await conn.fetch("select stream_id::text as id, child_id::text as child, status, withheld from identity.links")
        child = {row["id"]: row["child"] for row in rows}
        hidden = {row["child"] for row in rows if row["withheld"]}
        protected = {child[one] for one in await index.protected_records(conn)}
        who = {one: found for one in child if (found := await index.person(conn, one)) is not None}
        halves = {(str(row["stream_id"]), str(row["other"])) for row in await conn.fetch("select * from identity.adoption_pairs")}
        told = {frozenset((str(row["one"]), str(row["other"]))) for row in await conn.fetch("select * from identity.not_same")}
    apart = {frozenset((child[one], child[other])) for one, other in halves if one in child and other in child}
    told = {frozenset(child[one] for one in both) for both in told}
    assert all(len(both) == 2 for both in apart | told), "people, or an adoption, said that these are two children"
    for one, other in permutations(who, 2):
        if child[other] in protected and child[one] not in protected and frozenset((child[one], child[other])) not in apart | told:
            alike = resembles(who[one], who[other], Model().spelling)
            assert not alike or child[one] in hidden or child[one] == child[other], "a lookalike is shown"
    pairs = await world.pairs()
    for both, queue in pairs:
        children = {child[one] for one in both}
        assert len(children) == 2 and frozenset(children) not in apart, "a pair of what is decided is open"
        assert (queue == "protection") == bool(children & (protected | hidden)), "a pair is in the wrong queue"
    for row in rows:
        mine = [queue for both, queue in pairs if row["id"] in both]
        assert row["status"] == "linked" or mine, "a record is held and in no queue"
        assert not row["withheld"] or "protection" in mine, "a record is withheld and in no queue of the protection team"


def in_a_world(dsn: str, work: Callable[[World], Awaitable[None]]) -> None:
    """One example, on tables that are empty."""

    async def run() -> None:
        world = await World(dsn, projects=False).start()
        try:
            await world.empty()
            await work(world)
        finally:
            await world.stop()

    asyncio.run(run())


few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(story=stories())
def test_in_any_order_no_lookalike_is_shown_and_no_adoption_is_joined(database: str, story: Story):
    async def work(world: World) -> None:
        for step in story.steps:
            await tell(world, (step,))
            await nothing_is_shown_that_must_not_be(world)

    in_a_world(database, work)


@few
@given(story=stories(), later=FIELDS, luck=st.randoms(use_true_random=False))
def test_after_a_merge_and_its_undoing_every_record_is_where_it_was(database: str, story: Story, later: Any, luck: Any):
    async def work(world: World) -> None:
        await tell(world, story.steps)
        open_pairs = sorted(sorted(both) for both, _ in await world.pairs())
        if not open_pairs:
            return
        before = {one: await world.link(one) for one in RECORDS if await known(world, one)}
        one, other = luck.choice(open_pairs)
        number = await world.decide(one, other, "same")
        await nothing_is_shown_that_must_not_be(world)
        await world.person(record(9), later)
        joined = await world.child(record(9)) == await world.child(one)
        await world.unmerge(number, await world.child(one))
        await nothing_is_shown_that_must_not_be(world)
        after = {one: await world.link(one) for one in before}
        assert {one: (to.child, to.basis) for one, to in after.items()} == {one: (was.child, was.basis) for one, was in before.items()}
        assert not joined or (await world.link(record(9))).status == "held"

    in_a_world(database, work)


async def known(world: World, one: str) -> bool:
    """Whether anything is decided of a record."""
    return await world.pool.fetchval("select exists (select from identity.links where stream_id = $1)", one)


# -- the pure rules ----------------------------------------------------------------------------------------------

people_ = st.builds(demographics.of_person, FIELDS)


@given(people_, st.lists(st.tuples(people_, st.booleans()), max_size=4))
def test_a_record_that_resembles_a_protected_child_is_withheld_or_that_childs(who, others):
    found = [Candidate(f"r{n}", f"c{n}", other, shielded) for n, (other, shielded) in enumerate(others)]
    made = decide.decide("mine", who, candidates=found, now=None, fellows=(), apart=(), new_id=lambda: "new")
    to = made.sets["mine"]
    alike = {c.child for c in found if c.protected and resembles(who, c.who, Model().spelling)}
    assert to.withheld == (to.child == "new" and bool(alike)) and alike - {to.child} == (alike if to.withheld else set())
    assert all(pair.queue == "protection" for pair in made.opens) or not to.withheld


@given(st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_what_a_merge_sets_its_unmerge_sets_back(moving: int, staying: int, firm: bool):
    basis = "verified" if firm else "automatic"
    one = {f"a{n}": Linked("one", basis, "linked") for n in range(moving)}
    two = {f"b{n}": Linked("two", basis, "linked") for n in range(staying)}
    merged = people.merge(Pair("a0", "b0", "ordinary"), moving=one, into="two", staying=two, by="o", reason="r")
    assert {to.child for to in merged.sets.values()} == {"two"}
    undone = people.unmerge(Parting(1, one, two, {}), by="o", reason="r")
    assert undone.sets == {**one, **two} and len(undone.not_same) == moving * staying


def test_an_unmerge_opens_a_pair_once_where_each_of_two_is_withheld_for_the_other():
    one, two = Linked("one", "automatic", "linked"), Linked("two", "automatic", "linked")
    parting = Parting(1, {"a": one}, {"b": two}, {"c": two}, shields={"c": ["a"], "a": ["c"]})
    opened = people.unmerge(parting, by="o", reason="r").opens
    assert len({frozenset((pair.record, pair.candidate)) for pair in opened}) == len(opened)
    assert {frozenset((pair.record, pair.candidate)): pair.queue for pair in opened}[frozenset("ac")] == "protection"
