"""What rows of one delivery say against one another is published with the entry, both values with their places."""

from __future__ import annotations

import pytest

from services.plumbing.contracts import Schemas
from services.plumbing.register.entries import Provenance, State, Statement
from services.plumbing.register.statements import decide
from tests.importing import CONTRACTS

SCHEMAS = Schemas.load(CONTRACTS)
PERSON, RELATION = "education.person-recorded.v1", "education.relation-recorded.v1"


def place(value, row: int, file: str = "a.csv", extracted: str = "2026-11-20") -> dict:
    return {"value": value, "file": file, "row": row, "extracted": extracted}


def said(state: State, row: int, *, sha: str = "1", extracted: str = "2026-11-20", otherwise=None, type: str = PERSON, **fields) -> list[dict]:
    """The data of the events that one row comes to; each keeps its contract."""
    one = Statement(type, "R-IDENT", fields, row=row, otherwise=otherwise or {})
    outcome = decide(state, [one], Provenance(extracted, "a.csv", sha), SCHEMAS)
    for event in outcome.events:
        SCHEMAS.validate(event.type, event.data)
    return [event.data for event in outcome.events]


BOTH = {"birth_date": [place("2015-01-02", 2), place("2015-02-01", 5)]}


@pytest.fixture
def contradicted() -> State:
    state = State()
    said(state, 2, birth_date="2015-01-02")
    (data,) = said(state, 5, birth_date="2015-02-01", otherwise=BOTH)
    assert data["birth_date"] == "2015-02-01" and data["contradictions"] == [{"field": "birth_date", "said": BOTH["birth_date"]}]
    return state


def test_the_same_rows_again_say_nothing_new(contradicted):
    assert said(contradicted, 2, birth_date="2015-01-02") == [] == said(contradicted, 5, birth_date="2015-02-01", otherwise=BOTH)


def test_a_corrected_file_of_the_same_day_ends_it_even_where_the_value_stays(contradicted):
    (data,) = said(contradicted, 2, sha="2", birth_date="2015-02-01")
    assert data["birth_date"] == "2015-02-01" and "contradictions" not in data


def test_a_newer_extract_ends_it_and_an_older_one_does_not(contradicted):
    assert said(contradicted, 2, sha="0", extracted="2026-11-01", birth_date="2015-02-01") == []
    (data,) = said(contradicted, 2, sha="3", extracted="2026-12-01", birth_date="2015-02-01")
    assert "contradictions" not in data


def test_the_same_rows_again_after_a_newer_extract_of_other_things_say_nothing_new(contradicted):
    said(contradicted, 2, sha="3", extracted="2026-12-01", given_name="Ada")
    assert said(contradicted, 2, birth_date="2015-01-02") == [] == said(contradicted, 5, birth_date="2015-02-01", otherwise=BOTH)


def test_a_row_that_says_nothing_of_the_field_or_leaves_it_blank_leaves_it_contradicted(contradicted):
    (data,) = said(contradicted, 7, given_name="Ada", birth_date=None)
    assert data["contradictions"] and data["given_name"] == "Ada"


def test_a_number_stands_contradicted_under_its_type():
    state, told = State(), {"identifiers/upn": [place("A1", 2), place("B1", 5)]}
    number = {"type": "upn", "valid": False, "reason": "length"}
    said(state, 2, identifiers=[number | {"value": "A1"}])
    (data,) = said(state, 5, identifiers=[number | {"value": "B1"}], otherwise=told)
    assert data["contradictions"] == [{"field": "identifiers/upn", "said": told["identifiers/upn"]}]


def test_an_entry_with_a_key_keeps_both_words_until_it_is_said_anew():
    state, key = State(), {"other_local_id": "M", "relationship": "mother"}
    said(state, 2, type=RELATION, parental_responsibility="yes", **key)
    told = {"parental_responsibility": [place("yes", 2), place("no", 5)]}
    (data,) = said(state, 5, type=RELATION, parental_responsibility="no", otherwise=told, **key)
    assert data["contradictions"][0]["field"] == "parental_responsibility"
    (data,) = said(state, 2, sha="2", extracted="2026-12-01", type=RELATION, parental_responsibility="no", **key)
    assert "contradictions" not in data


def test_of_somebody_who_was_adopted_no_other_rows_word_is_published():
    state, told = State(), {"family_name": [place("Before", 2), place("After", 5)]}
    said(state, 2, family_name="Before")
    (data,) = said(state, 5, family_name="After", otherwise=told)
    assert data["contradictions"]
    one = Statement(PERSON, "R-IDENT", {"given_name": "Ada"}, row=7, adopted=True)
    event, *_ = decide(state, [one], Provenance("2026-11-20", "a.csv", "1"), SCHEMAS).events
    assert "contradictions" not in event.data
    assert "contradictions" not in said(state, 9, family_name="Later", otherwise={"family_name": [place("Before", 8), place("Later", 9)]})[0]


def test_what_another_row_said_is_taken_back_when_another_entry_tells_of_the_adoption():
    state, told = State(), {"family_name": [place("Before", 2), place("After", 5)]}
    said(state, 5, family_name="After", otherwise=told)
    one = Statement("education.left-care-recorded.v1", "R-ADOPT", {"left_care_id": "1"}, row=7, adopted=True)
    found = decide(state, [one], Provenance("2026-11-20", "b.csv", "2"), SCHEMAS).events
    assert [event.data["family_name"] for event in found if event.type == PERSON and "contradictions" not in event.data] == ["After"]
