"""A register: what a source says of its subjects, kept entry by entry, and the events that say what changed.

Every source service is a register. Its importers and endpoints only turn rows and requests into statements; what becomes
of a statement is decided here, by one pure function.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from services.plumbing import database
from services.plumbing.contracts import EntryRule, SchemaRefused, Schemas
from services.plumbing.files.report import Report
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams

BATCH = 100
"""Subjects in one transaction: it must end within a second, because heartbeats wait for it."""

Key = tuple[str, str]
"""(kind of natural key, value)"""


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
    """One entry a source sets or withdraws. fields: only what the source speaks of; None says that it is blank."""

    type: str
    record_class: str
    fields: Mapping[str, Any]
    withdrawn: bool = False
    row: int | None = None


@dataclass(frozen=True)
class Said:
    """Everything one delivery says of one subject. The first key that is known names it; all are remembered.

    must_exist: without a known key the subject is not made but refused, with `otherwise` as the reason.
    """

    keys: tuple[Key, ...]
    statements: tuple[Statement, ...]
    report: Report
    provenance: Provenance
    must_exist: bool = False
    otherwise: str = ""


class Held(msgspec.Struct, array_like=True):
    """One entry as the register holds it. said: marks of what files of this extract date said of it, the last one last.

    Two tables of one extract may contradict one another; the later row stands, and the same files again change nothing.
    """

    fields: dict[str, Any]
    extracted: str
    withdrawn: bool = False
    said: list[bytes] = []


class State(msgspec.Struct):
    """All entries of one subject, by name."""

    entries: dict[str, Held] = {}


_encoder = msgspec.msgpack.Encoder(order="sorted")
_decoder = msgspec.msgpack.Decoder(State)


@dataclass
class Outcome:
    """What statements came to: events, how many statements changed nothing, and whether the state moved."""

    events: list[NewEvent] = field(default_factory=list)
    unchanged: int = 0
    moved: bool = False


def decide(state: State, statements: Sequence[Statement], provenance: Provenance, schemas: Schemas) -> Outcome:
    """What these statements change: only that becomes events. Pure but for `state`, which follows.

    An older extract changes nothing that a newer one said; saying the same again is no event; a field the source does not
    speak of stays. Marks and their like (entries with `items`) of one delivery become one event.
    """
    outcome = Outcome()
    many: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for statement in statements:
        contract = schemas.of(statement.type)
        assert contract is not None and contract.entry is not None, statement.type
        changed = _change(state, statement, contract.entry, provenance, outcome)
        if changed is None:
            outcome.unchanged += 1
        elif contract.entry.items:
            item = changed | ({"row": statement.row} if statement.row else {})
            many.setdefault((statement.type, statement.record_class), []).append(item)
        else:
            data = changed | {"provenance": provenance.data(statement.row)}
            outcome.events.append(NewEvent(statement.type, data, statement.record_class))
    for (type, record_class), items in many.items():
        rule = schemas.of(type).entry  # type: ignore[union-attr]
        data = {rule.items: items, "provenance": provenance.data(None)}  # type: ignore[union-attr]
        outcome.events.append(NewEvent(type, data, record_class))
    return outcome


def _change(
    state: State, statement: Statement, rule: EntryRule, provenance: Provenance, outcome: Outcome
) -> dict[str, Any] | None:
    """The entry as it is now if this statement changes it, else None."""
    name = entry_name(rule, statement.fields)
    held = state.entries.get(name)
    if held is not None and provenance.extracted < held.extracted:
        return None
    said = _said(held, statement, provenance)
    if said is None:
        return None
    before = {} if held is None or held.withdrawn else held.fields
    fields = {} if statement.withdrawn else _merged(before, statement.fields, blank_erases=rule.category != "identity")
    now = Held(fields, provenance.extracted, statement.withdrawn, said)
    same = held is not None and (held.fields, held.withdrawn) == (fields, statement.withdrawn)
    if held is None and statement.withdrawn:
        return None
    if held != now:
        state.entries[name] = now
        outcome.moved = True
    if same:
        return None
    if statement.withdrawn:
        return {part: statement.fields.get(part) for part in rule.key} | {"withdrawn": True}
    return dict(fields)


def entry_name(rule: EntryRule, fields: Mapping[str, Any]) -> str:
    """The name of the entry that these fields speak of, among a subject's entries."""
    return "\x1f".join((rule.category, rule.kind, "|".join(str(fields.get(part) or "") for part in rule.key)))


