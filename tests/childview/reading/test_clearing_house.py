"""What the clearing house is shown of a pair, what a dry run tells, and what takes two people."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from services.childview.reading import dry_runs, duplicates, gates, road, unmerging
from tests.childview.identity.world import ADA, ADDA, nhs, record, upn
from tests.childview.reading.test_duplicates import A, B, C, House, S, children, house

__all__ = ["house"]
BORN = {"family_name": "Corn", "birth_date": "2014-07-09"}


async def ask(house: House, person: str, pair: str, outcome: str = "same") -> tuple[int, dict[str, Any]]:
    """(status, answer) of somebody's decision."""
    answer = await duplicates.decide(
        house.reading, house.asked(person), house.world.outbox, pair, outcome=outcome, reason="because", key=None
    )
    await house.world.go()
    return answer.status, msgspec.json.decode(answer.body)


async def undo(house: House, person: str, child: str, number: int) -> tuple[int, dict[str, Any]]:
    """(status, answer) of somebody's unmerge."""
    answer = await unmerging.unmerge(
        house.reading, house.asked(person), house.world.outbox, child, decision=number, reason="because"
    )
    await house.world.go()
    return answer.status, msgspec.json.decode(answer.body)


async def rehearse(house: House, person: str, pair: str, outcome: str = "same") -> dict[str, Any]:
    """What a dry run tells."""
    answer = await dry_runs.rehearse(
        house.reading, house.asked(person), house.world.outbox, pair, outcome=outcome, reason="because"
    )
    assert answer.status == 200
    return msgspec.json.decode(answer.body)


async def read(house: House, person: str, child: str) -> None:
    """Somebody reads a child."""
    await road.read_child(house.reading, house.asked(person), child)


async def looked_after(house: House, stream: str) -> None:
    """A child is looked after."""
    episode = {"episode_id": "E1", "decom": "2026-06-01", "ls": "C2", "cin": "N1", "authority": "999", "rne": "S"}
    await house.world.go(house.world.event("socialcare.looked-after-recorded.v1", stream, episode))


async def kept(house: House) -> list[tuple[Any, ...]]:
    """How the pairs stand, rank, age and proposals among it."""
    rows = await house.world.pool.fetch(
        "select pair_id, queue, decision, since, risk, why, why_record, aside, proposed from identity.pairs order by 1"
    )
    return [tuple(row) for row in rows]


# -- the queue ---------------------------------------------------------------------------------------------------


async def test_a_pair_is_shown_with_how_well_its_children_agree_and_why_it_is_held(house: House):
    await house.world.person(A, ADA, identifiers=[nhs("9434765919")])
    await house.world.person(B, ADA, identifiers=[nhs("9434765870")])
    [item] = await house.queue("officer")
    assert item["compare"] == {"given_name": "agree", "family_name": "agree", "birth_date": "agree", "nhs_number": "differ"}
    assert "NHS number of its own" in item["why"] and "number-conflict" in item["vetoes"] and item["model"]
    assert (item["risk"], item["set_aside"], item["proposed"]) == ("middle", None, None) and item["since"]
    assert "9434765919" not in item["why"]


async def test_the_likelier_two_are_one_child_the_earlier_they_stand_in_the_queue_then_the_older(house: House):
    await house.world.person(record(20), ADA, identifiers=[nhs("9434765919")])
    await house.world.person(record(21), ADA, identifiers=[nhs("9434765870")])
    for n, born in ((30, "2014-07-09"), (40, "2013-01-02")):
        await house.world.person(record(n), ADA, **{**BORN, "birth_date": born})
        await house.world.person(record(n + 1), ADDA, **{**BORN, "birth_date": born})
    shown = [{one["id"] for one in item["children"]} for item in await house.queue("officer")]
    assert shown == [await children(house, record(n), record(n + 1)) for n in (30, 40, 20)]


async def test_what_nobody_can_tell_stays_in_the_queue_behind_all_else_with_its_reason(house: House):
    for n, born in ((30, "2014-07-09"), (40, "2013-01-02")):
        await house.world.person(record(n), ADA, **{**BORN, "birth_date": born})
        await house.world.person(record(n + 1), ADDA, **{**BORN, "birth_date": born})
    first = await house.pair(record(30), record(31))
    await house.decide("officer", first, "cannot-tell")
    last = (await house.queue("second"))[-1]
    assert last["id"] == first and last["set_aside"]["reason"] == "because" and len(await house.queue("second")) == 2
    before = await kept(house)
    await house.world.lose_identity()
    assert await house.world.pool.fetchval("select count(*) from identity.pairs") == 0
    await house.world.identity.apply([one for one in house.world.log if one.topic == "childview.identity"])
    assert await kept(house) == before


