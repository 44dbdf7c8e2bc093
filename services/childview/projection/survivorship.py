"""Survivorship: which of several words on one field stands. The rules are `contracts/survivorship.yaml`; this is pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from services.plumbing.contracts import read_yaml

FILE = "survivorship.yaml"
Word = TypeVar("Word")


class RulesRefused(ValueError):
    """The file of rules says what cannot be meant; which field, and why."""


@dataclass(frozen=True)
class Rule:
    """trusted: sources, the most trusted first; None: the category's. raised: contradictions go to people. unknown: values that
    say nothing."""

    trusted: tuple[str, ...] | None = None
    raised: bool = False
    unknown: frozenset[str] = frozenset()


def load(roots: Sequence[Path], *, fields: Collection[str]) -> Mapping[str, Rule]:
    """The rules of every root by field. fields: those that have several words. Raises RulesRefused."""
    found: dict[str, Rule] = {}
    for path in (root / FILE for root in roots):
        if path.exists():
            document = read_yaml(path.read_bytes())
            if set(document) - {"version", "fields"} or document.get("version") != 1:
                raise RulesRefused(f"{path}: it is made of `version: 1` and `fields`")
            found |= {id: _rule(f"{path}: {id}", id, said, fields) for id, said in document["fields"].items()}
    return found


def _rule(where: str, id: str, said: Any, fields: Collection[str]) -> Rule:
    if id not in fields:
        raise RulesRefused(f"{where}: no field of the catalogue that comes from events")
    if not isinstance(said, dict) or set(said) - {"trusted", "raise", "unknown"}:
        raise RulesRefused(f"{where}: a rule is made of `trusted`, `raise` and `unknown`")
    trusted, raised, unknown = said.get("trusted"), said.get("raise", False), said.get("unknown", [])
    if not (isinstance(unknown, list) and all(isinstance(one, str) for one in unknown)):
        raise RulesRefused(f"{where}: `unknown` is a list of values")
    if trusted is not None and not (isinstance(trusted, list) and all(isinstance(one, str) for one in trusted)):
        raise RulesRefused(f"{where}: `trusted` is a list of sources")
    if len(set(trusted or ())) != len(trusted or ()):
        raise RulesRefused(f"{where}: a source is trusted twice")
    if not isinstance(raised, bool):
        raise RulesRefused(f"{where}: `raise` is true or false")
    return Rule(None if trusted is None else tuple(trusted), raised, frozenset(unknown))


def trust(trusted: Sequence[str], source: str) -> int:
    """How far a source is trusted: the first of the list most, one that is not in it least."""
    return len(trusted) - trusted.index(source) if source in trusted else 0


def best(words: Sequence[Word], *, tie: Sequence[Any], same: Sequence[Any]) -> int:
    """The place of the word that stands, among words in their order: of the first's equals (by `tie`) the one most often said.

    tie: what ranks a word before how often it is said; same: its value as it is compared.
    """
    equals = [place for place in range(len(words)) if tie[place] == tie[0]]
    return max(equals, key=lambda place: list(same).count(same[place]))
