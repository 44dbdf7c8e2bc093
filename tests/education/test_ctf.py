"""Common Transfer Files of every version: whole, partial, broken, hostile. No complete file of the sector was found: these are
invented, after the names of its elements."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from services.education.importers.ctf_attendance import Refused, decoded
from tests import importing as desks
from tests.education.test_importers import rows_of, upn

WHO = f"<UPN>{upn(12)}</UPN><Surname>ZWILLING</Surname><Forename>ADA</Forename><DOB>2015-03-05</DOB><Sex>F</Sex>"
BASIC = """<BasicDetails><FormerUPN>B801200005001</FormerUPN><PreferredSurname>Smith</PreferredSurname><PreferredForename>Addie</PreferredForename>
<FormerSurname>Before</FormerSurname><MiddleNames>Joy</MiddleNames><NCyearActual>6</NCyearActual><Ethnicity>WBRI</Ethnicity>
<Languages><Type><Language>CYM</Language><LanguageType>F</LanguageType></Type></Languages><EnrolStatus>C</EnrolStatus>
<MedicalFlag>true</MedicalFlag></BasicDetails>"""
HISTORY = """<SchoolHistory><School><LEA>999</LEA><Estab>4001</Estab><SchoolName>Hill Road Primary</SchoolName><EntryDate>2022-09-01</EntryDate></School>
<School><LEA>998</LEA><Estab>2002</Estab><EntryDate>2019-09-01</EntryDate><LeavingDate>2022-07-20</LeavingDate><LastSchool>true</LastSchool></School></SchoolHistory>"""
CONTACT = """<Contact><Order>1</Order><Surname>Zwilling</Surname><Forename>Rosa</Forename><Relationship>PAM</Relationship><Responsibility>true</Responsibility>
<AddressAsPupil>Y</AddressAsPupil><Phones><Phone><TelephoneType>M</TelephoneType><PhoneNo>07700 900000</PhoneNo></Phone></Phones></Contact>"""
OTHER = CONTACT.replace("<Order>1", "<Order>2").replace("Rosa", "Otto").replace("PAM", "PAF")
ADDRESS = """<Address><BS7666Address><PAON>1</PAON><Street>Invented Road</Street><Town>Wexcombe</Town></BS7666Address><PostCode>ZZ1 1AA</PostCode></Address>
<Phones><Phone><TelephoneType>H</TelephoneType><PhoneNo>01632 960000</PhoneNo></Phone></Phones><Email>a@b.example</Email>"""


def ctf(*pupils: str, version: str = "25.0", qualifier: str = "full", at: str = "2026-11-20T10:00:00", root: str = "CTfile") -> str:
    header = f"""<Header><DocumentName>Common Transfer File</DocumentName><CTFversion>{version}</CTFversion><DateTime>{at}</DateTime>
