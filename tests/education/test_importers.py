"""School files: a bad number keeps the child, a bad row is refused, a bad file is refused whole, the same again is nothing."""

from __future__ import annotations

import json
from random import Random

import pytest

from services.plumbing.files import values
from tests import importing as desks

HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate,termlysessionspossible"


def upn(number: int) -> str:
    """A valid UPN of a range that nobody has."""
    body = f"999{number:09d}"
    return values.CHECK_LETTERS[sum(weight * int(digit) for weight, digit in enumerate(body, 2)) % 23] + body


ADA = "P1,9994001,S1,A999000000012,Zwilling,Ada,2015-03-05,F,2019-09-01,120"
NAME = "2026_spring_pupilonroll.csv"


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def marks(*rows: dict, extracted: str = "2026-11-20", students=None) -> str:
    student = {"id": 1, "legal_forename": "Ada", "legal_surname": "Zwilling", "date_of_birth": {"date": "2015-03-05"}, "education_details": {"data": {"upn": ""}}}
    return json.dumps({"school": {"la_code": "999", "establishment_number": "4001"}, "extracted": extracted, "codes": [{"id": 1, "code": "/"}, {"id": 2, "code": "O"}, {"id": 3, "code": "H"}, {"id": 4, "code": "\u0000"}],
                       "students": students or [student], "data": list(rows)})  # fmt: skip


def mark(code: int = 1, session: str = "AM", **more) -> dict:
    return {"student_id": 1, "date": "2026-11-19", "session": session, "attendance_code_id": code, **more}


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

# -- whose row it is -----------------------------------------------------------------------------------------------


def rows_of(*pupils: dict) -> str:
    """A table of pupils, by keyword; the defaults are Ada's."""
    ada = dict(zip(HEADER.split(","), ADA.split(","), strict=True))
    return table(*(",".join((ada | one).values()) for one in pupils))


P2 = {"pupilonrolltableid": "P2", "sourceid": "S2"}
UPN2 = {"upn": upn(2)}
SESSIONS = "pupilonrolltableid,NativeId,sourceid,attendancereason,sessions"


def student(id: int, given: str = "Ada", upn: object = "", **more) -> dict:
    return {"id": id, "legal_forename": given, "legal_surname": "Zwilling", "date_of_birth": {"date": "2015-03-05"}, "education_details": {"data": {"upn": upn}}, **more}


async def test_a_blank_sourceid_does_not_make_two_children_one(school):
    report = (await school.take({NAME: rows_of({"sourceid": ""}, P2 | {"sourceid": "", "forename": "Bea"})}))[0]
    assert len(school.streams("person")) == 2 and report["accepted"] == 2
    assert any("cannot be told" in one["why"] for one in school.items(report))


async def test_the_same_sourceid_at_two_schools_and_in_two_terms_is_three_children(school):
    await school.take({NAME: rows_of({}, P2 | {"sourceid": "S1", "NativeId": "9994002", "forename": "Bea"})})
    await school.take({"2026_summer_pupilonroll.csv": rows_of({"pupilonrolltableid": "P3", "forename": "Cleo", "upn": ""})})
    assert len(school.streams("person")) == 3


async def test_the_same_table_id_in_two_authorities_is_two_children(school):
    await school.take({NAME: rows_of({})}, authority="801")
    await school.take({NAME: rows_of({"NativeId": "8014001", "forename": "Bea", "upn": ""})}, authority="802")
    assert len(school.streams("person")) == 2


async def test_rows_of_children_join_their_own_school(school):
    await school.take({NAME: rows_of({}, P2 | {"sourceid": "S1", "NativeId": "9994002", "forename": "Bea"}),
                       "2026_spring_sessions.csv": table(",9994002,S1,I,4", header=SESSIONS)})  # fmt: skip
    told = {stream for stream, name, data in school.published if data.get("sessions_by_reason")}
    assert told == {stream for stream, name, data in school.published if data.get("given_name") == "Bea"}


