"""Every family of files that the invented authority writes: taken whole, the same story in each, counted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date

import pytest

from deploy.local.authority.earlier import year_began, year_ended
from deploy.local.authority.generate import generate
from services.education import importing as education
from services.socialcare import importing as socialcare
from tests import importing as desks

TODAY = date(2026, 11, 24)
TABLES = """contacts early_help_episodes cin_episodes cin_assessments assessment_factors s47_enquiry initial_cp_conference cin_plans
    cp_plans cp_reviews cin_visits cp_visits voice_of_child disability send ehcp_requests ehcp_assessment ehcp_named_plan
    ehcp_active_plans sen_need legal_status cla_episodes cla_placement cla_reviews cla_health cla_immunisations sdq_scores missing
    permanence care_leavers""".split()
MODULES = "header episodes reviews missing ad1 placed_for_adoption oc2 oc3".split()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    return folder, generate(folder, children=2500, seed=2, today=TODAY)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return folder, generate(folder, children=250, seed=2, today=TODAY)


def table(folder, name: str) -> list[dict[str, str]]:
    with next((folder / "socialcare").glob(f"*-ssd_{name}.csv")).open() as lines:
        return list(csv.DictReader(lines))


def module(folder, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / f"SSDA903_2026_{name}.csv").open()))


def census(folder, pattern: str) -> list[dict[str, str]]:
    return [row for path in sorted((folder / "education").rglob(pattern)) for row in csv.DictReader(path.open())]


def faults(reports) -> list:
    return [(one["file"], one.get("why"), one["refused"]) for one in reports if "why" in one or one["refused"]]


def test_every_family_is_written(made):
    folder = made[0]
    assert [name for name in TABLES if not list((folder / "socialcare").glob(f"*-ssd_{name}.csv"))] == []
    assert [name for name in MODULES if not (folder / "returns" / f"SSDA903_2026_{name}.csv").exists()] == []
    for pattern in ("*_addressesonroll.csv", "*_addressesoffroll.csv", "*_fsmperiodsonroll.csv", "students-*.json", "*_CTF_*.xml"):
        assert list((folder / "education").rglob(pattern)), pattern
    assert (folder / "socialcare" / "cin-2026.xml").exists() and (folder / "returns" / "cin-2026.xml").exists()


async def test_a_second_import_of_everything_publishes_nothing(small, database, tmp_path):
    folder = small[0]
    for service, recognise in (("education", education.recognise), ("socialcare", socialcare.recognise)):
        desk = await desks.desk(database, service, recognise, tmp_path)
        await desk.forget()
        reports = await desk.take_paths([folder / service])
        assert faults(reports) == []
        published = len(desk.published)
        again = await desk.take_paths([folder / service])
        assert faults(again) == [] and len(desk.published) == published > 0
        await desk.close()


async def test_the_returns_of_the_year_are_taken_whole_beside_the_extract_and_name_nobody_new(small, database, tmp_path):
    desk = await desks.desk(database, "socialcare", socialcare.recognise, tmp_path)
    await desk.forget()
    await desk.take_paths([small[0] / "socialcare"])
    known = set(desk.streams("person-recorded"))
    reports = await desk.take_paths([small[0] / "returns"])
    assert faults(reports) == [] and set(desk.streams("person-recorded")) == known
    published = len(desk.published)
    assert faults(await desk.take_paths([small[0] / "returns"])) == [] and len(desk.published) == published
    await desk.close()


async def test_each_register_holds_as_many_children_as_the_truth_says(small, database, tmp_path):
    truth = list(csv.DictReader((small[0] / "truth.csv").open()))
    for service, recognise in (("education", education.recognise), ("socialcare", socialcare.recognise)):
        desk = await desks.desk(database, service, recognise, tmp_path)
        await desk.forget()
        await desk.take_paths([small[0] / service])
        records = sum(row["service"] == service and row["kind"] != "mis" for row in truth)
        assert len(desk.streams("person-recorded")) == records, "what a school's own system says joins the census's record"
        await desk.close()


# -- the same child, the same story ------------------------------------------------------------------------------


def test_as_many_of_each_kind_as_in_the_country(made):
    folder, manifest = made
    counts = manifest["counts"]
    assert counts["care_leavers"] == 11 and 0.01 * 2500 < counts["early_help"] < 0.03 * 2500
    fed = {row["NativeId"] + row["pupilonrolltableid"] for row in census(folder, "*_fsmperiodsonroll.csv") if not row["fsmenddate"]}
    pupils = census(folder, "2026_autumn*_pupilonroll.csv")
    assert 0.17 < len(fed) / len(pupils) < 0.27
    disabled = Counter(row["disa_disability_code"] != "NONE" for row in table(folder, "disability"))
    assert 0.05 < disabled[True] / disabled.total() < 0.25
    ill = [row for row in table(folder, "missing")]
    assert 0 < len({row["miss_person_id"] for row in ill}) <= 0.35 * counts["looked_after"]


def test_whoever_is_under_protection_came_there_by_referral_assessment_enquiry_and_conference(made):
    folder = made[0]
    referred = {row["cine_person_id"]: row for row in table(folder, "cin_episodes")}
    enquiries = {row["s47e_person_id"]: row for row in table(folder, "s47_enquiry")}
    conferences = {row["icpc_person_id"]: row for row in table(folder, "initial_cp_conference")}
    plans = table(folder, "cp_plans")
    assert len(plans) == made[1]["counts"]["plans"] > 8
    for plan in plans:
        person = plan["cppl_person_id"]
        assert referred[person]["cine_referral_date"] < enquiries[person]["s47e_s47_start_date"] < conferences[person]["icpc_icpc_date"]
        assert conferences[person]["icpc_icpc_date"] == plan["cppl_cp_plan_start_date"] and not referred[person]["cine_close_date"]
    held = [row for row in table(folder, "cp_reviews") if row["cppr_cp_review_date"]]
    assert held and all(row["cppr_cp_review_date"] < row["cppr_cp_review_due"] for row in held)


def test_episodes_of_care_follow_one_another_in_placements_that_do(made):
    for rows, person, start, end in (
        (table(made[0], "cla_episodes"), "clae_person_id", "clae_cla_episode_start_date", "clae_cla_episode_ceased_date"),
        (table(made[0], "cla_placement"), "clap_person_id", "clap_cla_placement_start_date", "clap_cla_placement_end_date"),
    ):
        by_child: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            by_child.setdefault(row[person], []).append(row)
        assert len(by_child) >= made[1]["counts"]["looked_after"] > 15
        for found in by_child.values():
            assert [one[end] for one in found[:-1]] == [one[start] for one in found[1:]]
            assert all(one[start] < (one[end] or "9999") for one in found)


def test_nothing_happens_after_today_or_before_birth(made):
    folder = made[0]
    born = {row["pers_person_id"]: row["pers_dob"] for row in table(folder, "persons")}
    plain = ("due", "target", "expected", "dob")
    for path in (folder / "socialcare").glob("*-ssd_*.csv"):
        for row in csv.DictReader(path.open()):
            person = next((value for name, value in row.items() if name.endswith("_person_id")), "")
            for name, value in row.items():
                if name.endswith("_date") and value and not any(word in name for word in plain):
                    assert value <= TODAY.isoformat(), (path.name, name)
                    assert "address" in name or value >= (born.get(person) or ""), (path.name, name, row)


def test_no_episode_of_the_extract_stands_in_the_return_that_is_loaded_beside_it(made):
    folder = made[0]
    returned = {row["CHILD"] for row in module(folder / "socialcare", "episodes")}
    extracted = {row["clae_person_id"] for row in table(folder, "cla_episodes")}
    assert returned and not returned & extracted
    ended = [row["DEC"] for row in module(folder / "socialcare", "episodes") if row["REC"] != "X1"]
    days = [date(int(day[6:]), int(day[3:5]), int(day[:2])) for day in ended]
    assert all(year_began(TODAY) <= day <= year_ended(TODAY) for day in days) and len(days) == len(returned)
    whole = {row["CHILD"] for row in module(folder / "returns", "episodes")}
    assert returned < whole and len(whole & extracted) > 10


def test_the_census_that_is_loaded_holds_closed_cases_of_which_the_extract_knows_nothing(made):
    folder = made[0]
    text = (folder / "socialcare" / "cin-2026.xml").read_text()
    whole = (folder / "returns" / "cin-2026.xml").read_text()
    referred = {row["cine_person_id"] for row in table(folder, "cin_episodes")}
    held = {part.split("<")[0] for part in text.split("<LAchildID>")[1:]}
    assert len(held) > 20 and not held & referred
    assert text.count("<CINclosureDate>") == len(held) < whole.count("<CINdetails>")
    for name in ("Assessments", "AssessmentFactors", "CINPlanDates", "Section47", "ChildProtectionPlans", "CPPreviewDate", "Disability"):
        assert f"<{name}>" in whole, name


@pytest.mark.parametrize("folder", ["socialcare", "returns"])
def test_the_census_is_valid_by_the_schema_of_its_year(made, folder):
    from lxml import etree

    schema = desks.SHARED / "liia-tools-pipeline/liiatools/cin_census_pipeline/spec/CIN_schema_2026.xsd"
    if not schema.exists():
        pytest.skip("the sector's schema is not beside this project")
    etree.XMLSchema(etree.parse(schema)).assertValid(etree.parse(made[0] / folder / "cin-2026.xml"))


def test_an_adopted_childs_two_records_share_nothing_and_the_school_tells_of_it(made):
    folder = made[0]
    pairs = json.loads((folder / "adoption_pairs.json").read_text())
    people = {row["pers_person_id"]: row for row in table(folder, "persons")}
    truth = {row["record"]: row["child"] for row in csv.DictReader((folder / "truth.csv").open())}
    spring = {truth[row["pupilonrolltableid"]]: row for row in census(folder, "2026_spring*_pupilonroll.csv")}
    order = {row["CHILD"]: row["REC"] for row in module(folder / "socialcare", "episodes")}
    for pair in pairs:
        after = spring[truth[pair["other"]]]
        assert after["plaa"] == "A" and after["formersurname"] == people[pair["one"]]["pers_surname"]
        assert order[pair["one"]] == "E11" and pair["other"] not in order
    closed = {row["cine_person_id"]: row["cine_close_reason"] for row in table(folder, "cin_episodes")}
    assert {one for one, why in closed.items() if why == "RC1"} == {pair["one"] for pair in pairs}


def test_school_and_social_care_name_one_home_one_mother_and_the_same_needs(made):
    folder = made[0]
    truth = list(csv.DictReader((folder / "truth.csv").open()))
    social = {row["child"]: row["record"] for row in truth if row["service"] == "socialcare"}
    pupil = {row["child"]: row["record"] for row in truth if row["kind"] == "census" and row["record"].startswith("P")}
    homes = {row["addr_person_id"]: row["addr_address_postcode"] for row in table(folder, "address")}
    school = {row["pupilonrolltableid"]: row["postcode"] for row in census(folder, "*_addressesonroll.csv")}
    both = [child for child in social if child in pupil and pupil[child] in school]
    assert len(both) > 150 and all(homes[social[child]] == school[pupil[child]] for child in both)
    people = {row["pers_person_id"]: row for row in table(folder, "persons")}
    mothers = {row["moth_childs_person_id"]: people[row["moth_person_id"]] for row in table(folder, "mother")}
    students = {str(one["id"]): one for path in (folder / "education").rglob("students-*.json") for one in json.loads(path.read_text())["students"]}
    for child, one in students.items():
        if child in social:
            first = one["contacts"]["data"][0]
            assert (first["forename"], first["surname"]) == (mothers[social[child]]["pers_forename"], mothers[social[child]]["pers_surname"])
    needs = {(row["senn_active_ehcp_id"][2:], row["senn_active_ehcp_need_type"]) for row in table(folder, "sen_need")}
    told = {(row["pupilonrolltableid"].lstrip("P0"), row["sentype"]) for row in census(folder, "*_senneeds.csv")}
    assert needs and needs <= told


def test_the_summer_is_counted_by_its_two_halves_and_every_session_once(made):
    summer = {row["pupilonrolltableid"]: row for row in census(made[0], "2026_summer*_pupilonroll.csv")}
    autumn = {row["pupilonrolltableid"]: row for row in census(made[0], "2026_autumn*_pupilonroll.csv")}
    stayed = [id for id in summer if id in autumn and summer[id]["entrydate"] < "2026-01-01"]
    assert {int(summer[id]["termlysessionspossible"]) + int(autumn[id]["summerhalfterm2sessionspossible"]) for id in stayed} == {134}


def test_a_transfer_file_is_written_of_everybody_who_left_a_school_this_year(made):
    left = {row["upn"] for row in census(made[0], "*_pupilnolongeronroll.csv") if row["upn"]}
    told = "".join(path.read_text() for path in (made[0] / "education").rglob("*_CTF_*.xml"))
    assert len(left) > 40 and [upn for upn in left if f"<UPN>{upn}</UPN>" not in told] == []


async def test_a_later_file_deletes_a_grandparent_and_nothing_else(small, database, tmp_path):
    desk = await desks.desk(database, "education", education.recognise, tmp_path)
    await desk.forget()
    await desk.take_paths([small[0] / "education"])
    before = len(desk.published)
    reports = await desk.take_paths([small[0] / small[1]["deletion"]["file"]])
    assert faults(reports) == [] and [type for _, type, _ in desk.published[before:]] == ["education.relation-recorded.v1"]
    assert desk.published[-1][2]["withdrawn"] is True
    await desk.close()


async def test_a_transfer_file_adds_to_the_pupil_who_left_and_opens_no_enrolment(small, database, tmp_path):
    desk = await desks.desk(database, "education", education.recognise, tmp_path)
    await desk.forget()
    await desk.take_paths([small[0] / "education"])
    held = await desk.state()
    left = {name.split()[-1]: entries for name, entries in held.items() if name.startswith("census ") and name.split()[-1].startswith("L")}
    truth = [row for row in csv.DictReader((small[0] / "truth.csv").open()) if row["record"].startswith("L")]
    assert len(left) == len(truth) > 3
    for entries in left.values():
        enrolments = [fields for name, (fields, withdrawn) in entries.items() if "leaving_date" in fields and not withdrawn]
        assert len(enrolments) == 1 and enrolments[0]["leaving_date"]
        assert [fields for fields, withdrawn in entries.values() if fields.get("relationship") == "PAM" and not withdrawn], "the transfer file's contact"
    await desk.close()