<DocumentQualifier>{qualifier}</DocumentQualifier><SourceSchool><LEA>999</LEA><Estab>4001</Estab><SchoolName>Hill Road Primary</SchoolName></SourceSchool>
<DestSchool><LEA>998</LEA><Estab>4003</Estab></DestSchool></Header>"""
    body = "".join(f"<Pupil>{one}</Pupil>" for one in pupils)
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{header}<CTFpupilData>{body}</CTFpupilData></{root}>'


def contacts(*found: str) -> str:
    return f"<Contacts>{''.join(found)}</Contacts>"


def years(*found: str) -> str:
    return f"<Attendance>{''.join(f'<YearData>{one}</YearData>' for one in found)}</Attendance>"


async def standing(school, category: str) -> list[dict]:
    (state,) = (await school.state()).values()
    return [fields for name, (fields, gone) in state.items() if name.startswith(category) and not gone]


# -- what is read --------------------------------------------------------------------------------------------------


async def test_a_pupil_comes_with_names_numbers_languages_and_what_the_file_does_not_keep_is_counted(school):
    report = (await school.take({"a.xml": ctf(WHO + BASIC + "<LookedAfter><InCare>true</InCare></LookedAfter>")}))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (1, 1, 0)
    assert report["ignored_columns"] == 4  # BasicDetails/MedicalFlag, FormerUPN, FormerSurname, LookedAfter
    who = school.said("person")[0]
    assert (who["given_name"], who["family_name"], who["known_as"], who["middle_names"]) == ("ADA", "ZWILLING", "Addie Smith", "Joy")
    assert (who["sex"], who["ethnicity"], who["first_language"], who["birth_date"]) == ("F", "WBRI", "CYM", "2015-03-05")
    assert [one["type"] for one in who["identifiers"]] == ["upn"] and "former_family_name" not in who and who["organisation"] == "9994001"


@pytest.mark.parametrize("version", ["19.0", "20.0", "21", "22.0", "23.0", "24.0", "25.0"])
async def test_every_version_is_read_whichever_element_holds_the_sex(school, version):
    who = WHO if float(version) > 22 else WHO.replace("Sex>", "Gender>")
    report = (await school.take({"a.xml": ctf(who, version=version)}))[0]
    assert report["accepted"] == 1 and school.said("person")[0]["sex"] == "F" and "gender" not in school.said("person")[0]


async def test_the_school_history_tells_this_schools_enrolment_and_those_that_are_over_elsewhere(school):
    await school.take({"a.xml": ctf(WHO + BASIC + HISTORY)})
    here, before = sorted(school.said("enrolment"), key=lambda one: one["entry_date"], reverse=True)
    assert (here["school"], here["entry_date"], here["nc_year_actual"], here["enrol_status"]) == ("9994001", "2022-09-01", "6", "C")
    assert (before["school"], before["leaving_date"]) == ("9982002", "2022-07-20") and "nc_year_actual" not in before


@pytest.mark.parametrize("left", ["", "<LeavingDate>2027-07-20</LeavingDate>"])
async def test_another_schools_open_enrolment_is_not_said_for_it_opens_the_child_to_its_staff(school, left):
    report = (await school.take({"a.xml": ctf(WHO + HISTORY.replace("<LeavingDate>2022-07-20</LeavingDate>", left))}))[0]
    assert [one["school"] for one in school.said("enrolment")] == ["9994001"]
    assert (report["accepted"], report["refused"]) == (1, 1) and "only that school itself" in school.items(report, "refused")[0]["why"]


async def test_meals_needs_home_and_numbers_are_read(school):
    await school.take({"a.xml": ctf(WHO + """<FSMhistory><FSMreviewDate>2027-01-01</FSMreviewDate><FSMinstance><FSMstartDate>2025-09-01</FSMstartDate>
        <UKcountry>ENG</UKcountry></FSMinstance></FSMhistory><SENhistory><SEN><StartDate>2025-01-01</StartDate><SENprovision>E</SENprovision></SEN>
        <SEN><StartDate>2023-01-01</StartDate><SENprovision>K</SENprovision></SEN></SENhistory><SENneeds><SENneed><SENtypeRank>1</SENtypeRank>
        <SENtype>ASD</SENtype></SENneed></SENneeds>""" + ADDRESS)})  # fmt: skip
    assert [(one["start_date"], one["uk_country"]) for one in school.said("free-meals")] == [("2025-09-01", "ENG")]
    sen = school.said("sen")[0]
    assert sen["sen_provision"] == "E" and [one["sen_provision"] for one in sen["history"]] == ["K", "E"] and sen["needs"][0]["sen_type"] == "ASD"
    assert school.said("address")[0]["lines"] == ["1 Invented Road", "Wexcombe"] and school.said("address")[0]["postcode"] == "ZZ1 1AA"
    assert [one.get("telephone") or one.get("email") for one in school.said("contact-point")] == ["01632 960000", "a@b.example"]


async def test_contacts_are_relations_and_a_full_files_list_is_the_whole_list(school):
    await school.take({"a.xml": ctf(WHO + contacts(CONTACT, OTHER))})
    one = school.said("relation")[0]
    assert (one["relationship"], one["given_name"], one["parental_responsibility"], one["lives_with_child"]) == ("PAM", "Rosa", "yes", "yes")
    assert one["telephones"] == ["07700 900000"]
    for qualifier, at, held in (("partial", "2026-11-21", 2), ("full", "2026-11-22", 1), ("full", "2026-11-19", 1)):
        await school.take({"b.xml": ctf(WHO + contacts(CONTACT), qualifier=qualifier, at=f"{at}T10:00:00")})
        assert len(await standing(school, "household")) == held, qualifier


async def test_a_partial_file_of_names_and_results_erases_nothing(school):
    await school.take({"a.xml": ctf(WHO + BASIC + HISTORY + ADDRESS + contacts(CONTACT))})
    before = len(school.published)
    stages = "<StageAssessments><KeyStage><Stage>KS1</Stage></KeyStage></StageAssessments>"
    report = (await school.take({"b.xml": ctf(WHO + stages, qualifier="partial", at="2026-11-22T10:00:00")}))[0]
    assert len(school.published) == before and report["unchanged"] == 1 and report["ignored_columns"] == 1


# -- attendance ----------------------------------------------------------------------------------------------------


async def test_a_years_totals_are_kept_and_its_marks_are_marks(school):
    part = """<Year>2026</Year><LEA>999</LEA><Estab>4001</Estab><SessionsPossible>380</SessionsPossible><SessionsAttended>370</SessionsAttended>
        <SessionsAuthorised>8</SessionsAuthorised><SessionsUnauthorised>2</SessionsUnauthorised>"""
    marks = "<AttendSessions><AttendanceStartDate>2026-11-16</AttendanceStartDate><AttendanceMarks>/\\C1I-H</AttendanceMarks></AttendSessions>"
    report = (await school.take({"a.xml": ctf(WHO + years(part + marks))}))[0]
    totals = school.said("attendance-summarised")[0]
    assert (totals["sessions_possible"], totals["sessions_attended"], totals["effective"]) == (380, 370, "2026-07-22") and "term_end" not in totals
    found = school.said("attendance-recorded")[0]["marks"]
    assert [(one["date"], one["session"], one["attendance_code"], one.get("flag")) for one in found] == [
        ("2026-11-16", "AM", "/", None), ("2026-11-16", "PM", "\\", None), ("2026-11-17", "AM", "C1", None), ("2026-11-17", "PM", "I", None),
        ("2026-11-18", "PM", "H", "not in use on this day")]  # fmt: skip
    assert report["flagged"] == 1


@pytest.mark.parametrize("weekend", ["", "####"])
def test_whether_weekends_are_in_the_marks_is_seen_by_the_marks_themselves(weekend):
    found = decoded("2026-11-02", ("/\\" * 5 + weekend) + "I\\" + "/\\" * 4, "2026-11-20")
    assert [day for day, _, code in found if code == "I"] == ["2026-11-09"]
    assert all(date.fromisoformat(day).weekday() < 5 for day, _, code in found if code not in "#")


@pytest.mark.parametrize(("first", "text"), [("2026-11-16", "/\\" * 40), ("2026-11-16", "/2"), ("2020-09-01", "/" * 800)])
def test_marks_that_do_not_fit_their_dates_are_left_out_and_never_moved(first, text):
    with pytest.raises(Refused):
        decoded(first, text, "2026-11-20")


async def test_marks_that_do_not_fit_keep_no_pupil_out(school):
    part = "<Year>2027</Year><AttendSessions><AttendanceStartDate>2026-11-19</AttendanceStartDate><AttendanceMarks>////////</AttendanceMarks></AttendSessions>"
    report = (await school.take({"a.xml": ctf(WHO + years(part))}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and school.said("attendance-recorded") == []


# -- whose it is ---------------------------------------------------------------------------------------------------


async def test_a_pupil_of_the_census_is_the_same_by_number_birth_date_and_first_name(school):
    await school.take({"2026_spring_pupilonroll.csv": rows_of({"upn": upn(12)}), "a.xml": ctf(WHO)})
    assert len(await school.state()) == 1


async def test_twins_with_the_same_number_stay_two(school):
    await school.take({"a.xml": ctf(WHO, WHO.replace("ADA", "BEA"))})
    assert len(await school.state()) == 2


async def test_files_that_contradict_each_other_about_one_pupil_are_said_with_both_places(school):
    table = rows_of({"upn": upn(12), "sex": "M"})
    reports = {one["file"]: one for one in await school.take({"2026_spring_pupilonroll.csv": table, "a.xml": ctf(WHO, at="2026-11-20")}, extracted="2026-11-20")}
    flag = next(one for one in school.items(reports["a.xml"], "flagged") if one["column"] == "sex")
    assert "2026_spring_pupilonroll.csv row 2 says otherwise (M)" in flag["why"] and flag["row"] == 1
    assert [one["column"] for one in school.items(reports["a.xml"], "flagged")] == ["sex"]  # ADA is Ada
    assert len(await school.state()) == 1


# -- again, corrected, older ---------------------------------------------------------------------------------------


async def test_said_again_it_is_nothing_a_corrected_file_only_the_change_and_an_older_one_changes_nothing(school):
    whole = ctf(WHO + BASIC + HISTORY + ADDRESS + contacts(CONTACT, OTHER))
    await school.take({"a.xml": whole})
    before = len(school.published)
    await school.take({"other name.xml": whole})
    assert len(school.published) == before
    await school.take({"a.xml": whole.replace("ZZ1 1AA", "ZZ1 1AB")})
    assert [name for _, name, _ in school.published[before:]] == ["education.address-recorded.v1"]
    await school.take({"old.xml": whole.replace("2026-11-20", "2026-01-01").replace("ZZ1 1AA", "ZZ9 9ZZ").replace("Rosa", "Rita")})
    assert [one["postcode"] for one in await standing(school, "contact") if "postcode" in one] == ["ZZ1 1AB"]
    assert len(school.published) - before == 1 and "Rita" not in str(school.published)


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("<CTfile><Header>", "broken"),
        (ctf(WHO, root="Message"), "no Common Transfer File"),
        (ctf(WHO).replace("Common Transfer File", "Admissions"), "no Common Transfer File"),
        (ctf(WHO, version="18.0"), "is not from 19 to 25"),
        (ctf(WHO, version=""), "(none) is not"),
        (ctf(WHO, at="soon"), "expected a date"),
        (ctf(WHO, at="2098-01-01T00:00:00"), "later than tomorrow"),
        (ctf(WHO).replace("<LEA>999</LEA>", ""), "which school it is from"),
        (ctf(WHO).replace("<CTfile>", '<!DOCTYPE CTfile [<!ENTITY a "b">]><CTfile>', 1), "document type"),
        (ctf("<a>" * 5000 + "</a>" * 5000), "nested too deep"),
        (ctf(WHO)[:-40], "cut off"),
        (ctf(WHO).replace('encoding="UTF-8"', 'encoding="no-such"'), "encoding"),
    ],
)
async def test_a_file_of_the_wrong_kind_is_refused_before_any_pupil_is_taken(school, text, why):
    report = (await school.take({"a.xml": text}))[0]
    assert why in report["why"] and report["accepted"] == 0 and school.published == []


@pytest.mark.parametrize(
    ("change", "column"),
    [("<DOB>2015-02-31</DOB>", "Pupil/DOB"), ("<DOB></DOB>", "DOB")],
)
async def test_a_pupil_that_cannot_be_taken_is_refused_and_the_others_go_in(school, change, column):
    bad = WHO.replace("<DOB>2015-03-05</DOB>", change)
    report = (await school.take({"a.xml": ctf(bad, WHO)}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1)
    assert [(one["row"], one["column"]) for one in school.items(report, "refused")] == [(1, column)]


async def test_a_bad_part_is_refused_alone_and_a_bad_number_or_code_kept_and_marked(school):
    who = WHO.replace(upn(12), "A801200005001").replace("<Sex>F", "<Sex>X")
    meals = "<FSMhistory><FSMinstance><FSMstartDate>soon</FSMstartDate></FSMinstance><FSMinstance><FSMstartDate>2025-09-01</FSMstartDate></FSMinstance></FSMhistory>"
    report = (await school.take({"a.xml": ctf(who + meals + contacts(CONTACT.replace("Zwilling", "Z" * 600), OTHER))}))[0]
    assert (report["accepted"], report["refused"]) == (1, 2) and len(school.said("free-meals")) == 1
    assert [one["given_name"] for one in school.said("relation")] == ["Otto"]
    assert {one["column"] for one in school.items(report, "flagged")} == {"upn", "Sex"}
    number = school.said("person")[0]["identifiers"][0]
    assert (number["value"], number["reason"], school.said("person")[0]["sex"]) == ("A801200005001", "check letter", "X")


async def test_a_file_without_pupils_says_nothing_and_says_so(school):
    await school.take({"a.xml": ctf(WHO + contacts(CONTACT))})
    before = len(school.published)
    report = (await school.take({"b.xml": ctf(at="2026-11-22T10:00:00")}))[0]
    assert report["rows"] == 0 and len(school.published) == before and "holds no pupil" in school.items(report, "flagged")[0]["why"]


def test_a_file_of_many_pupils_is_read_in_bounded_memory(tmp_path):
    """30,000 pupils, 60 MB: as a tree it would take over a gigabyte."""
    pupil = f"<Pupil>{WHO}{BASIC}{ADDRESS}{contacts(CONTACT, OTHER)}</Pupil>"
    head, tail = ctf("X").split("<Pupil>X</Pupil>")
    with (tmp_path / "a.xml").open("w") as out:
        out.write(head)
        for _ in range(30_000):
            out.write(pupil)
        out.write(tail)
    program = f"""