async def test_twins_with_the_same_upn_stay_two_and_each_keeps_its_marks(school):
    twins = rows_of({}, P2 | {"forename": "Bea"})
    await school.take({NAME: twins, "m.json": marks(mark(), {**mark(2), "student_id": 2}, students=[student(1, "Ada", upn(12)), student(2, "Bea", upn(12))])})
    assert len(school.streams("person")) == 2
    assert {data["marks"][0]["attendance_code"]: stream for stream, _, data in school.published if "marks" in data}.keys() == {"/", "O"}
    assert school.streams("attendance-recorded") == school.streams("person")


async def test_twins_whose_upns_are_swapped_in_the_mis_do_not_swap(school):
    twins = rows_of({"upn": upn(12)}, P2 | {"forename": "Bea", "upn": upn(2)})
    reports = await school.take({NAME: twins, "m.json": marks(mark(), {**mark(2), "student_id": 2}, students=[student(1, "Ada", upn(2)), student(2, "Bea", upn(12))])})
    assert len(school.streams("person")) == 4
    assert all("another valid UPN" in one["why"] for one in school.items(reports[1], "flagged"))


async def test_a_pupil_without_a_valid_upn_is_one_in_census_and_mis(school):
    await school.take({NAME: rows_of({"upn": "", "forename": "Zoë"}), "m.json": marks(mark(), students=[student(1, "ZOE")])})
    assert len(school.streams("person")) == 1 == len(school.streams("attendance-recorded"))


async def test_two_candidates_of_one_name_join_nobody_and_it_is_said(school):
    reports = await school.take({NAME: rows_of({"upn": ""}, P2 | {"upn": ""}), "m.json": marks(mark(), students=[student(1)])})
    assert len(school.streams("person")) == 3
    assert any("several records" in one["why"] for one in school.items(reports[1]))


async def test_two_students_of_one_name_are_never_both_the_same_pupil(school):
    await school.take({NAME: rows_of({"upn": ""}), "m.json": marks(mark(), {**mark(2), "student_id": 2}, students=[student(1), student(2)])})
    assert len(school.streams("person")) == 2 == len(school.streams("attendance-recorded"))


async def test_a_refused_pupil_leaves_nobody_behind(school):
    reports = await school.take({NAME: rows_of({"surname": "Z" * 600}), "2026_spring_sessions.csv": table("P1,9994001,S1,I,4", header=SESSIONS)})
    assert reports[0]["refused"] == reports[1]["waiting"] == 1 and school.published == []


async def test_a_row_whose_pupil_is_not_the_one_of_its_sourceid_is_not_the_pupils(school):
    reports = await school.take({NAME: rows_of({}), "2026_spring_sessions.csv": table("P9,9994001,S1,I,4", header=SESSIONS)})
    assert reports[1]["waiting"] == 1 and "no pupil row with this id" in school.items(reports[1], "waiting")[0]["why"]


