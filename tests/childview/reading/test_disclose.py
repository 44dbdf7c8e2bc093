"""What is shown of a stored child: composed from events, decided by the starter policies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from services.childview.pages import words
from services.childview.projection import compose, fold, view
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.compose import Link
from services.childview.projection.words import Settled
from services.childview.reading import disclose, ready
from services.childview.reading.disclose import Disclosure
from services.disclosure import evaluate
from services.disclosure.evaluate import Memo
from services.disclosure.levels import clamp
from services.plumbing.contracts import Schemas
from tests.childview.events import OTHER, STREAM, event, involvement, marks, person, referral
from tests.policy import deciding

CONTRACTS = Path(__file__).parents[3] / "contracts"
SCHEMAS, CATALOGUE = Schemas.load(CONTRACTS), Catalogue.load(CONTRACTS)
TODAY = date(2026, 11, 24)
SCHOOL = "9994001"


def composed(events, *, basis: str = "verified", settled=()) -> compose.Composed:
    records: dict[str, fold.SourceRecord] = {}
    for one in events:
        held = records.get(one.envelope.subject) or fold.new_record(one)
        records[one.envelope.subject] = fold.fold(held, one, SCHEMAS)
    links = {stream: Link(basis, "linked", False, 1) for stream in records}
    return compose.compose("c", list(records.values()), links, catalogue=CATALOGUE, address_key=b"k" * 32, settled=settled)


def shown(events, who: str, *, purpose: str = "casework", kinds=(), own=(), basis: str = "verified", silent=(), settled=(), **more) -> dict:
    """The answer's body for this asker."""
    made = composed(events, basis=basis, settled=settled)
    head = view.decode(made.view)
    request = deciding.request(who, purpose=purpose, kinds=kinds, **more)
    known = Memo().scope(deciding.bundle(), request)
    decided = Disclosure(CATALOGUE, known, deciding.bundle(), request, own=frozenset(own), link=head.link, today=TODAY)
    decided.show(head, view.decode_content(made.content), silent=frozenset(silent))
    return json.loads(ready.body(ready.ready("c", decided, CATALOGUE), ask="", under_review=False))


def teacher(events, **more) -> dict:
    return shown(events, "teacher", kinds=["school_staff"], own=[SCHOOL], **more)


def worker(events, **more) -> dict:
    return shown(events, "social-worker", kinds=["allocated"], **more)


def care(version: int, **fields):
    return person(version, stream=OTHER, service="socialcare", **fields)


def plan(version: int, **fields):
    return event("socialcare.plan-recorded.v1", version, fields, stream=OTHER, record_class="R-CP")


def address(version: int, **fields):
    return event("socialcare.address-recorded.v1", version, fields, stream=OTHER, record_class="R-IDENT")


def test_a_worker_who_sees_both_registers_sees_that_they_differ():
    found = worker([person(1, birth_date="2015-01-02"), care(1, birth_date="2015-02-01")])
    assert found["fields"]["birth_date"]["value"] == "2015-01-02"
    (other,) = found["fields"]["birth_date"]["others"]
    assert (other["value"], other["source"], other["extracted"]) == ("2015-02-01", "socialcare", "2026-11-01")


def test_a_teacher_never_learns_that_another_register_says_otherwise():
    found = teacher([person(1, family_name="Berg", organisation=SCHOOL), care(1, family_name="Refuge")])
    assert found["fields"]["family_name"]["value"] == "Berg" and "Refuge" not in json.dumps(found)
    assert "others" not in found["fields"]["family_name"]


def test_who_may_not_see_the_best_word_sees_the_best_of_those_open_to_them():
    found = teacher([care(1, given_name="Noor", extracted="2026-11-20"), person(1, given_name="Nour", organisation=SCHOOL)])
    assert found["fields"]["given_name"]["value"] == "Nour"


def test_an_age_that_only_social_care_can_give_is_not_shown_to_a_teacher():
    assert "age" not in teacher([person(1, given_name="A"), care(1, birth_date="2015-02-01")])["fields"]
    assert teacher([person(1, birth_date="2015-02-01", organisation=SCHOOL)])["fields"]["age"]["value"] == 11


