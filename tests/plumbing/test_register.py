"""What becomes of a statement: said again it is nothing new, an older extract changes nothing, a blank is what it should be."""

from __future__ import annotations

import asyncio
import copy
import itertools
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.contracts import Schemas
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Held, Provenance, State, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.statements import decide
from tests import importing as desks

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


def test_a_withdrawal_of_every_entry_that_fits_takes_those_and_no_others():
    state = State()
    said(state, referral("r", referral_source="1A"), referral("s", referral_source="6"), referral("t", referral_source="6"))
    away = Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_source": "6"}, withdrawn=True, every="any")
    events = said(state, away, extracted="2026-11-21").events
    assert [(one.data["referral_id"], one.data["withdrawn"]) for one in events] == [("s", True), ("t", True)]
    assert said(state, away, extracted="2026-11-22").events == []


def test_a_newer_list_withdraws_what_only_an_older_one_held_in_whatever_order_its_parts_come():
    state = State()
    said(state, referral("r"), referral("s"))
    others = Statement("socialcare.referral-recorded.v1", "R-CASE", {}, withdrawn=True, every="older")
    for part in ((referral("s", referral_source="6"), others), (referral("t"), others)):
        said(state, *part, extracted="2026-11-21", sha256="newer")
    assert {name.rpartition("\x1f")[2] for name, held in state.entries.items() if not held.withdrawn} == {"s", "t"}
    assert said(state, referral("u"), referral("r"), others, extracted="2026-11-19").events == []


UPN = {"type": "upn", "value": "A999000000012", "valid": True, "reason": None}
LOCAL = {"type": "local_child_id", "value": "1", "valid": True, "reason": None}
FORMER_UPN = {"type": "former_upn", "value": "B801200005001", "valid": True, "reason": None}


def adoption(event: str, **fields) -> Statement:
    return Statement(event, "R-ADOPT", fields)


ADOPTED = [
    adoption("socialcare.adoption-recorded.v1", adoption_id="adopted E1", rec="E11", restriction="statute"),
    adoption("socialcare.adoption-recorded.v1", adoption_id="903", date_match="2020-01-02", restriction="statute"),
    adoption("socialcare.adoption-recorded.v1", adoption_id="903 2020-01-02", date_placed="2020-01-02", restriction="statute"),
    adoption("socialcare.adoption-sign-recorded.v1", sign_id="closed r", sign="closed", restriction="statute"),
    adoption("socialcare.adoption-pair-recorded.v1", other_stream="5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60"),
    Statement("socialcare.protection-recorded.v1", "R-IDENT", {"protection_kind": "adopted", "start_date": "2020-01-02"}),
]
NOT_ADOPTED = [
    adoption("socialcare.adoption-recorded.v1", adoption_id="status E1", ls="E1", restriction="statute"),
    adoption("socialcare.adoption-recorded.v1", adoption_id="placement P1", place="U5", restriction="statute"),
    adoption("socialcare.adoption-sign-recorded.v1", sign_id="non_agency r", sign="non_agency", restriction="statute"),
    Statement("socialcare.protection-recorded.v1", "R-IDENT", {"protection_kind": "shielded", "start_date": "2020-01-02"}),
]


@pytest.mark.parametrize("told", ADOPTED)
def test_when_it_becomes_known_that_somebody_was_adopted_who_they_are_is_said_again_without_what_is_from_before(told):
    state = State()
    said(state, person(given_name="Ada", former_family_name="Before", identifiers=[UPN, FORMER_UPN]), sha256="a")
    events = said(state, told, extracted="2026-11-19", sha256="adoptions").events
    again = next(one for one in events if one.type == "socialcare.person-recorded.v1")
    SCHEMAS.validate(again.type, again.data)
    assert (again.data["given_name"], again.data["identifiers"], again.record_class) == ("Ada", [UPN], "R-IDENT")
    assert "former_family_name" not in again.data and again.data["provenance"] == {"extracted": "2026-11-20"}, "it names no file"


