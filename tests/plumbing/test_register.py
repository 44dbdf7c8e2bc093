"""What becomes of a statement: said again it is nothing new, an older extract changes nothing, a blank is what it should be."""

from __future__ import annotations

import copy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.contracts import Schemas
from services.plumbing.register import Provenance, State, Statement, decide

SCHEMAS = Schemas.load(Path(__file__).parents[2] / "contracts")


def referral(id: str = "r", **fields) -> Statement:
    return Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": id, **fields})


def person(**fields) -> Statement:
    return Statement("socialcare.person-recorded.v1", "R-IDENT", fields)


def mark(session: str, code: str) -> Statement:
    fields = {"school": "s", "date": "2026-11-20", "session": session, "attendance_code": code}
    return Statement("education.attendance-recorded.v1", "R-REGISTER", fields)


def said(state: State, *statements: Statement, extracted: str = "2026-11-20", sha256: str | None = None):
    return decide(state, statements, Provenance(extracted, "f.csv" if sha256 else None, sha256), SCHEMAS)


def test_saying_it_again_is_no_event():
    state = State()
    assert len(said(state, referral(referral_date="2026-01-01")).events) == 1
    assert said(state, referral(referral_date="2026-01-01")).events == []


def test_an_older_extract_changes_nothing():
    state = State()
    said(state, referral(referral_date="2026-01-02"), extracted="2026-11-21")
    assert said(state, referral(referral_date="2026-01-01"), extracted="2026-11-20").events == []


def test_all_of_a_pupils_marks_of_one_file_are_one_event():
    events = said(State(), mark("AM", "/"), mark("PM", "O")).events
    assert len(events) == 1 and len(events[0].data["marks"]) == 2


def test_a_correction_carries_only_what_changed():
    state = State()
    said(state, mark("AM", "/"), mark("PM", "\\"))
    events = said(state, mark("AM", "O"), mark("PM", "\\"), extracted="2026-11-21").events
    assert [item["attendance_code"] for item in events[0].data["marks"]] == ["O"]


def test_a_blank_erases_a_field_of_a_referral_but_nothing_of_who_a_person_is():
    state = State()
    said(state, referral(referral_date="2026-01-01", closure_date="2026-02-01"), person(given_name="Ada"))
    events = said(state, referral(closure_date=None), person(given_name=None)).events
    assert len(events) == 1 and "closure_date" not in events[0].data and events[0].data["referral_date"] == "2026-01-01"


def test_numbers_go_by_their_kind_and_a_bad_one_stays_raw():
    state = State()
    good = {"type": "upn", "value": "A1", "valid": False, "reason": "format"}
    said(state, person(identifiers=[good]))
    events = said(state, person(identifiers=[{"type": "nhs_number", "value": "9990000018", "valid": True, "reason": None}])).events
    assert {one["type"] for one in events[0].data["identifiers"]} == {"upn", "nhs_number"}


def test_withdrawing_what_was_never_said_is_nothing():
    assert said(State(), Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": "r"}, withdrawn=True)).events == []


statements = st.lists(st.builds(referral, st.sampled_from("ab"), referral_date=st.sampled_from(["2026-01-01", "2026-01-02", None])), max_size=6)


@given(statements, st.sampled_from(["sha", None]))
def test_the_same_delivery_twice_publishes_nothing_new(found, sha256):
    state = State()
    said(state, *found, sha256=sha256)
    before = copy.deepcopy(state)
    again = said(state, *(found if sha256 else found[-0:]), sha256=sha256) if sha256 else said(state, *found[-1:])
    assert again.events == [] and state.entries.keys() == before.entries.keys()


@given(statements, statements)
def test_every_event_passes_its_contract(first, second):
    state = State()
    for delivery, extracted in ((first, "2026-11-20"), (second, "2026-11-21")):
        for event in said(state, *delivery, extracted=extracted).events:
            SCHEMAS.validate(event.type, event.data)
