"""What social care did before today, of children who have no open case: closed cases, early help, children who left care."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from deploy.local.authority.people import Authority, Case, Child

CARE_LEAVERS, OTHER_ORDERS = 0.004, 0.003
"""Shares of all children known to a service: who left care at eighteen; who left it by guardianship or an arrangements order."""
CLOSED, HELPED, ASKED = 0.3, 0.25, 0.2
"""Of those whom social care knows from before: a case that closed in the last census's year; early help; a contact that led to
nothing."""


def year_ended(today: date) -> date:
    """The last 31 March: the years of the census and of the return end on it."""
    return date(today.year - (today.month < 4), 3, 31)


def year_began(today: date) -> date:
    """The 1 April before it."""
    return date(year_ended(today).year - 1, 4, 1)


def add(authority: Authority) -> None:
    """Tell of some of those whom social care knows, and has no open case of, what it did."""
    rng = random.Random(f"{authority.seed} earlier")
    known = sum(child.known for child in authority.children)
    before = [place for place, child in enumerate(authority.children) if child.social_care and not child.case and child.social_born is None]
    for place in rng.sample(before, min(len(before), max(1, round(CARE_LEAVERS * known)))):
        authority.children[place] = left_care(rng, authority.children[place], authority.today)
        before.remove(place)
    for place in before:
        authority.children[place] = _told(rng, authority.children[place], authority.today)
    _orders(rng, authority, known)


def left_care(rng: random.Random, child: Child, today: date, age: float | None = None) -> Child:
    """The child grown up: in care for some years, until the eighteenth birthday."""
    born = today - timedelta(days=int((age or rng.uniform(18.1, 20.9)) * 365.25))
    eighteen = date(born.year + 18, born.month, min(born.day, 28))
    case = Case("care_leaver", eighteen - timedelta(days=rng.randrange(500, 1500)), rng.choice(("N1", "N5", "N8")), closed=eighteen)
    return replace(child, born=born, school=None, came_from=None, former_family=None, case=case)


def adopted_case(rng: random.Random, today: date) -> Case:
    """A case that ended with an adoption in the last return's year."""
    ordered = year_ended(today) - timedelta(days=rng.randrange(10, 300))
    return Case("adopted", ordered - timedelta(days=rng.randrange(500, 800)), "N1", closed=ordered)


def _told(rng: random.Random, child: Child, today: date) -> Child:
    assert child.born is not None
    luck = rng.random()
    if luck < CLOSED:
        closed = year_ended(today) - timedelta(days=rng.randrange(0, 280))
        case = Case("need", closed - timedelta(days=rng.randrange(75, 200)), rng.choice(("N1", "N2", "N3", "N4", "N5")), closed=closed)
        return replace(child, past=case) if case.referred >= child.born else child
    return replace(child, early_help=luck < CLOSED + HELPED, asked=CLOSED + HELPED < luck < CLOSED + HELPED + ASKED)


def _orders(rng: random.Random, authority: Authority, known: int) -> None:
    """Pupils of whom the school's file says that they left care, otherwise than by adoption."""
    pupils = [place for place, child in enumerate(authority.children) if child.school and not child.case]
    for place in rng.sample(pupils, min(len(pupils), max(1, round(OTHER_ORDERS * known)))):
        authority.children[place] = replace(authority.children[place], plaa=rng.choice("GGC"))
