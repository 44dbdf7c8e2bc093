"""What a source says, entry by entry, and what it changes: pure functions, told the state and the statements.

A register keeps the state and publishes what these decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from services.plumbing.contracts import EntryRule, Schemas
from services.plumbing.kafka.outbox import NewEvent

IDENTITY, PERSON = "identity", "person-recorded.v1"
NEVER = "0001-01-01"
"""As of when a request speaks of who a person is: before every extract, so that it never keeps one out."""
FORMER = "former_"
"""So begin the names of what somebody was called and numbered before: fields, and types of identifier."""
FOREVER = "9999-12-31"
"""How registers before the mark `adopted` said of a field that nobody may say it again."""
REMEMBERED = 128
"""Marks an entry keeps of what the files of its extract date said."""
_SEPARATOR = "\x1f"
_WHO = _SEPARATOR.join((IDENTITY, "person", ""))
"""The one entry of who somebody is."""
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
    state.adopted = state.adopted or _adopted(state, statements, schemas)
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
        outcome.events += _taken_back(state, statements[0], provenance, schemas)
    outcome.moved |= (state.gone, state.adopted) != (before.gone, before.adopted)
    return outcome


def entry_name(rule: EntryRule, fields: Mapping[str, Any]) -> str:
    """The name of the entry that these fields speak of, among a subject's entries."""
    key = "|".join(str(fields.get(part) or "") for part in rule.key)
    return _prefix(rule) + key


def _prefix(rule: EntryRule) -> str:
    """How the names of all entries of a kind begin."""
    return _SEPARATOR.join((rule.category, rule.kind, ""))


# -- what is withdrawn before it comes ---------------------------------------------------------------------------------


def _meant(
    state: State, statements: Sequence[Statement], provenance: Provenance, schemas: Schemas
) -> Iterator[tuple[Statement, EntryRule]]:
    """Each statement with its rule; one that completes, or withdraws every entry that fits it, is one for each of those. Of a
    list that is older than one that stands nothing is meant, nor of what a newer extract withdrew."""
    outdated = {one.type for one in statements if one.every == "older" and _outdated(state, one, provenance, schemas)}
    for statement in statements:
        if statement.type in outdated:
            continue
        rule = _rule(schemas, statement)
        if statement.withdrawn and (statement.every or rule.category == IDENTITY):
            _let_go(state, rule, statement.fields if statement.every else _key_of(rule, statement), provenance.extracted)
        if not statement.withdrawn and _is_gone(state, rule, statement.fields, provenance.extracted):
            continue
        if not statement.completes and not statement.every:
            yield statement, rule
            continue
        for held in _fitting(state, statement, rule):
            if statement.every != "older" or held.extracted < provenance.extracted:
                yield replace(statement, fields={**statement.fields, **_key_of(rule, held)}), rule


def _key_of(rule: EntryRule, said: Statement | Held) -> dict[str, Any]:
    return {part: said.fields.get(part) for part in rule.key}


def _let_go(state: State, rule: EntryRule, fields: Mapping[str, Any], extracted: str) -> None:
    """Remember that what has these fields was withdrawn, as of the newest day that it was."""
    now = Gone(_prefix(rule), dict(fields), extracted)
    before = next((one for one in state.gone if (one.kind, one.fields) == (now.kind, now.fields)), None)
    if before is None or before.extracted < extracted:
        state.gone = [*(one for one in state.gone if one is not before), now]


def _is_gone(state: State, rule: EntryRule, fields: Mapping[str, Any], extracted: str) -> bool:
    """Whether a newer extract withdrew what has these fields."""
    return any(
        one.kind == _prefix(rule) and extracted < one.extracted and all(fields.get(name) == value for name, value in one.fields.items())
        for one in state.gone
    )


def _rule(schemas: Schemas, statement: Statement) -> EntryRule:
    contract = schemas.of(statement.type)
    assert contract is not None and contract.entry is not None, statement.type
    return contract.entry


def _outdated(state: State, statement: Statement, provenance: Provenance, schemas: Schemas) -> bool:
    """Whether a newer extract said an entry of this list."""
    return any(held.extracted > provenance.extracted for held in _fitting(state, statement, _rule(schemas, statement)))


def _fitting(state: State, statement: Statement, rule: EntryRule) -> list[Held]:
    """The standing entries that have what the statement says: of their key where it completes, else of all its fields."""
    names = [name for name in (rule.key if statement.completes else statement.fields) if name in statement.fields]
    return [held for held in standing(state, rule) if all(held.fields.get(name) == statement.fields[name] for name in names)]


