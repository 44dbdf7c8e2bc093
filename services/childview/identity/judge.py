"""Judging whose a record is: explanations weighed against one another, and vetoes that no weight overrules. Pure.

The explanations of a record are: it is this known child, or that one; a brother, sister or twin of one of them whom nobody
has recorded yet; a stranger. Each weighs how well it explains what was found times how likely it was beforehand. The risk of
a link is what is left for all others. Score alone cannot separate twins; so there are vetoes, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from services.childview.identity.compare import Comparison, compare
from services.childview.identity.demographics import Demographics
from services.childview.identity.model import Model

LINK_RISK = 0.01
"""A link is made where it is expected to be wrong once in a hundred times or more seldom (a dial, not a guarantee:
measured, it is wrong far more seldom, see docs/identity.md)."""
LINK_RISK_ALONE = 0.001
"""The same where neither place nor number nor contact agrees, names and dates alone; and where the given name agrees only
as a variant or a slip, and no number does: twins are named Luca and Lucas."""
LINK_RISK_UNRELATED = 0.05
"""The same where no brothers, sisters and twins are among these people: there the stated risk is further above the true one."""
HOLD_SHARE = 0.5
"""A record is held for people where known children explain it better than all else together."""
DOUBT_SHARE = 0.1
"""A child with less is not asked about."""
UNSEEN_AT_LEAST = 0.02
"""However many children are known, so much of the population is not: births, moves."""
HELD_RISK = 0.1
"""The chance that a held child is one of its own: mostly it is one of those it is held for, and no rival of that one."""
NAMESAKES = 0.001
"""The share of children of whom there is another of the same name and birth date: more than chance would have it."""
SPOKEN = ("equal", "variant", "close", "crossed")


@dataclass(frozen=True, slots=True)
class Other:
    """A known child to compare with. held_for: the children it is under review for, if it is. records: what each of its
    records says, where they are several."""

    child: str
    who: Demographics
    held_for: frozenset[str] = frozenset()
    records: tuple[Demographics, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one known child is to a record: what was found, its share of the explanations, and the vetoes against a link."""

    child: str
    found: Comparison
    share: float
    vetoes: tuple[str, ...] = ()

    @property
    def risk(self) -> float:
        """The chance that a link would be wrong."""
        return 1.0 - self.share

    @property
    def kept_from(self) -> bool:
        """Whether a veto stands against what would be the same child by its number, or by given name and birth date."""
        named = self.found["given_name"] in SPOKEN and self.found["birth_date"] not in ("different", "year")
        return bool(self.vetoes) and (_numbered(self.found) or named)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was weighed: the children worth naming, the likeliest first; and the one to link to, if any."""

    judged: tuple[Judgement, ...]
    link: str | None = None

    @property
    def doubts(self) -> tuple[Judgement, ...]:
        """The children that people must look at: where known children explain a record better than all else together, all
        that explain a good part of it; and in any case those of the same number or name whom a veto keeps
        from it."""
        known = sum(one.share for one in self.judged) >= HOLD_SHARE
        return tuple(one for one in self.judged if one.share >= DOUBT_SHARE and (known or one.kept_from))


NAMED_SHARE = 0.01
"""A child with less is not worth naming."""


def judge(
    who: Demographics, others: Sequence[Other], model: Model, *, seen: int, records: Sequence[Demographics] = ()
) -> Verdict:
    """Whose a record is. seen: how many children are known. records: what is judged is a child of these."""
    expected = population(model, seen)
    unseen = max(UNSEEN_AT_LEAST, 1 - seen / expected)
    found = [(other, compare(who, other.who, model.spelling)) for other in others]
    present = {other.child for other in others}
    held = {other.child: other.held_for & present for other in others if other.held_for & present}
    weighed = []
    rest = unseen * expected
    for other, comparison in found:
        same, twin, sibling = model.ratios(comparison, expected=expected)
        weighed.append((other, comparison, same))
        rest += unseen * (model.twins * twin + model.siblings * sibling + NAMESAKES * model.namesake(comparison))
    total = rest + sum(weight * (HELD_RISK if other.child in held else 1.0) for other, _, weight in weighed)
    judged = []
    for other, comparison, weight in weighed:
        share = weight / (total + (weight * (1 - HELD_RISK) if other.child in held else 0.0))
        if share >= NAMED_SHARE or comparison.shared:
            judged.append(Judgement(other.child, comparison, share))
    judged.sort(key=lambda one: (-one.share, one.child))
    likely = {one.child for one in judged if one.share >= DOUBT_SHARE and one.found.shared}
    torn = {other.child for other in others if other.child in likely and _torn(records or [who], other.records, model)}
    return _decide(held, judged, model.families, torn)


def population(model: Model, seen: int) -> int:
    """How many children there are to be known, known or not: what the model was told while no more are known than that, else
    a quarter more than are known."""
    return model.expected if model.expected > seen else max(FEW if not model.expected else 0, seen + seen // 4 + 1)


FEW = 5000
"""Where nobody said how many children there are, no fewer than so many."""


def _decide(held: Mapping[str, frozenset[str]], judged: list[Judgement], families: bool, torn: Collection[str]) -> Verdict:
    judged = [replace(one, vetoes=_vetoes(one, judged, held, families, one.child in torn)) for one in judged]
    free = [one for one in judged if one.child not in held]
    best = free[0] if free else None
    if best is not None and not best.vetoes and best.risk <= allowed(best.found, families):
        return Verdict(tuple(judged), best.child)
    return Verdict(tuple(judged))


def joins(judged: Sequence[Judgement], child: str) -> bool:
    """Whether two children that both stand already may become one by themselves: only with compatible numbers and a shared
    place or number."""
    found = next(one.found for one in judged if one.child == child)
    return not found.conflicts and (_numbered(found) or found["place"] == "equal" or found["contacts"] == "equal")


def twin_like(found: Comparison) -> bool:
    """Whether two children may be twins, of whom one came later: then what was linked to the first may be the second's."""
    home = found["place"] in ("equal", "street", "close") or found["contacts"] == "equal"
    kin = found["family_name"] in ("equal", "part", "close")
    return found["birth_date"] == "equal" and kin and (home or found["given_name"] not in ("equal", "different", "unknown"))


