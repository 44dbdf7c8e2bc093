"""The invented authority's school year: terms, half-terms and holidays, worked out for any year."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

MARKED = 20
"""School days, the newest ones, whose marks schools deliver: four school weeks. Before them censuses count sessions."""
YEAR = 365
CENSUS_DAYS = {"autumn": (10, 5), "spring": (1, 18), "summer": (5, 18)}


@dataclass(frozen=True)
class Term:
    """One term of the school year. first, last: its days, both included; half_term: its five days without school."""

    year: int
    season: str
    first: date
    last: date
    half_term: date

    @property
    def name(self) -> str:
        """As collections are named: 2026-autumn."""
        return f"{self.year}-{self.season}"

    @property
    def census_day(self) -> date:
        """The day of its census."""
        return date(self.year, *CENSUS_DAYS[self.season])

    def days(self, start: date, end: date) -> list[date]:
        """Its school days from start to end, both included."""
        every = _school_days(self)
        return list(every[bisect_left(every, start) : bisect_right(every, end)])


@lru_cache(maxsize=64)
def _school_days(term: Term) -> tuple[date, ...]:
    every = (term.first + timedelta(days=n) for n in range((term.last - term.first).days + 1))
    closed = {term.half_term + timedelta(days=n) for n in range(5)} | {_may_day(term.year)}
    return tuple(day for day in every if day.weekday() < 5 and day not in closed)


def terms(today: date) -> list[Term]:
    """Every term that has begun, of this calendar year and the two before, oldest first."""
    found = [term for year in range(today.year - 2, today.year + 1) for term in _terms(year)]
    return [term for term in found if term.first <= today]


def _terms(year: int) -> list[Term]:
    easter = _easter(year)
    return [
        Term(year, "spring", _monday(date(year, 1, 8)), easter - timedelta(days=9), _monday(date(year, 2, 17))),
        Term(year, "summer", easter + timedelta(days=8), date(year, 7, 22), _monday(date(year, 5, 31))),
        Term(year, "autumn", date(year, 9, 2), date(year, 12, 19), _monday(date(year, 10, 28))),
    ]


@lru_cache(maxsize=8)
def marked_days(today: date) -> tuple[date, ...]:
    """The last school days before today, oldest first: those whose marks are delivered one by one."""
    every = [day for term in terms(today)[-3:] for day in term.days(term.first, today - timedelta(days=1))]
    return tuple(every[-MARKED:])


def counted(today: date) -> list[Term]:
    """The terms whose sessions a census counts: a year's, up to the day before the first that is marked."""
    until = marked_days(today)[0] - timedelta(days=1)
    return [term for term in terms(today) if term.last >= today - timedelta(days=YEAR) and term.first <= until]


def _monday(day: date) -> date:
    """The Monday of that day or before it."""
    return day - timedelta(days=day.weekday())


def _may_day(year: int) -> date:
    """The bank holiday: the first Monday of May."""
    return _monday(date(year, 5, 7))


def _easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian computus, as Meeus gives it)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    rest = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * rest) // 451
    month, day = divmod(h + rest - 7 * m + 114, 31)
    return date(year, month, day + 1)
