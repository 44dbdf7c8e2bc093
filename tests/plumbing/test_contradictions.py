"""What the rows of one delivery say against one another is told with both places, and costs no memory worth counting."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest

from services.plumbing.files.contradictions import Spoken
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said


def said(row: int, *keys: tuple[str, str], file: str = "f.csv", joins: tuple = (), **fields) -> Said:
    statement = Statement("t", "R-IDENT", fields, row=row)
    return Said(keys, (statement,), Report(file), Provenance("2026-11-20", file), joins=joins)


@pytest.fixture
def spoken():
    with contextlib.closing(Spoken(lambda statement: "identity")) as found:
        yield found


def flags(spoken: Spoken, *rows: Said) -> list[str]:
    for one in rows:
        spoken.compare(one)
    return [item for one in rows for item in one.report._unwritten]


def test_two_rows_that_differ_are_told_with_both_places(spoken):
    (flag,) = flags(spoken, said(2, ("local", "1"), given_name="Ada"), said(5, ("local", "1"), given_name="Ida", file="g.csv"))
    assert '"row": 5' in flag and "f.csv row 2 says otherwise (Ada)" in flag


def test_another_subject_and_other_capitals_contradict_nobody(spoken):
    assert flags(spoken, said(2, ("local", "1"), name="Ada"), said(3, ("local", "2"), name="Bo"), said(4, ("local", "1"), name="ADA")) == []


def test_a_subject_is_the_same_under_every_name_that_any_row_gave_it(spoken):
    rows = (said(2, ("mis", "7"), name="Ada"), said(3, ("census", "P1"), joins=(("mis", "7"),), name="Ida"), said(4, ("census", "P1"), name="Eda"))
    assert len(flags(spoken, *rows)) == 2


def test_a_value_of_any_characters_and_size_is_compared(spoken):
    assert len(flags(spoken, said(2, ("local", "\ud800"), name="\ud800", number=1), said(3, ("local", "\ud800"), name="b", number=1 << 90))) == 2


def test_many_rows_are_no_matter_of_memory(spoken):
    tracemalloc.start()
    for row in range(20_000):
        spoken.compare(said(row, ("local", str(row)), joins=(("name", f"x{row}"),), given_name="A" * 20, family_name="B" * 20, birth_date="2015-01-01"))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


def test_a_row_carries_every_different_value_with_its_place_and_what_cannot_be_stored_is_told_in_the_report_alone(spoken):
    rows = [said(2, ("local", "1"), name="Ada"), said(5, ("local", "1"), name="Ida", file="g.csv"), said(9, ("local", "1"), name="ida", file="g.csv")]
    told = [spoken.compare(one).statements[0].otherwise for one in rows]
    ada = {"value": "Ada", "file": "f.csv", "row": 2, "extracted": "2026-11-20"}
    assert told[0] == {} and told[1]["name"] == [ada, {**ada, "value": "Ida", "file": "g.csv", "row": 5}]
    assert told[2]["name"] == [ada, {**ada, "value": "ida", "file": "g.csv", "row": 9}]
    assert spoken.compare(said(3, ("local", "2"), name="a\0b")).statements[0].otherwise == {}
    assert spoken.compare(said(4, ("local", "2"), name="c")).statements[0].otherwise == {}


def test_names_from_before_are_no_contradiction_that_travels(spoken):
    spoken.compare(said(2, ("local", "1"), former_family_name="Corn"))
    assert spoken.compare(said(3, ("local", "1"), former_family_name="Dale")).statements[0].otherwise == {}
