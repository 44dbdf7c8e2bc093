"""Values that contradict each other: who is shown them, who settles them, what is recorded, and how long it holds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from services.childview.identity import store as identities
from services.childview.projection import store as projections
from services.childview.projection import view
from services.childview.projection.apply import Projection
from services.childview.reading import conflicts
from services.plumbing.kafka import envelope
from tests.childview.identity.world import ADA, RULES, upn
from tests.childview.reading import test_duplicates
from tests.childview.reading.test_duplicates import A, B, C, House, S

house = test_duplicates.house
NUMBER = {"identifiers": [upn("A999000000012")]}


async def differ(house: House, *, sex: tuple[str, str] = ("F", "M"), **more: Any) -> str:
    """One child whom two registers give another sex; its id."""
    await house.world.person(A, ADA, **NUMBER, sex=sex[0])
    await house.world.person(B, ADA, "socialcare", **NUMBER, sex=sex[1], **more)
    child = await house.world.child(A)
    assert await house.world.child(B) == child
    return child


async def queue(house: House, person: str = "officer") -> list[dict[str, Any]]:
    return msgspec.json.decode((await conflicts.queue(house.reading, house.asked(person))).body)["items"]


async def choose(house: House, item: dict[str, Any], value: str, *, person: str = "officer", send_back: bool = False, key: str | None = None) -> int:
    option = next(one["id"] for one in item["options"] if one["value"] == value)
    return await settle(house, item["id"], option, person=person, send_back=send_back, key=key)


async def settle(house: House, id: str, option: str, *, person: str = "officer", send_back: bool = False, key: str | None = None) -> int:
    answer = await conflicts.decide(
        house.reading, house.asked(person), house.world.outbox, id, option=option, reason="seen", send_back=send_back, key=key
    )
    await house.world.go()
    return msgspec.json.decode(answer.body)["decision"]


async def stands(house: House, child: str, field: str = "sex") -> list[str]:
    """Every record's word on a field, the one that stands first."""
    content = view.decode_content(await house.world.pool.fetchval("select content from projection.children where child_id = $1", child))
    found = [view.members_of(one)[0].full for one in content.segments if one.id == field]
    return [msgspec.json.decode(b"{" + one + b"}")[field]["value"] for one in found]


async def stored(house: House) -> dict[str, tuple[Any, bytes]]:
    """What is stored of every child, but for the number of the decision that put its records there."""
    found = await house.world.pool.fetch("select child_id::text, view, content from projection.children order by 1")
    return {row["child_id"]: (msgspec.structs.replace(view.decode(row["view"]), decision=0, link="", held=False), row["content"]) for row in found}


def rows(field: str, *said: str) -> list[dict[str, Any]]:
    return [{"field": field, "said": [{"value": value, "file": "a.csv", "row": n, "extracted": "2026-01-01"} for n, value in enumerate(said, 2)]}]


async def test_a_value_that_matters_goes_to_people_and_the_one_they_choose_stands(house: House):
    child = await differ(house)
    (item,) = await queue(house)
    assert (item["field"], item["queue"], item["child"]["id"]) == ("sex", "ordinary", child)
    assert {(one["value"], one["source"], one["extracted"]) for one in item["options"]} == {
        ("F", "education", "2026-01-01"), ("M", "socialcare", "2026-01-01"),
    }  # fmt: skip
    assert await stands(house, child) == ["F", "M"]
    await choose(house, item, "M")
    assert await stands(house, child) == ["M", "F"] and await queue(house) == []


async def test_the_decision_is_an_event_that_names_the_record_and_no_value(house: House):
    child = await differ(house)
    (item,) = await queue(house)
    number = await choose(house, item, "M")
    async with house.world.pool.acquire() as conn:
        decided = await identities.decision(conn, number)
    assert decided is not None and decided.kind == "settled-value"
    found = decided.body["settles"]
    assert (found["record"], found["child"], found["field"], found["versions"]) == (B, child, "sex", {A: 1, B: 1})
    assert not {"M", "F", "Ada"} & set(str(decided.body).replace("'", " ").split())


