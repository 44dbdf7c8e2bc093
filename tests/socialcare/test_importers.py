"""Social care's files: the daily extract in tables and the census in XML."""

from __future__ import annotations

import pytest

from services.socialcare import importing
from tests import importing as desks

DAY = "2026-11-20"
PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob,pers_expected_dob,pers_common_child_id,pers_is_mother"
ADA = "1,Ada,Zwilling,F,2015-03-05,,9990000018,"
MOTHER = "9,Ina,Zwilling,F,1985-01-01,,,Y"
UNBORN = "2,,,U,,2027-02-01,,"
INVOLVED = "invo_involvements_id,invo_person_id,invo_professional_id,invo_professional_role_id,invo_professional_team,invo_involvement_start_date,invo_involvement_end_date"


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def extract(name: str = "persons", day: str = DAY) -> str:
    return f"{day}-ssd_{name}.csv"


@pytest.fixture
async def care(database, tmp_path):
    desk = await desks.desk(database, "socialcare", importing.recognise, tmp_path)
    yield desk
    await desk.close()


async def test_a_child_comes_and_an_adult_fills_relations_alone(care):
    files = {
        extract(): table(PERSONS, ADA, MOTHER),
        extract("mother"): table("moth_person_id,moth_childs_person_id", "9,1"),
        extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,"),
    }
    reports = await care.take(files)
    assert all(one["refused"] == 0 for one in reports)
    assert [one["given_name"] for one in care.said("person")] == ["Ada"]
    assert care.said("relation")[0]["relationship"] == "mother" and care.said("relation")[0]["given_name"] == "Ina"
    assert care.said("involvement")[0]["involvement_kind"] == "allocated"


async def test_the_files_of_one_delivery_come_in_any_order(care):
    files = {"a-" + extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,"), "z-" + extract(): table(PERSONS, ADA)}
    reports = await care.take(files)
    assert all(one["refused"] == 0 for one in reports)


async def test_an_unborn_child_and_one_without_a_birth_date_are_kept(care):
    report = (await care.take({extract(): table(PERSONS, UNBORN, "3,Bo,Berg,M,,,,")}))[0]
    assert report["accepted"] == 2 and care.said("person")[0]["expected_birth_date"] == "2027-02-01"


async def test_a_bad_nhs_number_flags_the_number_and_keeps_the_child(care):
    report = (await care.take({extract(): table(PERSONS, ADA.replace("9990000018", "9990000019"))}))[0]
    assert (report["accepted"], report["flagged"]) == (1, 1)
    assert any(not one["valid"] for one in care.said("person")[0]["identifiers"])


async def test_a_row_about_nobody_known_is_refused_and_says_so(care):
    reports = await care.take({extract(): table(PERSONS, ADA), extract("involvements"): table(INVOLVED, "i1,77,sw-1,Allocated Social Worker,t1,2026-01-01,")})
    refused = next(one for one in reports if one["refused"])
    assert "no person with this id" in care.items(refused)[0]["why"]


async def test_an_involvement_that_ended_in_a_later_extract_ends(care):
    await care.take({extract(): table(PERSONS, ADA), extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,")})
    later = table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,2026-11-21")
    await care.take({extract("involvements", "2026-11-21"): later})
    assert care.said("involvement")[-1]["end_date"] == "2026-11-21"


async def test_the_same_extract_twice_publishes_nothing_new(care):
    files = {extract(): table(PERSONS, ADA, UNBORN)}
    await care.take(files)
    before = len(care.published)
    await care.take(files)
    assert len(care.published) == before


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("persons.csv", table(PERSONS, ADA), "--extracted"),
        (extract(), "", "empty"),
        (extract(), "colour,size\nred,3\n", "no table of the Standard"),
        ("cin.xml", "<Message><Children>", "broken, cut off"),
        ("cin.xml", "<Message><Header><Collection>Workforce</Collection></Header></Message>", "no children in need census"),
        ("cin.xml", '<!DOCTYPE a [<!ENTITY b "c">]><Message/>', "entities"),
    ],
)
async def test_a_file_of_the_wrong_kind_is_refused_before_any_row_is_taken(care, name, text, why):
    report = (await care.take({name: text}))[0]
    assert why in report["why"] and care.published == []


SAMPLE = desks.SHARED / "csc-validator-be-cin/fake_data/fake_CIN_data.xml"


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_census_is_taken_whole(care):
    report = (await care.take_paths([SAMPLE]))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (332, 332, 0)
