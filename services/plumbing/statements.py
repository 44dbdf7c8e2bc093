"""What a source says, entry by entry, and what it changes: pure functions, told the state and the statements.

A register keeps the state and publishes what these decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from services.plumbing.contracts import EntryRule, Schemas
from services.plumbing.kafka.outbox import NewEvent

IDENTITY = "identity"
NEVER = "0001-01-01"
"""As of when a request speaks of who a person is: before every extract, so that it never keeps one out."""
REMEMBERED = 32
"""Marks an entry keeps of what the files of its extract date said."""
_SEPARATOR = "\x1f"
_encoder = msgspec.msgpack.Encoder(order="sorted")


@dataclass(frozen=True)
class Provenance:
    """Where a statement comes from. extracted: the date as of which the source speaks. by: who asked, when no file did."""

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
    entries that fit its key fields lack; it makes none, and they stay as old as they are.
    """

    type: str
    record_class: str
    fields: Mapping[str, Any]
    withdrawn: bool = False
    row: int | None = None
    part: int = 0
    completes: bool = False


class Held(msgspec.Struct, array_like=True):
    """One entry as the register holds it. said: marks of which file of this extract date said what in which row.

    Two rows of one extract may contradict one another: the later one stands, and the same files again change nothing.
    """

    fields: dict[str, Any]
    extracted: str
    withdrawn: bool = False
    said: list[bytes] = []


class State(msgspec.Struct):
    """All entries of one subject, by name."""

    entries: dict[str, Held] = {}


@dataclass
class Outcome:
    """What statements came to: events, the rows that changed something, and whether the state moved."""

    events: list[NewEvent] = field(default_factory=list)
    changed: set[int | None] = field(default_factory=set)
    moved: bool = False


def decide(state: State, statements: Sequence[Statement], provenance: Provenance, schemas: Schemas) -> Outcome:
    """What these statements change: only that becomes events. Pure but for `state`, which follows.

    An older extract changes nothing that a newer one said; of who a person is it fills what no newer one says. Saying the
    same again is no event; a field the source does not speak of stays. A request without a file speaks of who a person is
    as of NEVER. Marks and their like (entries with `items`) of one delivery become one event.
    """
    outcome = Outcome()
    many: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for statement, rule in _meant(state, statements, schemas):
        changed = _change(state, statement, rule, provenance, outcome)
        if changed is None:
            continue
        outcome.changed.add(statement.row)
        if rule.items:
            item = changed | ({"row": statement.row} if statement.row else {})
            many.setdefault((statement.type, statement.record_class), []).append(item)
        else:
            as_of = state.entries[entry_name(rule, statement)].extracted
            data = changed | {"provenance": replace(provenance, extracted=as_of).data(statement.row)}
            outcome.events.append(NewEvent(statement.type, data, statement.record_class))
    for (type, record_class), items in many.items():
        rule = schemas.of(type).entry  # type: ignore[union-attr]
        data = {rule.items: items, "provenance": provenance.data(None)}  # type: ignore[union-attr]
        outcome.events.append(NewEvent(type, data, record_class))
    return outcome


def entry_name(rule: EntryRule, statement: Statement) -> str:
    """The name under which a register holds what a statement speaks of."""
    key = "|".join(str(statement.fields.get(part) or "") for part in rule.key)
    return _SEPARATOR.join((rule.category, rule.kind, key))


def _meant(state: State, statements: Sequence[Statement], schemas: Schemas) -> Iterator[tuple[Statement, EntryRule]]:
    """Each statement with its rule; one that completes is one for each entry it fits."""
    for statement in statements:
        contract = schemas.of(statement.type)
        assert contract is not None and contract.entry is not None, statement.type
        rule = contract.entry
        if not statement.completes:
            yield statement, rule
            continue
        for held in standing(state, rule):
            if all(held.fields.get(part) == statement.fields[part] for part in rule.key if part in statement.fields):
                key = {part: held.fields.get(part) for part in rule.key}
                yield replace(statement, fields={**statement.fields, **key}), rule


def standing(state: State, rule: EntryRule) -> list[Held]:
    """The entries of one kind that stand."""
    prefix = _SEPARATOR.join((rule.category, rule.kind, ""))
    return [held for name, held in state.entries.items() if name.startswith(prefix) and not held.withdrawn]


def _change(
    state: State, statement: Statement, rule: EntryRule, provenance: Provenance, outcome: Outcome
) -> dict[str, Any] | None:
    """The entry as it is now if this statement changes it, else None."""
    name = entry_name(rule, statement)
    held = state.entries.get(name)
    extracted = NEVER if rule.category == IDENTITY and provenance.sha256 is None else provenance.extracted
    if held is not None and (statement.completes or extracted < held.extracted):
        return _fill(state, name, held, statement, outcome) if statement.completes or rule.category == IDENTITY else None
    said = _said(held, statement, replace(provenance, extracted=extracted))
    if said is None or (held is None and statement.withdrawn):
        return None
    before = {} if held is None or held.withdrawn else held.fields
    fields = {} if statement.withdrawn else _merged(before, statement.fields, blank_erases=rule.category != IDENTITY)
    now = Held(fields, extracted, statement.withdrawn, said)
    same = held is not None and (held.fields, held.withdrawn) == (fields, statement.withdrawn)
    if held != now:
        state.entries[name] = now
        outcome.moved = True
    if same:
        return None
    if statement.withdrawn:
        return {part: statement.fields.get(part) for part in rule.key} | {"withdrawn": True}
    return dict(fields)


def _fill(state: State, name: str, held: Held, statement: Statement, outcome: Outcome) -> dict[str, Any] | None:
    """The entry with what it lacked, as old as it was; None when it lacked nothing."""
    if held.withdrawn or statement.withdrawn:
        return None
    types = {item["type"] for item in held.fields.get("identifiers", ())}
    new = {part: value for part, value in statement.fields.items() if part not in held.fields and part != "identifiers"}
    numbers = [item for item in statement.fields.get("identifiers") or () if item["type"] not in types]
    fields = _merged(held.fields, new | ({"identifiers": numbers} if numbers else {}), blank_erases=False)
    if fields == held.fields:
        return None
    state.entries[name] = Held(fields, held.extracted, False, held.said)
    outcome.moved = True
    return dict(fields)


def _said(held: Held | None, statement: Statement, provenance: Provenance) -> list[bytes] | None:
    """The marks of what was said with this added; None when this file said exactly this before.

    A file is its content: a correction back to an earlier value comes in another file and counts.
    """
    if provenance.sha256 is None:
        return []
    told = [provenance.sha256, statement.row, statement.fields, statement.withdrawn]
    mark = hashlib.blake2b(_encoder.encode(told), digest_size=6).digest()
    before = held.said if held is not None and held.extracted == provenance.extracted else []
    return None if mark in before else [*before[1 - REMEMBERED :], mark]


def _merged(before: Mapping[str, Any], said: Mapping[str, Any], *, blank_erases: bool) -> dict[str, Any]:
    """What is held, with what is said now. Of who a person is, a blank erases nothing; identifiers go by their type."""
    fields = dict(before)
    for name, value in said.items():
        if name == "identifiers":
            value = [item for item in fields.get(name, []) if not any(_takes_over(one, item) for one in value)] + list(value)
            value.sort(key=lambda item: (item["type"], item["value"]))
        if value is None and not blank_erases:
            continue
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return fields


def _takes_over(said: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Numbers go by their type, and one number is not current and former at once."""
    type, other = said["type"], held["type"]
    return type == other or (said["value"] == held["value"] and type.removeprefix("former_") == other.removeprefix("former_"))
