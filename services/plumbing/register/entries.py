"""What a register keeps of its subjects: statements that sources made, and the entries they came to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from services.plumbing.contracts import EntryRule, Schemas

IDENTITY, PERSON = "identity", "person-recorded.v1"
NEVER = "0001-01-01"
"""As of when a request speaks of who a person is: before every extract, so that it never keeps one out."""
FOREVER = "9999-12-31"
"""After every day: the end of what has none, and how registers before the mark `adopted` said that a field is never said again."""
FORMER = "former_"
"""So begin the names of what somebody was called and numbered before: fields, and types of identifier."""
_SEPARATOR = "\x1f"
WHO = _SEPARATOR.join((IDENTITY, "person", ""))
"""The one entry of who somebody is."""
REMEMBERED = 128
"""Marks an entry keeps of what the files of its extract date said."""
_encoder = msgspec.msgpack.Encoder(order="sorted")


@dataclass(frozen=True)
class Provenance:
    """Where a statement comes from. extracted: the date as of which the source speaks. by: whose request it was."""

    extracted: str
    file: str | None = None
    sha256: str | None = None
    authority: str | None = None
    by: str | None = None

    def data(self, row: int | None) -> dict[str, Any]:
        """As events carry it."""
        found = {
            "extracted": self.extracted, "file": self.file, "row": row, "sha256": self.sha256, "authority": self.authority, "by": self.by,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Statement:
    """One entry a source sets or withdraws. fields: only what the source speaks of; None says that it is blank.

    part: statements of one row with the same part are taken or refused together. completes: it only fills what the held
    entries that fit its key fields lack; it makes none, and they stay as old as they are. every: of a withdrawal: it withdraws
    every entry that fits its fields, however it is named; "older": only those that no extract as new as this one said. Of what
    a withdrawal takes away an older extract brings nothing, had it come or not. adopted: it is known of the subject, from wherever,
    that it was adopted.
    otherwise: field -> what rows of this delivery said of it, each with its place, where they differ (see `contradictions`).
    """

    type: str
    record_class: str
    fields: Mapping[str, Any]
    withdrawn: bool = False
    row: int | None = None
    part: int = 0
    completes: bool = False
    every: Literal["", "any", "older"] = ""
    adopted: bool = False
    otherwise: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


class Held(msgspec.Struct, array_like=True):
    """One entry as the register holds it. said: marks of which file of this extract date said what in which row.

    Two rows of one extract may contradict one another: the later one stands, and the same files again change nothing.
    since: of who a person is, as of when each field (and each type of identifier) was said.
    otherwise: field -> what rows of one extract said of it, where they differ.
    """

    fields: dict[str, Any]
    extracted: str
    withdrawn: bool = False
    said: list[bytes] = []
    since: dict[str, str] = {}
    otherwise: dict[str, list[dict[str, Any]]] = {}


class Gone(msgspec.Struct, array_like=True, frozen=True):
    """Entries of one kind that have these fields were withdrawn as of a day, whether they had come or not."""

    kind: str
    fields: dict[str, Any]
    extracted: str


class State(msgspec.Struct):
    """All entries of one subject, by name. One that was withdrawn before it came is there too, and was never published.

    gone: what was withdrawn however it is named. adopted: the subject was adopted; nothing from before is told of who it is.
    """

    entries: dict[str, Held] = {}
    gone: list[Gone] = []
    adopted: bool = False

    def copy(self) -> State:
        """The same; what becomes of the one becomes not of the other."""
        return State(dict(self.entries), list(self.gone), self.adopted)

    def go_back(self, before: State) -> None:
        """Be what it was."""
        self.entries, self.gone, self.adopted = before.entries, before.gone, before.adopted


def entry_name(rule: EntryRule, fields: Mapping[str, Any]) -> str:
    """The name of the entry that these fields speak of, among a subject's entries."""
    key = "|".join(str(fields.get(part) or "") for part in rule.key)
    return prefix(rule) + key


def prefix(rule: EntryRule) -> str:
    """How the names of all entries of a kind begin."""
    return _SEPARATOR.join((rule.category, rule.kind, ""))


def key_of(rule: EntryRule, said: Statement | Held) -> dict[str, Any]:
    """The natural key's fields, as this says them."""
    return {part: said.fields.get(part) for part in rule.key}


def standing(state: State, rule: EntryRule) -> list[Held]:
    """The entries of one kind that stand."""
    beginning = prefix(rule)
    return [held for name, held in state.entries.items() if name.startswith(beginning) and not held.withdrawn]


def rule_of(schemas: Schemas, statement: Statement) -> EntryRule:
    """How a statement sets or withdraws its entry."""
    contract = schemas.of(statement.type)
    assert contract is not None and contract.entry is not None, statement.type
    return contract.entry


def marks(held: Held | None, statement: Statement, provenance: Provenance) -> list[bytes] | None:
    """The marks of what was said with this added; None when this file said exactly this before.

    A file is its content: a correction back to an earlier value comes in another file and counts.
    """
    before = held.said if held is not None and held.extracted == provenance.extracted else []
    if provenance.sha256 is None:
        return before
    told = [provenance.sha256, statement.row, statement.fields, statement.withdrawn]
    mark = hashlib.blake2b(_encoder.encode(told), digest_size=6).digest()
    return None if mark in before else [*before[1 - REMEMBERED :], mark]