@pytest.mark.parametrize("told", NOT_ADOPTED)
def test_who_is_on_the_way_to_adoption_or_shielded_keeps_the_name_and_the_number_from_before(told):
    state = State()
    said(state, person(former_family_name="Before", identifiers=[UPN, FORMER_UPN]))
    assert [one.type for one in said(state, told).events] == [told.type] and not state.adopted


def test_a_name_that_a_blank_never_erases_goes_where_it_is_older_than_what_tells_of_the_adoption():
    state = State()
    said(state, person(given_name="Ada", known_as="Bee", middle_names="Cee"), extracted="2026-11-18", sha256="a")
    said(state, person(given_name="Ada", middle_names="Cee", known_as=None), extracted="2026-11-20", sha256="b")
    said(state, ADOPTED[0], extracted="2026-11-20", sha256="adoptions")
    held = next(one for name, one in state.entries.items() if name.startswith("identity"))
    assert held.fields == {"given_name": "Ada", "middle_names": "Cee"}


def test_of_an_adopted_one_no_later_or_older_extract_brings_a_name_or_a_number_from_before():
    state = State()
    said(state, person(given_name="Ada", identifiers=[UPN]), ADOPTED[0])
    for number, day in enumerate(("2026-11-22", "2026-11-18", "2026-11-20")):
        assert said(state, person(former_family_name="Before", identifiers=[FORMER_UPN]), extracted=day, sha256=str(number)).events == []
    assert said(state, person(identifiers=[UPN | {"type": "former_upn"}]), extracted="2026-11-24", sha256="n").events == [], "the number now stays"
    now = said(state, person(given_name="Ida"), extracted="2026-11-24", sha256="b").events[0].data
    assert (now["given_name"], now["identifiers"]) == ("Ida", [UPN])


def test_the_mark_stays_when_what_told_of_the_adoption_is_withdrawn():
    state = State()
    said(state, ADOPTED[0])
    said(state, replace(ADOPTED[0], withdrawn=True), extracted="2026-11-21")
    said(state, person(given_name="Ada", former_family_name="Before"), extracted="2026-11-22")
    assert state.adopted and "Before" not in repr(state.entries)


def test_the_mark_is_the_same_in_whatever_order_the_files_come():
    found = [("2026-11-20", person(given_name="Ada", former_family_name="Before")), ("2026-11-21", ADOPTED[0]), ("2026-11-22", person(given_name="Ida", identifiers=[FORMER_UPN]))]
    ends = []
    for order in itertools.permutations(found):
        state = State()
        for day, one in order:
            said(state, one, extracted=day, sha256=day)
        ends.append({name: held.fields for name, held in state.entries.items()})
    assert all(one == ends[0] for one in ends) and {"given_name": "Ida"} in ends[0].values()


def test_a_register_that_kept_it_field_by_field_knows_the_adopted_by_that():
    state = State({"identity\x1fperson\x1f": Held({"given_name": "Ada"}, "2026-11-20", since={"former_family_name": "9999-12-31"})})
    assert said(state, person(former_family_name="Before"), extracted="2026-11-21").events == [] and state.adopted


AWAY = {
    "by its name": Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": "r"}, withdrawn=True),
    "by what it has": Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_source": "6"}, withdrawn=True, every="any"),
    "all of its kind": Statement("socialcare.referral-recorded.v1", "R-CASE", {}, withdrawn=True, every="any"),
}


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_what_is_withdrawn_before_it_came_is_no_event_and_only_a_newer_extract_brings_it(away):
    state = State()
    outcome = said(state, away, extracted="2026-11-20", sha256="deletions")
    assert outcome.events == [] and outcome.moved
    assert said(state, referral("r", referral_source="6"), extracted="2026-11-19", sha256="older").events == []
    assert said(state, away, extracted="2026-11-20", sha256="deletions").moved is False, "the same file again changes nothing"
    assert len(said(state, referral("r", referral_source="6"), extracted="2026-11-21", sha256="newer").events) == 1


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_of_one_day_the_last_word_stands_be_it_a_withdrawal_or_not(away):
    state = State()
    said(state, away, sha256="deletions")
    assert len(said(state, referral("r", referral_source="6"), sha256="corrected").events) == 1
    assert said(state, away, sha256="deletions again").events[0].data["withdrawn"] is True


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_a_withdrawal_ends_the_same_in_whatever_order_the_files_come(away):
    for newest in ([], [("2026-11-22", referral("r", referral_source="6", referral_date="2026-01-02"))]):
        files = [("2026-11-20", referral("r", referral_source="6", referral_date="2026-01-01")), ("2026-11-21", away), *newest]
        ends = []
        for order in itertools.permutations(files):
            state = State()
            for day, one in order:
                said(state, one, extracted=day, sha256=day)
            ends.append({name: held.fields for name, held in state.entries.items() if not held.withdrawn})
        assert all(one == ends[0] for one in ends) and len(ends[0]) == len(newest)