async def test_it_holds_until_that_source_says_something_else(house: House):
    child = await differ(house)
    await choose(house, (await queue(house))[0], "M")
    await house.world.person(B, ADA, "socialcare", **NUMBER, sex="M", known_as="Addie")
    assert await stands(house, child) == ["M", "F"] and await queue(house) == []
    await house.world.person(B, ADA, "socialcare", **NUMBER, sex="X")
    assert await stands(house, child) == ["F", "X"] and len(await queue(house)) == 1


async def test_another_record_that_says_something_else_asks_people_again_and_changes_nothing_meanwhile(house: House):
    child = await differ(house)
    await choose(house, (await queue(house))[0], "M")
    await house.world.person(A, ADA, **NUMBER, sex="X")
    assert (await stands(house, child))[0] == "M"
    (item,) = await queue(house)
    await choose(house, item, "X")
    assert (await stands(house, child))[0] == "X" and await queue(house) == []


async def test_two_rows_of_one_record_are_settled_by_the_row(house: House):
    await house.world.person(A, ADA, **NUMBER, sex="F", contradictions=rows("sex", "M", "F"))
    child = await house.world.child(A)
    (item,) = await queue(house)
    assert [(one["value"], one["row"]) for one in item["options"]] == [("M", 2), ("F", 3)] and "a.csv" not in str(item)
    await choose(house, item, "M")
    assert await stands(house, child) == ["M"] and await queue(house) == []


async def test_a_rebuild_gives_the_same_with_what_was_settled(house: House):
    await differ(house)
    await choose(house, (await queue(house))[0], "M")
    await house.world.person(A, ADA, **NUMBER, sex="X")
    beside = Projection(house.world.pool, house.world.projection._keys, RULES, schema=projections.BESIDE)
    await beside.open({record.place for record in house.world.log})
    for place in sorted({record.place for record in house.world.log}):
        await beside.apply([record for record in house.world.log if record.place == place])
    async with house.world.pool.acquire() as conn:
        live, built = [await projections.digests(conn, schema) for schema in (projections.LIVE, projections.BESIDE)]
        assert live == built and "(1 rows)" in live["settled"] and "(1 rows)" in live["conflicts"]
        await conn.execute(f"drop schema {projections.BESIDE} cascade")


async def test_merging_after_a_decision_and_unmerging_gives_every_view_its_bytes_back(house: House):
    child = await differ(house)
    await choose(house, (await queue(house))[0], "M")
    await house.world.person(C, ADA, given_name="Adda", sex="X")
    before = await stored(house)
    merge = await house.decide("officer", await house.pair(C, A))
    assert (await stands(house, child))[0] == "M"
    await house.unmerge("officer", child, merge)
    assert await stored(house) == before


async def test_a_protected_childs_conflict_is_the_protection_teams_alone(house: House):
    await differ(house)
    (item,) = await queue(house)
    await house.world.protect(B)
    assert await queue(house) == []
    assert [one["queue"] for one in await queue(house, "protector")] == ["protection"]
    assert await house.refused(choose(house, item, "M")) == "not-found"
    await choose(house, item, "M", person="protector")
    assert await queue(house, "protector") == []


async def test_who_may_not_merge_sees_no_conflict_and_settles_none_and_that_is_recorded(house: House):
    await differ(house)
    (item,) = await queue(house)
    assert await house.refused(queue(house, "worker")) == "not-found"
    assert await house.refused(choose(house, item, "M", person="worker")) == "not-found"
    assert [one[:2] for one in (await house.recorded())[-2:]] == [("conflicts", 404), ("conflict-settled", 404)]


async def test_a_child_that_an_officer_does_not_find_is_in_no_queue(house: House):
    child = await differ(house)
    (item,) = await queue(house)
    house.conflicts["near"] = {child: "relative"}
    assert await queue(house, "near") == []
    assert await house.refused(choose(house, item, "M", person="near")) == "not-found"