def test_an_old_address_that_still_holds_is_as_good_as_new_and_one_that_ended_ages_from_its_end():
    lived = address(1, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA", start_date="2016-01-01")
    left = address(2, address_id="b", address_kind="home", lines=["2 Elm"], postcode="WX1 1AB", start_date="2008-01-01", end_date="2016-01-01")
    items = shown([lived, left], "education-welfare-officer", purpose="attendance", kinds=["welfare_officer"])["entries"]["contact"]["items"]
    assert [one["fields"]["postcode"]["value"] for one in items] == ["WX1 1AA"]


def test_a_masked_plan_shows_while_it_is_open_and_not_what_ended():
    lead = {"kinds": ["school_safeguarding_lead"], "own": [SCHOOL]}
    open_one = shown([plan(1, plan_kind="protection", plan_id="p", start_date="2026-10-01")], "school-safeguarding-lead", **lead)
    assert open_one["entries"]["plans"]["items"][0]["fields"]["plan_kind"]["value"] == "protection"
    ended = shown([plan(1, plan_kind="protection", plan_id="p", start_date="2022-10-01", end_date="2023-01-01")], "school-safeguarding-lead", **lead)
    assert "plans" not in ended["entries"] and ended["noted"]


def test_referrals_in_part_are_how_many_in_twelve_months_and_the_latest_month():
    found = [referral(n, referral_id=str(n), referral_date=day) for n, day in enumerate(["2022-01-05", "2026-03-01", "2026-09-09"], 1)]
    nurse = shown(found, "health-visitor", kinds=["health_named"])
    assert nurse["fields"]["referrals_12_months"]["value"] == {"count": 2, "latest": "2026-09"}
    assert "referrals" not in nurse["entries"]


def test_that_there_is_no_plan_is_never_noted():
    lead = shown([care(1, given_name="A")], "school-safeguarding-lead", kinds=["school_safeguarding_lead"])
    assert lead["noted"] == [] and "plan_status" not in lead["fields"]
    assert worker([care(1, given_name="A")])["fields"]["plan_status"]["value"] == "none"


def test_what_ones_own_school_wrote_stays_full_when_another_record_joins_by_itself():
    found = [person(1, former_family_name="Old", organisation=SCHOOL), care(1, given_name="A")]
    assert teacher(found, basis="automatic")["fields"]["former_family_name"]["value"] == "Old"
    assert "former_family_name" not in shown(found, "teacher", kinds=["school_staff"], basis="automatic")["fields"]


def test_entries_shown_in_part_stand_in_no_order_that_tells_their_dates():
    made = [involvement(n, stream=OTHER, service="socialcare", involvement_id=str(n), organisation_kind="health", team_name="A clinic",
                        start_date=f"2026-0{n}-01", sensitive=True, consent="given") for n in range(1, 8)]  # fmt: skip
    items = shown(made, "social-worker", purpose="enquiry")["entries"]["involvements"]["items"]
    assert [one["id"] for one in items] == sorted(one["id"] for one in items) and "effective" not in items[0]


def test_a_page_of_marks_says_where_the_next_begins():
    found = teacher([marks(1, *[(f"2026-{10 + n // 28:02d}-{1 + n % 28:02d}", s, "/") for n in range(30) for s in ("AM", "PM")])])
    assert len(found["entries"]["attendance"]["items"]) == 50 and found["entries"]["attendance"]["next"] == "50"


def test_nothing_of_a_silent_place_shows():
    made = composed([address(1, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA")])
    place = view.decode_content(made.content).segments[0].refers
    assert worker([address(1, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA")])["entries"]["contact"]
    assert "contact" not in worker([address(1, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA")], silent=[place])["entries"]


def test_what_is_recorded_with_its_bundle_and_catalogue_gives_every_decision_again():
    made = composed([person(1, given_name="A", organisation=SCHOOL), marks(2, ("2026-11-20", "AM", "/")), care(1, birth_date="2015-01-01"),
                     plan(2, plan_kind="protection", plan_id="p", start_date="2026-10-01")], basis="automatic")  # fmt: skip
    request = deciding.request("school-safeguarding-lead", purpose="casework", kinds=["school_safeguarding_lead"])
    known = Memo().scope(deciding.bundle(), request)
    decided = Disclosure(CATALOGUE, known, deciding.bundle(), request, own=frozenset([SCHOOL]), link="automatic", today=TODAY)
    decided.show(view.decode(made.view), view.decode_content(made.content), silent=frozenset())
    entries, _ = decided.record()
    recorded = [(one, field) for one in entries for field in CATALOGUE.fields if int(one.fields, 16) >> field.index & 1]
    assert {field.category for _, field in recorded} >= {"identity", "attendance", "plans"}
    for one, field in recorded:
        again = evaluate.level(deciding.bundle(), request, {**disclose.attributes_of(field), **one.vector})
        assert (clamp(again.level, field.levels).name.lower(), f"{again.sat:x}") == (one.level, one.sat), field.id


# -- rows that contradict each other -------------------------------------------------------------------------------


def rows(field: str, *said: tuple[object, str, int]) -> dict:
    """What rows say against each other, as an event carries it."""
    return {"contradictions": [{"field": field, "said": [{"value": value, "file": file, "row": row, "extracted": "2026-11-01"} for value, file, row in said]}]}


DATES = rows("birth_date", ("2015-01-02", "a.csv", 2), ("2015-02-01", "b.csv", 5))


def test_two_rows_that_contradict_each_other_are_both_shown_with_both_places():
    found = worker([care(1, birth_date="2015-02-01", **DATES)])["fields"]["birth_date"]
    assert found["value"] == "2015-02-01"
    assert [(one["value"], one["file"], one["row"], one["source"], one["extracted"]) for one in found["conflict"]] == [
        ("2015-01-02", "a.csv", 2, "socialcare", "2026-11-01"), ("2015-02-01", "b.csv", 5, "socialcare", "2026-11-01"),
    ]  # fmt: skip
    row = words.row(CATALOGUE, CATALOGUE.by_id("birth_date"), found)
    assert "children's social care says 2 January 2015 in a.csv row 2" in row.note and "1 February 2015 in b.csv row 5" in row.note


def test_a_school_sees_the_files_of_its_own_rows_and_who_wrote_none_of_them_no_name_of_a_file():
    told = person(1, birth_date="2015-02-01", organisation=SCHOOL, **DATES)
    assert [one["file"] for one in teacher([told])["fields"]["birth_date"]["conflict"]] == ["a.csv", "b.csv"]
    found = shown([care(1, birth_date="2015-02-01", **DATES)], "health-visitor")["fields"]["birth_date"]
    assert [(one["value"], one["row"]) for one in found["conflict"]] == [("2015-01-02", 2), ("2015-02-01", 5)]
    assert not any("file" in one for one in found["conflict"])


def test_who_does_not_see_a_field_in_full_learns_nothing_of_a_contradiction():
    plain, told = {"family_name": "Berg", "ethnicity": "WBRI"}, rows("ethnicity", ("MWBC", "a.csv", 2), ("WBRI", "a.csv", 5))
    for who, kinds in (("teacher", ["school_staff"]), ("auditor", [])):
        asked = {"kinds": kinds, "purpose": "audit" if who == "auditor" else "casework"}
        assert shown([care(1, **plain)], who, **asked) == shown([care(1, **plain, **told)], who, **asked), who


def test_an_entrys_contradiction_stands_with_its_field_and_falls_with_it():
    home = {"address_id": "a", "address_kind": "home", "lines": ["1 Elm"], "start_date": "2026-01-01"}
    told = rows("postcode", ("WX1 1AA", "a.csv", 2), ("WX2 2BB", "a.csv", 5))
    (entry,) = worker([care(1), address(2, postcode="WX2 2BB", **home, **told)])["entries"]["contact"]["items"]
    assert [one["value"] for one in entry["fields"]["postcode"]["conflict"]] == ["WX1 1AA", "WX2 2BB"]
    assert "conflict" not in entry["fields"]["address"]
    for who in ("health-visitor", "auditor", "teacher"):
        assert shown([care(1), address(2, postcode="WX2 2BB", **home)], who) == shown([care(1), address(2, postcode="WX2 2BB", **home, **told)], who)


def test_a_value_of_parts_is_told_whole_and_a_number_by_its_value():
    told = rows("given_name", ("Ann", "a.csv", 2), ("Anne", "a.csv", 3))
    relation = event("socialcare.relation-recorded.v1", 2, {"other_local_id": "M", "relationship": "mother", "given_name": "Anne", "family_name": "Berg", **told},
                     stream=OTHER, record_class="R-IDENT")  # fmt: skip
    number = {"type": "upn", "value": "B1", "valid": False, "reason": "length"}
    found = worker([care(1, identifiers=[number], **rows("identifiers/upn", ("A1", "a.csv", 2), ("B1", "a.csv", 3))), relation])
    (entry,) = found["entries"]["household"]["items"]
    assert [one["value"]["given_name"] for one in entry["fields"]["related_person"]["conflict"]] == ["Ann", "Anne"]
    assert [one["value"] for one in found["fields"]["upn"]["conflict"]] == ["A1", "B1"]


# -- which word stands -------------------------------------------------------------------------------------------


def other(n: int, **fields):
    """Another record of education's."""
    return person(1, stream=f"3333333{n}-3333-4333-8333-333333333333", **fields)


def test_the_more_trusted_source_stands_before_the_more_recent_one_and_among_equals_the_most_frequent():
    assert worker([person(1, sex="F"), care(1, sex="M", extracted="2026-12-01")])["fields"]["sex"]["value"] == "F"
    assert worker([person(1, sex="F"), other(1, sex="M", extracted="2026-11-02")])["fields"]["sex"]["value"] == "M"
    for order in ([1, 2, 3], [3, 1, 2]):
        found = worker([other(n, sex="F" if n == 2 else "M") for n in order])["fields"]["sex"]
        assert found["value"] == "M" and [one["value"] for one in found["others"]] == ["F"]


def test_what_says_that_nothing_is_known_never_stands_before_what_says_something():
    found = worker([person(1, sex="U", ethnicity="REFU"), care(1, sex="M", ethnicity="WBRI", extracted="2020-01-01")])["fields"]
    assert (found["sex"]["value"], found["ethnicity"]["value"]) == ("M", "WBRI") and [one["value"] for one in found["sex"]["others"]] == ["U"]


def test_how_often_a_hidden_record_says_something_changes_nothing_for_who_may_not_see_it():
    seen = [person(1, family_name="Berg", organisation=SCHOOL), other(2, family_name="Corn", organisation=SCHOOL)]
    hidden = [care(1, family_name="Berg"), person(1, stream="44444444-4444-4444-8444-444444444444", service="socialcare", family_name="Corn")]
    assert teacher(seen) == teacher([*seen, hidden[0]]) == teacher([*seen, hidden[1]])


def test_an_age_is_worked_out_from_the_word_that_stands_for_who_asks():
    told = [person(1, birth_date="2015-02-01", organisation=SCHOOL), care(1, birth_date="2013-02-01")]
    settled = [Settled(OTHER, "", "birth_date", None, 7, {OTHER: 1, STREAM: 1})]
    assert teacher(told)["fields"]["age"]["value"] == 11
    assert worker(told, settled=settled)["fields"]["age"]["value"] == 13
    assert teacher(told, settled=settled) == teacher(told)


def test_a_settled_word_stands_until_its_source_says_something_else():
    settled = [Settled(OTHER, "", "birth_date", None, 7, {OTHER: 1, STREAM: 1})]
    told = [person(1, birth_date="2015-01-02"), care(1, birth_date="2015-02-01", given_name="A")]
    found = worker(told, settled=settled)["fields"]["birth_date"]
    assert found["value"] == "2015-02-01" and found["settled"] is True and [one["value"] for one in found["others"]] == ["2015-01-02"]
    again = [*told, care(2, birth_date="2015-02-01", given_name="B")]
    assert worker(again, settled=settled)["fields"]["birth_date"]["value"] == "2015-02-01", "it said the same again"
    changed = [*told, care(2, birth_date="2015-02-03", given_name="A")]
    assert worker(changed, settled=settled)["fields"]["birth_date"]["value"] == "2015-01-02"


def test_a_settled_row_stands_until_the_rows_say_something_else():
    settled = [Settled(OTHER, "", "birth_date", 0, 7, {OTHER: 1})]
    assert worker([care(1, birth_date="2015-02-01", **DATES)], settled=settled)["fields"]["birth_date"]["value"] == "2015-01-02"
    changed = rows("birth_date", ("2015-01-03", "c.csv", 2), ("2015-02-01", "c.csv", 5))
    found = worker([care(1, birth_date="2015-02-01", **DATES), care(2, birth_date="2015-02-01", **changed)], settled=settled)
    assert found["fields"]["birth_date"]["value"] == "2015-02-01"


def test_a_visit_in_care_tells_nobody_of_the_core_group_that_a_child_is_looked_after():
    visit = event("socialcare.care-visit-recorded.v1", 3, {"visit_id": "v", "visit_date": "2026-11-20", "seen": True}, stream=OTHER, record_class="R-CARE")
    told = [care(1), plan(2, plan_kind="protection", plan_id="p", start_date="2026-01-01")]
    group = {"kinds": ["case_team"], "courses": ["safeguarding_3"]}
    assert shown([*told, visit], "teacher", **group) == shown(told, "teacher", **group)
    found = worker([*told, visit])
    assert found["fields"]["days_since_care_visit"]["value"] == 4 and len(found["entries"]["looked_after"]["items"]) == 1