async def test_a_protected_childs_pair_is_reviewed_blind(house: House):
    await house.world.shielded(S, ADA)
    await house.world.person(B, ADDA)
    [item] = await house.queue("protector")
    assert [one["fields"] for one in item["children"]] == [{}, {}]
    assert item["compare"]["birth_date"] == "agree" and item["compare"]["given_name"] == "close"
    assert item["why"].startswith("A protected child may be concerned")
    assert (await house.recorded())[-1] == ("duplicates", 200, await children(house, S, B))


# -- dry runs ----------------------------------------------------------------------------------------------------


async def test_a_dry_run_says_what_would_move_and_moves_nothing(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    pair, both, before = await house.pair(A, B), await children(house, A, B), await house.world.everything()
    told = await rehearse(house, "officer", pair)
    assert {told["moves"][0]["from"], told["moves"][0]["into"]} == both and told["closes"] == [pair]
    assert (told["second_person"], told["counts"]) == (False, {"moves": 1, "closes": 1})
    assert (await rehearse(house, "officer", pair, "different"))["moves"] == []
    assert await house.world.everything() == before and await house.world.drain() == []
    assert (await house.recorded())[-1] == ("duplicate-rehearsed", 200, both)
    await house.decide("officer", pair)
    assert await children(house, A, B) == {told["moves"][0]["into"]}


async def test_a_dry_run_tells_nothing_of_a_child_that_is_not_found(house: House):
    await house.world.person(A, ADA)
    await house.world.person(C, ADA, given_name="Adaa")
    await house.world.person(B, ADDA)
    pair = await house.pair(A, B)
    everything = await rehearse(house, "officer", pair)
    house.conflicts["near"] = {await house.world.child(C): "relative"}
    told = await rehearse(house, "near", pair)
    assert set(told["closes"]) == {pair} and await house.world.child(C) not in msgspec.json.encode(told).decode()
    assert len(everything["closes"]) > len(told["closes"])
    house.conflicts["near"] = {await house.world.child(A): "relative"}
    assert await house.refused(rehearse(house, "near", pair)) == "not-found"


# -- two people --------------------------------------------------------------------------------------------------


async def test_a_looked_after_child_is_joined_by_two_people(house: House):
    await house.world.person(A, ADA, "socialcare")
    await looked_after(house, A)
    await house.world.person(B, ADDA)
    pair, both = await house.pair(A, B), await children(house, A, B)
    assert (await rehearse(house, "first", pair))["second_person"]
    status, told = await ask(house, "first", pair)
    assert status == 202 and set(told) == {"proposal"} and await children(house, A, B) == both
    assert await house.refused(ask(house, "first", pair)) == "held"
    [item] = await house.queue("second")
    assert item["proposed"]["reason"] == "because" and not item["proposed_by_me"] and not item["claimed"]
    assert not (await rehearse(house, "second", pair))["second_person"]
    status, done = await ask(house, "second", pair)
    assert status == 201 and len(await children(house, A, B)) == 1
    body = msgspec.json.decode(await house.world.pool.fetchval("select body from identity.decisions where number = $1", done["decision"]))
    assert (body["by"], body["proposal"]) == ("second", told["proposal"])


async def test_a_protected_child_is_joined_and_parted_by_two_people(house: House):
    house.roles["other"] = "protection-officer"
    await house.world.shielded(S, ADA)
    await house.world.person(B, ADDA)
    pair, both = await house.pair(S, B), await children(house, S, B)
    assert (await ask(house, "protector", pair))[0] == 202
    status, done = await ask(house, "other", pair)
    [child] = await children(house, S, B)
    assert status == 201
    assert (await undo(house, "protector", child, done["decision"]))[0] == 202
    assert await children(house, S, B) == {child}
    assert await house.refused(undo(house, "protector", child, done["decision"])) == "held"
    assert (await undo(house, "other", child, done["decision"]))[0] == 201
    assert await children(house, S, B) == both


@pytest.mark.parametrize("why", ["late", "grown", "cannot-tell"])
async def test_a_proposal_lapses_after_a_week_or_when_more_came_to_the_child_or_by_doubt(house: House, why):
    await house.world.person(A, ADA, "socialcare", identifiers=[upn("A123456789012")])
    await looked_after(house, A)
    await house.world.person(B, ADDA)
    pair = await house.pair(A, B)
    assert (await ask(house, "first", pair))[0] == 202
    if why == "late":
        await house.world.pool.execute("update identity.decisions set recorded = recorded - interval '8 days' where kind = 'propose'")
    elif why == "grown":
        await house.world.person(C, ADA, identifiers=[upn("A123456789012")])
        assert await house.world.child(C) == await house.world.child(A)
    else:
        await ask(house, "second", pair, "cannot-tell")
    assert (await ask(house, "second", await house.pair(A, B)))[0] == 202


async def test_what_the_protection_team_wrote_of_a_pair_is_not_shown_when_it_comes_to_the_clearing_house(house: House):
    await house.world.shielded(S, ADA)
    await house.world.person(B, ADDA)
    assert (await ask(house, "protector", await house.pair(S, B)))[0] == 202
    await house.world.protect(S, withdrawn=True)
    [item] = await house.queue("officer")
    assert item["queue"] == "ordinary" and item["proposed"] is None and "because" not in msgspec.json.encode(item).decode()
    await house.world.protect(S)
    await ask(house, "protector", await house.pair(S, B), "cannot-tell")
    assert (await house.queue("protector"))[0]["set_aside"]["reason"] == "because"
    await house.world.protect(S, withdrawn=True)
    assert (await house.queue("officer"))[0]["set_aside"]["reason"] is None


async def test_where_a_childs_whereabouts_are_silent_nothing_says_whether_two_live_together(house: House, monkeypatch):
    place = {"place": "equal", "contacts": "equal", "given_name": "equal"}

    async def compared(*_: Any) -> dict[str, str]:
        return dict(place)

    monkeypatch.setattr(duplicates.side_by_side, "compared", compared)
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    assert (await house.queue("officer"))[0]["compare"] == {"place": "agree", "contacts": "agree", "given_name": "agree"}
    monkeypatch.setattr(gates, "whereabouts", lambda *_: frozenset({"a home"}))
    assert (await house.queue("officer"))[0]["compare"] == {"given_name": "agree"}


async def test_a_proposal_is_kept_by_the_log(house: House):
    await house.world.person(A, ADA, "socialcare")
    await looked_after(house, A)
    await house.world.person(B, ADDA)
    assert (await ask(house, "first", await house.pair(A, B)))[0] == 202
    before = await kept(house)
    await house.world.lose_identity()
    await house.world.identity.apply([one for one in house.world.log if one.topic == "childview.identity"])
    assert await kept(house) == before and before[0][-1] is not None


# -- who saw -----------------------------------------------------------------------------------------------------


async def test_an_unmerge_tells_how_many_saw_the_mixed_child_and_the_access_log_who_they_were(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    await house.world.person(C, ADA, birth_date="2011-01-01", family_name="Zander")
    house.roles |= {"auditor": "auditor", "reader": "protection-officer"}
    await read(house, "reader", await house.world.child(A))
    merge = await house.decide("officer", await house.pair(A, B))
    [child] = await children(house, A, B)
    await read(house, "reader", child)
    await read(house, "reader", child)
    await read(house, "protector", child)
    await read(house, "protector", await house.world.child(C))
    status, told = await undo(house, "officer", child, merge)
    assert status == 201 and told["seen"] == {"people": 2, "times": 3}
    assert (told["signals"], told["notifications"]) == ([], [])
    await read(house, "protector", child)
    answer = await unmerging.who_saw(house.reading, house.asked("auditor"), told["decision"])
    listed = msgspec.json.decode(answer.body)
    assert [(one["person"], one["post"], one["action"]) for one in listed["items"]] == [
        ("reader", "reader-post", "read"), ("reader", "reader-post", "read"), ("protector", "protector-post", "read"),
    ]  # fmt: skip
    assert (listed["people"], (await house.recorded())[-1][:2]) == (2, ("mixed-seen", 200))


async def test_who_saw_a_mixed_child_is_told_to_readers_of_the_access_log_alone(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    merge = await house.decide("officer", await house.pair(A, B))
    [child] = await children(house, A, B)
    undone = await house.unmerge("officer", child, merge)
    for person in ("officer", "worker", "protector"):
        assert await house.refused(unmerging.who_saw(house.reading, house.asked(person), undone)) == "not-found"
        assert (await house.recorded())[-1] == ("mixed-seen", 404, set())
    house.roles["auditor"] = "auditor"
    assert await house.refused(unmerging.who_saw(house.reading, house.asked("auditor"), merge)) == "not-found"


async def test_a_refused_read_of_the_mixed_child_showed_nothing(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    merge = await house.decide("officer", await house.pair(A, B))
    [child] = await children(house, A, B)
    house.conflicts["near"] = {child: "relative"}
    house.roles["near"] = "protection-officer"
    assert await house.refused(read(house, "near", child)) == "not-found"
    assert (await undo(house, "officer", child, merge))[1]["seen"] == {"people": 0, "times": 0}
