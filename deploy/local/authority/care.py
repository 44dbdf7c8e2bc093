"""A child's time in care, worked out once: episodes, placements, reviews, health, and the days it was missing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from deploy.local.authority.histories import Review, reviews_since, years
from deploy.local.authority.people import Authority, Case, Child

KINDS = {"U4": 22, "U6": 42, "U1": 8, "U3": 9, "P1": 5, "K2": 11, "R3": 1, "Z1": 2}
PROVIDERS = {"P1": "PR0", "K2": "PR4", "U1": "PR1", "U3": "PR1"}
"""Who provides a kind of placement; of other kinds the authority itself or an agency."""
ORDERS = {"V2": 35, "C1": 50, "L2": 5, "C2": 10}
REASONS = ("CARPL", "CREQB", "CREQO", "CHILD", "STAND")
MOVES = (60, 28, 12)
"""Of a hundred: how many stay where they came first, move once, move twice."""
MISSING, MISUSING, UNACCOMPANIED, UNSCORED = 0.11, 0.06, 0.25, 0.08
"""Shares: missing in the year; of those of 13 and more with a substance; of those of 15 and more who came alone; of
questionnaires without a score."""
FIRST_REVIEW, SECOND_REVIEW, NEXT_REVIEW = 28, 91, 182
ADOPTIVE, PLACED_BEFORE = "A5", 150
"""The placement of who was adopted by other than the foster carers, and how many days before the order it began."""


@dataclass(frozen=True)
class Placement:
    """Where a child in care lived. reason: why it ended. urn: Ofsted's number."""

    number: int
    start: date
    end: date | None
    kind: str
    provider: str
    postcode: str
    urn: str
    miles: float
    reason: str = ""


@dataclass(frozen=True)
class Episode:
    """One episode of care. began, ended: codes (RNE, REC)."""

    number: int
    start: date
    end: date | None
    began: str
    status: str
    placement: int
    ended: str = ""


@dataclass(frozen=True)
class Check:
    """A health check."""

    day: date
    kind: str


@dataclass(frozen=True)
class Absence:
    """Missing, or away. interview: whether the child took the return interview, which was offered."""

    start: date
    end: date
    kind: str
    interview: bool


@dataclass(frozen=True)
class Care:
    """A time in care. scores: the day, and the SDQ's score (None: the carer refused)."""

    start: date
    end: date | None
    episodes: tuple[Episode, ...]
    placements: tuple[Placement, ...]
    reviews: tuple[Review, ...]
    checks: tuple[Check, ...]
    scores: tuple[tuple[date, int | None], ...]
    missing: tuple[Absence, ...]
    substance: str = ""
    unaccompanied: bool = False


def care_of(authority: Authority, child: Child, case: Case) -> Care:
    """A child's time in care, the same whenever it is asked."""
    luck = random.Random(f"{authority.seed} {child.number} care")
    until = case.closed or authority.today - timedelta(days=1)
    start = min(case.referred + timedelta(days=luck.randrange(3, 12)), until - timedelta(days=1))
    alone = case.level == "looked_after" and years(child, start) >= 15 and luck.random() < UNACCOMPANIED
    changes = _adoption(start, case) if case.level == "adopted" else list(_changes(luck, start, until, case, alone))
    episodes, placements = _told(luck, child, changes, case)
    found = Care(
        start, case.closed, episodes, placements, tuple(_reviews(luck, child, start, until, case)),
        tuple(_checks(luck, child, start, until)), tuple(_scores(luck, child, start, until, case)),
        tuple(_missing(luck, child, start, until, case)), unaccompanied=alone,
    )  # fmt: skip
    misused = years(child, until) >= 13 and luck.random() < MISUSING
    return replace(found, substance="Cannabis") if misused else found


Change = tuple[date, str, str, bool]
"""(day, RNE, legal status from then on, whether the child moves)"""


