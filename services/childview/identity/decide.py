"""decide: what a record is, given the records it may be compared with. Pure; what it returns becomes an event."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """A record that shares something with the one being decided, and the child it belongs to.

    protected: its child is shielded or adopted today. withheld: its child is not shown, for resembling such a one.
    forbids: the children that an adoption keeps its child apart from. told_apart: those that people said it is not.
    """

    record: str
    child: str
    who: Demographics
    protected: bool
    withheld: bool = False
    forbids: frozenset[str] = frozenset()
    told_apart: frozenset[str] = frozenset()


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
    settles: Mapping[str, Any] | None = None


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
    shielded: bool = False,
    pairs: Collection[Pair] = (),
    unknown: Collection[str] = (),
    new_id: NewId = new_child,
) -> Decision | None:
    """What to decide about a record whose demographics are new; None when it stays where it is.

    now: how it is linked today. fellows: the other records of its child. apart: records of the children that people said
    it is not. shielded: its own child is protected. pairs: the open pairs that it is in, on either side. unknown: records
    whose demographics are not to be had. The other half of an adoption is never among the candidates of its child.

    A record that stays may all the same come to resemble a protected child: see `holds.review`.
    """
    compared = {c.record: compare(who, c.who) for c in candidates}
    able = [c for c in candidates if c.record not in apart]
    if now is not None and _stays(now, fellows, {c.record: compared[c.record] for c in able}, unknown):
        return None
    sticky = _sticky(record, now, pairs)
    same = {c.child for c in able if compared[c.record].agreement is Agreement.SAME}
    if len(same) == 1:
        target = same.pop()
        able = [c for c in able if target not in c.forbids | c.told_apart]
        others = [c for c in _alike(able, compared) if c.child != target]
        if shielded or not any(c.protected or c.record in sticky for c in others):
            return Decision("link", {record: Linked(target, "automatic", "linked")}, evidence=_evidence(compared, able))
    doubts = one_half(_alike(able, compared))
    leaves = bool(fellows)
    child = now.child if now is not None and not leaves else new_id()
    missing = [p for p in pairs if p.record == record and p.candidate in unknown and p.queue == PROTECTION]
    hides = not shielded and (bool(missing) or any(c.protected or c.record in sticky for c in doubts))
    queue = {c.record: PROTECTION if shielded or hides or c.protected or c.withheld else ORDINARY for c in doubts}
    met = {p.record for p in pairs if p.candidate == record}
    opens = tuple(Pair(record, name, queue[name]) for name in queue if name not in met) + tuple(missing)
    wanted = Linked(child, "new", "held" if opens or hides else "linked", hides)
    if now == wanted and wanted.status == "linked":
        return None
    kind = "hold" if opens or hides else "new" if now is None else "move" if leaves else "release"
    return Decision(kind, {record: wanted}, opens=opens, evidence=_evidence(compared, doubts))


def _stays(now: Linked, fellows: Collection[str], compared: Mapping[str, Evidence], unknown: Collection[str]) -> bool:
    """What people verified stays; so does a link that some fellow bears out, or that not every fellow can speak to."""
    if now.basis == "verified":
        return True
    consistent = any(compared[name].consistent for name in fellows if name in compared)
    return bool(fellows) and (consistent or any(name in unknown for name in fellows))


def _sticky(record: str, now: Linked | None, pairs: Iterable[Pair]) -> set[str]:
    """Whom it is withheld for now: that ends with the protection or by people, not by another birth date."""
    if now is None or not now.withheld:
        return set()
    return {p.candidate if p.record == record else p.record for p in pairs if p.queue == PROTECTION}


def _alike(candidates: Iterable[Candidate], compared: Mapping[str, Evidence]) -> list[Candidate]:
    return [c for c in candidates if compared[c.record].agreement is not Agreement.NONE]


def one_half(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of two children whom an adoption keeps apart one alone, the protected before the other: no record is paired with
    both, for that would join them."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda c: (not c.protected, c.child, c.record)):
        if not any(other.child in one.forbids for other in kept):
            kept.append(one)
    return kept


def lookalikes(
    who: Demographics, candidates: Sequence[Candidate], *, apart: Collection[str], child: str | None
) -> list[Candidate]:
    """The records of other, protected children that a record resembles and that people did not tell it apart from."""
    able = [c for c in candidates if c.protected and c.child != child and c.record not in apart]
    return one_half([c for c in able if compare(who, c.who).agreement is not Agreement.NONE])


def _evidence(compared: Mapping[str, Evidence], kept: Iterable[Candidate]) -> dict[str, Any]:
    """What agreed with each record that shares anything, without values."""
    return {
        c.record: {"fields": dict(compared[c.record].fields), "identifiers": list(compared[c.record].identifiers)}
        for c in kept
        if compared[c.record].agreement is not Agreement.NONE
    }
