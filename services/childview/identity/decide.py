"""decide: what a record is, given the records it may be compared with. Pure; what it returns becomes an event."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.childview.identity.compare import compare
from services.childview.identity.demographics import Demographics, combine
from services.childview.identity.judge import Judgement, Other, Verdict, judge, still_belongs
from services.childview.identity.model import Model
from services.childview.identity.resembles import consistent, resembles

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
    held_for: the children that its child is held for, if it is.
    """

    record: str
    child: str
    who: Demographics
    protected: bool
    withheld: bool = False
    forbids: frozenset[str] = frozenset()
    told_apart: frozenset[str] = frozenset()
    held_for: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Matching:
    """What judging rests on besides the records: the model, how many children are known, and whether a candidate key found
    more than can be looked at: then nothing is linked, nor made a child of its own unseen by people."""

    model: Model = field(default_factory=Model)
    seen: int = 0
    crowded: bool = False


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
    proposal: int | None = None


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
    matching: Matching | None = None,
    twin: bool = False,
    new_id: NewId = new_child,
) -> Decision | None:
    """What to decide about a record whose demographics are new; None when it stays where it is.

    candidates: every record of each child that shares a candidate key. now: how it is linked today. fellows: the other
    records of its child. apart: records of the children that people said it is not. shielded: its own child is protected.
    pairs: the open pairs that it is in, on either side. unknown: records whose demographics are not to be had. The other
    half of an adoption is never among the candidates of its child. twin: a child came that may be a twin of its own: what
    was linked by itself stays only if all that is known now bears it out.

    A record that stays may all the same come to resemble a protected child: see `holds.review`.
    """
    matching = matching or Matching()
    able = [c for c in candidates if c.record not in apart]
    if now is not None and not twin and _stays(who, now, fellows, able, unknown, matching.model):
        return None
    verdict = judge(who, _others(able), matching.model, seen=matching.seen)
    if now is not None and twin and (now.basis != "automatic" or still_belongs(verdict, now.child)):
        return None
    sticky = _sticky(record, now, pairs)
    near = [c for c in able if c.protected and resembles(who, c.who, matching.model.spelling)]
    near += [c for c in able if c.record in sticky and c not in near]
    target = _target(verdict, able, near, shielded, matching)
    if target is not None:
        evidence = _evidence(verdict, able, [target], matching.model)
        return Decision("link", {record: Linked(target, "automatic", "linked")}, evidence=evidence)
    doubts = one_half([*near, *_doubtful(who, verdict, able, near, matching)])
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
    return Decision(
        kind, {record: wanted}, opens=opens, evidence=_evidence(verdict, able, [c.child for c in doubts], matching.model)
    )


def _others(candidates: Iterable[Candidate]) -> list[Other]:
    """The children of these records, each with all that is known of it."""
    children: dict[str, list[Candidate]] = {}
    for one in candidates:
        children.setdefault(one.child, []).append(one)
    return [
        Other(
            child,
            combine(c.who for c in records),
            held_for=frozenset().union(*(c.held_for for c in records)),
            records=tuple(c.who for c in records),
        )
        for child, records in sorted(children.items())
    ]


def _target(
    verdict: Verdict, able: Sequence[Candidate], near: Sequence[Candidate], shielded: bool, matching: Matching
) -> str | None:
    """The child to link to. Where a protected child is involved only exact agreement with a number that is its own, and
    nobody else protected alike."""
    if verdict.link is None or matching.crowded:
        return None
    child = verdict.link
    away = {c.record for c in able if child in c.forbids | c.told_apart}
    others = [c for c in near if c.child != child and c.record not in away]
    if others and not shielded:
        return None
    mine = next(one for one in verdict.judged if one.child == child)
    involved = any(c.protected or c.withheld for c in able if c.child == child)
    return child if not involved or exact(mine) else None


def exact(one: Judgement) -> bool:
    """Number, birth date and both names agree, and no other number speaks against it."""
    found = one.found
    alike = found["given_name"] == found["family_name"] == found["birth_date"] == "equal"
    return alike and bool(found.shared) and not one.vetoes


def _doubtful(
    who: Demographics, verdict: Verdict, able: Sequence[Candidate], near: Sequence[Candidate], matching: Matching
) -> list[Candidate]:
    """One record of each child that people must look at: the one most like it."""
    met = {c.child for c in near}
    named = [one.child for one in verdict.doubts]
    if verdict.link is not None and verdict.link not in named:
        named.append(verdict.link)
    if matching.crowded and not named:
        named = [one.child for one in verdict.judged[:1]] or sorted({c.child for c in able})[:1]
    found = []
    for child in named:
        records = [c for c in able if c.child == child]
        if child not in met and records:
            found.append(max(records, key=lambda c: (_likeness(who, c, matching.model), c.record)))
    return found


def _likeness(who: Demographics, one: Candidate, model: Model) -> float:
    return model.ratios(compare(who, one.who, model.spelling), expected=max(model.expected, 1))[0]


def _stays(
    who: Demographics,
    now: Linked,
    fellows: Collection[str],
    able: Iterable[Candidate],
    unknown: Collection[str],
    model: Model,
) -> bool:
    """What people verified stays; so does a link that some fellow bears out, or that not every fellow can speak to."""
    if now.basis == "verified":
        return True
    known = [c.who for c in able if c.record in fellows]
    borne_out = any(consistent(compare(who, other, model.spelling)) for other in known)
    return bool(fellows) and (borne_out or any(name in unknown for name in fellows))


def _sticky(record: str, now: Linked | None, pairs: Iterable[Pair]) -> set[str]:
    """Whom it is withheld for now: that ends with the protection or by people, not by another birth date."""
    if now is None or not now.withheld:
        return set()
    return {p.candidate if p.record == record else p.record for p in pairs if p.queue == PROTECTION}


def one_half(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of two children whom an adoption keeps apart one alone, the protected before the other: no record is paired with
    both, for that would join them."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda c: (not c.protected, c.child, c.record)):
        if not any(other.child in one.forbids for other in kept):
            kept.append(one)
    return kept


def lookalikes(
    who: Demographics, candidates: Sequence[Candidate], *, apart: Collection[str], child: str | None, model: Model
) -> list[Candidate]:
    """The records of other, protected children that a record resembles and that people did not tell it apart from."""
    able = [c for c in candidates if c.protected and c.child != child and c.record not in apart]
    return one_half([c for c in able if resembles(who, c.who, model.spelling)])


def _evidence(verdict: Verdict, able: Iterable[Candidate], children: Collection[str], model: Model) -> dict[str, Any]:
    """What agreed with each child that was considered, without values: levels, weights, vetoes, and by which model."""
    records = {c.child: c.record for c in sorted(able, key=lambda c: c.record, reverse=True)}
    considered = {
        records[one.child]: {
            "fields": dict(one.found.levels),
            "identifiers": one.found.shared,
            "share": round(one.share, 6),
            "vetoes": list(one.vetoes),
        }
        for one in verdict.judged
        if one.child in records and (one.child in children or one.share >= 0.1)
    }
    return {**considered, "model": model.version} if considered else {}
