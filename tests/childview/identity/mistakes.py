"""Invented children, and what other people's typing makes of them. Every function takes the luck it uses."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from itertools import combinations
from typing import Any

from benchmarks.identity import mistakes
from deploy.local.authority import names
from tests.childview.identity.world import upn

Fields = dict[str, Any]


def child(luck: random.Random) -> Fields:
    """Who an invented child is."""
    return {
        "given_name": luck.choice(names.GIVEN[luck.choice("FM")]),
        "family_name": luck.choice(names.FAMILY),
        "birth_date": date.fromordinal(luck.randrange(date(2008, 1, 1).toordinal(), date(2021, 9, 1).toordinal())).isoformat(),
        "identifiers": [new_upn(luck)],
    }


def new_upn(luck: random.Random) -> Fields:
    """A number that nobody else has."""
    return upn(f"{luck.choice('ABCDEFGH')}{luck.randrange(10**12):012d}")


def typed_given(luck: random.Random, who: Fields) -> Fields:
    """A typing error in the given name."""
    return {**who, "given_name": mistakes.typed(luck, who["given_name"])}


def typed_family(luck: random.Random, who: Fields) -> Fields:
    """A typing error in the family name."""
    return {**who, "family_name": mistakes.typed(luck, who["family_name"])}


def renamed(luck: random.Random, who: Fields) -> Fields:
    """Another family name."""
    return {**who, "family_name": luck.choice(names.FAMILY)}


def moved(luck: random.Random, who: Fields) -> Fields:
    """Another school, which gave another number."""
    return {**who, "identifiers": [new_upn(luck)]}


def unnumbered(luck: random.Random, who: Fields) -> Fields:
    """A school that knows no number."""
    return {**who, "identifiers": []}


def turned(luck: random.Random, who: Fields) -> Fields:
    """Day and month exchanged; where that is no date, or the same, a figure of the date typed wrong."""
    born = date.fromisoformat(who["birth_date"])
    if born.day > 12 or born.day == born.month:
        return mistyped(luck, who)
    return {**who, "birth_date": date(born.year, born.day, born.month).isoformat()}


def mistyped(luck: random.Random, who: Fields) -> Fields:
    """One figure of the birth date typed wrong."""
    return {**who, "birth_date": mistakes._mistyped_date(luck, date.fromisoformat(who["birth_date"]))}


Mutation = Callable[[random.Random, Fields], Fields]
ALL: tuple[Mutation, ...] = (typed_given, typed_family, renamed, moved, unnumbered, turned, mistyped)
_SAME = ({"typed_family", "renamed"}, {"moved", "unnumbered"}, {"turned", "mistyped"})
"""Two mistakes in one and the same field are one."""
COMBINED = tuple(
    (one, other) for one, other in combinations(ALL, 2) if {one.__name__, other.__name__} not in _SAME
)


def mutated(luck: random.Random, who: Fields) -> tuple[str, Fields]:
    """One mistake, or two at once; what they were, and what is written then. Every second record lacks the number besides."""
    chosen = luck.choice([*((one,) for one in ALL), *COMBINED])
    if luck.random() < 0.5:
        who = unnumbered(luck, who)
    for mistake in chosen:
        who = mistake(luck, who)
    return " and ".join(one.__name__ for one in chosen), who