from pathlib import Path
from services.education import importing
from services.plumbing.contracts import code_lists
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import Report
source = importing.recognise(code_lists(Path({str(desks.CONTRACTS)!r})))(Path({str(tmp_path / "a.xml")!r}), "a.xml", Options())
said = sum(1 for _ in source.read(Report("a.xml")))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(source.rows, said, int(peak.split()[1]) // 1024)
"""
    rows, said, memory = map(int, subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split())
    assert (rows, said) == (30_000, 30_000) and memory < 300, f"{memory} MB"


# -- disabilities ------------------------------------------------------------------------------------------------------


def disabled(*codes: str) -> str:
    said = "".join(f"<Disability>{code}</Disability>" for code in codes)
    return f"{WHO}<BasicDetails><Disabilities>{said}</Disabilities></BasicDetails>"


async def test_disabilities_are_read_whole_each_once_and_an_unknown_code_is_kept_and_flagged(school):
    (report,) = await school.take({"a.xml": ctf(disabled("VIS", "MOB", "VIS", "XYZ"))})
    (said,) = school.said("pupil-disability")
    assert (said["school"], said["disabilities"]) == ("9994001", ["VIS", "MOB", "XYZ"])
    assert [one["value"] for one in school.items(report, "flagged") if "Disability" in (one["column"] or "")] == ["XYZ"]


async def test_no_disability_is_a_word_and_a_file_that_names_none_erases_nothing(school):
    await school.take({"a.xml": ctf(disabled("NONE"))})
    assert school.said("pupil-disability")[0]["disabilities"] == ["NONE"]
    for n, later in enumerate((disabled(), disabled(""), WHO), 1):
        await school.take({f"{n}.xml": ctf(later, at=f"2026-11-2{n}T10:00:00")})
    assert len(school.said("pupil-disability")) == 1


async def test_an_older_transfer_file_changes_no_disability_and_the_same_again_publishes_nothing(school):
    await school.take({"a.xml": ctf(disabled("VIS"))})
    before = len(school.published)
    await school.take({"b.xml": ctf(disabled("MOB"), at="2026-10-01T10:00:00")})
    await school.take({"c.xml": ctf(disabled("VIS"))})
    assert len(school.said("pupil-disability")) == 1 and len(school.published) == before
    await school.take({"d.xml": ctf(disabled("MOB"), at="2026-11-24T10:00:00")})
    assert [one["disabilities"] for one in school.said("pupil-disability")] == [["VIS"], ["MOB"]]


async def test_a_pupil_who_has_left_the_school_that_sends_the_file_comes_twice_as_once(school):
    left = HISTORY.replace("<EntryDate>2022-09-01</EntryDate>", "<EntryDate>2022-09-01</EntryDate><LeavingDate>2026-07-20</LeavingDate>")
    text = {"x.xml": ctf(WHO + BASIC + left)}
    await school.take(text)
    before = len(school.published)
    assert (await school.take(text))[0]["events"] == 0 and len(school.published) == before