def standing(state: State, rule: EntryRule) -> list[Held]:
    """The entries of one kind that stand."""
    prefix = _prefix(rule)
    return [held for name, held in state.entries.items() if name.startswith(prefix) and not held.withdrawn]


# -- what is told of an adopted subject --------------------------------------------------------------------------------


def _adopted(state: State, statements: Sequence[Statement], schemas: Schemas) -> bool:
    """Whether anything says that the subject was adopted, however old it is; a later word takes it away no more."""
    told = any(one.adopted or (not one.withdrawn and _rule(schemas, one).tells_of_adoption(one.fields)) for one in statements)
    return told or (_WHO in state.entries and FOREVER in state.entries[_WHO].since.values())


def _alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Who somebody is, without the names and numbers from before."""
    numbers = [one for one in fields.get("identifiers") or () if not one["type"].startswith(FORMER)]
    kept = {name: value for name, value in fields.items() if not name.startswith(FORMER) and name != "identifiers"}
    return kept | ({"identifiers": numbers} if numbers else {})


def _taken_back(state: State, told: Statement, provenance: Provenance, schemas: Schemas) -> Iterator[NewEvent]:
    """Who an adopted subject is, said again without what is from before. It names no file: that one tells of the adoption."""
    held = state.entries.get(_WHO)
    if held is None or held.withdrawn or (_alone(held.fields) == held.fields and not held.otherwise):
        return
    state.entries[_WHO] = now = _without_before(held)
    type = f"{told.type.partition('.')[0]}.{PERSON}"
    data = {**now.fields, "provenance": Provenance(held.extracted, authority=provenance.authority).data(None)}
    yield NewEvent(type, data, schemas.of(type).record_classes[0])  # type: ignore[union-attr]


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
        now = _said_since(held, provenance.extracted)
    elif rule.category == IDENTITY and not statement.withdrawn:
        extracted = NEVER if provenance.sha256 is None else provenance.extracted
        now = _person(held, statement, replace(provenance, extracted=extracted), adopted=state.adopted)
    else:
        now = _entry(_of_its_kind(held, statement, rule), statement, provenance)
    if now is None or now == held:
        return None
    state.entries[name] = now
    outcome.moved = True
    if held is not None and (held.fields, held.withdrawn, held.otherwise) == (now.fields, now.withdrawn, now.otherwise):
        return None
    if now.withdrawn:
        return None if held is None else _key_of(rule, statement) | {"withdrawn": True}
    return now.fields | _contradictions(now)


def _of_its_kind(held: Held | None, statement: Statement, rule: EntryRule) -> Held | None:
    """An entry without what rows said otherwise, where a statement makes it another kind of thing: a placement's address is no
    other word of a home's."""
    kept = held is None or all(held.fields.get(name) == statement.fields.get(name) for name in rule.apart)
    return held if kept else Held(held.fields, held.extracted, held.withdrawn, held.said, held.since)


def _contradictions(now: Held) -> dict[str, Any]:
    """What rows said otherwise, as an event carries it."""
    found = [{"field": name, "said": said} for name, said in sorted(now.otherwise.items())]
    return {"contradictions": found} if found else {}


def _person_otherwise(now: Held, before: Held, statement: Statement, extracted: str) -> dict[str, list[dict[str, Any]]]:
    """The same of who a person is: only the extract that a field is of says whether it stands contradicted, a blank never."""
    spoken = replace(statement, fields={name: value for name, value in statement.fields.items() if value is not None})
    said, found = _otherwise(before, spoken), {}
    for name in sorted({*said, *before.otherwise}):
        since = now.since.get(name.replace("/", " "))
        told = (said if since == extracted else before.otherwise).get(name)
        if told:
            found[name] = told
    return found


def _otherwise(before: Held | None, statement: Statement) -> dict[str, list[dict[str, Any]]]:
    """What stands contradicted after a statement: whoever speaks of a field again says whether it still is."""
    spoken = {*statement.fields, *(f"identifiers/{one['type']}" for one in statement.fields.get("identifiers") or ())}
    kept = {} if before is None else {name: said for name, said in before.otherwise.items() if name not in spoken}
    return kept | {name: [dict(one) for one in said] for name, said in statement.otherwise.items()}