async def test_a_name_that_cannot_be_stored_refuses_its_rows_and_no_others(school):
    students = [student(1, "A\0da"), student(2, "Bea")]
    report = (await school.take({"m.json": marks(mark(), {**mark(2), "student_id": 2}, students=students)}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and len(school.streams("person")) == 1
    assert school.items(report, "refused")[0]["column"] == "given_name"


async def test_a_student_twice_with_other_values_is_said(school):
    report = (await school.take({"m.json": marks(mark(), students=[student(1), student(1, "Ida")])}))[0]
    assert "came before with other values" in school.items(report, "flagged")[0]["why"]


# -- what a file speaks of -----------------------------------------------------------------------------------------


async def test_a_correction_back_to_an_earlier_mark_on_one_day_stands(school):
    for name, code in (("m1", 1), ("m2", 2), ("m3", 1)):
        await school.take({f"{name}.json": marks(mark(code, comment=name))})
    assert [one["marks"][0]["attendance_code"] for one in school.said("attendance-recorded")] == ["/", "O", "/"]


async def test_a_file_taken_again_after_its_correction_changes_nothing(school):
    first, second = marks(mark(1)), marks(mark(2))
    for content in (first, second, first):
        await school.take({"m.json": content})
    assert [one["marks"][0]["attendance_code"] for one in school.said("attendance-recorded")] == ["/", "O"]


async def test_a_correction_takes_the_flag_and_the_lateness_of_the_mark_away(school):
    await school.take({"m.json": marks(mark(3, minutes_late=5))})
    await school.take({"m.json": marks(mark(1, minutes_late=0), extracted="2026-11-21")})
    before, now = (one["marks"][0] for one in school.said("attendance-recorded"))
    assert before["flag"] == "not in use on this day" and before["minutes_late"] == 5
    assert "flag" not in now and "minutes_late" not in now


async def test_an_older_census_fills_what_the_mis_did_not_say(school):
    await school.take({"m.json": marks(mark(), students=[student(1, "Ada", upn(12))])})
    await school.take({NAME: rows_of({"sex": "F"})})
    now = school.said("person")[-1]
    assert now["sex"] == "F" and now["provenance"]["extracted"] == "2026-11-20"


async def test_the_schools_own_words_and_its_name_are_said(school):
    body = json.loads(marks(mark(), students=[student(1, "Ada", upn(12))]))
    body["school"]["name"] = "Hill Road Primary"
    await school.take({NAME: rows_of({})})
    await school.take({"m.json": json.dumps(body)})
    assert {one["organisation"] for one in school.said("person")} == {"9994001"}
    assert school.said("enrolment")[-1]["school_name"] == "Hill Road Primary"
    assert school.said("enrolment")[-1]["provenance"]["extracted"] < "2026-11-20"


# -- what is refused, and how much -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"extracted": "yesterday"}, "yesterday is no date"),
        ({"extracted": "2999-01-01"}, "later than tomorrow"),
        ({"extracted": "2026-02-31"}, "no date"),
        ({"collection": "9999-spring"}, "9999-spring"),
        ({"collection": "2025-spring"}, "--collection says 2025-spring, but its name says 2026-spring"),
    ],
)
async def test_an_option_that_cannot_be_or_contradicts_the_file_refuses_it(school, options, why):
    name = NAME if options.get("collection") != "9999-spring" else "pupils.csv"
    report = (await school.take({name: table(ADA)}, **options))[0]
    assert why in report["why"] and school.published == []


async def test_an_option_that_contradicts_the_files_own_date_refuses_it(school):
    report = (await school.take({"m.json": marks(mark())}, extracted="2026-11-19"))[0]
    assert "--extracted says 2026-11-19, but the file says 2026-11-20" in report["why"]


@pytest.mark.parametrize(
    "change",
    [{"school": [1]}, {"school": {"establishment_number": {"a": 1}}}, {"data": 7}, {"extracted": "2999-01-01"}, {"extracted": [1]},
     {"students": 5}, {"codes": 5}, {"complete": {"from": "2026-11-01"}}],
)  # fmt: skip
async def test_a_whole_file_fault_refuses_that_file_and_the_others_go_on(school, change):
    reports = await school.take({"bad.json": json.dumps(json.loads(marks(mark())) | change), NAME: rows_of({})})
    by_name = {one["file"]: one for one in reports}
    assert "why" in by_name["bad.json"] and by_name["bad.json"]["accepted"] == 0 and by_name[NAME]["accepted"] == 1


@pytest.mark.parametrize(
    "bad",
    [7, None, [], {"student_id": [1]}, {"student_id": "1\x00"}, {"date": {"day": 1}}, {"date": "2026-11-19\x00"}, {"session": ["AM"]},
     {"attendance_code_id": {"a": 1}}, {"attendance_code_id": 4}, {"student_id": "x" * 3000}],
)  # fmt: skip
async def test_one_bad_mark_is_refused_alone_with_its_row(school, bad):
    item = {**mark(), **bad} if isinstance(bad, dict) else bad
    report = (await school.take({"m.json": marks(mark(2, "PM"), item, mark(1, "PM", date="2026-11-18"))}))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (3, 2, 1)
    assert [one["row"] for one in school.items(report, "refused")] == [2]
    assert len(school.said("attendance-recorded")[0]["marks"]) == 2


