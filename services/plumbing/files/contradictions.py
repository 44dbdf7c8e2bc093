"""Rows of one delivery that say different things of one subject: the later one stands, and the report names both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.plumbing.register import Said, Statement
from services.plumbing.subjects import Key

EntryName = Callable[[Statement], str | None]
"""The name of the entry a statement sets; None for entries that come many at a time and correct one another."""
NEVER_ONE = frozenset({"organisation", "former_upn"})
"""What may have several values at once: two schools fill it, or a child had several."""


class Spoken:
    """What the files of one delivery have said so far, by subject, day and entry."""

    def __init__(self, entry: EntryName) -> None:
        self._entry = entry
        self._held: dict[tuple[Any, ...], dict[str, tuple[Any, str, int]]] = {}
        self._subjects: dict[Key, Key] = {}

    def _subject(self, said: Said) -> Key:
        """One name for a subject whom several systems name: the first by which any of them did."""
        found = next((self._subjects[name] for name in said.names if name in self._subjects), said.names[0])
        for name in said.names:
            self._subjects.setdefault(name, found)
        return found

    def compare(self, said: Said) -> None:
        """Flag each value that differs from an earlier row's, naming that row."""
        for statement in said.statements:
            name = self._entry(statement)
            if name is not None and said.names:
                key = (self._subject(said), said.provenance.extracted, name)
                self._compare(said, statement, self._held.setdefault(key, {}))

    def _compare(self, said: Said, statement: Statement, held: dict[str, tuple[Any, str, int]]) -> None:
        row = statement.row or 0
        for field, value in _values(statement.fields):
            before = held.get(field)
            if before is not None and _plain(before[0]) != _plain(value) and not statement.withdrawn:
                said.report.flag(row, field, value, f"{before[1]} row {before[2]} says otherwise ({before[0]}); this row stands")
            held[field] = (value, said.provenance.file or "", row)


def _plain(value: Any) -> Any:
    """A value as it is compared: capital letters are a system's habit, no contradiction."""
    return value.casefold() if isinstance(value, str) else value


def _values(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The single values that a statement says; identifiers by their type, blanks and lists not at all."""
    for field, value in fields.items():
        if field == "identifiers":
            yield from ((one["type"], one["value"]) for one in value if one["type"] not in NEVER_ONE)
        elif field not in NEVER_ONE and isinstance(value, (str, int, bool)):
            yield field, value