def test_of_a_purge_that_comes_late_only_what_a_newer_extract_said_of_the_person_stays():
    purge = Statement("socialcare.person-recorded.v1", "R-IDENT", {}, withdrawn=True, every="any")
    files = [("2026-11-20", person(given_name="Ada", family_name="Before", identifiers=[UPN])), ("2026-11-21", purge), ("2026-11-22", person(given_name="Ida", identifiers=[LOCAL]))]
    for order in itertools.permutations(files):
        state = State()
        for day, one in order:
            said(state, one, extracted=day, sha256=day)
        assert [held.fields for held in state.entries.values() if not held.withdrawn] == [{"given_name": "Ida", "identifiers": [LOCAL]}]


def test_of_who_a_person_was_said_to_be_an_older_extract_fills_nothing_after_a_purge_though_a_request_made_the_person_again():
    state = State()
    said(state, Statement("socialcare.person-recorded.v1", "R-IDENT", {}, withdrawn=True, every="any"), extracted="2026-11-20", sha256="purge")
    assert len(said(state, person(identifiers=[LOCAL]), extracted="2026-11-24").events) == 1
    assert said(state, person(given_name="Ada"), extracted="2026-11-19", sha256="older").events == []
    assert said(state, person(given_name="Ada"), extracted="2026-11-21", sha256="newer").events[0].data["given_name"] == "Ada"


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


def test_a_person_made_by_a_request_never_keeps_an_extract_out():
    state = State()
    first = said(state, person(identifiers=[LOCAL], given_name="?"), extracted="2026-11-24").events[0].data
    now = said(state, person(given_name="Ada", identifiers=[UPN]), extracted="2026-11-20", sha256="a").events[0].data
    assert first["provenance"]["extracted"] < now["provenance"]["extracted"] == "2026-11-20"
    assert now["given_name"] == "Ada" and len(now["identifiers"]) == 2


def test_a_request_fills_what_an_extract_lacks_and_changes_nothing_else():
    state = State()
    said(state, person(given_name="Ada"), extracted="2026-11-20", sha256="a")
    now = said(state, person(given_name="?", identifiers=[LOCAL]), extracted="2026-11-24").events[0].data
    assert (now["given_name"], now["identifiers"], now["provenance"]["extracted"]) == ("Ada", [LOCAL], "2026-11-20")


def test_a_later_extract_may_still_correct_what_a_request_filled():
    state = State()
    said(state, person(given_name="Ada"), extracted="2026-11-20", sha256="a")
    said(state, person(family_name="?"), extracted="2026-11-24")
    assert said(state, person(family_name="Zwilling"), extracted="2026-11-21", sha256="b").events[0].data["family_name"] == "Zwilling"


def test_a_correction_back_on_the_same_day_counts_when_another_file_says_it():
    state = State()
    for sha256, code in (("a", "/"), ("b", "O"), ("c", "/")):
        assert len(said(state, mark("AM", code), sha256=sha256).events) == 1
    assert said(state, mark("AM", "O"), sha256="b").events == []


def test_a_file_taken_again_after_a_request_corrected_it_changes_nothing():
    state = State()
    said(state, mark("AM", "/"), sha256="a")
    said(state, mark("AM", "O"))
    assert said(state, mark("AM", "/"), sha256="a").events == []


