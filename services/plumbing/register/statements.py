"""What a source says, entry by entry, and what it changes: pure functions, told the state and the statements.

A register keeps the state and publishes what these decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.plumbing.contracts import EntryRule, Schemas
from services.plumbing.kafka.outbox import NewEvent
from services.plumbing.register import adoption, otherwise, persons
from services.plumbing.register.entries import (
    IDENTITY,
    NEVER,
    Held,
    Provenance,
    State,
    Statement,
    entry_name,
    key_of,
    marks,
    rule_of,
    standing,
)  # fmt: skip
from services.plumbing.register.withdrawals import is_gone, let_go


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
    as of NEVER. Marks and their like (entries with `items`) of one delivery become one event. Of what was withdrawn an older extract
    says nothing, had it come or not. Of an adopted subject no name and number from before is published, and what was is taken back.
    """
    outcome, before = Outcome(), state.copy()
    state.adopted = state.adopted or adoption.is_told(state, statements, schemas)
    many: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for statement, rule in _meant(state, statements, provenance, schemas):
        changed = _change(state, statement, rule, provenance, outcome)
        if changed is None:
            continue
        outcome.changed.add(statement.row)
        if rule.items:
            item = changed | ({"row": statement.row} if statement.row else {})
            many.setdefault((statement.type, statement.record_class), []).append(item)
        else:
            as_of = state.entries[entry_name(rule, statement.fields)].extracted
            data = changed | {"provenance": replace(provenance, extracted=as_of).data(statement.row)}
            outcome.events.append(NewEvent(statement.type, data, statement.record_class))
    for (type, record_class), items in many.items():
        rule = schemas.of(type).entry  # type: ignore[union-attr]
        data = {rule.items: items, "provenance": provenance.data(None)}  # type: ignore[union-attr]
        outcome.events.append(NewEvent(type, data, record_class))
    if state.adopted and not before.adopted:
        outcome.events += adoption.taken_back(state, statements[0].type, provenance, schemas)
    outcome.moved |= (state.gone, state.adopted) != (before.gone, before.adopted)
    return outcome


def _meant(
    state: State, statements: Sequence[Statement], provenance: Provenance, schemas: Schemas
) -> Iterator[tuple[Statement, EntryRule]]:
    """Each statement with its rule; one that completes, or withdraws every entry that fits it, is one for each of those. Of a
    list that is older than one that stands nothing is meant, nor of what a newer extract withdrew."""
    outdated = {one.type for one in statements if one.every == "older" and _outdated(state, one, provenance, schemas)}
    for statement in statements:
        if statement.type in outdated:
            continue
        rule = rule_of(schemas, statement)
        if statement.withdrawn and (statement.every or rule.category == IDENTITY):
            let_go(state, rule, statement.fields if statement.every else key_of(rule, statement), provenance.extracted)
        if not statement.withdrawn and is_gone(state, rule, statement.fields, provenance.extracted):
            continue
        if not statement.completes and not statement.every:
            yield statement, rule
            continue
        for held in _fitting(state, statement, rule):
            if statement.every != "older" or held.extracted < provenance.extracted:
                yield replace(statement, fields={**statement.fields, **key_of(rule, held)}), rule


def _outdated(state: State, statement: Statement, provenance: Provenance, schemas: Schemas) -> bool:
    """Whether a newer extract said an entry of this list."""
    return any(held.extracted > provenance.extracted for held in _fitting(state, statement, rule_of(schemas, statement)))


def _fitting(state: State, statement: Statement, rule: EntryRule) -> list[Held]:
    """The standing entries that have what the statement says: of their key where it completes, else of all its fields."""
    names = [name for name in (rule.key if statement.completes else statement.fields) if name in statement.fields]
    return [held for held in standing(state, rule) if all(held.fields.get(name) == statement.fields[name] for name in names)]


# -- what a statement changes ------------------------------------------------------------------------------------------


def _change(
    state: State, statement: Statement, rule: EntryRule, provenance: Provenance, outcome: Outcome
) -> dict[str, Any] | None:
    """The entry as it is now if this statement changes it, else None."""
    name = entry_name(rule, statement.fields)
    held = state.entries.get(name)
    if statement.completes:
        now = None if held is None else _completed(held, statement)
    elif rule.category == IDENTITY and statement.withdrawn and held is not None and provenance.extracted < held.extracted:
        now = persons.said_since(held, provenance.extracted)
    elif rule.category == IDENTITY and not statement.withdrawn:
        extracted = NEVER if provenance.sha256 is None else provenance.extracted
        now = persons.said_of(held, statement, replace(provenance, extracted=extracted), adopted=state.adopted)
    else:
        now = _entry(otherwise.of_its_kind(held, statement, rule), statement, provenance)
    if now is None or now == held:
        return None
    state.entries[name] = now
    outcome.moved = True
    if held is not None and (held.fields, held.withdrawn, held.otherwise) == (now.fields, now.withdrawn, now.otherwise):
        return None
    if now.withdrawn:
        return None if held is None else key_of(rule, statement) | {"withdrawn": True}
    return now.fields | otherwise.published(now)


def _entry(held: Held | None, statement: Statement, provenance: Provenance) -> Held | None:
    """The entry after a statement; None when a newer extract spoke, or this file said it before. A withdrawal of what never came
    is kept: what an older extract says of it comes too late."""
    if held is not None and provenance.extracted < held.extracted:
        return None
    said = marks(held, statement, provenance)
    if said is None:
        return None
    before = {} if held is None or held.withdrawn else held.fields
    fields = {} if statement.withdrawn else _merged(before, statement.fields)
    apart = {} if statement.withdrawn else otherwise.standing(None if held is None or held.withdrawn else held, statement)
    return Held(fields, provenance.extracted, statement.withdrawn, said, otherwise=apart)


def _merged(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is held, with what is said now; a blank erases."""
    return {name: value for name, value in {**before, **said}.items() if value is not None}


def _completed(held: Held, statement: Statement) -> Held:
    """The entry with what it lacked, as old as it was."""
    new = {name: value for name, value in statement.fields.items() if name not in held.fields and value is not None}
    return Held({**held.fields, **new}, held.extracted, held.withdrawn, held.said, held.since, held.otherwise)


