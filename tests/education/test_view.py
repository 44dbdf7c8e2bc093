"""What the schools' newer records show, and to whom: eligible now, a number is held, and of an adoption nothing."""

from __future__ import annotations

import pytest

from tests.childview.events import event, person
from tests.childview.reading.test_disclose import SCHOOL, shown

LEAD = {"who": "school-safeguarding-lead", "kinds": ["school_safeguarding_lead"]}
WORKER = {"who": "social-worker", "kinds": ["allocated"]}


def said(name: str, version: int, record_class: str, **fields):
    return event(f"education.{name}-recorded.v1", version, fields, record_class=record_class)


def meals(version: int, start: str, end: str | None = None):
    return said("free-meals", version, "R-FSM", school=SCHOOL, start_date=start, **({"end_date": end} if end else {}))


@pytest.mark.parametrize(("end", "now"), [(None, "yes"), ("2026-11-30", "yes"), ("2026-11-23", "no")])
def test_who_sees_free_meals_in_part_learns_whether_the_child_is_eligible_now_and_no_history(end, now):
    found = shown([person(1), meals(2, "2020-09-01", "2021-03-31"), meals(3, "2025-09-01", end)], **LEAD)
    assert found["fields"]["free_meals_now"] == {"level": "masked", "value": now}
    assert "free_meals" not in found["entries"]


def test_free_meals_that_nobody_spoke_of_are_unknown_and_not_no():
    assert "free_meals_now" not in shown([person(1)], **WORKER)["fields"]


def test_a_number_in_part_is_that_there_is_one():
    found = shown([person(1), said("contact-point", 2, "R-IDENT", contact_point_id="1", telephone="01632 960000", email="a@b.example")], **LEAD)
    (entry,) = found["entries"]["contact"]["items"]
    assert entry["fields"] == {"telephone": {"level": "masked", "value": "a number is held"}} and "01632" not in str(found)


def test_a_young_carer_stands_in_the_household_beside_relations():
    found = shown([person(1), said("young-carer", 2, "R-IDENT", school=SCHOOL, young_carer="P"),
                   said("relation", 3, "R-IDENT", other_local_id="contact 1", relationship="mother", given_name="Rosa", telephones=["01632 960001"])], **WORKER)  # fmt: skip
    fields = {name: one["value"] for entry in found["entries"]["household"]["items"] for name, one in entry["fields"].items()}
    assert fields["young_carer"] == "P" and fields["relationship"] == "mother" and fields["related_telephone"] == ["01632 960001"]


@pytest.mark.parametrize("who", [LEAD | {"own": [SCHOOL]}, WORKER, {"who": "teacher", "kinds": ["school_staff"], "own": [SCHOOL]},
                                 {"who": "auditor", "purpose": "audit"}])  # fmt: skip
def test_the_world_in_which_a_pupil_was_adopted_looks_the_same_to_everyone_but_the_adoption_team(who):
    left = said("left-care", 2, "R-ADOPT", school=SCHOOL, left_care_by="A", former_family_name="Before", restriction="statute")
    assert shown([person(1), left], **who) == shown([person(1)], **who)
    team = shown([person(1), left], "adoption-officer")
    assert team["entries"]["adoption"]["items"][0]["fields"]["left_care_former_name"]["value"] == "Before"