def _changes(luck: random.Random, start: date, until: date, case: Case, alone: bool) -> Iterator[Change]:
    """The beginning, a care order that becomes full, and moves; never two on a day."""
    status = "V2" if alone else luck.choices(list(ORDERS), list(ORDERS.values()))[0]
    moves = max(luck.choices((0, 1, 2), MOVES)[0], int(case.eventful))
    days = (until - start).days
    moved = {start + timedelta(days=days * (place + 1) // (moves + 1)) for place in range(moves)} - {start, until}
    full = start + timedelta(days=luck.randrange(150, 260)) if status in ("C1", "L2") else until
    yield start, "S", status, True
    for day in sorted(moved | ({full} if full < until else set())):
        ordered = day == full and status != "C2"
        status = "C2" if ordered else status
        yield day, ("B" if day in moved else "L") if ordered else "P", status, day in moved


def _adoption(start: date, case: Case) -> list[Change]:
    """Interim order, placement order, placed with who adopts."""
    assert case.closed is not None
    placed = case.closed - timedelta(days=PLACED_BEFORE)
    ordered = start + (placed - start) / 2
    return [(start, "S", "C1", True), (ordered, "L", "E1", False), (placed, "P", "E1", True)]


def _told(luck: random.Random, child: Child, changes: list[Change], case: Case) -> tuple[tuple[Episode, ...], tuple[Placement, ...]]:
    ends = [day for day, *_ in changes[1:]] + [case.closed]
    episodes: list[Episode] = []
    placements: list[Placement] = []
    for number, ((day, began, status, moves), end) in enumerate(zip(changes, ends, strict=True), 1):
        if moves:
            if placements:
                placements[-1] = replace(placements[-1], end=day, reason=luck.choice(REASONS))
            placements.append(_placement(luck, child, len(placements) + 1, day, case, last=number == len(changes)))
        ended = "X1" if number < len(changes) else _end(luck, case) if end else ""
        episodes.append(Episode(number, day, end, began, status, placements[-1].number, ended))
    placements[-1] = replace(placements[-1], end=case.closed)
    return tuple(episodes), tuple(placements)


def _end(luck: random.Random, case: Case) -> str:
    """Adopted; or, at eighteen, on to a home of one's own with or without support, or with the carers."""
    return "E11" if case.level == "adopted" else luck.choice(("E5", "E5", "E6", "E17"))


def _placement(luck: random.Random, child: Child, number: int, day: date, case: Case, *, last: bool) -> Placement:
    kind = luck.choices(list(KINDS), list(KINDS.values()))[0]
    if case.level == "adopted":
        kind = ADOPTIVE if last else "U6"
    elif case.eventful and last:
        kind = "U4"
    provider = PROVIDERS.get(kind) or luck.choice(("PR1", "PR1", "PR4"))
    postcode = f"WX{luck.randrange(91, 99)} {luck.randrange(1, 10)}{luck.choice('BCDF')}{luck.choice('GHJK')}"
    urn = f"SC{990000 + child.number * 3 % 9000 + number}"
    return Placement(number, day, None, kind, provider, postcode, urn, round(luck.uniform(0.5, 38), 1))


def _reviews(luck: random.Random, child: Child, start: date, until: date, case: Case) -> Iterator[Review]:
    """Of a time in care that is over only those that were held."""
    for one in reviews_since(luck, child, start, (FIRST_REVIEW, SECOND_REVIEW, NEXT_REVIEW), until):
        if one.held or case.closed is None:
            yield one


def _checks(luck: random.Random, child: Child, start: date, until: date) -> Iterator[Check]:
    """The first assessment within a month, then every year, twice as often under five; the dentist in between."""
    day, kind = start + timedelta(days=luck.randrange(10, 27)), "Initial health assessment"
    while day <= until:
        yield Check(day, kind)
        if years(child, day) >= 1 and day + timedelta(days=40) <= until:
            yield Check(day + timedelta(days=40), "Dental check")
        day, kind = day + timedelta(days=365 if years(child, day) >= 5 else 182), "Review health assessment"


def _scores(luck: random.Random, child: Child, start: date, until: date, case: Case) -> Iterator[tuple[date, int | None]]:
    """One a year, between the fourth and the seventeenth birthday."""
    day = start + timedelta(days=luck.randrange(60, 120))
    while day <= until:
        if 4 <= years(child, day) <= 16:
            yield day, None if luck.random() < UNSCORED and not case.eventful else min(40, max(0, round(luck.gauss(14, 6))))
        day += timedelta(days=365)


def _missing(luck: random.Random, child: Child, start: date, until: date, case: Case) -> Iterator[Absence]:
    if not case.eventful and (luck.random() > MISSING or years(child, until) < 10):
        return
    for place in range(luck.randrange(1, 4)):
        day = until - timedelta(days=30 + 70 * place + luck.randrange(40))
        if day > start:
            yield Absence(day, day + timedelta(days=luck.randrange(0, 3)), "Away" if place == 1 else "Missing", luck.random() < 0.6)
