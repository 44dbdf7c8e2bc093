"""The year of a return: from 1 April to 31 March, named by its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FIRST = 2015
"""The first year whose return is written: the files of earlier years had other columns."""


@dataclass(frozen=True)
class Year:
    """One year. All dates are ISO dates."""

    number: int

    @property
    def first(self) -> str:
        """Its first day."""
        return f"{self.number - 1}-04-01"

    @property
    def last(self) -> str:
        """Its last day."""
        return f"{self.number}-03-31"

    def has(self, day: str | None) -> bool:
        """Whether a day lies in it."""
        return day is not None and self.first <= day <= self.last

    def meets(self, begun: str, ended: str | None) -> bool:
        """Whether something stood on any day of it; without an end it stands."""
        return begun <= self.last and (ended is None or ended >= self.first)

    def by_its_end(self, day: str | None) -> str | None:
        """A day as it was known when the year ended: what came later had not happened."""
        return day if day is not None and day <= self.last else None


def years(today: str) -> Iterator[int]:
    """The years whose return can be written on this day: up to the one that runs."""
    return iter(range(FIRST, int(today[:4]) + (today[5:] > "03-31") + 1))
