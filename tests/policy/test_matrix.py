"""The matrix of the sentences, cell by cell, against the starter policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.disclosure.levels import NAMES
from services.policy.leases import PURPOSES
from tests.policy import deciding

MATRIX = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text())
LETTERS = {"F": "full", "M": "masked", "N": "noted", "-": "hidden"}
ASKED = ("who", "kinds", "purpose", "phase", "courses", "statuses", "age_band", "glass")
CLOSING = [{key: row[key] for key in ("who", "kinds", "purpose")} for row in MATRIX["rows"] if row.get("phase") == "closing"]
WORK = [row for place, row in enumerate(CLOSING) if row not in CLOSING[:place]]


def name(row: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (row["who"], "+".join(row["kinds"]) or "none", *(row.get(key, "") for key in ASKED[2:])) if part)


def request(row: dict[str, Any], **changes: Any):
    return deciding.request(**{**{key: row[key] for key in ASKED if key in row}, **changes})


def resource(row: dict[str, Any], category: str) -> dict[str, Any]:
    source = row.get("source", {}).get(category)
    return deciding.resource(category, **({"source_service": source} if source else {}))


@pytest.mark.parametrize("row", MATRIX["rows"], ids=name)
def test_each_row_shows_what_its_sentences_say(row):
    who = request(row)
    wanted = {category: LETTERS[letter] for category, letter in zip(MATRIX["columns"], row["levels"], strict=True)}
    assert {category: deciding.level(who, resource(row, category)) for category in wanted} == wanted


@pytest.mark.parametrize("row", MATRIX["rows"], ids=name)
def test_a_post_works_for_the_purpose_of_its_row(row):
    assert row["purpose"] in PURPOSES[row["who"]] or not set(row["levels"]) - {"-"}


@pytest.mark.parametrize("who", WORK, ids=name)
def test_ending_the_work_never_shows_more_than_the_work_did(who):
    for training in (deciding.TRAINING, ("data_protection",)):
        for statuses in ([], ["need"], ["looked_after"], ["care_leaver"]):
            current, closing = (request(who, phase=phase, statuses=statuses, training=training) for phase in ("current", "closing"))
            for category in MATRIX["columns"]:
                what = deciding.resource(category)
                assert NAMES[deciding.level(closing, what)] <= NAMES[deciding.level(current, what)], (training, statuses, category)


def test_every_post_has_a_row():
    assert set(PURPOSES) == {row["who"] for row in MATRIX["rows"]}
