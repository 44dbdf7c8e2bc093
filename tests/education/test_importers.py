"""School files: a bad number keeps the child, a bad row is refused, a bad file is refused whole, the same again is nothing."""

from __future__ import annotations

import json

import pytest

from services.education import importing
from tests import importing as desks

HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate,termlysessionspossible"
ADA = "P1,9994001,S1,A999000000012,Zwilling,Ada,2015-03-05,F,2019-09-01,120"
NAME = "2026_spring_pupilonroll.csv"


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def marks(*rows: dict, extracted: str = "2026-11-20", students=None) -> str:
    student = {"id": 1, "legal_forename": "Ada", "legal_surname": "Zwilling", "date_of_birth": {"date": "2015-03-05"}, "education_details": {"data": {"upn": ""}}}
    return json.dumps({"school": {"la_code": "999", "establishment_number": "4001"}, "extracted": extracted, "codes": [{"id": 1, "code": "/"}, {"id": 2, "code": "O"}],
                       "students": students or [student], "data": list(rows)})  # fmt: skip


def mark(code: int = 1, session: str = "AM", **more) -> dict:
    return {"student_id": 1, "date": "2026-11-19", "session": session, "attendance_code_id": code, **more}


@pytest.fixture
async def school(database, tmp_path):
    desk = await desks.desk(database, "education", importing.recognise, tmp_path)
    yield desk
    await desk.close()


async def test_a_pupil_comes_with_person_enrolment_and_sessions(school):
    report = (await school.take({NAME: table(ADA)}))[0]
    assert (report["rows"], report["accepted"], report["refused"], report["events"]) == (1, 1, 0, 3)
    assert school.said("person")[0]["family_name"] == "Zwilling"
    assert school.said("enrolment")[0]["school"] == "9994001"


async def test_the_same_content_twice_publishes_nothing_new(school):
    files = {NAME: table(ADA), "marks-2026-11-20.json": marks(mark(), mark(2, "PM"))}
    await school.take(files)
    before = len(school.published)
    again = await school.take(files)
    assert len(school.published) == before and [one["unchanged"] for one in again] == [1, 2]


async def test_a_bad_upn_flags_the_number_and_keeps_the_child(school):
    report = (await school.take({NAME: table(ADA.replace("A9990", "B9990"))}))[0]
    number = school.said("person")[0]["identifiers"][0]
    assert report["accepted"] == 1 and report["flagged"] == 1 and not number["valid"] and number["reason"] == "check letter"


async def test_a_bad_row_is_refused_with_row_column_value_and_why_and_the_rest_goes_in(school):
    report = (await school.take({NAME: table(ADA.replace("2015-03-05", "2015-02-31"), ADA.replace("P1", "P2").replace("S1", "S2"))}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1)
    item = next(one for one in school.items(report) if one["outcome"] == "refused")
    assert (item["row"], item["column"], item["value"]) == (2, "dob", "2015-02-31") and "date" in item["why"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (NAME, "", "empty"),
        (NAME, table(ADA, header=HEADER.replace("sex", "dob")), "twice"),
        (NAME, table(ADA, '"P2,unclosed'), "quote"),
        (NAME, "colour,size\nred,3\n", "no school census table"),
        ("pupilonroll.csv", table(ADA), "--collection"),
        ("marks.json", '{"data": [', "cut off"),
        ("marks.json", "[]", "no list of session marks"),
        ("marks.json", marks(mark()).replace('"extracted": "2026-11-20", ', ""), "--extracted"),
        ("pupils.xlsx", "PK", "reads school census tables"),
    ],
)
async def test_a_file_of_the_wrong_kind_is_refused_before_any_row_is_taken(school, name, text, why):
    report = (await school.take({name: text}))[0]
    assert why in report["why"] and report["accepted"] == 0 and school.published == []


async def test_one_bad_file_keeps_no_other_out(school):
    reports = await school.take({NAME: table(ADA), "2026_summer_pupilonroll.csv": ""})
    assert [one.get("why") is None for one in sorted(reports, key=lambda one: one["file"])] == [True, False]


async def test_a_later_file_corrects_an_earlier_mark_and_an_earlier_file_changes_nothing(school):
    await school.take({"m1.json": marks(mark(1), extracted="2026-11-19")})
    await school.take({"m2.json": marks(mark(2), extracted="2026-11-20")})
    await school.take({"m3.json": marks(mark(1), extracted="2026-11-18")})
    assert [one["marks"][0]["attendance_code"] for one in school.said("attendance-recorded")] == ["/", "O"]


@pytest.mark.parametrize("bad", [{"date": "yesterday"}, {"session": "NIGHT"}, {"attendance_code_id": 99}, {"student_id": None}])
async def test_a_mark_that_cannot_be_taken_is_refused_and_the_others_go_in(school, bad):
    report = (await school.take({"m.json": marks({**mark(), **bad}, mark(2, "PM"))}))[0]
    assert report["refused"] == 1 and len(school.said("attendance-recorded")[0]["marks"]) == 1


async def test_a_comment_beside_a_mark_is_never_kept(school):
    await school.take({"m.json": marks(mark(comment="mother rang, crying"))})
    assert "crying" not in str(school.published)


async def test_unknown_columns_are_ignored_and_counted(school):
    report = (await school.take({NAME: table(ADA + ",blue", header=HEADER + ",favouritecolour")}))[0]
    assert report["accepted"] == 1 and report["ignored_columns"] == 1


async def test_a_column_that_is_absent_erases_nothing(school):
    await school.take({NAME: table(ADA)})
    short = table("P1,9994001,S1,Zwilling,Ada,2015-03-05,A999000000012", header="pupilonrolltableid,NativeId,sourceid,surname,forename,dob,upn")
    await school.take({"2026_summer_pupilonroll.csv": short})
    assert all(one.get("sex") == "F" for one in school.said("person"))


SAMPLES = desks.SHARED / "liia-tools-pipeline/liiatools/school_census_pipeline/spec/samples"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_census_is_taken_whole(school):
    reports = await school.take_paths(sorted(SAMPLES.glob("2025_spring_*.csv")), authority="823")
    assert not any("why" in one or one["refused"] for one in reports)
    assert len({stream for stream, _, _ in school.published}) >= 9_498
