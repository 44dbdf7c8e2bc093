"""Names of people as they are compared: written alike, spelled alike, or known to be variants of one another. Pure.

A normal name is lower case in Latin letters, its parts separated by one space: `O'Brien-Łęcki` -> `obrien lecki`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from anyascii import anyascii
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

LONGEST = 120
"""No name is compared further than this many letters: a longer one is a mistake, and costs time by its square."""
CLOSE, SIMILAR = 0.92, 0.82
"""Jaro-Winkler similarity of names that differ by a slip, and by more than one."""
_APOSTROPHES = re.compile(r"['’`ʻ´]")
_OTHERS = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=200_000)
def normal(text: str | None) -> str:
    """A name without case, accents, script and punctuation; empty for none, and for what holds no letter."""
    letters = anyascii(_APOSTROPHES.sub("", (text or "")[: 3 * LONGEST])).casefold()
    return _OTHERS.sub(" ", letters).strip()[:LONGEST].strip()


def joined(name: str) -> str:
    """A normal name in one piece: `anna maria` and `annamaria` are written alike."""
    return name.replace(" ", "")


def _groups(file: str) -> Mapping[str, frozenset[int]]:
    """For each name of a file the lines it stands in: names of one line are variants of one another."""
    found: dict[str, set[int]] = {}
    text = files("services.childview.identity").joinpath(file).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines()):
        for name in () if line.startswith("#") else line.split():
            found.setdefault(name, set()).add(number)
    return {name: frozenset(lines) for name, lines in found.items()}


@lru_cache(maxsize=1)
def variants() -> Mapping[str, frozenset[int]]:
    """The short forms and spellings that `variants.txt` lists."""
    return _groups("variants.txt")


PREFIXES = frozenset("muhammad md syed abdul abdur abu bibi mst mohd".split())
"""Given names that many brothers or sisters share, before the one they are called by: alone they tell little."""


@lru_cache(maxsize=50_000)
def is_prefix(name: str) -> bool:
    """Whether a given name is no more than a prefix name, however it is spelled."""
    return name in PREFIXES or any(_listed(name, prefix) for prefix in PREFIXES)


def _listed(one: str, other: str) -> bool:
    known = variants()
    return not known.get(one, frozenset()).isdisjoint(known.get(other, frozenset()))


@dataclass(frozen=True)
class Known:
    """What a population teaches about names.

    given, family: normal name -> how many records bear it, of `records`. learned: pairs of given names that one child
    has borne. separating: pairs of given names that have told twins apart: they are never spellings of one name.
    """

    records: int = 0
    given: Mapping[str, int] = field(default_factory=dict)
    family: Mapping[str, int] = field(default_factory=dict)
    learned: frozenset[tuple[str, str]] = frozenset()
    separating: frozenset[tuple[str, str]] = frozenset()

    def established(self, one: str, other: str) -> bool:
        """Whether both are names in their own right, by how many bear them: Zara and Zahra are two children, Zarah one of
        them, mistyped. A slip is rare beside the name it slipped from."""
        few, many = sorted((self.given.get(one, 0), self.given.get(other, 0)))
        return few >= ESTABLISHED and few >= many * SHARE_OF_SLIPS


ESTABLISHED = 6
SHARE_OF_SLIPS = 0.02


def ordered(one: str, other: str) -> tuple[str, str]:
    """A pair of names in one order."""
    return (one, other) if one <= other else (other, one)


class Spelling:
    """Compares names by what is known of them, and remembers: names repeat."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._given: dict[tuple[str, str], str] = {}
        self._family: dict[tuple[str, str], str] = {}

    def given(self, one: str, other: str) -> str:
        """equal, variant, close, similar, initial, distinct (two names that are near, yet two) or different."""
        pair = ordered(one, other)
        found = self._given.get(pair)
        if found is None:
            found = self._given[pair] = self._compare_given(*pair)
        return found

    def family(self, one: str, other: str) -> str:
        """equal, part (of a double name), close, similar or different."""
        pair = ordered(one, other)
        found = self._family.get(pair)
        if found is None:
            found = self._family[pair] = _compare_family(*pair)
        return found

    def _compare_given(self, one: str, other: str) -> str:
        if joined(one) == joined(other):
            return "equal"
        if ordered(one, other) in self._known.separating:
            return "distinct"
        if _listed(one, other) or ordered(one, other) in self._known.learned or _part(one, other):
            return "variant"
        if min(len(one), len(other)) == 1:
            return "initial" if one[0] == other[0] else "different"
        near = _near(joined(one), joined(other))
        if near != "different" and self._known.established(one, other):
            return "distinct"
        return near


def _compare_family(one: str, other: str) -> str:
    if joined(one) == joined(other):
        return "equal"
    if _part(one, other):
        return "part"
    return _near(joined(one), joined(other))


def _part(one: str, other: str) -> bool:
    """Whether a part of one, long enough to be a name, is a part of the other: Mary-Jane and Jane."""
    if " " not in one and " " not in other:
        return False
    mine, theirs = _parts(one), _parts(other)
    return bool(mine & theirs) or bool({joined(one)} & theirs) or bool({joined(other)} & mine)


@lru_cache(maxsize=100_000)
def _parts(name: str) -> Collection[str]:
    return frozenset(part for part in name.split() if len(part) > 2 and not is_prefix(part))


def _near(one: str, other: str) -> str:
    alike = JaroWinkler.similarity(one, other)
    if alike < 0.7:
        return "different"
    slips = DamerauLevenshtein.distance(one, other, score_cutoff=2)
    shorter = min(len(one), len(other))
    if (slips == 1 and shorter >= 4) or (alike >= CLOSE and slips <= 2 and shorter >= 5):
        return "close"
    if alike >= SIMILAR and (slips <= 2 or alike >= 0.9 or one.startswith(other) or other.startswith(one)):
        return "similar"
    return "different"
