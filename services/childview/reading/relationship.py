"""How the asker stands to the child: worked out from involvements, enrolment and the lease, dated, ending by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from services.childview.projection.view import Inputs
from services.disclosure.lease import Lease

CLOSING = timedelta(days=28)
OPEN, ENDED, OVER = "current", "closing", "over"
SCHOOL_KINDS = {"school-safeguarding-lead": "school_safeguarding_lead", "teacher": "school_staff"}
DIRECT = frozenset({"allocated", "case_team", "reviewing", "health_named", "centre_registered", "welfare_officer"})
"""What relates the very professional whom an involvement names."""
CENTRE_ROLE = "childrens-centre-worker"
VIRTUAL_SCHOOL_ROLE = "virtual-school-officer"
IN_VIRTUAL_SCHOOL = frozenset({"looked_after", "need", "protection"})
"""A virtual school is related while the child is looked after or has a social worker, whoever is named."""
SOCIAL_CARE_ROLES = frozenset({"social-worker", "social-work-manager"})


@dataclass(frozen=True)
class Relationship:
    """kinds of `contracts/attributes.yaml`; phase `current`, or `closing` while only ended work less than 28 days ago relates them."""

    kinds: frozenset[str]
    phase: str = OPEN

    def attributes(self) -> dict:
        """As policies see it."""
        return {"kinds": sorted(self.kinds), "phase": self.phase}


NONE = Relationship(frozenset())


def relationship(inputs: Inputs, lease: Lease, today: date) -> Relationship:
    """The relationship on this day: what is current counts alone; else what ended in the last 28 days."""
    found = [*_by_involvement(inputs, lease, today), *_by_school(inputs, lease, today), *_by_post(inputs, lease, today)]
    current = frozenset(kind for kind, phase in found if phase == OPEN)
    if current:
        return Relationship(current)
    closing = frozenset(kind for kind, phase in found if phase == ENDED)
    return Relationship(closing, ENDED) if closing else NONE


def _phase(start: str | None, end: str | None, today: date) -> str:
    """A day that has ended is over from that day on; a blank end is open; what has not begun is not there yet."""
    day = today.isoformat()
    if start and start > day:
        return OVER
    if not end or end > day:
        return OPEN
    return ENDED if end > (today - CLOSING).isoformat() else OVER


def _by_involvement(inputs: Inputs, lease: Lease, today: date) -> list[tuple[str, str]]:
    mine, supervised = set(lease.professional_ids), set(lease.supervises)
    covered = {cover.professional_id for cover in lease.covers}
    teams, centres = set(lease.team_ids), _centres(lease)
    found = []
    for item in inputs.involved:
        phase = _phase(item.start, item.end, today)
        if item.professional in mine and item.kind in DIRECT:
            found.append((item.kind, phase))
        if item.kind == "allocated" and item.professional in supervised:
            found.append(("supervising", phase))
        if item.kind == "allocated" and item.professional in covered and phase == OPEN:
            found.append(("cover", phase))
        if item.team in teams and item.kind in ("allocated", "case_team") and lease.role in SOCIAL_CARE_ROLES:
            found.append(("case_team", phase))
        if item.kind == "centre_registered" and item.team in centres:
            found.append((item.kind, phase))
    return found


def _centres(lease: Lease) -> set[str]:
    """The centres of a centre worker: a family is registered there, with whichever of the colleagues."""
    return {*lease.team_ids, *lease.organisations} if lease.role == CENTRE_ROLE else set()


def _by_school(inputs: Inputs, lease: Lease, today: date) -> list[tuple[str, str]]:
    kind = SCHOOL_KINDS.get(lease.role)
    if kind is None:
        return []
    return [
        (kind, _phase(item.start, item.end, today)) for item in inputs.enrolments if item.school in lease.organisations
    ]


def _by_post(inputs: Inputs, lease: Lease, today: date) -> list[tuple[str, str]]:
    found = [("duty", OPEN)] if lease.on_duty and lease.role in SOCIAL_CARE_ROLES else []
    if lease.role == "education-welfare-officer":
        found += [
            ("welfare_officer", _phase(item.start, item.end, today))
            for item in inputs.enrolments
            if item.school in lease.assigned_schools
        ]
    if lease.role == VIRTUAL_SCHOOL_ROLE:
        found += [
            ("virtual_school", _phase(item.start, item.end, today))
            for item in inputs.periods
            if item.kind in IN_VIRTUAL_SCHOOL and item.start
        ]
    return found
