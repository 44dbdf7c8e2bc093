"""What happened in a case, worked out once: every file that tells of it tells the same.

Periods are those of Working Together: an assessment within 45 working days, a conference within 15 of the enquiry, the first
review of a protection plan after three months at most, the next ones after six.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deploy.local.authority.people import Authority, Case, Child

SOURCES = ("1A", "2A", "3A", "5A", "6")
FACTORS = {
    "N1": ("16A", "17A", "3B", "4B", "1B"), "N2": ("5A", "6A"), "N3": ("4B", "6B", "7A"), "N4": ("4B", "3B", "20"),
    "N5": ("3B", "14A", "2B", "15A"), "N8": ("9A", "10A", "12A"),
}  # fmt: skip
ABUSE = ("NEG", "NEG", "EMO", "EMO", "PHY", "SAB")
TOLD_BY_ITSELF = ("PN1", "PN1", "PN3", "PN5", "PN6", "PN7")
"""A child's part in a review, from four years on."""
ENQUIRED, PLANNED, OVERDUE, PLANNED_BEFORE = 0.15, 0.5, 0.05, 0.2
"""Shares: of those in need with a section 47 enquiry that led to no conference, with a plan; of reviews that are late; of
protection plans that are not the child's first."""
CONFERENCE_DAYS, FIRST_REVIEW, NEXT_REVIEW = 21, 91, 182
VISITED = 180
"""So many days of visits are told."""
VISITS_APART = {"protection": (10, 15), "need": (28, 41)}


@dataclass(frozen=True)
class Review:
    """A review: the day it is due, and the day it was held if it was."""

    due: date
    held: date | None
    participation: str


@dataclass(frozen=True)
class Plan:
    """A plan in need or under protection. abuse: its first and its latest category."""

    kind: str
    start: date
    end: date | None
    abuse: tuple[str, str] = ("", "")
    before: int = 0


@dataclass(frozen=True)
class History:
    """One case. What has not happened yet is not in it. assessed: begun, authorised. enquiry: begun, ended. conference: held,
    due. visits: the day, and whether the child was seen alone."""

    source: str
    assessed: tuple[date, date | None]
    factors: tuple[str, ...] = ()
    enquiry: tuple[date, date] | None = None
    conference: tuple[date, date] | None = None
    plan: Plan | None = None
    reviews: tuple[Review, ...] = ()
    visits: tuple[tuple[date, bool], ...] = ()


def history(authority: Authority, child: Child, case: Case) -> History:
    """What happened in a case, the same whenever it is asked."""
    luck = random.Random(f"{authority.seed} {child.number} history {case.referred}")
    until = min(case.closed or authority.today, authority.today - timedelta(days=1))
    begun = min(case.referred + timedelta(days=luck.randrange(1, 5)), until)
    authorised = begun + timedelta(days=luck.randrange(20, 46))
    done = authorised if authorised <= until else None
    found = FACTORS[case.need]
    factors = tuple(sorted(luck.sample(found, luck.randrange(1, min(3, len(found)) + 1)))) if done else ()
    enquiry, conference = _enquiry(luck, case, until)
    plan = _plan(luck, case, conference, done)
    held = conference[0] if conference else None
    reviews = tuple(reviews_since(luck, child, held, (FIRST_REVIEW, NEXT_REVIEW), until)) if held else ()
    visits = tuple(_visits(luck, child, case, until))
    return History(SOURCES[child.number % len(SOURCES)], (begun, done), factors, enquiry, conference, plan, reviews, visits)


def _enquiry(luck: random.Random, case: Case, until: date) -> tuple[tuple[date, date] | None, tuple[date, date] | None]:
    """The enquiry of who came under protection, or of some in need; and the conference of the former."""
    protected = case.level == "protection"
    if not protected and luck.random() > ENQUIRED:
        return None, None
    start = case.referred + timedelta(days=luck.randrange(1, 4))
    end = start + timedelta(days=luck.randrange(7, 12))
    if end > until:
        return None, None
    held = start + timedelta(days=luck.randrange(14, 20))
    return (start, end), (min(held, until), start + timedelta(days=CONFERENCE_DAYS)) if protected else None


def _plan(luck: random.Random, case: Case, conference: tuple[date, date] | None, assessed: date | None) -> Plan | None:
    if conference:
        before = int(luck.random() < PLANNED_BEFORE)
        return Plan("protection", conference[0], case.closed, (luck.choice(ABUSE), luck.choice(ABUSE)), before)
    if case.level == "need" and assessed and luck.random() < PLANNED:
        return Plan("need", assessed, case.closed)
    return None


def reviews_since(luck: random.Random, child: Child, first: date, apart: Sequence[int], until: date) -> Iterator[Review]:
    """Reviews from a day on, each a few days before it was due; the last of `apart` repeats. The last one is still to come, or
    late."""
    last, gaps = first, list(apart)
    while True:
        due = last + timedelta(days=gaps.pop(0) if len(gaps) > 1 else gaps[0])
        held = due - timedelta(days=luck.randrange(1, 13))
        late = due <= until < due + timedelta(days=60) and luck.random() < OVERDUE
        if held > until or late:
            yield Review(due, None, "")
            return
        yield Review(due, held, _part(luck, child, held))
        last = held


def _part(luck: random.Random, child: Child, day: date) -> str:
    return luck.choice(TOLD_BY_ITSELF) if years(child, day) >= 4 else "PN0"


def years(child: Child, day: date) -> int:
    """A child's age on a day, -1 before birth."""
    born = child.social_born or child.born
    return -1 if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _visits(luck: random.Random, child: Child, case: Case, until: date) -> Iterator[tuple[date, bool]]:
    apart = VISITS_APART.get(case.level)
    if apart is None or child.born is None:
        return
    day = max(case.referred + timedelta(days=2), until - timedelta(days=VISITED))
    while day <= until:
        yield day, years(child, day) >= 4 and luck.random() < 0.8
        day += timedelta(days=luck.randrange(*apart))