def _entry(held: Held | None, statement: Statement, provenance: Provenance) -> Held | None:
    """The entry after a statement; None when a newer extract spoke, or this file said it before. A withdrawal of what never came
    is kept: what an older extract says of it comes too late."""
    if held is not None and provenance.extracted < held.extracted:
        return None
    said = _said(held, statement, provenance)
    if said is None:
        return None
    before = {} if held is None or held.withdrawn else held.fields
    fields = {} if statement.withdrawn else _merged(before, statement.fields)
    otherwise = {} if statement.withdrawn else _otherwise(None if held is None or held.withdrawn else held, statement)
    return Held(fields, provenance.extracted, statement.withdrawn, said, otherwise=otherwise)


def _merged(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is held, with what is said now; a blank erases."""
    return {name: value for name, value in {**before, **said}.items() if value is not None}


def _person(held: Held | None, statement: Statement, provenance: Provenance, *, adopted: bool) -> Held | None:
    """Who a person is after a statement: each field by the newest extract that speaks of it; a blank erases nothing. Of an
    adopted one nothing from before.

    None when this file said it before.
    """
    extracted = provenance.extracted
    spoken = _alone(statement.fields) if adopted else statement.fields
    before = Held({}, extracted) if held is None or held.withdrawn else held
    newest = extracted >= before.extracted
    if adopted and not newest:  # what an older extract adds may be from before
        return None
    said = _said(before, statement, provenance) if newest else before.said
    if said is None:
        return None
    now = Held(dict(before.fields), max(extracted, before.extracted), False, said, dict(before.since))
    for name, value in spoken.items():
        if name == "identifiers":
            _identify(now, before, value, extracted, newest=newest)
        elif value is not None and _may(before, name, name in before.fields, extracted, newest=newest):
            now.fields[name], now.since[name] = value, extracted
    if adopted:  # the other row's name may be the one from before
        return _without_before(now)
    now.otherwise = _person_otherwise(now, before, statement, extracted)
    return now


def _said_since(held: Held, day: str) -> Held:
    """Who a person is, without what nobody said after a withdrawal of that day. What a request said has no day, and stays."""

    def stays(what: str) -> bool:
        since = held.since.get(what, held.extracted)
        return since >= day or since == NEVER

    fields = {name: value for name, value in held.fields.items() if name != "identifiers" and stays(name)}
    numbers = [one for one in held.fields.get("identifiers") or () if stays(_since(one))]
    kept = fields | ({"identifiers": numbers} if numbers else {})
    return Held(kept, held.extracted, held.withdrawn, held.said, held.since)


def _without_before(held: Held) -> Held:
    return Held(_alone(held.fields), held.extracted, held.withdrawn, held.said, held.since)


def _may(held: Held, what: str, present: bool, extracted: str, *, newest: bool) -> bool:
    """Whether an extract may say this. Of an older extract the first row stands: its marks are not remembered."""
    since = held.since.get(what, held.extracted if present else "")
    return since <= extracted if newest else since < extracted


def _identify(now: Held, before: Held, said: Sequence[Mapping[str, Any]], extracted: str, *, newest: bool) -> None:
    """Numbers go by their type, and one number is not current and former at once."""
    held = before.fields.get("identifiers", [])
    types = {item["type"] for item in held}
    taken = [one for one in said if _may(before, _since(one), one["type"] in types, extracted, newest=newest)]
    kept = [item for item in held if not any(_takes_over(one, item) for one in taken)]
    for item in (*taken, *(item for item in held if item not in kept)):
        now.since[_since(item)] = extracted
    if taken:
        now.fields["identifiers"] = sorted([*kept, *taken], key=lambda item: (item["type"], item["value"]))


def _since(identifier: Mapping[str, Any]) -> str:
    return f"identifiers {identifier['type']}"


def _takes_over(said: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    type, other = said["type"], held["type"]
    return type == other or (said["value"] == held["value"] and type.removeprefix("former_") == other.removeprefix("former_"))


def _completed(held: Held, statement: Statement) -> Held:
    """The entry with what it lacked, as old as it was."""
    new = {name: value for name, value in statement.fields.items() if name not in held.fields and value is not None}
    return Held({**held.fields, **new}, held.extracted, held.withdrawn, held.said, held.since, held.otherwise)


def _said(held: Held | None, statement: Statement, provenance: Provenance) -> list[bytes] | None:
    """The marks of what was said with this added; None when this file said exactly this before.

    A file is its content: a correction back to an earlier value comes in another file and counts.
    """
    before = held.said if held is not None and held.extracted == provenance.extracted else []
    if provenance.sha256 is None:
        return before
    told = [provenance.sha256, statement.row, statement.fields, statement.withdrawn]
    mark = hashlib.blake2b(_encoder.encode(told), digest_size=6).digest()
    return None if mark in before else [*before[1 - REMEMBERED :], mark]
