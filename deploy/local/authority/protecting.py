"""The children who are not named in a story and must be kept from some: shielded, adopted, or with a risk in the family."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from deploy.local.authority import names
from deploy.local.authority.earlier import adopted_case
from deploy.local.authority.people import Authority, Child, nhs_number
from deploy.local.authority.scenarios import Story, protection

SHIELDED, ADOPTED, RISK_LINKED = 0.001, 0.001, 0.001
"""Shares of all children known to a service; one of each at least."""


def add(authority: Authority, story: Story) -> None:
    """Mark some at random; of an adopted child there are two records from then on. Cases must have their workers."""
    rng = random.Random(f"{authority.seed} protected")
    told = {child.number for child in story.children.values()}
    free = [child for child in authority.children if child.social_care and child.born and child.number not in told]
    known = sum(child.known for child in authority.children)
    in_need = [child for child in free if child.case and child.case.open]
    for child in _some(rng, in_need, SHIELDED * known):
        story.protections.append(protection(child, "shielded", authority.today, named=[child.case.workers[0][1]] if child.case else []))
    for child in _some(rng, [c for c in free if not c.case and c.school], ADOPTED * known):
        before = _before(rng, child, len(authority.children) + 1, authority.today)
        authority.children.append(before)
        authority.children[authority.children.index(child)] = replace(child, past=None, former_family=before.family, plaa="A")
        story.protections.append(protection(before, "adopted", authority.today, named=[]))
        story.adoption_pairs.append({"one": before.local_id, "other": child.local_id})
    for child in _some(rng, [c for c in free if c.step_parent], RISK_LINKED * known):
        story.protections.append(protection(child, "risk_linked", authority.today, named=[]) | {"risk_local_id": child.step_parent_id})


def _some(rng: random.Random, children: list[Child], count: float) -> Iterator[Child]:
    yield from rng.sample(children, min(len(children), max(1, round(count))))


def _before(rng: random.Random, child: Child, number: int, today: date) -> Child:
    """Social care's record from before the adoption: other names, another household, the same day of birth, and the time in care
    that the adoption ended."""
    return replace(
        child, number=number, given=rng.choice([name for name in names.GIVEN[child.sex] if name != child.given]),
        family=rng.choice([name for name in names.FAMILY if name != child.family]), household=child.household + BEFORE,
        upn=None, nhs=nhs_number(number), school=None, came_from=None, former_family=None, step_parent=False,
        social_given=None, social_family=None, social_upn=None, case=adopted_case(rng, today), past=None, early_help=False,
        asked=False, plaa="",
    )  # fmt: skip


BEFORE = 500_000
"""Households before an adoption, far from those after."""
