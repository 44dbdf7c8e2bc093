"""The invented authority: the same every time, taken whole by the importers, and everyone in it invented."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date

import pytest

from deploy.local.authority.generate import generate
from deploy.local.authority.people import nhs_number, upn
from services.education import importing as education
from services.plumbing.files import values
from services.socialcare import importing as socialcare
from tests import importing as desks

TODAY = date(2026, 11, 24)
PROMISES = (
    "twin pair", "shielded child with a mistyped", "before adoption", "after adoption", "ended yesterday", "who is a relative",
    "Training that has expired", "different birth dates", "unborn sibling", "parked stream", "corrected later", "clue across files",
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


def test_about_as_many_are_in_need_on_plans_and_looked_after_as_in_the_country(tmp_path):
    counts = generate(tmp_path, children=6000, seed=4, today=TODAY)["counts"]
    assert 0.025 < counts["in_need"] / 6000 < 0.045
    assert 0.002 < counts["plans"] / 6000 < 0.007
    assert 0.004 < counts["looked_after"] / 6000 < 0.011


def test_every_role_has_a_person_and_every_promise_a_child(made):
    from services.policy.leases import PURPOSES

    people = json.loads((made[0] / "personas.json").read_text())
    names = [one["name"] for one in json.loads((made[0] / "scenarios.json").read_text())]
    assert {one["role"] for one in people} == set(PURPOSES)
    assert [promise for promise in PROMISES if not any(promise in name for name in names)] == []


def test_numbers_are_valid_and_of_ranges_that_nobody_has():
    for number in range(1, 3000, 7):
        assert values.upn(upn(number))["valid"] and upn(number)[1:4] == "999"
        assert values.nhs_number(nhs_number(number))["valid"] and nhs_number(number).startswith("999")


def test_the_truth_names_every_record_once(made):
    rows = list(csv.DictReader((made[0] / "truth.csv").open()))
    assert len({(row["service"], row["record"]) for row in rows}) == len(rows) > 300
