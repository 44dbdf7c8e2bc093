"""The file of survivorship's rules is checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.childview.projection import survivorship
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.survivorship import RulesRefused

CONTRACTS = Path(__file__).parents[3] / "contracts"


def load(tmp_path: Path, text: str):
    (tmp_path / survivorship.FILE).write_text(text)
    return survivorship.load([tmp_path], fields={"sex", "birth_date"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version: 1\nfields: {sx: {raise: true}}", "sx: no field of the catalogue"),
        ("version: 1\nfields: {sex: {trust: [education]}}", "sex: a rule is made of `trusted`, `raise`"),
        ("version: 1\nfields: {sex: {trusted: education}}", "sex: `trusted` is a list"),
        ("version: 1\nfields: {sex: {trusted: [education, education]}}", "sex: a source is trusted twice"),
        ("version: 1\nfields: {sex: {raise: maybe}}", "sex: `raise` is true or false"),
        ("version: 1\nfields: {sex: {unknown: U}}", "sex: `unknown` is a list"),
        ("version: 2\nfields: {}", "made of `version: 1`"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_field(tmp_path: Path, text: str, why: str):
    with pytest.raises(RulesRefused, match=why):
        load(tmp_path, text)


def test_the_rules_are_those_of_the_file_and_part_of_what_names_the_catalogue(tmp_path: Path):
    catalogue = Catalogue.load(CONTRACTS)
    raised = {found.id for found in catalogue.fields if catalogue.raised(found)}
    assert raised == {"birth_date", "sex", "parental_responsibility"}
    assert catalogue.trusted(catalogue.by_id("nhs_number")) == ("socialcare", "education")
    assert catalogue.trusted(catalogue.by_id("given_name")) == catalogue.categories["identity"].prefer
    (tmp_path / survivorship.FILE).write_text("version: 1\nfields: {sex: {raise: false}}")
    assert Catalogue.load(CONTRACTS, tmp_path).hash != catalogue.hash
