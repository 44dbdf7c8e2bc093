"""Levels: how much of a value is shown. full > masked > noted > hidden."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum


class Level(IntEnum):
    """Allowing a level allows those below it; denying a level denies those above it."""

    HIDDEN = 0
    NOTED = 1
    MASKED = 2
    FULL = 3


NAMES = {"hidden": Level.HIDDEN, "noted": Level.NOTED, "masked": Level.MASKED, "full": Level.FULL}


def decided(allowed: Collection[Level], denied: Collection[Level]) -> Level:
    """The lower of the highest allowed and one below the lowest denied; nothing said is hidden."""
    highest = max(allowed, default=Level.HIDDEN)
    ceiling = Level(min(denied) - 1) if denied else Level.FULL
    return min(highest, ceiling)


def clamp(level: Level, legal: Collection[str]) -> Level:
    """The highest level at or below this one that is legal for the field; hidden always is."""
    return Level(next((lower for lower in range(level, 0, -1) if Level(lower).name.lower() in legal), 0))
