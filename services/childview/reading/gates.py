"""Gates: children and facts that no policy opens. Each opens only by positive evidence, before any policy is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.childview.projection.view import Inputs, Protected, Related, View
from services.childview.reading.relationship import Relationship
from services.childview.reading.relationship import relationship as find_relationship
from services.disclosure.lease import Lease

CONFLICTS = ("self", "relative", "conflict")
PROTECTION_TEAM, ADOPTION_TEAM, CLEARING_HOUSE = "protection-officer", "adoption-officer", "clearing-house-officer"


@dataclass(frozen=True)
class Passed:
    """What the gates came to. silent: local ids and place hashes that this view must not tell of."""

    open: bool
    silent: frozenset[str] = frozenset()
    flags: dict[str, bool] = field(default_factory=dict)


def pass_gates(
    view: View, lease: Lease, relationship: Relationship, today: date, *,
    former: Iterable[str] = (), kin: Sequence[View] = (), in_pair: bool = False, beside_adopted: bool = False,
) -> Passed:  # fmt: skip
    """Whether this asker may come to this child at all, and what of others stays silent.

    former: ids that became this child: what was declared of them holds. kin, in_pair, beside_adopted: see
    `Found`.
    """
    kinds = {lease.conflicts[id] for id in (view.child, *former) if id in lease.conflicts}
    flags = {kind: kind in kinds for kind in CONFLICTS}
    flags["same_address"] = lease.address_hash is not None and lease.address_hash in homes(view.inputs, today)
    flags["colleague"] = any(id in lease.colleagues_children for id in (view.child, *former))
    closed = bool(kinds) or flags["same_address"]
    adoption = lease.role == ADOPTION_TEAM and beside_adopted
    lookalike = view.withheld and lease.role != PROTECTION_TEAM and not adoption
    silent = whereabouts(view.inputs, kin, today) | _guarded(view, kin, lease, today)
    opens = not closed and not lookalike and (adoption or _in_post(view, lease, today, in_pair))
    return Passed(opens and _may_pass_all(view, lease, relationship, today), silent, flags)


def _in_post(view: View, lease: Lease, today: date, in_pair: bool) -> bool:
    """Posts that come only to certain children: the clearing house to the pairs in its queue, the adoption team to the adopted."""
    if lease.role == CLEARING_HOUSE:
        return in_pair
    return lease.role != ADOPTION_TEAM or any(one.kind == "adopted" for one in in_force(view.inputs, today))


def homes(inputs: Inputs, today: date) -> set[str]:
    """Where the child lives on a day: homes that have not ended by then."""
    return {home.place for home in inputs.homes if not home.end or home.end > today.isoformat()}


def _may_pass_all(view: View, lease: Lease, relationship: Relationship, today: date) -> bool:
    return all(_may_pass(one, lease, relationship) for one in in_force(view.inputs, today))


def _guarded(view: View, kin: Sequence[View], lease: Lease, today: date) -> frozenset[str]:
    """A protected child of the household is not named to whoever may not open it."""
    closed = [one for one in kin if not _may_pass_all(one, lease, find_relationship(one.inputs, lease, today), today)]
    return frozenset(id for one in closed for id in one.inputs.local_ids) - set(view.inputs.local_ids)


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


def whereabouts(inputs: Inputs, kin: Iterable[View], today: date) -> frozenset[str]:
    """Where someone marked a risk to a child is this one, lives with it or is its contact: nothing of that child's
    whereabouts shows here. Its local ids and its places, and by which telephone it or who may live with it is reached.

    A school numbers contacts as nobody else does: they are known by their whole names.
    """
    near = {*inputs.local_ids, *(one for person in inputs.related for one in _by(person))}
    silent: set[str] = set()
    for other in kin:
        marked = {p.risk for p in in_force(other.inputs, today) if p.kind == "risk_linked" and p.risk}
        risks = marked | {one for person in other.inputs.related if person.local_id in marked for one in _by(person)}
        if risks & near:
            silent |= {*other.inputs.local_ids, *homes(other.inputs, today), *_reached(inputs, other.inputs, risks)}
    return frozenset(silent - set(inputs.local_ids))


def _by(person: Related) -> Iterator[str]:
    """What a person is known by: the local id, and the keyed hash of a whole name (a local id never begins so)."""
    yield person.local_id
    if person.name:
        yield f"~{person.name}"


def _reached(here: Inputs, other: Inputs, risks: set[str]) -> Iterator[str]:
    """The contacts of this child who are the other one, and those by whom it could be reached: their telephone is told, and they
    are not known to live elsewhere. The risk himself stays."""
    itself = {f"~{name}" for name in other.names}
    beside = {one for person in other.related if not person.elsewhere for one in _by(person)}
    for person in here.related:
        known = set(_by(person))
        if known & (itself | beside if person.reached else itself) and not known & risks:
            yield person.local_id
