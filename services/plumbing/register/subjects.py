"""Whom a source means: a subject's own ids first, then keys by which another system's record may be the same subject."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]
"""(kind of natural key, value). A value may begin with the scope in which it counts: `9994001|17`."""
LONGEST = 400
"""Characters of a key: an index entry of PostgreSQL holds 2,704 bytes."""
TWICE = "several "
"""Before the kind of a joining key that names several subjects: it joins nobody any more."""


@dataclass(frozen=True)
class Naming:
    """How one delivery names one subject.

    own: ids of this subject in its source; one that is known settles it. joins: keys that may name another system's record
    of the same subject. aliases: names that later rows use. upns: the valid UPNs said of it.
    """

    own: tuple[Key, ...]
    joins: tuple[Key, ...] = ()
    aliases: tuple[Key, ...] = ()
    upns: frozenset[str] = frozenset()

    @property
    def all(self) -> tuple[Key, ...]:
        """Every key."""
        return (*self.own, *self.joins, *self.aliases)


def key(kind: str, *parts: str | None) -> Key:
    """A key of several parts, the scope first. A bar inside a part cannot move the border between two."""
    return kind, "|".join((part or "").replace("%", "%25").replace("|", "%7C") for part in parts)


def plain_id(name: Key) -> str:
    """The id of a key of one part, as the source says it."""
    return name[1].replace("%7C", "|").replace("%25", "%")


def plain(name: str | None) -> str:
    """A name for comparing: letters only, without accents or case."""
    found = unicodedata.normalize("NFKD", name or "").casefold()
    return re.sub(r"[\W\d_]", "", "".join(one for one in found if not unicodedata.combining(one)))


@dataclass
class Directory:
    """The subjects that a batch's keys name, and what is known of those another system's key may join. Grows as it settles.

    known: key -> subject. held: subject -> all its keys. upns: subject -> valid UPNs the register holds.
    """

    known: dict[Key, uuid.UUID]
    held: dict[uuid.UUID, set[Key]] = field(default_factory=dict)
    upns: dict[uuid.UUID, frozenset[str]] = field(default_factory=dict)
    fresh: dict[Key, uuid.UUID] = field(default_factory=dict)
    made: set[uuid.UUID] = field(default_factory=set)

    def settle(self, naming: Naming, *, must_exist: bool) -> tuple[uuid.UUID | None, str | None]:
        """The subject, made now where there is none and it may be; and what kept it apart from a likely other one."""
        stream = next((self.known[one] for one in naming.own if one in self.known), None)
        why = None
        if stream is None:
            stream, why = self._joined(naming)
        if stream is None and not must_exist:
            stream = uuid.uuid4()
            self.made.add(stream)
        if stream is not None:
            self._learn(naming, stream, marks=not must_exist)
        return stream, why

    def _joined(self, naming: Naming) -> tuple[uuid.UUID | None, str | None]:
        why = None
        for one in naming.joins:
            other = self.known.get(one)
            if other is None:
                continue
            kept_apart = self._apart(naming, one, other)
            if kept_apart is None:
                return other, None
            why = why or kept_apart
        return None, why

    def _apart(self, naming: Naming, by: Key, other: uuid.UUID) -> str | None:
        """Why this key does not join; None when it does."""
        if (TWICE + by[0], by[1]) in self.known:
            return "several records could be this one; none is joined"
        if any(_rival(mine, held) for mine in naming.own for held in self.held.get(other, ())):
            return "another record of the same source looks like this one; they are kept apart"
        held = self.upns.get(other, frozenset())
        if held and naming.upns and not held & naming.upns:
            return "a record that looks like this one has another valid UPN; they are kept apart"
        return None

    def _learn(self, naming: Naming, stream: uuid.UUID, *, marks: bool) -> None:
        """Remember every key. marks: a joining key that names another subject too is remembered as one of several."""
        for one in naming.all:
            if one not in self.known:
                self.known[one] = self.fresh[one] = stream
            if self.known[one] == stream:
                self.held.setdefault(stream, set()).add(one)
            elif marks and one in naming.joins:
                self._several((TWICE + one[0], one[1]), stream)
        self.upns[stream] = self.upns.get(stream, frozenset()) | naming.upns

    def _several(self, mark: Key, stream: uuid.UUID) -> None:
        if mark not in self.known:
            self.known[mark] = self.fresh[mark] = stream


def _rival(mine: Key, held: Key) -> bool:
    """Two ids of one kind and scope are two subjects."""
    return mine[0] == held[0] and mine[1] != held[1] and _scope(mine[1]) == _scope(held[1])


def _scope(value: str) -> str:
    return value.rpartition("|")[0]


def valid_upns(fields: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The valid current UPNs in persons' fields."""
    numbers = (one for person in fields for one in person.get("identifiers") or ())
    return frozenset(one["value"] for one in numbers if one["type"] == "upn" and one.get("valid"))


def unfit(value: Any) -> bool:
    """Whether a value holds what PostgreSQL cannot store: a NUL, half of a surrogate pair, a number over 64 bits."""
    if isinstance(value, str):
        return "\0" in value or not (value.isascii() or _encodes(value))
    if isinstance(value, int):
        return not -(1 << 63) <= value < 1 << 63
    if isinstance(value, Mapping):
        return any(unfit(name) or unfit(part) for name, part in value.items())
    return isinstance(value, Sequence) and any(unfit(part) for part in value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
