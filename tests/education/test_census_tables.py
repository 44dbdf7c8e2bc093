"""The census's other tables, and the columns of every year: nothing of a pupil is lost, and an adoption lies apart."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest

from services.education import importing
from services.plumbing.contracts import code_lists
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import Report
from tests import importing as desks
from tests.education.test_importers import ADA, HEADER, NAME, P2, SAMPLES, rows_of, table

ADDRESSES = "pupilonrolltableid,NativeId,addressesonrolltableid,addressesonrollorderseqcolumn,sourceid,uniquepropertyreferencenumber,paon,street,posttown,postcode"
HOME = "P1,9994001,A1,1,S1,100023336956,1,Invented Road,Wexcombe,ZZ1 1AA"
OTHER = "P1,9994001,A2,2,S1,,2,Other Lane,Wexcombe,ZZ1 1AB"
MEALS = "pupilonrolltableid,NativeId,fsmperiodtableid,sourceid,fsmstartdate,fsmenddate,ukcountry"
HALF_TERM = "pupilonrolltableid,NativeId,summerhalfterm2sessiondetailsonrolltableid,sourceid,attendancereason,absencesessions"


def addresses(*rows: str) -> dict[str, str]:
    return {"2026_spring_addressesonroll.csv": table(*rows, header=ADDRESSES)}


def pupil(**columns: str) -> str:
    """Ada with more columns."""
    return table(",".join([ADA, *columns.values()]), header=",".join([HEADER, *columns]))


async def entries(school, category: str) -> dict[str, tuple[dict, bool]]:
    """What the register holds of a category, of its one subject."""
    (state,) = (await school.state()).values()
    return {name.split("\x1f")[2]: held for name, held in state.items() if name.startswith(category)}


# -- addresses -----------------------------------------------------------------------------------------------------


async def test_a_pupils_addresses_come_in_the_schools_order_with_their_lines(school):
    await school.take({NAME: rows_of({}), **addresses(OTHER, HOME)})
    first, second = school.said("address")
    assert first["lines"] == ["1 Invented Road", "Wexcombe"] and first["postcode"] == "ZZ1 1AA" and first["uprn"] == "100023336956"
    assert second["lines"][0] == "2 Other Lane" and first["address_kind"] == "home" and first["organisation"] == "9994001"


async def test_a_newer_census_takes_the_place_of_the_schools_older_addresses(school):
    await school.take({NAME: rows_of({}), **addresses(HOME, OTHER)})
    moved = HOME.replace("1,Invented Road", "9,New Street")
    await school.take({"2026_summer_pupilonroll.csv": rows_of({}), "2026_summer_addressesonroll.csv": table(moved, header=ADDRESSES)})
    held = await entries(school, "contact")
    assert [(held[name][0].get("lines", [None])[0], held[name][1]) for name in sorted(held)] == [("9 New Street", False), (None, True)]
    before = len(school.published)
    await school.take(addresses(HOME, OTHER))
    assert len(school.published) == before


async def test_addresses_said_again_publish_nothing_and_a_corrected_file_only_the_change(school):
    files = {NAME: rows_of({}), **addresses(HOME, OTHER)}
    await school.take(files)
    before = len(school.published)
    await school.take(files)
    assert len(school.published) == before
    await school.take({NAME: rows_of({}), **addresses(HOME, OTHER.replace("AB", "AC"))})
    assert [data["postcode"] for _, _, data in school.published[before:]] == ["ZZ1 1AC"]


async def test_addresses_in_two_files_of_one_delivery_both_stand_whatever_the_order(school):
    parts = [table(row, header=ADDRESSES) for row in (HOME, OTHER)]
    for names in (("2026_spring_a.csv", "2026_spring_b.csv"), ("2026_spring_b.csv", "2026_spring_a.csv")):
        await school.take({NAME: rows_of({}), **dict(zip(names, parts, strict=True))})
        assert sorted(held["postcode"] for held, gone in (await entries(school, "contact")).values() if not gone) == ["ZZ1 1AA", "ZZ1 1AB"]
        await school.take({names[0]: parts[0]})
        assert not any(gone for _, gone in (await entries(school, "contact")).values())
        await school.forget()


async def test_an_address_of_a_leaver_closes_no_address_of_the_new_school(school):
    leaver = "pupilnolongeronrolltableid,NativeId,addressesoffrolltableid,addressesoffrollorderseqcolumn,sourceid,postcode"
    left = rows_of({"NativeId": "9994002", "sourceid": "S9"}).replace("pupilonroll", "pupilnolongeronroll")
    await school.take({NAME: rows_of({}), "2026_spring_left.csv": left, **addresses(HOME),
                       "2026_spring_addressesoffroll.csv": table("P1,9994002,A7,1,S9,ZZ9 9ZZ", header=leaver)})  # fmt: skip
    assert sorted(held["postcode"] for held, gone in (await entries(school, "contact")).values() if not gone) == ["ZZ1 1AA", "ZZ9 9ZZ"]


@pytest.mark.parametrize(("uprn", "kept"), [("-1.0", "-1.0"), ("0.0", "0.0"), ("100023336956.0", "100023336956")])
async def test_a_property_number_that_cannot_be_is_kept_and_marked(school, uprn, kept):
    reports = await school.take({NAME: rows_of({}), **addresses(HOME.replace("100023336956", uprn).replace("ZZ1 1AA", "here"))})
    assert school.said("address")[0]["uprn"] == kept and school.said("address")[0]["postcode"] == "here"
    flags = [one["column"] for one in school.items(reports[1], "flagged")]
    assert flags == ["postcode"] if kept != uprn else ["uniquepropertyreferencenumber", "postcode"]


async def test_an_address_that_breaks_the_contract_is_refused_with_its_own_row_and_the_other_stands(school):
    reports = await school.take({NAME: rows_of({}), **addresses(HOME, OTHER.replace("ZZ1 1AB", "Z" * 600))})
    assert [(one["row"], one["column"]) for one in school.items(reports[1], "refused")] == [(3, "postcode")]
    assert (reports[1]["accepted"], reports[1]["refused"]) == (1, 1) and school.said("address")[0]["postcode"] == "ZZ1 1AA"


async def test_an_address_row_that_holds_none_is_refused(school):
    reports = await school.take({NAME: rows_of({}), **addresses("P1,9994001,A1,1,S1,,,,,")})
    assert school.items(reports[1], "refused")[0]["why"] == "the row holds no address"


# -- free school meals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [MEALS, MEALS.replace("fsmperiodtable", "fsmperiodsonrolltable")])
async def test_a_period_of_free_meals_is_an_entry_by_its_first_day_in_every_years_table(school, header):
    rows = ("P1,9994001,F1,S1,2025-Sep-01 00:00:00,,ENG", "P1,9994001,F2,S1,01/09/2023,2024-03-31,XXX")
    reports = await school.take({NAME: rows_of({}), "2026_spring_fsmperiod.csv": table(*rows, header=header)})
    assert [(one["start_date"], one.get("end_date"), one["uk_country"]) for one in school.said("free-meals")] == [
        ("2025-09-01", None, "ENG"), ("2023-09-01", "2024-03-31", "XXX")]  # fmt: skip
    assert "not in the code list" in school.items(reports[1], "flagged")[0]["why"]


async def test_a_period_that_ends_before_it_begins_is_kept_and_marked_and_one_without_a_beginning_refused(school):
    rows = ("P1,9994001,F1,S1,2025-09-01,2025-08-01,ENG", "P1,9994001,F2,S1,,2024-03-31,ENG", "P1,9994001,F3,S1,soon,,ENG")
    reports = await school.take({NAME: rows_of({}), "2026_spring_fsmperiod.csv": table(*rows, header=MEALS)})
    assert (reports[1]["accepted"], reports[1]["flagged"], reports[1]["refused"]) == (1, 1, 2)


async def test_the_end_of_a_period_comes_with_a_later_census_and_an_older_one_does_not_take_it_away(school):
    for term, end in (("2025_autumn", ""), ("2026_spring", "2025-12-31"), ("2025_autumn", "")):
        row = f"P1,9994001,F1,S1,2025-09-01,{end},ENG"
        await school.take({f"{term}_pupilonroll.csv": rows_of({}), f"{term}_fsmperiod.csv": table(row, header=MEALS)})
    assert [one.get("end_date") for one in school.said("free-meals")] == [None, "2025-12-31"]


# -- sessions of other periods -------------------------------------------------------------------------------------


async def test_the_second_half_of_the_summer_term_is_a_period_of_its_own(school):
    header = HEADER + ",summerhalfterm2sessionspossible,summerhalfterm2sessionsauthorised"
    ada = ADA.replace("A999000000012", "")
    reports = await school.take({
        "2024_autumn_pupilonroll.csv": table(ada + ",60.0,4.0", header=header),
        "2024_autumn_summerhalfterm2.csv": table("P1,9994001,H1,S1,H,2.0", "P1,9994001,H2,S1,I,2.0", header=HALF_TERM),
        "2024_autumn_sessions.csv": table("P1,9994001,S1,I,4", header="pupilonrolltableid,NativeId,sourceid,attendancereason,sessions"),
    })  # fmt: skip
    said = {one["term"]: one for one in school.said("attendance-summarised")}
    assert (said["2024-summer-half-term-2"]["sessions_possible"], said["2024-summer-half-term-2"]["sessions_by_reason"]) == (60, {"H": 2, "I": 2})
    assert said["2024-autumn"]["sessions_possible"] == 120 and said["2024-autumn"]["sessions_by_reason"] == {"I": 4}
    assert [item["why"] for one in reports for item in school.items(one)] == []  # H was in use in that summer term


async def test_the_sessions_of_a_school_year_and_the_older_name_of_the_column_are_read(school):
    header = HALF_TERM.replace("summerhalfterm2", "annual")
    await school.take({"2016_autumn_pupilonroll.csv": table(ADA + ",380", header=HEADER + ",annualsessionspossible"),
                       "2016_autumn_annual.csv": table("P1,9994001,H1,S1,H,10", header=header)})  # fmt: skip
    said = {one["term"]: one for one in school.said("attendance-summarised")}["2015/16"]
    assert (said["sessions_possible"], said["sessions_by_reason"], said["term_end"]) == (380, {"H": 10}, "2016-07-22")


# -- every year's columns ------------------------------------------------------------------------------------------


async def test_the_column_named_gender_holds_the_sex(school):
    await school.take({"2016_spring_pupilonroll.csv": table(ADA, header=HEADER.replace("sex", "gender"))})
    assert school.said("person")[0]["sex"] == "F" and "gender" not in school.said("person")[0]


@pytest.mark.parametrize(
    ("header", "cells", "reasons", "odd"),
    [("category,startdate,sessions,reason", "FIXD,2019-02-04,4,OT", ["OT"], 0),
     ("category,startdate,sessions,reason1,reason2,reason3", "SUSP,2025-02-04,4,PP,,DB", ["PP", "DB"], 0),
     ("category,startdate,sessions,reason", "FIXD,2025-02-04,4,OT", ["OT"], 2)],
)  # fmt: skip
async def test_exclusions_of_every_year_are_read_and_what_was_not_in_use_is_kept_and_marked(school, header, cells, reasons, odd):
    header = f"termlyexclusionsoffrolltableid,pupilnolongeronrolltableid,NativeId,sourceid,{header}"
    left = rows_of({}).replace("pupilonroll", "pupilnolongeronroll")
    reports = await school.take({NAME.replace("onroll", "nolongeronroll"): left, "2026_spring_x.csv": table(f"X1,P1,9994001,S1,{cells}", header=header)})
    assert school.said("exclusion")[0]["reasons"] == reasons
    assert len(school.items(reports[1], "flagged")) == odd


async def test_the_schools_names_come_from_their_table(school):
    await school.take({NAME: rows_of({}), "2026_spring_school.csv": table("9994001,Hill Road Primary", header="NativeId,schoolname")})
    assert school.said("enrolment")[0]["school_name"] == "Hill Road Primary"


async def test_a_census_table_that_is_not_kept_says_so(school):
    header = "learningaimsonrolltableid,pupilonrolltableid,NativeId,sourceid,qan"
    reports = await school.take({"2026_spring_aims.csv": table("L1,P1,9994001,S1,Q", header=header)})
    assert "learningaimsonroll holds nothing that the register keeps" in reports[0]["why"]


# -- young carers, and what tells of an adoption -------------------------------------------------------------------


async def test_a_young_carer_is_said_and_a_blank_says_nothing(school):
    await school.take({NAME: pupil(youngcarer="S")})
    await school.take({"2026_summer_pupilonroll.csv": pupil(youngcarer="")})
    assert [one["young_carer"] for one in school.said("young-carer")] == ["S"]


@pytest.mark.parametrize("column", ["plaa", "adoptedfromcare"])
async def test_names_and_numbers_from_before_an_adoption_lie_apart_and_nowhere_else(school, column):
    await school.take({NAME: pupil(formersurname="Before", formerupn="B801200005001", **{column: "A"})})
    (left,) = school.said("left-care")
    assert (left["left_care_by"], left["former_family_name"], left["former_upn"]) == ("A", "Before", "B801200005001")
    assert left["restriction"] == "statute"
    rest = [str(data) for _, name, data in school.published if "left-care" not in name]
    assert rest and not any("Before" in one or "B801200005001" in one for one in rest)


async def test_a_former_surname_without_an_adoption_is_part_of_who_the_pupil_is(school):
    await school.take({NAME: pupil(formersurname="Before", formerupn="B801200005001", plaa="G")})
    assert school.said("person")[0]["former_family_name"] == "Before" and "former_family_name" not in school.said("left-care")[0]


async def test_a_name_from_before_that_another_school_or_an_earlier_file_said_goes_and_does_not_come_back(school):
    left = pupil(formersurname="Before").replace("pupilonroll", "pupilnolongeronroll").replace("9994001", "9994002")
    await school.take({"2025_autumn_pupilonroll.csv": pupil(formersurname="Before")})
    await school.take({NAME: pupil(plaa="A"), "2026_spring_left.csv": left})
    await school.take({"2026_summer_pupilonroll.csv": pupil(formersurname="Before", plaa="")})
    assert ["former_family_name" in one for one in school.said("person")] == [True] + [False] * (len(school.said("person")) - 1)
    assert "former_family_name" not in next(iter((await entries(school, "identity")).values()))[0]


TERMS = {
    "2025_autumn_pupilonroll.csv": pupil(formersurname="Before", formerupn="B801200005001"),
    NAME: pupil(plaa="a"),
    "2026_summer_pupilonroll.csv": pupil(formersurname="Before", formerupn="B801200005001"),
}


@pytest.mark.parametrize("order", list(itertools.permutations(TERMS)))
async def test_terms_that_ask_of_no_adoption_end_without_what_is_from_before_in_whatever_order_they_come(school, order):
    for name in order:
        await school.take({name: TERMS[name]})
    now = school.said("person")[-1]
    assert (now["given_name"], [one["type"] for one in now["identifiers"]]) == ("Ada", ["upn"])
    assert "Before" not in str(await entries(school, "identity")) and school.said("left-care")[0]["left_care_by"] == "A"


async def test_not_declared_is_no_record_and_takes_a_wrong_one_away(school):
    await school.take({NAME: pupil(plaa="N")})
    assert school.said("left-care") == []
    await school.take({"2026_spring_b.csv": pupil(plaa="A")})
    await school.take({"2026_summer_pupilonroll.csv": pupil(plaa="N")})
    assert [one.get("withdrawn", False) for one in school.said("left-care")] == [False, True]


# -- attendance codes by year --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "code", "odd"),
    [("2024_spring", "H", None), ("2024_spring", "Y", None), ("2024_spring", "J", None), ("2024_autumn", "H", "not in use on this day"),
     ("2024_autumn", "Y", "not in use on this day"), ("2024_autumn", "J", "not in use on this day"), ("2024_autumn", "C1", None),
     ("2024_autumn", "J1", None), ("2024_autumn", "Y7", None), ("2024_autumn", "Q", None), ("2024_autumn", "K", None),
     ("2024_spring", "C2", "not in use on this day"), ("2024_spring", "K", "not in use on this day"), ("2024_autumn", "Y8", "not in the code list")],
)  # fmt: skip
async def test_codes_are_those_of_their_year_and_what_was_retired_is_kept_as_it_was_and_marked(school, term, code, odd):
    header = "pupilonrolltableid,NativeId,sourceid,attendancereason,sessions"
    files = {f"{term}_pupilonroll.csv": rows_of({}), f"{term}_sessions.csv": table(f"P1,9994001,S1,{code},4", header=header)}
    reports = {one["file"]: one for one in await school.take(files)}
    assert school.said("attendance-summarised")[-1]["sessions_by_reason"] == {code: 4}
    why = [one["why"] for one in school.items(reports[f"{term}_sessions.csv"], "flagged")]
    assert [odd in one for one in why] == ([True] if odd else [])


# -- any order -----------------------------------------------------------------------------------------------------

TABLES = {
    "2026_spring_{}_pupils": (HEADER, rows_of({}, P2 | {"forename": "Bea", "upn": ""}).splitlines()[1:]),
    "2026_spring_{}_addresses": (ADDRESSES, [f"P{n},9994001,A{n}{m},{m},S{n},,{m},Invented Road {n},Wexcombe,ZZ1 {m}AA" for n in (1, 2) for m in (1, 2, 3)]),
    "2026_spring_{}_meals": (MEALS, [f"P{n},9994001,F{n}{m},S{n},202{m}-09-01,202{m + 1}-03-31,ENG" for n in (1, 2) for m in (1, 2, 3)]),
    "2026_spring_{}_half": (HALF_TERM, [f"P{n},9994001,H{n}{code},S{n},{code},{n}" for n in (1, 2) for code in "IMO"]),
}  # fmt: skip


async def test_any_split_of_the_same_rows_in_any_order_is_the_same_register_and_again_no_event(school):
    states = []
    for seed in range(5):
        files = desks.split(Random(seed), TABLES, suffix=".csv")
        assert not any("why" in one or one["refused"] for one in await school.take(files))
        before, state = len(school.published), await school.state()
        await school.take({name: files[name] for name in reversed(files)})
        assert len(school.published) == before and await school.state() == state
        states.append(state)
        await school.forget()
    assert len(states[0]) == 2 and all(state == states[0] for state in states)


# -- the sector's own samples --------------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_autumn_census_is_taken_whole_with_its_addresses_and_nobody_joined(school):
    reports = {one["file"]: one for one in await school.take_paths(sorted(SAMPLES.glob("2024_autumn_*.csv")), authority="823")}
    assert not any("why" in one or one["refused"] for one in reports.values())
    found = reports["2024_autumn_addressesoffroll.csv"]
    assert (found["rows"], found["accepted"]) == (1698, 1698) and 0 < found["flagged"] < 1698
    held = Counter(name.split("\x1f")[0] for state in (await school.state()).values() for name in state)
    assert held["identity"] == len(await school.state()) and held["adoption"] > 0 and held["contact"] > 1000
    left = {stream for stream, name, data in school.published if "left-care" in name and data["left_care_by"] == "A"}
    assert left and not any("former_family_name" in data for stream, name, data in school.published if "person" in name and stream in left)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
def test_both_terms_of_the_real_census_hold_the_children_that_were_counted():
    """9,512 children; 294 and 341 of them on one school's roll and off another's in the same term."""
    recognise, children, rows = importing.recognise(code_lists(desks.CONTRACTS)), set(), 0
    for path in sorted(SAMPLES.glob("*_pupil*.csv")):
        source, report = recognise(path, path.name, Options(authority="823")), Report(path.name)
        children |= {said.names[0] for said in source.read(report)}
        rows += source.rows
        assert report.refused == 0
    assert (len(children), rows) == (9_512, 9_088 + 9_498 + 308 + 375)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_table_taken_again_says_nothing(school):
    files = [SAMPLES / f"2024_autumn_{name}offroll.csv" for name in ("addresses", "termlyexclusions", "termlysessiondetails")]
    files.append(SAMPLES / "2024_autumn_pupilnolongeronroll.csv")
    await school.take_paths(files, authority="823")
    before = len(school.published)
    reports = await school.take_paths(files[::-1], authority="823")
    assert len(school.published) == before and all(one["accepted"] == one["rows"] and not one["events"] for one in reports)