@pytest.mark.parametrize("late", [10**30, -1, True, "ten", 1.5])
async def test_minutes_that_cannot_be_are_left_out_and_said(school, late):
    report = (await school.take({"m.json": marks(mark(minutes_late=late))}))[0]
    assert report["accepted"] == 1 and "minutes_late" not in school.said("attendance-recorded")[0]["marks"][0]
    assert report["flagged"] == 1


async def test_a_upn_that_the_json_writes_as_a_number_is_kept_and_marked(school):
    await school.take({"m.json": marks(mark(), students=[student(1, "Ada", 123456789)])})
    assert school.said("person")[0]["identifiers"][0] == {"type": "upn", "value": "123456789", "valid": False, "reason": "format"}


async def test_a_date_may_be_an_object(school):
    item = mark(date={"date": "2026-11-19 00:00:00.000000", "timezone_type": 3, "timezone": "Europe/London"})
    await school.take({"m.json": marks(item)})
    assert school.said("attendance-recorded")[0]["marks"][0]["date"] == "2026-11-19"


async def test_marks_that_contradict_one_another_in_a_file_are_said_and_the_later_stands(school):
    report = (await school.take({"m.json": marks(mark(1), mark(2))}))[0]
    assert school.said("attendance-recorded")[0]["marks"][0]["attendance_code"] == "O"
    assert "row 1 says otherwise" in school.items(report, "flagged")[0]["why"]


async def test_rows_that_contradict_one_another_are_flagged_with_both_places(school):
    report = (await school.take({NAME: rows_of({}, {"forename": "Ida"})}))[0]
    flag = next(one for one in school.items(report, "flagged") if one["column"] == "given_name")
    assert flag["row"] == 3 and f"{NAME} row 2 says otherwise (Ada)" in flag["why"] and school.said("person")[-1]["given_name"] == "Ida"


@pytest.mark.parametrize("dob", ["3/5/15", "2015-maybe-05", "2015-03-05T99junk", "1815-03-05", "0001-01-01", "9999-12-31"])
async def test_a_date_that_is_none_refuses_its_row(school, dob):
    report = (await school.take({NAME: rows_of({"dob": dob})}))[0]
    assert report["refused"] == 1 and school.items(report, "refused")[0]["value"] == dob


@pytest.mark.parametrize("name", ["Null", "None", "Nan"])
async def test_a_surname_that_is_a_systems_word_for_nothing_is_a_surname(school, name):
    await school.take({NAME: rows_of({"surname": name})})
    assert school.said("person")[0]["family_name"] == name


async def test_blank_and_impossible_numbers_of_sessions_are_said(school):
    rows = ("P1,9994001,S1,I,4", "P1,9994001,S1,M,", "P1,9994001,S1,O," + "9" * 400, "P1,9994001,S1,H,200", "P1,9994001,S1,,3")
    report = (await school.take({NAME: rows_of({}), "2026_spring_sessions.csv": table(*rows, header=SESSIONS)}))[1]
    assert school.said("attendance-summarised")[-1]["sessions_by_reason"] == {"I": 4, "H": 200}
    assert "above" in school.said("attendance-summarised")[-1]["flag"]
    assert [one["row"] for one in school.items(report, "refused")] == [4, 6]
    whys = " ".join(one["why"] for one in school.items(report, "flagged"))
    assert "not say how many" in whys and "not in use on this day" in whys and "more than the 120" in whys


async def test_a_last_line_without_an_end_is_said(school):
    report = (await school.take({NAME: table(ADA).rstrip("\n")}))[0]
    assert report["accepted"] == 1 and "does not end" in school.items(report, "flagged")[0]["why"]


async def test_the_rows_of_one_spell_may_lie_in_two_files(school):
    parts = [table(row, header=SESSIONS) for row in ("P1,9994001,S1,I,4", "P1,9994001,S1,M,2")]
    await school.take({NAME: rows_of({}), "2026_spring_a.csv": parts[0], "2026_spring_b.csv": parts[1]})
    assert school.said("attendance-summarised")[-1]["sessions_by_reason"] == {"I": 4, "M": 2}