def _said(held: Held | None, statement: Statement, provenance: Provenance) -> list[bytes] | None:
    """The marks of what was said with this added; None when a file of this extract date said exactly this before."""
    if provenance.sha256 is None:
        return []
    mark = hashlib.blake2b(_encoder.encode([statement.fields, statement.withdrawn]), digest_size=6).digest()
    before = held.said if held is not None and held.extracted == provenance.extracted else []
    return None if mark in before else [*before[-7:], mark]


def _merged(before: Mapping[str, Any], said: Mapping[str, Any], *, blank_erases: bool) -> dict[str, Any]:
    """What is held, with what is said now. Of who a person is, a blank erases nothing; identifiers go by their type."""
    fields = dict(before)
    for name, value in said.items():
        if name == "identifiers":
            types = {item["type"] for item in value}
            value = [item for item in fields.get(name, []) if item["type"] not in types] + list(value)
            value.sort(key=lambda item: (item["type"], item["value"]))
        if value is None and not blank_erases:
            continue
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return fields


class Register:
    """One source service's register in its database."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, schemas: Schemas, *, kind: str) -> None:
        self._pool = pool
        self._outbox = outbox
        self._schemas = schemas
        self._kind = kind

    async def take(self, said: Sequence[Said]) -> None:
        """Take what was said, in small transactions; each report learns what became of it.

        Killed at any point and run again, it ends as one clean run does: what was taken changes nothing again.
        """
        for start in range(0, len(said), BATCH):
            async with database.transaction(self._pool) as conn:
                await self.take_in(conn, said[start : start + BATCH])
            await asyncio.sleep(0)

    async def take_in(self, conn: asyncpg.Connection, said: Sequence[Said]) -> list[uuid.UUID | None]:
        """Take a few in the caller's transaction; the stream of each, None where its subject is not known."""
        streams = await self._resolve(conn, said)
        known = sorted({stream for stream in streams if stream is not None})
        await lock_streams(conn, known, kind=self._kind)
        states = await self._states(conn, known)
        events: dict[uuid.UUID, list[NewEvent]] = {}
        moved: set[uuid.UUID] = set()
        for one, stream in zip(said, streams, strict=True):
            if stream is None:
                one.report.refuse(one.statements[0].row or 0, None, None, one.otherwise)
                continue
            before = dict(states[stream].entries)
            try:
                outcome = decide(states[stream], one.statements, one.provenance, self._schemas)
                self._check(outcome)
            except SchemaRefused as refused:
                states[stream].entries = before
                one.report.refuse(one.statements[0].row or 0, refused.where, None, f"the row breaks the contract: {refused.why}")
                continue
            events.setdefault(stream, []).extend(outcome.events)
            moved |= {stream} if outcome.moved else set()
            one.report.events += len(outcome.events)
            one.report.unchanged += not outcome.events
            one.report.accepted += 1
        await self._save(conn, {stream: states[stream] for stream in moved})
        await self._outbox.append(conn, [(stream, found) for stream, found in events.items()])
        return streams

    def _check(self, outcome: Outcome) -> None:
        """Raises SchemaRefused for what may not be published: one row's fault keeps no other out."""
        for event in outcome.events:
            self._schemas.validate(event.type, event.data)

    async def change(
        self, conn: asyncpg.Connection, stream: uuid.UUID, statements: Sequence[Statement], provenance: Provenance
    ) -> Outcome:
        """Take what is said of one subject that is there, in the caller's transaction."""
        await lock_streams(conn, [stream], kind=self._kind)
        state = (await self._states(conn, [stream]))[stream]
        outcome = decide(state, statements, provenance, self._schemas)
        if outcome.moved:
            await self._save(conn, {stream: state})
        await self._outbox.append(conn, [(stream, outcome.events)])
        return outcome

    async def make(self, conn: asyncpg.Connection, key: Key) -> uuid.UUID:
        """The subject of a natural key, made now (with an empty state) where there is none."""
        known = await self.find(conn, key)
        if known is not None:
            return known
        await self._remember(conn, {key: uuid.uuid4()})
        stream = await self.find(conn, key)
        assert stream is not None
        await self._save(conn, {stream: State()})
        return stream

    async def find(self, conn: asyncpg.Connection, key: Key) -> uuid.UUID | None:
        """The stream of a subject by a natural key."""
        return await conn.fetchval("select stream_id from subject_keys where kind = $1 and value = $2", *key)

    async def state(self, conn: asyncpg.Connection, stream: uuid.UUID) -> State | None:
        """What the register holds of a subject."""
        found = await conn.fetchval("select state from subjects where stream_id = $1", stream)
        return None if found is None else _decoder.decode(found)

    async def lock(self, conn: asyncpg.Connection, stream: uuid.UUID) -> None:
        """Nobody else changes this subject before the caller's transaction ends."""
        await lock_streams(conn, [stream], kind=self._kind)

    async def entry(self, conn: asyncpg.Connection, stream: uuid.UUID, statement: Statement) -> bytes | None:
        """The entry this statement speaks of, as bytes that differ when what it says differs; None where there is none."""
        contract, state = self._schemas.of(statement.type), await self.state(conn, stream)
        assert contract is not None and contract.entry is not None, statement.type
        held = None if state is None else state.entries.get(entry_name(contract.entry, statement.fields))
        return None if held is None else _encoder.encode([held.fields, held.withdrawn])

    async def _resolve(self, conn: asyncpg.Connection, said: Sequence[Said]) -> list[uuid.UUID | None]:
        """The stream of each, made now where there is none and it may be; all its keys remembered."""
        keys = sorted({key for one in said for key in one.keys})
        known = await self._known(conn, keys)
        fresh: dict[Key, uuid.UUID] = {}
        streams: list[uuid.UUID | None] = []
        for one in said:
            stream = next((known[key] for key in one.keys if key in known), None)
            if stream is None and not one.must_exist:
                stream = uuid.uuid4()
            if stream is not None:
                new = [key for key in one.keys if key not in known]
                fresh |= dict.fromkeys(new, stream)
                known |= dict.fromkeys(new, stream)
            streams.append(stream)
        if fresh:
            await self._remember(conn, fresh)
            settled = await self._known(conn, keys)
            streams = [
                None if stream is None else next(settled[key] for key in one.keys if key in settled)
                for one, stream in zip(said, streams, strict=True)
            ]
        return streams

    async def _known(self, conn: asyncpg.Connection, keys: Sequence[Key]) -> dict[Key, uuid.UUID]:
        rows = await conn.fetch(
            "select k.* from subject_keys k join unnest($1::text[], $2::text[]) as w(kind, value)"
            " on k.kind = w.kind and k.value = w.value",
            [kind for kind, _ in keys],
            [value for _, value in keys],
        )
        return {(row["kind"], row["value"]): row["stream_id"] for row in rows}

    async def _remember(self, conn: asyncpg.Connection, keys: Mapping[Key, uuid.UUID]) -> None:
        """Whoever comes first with a key names the subject; a writer at the same moment gives way."""
        ordered = sorted(keys.items())
        await conn.execute(
            "insert into subject_keys select * from unnest($1::text[], $2::text[], $3::uuid[]) on conflict do nothing",
            [kind for (kind, _), _ in ordered],
            [value for (_, value), _ in ordered],
            [stream for _, stream in ordered],
        )

    async def _states(self, conn: asyncpg.Connection, streams: Iterable[uuid.UUID]) -> dict[uuid.UUID, State]:
        rows = await conn.fetch("select * from subjects where stream_id = any($1::uuid[])", list(streams))
        found = {row["stream_id"]: _decoder.decode(row["state"]) for row in rows}
        return {stream: found.get(stream) or State() for stream in streams}

    async def _save(self, conn: asyncpg.Connection, states: Mapping[uuid.UUID, State]) -> None:
        await conn.execute(
            "insert into subjects select * from unnest($1::uuid[], $2::bytea[])"
            " on conflict (stream_id) do update set state = excluded.state",
            list(states),
            [_encoder.encode(state) for state in states.values()],
        )
