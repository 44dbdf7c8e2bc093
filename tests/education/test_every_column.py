"""Every column of the school census and every part of a mark comes out as the field it is: each value here is a different one."""

from __future__ import annotations

import json

import pytest

ROLL = {
    "pupilonrolltableid": "P1", "nativeid": "9994001", "sourceid": "S1", "upn": "A999000000012", "formerupn": "N999000000024",
    "uniquelearnernumber": "1000000000", "surname": "Berg", "forename": "Bo", "middlenames": "Ede", "preferredsurname": "Corn",
    "formersurname": "Dorn", "dob": "2014-02-03", "sex": "M", "ethnicity": "WBRI", "language": "POL", "entrydate": "2019-09-02",
    "enrolstatus": "C", "ncyearactual": "5", "senprovision": "K", "parttime": "true", "termlysessionspossible": "120",
    "termlysessionsauthorised": "7", "termlysessionsunauthorised": "3",
}  # fmt: skip
PUPIL = {"pupilonrolltableid": "P1", "nativeid": "9994001", "sourceid": "S1"}
TERM = {"term": "2026-spring", "term_start": "2026-01-05", "term_end": "2026-01-18"}


def table(*rows: dict[str, str]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


def delivery(**tables: list[dict[str, str]]) -> dict[str, str]:
    return {f"2026_spring_{name}.csv": table(*rows) for name, rows in ({"roll": [ROLL]} | tables).items()}


def held(said: dict, wanted: dict) -> dict:
    return {name: said.get(name) for name in wanted}


PUPILS = {
    "person": {"given_name": "Bo", "family_name": "Berg", "middle_names": "Ede", "known_as": "Corn", "former_family_name": "Dorn",
               "birth_date": "2014-02-03", "sex": "M", "ethnicity": "WBRI", "first_language": "POL", "organisation": "9994001"},
    "enrolment": {"school": "9994001", "entry_date": "2019-09-02", "enrol_status": "C", "nc_year_actual": "5", "part_time": True},
    "sen": {"school": "9994001", "sen_provision": "K"},
    "attendance-summarised": {"school": "9994001", "spell": "S1", **TERM, "sessions_possible": 120, "sessions_authorised": 7, "sessions_unauthorised": 3},
}  # fmt: skip


@pytest.mark.parametrize("event", PUPILS)
async def test_every_column_of_a_pupil_comes_out_as_the_field_it_is(school, event):
    await school.take(delivery())
    assert held(school.said(event)[-1], PUPILS[event]) == PUPILS[event]


async def test_a_pupils_numbers_are_of_the_kinds_of_their_columns(school):
    await school.take(delivery())
    numbers = {(one["type"], one["value"]) for one in school.said("person")[0]["identifiers"]}
    assert numbers == {("upn", "A999000000012"), ("former_upn", "N999000000024"), ("uln", "1000000000")}


async def test_a_pupil_who_left_has_the_day_and_the_last_year_group(school):
    left = {"pupilnolongeronrolltableid": "P1", "nativeid": "9994001", "sourceid": "S1", "upn": "A999000000012", "surname": "Berg", "forename": "Bo",
            "dob": "2014-02-03", "entrydate": "2019-09-02", "leavingdate": "2025-12-19", "ncyearleaving": "6"}  # fmt: skip
    await school.take({"2026_spring_left.csv": table(left)})
    wanted = {"entry_date": "2019-09-02", "leaving_date": "2025-12-19", "nc_year_actual": "6"}
    assert held(school.said("enrolment")[-1], wanted) == wanted


async def test_every_column_of_an_exclusion_comes_out_as_the_field_it_is(school):
    row = {"termlyexclusionsonrolltableid": "X1", **PUPIL, "category": "SUSP", "startdate": "2026-01-12", "sessions": "4", "reason1": "PP", "reason2": "VA",
           "reason3": "", "senprovision": "E"}  # fmt: skip
    await school.take(delivery(exclusions=[row]))
    wanted = {"exclusion_id": "2026-spring 9994001 X1", "school": "9994001", "start_date": "2026-01-12", "exclusion_category": "SUSP", "sessions": 4,
              "reasons": ["PP", "VA"], "sen_provision": "E"}  # fmt: skip
    assert held(school.said("exclusion")[0], wanted) == wanted


async def test_the_sessions_of_one_reason_are_summed_over_its_rows(school):
    rows = [{"sessiondetailstableid": f"D{n}", **PUPIL, "attendancereason": code, "sessions": count} for n, (code, count) in enumerate((("I", "4"), ("I", "5"), ("M", "2")))]
    await school.take(delivery(sessions=rows))
    assert school.said("attendance-summarised")[-1]["sessions_by_reason"] == {"I": 9, "M": 2}


async def test_needs_stand_by_their_ranks(school):
    await school.take(delivery(needs=[{**PUPIL, "sentype": code, "sentyperank": rank} for code, rank in (("HI", "2"), ("ASD", "1"))]))
    assert school.said("sen")[-1]["needs"] == [{"rank": 1, "sen_type": "ASD"}, {"rank": 2, "sen_type": "HI"}]


@pytest.mark.parametrize(("code", "flag"), [("/", None), ("H", "not in use on this day"), ("ZZ", "not in the code list")])
async def test_a_mark_says_itself_that_its_code_is_odd(school, code, flag):
    student = {"id": 1, "legal_forename": "Bo", "legal_surname": "Berg", "date_of_birth": "2014-02-03"}
    row = {"student_id": 1, "date": "2026-11-19", "session": "PM", "attendance_code_id": 1, "minutes_late": 12}
    body = {"school": {"la_code": "999", "establishment_number": "4001"}, "extracted": "2026-11-20", "codes": [{"id": 1, "code": code}], "students": [student], "data": [row]}
    report = (await school.take({"m.json": json.dumps(body)}))[0]
    wanted = {"school": "9994001", "date": "2026-11-19", "session": "PM", "attendance_code": code, "minutes_late": 12, "flag": flag}
    assert held(school.said("attendance-recorded")[0]["marks"][0], wanted) == wanted
    assert report["flagged"] == (flag is not None)
