"""decide: what a record is, given the records it may be compared with. Pure; what it returns becomes an event."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.childview.identity.match import Agreement, Demographics, Evidence, compare

ORDINARY, PROTECTION = "ordinary", "protection"


@dataclass(frozen=True)
class Linked:
    """Which child a record belongs to, and how."""

    child: str
    basis: str
    status: str
    withheld: bool = False


@dataclass(frozen=True)
class Candidate:
    """A record that shares something with the one being decided, and the child it belongs to."""

    record: str
    child: str
    who: Demographics
    protected: bool


@dataclass(frozen=True)
class Pair:
    """Two records that people must tell apart or join."""

    record: str
    candidate: str
    queue: str


@dataclass(frozen=True)
class Decision:
    """What is decided: every record it sets, pairs that open, pairs of records that are not the same."""

    kind: str
    sets: Mapping[str, Linked]
    opens: tuple[Pair, ...] = ()
    closes: tuple[Pair, ...] = ()
    not_same: tuple[tuple[str, str], ...] = ()
    by: str = "identity"
    reason: str | None = None
    undoes: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    considered: Mapping[str, int] = field(default_factory=dict)


NewId = Callable[[], str]


def new_child() -> str:
    """A random child id."""
    return str(uuid.uuid4())


def decide(
    record: str,
    who: Demographics,
    *,
    candidates: Sequence[Candidate],
    now: Linked | None,
    fellows: Collection[str],
    apart: Collection[str],
    new_id: NewId = new_child,
) -> Decision | None:
    """What to decide about a record whose demographics are new; None when nothing changes.

    now: how it is linked today. fellows: the other records of its child. apart: records people said it is not the same
    as, with their fellows (an adoption pair never reaches here: the caller leaves it out of the candidates).
    """
    if now is not None and now.basis == "verified":
        return None
    compared = {c.record: compare(who, c.who) for c in candidates}
    able = [c for c in candidates if c.record not in apart]
    if now is not None and any(c.record in fellows and compared[c.record].consistent for c in able):
        return None
    same = {c.child for c in able if compared[c.record].agreement is Agreement.SAME}
    if len(same) == 1:
        return Decision(
            "link", {record: Linked(same.pop(), "automatic", "linked")}, evidence=_evidence(compared)
        )
    doubts = [c for c in able if compared[c.record].agreement is not Agreement.NONE]
    return _stand_alone(record, doubts, now, bool(fellows), _evidence(compared), new_id)


def _stand_alone(
    record: str,
    doubts: Sequence[Candidate],
    now: Linked | None,
    leaves: bool,
    evidence: Mapping[str, Any],
    new_id: NewId,
) -> Decision | None:
    """A child of its own: held while people decide whom it resembles, withheld while one of those is protected.

    leaves: it was linked to records that it now contradicts, so it leaves their child.
    """
    child = now.child if now is not None and not leaves else new_id()
    withheld = any(c.protected for c in doubts)
    wanted = Linked(child, "new", "held" if doubts else "linked", withheld)
    opens = tuple(Pair(record, c.record, PROTECTION if c.protected else ORDINARY) for c in doubts)
    if now == wanted and not doubts:
        return None
    kind = "hold" if doubts else "new" if now is None else "move" if leaves else "release"
    return Decision(kind, {record: wanted}, opens=opens, evidence=evidence)


def _evidence(compared: Mapping[str, Evidence]) -> dict[str, Any]:
    """What agreed with each record that shares anything, without values."""
    return {
        name: {"fields": dict(found.fields), "identifiers": list(found.identifiers)}
        for name, found in compared.items()
        if found.agreement is not Agreement.NONE
    }


def withhold(record: str, now: Linked, protected: Sequence[str]) -> Decision:
    """A record that resembles a child just protected: invisible until people say it is another."""
    held = replace(now, status="held", withheld=True)
    pairs = tuple(Pair(record, other, PROTECTION) for other in protected)
    return Decision("withhold", {record: held}, opens=pairs)


def release(record: str, now: Linked, pairs: Sequence[Pair]) -> Decision:
    """The protection it resembled ended: the record is shown again, still to be told apart."""
    shown = replace(now, withheld=False)
    return Decision("release", {record: shown}, opens=tuple(replace(pair, queue=ORDINARY) for pair in pairs))


def merge(
    pair: Pair, *, moving: Mapping[str, Linked], into: str, by: str, reason: str, staying: Mapping[str, Linked]
) -> Decision:
    """People said: the same. Every record of the one child goes to the other."""
    sets = {record: Linked(into, "verified", "linked") for record in (*moving, *staying)}
    return Decision("merge", sets, closes=(pair,), by=by, reason=reason)


def keep_apart(pair: Pair, *, now: Linked, open_pairs: Sequence[Pair], by: str, reason: str) -> Decision:
    """People said: different. It sticks for these two records; the record is free when nothing else holds it."""
    others = [one for one in open_pairs if one != pair]
    state = replace(
        now,
        status="held" if others else "linked",
        withheld=any(one.queue == PROTECTION for one in others) and now.withheld,
    )
    return Decision(
        "not-same",
        {pair.record: state},
        closes=(pair,),
        not_same=((pair.record, pair.candidate),),
        by=by,
        reason=reason,
    )


def unmerge(
    number: int,
    *,
    moved_back: Mapping[str, Linked],
    later: Mapping[str, Linked],
    sides: tuple[Collection[str], Collection[str]],
    by: str,
    reason: str,
    new_id: NewId = new_child,
) -> Decision:
    """Undo a merge: its records go back to the children they had; what came later is held, a child of its own each."""
    sets: dict[str, Linked] = dict(moved_back)
    pairs: list[Pair] = []
    for record in later:
        sets[record] = Linked(new_id(), "new", "held")
        pairs += [Pair(record, other, ORDINARY) for side in sides for other in sorted(side)[:1]]
    apart = tuple((one, other) for one in sorted(sides[0]) for other in sorted(sides[1]))
    return Decision(
        "unmerge", sets, opens=tuple(pairs), not_same=apart, by=by, reason=reason, undoes=number
    )
