"""Requests and resources with every declared attribute, ordinary unless said otherwise; the starter policies as a bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle, Request
from services.policy.main import starter_policies, vocabulary

ROOT = Path(__file__).parents[2]
ORGANISATIONS = {
    "teacher": "school", "school-safeguarding-lead": "school", "education-welfare-officer": "education",
    "virtual-school-officer": "education", "health-visitor": "health", "childrens-centre-worker": "childrens_centre",
    "social-worker": "social_care", "social-work-manager": "social_care", "protection-officer": "social_care", "adoption-officer": "social_care",
}  # fmt: skip
TRAINING = ("data_protection", "safeguarding_1", "safeguarding_2", "safeguarding_3")


@cache
def bundle() -> Bundle:
    """The starter policies."""
    return evaluate.load(starter_policies(), vocabulary(ROOT / "contracts"))


def request(who: str, *, kinds=(), purpose: str, phase: str = "current", training=TRAINING, vetting: bool = True,
            statuses=("need",), age_band: str = "5_to_15", glass: bool = False) -> Request:  # fmt: skip
    """Who asks about which child for what."""
    return Request(
        subject={"post_role": who, "organisation_kind": ORGANISATIONS.get(who, "authority"), "team_ids": [], "training": list(training),
                 "vetting_current": vetting},
        relationship={"kinds": sorted(kinds), "phase": phase},
        child={"age_band": age_band, "plan_statuses": sorted(statuses)},
        context={"purpose": purpose, "channel": "api", "break_glass": glass},
    )  # fmt: skip


def resource(category: str, **changes: Any) -> dict[str, Any]:
    """One field or entry, with no limit in play."""
    source = "education" if category in ("identity", "enrolment", "attendance", "exclusions", "sen") else "socialcare"
    return {
        "field": "any", "category": category, "sensitivity": 1, "source_service": source, "own_organisation_wrote": False, "about": "child",
        "location_bearing": False, "entry_age_band": "under_2_years", "consent": "not_needed", "restriction": "none", "link": "verified",
        **changes,
    }  # fmt: skip


def level(who: Request, what: dict[str, Any]) -> str:
    """The level's name."""
    return evaluate.level(bundle(), who, what).level.name.lower()


def finds(who: Request) -> bool:
    """Whether this asker may know that the child is here."""
    return evaluate.allowed(bundle(), who, "find")[0]
