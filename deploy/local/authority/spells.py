"""Where invented pupils are on roll and when, and which censuses count them there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deploy.local.authority.calendar import Term, counted, marked_days
from deploy.local.authority.people import Child

DETAILED = 1
"""The newest collection tells sessions missed by reason, older ones in sum on the pupil's own row: half the events to load."""


@dataclass(frozen=True)
class Spell:
    """One pupil at one school, as its censuses know it. last: the day of leaving, None: still there."""

    child: Child
    table_id: str
    school: str
    family: str
    first: date
    last: date | None


@dataclass(frozen=True)
class Census:
    """What schools count of one term. since, until: it tells of who was there between them. newest: it says what is so now, too.
    detailed: it tells sessions missed by reason. summer: in autumn the summer before, whose second half it counts."""

    term: Term
    since: date
    until: date
    newest: bool
    detailed: bool
    summer: Term | None = None

    @property
    def stem(self) -> str:
        """How its files' names begin: the collection, and as of when they speak."""
        return f"{self.term.year}_{self.term.season}_{self.until.isoformat()}"

    def holds(self, spell: Spell) -> bool:
        """Whether the pupil was at the school since the census before."""
        return spell.first <= self.until and (spell.last is None or spell.last >= self.since)

    def left(self, spell: Spell) -> bool:
        """Whether the pupil had gone by then."""
        return spell.last is not None and spell.last <= self.until

    def days(self, spell: Spell) -> list[date]:
        """The school days of the pupil's there."""
        return self.term.days(spell.first, min(self.until, spell.last or self.until))

    def summer_days(self, spell: Spell) -> list[date]:
        """Those of the second half of the summer term."""
        if self.summer is None:
            return []
        last = self.summer.last
        return self.summer.days(max(spell.first, self.summer.half_term), min(last, spell.last or last))


def censuses(today: date) -> list[Census]:
    """A year's collections, oldest first. The last ends where the marks begin. The summer's, taken in May, counts the first half
    of the term alone: autumn's counts the rest."""
    until, held = marked_days(today)[0] - timedelta(days=1), counted(today)
    found: list[Census] = []
    for term in held:
        halved = term.season == "summer" and term is not held[-1]
        ends = term.half_term - timedelta(days=3) if halved else min(term.last, until)
        since = found[-1].until + timedelta(days=1) if found else term.first
        summer = found[-1].term if found and term.season == "autumn" else None
        found.append(Census(term, since, ends, term is held[-1], term in held[-DETAILED:], summer))
    return found


def spells(child: Child, today: date) -> list[Spell]:
    """Where a pupil is and, if they moved this year, where they were: under another table id and the name of then."""
    assert child.school
    entered = entered_on(child, today)
    now = Spell(child, child.pupil_id, child.school, child.family, entered, None)
    if not child.came_from:
        return [now]
    left = entered - timedelta(days=5)
    return [Spell(child, child.leaver_id, child.came_from, child.former_family or child.family, left - timedelta(days=700), left), now]


def entered_on(child: Child, today: date) -> date:
    """The first day at the school: the September after the fourth birthday, or after the move; always before the marks begin."""
    assert child.born is not None
    start = date(child.born.year + 4 + (child.born.month >= 9), 9, 2)
    latest = marked_days(today)[0] - timedelta(days=7)
    return min(latest, max(start, today - timedelta(days=150)) if child.came_from else start)


def year_of(child: Child, day: date) -> str:
    """The national curriculum year of an age group on a day."""
    assert child.born is not None
    starts = child.born.year + 4 + (child.born.month >= 9)
    year = day.year - (day.month < 9) - starts
    return "R" if year <= 0 else str(min(year, 13))
