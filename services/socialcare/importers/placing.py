"""Which placement each episode of care belongs to: episodes follow one another in one placement while only the legal status
changes (RNE L)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LEGAL_STATUS_ALONE = "L"
OPEN = "9999-12-31"


class Episode(NamedTuple):
    """One episode as far as placements go. where: placement type and postcode."""

    decom: str
    dec: str | None
    rne: str
    where: tuple[str, str]
    number: int


class Placed(NamedTuple):
    """An episode's place. first: the name of the placement's first episode. last: whether it is the placement's last one, which
    tells how the placement is and ended. nth: among the child's episodes that begin on its day. odd: what is odd about it."""

    first: str
    last: bool = True
    nth: int = 1
    odd: str | None = None

    @property
    def start(self) -> str:
        """The day the placement began."""
        return self.first.split()[0]


def placed(episodes: Sequence[Episode]) -> dict[int, Placed]:
    """The places of one child's episodes by their row numbers, in whatever order they come. An episode that stands alone, and
    oddly in nothing, is left out."""
    before: Episode | None = None
    ends = first = ""
    nth = 1
    found: dict[int, Placed] = {}
    for one in sorted(episodes, key=lambda one: (one.decom, one.dec or OPEN, *one[2:])):
        nth = nth + 1 if before is not None and before.decom == one.decom else 1
        if before is not None and _goes_on(before, one):
            found[before.number] = found[before.number]._replace(last=False)
        else:
            first = one.decom if nth == 1 else f"{one.decom} {nth}"
        found[one.number] = Placed(first, True, nth, _odd(before, one, ends, nth))
        before, ends = one, max(ends, one.dec or OPEN)
    return {one.number: found[one.number] for one in episodes if found[one.number] != Placed(one.decom)}


def _goes_on(before: Episode, one: Episode) -> bool:
    return one.rne == LEGAL_STATUS_ALONE and before.dec == one.decom and before.where == one.where


def _odd(before: Episode | None, one: Episode, ends: str, nth: int) -> str | None:
    if before is None:
        return None
    if nth > 1:
        return "another episode of this child begins on the same day; both are kept"
    if ends > one.decom:
        return "an episode of this child that began before has not ended by then; both are kept"
    if one.rne == LEGAL_STATUS_ALONE and before.dec == one.decom and before.where != one.where:
        return "only the legal status is said to change, but the placement is another; it is kept as one of its own"
    return None
