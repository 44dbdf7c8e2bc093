"""What people parted is not joined again by what comes later."""

from __future__ import annotations

import pytest

from tests.childview.identity.world import ADA, ADDA, World, record, upn

A, B, C = record(1), record(2), record(3)


@pytest.fixture
async def world(database: str):
    made = await World(database).start()
    yield made
    await made.stop()


async def test_records_that_an_unmerge_parted_stay_apart_when_they_come_to_look_the_same(world):
    await world.person(A, ADA, identifiers=[upn("A1")])
    await world.person(B, ADDA)
    number = await world.decide(A, B, "same")
    assert await world.child(A) == await world.child(B)
    await world.unmerge(number, await world.child(A))
    await world.person(B, ADA, identifiers=[upn("A1")])
    assert await world.child(A) != await world.child(B)
    assert await world.pairs() == set()


async def test_an_unmerge_asks_again_about_whom_the_other_side_alone_was_told_apart_from(world):
    await world.person(A, ADA)
    await world.person(B, ADA, given_name="Adaa")
    await world.person(C, ADDA)
    third = {both for both, _ in await world.pairs() if both == frozenset((B, C))}
    await world.decide(A, B, "different")
    assert third and third <= {both for both, _ in await world.pairs()}
    number = await world.decide(C, A, "same")
    assert not await world.pairs()
    await world.unmerge(number, await world.child(C))
    assert {both for both, _ in await world.pairs()} == third
    assert (await world.link(C)).status == "held"


async def test_a_merge_can_be_undone_after_a_later_one_of_its_child_was(world):
    await world.shielded(C, ADA)
    await world.person(A, ADA, given_name="Adaa")
    await world.person(B, ADDA)
    before = [await world.child(one) for one in (A, B, C)]
    first = await world.decide(B, A, "same")
    second = await world.decide(A, C, "same")
    assert {await world.child(one) for one in (A, B, C)} == {before[2]}
    await world.unmerge(second, before[2])
    await world.unmerge(first, before[0])
    assert [await world.child(one) for one in (A, B, C)] == before
