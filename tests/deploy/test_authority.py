"""The invented authority: the same every time, taken whole by the importers, and everyone in it invented."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date

import pytest

from deploy.local.authority import calendar, people, schooling
from deploy.local.authority.generate import generate
from deploy.local.authority.people import nhs_number, upn
from services.education import importing as education
from services.plumbing.contracts import code_lists
from services.plumbing.files import values
from services.socialcare import importing as socialcare
from tests import importing as desks

TODAY = date(2026, 11, 24)
PROMISES = (
    "twin pair", "shielded child with a mistyped", "before adoption", "after adoption", "ended yesterday", "who is a relative",
    "Training that has expired", "different birth dates", "unborn sibling", "parked stream", "corrected later", "clue across files",
    "protection plan", "in care", "care leaver", "Early help", "virtual school", "deleted later", "as her teacher after adoption",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    return folder, generate(folder, children=400, seed=2, today=TODAY)


def digest(folder) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(made, tmp_path):
    for seed in (2, 3):
        generate(tmp_path / str(seed), children=400, seed=seed, today=TODAY)
    assert digest(tmp_path / "2") == digest(made[0]) != digest(tmp_path / "3")


@pytest.mark.parametrize("day", [date(2026, 1, 2), date(2026, 2, 28), date(2026, 9, 1), date(2028, 2, 29)])
def test_it_can_be_made_on_any_day(tmp_path, day):
    assert generate(tmp_path, children=60, seed=1, today=day)["children"] == 60


async def test_every_file_is_taken_by_its_reader_without_a_refused_row(made, database, tmp_path):
    desk = await desks.desk(database, "education", education.recognise, tmp_path)
    reports = await desk.take_paths([made[0] / "education"])
    other = await desks.desk(database, "socialcare", socialcare.recognise, tmp_path)
    reports += await other.take_paths([made[0] / "socialcare"])
    assert [(one["file"], one.get("why"), one["refused"]) for one in reports if "why" in one or one["refused"]] == []


def test_as_many_are_in_need_on_plans_and_looked_after_as_in_the_country(tmp_path):
    counts = generate(tmp_path, children=3000, seed=4, today=TODAY)["counts"]
    named = 30
    assert 3000 <= counts["children"] <= 3000 + named + round(0.001 * 3000)
    assert 0.033 * 3000 <= counts["in_need"] <= 0.033 * 3000 + named
    assert (counts["plans"], counts["looked_after"]) == (12 + 1, 21 + 1), "one of each is named"


def test_every_role_has_a_person_and_every_promise_a_child(made):
    from services.policy.leases import PURPOSES

    people = json.loads((made[0] / "personas.json").read_text())
    names = [one["name"] for one in json.loads((made[0] / "scenarios.json").read_text())]
    assert {one["role"] for one in people} == set(PURPOSES)
    assert [promise for promise in PROMISES if not any(promise in name for name in names)] == []


# -- the school year ---------------------------------------------------------------------------------------------


def rows(folder, pattern: str) -> list[dict[str, str]]:
    return [row for path in sorted((folder / "education").rglob(pattern)) for row in csv.DictReader(path.open())]


def marks(folder) -> list[dict]:
    return [row for path in (folder / "education").rglob("marks-*.json") for row in json.loads(path.read_text())["data"]]


HOLIDAYS = [(date(2026, 10, 26), date(2026, 10, 30)), (date(2025, 12, 20), date(2026, 1, 4)), (date(2026, 3, 30), date(2026, 4, 10)), (date(2026, 2, 16), date(2026, 2, 20))]


def test_a_year_has_the_school_days_of_a_year_and_none_in_the_holidays():
    year = [day for term in calendar.terms(date(2026, 7, 31)) if date(2025, 9, 1) <= term.first for day in term.days(term.first, term.last)]
    assert 190 <= len(year) <= 196
    assert [day for day in year if day.weekday() > 4 or any(start <= day <= end for start, end in HOLIDAYS)] == []


@pytest.mark.parametrize("easter", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)])
def test_the_spring_holiday_lies_around_easter(easter):
    spring, summer = (term for term in calendar.terms(date(easter.year, 12, 31)) if term.year == easter.year and term.season in ("spring", "summer"))
    assert spring.last < easter < summer.first and 14 < (summer.first - spring.last).days < 20


def test_marks_lie_on_school_days_alone_four_school_weeks_of_them(made):
    days = sorted({date.fromisoformat(row["date"]) for row in marks(made[0])})
    assert len(days) == 20 and days[-1] == date(2026, 11, 23)
    assert [day for day in days if day.weekday() > 4 or date(2026, 10, 26) <= day <= date(2026, 10, 30)] == []


@pytest.mark.parametrize("day", [date(2026, 1, 2), date(2026, 9, 1), date(2026, 8, 15)])
def test_in_the_holidays_the_marks_are_those_of_the_last_school_weeks(tmp_path, day):
    generate(tmp_path, children=30, seed=1, today=day)
    found = {date.fromisoformat(row["date"]) for row in marks(tmp_path)}
    assert len(found) == 20 and all(one in term.days(one, one) for one in found for term in calendar.terms(day) if term.first <= one <= term.last)


def test_censuses_cover_a_year_up_to_the_marks_with_the_sessions_that_the_calendar_gives(made):
    pupils = rows(made[0], "*_pupilonroll.csv")
    possible = {stem: max(int(row["termlysessionspossible"] or 0) for row in rows(made[0], f"{stem}*_pupilonroll.csv")) for stem in ("2025_autumn", "2026_spring", "2026_summer", "2026_autumn")}
    assert possible == {"2025_autumn": 148, "2026_spring": 110, "2026_summer": 58, "2026_autumn": 68}
    first = min(date.fromisoformat(row["date"]) for row in marks(made[0]))
    assert all(date.fromisoformat(path.name.split("_")[2]) < first for path in (made[0] / "education").rglob("*_pupilonroll.csv"))
    assert len({row["sourceid"] for row in pupils}) == len(pupils)


def test_most_pupils_were_there_nine_days_of_ten_this_school_year(made):
    missed = sum(int(row["sessions"]) for row in rows(made[0], "2026_autumn*_termlysessiondetailsonroll.csv"))
    possible = sum(int(row["termlysessionspossible"] or 0) for row in rows(made[0], "2026_autumn*_pupilonroll.csv"))
    assert 0.9 < 1 - missed / possible < 0.97


def test_who_moved_this_year_has_sessions_at_both_schools_and_none_in_between(made):
    left = {row["sourceid"][1:9]: row for row in rows(made[0], "*_pupilnolongeronroll.csv")}
    entered = {row["sourceid"][1:9]: row["entrydate"] for row in rows(made[0], "2026_autumn*_pupilonroll.csv")}
    assert left
    for id, row in left.items():
        assert row["leavingdate"] < entered["P" + id[1:]]


@pytest.mark.parametrize("seed", range(12))
def test_the_mark_that_is_corrected_later_is_what_the_story_says_whatever_the_seed(tmp_path, seed):
    told = generate(tmp_path, children=20, seed=seed, today=TODAY)["correction"]
    truth = {code: letter for letter, code in schooling.CODES.items()}
    wanted = {row["student_id"] for row in json.loads((tmp_path / told["file"]).read_text())["data"]}
    held = [row for row in marks(tmp_path) if row["student_id"] in wanted and (row["date"], row["session"]) == (told["date"], told["session"])]
    assert [truth[row["attendance_code_id"]] for row in held] == [told["before"]]


def test_every_code_is_in_the_lists(made):
    codes = code_lists(desks.CONTRACTS)
    said = {
        "attendance": {row["attendancereason"] for row in rows(made[0], "*sessiondetails*.csv")} | set(schooling.CODES),
        "exclusion_reason": {row[f"reason{n}"] for row in rows(made[0], "*exclusions*.csv") for n in (1, 2, 3)} - {""} | set(schooling.REASONS),
        "exclusion_category": {row["category"] for row in rows(made[0], "*exclusions*.csv")},
        "sen_type": {row["sentype"] for row in rows(made[0], "*senneeds.csv")},
        "sen_provision": {row["senprovision"] for row in rows(made[0], "*_pupilonroll.csv")},
        "ethnicity": {row["ethnicity"] for row in rows(made[0], "*_pupilonroll.csv")},
        "language": {row["language"] for row in rows(made[0], "*_pupilonroll.csv")},
        "nc_year": {row["ncyearactual"] for row in rows(made[0], "*_pupilonroll.csv")},
        "need": {"N1", "N2", "N3", "N4", "N5", "N8"},
    }
    assert {name: sorted(found - codes[name].keys()) for name, found in said.items() if found - codes[name].keys()} == {}


def test_a_delivery_holds_a_few_schools_however_many_there_are(tmp_path):
    generate(tmp_path, children=4000, seed=1, today=TODAY)
    folders = list((tmp_path / "education").iterdir())
    assert len(folders) == 3
    for folder in folders:
        files = list(folder.iterdir())
        assert len(files) < 60 and len([one for one in files if one.name.startswith("marks-")]) <= schooling.SCHOOLS_A_DELIVERY


# -- what goes wrong, and who must not be found -------------------------------------------------------------------


def test_some_are_shielded_adopted_or_have_a_risk_in_the_family_beside_the_named_ones(made):
    manifest, protections = made[1], json.loads((made[0] / "protections.json").read_text())
    extract = next((made[0] / "socialcare").glob("*-ssd_persons.csv"))
    people = {row["pers_person_id"]: row for row in csv.DictReader(extract.open())}
    kinds = {kind: [one for one in protections if one["protection_kind"] == kind] for kind in ("shielded", "adopted", "risk_linked")}
    assert {kind: len(found) for kind, found in kinds.items()} == {kind: manifest["counts"][kind] for kind in kinds} == {"shielded": 2, "adopted": 2, "risk_linked": 1}
    assert all(one["local_id"] in people for one in protections)
    assert all(one["risk_local_id"] in people for one in kinds["risk_linked"])
    assert all(one["named_professional_ids"] for one in kinds["shielded"])


def test_of_an_adopted_child_both_records_are_there_and_declared_a_pair(made):
    pairs = json.loads((made[0] / "adoption_pairs.json").read_text())
    people = {row["pers_person_id"]: row for row in csv.DictReader(next((made[0] / "socialcare").glob("*-ssd_persons.csv")).open())}
    for pair in pairs:
        before, after = people[pair["one"]], people[pair["other"]]
        assert before["pers_dob"] == after["pers_dob"] and before["pers_surname"] != after["pers_surname"]


def test_some_are_named_otherwise_by_social_care_and_some_siblings_have_each_others_number():
    found = people.invent(6000, seed=3, today=TODAY)
    known = [child for child in found.children if child.social_care]
    renamed = [child for child in known if child.social_family and child.social_family != child.family]
    assert 0.003 < len(renamed) / len(known) < 0.025
    by_upn = {child.upn: child for child in found.children if child.upn}
    swapped = [child for child in known if child.social_upn and child.social_upn != child.upn and child.social_upn in by_upn]
    assert swapped
    for child in swapped:
        other = by_upn[child.social_upn]
        assert other.household == child.household and other.born != child.born


def test_a_pupil_whose_number_is_missing_or_wrong_stands_in_the_truth_by_the_schools_own_system_too(made):
    truth = list(csv.DictReader((made[0] / "truth.csv").open()))
    mis = {row["record"].split("|")[1]: row["child"] for row in truth if row["kind"] == "mis"}
    students = [one for path in (made[0] / "education").rglob("marks-*.json") for one in json.loads(path.read_text())["students"]]
    bad = {str(one["id"]) for one in students if not (values.upn(one["education_details"]["data"]["upn"]) or {}).get("valid")}
    assert bad and bad == set(mis) and all(number == child for number, child in mis.items())


def test_the_truth_names_every_record_of_every_file(made):
    truth = {(row["service"], row["record"]) for row in csv.DictReader((made[0] / "truth.csv").open())}
    census = {row[id] for id, pattern in (("pupilonrolltableid", "*_pupilonroll.csv"), ("pupilnolongeronrolltableid", "*_pupilnolongeronroll.csv")) for row in rows(made[0], pattern)}
    children = {row["pers_person_id"] for row in csv.DictReader(next((made[0] / "socialcare").glob("*-ssd_persons.csv")).open()) if not row["pers_person_id"].startswith("AD")}
    assert {("education", id) for id in census} | {("socialcare", id) for id in children} <= truth


def test_numbers_are_valid_and_of_ranges_that_nobody_has():
    for number in range(1, 3000, 7):
        assert values.upn(upn(number))["valid"] and upn(number)[1:4] == "999"
        assert values.nhs_number(nhs_number(number))["valid"] and nhs_number(number).startswith("999")


def test_the_truth_names_every_record_once(made):
    rows = list(csv.DictReader((made[0] / "truth.csv").open()))
    assert len({(row["service"], row["record"]) for row in rows}) == len(rows) > 300
