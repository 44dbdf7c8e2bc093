"""Requests and resources with every declared attribute, ordinary unless said otherwise; the starter policies as a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from services.childview.projection.catalogue import Catalogue
from services.childview.projection.view import Enrolled, Home, Inputs, Involved, Protected, Related, View
from services.childview.reading import gates
from services.childview.reading.relationship import Relationship, relationship
from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle, Request
from services.disclosure.lease import Cover, Lease
from services.disclosure.levels import clamp
from services.policy.main import starter_policies, vocabulary

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)
ORGANISATIONS = {
    "teacher": "school", "school-safeguarding-lead": "school", "education-welfare-officer": "education",
    "virtual-school-officer": "education", "health-visitor": "health", "childrens-centre-worker": "childrens_centre",
    "social-worker": "social_care", "social-work-manager": "social_care", "protection-officer": "social_care", "adoption-officer": "social_care",
}  # fmt: skip
TRAINING = ("data_protection", "safeguarding_1", "safeguarding_2", "safeguarding_3")
FROM_SCHOOLS = ("identity", "contact", "household", "voice", "enrolment", "attendance", "exclusions", "sen", "free_meals")


@cache
def bundle() -> Bundle:
    """The starter policies."""
    return evaluate.load(starter_policies(), vocabulary(ROOT / "contracts"))


@cache
def catalogue() -> Catalogue:
    """The fields as they are built."""
    return Catalogue.load(ROOT / "contracts")


def request(who: str, *, kinds=(), purpose: str, phase: str = "current", training=TRAINING, courses=(), vetting: bool = True,
            statuses=("need",), age_band: str = "5_to_15", glass: bool = False) -> Request:  # fmt: skip
    """Who asks about which child for what. courses: training besides the ordinary."""
    return Request(
        subject={"post_role": who, "organisation_kind": ORGANISATIONS.get(who, "authority"), "team_ids": [],
                 "training": [*training, *courses], "vetting_current": vetting},
        relationship={"kinds": sorted(kinds), "phase": phase},
        child={"age_band": age_band, "plan_statuses": sorted(statuses)},
        context={"purpose": purpose, "channel": "api", "break_glass": glass},
    )  # fmt: skip


def resource(category: str, **changes: Any) -> dict[str, Any]:
    """One field or entry, with no limit in play; adoption is always restricted by statute."""
    source = "education" if category in FROM_SCHOOLS else "socialcare"
    return {
        "field": "any", "category": category, "sensitivity": 1, "source_service": source, "own_organisation_wrote": False, "about": "child",
        "location_bearing": False, "entry_age_band": "under_2_years", "consent": "not_needed",
        "restriction": "statute" if category == "adoption" else "none", "link": "verified",
        **changes,
    }  # fmt: skip


def field(id: str, **changes: Any) -> dict[str, Any]:
    """A field of the catalogue, as policies are asked about it."""
    found = catalogue().by_id(id)
    known = {"field": id, "sensitivity": found.sensitivity, "about": found.about, "location_bearing": found.location_bearing}
    return resource(found.category, **{**known, **changes})


def level(who: Request, what: dict[str, Any]) -> str:
    """The level's name, legal for the field where it is one of the catalogue."""
    decided = evaluate.level(bundle(), who, what).level
    if what["field"] != "any":
        decided = clamp(decided, catalogue().by_id(what["field"]).levels)
    return decided.name.lower()


def may(who: Request, action: str) -> bool:
    """Whether an action without levels is allowed."""
    return evaluate.allowed(bundle(), who, action)[0]


def finds(who: Request) -> bool:
    """Whether this asker may know that the child is here."""
    return may(who, "find")


# -- before the policies: relationships and gates ----------------------------------------------------------------


def day(back: int) -> str:
    """The date so many days ago."""
    return (TODAY - timedelta(days=back)).isoformat()


def lease(role: str, *, covers=(), **changes: Any) -> Lease:
    """What policy says of someone in one post. covers: colleagues covered now."""
    plain: dict[str, Any] = {
        "person": "p", "post": "q", "role": role, "organisation_kind": ORGANISATIONS.get(role, "authority"), "organisations": [],
        "team_ids": [], "professional_ids": [], "supervises": [], "on_duty": False, "assigned_schools": [], "training": [],
        "vetting_current": True, "address_hash": None, "conflicts": {}, "colleagues_children": [], "purpose": "casework", "bundle": "b",
        "policy_version": 1, "issued": 0.0, "expires": 9e9,
    }  # fmt: skip
    return Lease(covers=[Cover(one, day(1), day(-1)) for one in covers], **{**plain, **changes})


def inputs(*, involved=(), enrolled=(), protected=(), related=(), homes=(), **plain: Any) -> Inputs:
    """A child. involved and enrolled: dicts with `ended`, days ago; without it they are open."""
    return Inputs(
        involved=[Involved(i["kind"], i.get("who"), i.get("team"), None, day(90), _end(i)) for i in involved],
        enrolments=[Enrolled(e["school"], day(90), _end(e)) for e in enrolled],
        protections=[Protected(p["kind"], day(90), None, p.get("named", []), p.get("risk")) for p in protected],
        related=[Related(one, True) for one in related],
        homes=[Home(one, None) for one in homes],
        **plain,
    )


def _end(item: dict[str, Any]) -> str | None:
    return day(item["ended"]) if "ended" in item else None


def related(asker: Lease, child: Inputs) -> Relationship:
    """How the asker stands to the child today."""
    return relationship(child, asker, TODAY)


def passes(asker: Lease, child: Inputs, *, withheld: bool = False, kin: Sequence[Inputs] = (), in_pair: bool = True) -> gates.Passed:
    """What the gates come to for the child of id `c`. kin: children of its household, or to whom somebody of it is a risk."""
    seen = View(child="c", inputs=child, withheld=withheld)
    others = [View(child=f"kin {number}", inputs=one) for number, one in enumerate(kin)]
    return gates.pass_gates(seen, asker, related(asker, child), TODAY, kin=others, in_pair=in_pair)
