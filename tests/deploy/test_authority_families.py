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
        assert len(desk.streams("person-recorded")) == sum(row["service"] == service for row in truth)
        await desk.close()