async def test_what_changed_since_it_was_shown_is_not_decided_and_nothing_is_decided_twice(house: House):
    await differ(house)
    (item,) = await queue(house)
    await house.world.person(B, ADA, "socialcare", **NUMBER, sex="X")
    assert await house.refused(choose(house, item, "M")) == "not-found"
    (item,) = await queue(house)
    number = await choose(house, item, "X", key="k")
    assert await choose(house, item, "X", key="k") == number
    assert await house.refused(choose(house, item, "F")) == "not-found"
    assert await house.refused(settle(house, item["id"], "0" * 16)) == "not-found"
    assert await house.refused(settle(house, "x", "y")) == "not-found"


async def test_a_field_on_which_nothing_depends_and_a_word_that_says_nothing_go_to_nobody(house: House):
    await house.world.person(A, ADA, **NUMBER, ethnicity="WBRI", sex="F")
    await house.world.person(B, ADA, "socialcare", **NUMBER, ethnicity="MWBC", sex="U")
    assert await queue(house) == []


async def test_parental_responsibility_that_rows_contradict_goes_to_who_may_see_it(house: House):
    await house.world.person(A, ADA, "socialcare")
    told = {"other_local_id": "M", "relationship": "mother", "parental_responsibility": "no", "contradictions": rows("parental_responsibility", "yes", "no")}
    await house.world.go(house.world.event("socialcare.relation-recorded.v1", A, told))
    assert await queue(house) == [], "what is about a parent stays masked for the clearing house"
    (item,) = await queue(house, "protector")
    await choose(house, item, "yes", person="protector")
    assert await queue(house, "protector") == []
    row = await house.world.pool.fetchrow("select entry, field from projection.settled")
    assert row["field"] == "parental_responsibility" and len(row["entry"]) == 32 and "M" not in row["entry"]


async def test_a_correction_is_sent_back_to_the_source_as_an_event_that_names_no_value(house: House):
    await differ(house)
    (item,) = await queue(house)
    number = await choose(house, item, "M", send_back=True)
    found = [envelope.decode(record.value) for record in house.world.log if b"correction-requested" in record.value]
    assert [(one.type, msgspec.json.decode(bytes(one.data))) for one in found] == [
        ("childview.correction-requested.v1",
         {"source": "education", "record": A, "field": "sex", "entry": "", "stands": B, "decision": number, "by": "officer"}),
    ]  # fmt: skip
    (parked,) = await house.world.pool.fetchrow("select count(*) from projection.parked")
    assert parked == 0


@pytest.mark.parametrize("most", [1, 50])
async def test_the_queue_is_bounded_and_the_oldest_comes_first(house: House, monkeypatch, most: int):
    monkeypatch.setattr(conflicts, "MOST", most)
    for n in range(2):
        await house.world.person((A, S)[n], ADA, family_name=f"Berg{'xyz' * (n + 1)}", birth_date=f"201{n}-01-01", sex="F", contradictions=rows("sex", "M", "F"))
    assert len(await queue(house)) == min(most, 2)


async def test_what_was_settled_leaves_the_queue_before_the_view_shows_it(house: House):
    await differ(house)
    (item,) = await queue(house)
    option = next(one["id"] for one in item["options"] if one["value"] == "M")
    await conflicts.decide(house.reading, house.asked("officer"), house.world.outbox, item["id"], option=option, reason="seen", send_back=False)
    assert await queue(house) == [], "the decision is made, and not in the log yet"
    await house.world.go()


async def test_a_view_of_an_earlier_release_gets_the_tables_it_lacks(house: House):
    async with house.world.pool.acquire() as conn:
        await conn.execute("drop table projection.settled, projection.conflicts")
        await projections.make(conn, projections.LIVE)
    await differ(house)
    assert len(await queue(house)) == 1