def test_rows_of_one_file_that_contradict_one_another_end_with_the_last_and_again_change_nothing():
    state = State()
    rows = [Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": "r", "referral_source": source}, row=row) for row, source in enumerate(("1A", "1B", "1A"), 2)]
    said(state, *rows, sha256="a")
    assert next(iter(state.entries.values())).fields["referral_source"] == "1A"
    assert said(state, *rows, sha256="a").events == []


def test_a_number_is_not_current_and_former_at_once():
    state = State()
    said(state, person(identifiers=[UPN]))
    events = said(state, person(identifiers=[UPN | {"type": "former_upn"}])).events
    assert [one["type"] for one in events[0].data["identifiers"]] == ["former_upn"]


def test_what_completes_makes_no_entry_and_leaves_it_as_old_as_it_is():
    state = State()
    name = Statement("education.enrolment-recorded.v1", "R-PUPIL", {"school": "s", "school_name": "Hill Road"}, completes=True)
    assert said(state, name).events == []
    enrolments = [Statement("education.enrolment-recorded.v1", "R-PUPIL", {"school": school, "entry_date": "2020-09-01"}) for school in "st"]
    said(state, *enrolments, extracted="2026-10-01")
    events = said(state, name, extracted="2026-11-20").events
    assert [(one.data["school"], one.data["school_name"], one.data["provenance"]["extracted"]) for one in events] == [("s", "Hill Road", "2026-10-01")]


persons = st.lists(
    st.fixed_dictionaries({}, optional={"given_name": st.sampled_from(["Ada", "Ida", None]), "sex": st.sampled_from(["F", "M"]), "identifiers": st.sampled_from([[UPN], [LOCAL]])}),
    min_size=2, max_size=4,
)  # fmt: skip


@given(persons, st.randoms())
def test_an_older_extract_never_changes_what_a_newer_one_spoke_of(found, random):
    days = [(f"2026-11-{day:02d}", fields) for day, fields in enumerate(found, 1)]
    random.shuffle(days)
    state = State()
    for number, (day, fields) in enumerate(days):
        said(state, person(**fields), extracted=day, sha256=str(number))
    held = next(iter(state.entries.values()))
    for name in ("given_name", "sex"):
        spoken = [fields[name] for fields in found if fields.get(name) is not None]
        assert held.fields.get(name) == (spoken[-1] if spoken else None)


async def test_a_part_that_is_refused_tells_of_no_adoption_and_takes_nothing_away(database, tmp_path):
    desk = await desks.desk(database, "socialcare", None, tmp_path)
    ada = person(given_name="Ada", former_family_name="Before")
    bad = [replace(ADOPTED[0], fields={**ADOPTED[0].fields, "adoption_id": ""}, row=2, part=1), replace(AWAY["all of its kind"], row=2, part=1)]
    report = Report("f.csv")
    await desk.register.take([Said((("local", "1"),), (replace(ada, row=2), *bad), report, Provenance("2026-11-20", "f.csv", "a"))])
    await desk.register.take([Said((("local", "1"),), (referral(),), Report("g.csv"), Provenance("2026-11-19", "g.csv", "b"))])
    assert desk.said("adoption") == [] and desk.said("person")[-1]["former_family_name"] == "Before" and len(desk.said("referral")) == 1
    await desk.close()


async def test_a_person_made_while_an_extract_brings_them_loses_nothing(database, tmp_path):
    desk = await desks.desk(database, "socialcare", None, tmp_path)
    ada = Said((("local", "1"),), (person(given_name="Ada"),), Report("f.csv"), Provenance("2026-11-20", "f.csv", "a"))
    first, second = await asyncpg.connect(database), await asyncpg.connect(database)
    extract = first.transaction()
    await extract.start()
    await desk.register.take_in(first, [ada])

    async def made():
        async with second.transaction():
            return await desk.register.make(second, ("local", "1"))

    making = asyncio.create_task(made())
    await asyncio.sleep(0.3)
    await extract.commit()
    state = await desk.register.state(second, await making)
    assert next(iter(state.entries.values())).fields == {"given_name": "Ada"}
    for conn in (first, second, desk):
        await conn.close()
