"""Who must not be found stays hidden whatever people decide in whichever order, and every decision can be undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.childview.identity import clearing_house, index, store
from services.childview.identity.clearing_house import CannotUndo, NoSuchPair, NotFollowed, ToldApart
from services.childview.parking import RELEASED
from services.plumbing import database
from services.plumbing.kafka.outbox import NewEvent
from tests.childview.identity.world import ADA, ADDA, World, former_upn, nhs, pair, record, upn

A, B, C, D, E, R, S, P = (record(n) for n in range(1, 9))
LONG_AGO = "2026-01-02"


@pytest.fixture
async def world(database: str):
    made = await World(database).start()
    yield made
    await made.stop()


def today(days: int = 0) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


# -- protection --------------------------------------------------------------------------------------------------


async def test_a_merge_keeps_the_hold_against_a_third_protected_child(world: World):
    await world.person(C, ADA, family_name="Corn")
    await world.person(R, ADA)
    await world.shielded(S, ADA, given_name="Eva")
    assert await world.pairs() == {pair(R, C, "protection"), pair(R, S, "protection")}
    await world.decide(R, C, "same")
    assert (await world.link(R)).withheld and not await world.visible(R)
    assert await world.pairs() == {pair(R, S, "protection")}
    await world.decide(R, S, "different")
    assert await world.visible(R) and (await world.link(R)).status == "linked"


async def test_an_ordinary_officer_has_no_pair_of_a_record_that_was_withheld_meanwhile(world: World):
    await world.person(C, ADA, family_name="Corn")
    await world.person(R, ADA)
    async with world.pool.acquire() as conn:
        seen = await clearing_house.pair(conn, await world._pair_id(R, C), queues=["ordinary"])
    await world.shielded(S, ADA, given_name="Eva")
    async with database.transaction(world.pool) as conn:
        with pytest.raises(NoSuchPair):
            await clearing_house.settle(conn, world.outbox, seen, outcome="same", by="officer", reason="because")
        with pytest.raises(NoSuchPair):
            await clearing_house.claim(conn, seen, by="officer")


async def test_the_shielded_childs_own_record_that_comes_last_is_in_no_ordinary_queue(world: World):
    await world.person(R, ADA)
    await world.person(S, {"identifiers": []}, "socialcare")
    await world.protect(S)
    await world.person(S, ADDA, "socialcare")
    assert {queue for _, queue in await world.pairs()} == {"protection"}
    assert not await world.visible(R)


async def test_setting_a_protection_takes_pairs_of_either_direction_out_of_the_ordinary_queue(world: World):
    await world.person(R, ADA)
    await world.person(S, ADDA, "socialcare")
    assert await world.pairs() == {pair(S, R, "ordinary")}
    await world.protect(S)
    assert await world.pairs() == {pair(S, R, "protection")} and not await world.visible(R)
    await world.protect(S, withdrawn=True)
    assert await world.pairs() == {pair(S, R, "ordinary")} and await world.visible(R)


async def test_the_same_number_as_another_child_does_not_reveal_a_lookalike_of_a_shielded_one(world: World):
    await world.shielded(S, {**ADA, "given_name": "Eva", "family_name": "Wald", "birth_date": "2014-01-01"}, identifiers=[nhs("N1")])
    await world.person(C, ADA, identifiers=[upn("A1")])
    await world.person(R, ADA, identifiers=[upn("A1"), nhs("N1")])
    assert not await world.visible(R) and await world.visible(C)
    assert pair(R, S, "protection") in await world.pairs()


@pytest.mark.parametrize("verified", [False, True])
async def test_a_linked_record_that_gains_a_shielded_childs_number_is_withheld_where_it_is(world: World, verified: bool):
    await world.shielded(S, {**ADA, "given_name": "Eva", "family_name": "Wald", "birth_date": "2014-01-01"}, identifiers=[upn("OLD")])
    await world.person(C, ADA, identifiers=[upn("A1")])
    await world.person(R, ADDA if verified else ADA, identifiers=[upn("A1")])
    if verified:
        await world.decide(R, C, "same")
    child = await world.child(R)
    await world.person(R, ADDA if verified else ADA, identifiers=[upn("A1"), former_upn("OLD")])
    assert await world.child(R) == child == await world.child(C)
    assert not await world.visible(R) and await world.pairs() == {pair(R, S, "protection")}
    await world.decide(R, S, "different")
    assert await world.visible(R)


async def test_a_merge_into_a_shielded_child_withholds_the_lookalikes_of_what_came(world: World):
    await world.shielded(S, ADA, identifiers=[upn("A1")])
    await world.person(A, {"given_name": "Adda", "family_name": "Bork", "birth_date": "2015-03-06"}, identifiers=[upn("A1")])
    await world.person(B, {"given_name": "Adda", "family_name": "Bock", "birth_date": "2015-03-06"})
    assert await world.visible(B)
    await world.decide(A, S, "same")
    assert not await world.visible(B)


async def test_lookalikes_are_looked_for_when_a_decision_is_read_that_the_tables_know(world: World):
    await world.shielded(S, ADA)
    await world.person(A, {**ADA, "given_name": "Bo", "family_name": "Ek"})
    await world.person(B, {**ADA, "given_name": "Bo", "family_name": "Holm"})
    async with database.transaction(world.pool) as conn:
        await store.lock_decisions(conn)
        sets = [{"record": A, "child": await world.child(S), "status": "linked", "basis": "verified", "withheld": False}]
        body = {"kind": "merge", "sets": sets, "held": [], "not_same": [], "by": "officer"}
        numbers = await world.outbox.append(conn, [(store.DECISIONS, [NewEvent(store.DECIDED, body, None)])])
        await store.follow(conn, numbers[store.DECISIONS], body)
    await world.go()
    assert not await world.visible(B)


async def test_a_protection_holds_on_its_last_day(world: World):
    await world.shielded(S, ADA)
    await world.person(R, ADA, family_name="Berk")
    await world.protect(S, end=today())
    await world.identity.sweep()
    assert (await world.link(R)).withheld


async def test_a_protection_that_ends_by_its_date_releases_by_an_event_of_the_clock(world: World):
    await world.person(S, ADA, "socialcare")
    await world.protect(S, end=today(1))
    await world.person(R, ADDA)
    assert not await world.visible(R)
    await world.pool.execute("update identity.protected set end_date = current_date - 1")
    await world.identity.sweep()
    decided = await world.drain()
    await world.projection.apply(decided)
    assert len(decided) == 1 and await world.visible(R)
    assert await world.pairs() == {pair(R, S, "ordinary")}


async def test_a_lookalike_of_a_child_of_two_records_is_released_when_the_protection_ends(world: World):
    await world.person(S, ADA, "socialcare", identifiers=[upn("A1")])
    await world.person(E, ADA, identifiers=[upn("A1")])
    await world.person(R, ADDA)
    await world.protect(S)
    assert not await world.visible(R)
    await world.protect(S, end=LONG_AGO)
    assert await world.visible(R)
    assert {queue for _, queue in await world.pairs()} == {"ordinary"}


async def test_a_lookalike_of_two_shielded_children_is_released_when_both_protections_end(world: World):
    await world.shielded(P, ADA, given_name="Eva")
    await world.shielded(S, ADA, family_name="Corn")
    await world.person(R, ADA)
    await world.protect(P, end=LONG_AGO)
    assert not await world.visible(R)
    await world.protect(S, end=LONG_AGO)
    assert await world.visible(R)
    assert {queue for _, queue in await world.pairs()} == {"ordinary"}


# -- not the same ------------------------------------------------------------------------------------------------


async def test_not_the_same_as_a_shielded_child_sticks_when_another_record_joins_that_child(world: World):
    await world.shielded(S, ADA, identifiers=[upn("A1")])
    await world.person(R, ADDA)
    await world.decide(R, S, "different")
    assert await world.visible(R)
    await world.person(E, ADA, identifiers=[upn("A1")])
    assert await world.child(E) == await world.child(S) and await world.visible(R)


async def test_not_the_same_holds_for_every_record_of_the_child(world: World):
    await world.shielded(S, ADA)
    await world.person(R, ADDA, identifiers=[upn("B1")])
    await world.decide(R, S, "different")
    await world.person(E, ADDA, identifiers=[upn("B1")])
    assert await world.child(E) == await world.child(R)
    await world.person(E, {**ADDA, "middle_names": "Eva"}, identifiers=[upn("B1"), nhs("N1")])
    await world.protect(S)
    assert await world.visible(R)


async def test_two_children_told_apart_are_never_joined_by_way_of_a_third(world: World):
    await world.person(A, ADA)
    await world.person(B, ADA, given_name="Adaa")
    await world.person(C, ADDA)
    await world.decide(C, A, "different")
    await world.decide(B, A, "same")
    with pytest.raises((ToldApart, NoSuchPair)):
        await world.decide(C, B, "same")
    assert await world.child(A) != await world.child(C)


# -- undo --------------------------------------------------------------------------------------------------------


async def test_merge_then_unmerge_gives_back_the_links(world: World):
    await world.person(B, ADA)
    await world.person(A, ADDA, "socialcare")
    before = [await world.link(one) for one in (A, B)]
    number = await world.decide(A, B, "same")
    assert (await world.link(A)).basis == "verified"
    await world.unmerge(number, await world.child(B))
    after = [await world.link(one) for one in (A, B)]
    assert [(one.child, one.basis) for one in after] == [(one.child, one.basis) for one in before]
    assert {one.status for one in after} == {"linked"} and await world.pairs() == set()
    with pytest.raises(CannotUndo):
        await world.unmerge(number, await world.child(B))


async def test_undoing_merges_in_order_rejoins_nothing(world: World):
    await world.person(B, ADA)
    await world.person(A, ADDA, "socialcare")
    await world.person(C, ADA, given_name="Adaa")
    first = await world.decide(A, B, "same")
    second = await world.decide(C, B, "same")
    child = await world.child(B)
    await world.unmerge(first, child)
    with pytest.raises(CannotUndo):
        await world.unmerge(second, child)
    assert len({await world.child(one) for one in (A, B, C)}) == 3


async def test_undoing_merges_in_the_other_order_gives_back_both(world: World):
    await world.person(B, ADA)
    await world.person(A, ADDA, "socialcare")
    await world.person(C, ADA, given_name="Adaa")
    children = [await world.child(one) for one in (A, B, C)]
    first = await world.decide(A, B, "same")
    second = await world.decide(C, B, "same")
    await world.unmerge(second, await world.child(B))
    assert await world.child(A) == await world.child(B)
    await world.unmerge(first, await world.child(B))
    assert [await world.child(one) for one in (A, B, C)] == children


async def test_what_came_after_a_merge_and_resembles_a_shielded_child_is_withheld_by_the_unmerge(world: World):
    await world.shielded(S, ADA)
    await world.person(R, ADDA, identifiers=[upn("A1")])
    number = await world.decide(R, S, "same")
    await world.person(E, ADDA, identifiers=[upn("A1")])
    assert await world.child(E) == await world.child(S)
    await world.unmerge(number, await world.child(S))
    assert not await world.visible(E)
    assert {queue for _, queue in await world.pairs()} == {"protection"}


async def test_an_unmerge_does_not_undo_a_hold_that_came_since(world: World):
    await world.person(B, ADA)
    await world.person(A, ADA, family_name="Bork")
    number = await world.decide(A, B, "same")
    await world.shielded(P, ADA, given_name="Eva")
    assert not await world.visible(B)
    await world.unmerge(number, await world.child(B))
    assert (await world.link(B)).withheld and pair(B, P, "protection") in await world.pairs()


async def test_an_unmerge_opens_the_pairs_with_third_children_again(world: World):
    await world.person(C, ADA, family_name="Corn")
    await world.person(B, ADA, given_name="Eva")
    await world.person(A, ADA)
    assert await world.pairs() == {pair(A, B, "ordinary"), pair(A, C, "ordinary")}
    number = await world.decide(A, B, "same")
    assert await world.pairs() == set()
    await world.unmerge(number, await world.child(B))
    assert await world.pairs() == {pair(A, C, "ordinary")} and (await world.link(A)).status == "held"


async def test_a_record_parted_from_a_shielded_child_is_shown_when_no_pair_is_open(world: World):
    await world.shielded(S, ADA)
    await world.person(R, ADDA)
    number = await world.decide(R, S, "same")
    await world.unmerge(number, await world.child(S))
    assert await world.pairs() == set()
    assert await world.visible(R) and (await world.link(R)).status == "linked"


# -- adoption ----------------------------------------------------------------------------------------------------

OLD = {"given_name": "Mira", "family_name": "Alt", "birth_date": "2018-02-02"}
NEW = {"given_name": "Mira", "family_name": "Neu", "birth_date": "2018-02-02"}


async def nothing_joins(world: World, former: list[str], new: list[str]) -> None:
    """Two children, no pair, and the new one is shown."""
    assert {await world.child(one) for one in former}.isdisjoint({await world.child(one) for one in new})
    assert len({await world.child(one) for one in new}) == 1
    assert not any(both & set(former) and both & set(new) for both, _ in await world.pairs())
    assert await world.visible(*new)
    assert all([(await world.link(one)).status == "linked" for one in new])


async def test_adopted_then_the_new_record_then_the_pair_ends_with_two_children(world: World):
    await world.shielded(A, OLD, "adopted")
    await world.person(C, NEW, "socialcare")
    assert not await world.visible(C)
    await world.adoption(A, C)
    await nothing_joins(world, [A], [C])


@pytest.mark.parametrize("pair_first", [True, False])
async def test_the_new_school_record_that_carries_the_former_number_ends_with_two_children(world: World, pair_first: bool):
    await world.shielded(A, OLD, "adopted", identifiers=[upn("O1")])
    await world.person(B, OLD, identifiers=[upn("O1")])
    if pair_first:
        await world.adoption(A, C)
    await world.person(C, NEW, "socialcare", identifiers=[upn("N1")])
    await world.person(D, NEW, identifiers=[upn("N1"), former_upn("O1")])
    if not pair_first:
        await world.adoption(A, C)
    await nothing_joins(world, [A, B], [C, D])
    if pair_first:
        bodies = await world.pool.fetch("select body::text as body from identity.decisions where number > 2")
        assert not any((A in row["body"] or B in row["body"]) and (C in row["body"] or D in row["body"]) for row in bodies)


async def test_a_record_that_comes_before_the_half_it_belongs_to_is_released_with_it(world: World):
    await world.shielded(A, OLD, "adopted", identifiers=[upn("O1")])
    await world.adoption(A, C)
    await world.person(D, NEW, identifiers=[upn("N1"), former_upn("O1")])
    await world.person(C, NEW, "socialcare", identifiers=[upn("N1")])
    await nothing_joins(world, [A], [C, D])


async def test_adopted_that_is_set_last_withholds_nothing_of_the_new_child(world: World):
    await world.person(A, OLD, "socialcare", identifiers=[upn("O1")])
    await world.person(B, OLD, identifiers=[upn("O1")])
    await world.person(C, NEW, "socialcare", given_name="Maya", identifiers=[upn("N1")])
    await world.person(D, NEW, given_name="Maya", identifiers=[upn("N1"), former_upn("O1")])
    await world.adoption(A, C)
    await world.protect(A, "adopted")
    await nothing_joins(world, [A, B], [C, D])


async def test_an_adoption_moves_the_whole_side_by_evidence(world: World):
    await world.person(A, OLD, "socialcare", identifiers=[upn("O1")])
    await world.person(C, NEW, "socialcare", former_family_name="Alt", identifiers=[upn("N1")])
    await world.person(B, OLD, identifiers=[upn("O1")])
    await world.person(D, NEW, identifiers=[upn("N1")])
    await world.decide(C, B, "same")
    assert await world.child(D) != await world.child(A), "a merge may be undone: nothing else follows from it by itself"
    await world.adoption(A, C)
    assert await world.child(A) == await world.child(B) != await world.child(C) == await world.child(D)
    await nothing_joins(world, [A, B], [C, D])


async def test_what_nobody_can_tell_apart_is_held_when_an_adoption_parts_a_child(world: World):
    same = {**NEW, "identifiers": [upn("N1")]}
    await world.person(A, same, "socialcare")
    await world.person(C, same, "socialcare")
    await world.person(D, same)
    await world.adoption(A, C)
    assert len({await world.child(one) for one in (A, C, D)}) == 3
    assert await world.pairs() == {pair(D, A, "ordinary")} and (await world.link(D)).status == "held"
    await world.protect(A, "adopted")
    assert not await world.visible(D) and await world.visible(C)
    await world.decide(D, A, "different")
    assert await world.child(D) == await world.child(C) and await world.visible(D)


async def test_an_adoption_reveals_no_record_that_is_withheld_for_a_third_child(world: World):
    await world.shielded(P, {**NEW, "given_name": "Eva"})
    same = {**NEW, "identifiers": [upn("N1")]}
    await world.person(A, same, "socialcare")
    await world.person(C, same, "socialcare")
    await world.adoption(A, C)
    assert not await world.visible(C) and not await world.visible(A)


async def test_nobody_decides_that_the_halves_of_an_adoption_are_the_same(world: World):
    await world.person(A, OLD, "socialcare")
    await world.person(C, NEW, "socialcare")
    async with world.pool.acquire() as conn:
        seen = await clearing_house.pair(conn, await world._pair_id(C, A), queues=["ordinary"])
        await index.save_adoption_pair(conn, A, C)
    async with database.transaction(world.pool) as conn:
        with pytest.raises(NoSuchPair):
            await clearing_house.settle(conn, world.outbox, seen, outcome="same", by="officer", reason="because")


# -- made anew ---------------------------------------------------------------------------------------------------


async def test_identity_made_anew_decides_nothing_again(world: World):
    same = {**ADA, "identifiers": [upn("A1")]}
    await world.person(S, same, "socialcare")
    await world.person(E, same)
    await world.shielded(P, {**ADA, "given_name": "Zoe", "family_name": "Wald", "birth_date": "2014-01-01"})
    await world.person(R, {**ADA, "given_name": "Zoe", "family_name": "Walt", "birth_date": "2014-01-01"})
    await world.person(A, ADDA)
    await world.decide(A, S, "different") if pair(A, S, "ordinary") in await world.pairs() else None
    stood, log = await world.everything(), list(world.log)
    await world.lose_identity()
    await world.identity.apply([one for one in log if one.topic == store.TOPIC])
    for topic in ("education.events", "socialcare.events"):
        for one in (one for one in log if one.topic == topic):
            await world.identity.apply([one])
    await world.identity.look_everywhere()
    assert await world.drain() == [] and await world.everything() == stood


async def test_a_fellow_whose_key_is_gone_makes_no_record_leave(world: World):
    same = {**ADA, "identifiers": [upn("A1")]}
    await world.person(A, same)
    await world.person(B, same)
    async with world.pool.acquire() as conn:
        await index.forget_person(conn, A)
    await world.person(B, same, given_name="Bo")
    assert await world.child(A) == await world.child(B)


async def test_nobody_decides_before_identity_has_read_its_own_topic_again(world: World):
    await world.person(A, ADA)
    await world.person(B, ADDA)
    tables = ["identity.followed", "streams"]
    for n, table in enumerate(tables):
        await world.pool.execute(f"create table backup_{n} as table {table}")
    for n, table in enumerate(tables):
        await world.pool.execute(f"truncate {table}; insert into {table} select * from backup_{n}")
    with pytest.raises(NotFollowed):
        await world.decide(B, A, "different")
    await world.identity.look_everywhere()
    await world.decide(B, A, "different")


async def test_no_number_of_the_log_is_given_again_after_a_restore(world: World):
    await world.person(A, ADA)
    async with database.transaction(world.pool) as conn:
        await store.lock_decisions(conn)
        data = {"action": "retry", "topic": "education.events", "partition": 0, "offset": 99, "by": "cli"}
        await world.outbox.append(conn, [(store.DECISIONS, [NewEvent(RELEASED, data, None)])])
    await world.go()
    log = list(world.log)
    await world.pool.execute("delete from streams; delete from outbox")
    await world.lose_identity()
    await world.identity.apply([one for one in log if one.topic == store.TOPIC])
    async with database.transaction(world.pool) as conn:
        assert await store.lock_decisions(conn) == 2