async def test_a_complete_file_withdraws_the_marks_it_does_not_hold(school):
    await school.take({NAME: rows_of({}), "m1.json": marks(mark(), mark(1, "PM"), mark(1, date="2026-10-01"), students=[student(1, "Ada", upn(12))])})
    body = json.loads(marks(mark(), extracted="2026-11-21")) | {"complete": {"from": "2026-11-01", "to": "2026-11-20"}}
    await school.take({"m2.json": json.dumps(body)})
    withdrawn = [one for data in school.said("attendance-recorded") for one in data["marks"] if one.get("withdrawn")]
    assert [(one["date"], one["session"]) for one in withdrawn] == [("2026-11-19", "PM")]


async def test_a_complete_file_with_refused_rows_withdraws_nothing(school):
    await school.take({"m1.json": marks(mark(), mark(1, "PM"))})
    body = json.loads(marks(mark(), mark(1, "NIGHT"), extracted="2026-11-21")) | {"complete": {"from": "2026-11-01", "to": "2026-11-20"}}
    await school.take({"m2.json": json.dumps(body)})
    assert not any(one.get("withdrawn") for data in school.said("attendance-recorded") for one in data["marks"])


PUPILS = [
    {}, P2 | {"forename": "Bea", "upn": upn(2)}, {"pupilonrolltableid": "P3", "sourceid": "S3", "forename": "Cleo", "upn": ""},
    {"pupilonrolltableid": "P4", "sourceid": "S1", "NativeId": "9994002", "forename": "Dan", "upn": ""},
]  # fmt: skip
TABLES = {
    "2026_spring_{}_pupils": (HEADER, rows_of(*PUPILS).splitlines()[1:]),
    "2026_spring_{}_sessions": (SESSIONS, [f"P{n},999400{1 + n // 4},S{n % 4 or 1},{code},{n}" for n in (1, 2, 3, 4) for code in "IMO"]),
    "2026_spring_{}_needs": ("pupilonrolltableid,NativeId,sourceid,sentype,sentyperank", [f"P{n},9994001,S{n},{code},{rank}" for n in (1, 2) for rank, code in ((1, "ASD"), (2, "HI"))]),
    "2026_spring_{}_exclusions": ("termlyexclusionsonrolltableid,pupilonrolltableid,NativeId,sourceid,category,startdate,sessions", ["X1,P1,9994001,S1,SUSP,2026-02-03,4", "X2,P1,9994001,S1,SUSP,2026-02-03,4"]),
}  # fmt: skip
MARKS = [{**mark(code, session), "student_id": id} for id in (1, 2, 3) for code, session in ((id % 2 + 1, "AM"), (1, "PM"))]
STUDENTS = [student(1, "Ada", upn(12)), student(2, "Bea", upn(2)), student(3, "Cleo")]


def delivery(random: Random) -> dict[str, str]:
    """The same rows, in any order in any files."""
    files = desks.split(random, TABLES, suffix=".csv")
    rows = random.sample(MARKS, len(MARKS))
    cut = random.randint(0, len(rows))
    files |= {f"marks{random.random()}.json": marks(*part, students=STUDENTS) for part in (rows[:cut], rows[cut:])}
    return {name: files[name] for name in random.sample(sorted(files), len(files))}


async def test_any_split_of_the_same_rows_in_any_order_is_the_same_register_and_again_no_event(school):
    states = []
    for seed in range(6):
        files = delivery(Random(seed))
        assert not any("why" in one or one["refused"] for one in await school.take(files))
        before, state = len(school.published), await school.state()
        await school.take({name: files[name] for name in reversed(files)})
        assert len(school.published) == before and await school.state() == state
        states.append(state)
        await school.forget()
    assert len(states[0]) == 4 and all(state == states[0] for state in states)


SAMPLES = desks.SHARED / "liia-tools-pipeline/liiatools/school_census_pipeline/spec/samples"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_census_is_taken_whole(school):
    reports = await school.take_paths(sorted(SAMPLES.glob("2025_spring_*.csv")), authority="823")
    assert not any("why" in one or one["refused"] for one in reports)
    assert len({stream for stream, _, _ in school.published}) >= 9_498
