"""What holds a record: pairs that people have still to decide, and protected children that it resembles. Pure.

A record is held while a pair is open in its name; it is withheld while it is in an open pair with a protected child, on
either side of it. So whoever opens or closes a pair, or learns of a protection, says by `stand` how its records stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from services.childview.identity.decide import ORDINARY, PROTECTION, Decision, Linked, Pair


@dataclass(frozen=True)
class Open:
    """An open pair, the two children it lies between, and whether each is protected, or withheld, today.

    void: nothing is left to decide: the two are one child by now, or an adoption keeps them apart.
    """

    pair: Pair
    child: str
    candidate_child: str
    protected: bool = False
    candidate_protected: bool = False
    withheld: bool = False
    candidate_withheld: bool = False
    void: bool = False

    @property
    def records(self) -> tuple[str, str]:
        """Both records."""
        return self.pair.record, self.pair.candidate

    def other(self, record: str) -> str:
        """The record on the other side."""
        return self.pair.candidate if self.pair.record == record else self.pair.record

    def shields(self, record: str) -> bool:
        """Whether the child on the other side from this record is protected."""
        return self.candidate_protected if self.pair.record == record else self.protected

    def between(self, one: str, other: str) -> bool:
        """Whether it lies between these two children."""
        return {self.child, self.candidate_child} == {one, other}


def stand(
    record: str,
    now: Linked,
    *,
    pairs: Iterable[Open],
    shields: Collection[str] = (),
    shielded: bool = False,
    ending: bool = True,
) -> tuple[Linked, tuple[Pair, ...]]:
    """How a record stands with these open pairs, and the pairs that have to open.

    shields: records of protected children it resembles. shielded: its own child is protected. ending: what withheld it may
    have ended; without that, what is withheld stays so while the pair is open that it is withheld for.
    """
    mine = [one for one in pairs if record in one.records and not one.void]
    kept = now.withheld and not ending
    hides = not shielded and (
        bool(shields) or any(one.shields(record) or (kept and one.pair.queue == PROTECTION) for one in mine)
    )
    met = {one.other(record) for one in mine}
    opens = () if shielded else tuple(Pair(record, name, PROTECTION) for name in shields if name not in met)
    holds = hides or bool(opens) or any(one.pair.record == record for one in mine)
    return replace(now, status="held" if holds else "linked", withheld=hides), opens


def review(
    record: str,
    now: Linked,
    *,
    pairs: Sequence[Open],
    shields: Collection[str],
    shielded: bool,
    fellow_withheld: bool = False,
    ending: bool = False,
) -> Decision | None:
    """What a protection that was set or ended, or a decision, changes for a record; None when nothing.

    pairs: every open pair of its child. fellow_withheld: another record of its child is withheld.
    """
    wanted, opens = stand(record, now, pairs=pairs, shields=shields, shielded=shielded, ending=ending)
    closes = tuple(one.pair for one in pairs if one.void)
    hidden = shielded or wanted.withheld or fellow_withheld
    moves = tuple(_requeued(one, now.child, hidden, ending) for one in pairs if not one.void)
    opens += tuple(pair for pair, one in zip(moves, (o for o in pairs if not o.void), strict=True) if pair != one.pair)
    if wanted == now and not opens and not closes:
        return None
    hides = wanted.withheld and not now.withheld
    freed = now.withheld and not wanted.withheld
    kind = "withhold" if hides or (not freed and any(p.queue == PROTECTION for p in opens)) else "release"
    return Decision(kind, {record: wanted}, opens=opens, closes=closes)


def _requeued(one: Open, child: str, hidden: bool, ending: bool) -> Pair:
    """A pair in the protection team's queue while either child is protected or not shown."""
    mine, theirs = hidden, one.candidate_protected or one.candidate_withheld
    if one.child != child:
        theirs = one.protected or one.withheld
    if mine or theirs:
        return replace(one.pair, queue=PROTECTION)
    return replace(one.pair, queue=ORDINARY) if ending else one.pair
