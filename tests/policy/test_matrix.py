"""The matrix of the sentences, cell by cell, against the starter policies."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.policy import deciding

MATRIX = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text())
LETTERS = {"F": "full", "M": "masked", "N": "noted", "-": "hidden"}


@pytest.mark.parametrize("row", MATRIX["rows"], ids=lambda row: f"{row['who']} {'+'.join(row['kinds']) or 'none'} {row['purpose']} {row.get('phase', '')}")
def test_each_row_shows_what_its_sentences_say(row):
    training = (*deciding.TRAINING, *row.get("courses", []))
    who = deciding.request(row["who"], kinds=row["kinds"], purpose=row["purpose"], phase=row.get("phase", "current"), training=training,
                           statuses=row.get("statuses", ["need"]))  # fmt: skip
    wanted = {category: LETTERS[letter] for category, letter in zip(MATRIX["columns"], row["levels"], strict=True)}
    assert {category: deciding.level(who, deciding.resource(category)) for category in wanted} == wanted


def test_every_role_has_a_row_or_reads_nothing_but_by_the_adoption_gate():
    import json

    roles = set(json.loads((deciding.ROOT / "services/policy/purposes.json").read_text()))
    assert roles - {row["who"] for row in MATRIX["rows"]} == {"adoption-officer"}
