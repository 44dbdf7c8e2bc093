"""What is shown of a child in care: placement, missing episodes, health, adoption, care leaving."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.childview.projection import derived, view
from services.childview.projection.view import Inputs, Period, Scored
from tests.childview.events import OTHER, event, person
from tests.childview.reading.test_disclose import CATALOGUE, TODAY, composed, shown
from tests.policy import deciding


def said(name: str, version: int, record_class: str = "R-CARE", **fields: Any):
    return event(f"socialcare.{name}-recorded.v1", version, fields, stream=OTHER, record_class=record_class)


def in_care(**placement: Any) -> list:
    return [
        person(1, stream=OTHER, service="socialcare", given_name="Ada", birth_date="2012-03-05"),
        said("looked-after", 2, episode_id="E1", decom="2026-06-01", ls="C2", cin="N1", authority="999", home_post="ZZ1 1ZZ", rne="S"),
        said("placement", 3, **{"placement_id": "P1", "start_date": "2026-06-01", "place": "U4", "pl_post": "ZZ9 9ZZ", "urn": "1234567"} | placement),
        said("missing", 4, missing_id="M1", missing="M", mis_start="2026-11-01", mis_end="2026-11-02"),
        said("missing", 5, missing_id="M2", missing="A", mis_start="2026-11-20"),
        said("sdq", 6, sdq_id="S1", effective="2026-03-31", sdq_score=18),
    ]  # fmt: skip


ADOPTION = [
    said("adoption", 7, "R-ADOPT", adoption_id="903", restriction="statute", date_int="2026-05-11", sex_adoptr="MF", effective="2026-05-11"),
    said("previous-permanence", 8, "R-ADOPT", permanence_id="903", restriction="statute", prev_perm="P1", date_perm="2014"),
]
EDUCATION = [
    ("teacher", ["school_staff"], "casework"), ("school-safeguarding-lead", ["school_safeguarding_lead"], "casework"),
    ("school-safeguarding-lead", ["school_safeguarding_lead", "case_team"], "casework"), ("childrens-centre-worker", ["centre_registered"], "casework"),
    ("education-welfare-officer", ["welfare_officer"], "attendance"), ("virtual-school-officer", ["virtual_school"], "review"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "kinds", "purpose"), EDUCATION)
def test_where_a_child_is_placed_never_reaches_education(who, kinds, purpose):
    told = json.dumps(shown(in_care(), who, kinds=kinds, purpose=purpose, statuses=["looked_after"]))
    assert not any(secret in told for secret in ("ZZ9", "1234567", "ZZ1 1ZZ"))
    assert ("placement_type" in told) is (who == "virtual-school-officer")


def test_the_virtual_school_sees_what_kind_of_placement_it_is():
    told = shown(in_care(), "virtual-school-officer", kinds=["virtual_school"], purpose="review", statuses=["looked_after"])
    assert [item["fields"]["placement_type"]["value"] for item in told["entries"]["placement"]["items"]] == ["foster"]


def test_the_allocated_worker_sees_where_the_child_is_placed_and_no_home_address_of_it():
    told = shown(in_care(), "social-worker", kinds=["allocated"])
    fields = told["entries"]["placement"]["items"][0]["fields"]
    assert (fields["placement_postcode"]["value"], fields["placement_urn"]["value"]) == ("ZZ9 9ZZ", "1234567")
    assert "contact" not in told["entries"] and "ZZ1 1ZZ" not in json.dumps(told)


@pytest.mark.parametrize(("who", "kinds", "purpose"), [*EDUCATION, ("social-worker", ["allocated"], "casework"), ("social-work-manager", ["supervising"], "casework"),
                         ("protection-officer", [], "enquiry"), ("data-protection-officer", [], "subject_access"), ("auditor", [], "audit"), ("health-visitor", ["health_named"], "casework")])  # fmt: skip
@pytest.mark.parametrize("glass", [False, True])
def test_nothing_of_adoption_is_shown_or_noted_to_any_other_post(who, kinds, purpose, glass):
    events = [*in_care(place="A4", restriction="statute"), *ADOPTION]
    told = shown(events, who, kinds=kinds, purpose=purpose, statuses=["looked_after"], glass=glass)
    without = shown([one for one in in_care() if "placement" not in one.envelope.type], who, kinds=kinds, purpose=purpose, statuses=["looked_after"], glass=glass)
    assert told == without


def test_the_adoption_team_sees_what_is_recorded_of_adoption():
    told = shown([*in_care(), *ADOPTION], "adoption-officer")
    kinds = {item["kind"] for item in told["entries"]["adoption"]["items"]}
    assert kinds == {"adoption", "previous_permanence"} and '"MF"' in json.dumps(told)


def test_no_field_of_adoption_may_be_masked_or_noted():
    assert {field.levels for field in CATALOGUE.fields if field.category == "adoption"} == {frozenset({"full"})}
    assert CATALOGUE.categories["adoption"].noted is None


def test_a_lead_sees_that_a_child_is_missing_now_and_not_when():
    told = shown(in_care(), "school-safeguarding-lead", kinds=["school_safeguarding_lead"])
    assert told["fields"]["missing_now"]["value"] == "yes" and told["fields"]["missing_episodes_year"]["value"] == {"missing": 1, "away": 1}
    assert "missing" not in told["entries"] and "2026-11-20" not in json.dumps(told)


def test_a_lead_sees_by_whom_a_pupil_is_looked_after_and_on_what_basis_and_not_why():
    told = shown(in_care(), "school-safeguarding-lead", kinds=["school_safeguarding_lead"])
    episode, = told["entries"]["looked_after"]["items"]
    assert {name: field["value"] for name, field in episode["fields"].items()} == {"legal_status": "care order", "care_authority": "999"}


def test_a_score_is_the_business_of_health_and_the_case_alone():
    assert shown(in_care(), "social-worker", kinds=["allocated"])["fields"]["sdq_band"]["value"] == "cause for concern"
    assert "sdq" not in json.dumps(shown(in_care(), "school-safeguarding-lead", kinds=["school_safeguarding_lead"]))


@pytest.mark.parametrize(
    ("field", "who", "wanted"),
    [
        ("placement_postcode", {"who": "virtual-school-officer", "kinds": ["virtual_school"], "purpose": "review", "statuses": ["looked_after"]}, "hidden"),
        ("placement_postcode", {"who": "social-worker", "kinds": ["duty"], "purpose": "enquiry"}, "hidden"),
        ("placement_postcode", {"who": "social-worker", "kinds": [], "purpose": "emergency", "glass": True}, "full"),
        ("substance_misuse", {"who": "health-visitor", "kinds": ["health_named"], "purpose": "casework"}, "full"),
        ("accommodation", {"who": "social-worker", "kinds": ["duty"], "purpose": "enquiry"}, "noted"),
        ("care_leaver_until", {"who": "social-worker", "kinds": ["duty"], "purpose": "enquiry"}, "masked"),
    ],
)
def test_a_field_shows_at_its_legal_level(field, who, wanted):
    assert deciding.level(deciding.request(**who), deciding.field(field)) == wanted


# -- worked out at the read --------------------------------------------------------------------------------------------


def missing(*periods: tuple[str, str, str | None]) -> Inputs:
    return Inputs(missing=[Period(*one) for one in periods])


@pytest.mark.parametrize(
    ("inputs", "now", "year"),
    [
        (Inputs(), None, None),
        (missing(("M", "2026-11-01", "2026-11-02")), "no", {"missing": 1, "away": 0}),
        (missing(("A", "2026-11-20", None)), "yes", {"missing": 0, "away": 1}),
        (missing(("M", "2024-11-01", "2024-11-02")), "no", {"missing": 0, "away": 0}),
        (missing(("M", "2026-11-01", "2026-11-02"), ("M", "2026-11-01", "2026-11-03")), "no", {"missing": 1, "away": 0}),
    ],
)
def test_where_nothing_was_told_of_being_missing_it_is_unknown(inputs, now, year):
    assert (derived.missing_now(inputs, TODAY), derived.missing_episodes_year(inputs, TODAY)) == (now, year)


@pytest.mark.parametrize(
    ("born", "scores", "band"),
    [
        ("2012-03-05", [Scored("2025-03-31", 20), Scored("2026-03-31", 13)], "normal"), ("2012-03-05", [Scored("2026-03-31", 16)], "borderline"),
        ("2012-03-05", [Scored("2025-03-31", 20), Scored("2026-03-31", None)], None), ("2023-03-05", [Scored("2026-03-31", 20)], None),
        ("2008-03-05", [Scored("2026-03-31", 20)], None), (None, [Scored("2026-03-31", 20)], None),
    ],
)  # fmt: skip
def test_the_band_is_of_the_latest_score_of_a_child_of_the_age(born, scores, band):
    assert derived.sdq_band(Inputs(birth_date=born, sdq=scores), TODAY) == band


@pytest.mark.parametrize(
    ("born", "fields", "wanted"),
    [
        ("2006-03-05", {"eligibility": "Former Relevant"}, {"until_age": 25}),
        ("2006-03-05", {"eligibility": "No Current Eligibility"}, None),
        ("2006-03-05", {"in_touch": "YES", "effective": "2026-03-31"}, {"until_age": 25}),
        ("2006-03-05", {"in_touch": "RHOM", "effective": "2026-03-31"}, None),
        ("2001-03-05", {"eligibility": "Former Relevant"}, None),
    ],
)
def test_a_care_leaver_is_one_until_the_twenty_fifth_birthday(born, fields, wanted):
    events = [person(1, stream=OTHER, service="socialcare", birth_date=born), said("care-leaving", 2, "R-LEAVER", care_leaving_id="K1", **fields)]
    told = shown(events, "social-work-manager", kinds=["supervising"], statuses=["care_leaver"])
    assert told["fields"].get("care_leaver_until", {}).get("value") == wanted


def cared_for(*episodes: tuple[str, str | None], reviews=()) -> Inputs:
    periods = [Period("looked_after", start, end) for start, end in episodes]
    return Inputs(periods=periods, care_reviews=[Period("review", due, held) for due, held in reviews])


@pytest.mark.parametrize(
    ("inputs", "overdue"),
    [
        (Inputs(), None),
        (cared_for(("2026-01-01", "2026-02-01")), None),
        (cared_for(("2026-11-01", None)), "no"),
        (cared_for(("2026-10-01", None)), "yes"),
        (cared_for(("2026-10-01", "2026-11-20"), ("2026-11-20", None)), "yes"),
        (cared_for(("2026-06-01", None), reviews=[("2026-06-20", "2026-06-20")]), "yes"),
        (cared_for(("2026-06-01", None), reviews=[(None, "2026-06-20"), (None, "2026-09-01")]), "no"),
        (cared_for(("2026-06-01", None), reviews=[(None, "2026-06-20"), ("2026-12-01", None)]), "no"),
        (cared_for(("2026-06-01", None), reviews=[(None, "2026-06-20"), (None, "2026-09-01"), ("2026-11-01", None)]), "yes"),
    ],
)
def test_a_review_is_overdue_by_the_sources_date_or_by_the_rule(inputs, overdue):
    assert derived.care_review_overdue(inputs, TODAY) == overdue


@pytest.mark.parametrize(
    ("episodes", "moves"),
    [
        ([("S", "U4"), ("P", "U4"), ("B", "K2")], 2),
        ([("S", "U4"), ("P", "T1"), ("P", "U4")], 0),
        ([("S", "U4"), ("L", "U4"), ("T", "U4"), ("U", "U4")], 0),
        ([("S", "U4"), (None, "U4")], None),
    ],
)
def test_moves_are_to_another_carer_and_no_holiday(episodes, moves):
    events = [person(1, stream=OTHER, service="socialcare", birth_date="2012-03-05")]
    for number, (rne, place) in enumerate(episodes, 1):
        start, end = f"2026-0{number}-01", f"2026-0{number + 1}-01" if number < len(episodes) else None
        events.append(said("looked-after", 2 * number, episode_id=f"E{number}", placement_id=f"P{number}", rne=rne, decom=start, dec=end))
        events.append(said("placement", 2 * number + 1, placement_id=f"P{number}", place=place, start_date=start, end_date=end))
    told = shown(events, "social-worker", kinds=["allocated"])
    assert told["fields"].get("placement_moves_year", {}).get("value") == moves


def test_a_review_is_no_time_in_care():
    events = [person(1, stream=OTHER, service="socialcare"), said("care-review", 2, review_id="V1", effective="2026-01-01", review="2026-01-01")]
    assert view.decode(composed(events).view).inputs.periods == []