def still_belongs(verdict: Verdict, child: str) -> bool:
    """Whether a record that is linked to a child would stay there by all that is known now."""
    own = next((one for one in verdict.judged if one.child == child), None)
    return own is not None and own.share >= STILL and "lookalike" not in own.vetoes


STILL = 0.9


def allowed(found: Comparison, families: bool) -> float:
    """The risk a link may have."""
    if not families:
        return LINK_RISK_UNRELATED
    if found["given_name"] != "equal" and not _numbered(found):
        return LINK_RISK_ALONE
    near = found["place"] in ("equal", "close") or found["contacts"] == "equal" or _numbered(found)
    return LINK_RISK if near else LINK_RISK_ALONE


# -- vetoes ------------------------------------------------------------------------------------------------------


def _vetoes(
    one: Judgement, judged: Collection[Judgement], held: Mapping[str, frozenset[str]], families: bool, torn: bool
) -> tuple[str, ...]:
    """The reasons, by name, why this link is not made without people. families: whether brothers and sisters are among
    these people at all; where they are not, who shares a home and a name is hardly ever somebody else. torn: see `_torn`."""
    found = one.found
    rivals = [rival for rival in judged if rival.child != one.child and one.child not in held.get(rival.child, ())]
    reasons = {
        "other-given-name": families and found["given_name"] in ("different", "distinct", "unknown"),
        "two-given-names": families and found.separated,
        "two-middle-names": families and found["given_name"] != "equal" and found["middle_names"] == "different",
        "initial-alone": families and found["given_name"] == "initial" and not _numbered(found),
        "number-conflict": torn or _conflict(found),
        "number-without-name": _number_without_name(found),
        "no-birth-date": families and _no_birth_date(found),
        "two-local-numbers": found["local"] == "different",
        "prefix-name": families and found.prefix and found["middle_names"] not in ("equal", "initial") and not _numbered(found),
        "lookalike": any(_lookalike(rival, one) for rival in rivals),
        "little-known": families and _little(found),
    }
    return tuple(name for name, holds in reasons.items() if holds)


def _numbered(found: Comparison) -> bool:
    """Whether some number is shared, if only one that nobody vouches for."""
    return bool(found.shared) or found["identifier"] == "equal" or found["local"] == "equal"


def _no_birth_date(found: Comparison) -> bool:
    """Without a birth date it may be a cousin, with another one somebody else: only the whole name with a number stands
    for the one that is missing."""
    if found["birth_date"] not in ("unknown", "different", "year"):
        return False
    whole = found["given_name"] == found["family_name"] == "equal" and bool(found.shared)
    return found["birth_date"] != "unknown" or not whole


def _conflict(found: Comparison) -> bool:
    """Two valid numbers of one kind: two children, unless another kind and all else agree."""
    if not found.conflicts:
        return False
    alike = found["given_name"] == found["family_name"] == found["birth_date"] == "equal"
    return not (alike and (found.shared or found["local"] == "equal"))


def _torn(mine: Sequence[Demographics], theirs: Sequence[Demographics], model: Model) -> bool:
    """Whether two records would come into one child that are not linked when they are all that is known, for each has a number
    of its own: a third that has a number of each may itself have a wrong one, and in another order these would be two."""
    several = len(mine) > 1 or len(theirs) > 1
    return several and any(_conflict(compare(one, other, model.spelling)) for one, other in product(mine, theirs))


def _number_without_name(found: Comparison) -> bool:
    """A number agrees and the person does not: twins have been given one another's."""
    if not found.shared:
        return False
    named = found["given_name"] in SPOKEN
    return not named or found["birth_date"] in ("year", "different")


def _lookalike(rival: Judgement, one: Judgement) -> bool:
    """Another known child of much the same name and birth date, and nothing that only the one has in common."""
    other = rival.found
    alike = other["birth_date"] == "equal" and other["given_name"] in ("equal", "variant", "close")
    if not alike or other["family_name"] == "different":
        return False
    if rival.share < 1e-6 and other.conflicts:
        return False
    mine = {*one.found.shared, one.found["local"]} - {*other.shared, other["local"], "unknown", "different"}
    stands_out = bool(mine) or (one.found["place"] == "equal" and other["place"] in ("different", "area"))
    return not stands_out


def _little(found: Comparison) -> bool:
    """Too little agrees to say anything: no family name alike, and no place, contact or number instead."""
    family = found["family_name"] in ("equal", "part", "close") or found["given_name"] == "crossed"
    return not family and not _numbered(found) and found["place"] != "equal" and found["contacts"] != "equal"
