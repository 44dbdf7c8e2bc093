"""Rows of one delivery that say different things of one subject: the later one stands, the report names both, and the later
one carries what the others said, so that the view can show both.

What was said is kept in a private database that SQLite holds in memory while it is small and on disk beyond, in a file that has
no name: in memory alone it took 3.5 kB a row, which is more than a machine has for a million. On disk no value stands in clear:
what was told is sealed with a key that is never written, and names are keyed digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from services.plumbing import sealing
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import unfit

EntryName = Callable[[Statement], str | None]
"""The name of the entry a statement sets; None for entries that come many at a time and correct one another."""
NEVER_ONE = frozenset({"organisation", "former_upn"})
"""What may have several values at once: two schools fill it, or a child had several."""
IN_MEMORY = 16_000
"""Kilobytes."""
FORMER = "former_"
"""So begins what somebody was before: several are no contradiction, and they are told in the report alone."""
MOST, LONGEST = 10, 500
"""Different values of one field that are kept, and characters of one: what is longer is told in the report alone."""
Told = dict[str, list[tuple[Any, int, int]]]
"""field -> every different (value, number of the file, row), the one that stands last"""


class Spoken:
    """What the files of one delivery have said so far, by subject, day and entry."""

    def __init__(self, entry: EntryName) -> None:
        self._entry = entry
        self._key = os.urandom(32)
        self._files: dict[str, int] = {}
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._kept.executescript(
            f"pragma cache_size=-{IN_MEMORY}; pragma journal_mode=off; pragma synchronous=off; begin;"
            "create table said (entry text primary key, told blob not null) without rowid;"
            "create table named (name text primary key, subject text not null) without rowid;"
            "create table owned (subject text, kind text, name text not null, primary key (subject, kind)) without rowid;"
        )

    def close(self) -> None:
        """Forget everything."""
        self._kept.close()

    def compare(self, said: Said) -> Said:
        """Flag each value that differs from an earlier row's, naming that row; the same with what other rows said otherwise."""
        subject = None
        statements = []
        for statement in said.statements:
            name = self._entry(statement)
            if name is not None and said.names:
                subject = self._subject(said) if subject is None else subject
                statement = self._compare(said, statement, self._digest(subject, said.provenance.extracted, name))
            statements.append(statement)
        return replace(said, statements=tuple(statements))

    def _subject(self, said: Said) -> str:
        """One name for a subject whom several systems name: the first by which any of them did. What a system names by
        another number of its own is another subject, whatever else agrees."""
        own = {kind: self._digest(kind, value) for kind, value in said.keys}
        names = [self._digest(*name) for name in said.names]
        found = next((one for name in names if (one := self._named(name)) and not self._is_another(one, own)), names[0])
        self._kept.executemany("insert or ignore into named values (?, ?)", [(name, found) for name in names])
        self._kept.executemany("insert or ignore into owned values (?, ?, ?)", [(found, kind, name) for kind, name in own.items()])
        return found

    def _is_another(self, subject: str, own: Mapping[str, str]) -> bool:
        rows = self._kept.execute("select kind, name from owned where subject = ?", (subject,)).fetchall()
        return any(own.get(kind, name) != name for kind, name in rows)

    def _named(self, name: str) -> str | None:
        row = self._kept.execute("select subject from named where name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _compare(self, said: Said, statement: Statement, entry: str) -> Statement:
        row, file = statement.row or 0, self._files.setdefault(said.provenance.file or "", len(self._files))
        held, otherwise = self._told(entry), {}
        for field, value in _values(statement.fields):
            told = held.get(field, [])
            if told and _plain(told[-1][0]) != _plain(value) and not statement.withdrawn:
                place = f"{list(self._files)[told[-1][1]]} row {told[-1][2]}"
                said.report.flag(row, field.partition("/")[2] or field, value, f"{place} says otherwise ({told[-1][0]}); this row stands")
            others = [one for one in told if _plain(one[0]) != _plain(value)]
            held[field] = [*others[1 - MOST :], (value, file, row)]
            if not field.startswith(FORMER) and (fit := self._places(held[field], said.provenance.extracted)):
                otherwise[field] = fit
        self._kept.execute("insert or replace into said values (?, ?)", (entry, self._sealed(entry, held)))
        return replace(statement, otherwise=otherwise) if otherwise and not statement.withdrawn else statement

    def _places(self, told: list[tuple[Any, int, int]], extracted: str) -> list[dict[str, Any]]:
        """Different values and where each was said, as events carry them; nothing where there is one alone."""
        if len(told) < 2:
            return []
        files = list(self._files)
        fit = [
            {"value": value, "file": files[file] or None, "row": row or None, "extracted": extracted}
            for value, file, row in told
            if not unfit(value) and len(str(value)) <= LONGEST
        ]
        return fit if len(fit) > 1 else []

    def _told(self, entry: str) -> Told:
        row = self._kept.execute("select told from said where entry = ?", (entry,)).fetchone()
        return {} if row is None else json.loads(sealing.open_seal(self._key, sealed=row[0], bound_to=entry.encode()))

    def _sealed(self, entry: str, told: Told) -> bytes:
        return sealing.seal(self._key, plain=json.dumps(told).encode(), bound_to=entry.encode())

    def _digest(self, *parts: str) -> str:
        """The parts as one short key, whatever characters they hold."""
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12, key=self._key).hexdigest()


def _plain(value: Any) -> Any:
    """A value as it is compared: capital letters are a system's habit, no contradiction."""
    return value.casefold() if isinstance(value, str) else value


def _values(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The single values that a statement says; identifiers as `identifiers/` and their type, blanks and lists not at all."""
    for field, value in fields.items():
        if field == "identifiers":
            yield from ((f"identifiers/{one['type']}", one["value"]) for one in value if one["type"] not in NEVER_ONE)
        elif field not in NEVER_ONE and isinstance(value, (str, int, bool)):
            yield field, value
