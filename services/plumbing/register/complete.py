"""Files that are complete for something: what they do not hold of it is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.plumbing.contracts import Schemas
from services.plumbing.register.entries import FOREVER, Provenance, State, Statement, standing
from services.plumbing.register.subjects import Key


@dataclass(frozen=True)
class Complete:
    """What a file was complete for: what it does not hold of this is withdrawn.

    scope: the subjects whose keys begin so. equal, between (field, first, last): which of their entries.
    held: subject's key -> the natural keys of the entries that the file held. taken: where it is said, only those subjects'
    entries, and of them only what another entry that the file held has taken the time of (see `Taken`).
    """

    type: str
    record_class: str
    provenance: Provenance
    scope: str
    equal: Mapping[str, str]
    between: tuple[str, str, str]
    held: Mapping[Key, frozenset[tuple[Any, ...]]]
    taken: Taken | None = None


@dataclass(frozen=True)
class Taken:
    """An entry that the file of a newer extract names no more is corrected, not forgotten, where another takes its time.

    named: how the first part of its natural key begins. start, end: its fields. since: the first day that the file is about.
    """

    named: str
    start: str
    end: str
    since: str

    def by(self, fields: Mapping[str, Any], key: tuple[Any, ...], others: Sequence[Mapping[str, Any]]) -> bool:
        """Whether one of the others has the time of this entry, which the file would have named."""
        start, end = fields.get(self.start), fields.get(self.end) or FOREVER
        if start is None or end < self.since or not str(key[0]).startswith(self.named):
            return False
        return any((one.get(self.start) or FOREVER) < end and start < (one.get(self.end) or FOREVER) for one in others)


def missing(state: State, complete: Complete, held: set[tuple[Any, ...]], schemas: Schemas) -> Iterator[Statement]:
    """The withdrawals of what this file would have held and did not. held: natural keys of this subject's entries in the file."""
    rule = schemas.of(complete.type).entry  # type: ignore[union-attr]
    assert rule is not None
    name, first, last = complete.between
    entries = standing(state, rule)
    present = [one.fields for one in entries if tuple(one.fields.get(part) for part in rule.key) in held]
    for one in entries:
        key = tuple(one.fields.get(part) for part in rule.key)
        here = all(one.fields.get(part) == value for part, value in complete.equal.items())
        newer = one.extracted < complete.provenance.extracted
        gone = complete.taken is None or (newer and complete.taken.by(one.fields, key, present))
        if here and first <= str(one.fields.get(name)) <= last and key not in held and gone:
            yield Statement(complete.type, complete.record_class, dict(zip(rule.key, key, strict=True)), withdrawn=True)
