"""The view is a pure function of the log: order between streams, batches and repetition make no difference."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.childview.projection import compose, fold, view
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.compose import Link
from services.plumbing.contracts import Schemas
from tests.childview.events import OTHER, STREAM, event, involvement, marks, person, referral

CONTRACTS = Path(__file__).parents[3] / "contracts"
SCHEMAS, CATALOGUE = Schemas.load(CONTRACTS), Catalogue.load(CONTRACTS)
KEY = b"k" * 32
LINKS = {STREAM: Link("new", "linked", False, 1), OTHER: Link("automatic", "linked", False, 2)}
days = st.dates().map(lambda d: d.isoformat())
codes = st.sampled_from(["/", "\\", "I", "O", "L", "ZZ"])
names = st.text(alphabet="abcdefghij -'é", min_size=1, max_size=8)


def folded(events) -> dict[str, fold.SourceRecord]:
    records: dict[str, fold.SourceRecord] = {}
    for one in events:
        held = records.get(one.envelope.subject) or fold.new_record(one)
        records[one.envelope.subject] = fold.fold(held, one, SCHEMAS)
    return records


def bytes_of(events) -> bytes:
    records = folded(events)
    links = {stream: LINKS[stream] for stream in records}
    made = compose.compose("c", list(records.values()), links, catalogue=CATALOGUE, address_key=KEY)
    return msgspec.msgpack.encode([made.view, made.content, made.terms, made.references])


def references_of(events) -> list[str]:
    return msgspec.msgpack.decode(bytes_of(events))[3]


def composed(events) -> tuple[view.View, view.Content]:
    made, content, _, _ = msgspec.msgpack.decode(bytes_of(events))
    return view.decode(made), view.decode_content(content)


def words(events, field: str) -> list[dict]:
    """What every record says of a field, the best first."""
    _, content = composed(events)
    index = CATALOGUE.by_id(field).index
    return [
        json.loads(b"{" + member.full + b"}")[field]
        for segment in content.segments
        for number, member in zip(content.shapes[segment.shape].fields, view.members_of(segment), strict=True)
        if number == index
    ]


def values(events, field: str) -> list:
    return [one["value"] for one in words(events, field)]


@st.composite
def streams(draw):
    """Events of two streams, each in its own order."""
    def one(make, count):
        return [make(version) for version in range(1, count + 1)]

    school = one(lambda v: draw(st.one_of(
        st.builds(lambda g, f, e: person(v, given_name=g, family_name=f, birth_date="2015-01-02", extracted=e), names, names, days),
        st.builds(lambda i, e: involvement(v, involvement_id=i, professional_id=i, start_date="2026-01-01", extracted=e), st.sampled_from("ab"), days),
        st.builds(lambda found, e: marks(v, *[(d, s, c) for d, s, c in found], extracted=e),
                  st.lists(st.tuples(st.just("2026-11-20"), st.sampled_from(["AM", "PM"]), codes), max_size=3), days),
    )), draw(st.integers(1, 5)))  # fmt: skip
    care = one(lambda v: draw(st.one_of(
        st.builds(lambda g, e: person(v, stream=OTHER, service="socialcare", given_name=g, extracted=e), names, days),
        st.builds(lambda i, e: involvement(v, stream=OTHER, service="socialcare", involvement_id=i, professional_id=i, extracted=e), st.sampled_from("ab"), days),
        st.builds(lambda i, d, e: referral(v, referral_id=i, referral_date=d, extracted=e), st.sampled_from("ab"), days, days),
        st.builds(lambda i, e: referral(v, referral_id=i, withdrawn=True, extracted=e), st.sampled_from("ab"), days),
    )), draw(st.integers(1, 5)))  # fmt: skip
    return school, care


@given(streams(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_any_interleaving_that_keeps_each_streams_order_gives_the_same_bytes(found, luck: random.Random):
    school, care = found
    left, right, mixed = list(school), list(care), []
    while left or right:
        side = left if left and (not right or luck.random() < 0.5) else right
        mixed.append(side.pop(0))
    assert bytes_of([*school, *care]) == bytes_of(mixed) == bytes_of([*care, *school])


@given(streams())
@settings(max_examples=40, deadline=None)
def test_a_record_kept_and_read_again_between_any_two_events_is_the_same(found):
    school, care = found
    records: dict[str, bytes] = {}
    for one in [*school, *care]:
        held = fold.decode(records[one.envelope.subject]) if one.envelope.subject in records else fold.new_record(one)
        records[one.envelope.subject] = fold.encode(fold.fold(held, one, SCHEMAS))
    straight = {stream: fold.encode(record) for stream, record in folded([*school, *care]).items()}
    assert records == straight


def test_a_later_file_corrects_an_earlier_mark():
    found = [marks(1, ("2026-11-20", "AM", "/")), marks(2, ("2026-11-20", "AM", "O"), extracted="2026-11-02")]
    assert values(found, "attendance_code") == ["O"]


def test_an_older_extract_never_overwrites_a_newer_one():
    found = [marks(1, ("2026-11-20", "AM", "O"), extracted="2026-11-02"), marks(2, ("2026-11-20", "AM", "/"), extracted="2026-11-01")]
    assert values(found, "attendance_code") == ["O"]


def test_what_was_withdrawn_is_not_brought_back_by_an_older_extract():
    found = [
        referral(1, referral_id="a", referral_date="2026-01-01", extracted="2026-02-01"),
        referral(2, referral_id="a", withdrawn=True, extracted="2026-03-01"),
        referral(3, referral_id="a", referral_date="2026-01-01", extracted="2026-02-15"),
    ]
    assert values(found, "referral_period") == []


def test_an_unknown_kind_of_event_is_counted_and_changes_nothing_else():
    record = folded([person(1, given_name="A"), event("education.shoe-size-measured.v1", 2, {"size": 3})])[STREAM]
    assert record.unknown == 1 and record.version == 2 and len(record.entries) == 1


def test_a_destroyed_key_leaves_one_tombstone_the_same_live_and_rebuilt():
    gone = event("education.key-destroyed.v1", 3, {"record_class": "R-REGISTER"}, record_class="")
    live = bytes_of([person(1, given_name="A"), marks(2, ("2026-11-20", "AM", "O")), gone])
    withheld = event("education.attendance-recorded.v1", 2, None, state="destroyed", record_class="R-REGISTER")
    rebuilt = bytes_of([person(1, given_name="A"), withheld, gone])
    assert live == rebuilt
    assert composed([person(1, given_name="A"), marks(2, ("2026-11-20", "AM", "O")), gone])[0].tombstones == ["R-REGISTER"]


def test_two_sources_that_differ_are_both_kept_and_the_preferred_one_stands_first():
    found = [person(1, stream=OTHER, service="socialcare", birth_date="2015-02-01"), person(1, birth_date="2015-01-02")]
    assert [(one["value"], one["source"]) for one in words(found, "birth_date")] == [("2015-01-02", "education"), ("2015-02-01", "socialcare")]


def test_a_contact_of_a_school_is_found_by_the_whole_name_of_who_social_care_marked_as_a_risk():
    def relation(version: int, service: str, stream: str, **fields):
        return event(f"{service}.relation-recorded.v1", version, {"relationship": "contact", **fields}, stream=stream, record_class="R-IDENT")

    marked = [
        relation(1, "socialcare", OTHER, other_local_id="DAD", given_name="Zoë", family_name="O'Hara", lives_with_child="no"),
        event("socialcare.protection-recorded.v1", 2, {"protection_kind": "risk_linked", "start_date": "2026-01-01", "risk_local_id": "DAD"}, stream=OTHER, record_class="R-IDENT"),
    ]
    near = [relation(1, "education", STREAM, other_local_id="contact 9994001 7", given_name="zoe", family_name="O HARA", telephones=["07700 900000"])]
    half = [relation(1, "education", STREAM, other_local_id="contact 9994001 8", family_name="O'Hara")]
    risk = {one.removeprefix("risk:") for one in references_of(marked) if one.startswith("risk:")}
    assert "DAD" in risk and len(risk) == 2 and not any("hara" in one.lower() for one in references_of(marked))
    assert risk & {one.removeprefix("related:") for one in references_of(near)}
    assert [one for one in references_of(half) if "~" in one] == [], "half a name is nobody's"
    (person,) = composed(near)[0].inputs.related
    assert person.reached and not person.elsewhere and composed(marked)[0].inputs.related[0].elsewhere


# -- told twice -----------------------------------------------------------------------------------------------------


def exclusion(version: int, id: str, day: str = "2026-10-01", **more):
    return event("education.exclusion-recorded.v1", version, {"exclusion_id": id, "school": "9994001", "start_date": day, **more})


def episode(version: int, id: str, decom: str, *, extracted: str = "2026-11-01", **more):
    data = {"episode_id": id, "decom": decom, **more}
    return event("socialcare.looked-after-recorded.v1", version, data, stream=OTHER, record_class="R-CARE", extracted=extracted)


def test_a_suspension_that_a_mis_and_a_census_tell_of_counts_and_stands_once():
    told = [exclusion(1, "mis 9994001 7", sessions=2), exclusion(2, "2026-autumn 9994001 33", reasons=["PP"])]
    assert composed(told)[0].inputs.exclusions == {"2026/27": 1}
    assert values(told, "exclusion_sessions") == [2] and values(told, "exclusion_reasons") == [["PP"]]


def test_two_suspensions_of_a_day_in_one_system_stay_two_whatever_the_other_tells():
    census = [exclusion(n, f"2026-autumn 9994001 {n}") for n in (1, 2)]
    assert composed(census)[0].inputs.exclusions == {"2026/27": 2}
    assert composed([*census, exclusion(3, "mis 9994001 7")])[0].inputs.exclusions == {"2026/27": 2}
    assert composed([exclusion(1, "mis 9994001 7"), exclusion(2, "2026-autumn 9994001 1", day="2026-10-02")])[0].inputs.exclusions == {"2026/27": 2}


def test_an_episode_of_care_that_the_daily_extract_and_the_return_tell_of_stands_once_as_the_newer_says():
    daily, yearly = episode(1, "E1", "2026-01-01", ls="C2"), episode(2, "903 2026-01-01", "2026-01-01", dec="2026-03-01", cin="N1", extracted="2026-10-01")
    made, _ = composed([daily, yearly])
    assert [(one.start, one.end) for one in made.inputs.periods] == [("2026-01-01", None)], "the older return's end is not the newer extract's"
    assert values([daily, yearly], "care_period") == [{"start": "2026-01-01"}]
    newer = episode(2, "903 2026-01-01", "2026-01-01", dec="2026-12-01", extracted="2026-12-31")
    assert values([daily, newer], "care_period") == [{"start": "2026-01-01", "end": "2026-12-01"}]


def test_what_is_restricted_is_never_the_same_as_what_is_not():
    made = [
        event("socialcare.placement-recorded.v1", n, {"placement_id": id, "start_date": "2026-01-01", "place": "U1", **more}, stream=OTHER, record_class="R-CARE")
        for n, (id, more) in enumerate((("P1", {}), ("903 2026-01-01", {"restriction": "statute", "place": "A3"})), 1)
    ]  # fmt: skip
    assert sorted(values(made, "placement_type")) == ["A3", "U1"]


def test_a_plan_that_the_census_and_the_daily_extract_tell_of_stands_once():
    made = [
        event("socialcare.plan-recorded.v1", n, {"plan_kind": "protection", "plan_id": id, "start_date": "2026-01-01"}, stream=OTHER, record_class="R-CP")
        for n, id in enumerate(("p1", "CIN 2026-01-01"), 1)
    ]
    assert len(composed(made)[0].inputs.periods) == 1 and len(values(made, "plan_kind")) == 1
