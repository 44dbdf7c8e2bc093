"""Whatever comes, in whatever order: what people told apart stays apart, a merge undone leaves no trace, a rebuild is the same.

As many operations as CHILDVIEW_OPERATIONS says (10000 takes an hour), a few without it.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from services.childview.identity.clearing_house import NoSuchPair, ToldApart
from tests.childview.identity.test_any_order import nothing_is_shown_that_must_not_be
from tests.childview.identity.world import World, former_upn, nhs, record, upn

OPERATIONS = int(os.environ.get("CHILDVIEW_OPERATIONS", "120"))
AT_A_TIME = 12
"""So many records are spoken of at a time: with every 15 operations one leaves and another comes."""
NUMBERS = [upn("A1"), upn("B1"), former_upn("A1"), nhs("N1"), nhs("N2")]


@pytest.fixture
async def world(database: str):
    made = await World(database).start()
    yield made
    await made.stop()


def anybody(luck: random.Random) -> dict[str, Any]:
    """Who somebody is, of few names and dates: much looks alike."""
    return {
        "given_name": luck.choice(["Ada", "Adda", "Ida"]), "family_name": luck.choice(["Berg", "Corn"]),
        "birth_date": luck.choice(["2015-03-05", "2015-05-03"]), "identifiers": luck.sample(NUMBERS, luck.choice([0, 0, 1])),
    }  # fmt: skip


async def shown(world: World) -> dict[str, bytes]:
    """What could be shown of every child: the stored bytes."""
    rows = await world.pool.fetch("select child_id::text as child, content from projection.children")
    return {row["child"]: bytes(row["content"]) for row in rows}


class Told:
    """What people told apart so far, and the merges that stand."""

    def __init__(self, world: World, luck: random.Random) -> None:
        self.world, self.luck = world, luck
        self.apart: set[tuple[str, str]] = set()
        self.restored = 0
        self.count = 0

    def stream(self, service: str) -> str:
        """A record of this service's, of those that are spoken of now."""
        numbers = range(self.count // 15 + 1, self.count // 15 + 1 + AT_A_TIME)
        return record(self.luck.choice([n for n in numbers if n % 2 == (service == "education")]))

    async def happen(self) -> None:
        """One operation."""
        self.count += 1
        await self.luck.choices([self._person, self._decide, self._merge_and_undo, self._protect], weights=[6, 3, 2, 1])[0]()

    async def _person(self) -> None:
        service = self.luck.choice(["education", "socialcare"])
        await self.world.person(self.stream(service), anybody(self.luck), service)

    async def _pair(self) -> tuple[str, str] | None:
        pairs = sorted(tuple(sorted(both)) for both, _ in await self.world.pairs())
        return self.luck.choice(pairs) if pairs else None

    async def _decide(self) -> None:
        pair = await self._pair()
        if pair is None:
            return
        outcome = self.luck.choice(["different", "different", "cannot-tell", "same"])
        try:
            await self.world.decide(*pair, outcome)
        except (NoSuchPair, ToldApart):
            return
        if outcome == "different":
            self.apart.add(pair)

    async def _merge_and_undo(self) -> None:
        """Both decisions reach the view before identity decides anew what else they change: that is not theirs to undo."""
        pair = await self._pair()
        if pair is None:
            return
        before = await shown(self.world)
        with self.world.identity_waiting():
            try:
                number = await self.world.decide(*pair, "same")
                assert await shown(self.world) != before
                await self.world.unmerge(number, await self.world.child(pair[0]))
            except (NoSuchPair, ToldApart):
                return
            assert await shown(self.world) == before, "a merge and its undoing leave something behind"
        await self.world.catch_up()
        self.apart.add(pair)
        self.restored += 1

    async def _protect(self) -> None:
        await self.world.protect(self.stream("socialcare"), withdrawn=self.luck.random() < 0.7)

    async def holds(self) -> None:
        """What people told apart is apart."""
        for one, other in self.apart:
            assert await self.world.child(one) != await self.world.child(other), "people told these apart"


@pytest.mark.timeout(180 + OPERATIONS)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_people_told_apart_stays_apart_and_a_merge_undone_leaves_no_trace(world: World, seed: int):
    told = Told(world, random.Random(seed))
    for n in range(OPERATIONS // 3):
        await told.happen()
        if n % 10 == 0:
            await told.holds()
    await told.holds()
    await nothing_is_shown_that_must_not_be(world)
    assert told.apart and told.restored
    before, log = await world.everything(), list(world.log)
    await world.lose_identity()
    await world.identity.apply([one for one in log if one.topic == "childview.identity"])
    await world.identity.apply([one for one in log if one.topic != "childview.identity"])
    assert await world.everything() == before, "made anew from the log it is another"
