"""What the story outside care comes to in a child's view: plan statuses, entries, and their safer forms."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from services.childview.projection import compose, derived, fold, masks, view
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.compose import Link
from services.plumbing.contracts import Schemas
from tests.childview.events import OTHER, event, referral

CONTRACTS = Path(__file__).parents[3] / "contracts"
SCHEMAS, CATALOGUE = Schemas.load(CONTRACTS), Catalogue.load(CONTRACTS)
TODAY = date(2026, 11, 24)


def told(type: str, record_class: str, version: int = 1, **fields):
    return event(f"socialcare.{type}-recorded.v1", version, fields, stream=OTHER, record_class=record_class)


def composed(*events) -> tuple[view.View, view.Content]:
    record = fold.new_record(events[0])
    for one in events:
        record = fold.fold(record, one, SCHEMAS)
    made = compose.compose("c", [record], {OTHER: Link("new", "linked", False, 1)}, catalogue=CATALOGUE, address_key=b"k" * 32)
    return view.decode(made.view), view.decode_content(made.content)


def statuses(*events) -> set[str]:
    return derived.plan_statuses(composed(*events)[0].inputs, TODAY)


def masked(*events) -> dict[str, object]:
    """The safer form of each field that has one."""
    _, content = composed(*events)
    found = {}
    for segment in content.segments:
        for number, member in zip(content.shapes[segment.shape].fields, view.members_of(segment), strict=True):
            if member.masked is not None:
                found[CATALOGUE.fields[number].id] = json.loads(b"{" + member.masked + b"}")[CATALOGUE.fields[number].id]["value"]
    return found


def test_early_help_is_a_status_while_it_lasts():
    assert statuses(told("early-help", "R-EARLY", early_help_id="e1", start_date="2026-05-01")) == {"early_help"}
    assert statuses(told("early-help", "R-EARLY", early_help_id="e1", start_date="2026-05-01", end_date="2026-06-01")) == set()


def test_a_referral_of_a_child_not_in_need_opens_nothing():
    assert statuses(referral(1, referral_id="r", referral_date="2026-10-01", primary_need_code="N1")) == {"need"}
    assert statuses(referral(1, referral_id="r", referral_date="2026-10-01", primary_need_code="N9")) == set()


@pytest.mark.parametrize(
    "one",
    [
        told("conference", "R-CP", conference_id="k", date_of_initial_cpc="2026-10-01"),
        told("plan-review", "R-CP", review_id="v", review_date="2026-10-01", effective="2026-10-01"),
        told("visit", "R-CP", visit_kind="protection", visit_id="b", visit_date="2026-10-01"),
        told("contact", "R-CASE", contact_id="c", contact_date="2026-10-01"),
        told("assessment", "R-CASE", assessment_id="a", assessment_actual_start_date="2026-10-01"),
        told("section-47", "R-CP", section_47_id="s", s47_actual_start_date="2026-10-01"),
    ],
    ids=lambda one: one.envelope.type,
)
def test_what_surrounds_a_plan_is_no_plan_and_stands_in_the_view(one):
    made, content = composed(one)
    assert derived.plan_statuses(made.inputs, TODAY) == set() and made.inputs.referred == [] and len(content.segments) == 1


def test_an_assessment_in_its_safer_form_is_a_month_and_whether_it_is_done():
    one = told("assessment", "R-CASE", assessment_id="a", assessment_actual_start_date="2026-10-03", assessment_authorisation_date="2026-11-01",
               assessment_factors=["4A"], assessment_factors_of_others=["1B"], assessment_nfa=False, assessment_outcomes=["NFA"])  # fmt: skip
    assert masked(one) == {"assessment_period": "2026-10, ended"}


@pytest.mark.parametrize(
    "one",
    [
        told("section-47", "R-CP", section_47_id="s", s47_actual_start_date="2026-10-01", conference_needed=True, s47_outcomes=["MONITOR"]),
        told("conference", "R-CP", conference_id="k", date_of_initial_cpc="2026-10-01", plan_made=True, conference_outcomes=["CP"]),
        told("visit", "R-CP", visit_kind="protection", visit_id="b", visit_date="2026-10-01", seen=True),
        told("adoption-sign", "R-ADOPT", sign_id="x", sign="closed", restriction="statute"),
        told("voice", "R-CASE", voice_id="w", child_statement="at my aunt's", plan_safe=False),
    ],
    ids=lambda one: one.envelope.type,
)
def test_what_has_no_safer_form_shows_nothing_in_it(one):
    assert masked(one) == {}


def test_what_tells_of_adoption_carries_the_restriction_of_statute():
    _, content = composed(told("adoption-sign", "R-ADOPT", sign_id="x", sign="closed", restriction="statute"))
    assert [shape.restriction for shape in content.shapes] == ["statute"]


def test_a_review_is_open_until_it_is_held():
    due = told("plan-review", "R-CP", review_id="v", review_due_date="2026-12-20", effective="2026-12-20")
    held = told("plan-review", "R-CP", 2, review_id="v", review_due_date="2026-12-20", review_date="2026-11-20", effective="2026-11-20")
    assert masked(due) == {"plan_review_due": "2026-12"}
    assert [composed(*events)[1].segments[0].end for events in ((due,), (due, held))] == [None, "2026-11-20"]


def test_an_ehc_plan_in_its_safer_form_is_a_plan():
    assert masked(told("ehc-plan", "R-SEN", plan_id="active 1", sen_provision="E", needs=[{"rank": 1, "sen_type": "SLCN"}])) == {"sen_provision": "plan"}


def test_disabilities_in_their_safer_form_are_what_staff_must_see_to():
    groups = CATALOGUE.groups("disability")
    assert masks.code_groups(["VIS", "HEAR", "AUT", "XYZ"], groups) == ["communication and senses", "some"]
    assert masks.code_groups(["XYZ"], groups) is None and masks.code_groups("VIS", groups) is None


@pytest.mark.parametrize(("period", "shown"), [({"start": "2026-10-03"}, "2026-10, open"), ({"start": "2026-10-03", "end": "2026-11-01"}, "2026-10, ended"), ({"end": "2026-11-01"}, None)])
def test_a_period_as_its_month_and_state(period, shown):
    assert masks.month_and_state(period, {}) == shown


def test_every_factor_is_about_the_child_or_about_others():
    assert set(CATALOGUE.groups("factor").values()) == {"child", "others"}
    assert all(CATALOGUE.groups("factor")[f"{number}{letter}"] == "others" for number in range(1, 7) for letter in "BC")


# -- derived -------------------------------------------------------------------------------------------------------

PLAN = told("plan", "R-CP", 1, plan_kind="protection", plan_id="p", start_date="2026-05-20")
CONFERENCE = told("conference", "R-CP", 2, conference_id="k", date_of_initial_cpc="2026-05-20")


def review(version: int, **fields):
    return told("plan-review", "R-CP", version, review_id=f"v{version}", **fields)


@pytest.mark.parametrize(
    ("events", "overdue"),
    [
        ([CONFERENCE], None),
        ([PLAN], None),
        ([PLAN, CONFERENCE], "yes"),
        ([PLAN, CONFERENCE, review(3, review_date="2026-08-01")], "no"),
        ([PLAN, CONFERENCE, review(3, review_due_date="2026-11-20")], "yes"),
        ([PLAN, CONFERENCE, review(3, review_due_date="2026-11-20", review_date="2026-11-21")], "no"),
        ([PLAN, CONFERENCE, review(3, review_due_date="2026-12-01")], "no"),
        ([PLAN, review(2, review_due_date="2026-02-01"), review(3, review_date="2026-10-01")], "no"),
    ],
)
def test_a_review_is_overdue_when_its_day_has_passed_and_none_was_held(events, overdue):
    assert derived.plan_review_overdue(composed(*events)[0].inputs, TODAY) == overdue


def test_days_since_contact_count_from_the_last_visit_at_which_the_child_was_seen():
    visits = [told("visit", "R-CASE", n, visit_kind="need", visit_id=str(n), visit_date=f"2026-11-{n:02}", seen=seen) for n, seen in ((10, True), (14, True), (20, False), (21, None))]
    assert derived.days_since_contact(composed(*visits)[0].inputs, TODAY) == 10
    assert derived.days_since_contact(composed(visits[2])[0].inputs, TODAY) is None
