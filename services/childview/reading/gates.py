"""Gates: children and facts that no policy opens. Each opens only by positive evidence, before any policy is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.childview.projection.view import Inputs, Protected, View
from services.childview.reading.relationship import Relationship
from services.disclosure.lease import Lease

PROTECTION_TEAM, ADOPTION_TEAM = "protection-officer", "adoption-officer"


@dataclass(frozen=True)
class Passed:
    """What the gates came to. silent: local ids and place hashes that this view must not tell of."""

    open: bool
    silent: frozenset[str] = frozenset()
    flags: dict[str, bool] = field(default_factory=dict)


def pass_gates(
    view: View, lease: Lease, relationship: Relationship, today: date, *, endangered: Iterable[Inputs] = ()
) -> Passed:
    """Whether this asker may come to this child at all, and what of others stays silent.

    endangered: children to whom someone related to this child is marked a risk.
    """
    flags = {
        "conflict": view.child in lease.conflicts,
        "same_address": lease.address_hash is not None and lease.address_hash in view.inputs.addresses,
        "colleague": view.child in lease.colleagues_children,
    }
    closed = flags["conflict"] or flags["same_address"]
    protected = all(_may_pass(one, lease, relationship) for one in in_force(view.inputs, today))
    lookalike = view.withheld and lease.role != PROTECTION_TEAM
    return Passed(not closed and protected and not lookalike, whereabouts(view.inputs, endangered, today), flags)


def in_force(inputs: Inputs, today: date) -> list[Protected]:
    """The protections that hold on a day. A blank start holds: nobody is found for want of a date."""
    day = today.isoformat()
    return [p for p in inputs.protections if (p.start or "") <= day <= (p.end or "9999")]


def _may_pass(protection: Protected, lease: Lease, relationship: Relationship) -> bool:
    if protection.kind == "adopted":
        return lease.role == ADOPTION_TEAM
    if protection.kind != "shielded" or lease.role == PROTECTION_TEAM:
        return True
    if protection.named:
        return bool(set(protection.named) & set(lease.professional_ids))
    return relationship.phase == "current" and bool(relationship.kinds & {"allocated", "supervising"})


def whereabouts(inputs: Inputs, endangered: Iterable[Inputs], today: date) -> frozenset[str]:
    """Where someone marked a risk to a child lives with, or is a contact of, this one: nothing of that child's
    whereabouts shows here. Its local ids and its places."""
    related = {person.local_id for person in inputs.related} | set(inputs.local_ids)
    silent: set[str] = set()
    for other in endangered:
        risks = {p.risk for p in in_force(other, today) if p.kind == "risk_linked"}
        if risks & related:
            silent |= {*other.local_ids, *other.addresses}
    return frozenset(silent - set(inputs.local_ids))
