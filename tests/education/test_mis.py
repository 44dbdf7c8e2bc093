"""What a MIS delivers beside marks: students, leavers, contacts, exclusions; and what it deleted is withdrawn, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.education.test_importers import NAME, mark, marks, rows_of, student, upn

ADA = student(1, "Ada", upn(12))


def file(*, extracted: str = "2026-11-20", **lists: Any) -> str:
    school = {"la_code": "999", "establishment_number": "4001", "name": "Hill Road Primary"}
    return json.dumps({"school": school, "extracted": extracted, **lists})


def person(**more: Any) -> dict[str, Any]:
    """Ada with more of her."""
    return {**ADA, **more}


def contact(id: int, given: str = "Rosa", **how: Any) -> dict[str, Any]:
    relationship = {"relationship": "Mother", "parental_responsibility": True, "lives_with_pupil": True, **how}
    phones = {"phones": {"data": {"home": "01632 960000", "mobile": "07700 900000", "primary": "01632 960000"}}}
    return {"id": id, "forename": given, "surname": "Zwilling", "relationship": {"data": relationship}, "contact_details": {"data": phones}}


def exclusion(id: int = 5, **more: Any) -> dict[str, Any]:
    return {"id": id, "student_id": 1, "start_date": {"date": "2026-11-03"}, "category": "SUSP", "reasons": ["DB"], "sessions": 4, **more}


async def standing(school, category: str) -> list[dict[str, Any]]:
    """The entries of a category that stand, of the one pupil."""
    (state,) = (await school.state()).values()
    return [fields for name, (fields, gone) in state.items() if name.startswith(category) and not gone]


# -- students and leavers ------------------------------------------------------------------------------------------


async def test_a_student_comes_with_names_numbers_enrolment_home_and_numbers_to_ring(school):
    details = {"addresses": {"data": {"home": {"house_number": 1, "street": "Invented Road", "town": "Wexcombe", "postcode": "ZZ1 1AA"}}},
               "phones": {"data": {"home": "01632 960000"}}, "emails": {"data": {"email": "a@b.example"}}}  # fmt: skip
    education = {"upn": upn(12), "former_upn": "B801200005001", "current_nc_year": "6", "admission_date": {"date": "2020-09-01"}}
    report = (await school.take({"s.json": file(students=[person(
        forename="Addie", surname="Zwilling", gender="FEMALE", gender_identity="non-binary", middle_names="Joy",
        education_details={"data": education}, contact_details={"data": details})])}))[0]  # fmt: skip
    assert (report["rows"], report["accepted"], report["refused"]) == (1, 1, 0)
    who = school.said("person")[0]
    assert (who["given_name"], who["known_as"], who["middle_names"]) == ("Ada", "Addie Zwilling", "Joy")
    assert (who["sex"], who["gender"]) == ("F", "non-binary")
    assert [one["type"] for one in who["identifiers"]] == ["upn"]
    enrolment = school.said("enrolment")[0]
    assert (enrolment["entry_date"], enrolment["nc_year_actual"], enrolment["school_name"]) == ("2020-09-01", "6", "Hill Road Primary")
    assert school.said("address")[0]["lines"] == ["1 Invented Road", "Wexcombe"]
    assert [one.get("telephone") or one.get("email") for one in school.said("contact-point")] == ["01632 960000", "a@b.example"]


@pytest.mark.parametrize("name", ["leavers", "student_leavers", "data"])
async def test_a_leaver_closes_the_enrolment_of_that_school_alone(school, name):
    await school.take({NAME: rows_of({}), "2026_spring_b.csv": rows_of({"NativeId": "9994002", "sourceid": "S9"})})
    gone = person(leaving_date="2026-11-13", education_details={"data": {"upn": upn(12)}})
    report = (await school.take({"l.json": file(**{name: [gone]})}))[0]
    held = {one["school"]: one.get("leaving_date") for one in await standing(school, "enrolment")}
    assert report["accepted"] == 1 and held == {"9994001": "2026-11-13", "9994002": None}


async def test_a_leaver_of_whom_the_file_does_not_say_when_stays_on_roll_and_it_is_said(school):
    await school.take({NAME: rows_of({})})
    report = (await school.take({"l.json": file(leavers=[ADA])}))[0]
    assert "does not say when" in school.items(report, "flagged")[0]["why"]
    assert "leaving_date" not in (await standing(school, "enrolment"))[0]


async def test_an_empty_list_says_nothing_and_says_so(school):
    await school.take({"s.json": file(students=[person(contacts=[contact(7)])])})
    before = len(school.published)
    report = (await school.take({"s.json": file(students=[], extracted="2026-11-22")}))[0]
    assert report["rows"] == 0 and len(school.published) == before
    assert "holds no rows" in school.items(report, "flagged")[0]["why"]


@pytest.mark.parametrize("bad", [7, {}, {"id": None}, {"id": [1]}])
async def test_a_student_that_cannot_be_taken_is_refused_and_the_others_go_in(school, bad):
    report = (await school.take({"s.json": file(students=[bad, ADA])}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and len(school.said("person")) == 1
    assert school.items(report, "refused")[0]["row"] == 1


async def test_a_student_of_whom_too_little_is_said_waits_until_somebody_says_more(school):
    report = (await school.take({"s.json": file(students=[{"id": 2, "legal_surname": "X"}, ADA])}))[0]
    assert (report["accepted"], report["refused"], report["waiting"]) == (1, 0, 1) and len(school.said("person")) == 1


async def test_a_sex_that_is_no_sex_is_left_out_and_said(school):
    report = (await school.take({"s.json": file(students=[person(gender="ROBOT")])}))[0]
    assert "sex" not in school.said("person")[0] and school.items(report, "flagged")[0]["column"] == "gender"


# -- contacts ------------------------------------------------------------------------------------------------------


async def test_a_contact_is_a_relation_with_its_numbers_each_once(school):
    await school.take({"s.json": file(students=[person(contacts={"data": [contact(7)]})])})
    (one,) = school.said("relation")
    assert (one["relationship"], one["given_name"], one["parental_responsibility"], one["lives_with_child"]) == ("Mother", "Rosa", "yes", "yes")
    assert one["telephones"] == ["01632 960000", "07700 900000"]


async def test_a_newer_list_of_contacts_withdraws_who_is_not_in_it_and_an_older_one_brings_nobody_back(school):
    lists = [contact(7), contact(8, "Otto", relationship="Father")], [contact(7)]
    for extracted, held in zip(("2026-11-20", "2026-11-21", "2026-11-19"), (*lists, lists[0]), strict=True):
        await school.take({"s.json": file(students=[person(contacts=held)], extracted=extracted)})
    assert [one["given_name"] for one in await standing(school, "household")] == ["Rosa"]


async def test_contacts_as_a_list_of_their_own_join_their_students_and_take_nobody_away(school):
    await school.take({"s.json": file(students=[ADA, student(2, "Bea")], contacts=[{**contact(7), "student_id": 1}])})
    both = {**contact(8, "Otto"), "students": {"data": [{"id": 1}, {"id": 2, "relationship": {"relationship": "Uncle"}}]}}
    report = (await school.take({"c.json": file(data=[both, contact(9)], extracted="2026-11-21")}))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (2, 1, 1)
    assert [one["relationship"] for one in school.said("relation")] == ["Mother", "Mother", "Uncle"]
    assert not any(one.get("withdrawn") for one in school.said("relation"))


async def test_students_beside_marks_who_say_more_than_their_names_are_rows_of_their_own(school):
    both = json.loads(marks(mark(), mark(2, "PM"), students=[person(contacts=[contact(7)])]))
    report = (await school.take({"m.json": json.dumps(both)}))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (3, 3, 0)
    assert len(school.said("relation")) == 1 and len(school.said("attendance-recorded")[0]["marks"]) == 2


# -- exclusions ----------------------------------------------------------------------------------------------------


async def test_an_exclusion_by_the_systems_own_id_is_corrected_by_a_later_file(school):
    await school.take({"x.json": file(students=[ADA], exclusions=[exclusion()])})
    await school.take({"x.json": file(exclusions=[exclusion(sessions=6)], extracted="2026-11-21")})
    assert [(one["exclusion_id"], one["sessions"], one["reasons"]) for one in school.said("exclusion")] == [
        ("mis 9994001 5", 4, ["DB"]), ("mis 9994001 5", 6, ["DB"])]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kept", "odd"), [("Permanent", "PERM", False), ("FIXD", "FIXD", True), ("Whatever", "Whatever", True), ("w" * 30, None, True)]
)
async def test_a_kind_of_exclusion_in_words_is_read_and_what_is_no_code_kept_and_marked(school, said, kept, odd):
    report = (await school.take({"x.json": file(students=[ADA], exclusions=[exclusion(category=said)])}))[0]
    assert school.said("exclusion")[0].get("exclusion_category") == kept and bool(school.items(report, "flagged")) == odd


@pytest.mark.parametrize("bad", [{"id": None}, {"student_id": None}, {"start_date": "soon"}])
async def test_an_exclusion_that_cannot_be_taken_is_refused(school, bad):
    report = (await school.take({"x.json": file(students=[ADA], exclusions=[{**exclusion(), **bad}])}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and school.said("exclusion") == []


async def test_an_exclusion_of_a_student_who_has_not_come_yet_waits(school):
    report = (await school.take({"x.json": file(students=[ADA], exclusions=[{**exclusion(), "student_id": 99}])}))[0]
    assert (report["accepted"], report["refused"], report["waiting"]) == (1, 0, 1) and school.said("exclusion") == []


# -- deletions -----------------------------------------------------------------------------------------------------


def deleted(type: str, id: int, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "deleted_at": {"date": "2026-11-21"}, **more}


async def everything(school) -> None:
    await school.take({
        NAME: rows_of({}),
        "s.json": file(students=[person(contacts=[contact(7), contact(8, "Otto")])], exclusions=[exclusion(), exclusion(6)]),
        "m.json": marks(mark(), mark(2, "PM"), students=[ADA]),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("deletion", "category", "left"),
    [(deleted("contact", 7), "household", 1), (deleted("contacts", 7, student_id=1), "household", 1), (deleted("exclusion", 5), "exclusions", 1),
     (deleted("attendance", 900, student_id=1, date="2026-11-19", session="PM"), "attendance\x1fmark", 1)],
)  # fmt: skip
async def test_a_deletion_withdraws_what_it_names_and_nothing_else(school, deletion, category, left):
    await everything(school)
    before = len(school.published)
    report = (await school.take({"d.json": file(deletions=[deletion], extracted="2026-11-21")}))[0]
    assert (report["accepted"], report["refused"], len(school.published) - before) == (1, 0, 1)
    assert len(await standing(school, category)) == left
    await school.take({"d.json": file(deletions=[deletion], extracted="2026-11-21")})
    assert len(school.published) - before == 1


async def test_a_deleted_student_leaves_the_roll_and_stays_a_child_who_can_be_found(school):
    await everything(school)
    await school.take({"d.json": file(data=[deleted("student", 1)], extracted="2026-11-21")})
    for gone in ("enrolment", "household", "exclusions", "attendance\x1fmark"):
        assert await standing(school, gone) == [], gone
    assert (await standing(school, "identity"))[0]["family_name"] == "Zwilling"


async def test_an_older_deletion_takes_away_nothing_that_was_said_since(school):
    await everything(school)
    before = len(school.published)
    await school.take({"d.json": file(deletions=[deleted("exclusion", 5), deleted("student", 1)], extracted="2026-11-19")})
    assert len([one for one in school.published[before:] if "exclusion" in one[1]]) == 0


@pytest.mark.parametrize("bad", [7, deleted("achievement", 4), deleted("exclusion", None), deleted("attendance", 4)])
async def test_a_deletion_that_says_too_little_is_refused(school, bad):
    await everything(school)
    before = len(school.published)
    report = (await school.take({"d.json": file(deletions=[bad], extracted="2026-11-21")}))[0]
    assert report["refused"] == 1 and len(school.published) == before


async def test_a_deletion_of_what_has_not_come_waits_so_that_an_older_file_never_brings_it_back(school):
    await everything(school)
    before = len(school.published)
    report = (await school.take({"d.json": file(deletions=[deleted("contact", 99)], extracted="2026-11-21")}))[0]
    assert report["waiting"] == 1 and len(school.published) == before


# -- all of it -----------------------------------------------------------------------------------------------------


async def test_every_list_of_a_mis_said_again_publishes_nothing(school):
    await everything(school)
    before = len(school.published)
    await everything(school)
    assert len(school.published) == before
