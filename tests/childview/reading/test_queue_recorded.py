"""Whoever looks at the queue of pairs is recorded with the children that were shown."""

from __future__ import annotations

from tests.childview.identity.world import ADA, ADDA
from tests.childview.reading.test_duplicates import A, B, House, children, house

__all__ = ["house"]


async def test_a_queue_that_is_looked_at_is_recorded_with_its_children(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    assert len(await house.queue("officer")) == 1
    assert (await house.recorded())[-1] == ("duplicates", 200, await children(house, A, B))
