"""A register: what a source says of its subjects, kept entry by entry, and the events that say what changed.

Every source service is a register. Its importers and endpoints only turn rows and requests into statements; what becomes
of a statement is decided by one pure function (see `statements`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.plumbing import database, deliveries
from services.plumbing.contracts import SchemaRefused, Schemas
from services.plumbing.files.report import Report
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams
from services.plumbing.register import directory, neighbours, waiting
from services.plumbing.register.complete import Complete, missing
from services.plumbing.register.entries import FOREVER, Provenance, State, Statement, entry_name
from services.plumbing.register.said import Said, keys_fit, refuse, unfit_field
from services.plumbing.register.statements import Outcome, decide
from services.plumbing.register.subjects import Key
from services.plumbing.sealing import Keyring

BATCH = 100
"""Subjects in one transaction: it must end within a second, because heartbeats wait for it."""
OVERDUE = 1000
"""Rows that waited too long and are refused in one transaction."""
UNFIT = "a character or a number that cannot be stored"
Unit = tuple[int | None, int]
"""(row, part): what is taken or refused together."""


def _unit(statement: Statement) -> Unit:
    return statement.row, statement.part


class Register:
    """One source service's register in its database."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, schemas: Schemas, *, kind: str, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring
        self._outbox = outbox
        self._schemas = schemas
        self._kind = kind

    async def take(self, said: Sequence[Said], *, reports: Mapping[str, Report] | None = None) -> None:
        """Take what was said, and what waited for it, in small transactions; each report learns what became of it.

        reports: those of the delivery, by id: one that counted a row as waiting learns that it waits no longer. Killed at any
        point and run again, it ends as one clean run does: what was taken changes nothing again.
        """
        for start in range(0, len(said), BATCH):
            batch = said[start : start + BATCH]
            async with database.transaction(self._pool) as conn:
                streams = await self.take_in(conn, batch)
            await self._take_waiting(batch, reports or {})
            await self._reach_neighbours(batch, streams)
            await asyncio.sleep(0)

    async def take_in(self, conn: asyncpg.Connection, said: Sequence[Said]) -> list[uuid.UUID | None]:
        """Take a few in the caller's transaction; the stream of each, None where its subject is not known: then it waits."""
        fit = [one for one in said if keys_fit(one)]
        await neighbours.purge(conn, neighbours.purges(fit, self._schemas))
        streams, made = await directory.resolve(conn, fit)
        await self._hold(conn, [one for one, stream in zip(fit, streams, strict=True) if stream is None])
        await self._take_known(conn, fit, streams, made)
        of = dict(zip(map(id, fit), streams, strict=True))
        return [of.get(id(one)) for one in said]

    async def _take_known(
        self, conn: asyncpg.Connection, said: Sequence[Said], streams: Sequence[uuid.UUID | None], made: set[uuid.UUID]
    ) -> None:
        """Take those whose subject is known."""
        known = sorted({stream for stream in streams if stream is not None})
        await lock_streams(conn, known, kind=self._kind)
        states = await directory.states(conn, known)
        events: dict[uuid.UUID, list[NewEvent]] = {}
        moved: set[uuid.UUID] = set()
        told = await neighbours.told_too(conn, said)
        heard = [(stream, one) for one, stream in zip(told, streams, strict=True) if stream is not None]
        unnamed = await neighbours.unnamed(conn, heard, self._outbox.service)
        for stream, one in [*await self._withdrawn_before(conn, heard), *unnamed, *heard]:
            outcome = self._take_one(one, states[stream])
            events.setdefault(stream, []).extend(outcome.events)
            moved |= {stream} if outcome.moved else set()
        never = {stream for stream in made if stream in states and not events.get(stream)}
        await self._save(conn, {stream: states[stream] for stream in moved - never})
        await directory.forget(conn, sorted(never))
        await self._outbox.append(conn, [(stream, found) for stream, found in events.items()])

    async def _save(self, conn: asyncpg.Connection, states: Mapping[uuid.UUID, State]) -> None:
        if states:
            await directory.save(conn, states)
            await neighbours.remember(conn, states)

    async def _reach_neighbours(self, batch: Sequence[Said], streams: Sequence[uuid.UUID | None]) -> None:
        """Say of others what a batch told of its own: that one of the same UPN was adopted, that a relative was purged.

        In transactions of its own, for they lock other subjects. Killed before, the same files again do it.
        """
        purged = neighbours.purges(batch, self._schemas)
        async with self._pool.acquire() as conn:
            found = await neighbours.not_told(conn, [stream for stream in streams if stream is not None])
            naming = await neighbours.naming(conn, purged)
        day = Provenance(batch[0].provenance.extracted, authority=batch[0].provenance.authority)
        for stream in found:
            await self._change_alone(stream, [neighbours.adopted(self._outbox.service)], day)
        for stream, name in naming:
            by = Provenance(purged[name].extracted, authority=purged[name].authority)
            await self._change_alone(stream, [neighbours.without(self._outbox.service, name)], by)

    async def _change_alone(self, stream: uuid.UUID, statements: Sequence[Statement], provenance: Provenance) -> None:
        async with database.transaction(self._pool) as conn:
            await self.change(conn, stream, statements, provenance)

    # -- what waits ----------------------------------------------------------------------------------------------

    async def _hold(self, conn: asyncpg.Connection, said: Sequence[Said]) -> None:
        """Keep what speaks of a subject that is not there yet; what could never be stored is refused at once."""
        rows = []
        for one in said:
            bad = next(filter(None, map(unfit_field, one.statements)), None)
            if bad is not None:
                refuse(one, *bad, f"the row breaks the contract: {UNFIT}")
                continue
            for report, row in one.places:
                report.wait(row, one.otherwise)
            rows.append((waiting.row_of(one), one.report.id))
        if rows:
            await (await waiting.opened(conn, self._keyring)).hold(conn, rows)

    async def _withdrawn_before(
        self, conn: asyncpg.Connection, heard: Sequence[tuple[uuid.UUID, Said]]
    ) -> list[tuple[uuid.UUID, Said]]:
        """The withdrawals that wait for one of these subjects and are newer than some of what is said of it: of what they take away
        nothing is published, not even for a moment. They go on to wait, until they are taken in their turn."""
        if not await waiting.anything(conn, gone=True):
            return []
        named = {name: stream for stream, one in heard for name in (*one.names, *one.aliases)}
        oldest: dict[uuid.UUID, str] = {}
        for stream, one in heard:
            oldest[stream] = min(one.provenance.extracted, oldest.get(stream, FOREVER))
        rows = await (await waiting.opened(conn, self._keyring)).gone(conn, named)
        found = ((next(named[name] for name in row.names if name in named), row) for row in rows)
        return [(stream, waiting.said_again(row)) for stream, row in found if row.provenance.extracted > oldest[stream]]

    async def _take_waiting(self, batch: Sequence[Said], reports: Mapping[str, Report]) -> None:
        """Take what waited for the subjects of a batch, and then what waited for the names that this brought."""
        async with self._pool.acquire() as conn:
            if not await waiting.anything(conn):
                return
        names = {name for one in batch for name in (*one.names, *one.aliases)}
        while names:
            names = await self._take_due(names, batch[0].report, reports)

    async def _take_due(self, names: Iterable[Key], report: Report, reports: Mapping[str, Report]) -> set[Key]:
        """Take what is due by these names; the names that it brought. Whoever touches what waits takes turns."""
        brought: set[Key] = set()
        after = 0
        while True:
            async with database.transaction(self._pool) as conn:
                await conn.execute("select pg_advisory_xact_lock($1)", directory.JOINING)
                held = await (await waiting.opened(conn, self._keyring)).due(conn, names, after=after, most=BATCH)
                if not held:
                    return brought
                for one in await self._take_held(conn, held, report):
                    brought |= {*one.row.names, *one.row.aliases}
                    if one.report in reports:
                        reports[one.report].waits_no_longer(one.count)
            after = held[-1].position

    async def _take_held(self, conn: asyncpg.Connection, held: Sequence[waiting.Held], report: Report) -> list[waiting.Held]:
        """Take those whose subject is there now, told in this report; those that went."""
        said = [waiting.said_again(one.row) for one in held]
        streams, made = await directory.resolve(conn, said)
        await self._take_known(conn, said, streams, made)
        taken = [pair for pair, stream in zip(zip(held, said, strict=True), streams, strict=True) if stream is not None]
        for one, again in taken:
            report.came(again.report, one.row.rows, since=one.since.date().isoformat())
        await waiting.forget(conn, [one.mark for one, _ in taken])
        return [one for one, _ in taken]

    async def refuse_overdue(self, report: Report, *, since: datetime) -> None:
        """Refuse into this report what has waited since before then. Written before it is forgotten: nothing is lost between."""
        found = True
        while found:
            async with database.transaction(self._pool) as conn:
                held = await (await waiting.opened(conn, self._keyring)).overdue(conn, since, most=OVERDUE)
                for one in held:
                    again = waiting.said_again(one.row)
                    refuse(again, None, None, f"{one.row.otherwise}; it waited since {one.since.date()}")
                    report.came(again.report, one.row.rows, since=one.since.date().isoformat())
                report.write()
                await waiting.forget(conn, [one.mark for one in held])
            found = bool(held)

    async def delivered(self, kind: str, organisations: Iterable[str], *, extracted: str) -> None:
        """This kind of file has come from these organisations now."""
        async with database.transaction(self._pool) as conn:
            await deliveries.record(conn, kind, organisations, extracted=extracted)

    def organisation(self, said: Said) -> str:
        """The organisation that speaks: the one a statement names, else the authority, else nobody."""
        for statement in said.statements:
            contract = self._schemas.of(statement.type)
            field = contract.entry.organisation if contract is not None and contract.entry is not None else None
            if field is not None and statement.fields.get(field):
                return str(statement.fields[field])
        return said.provenance.authority or ""

    # -- taking --------------------------------------------------------------------------------------------------

    def _take_one(self, one: Said, state: State) -> Outcome:
        """Take what is fit of one subject; its rows learn what became of them."""
        outcome, faults = self._try(one, state)
        if faults is None:
            return outcome
        broken = {row for row, part in faults if part == 0}
        for (row, _), (fault, value) in faults.items():
            one.report.refuse(row or 0, fault.where, value, f"the row breaks the contract: {fault.why}")
        self._count(one, outcome, broken)
        return outcome

    def _try(self, one: Said, state: State) -> tuple[Outcome, Mapping[Unit, tuple[SchemaRefused, Any]] | None]:
        """The outcome of the units that are fit, and the faults of the others; None for them when nothing is left to take."""
        before = state.copy()
        try:
            return self._decided(one.statements, one.provenance, state), {}
        except SchemaRefused:
            state.go_back(before)
        faults = self._faults(one, state)
        kept = [statement for statement in one.statements if _unit(statement) not in faults]
        if not kept or any(row is None for row, _ in faults):
            fault, value = next(iter(faults.values()))
            refuse(one, fault.where, value, f"the row breaks the contract: {fault.why}")
            return Outcome(), None
        return self._decided(kept, one.provenance, state), faults

    def _faults(self, one: Said, state: State) -> dict[Unit, tuple[SchemaRefused, Any]]:
        """What is wrong with each unit, tried alone: one row's fault keeps no other out."""
        faults: dict[Unit, tuple[SchemaRefused, Any]] = {}
        for unit in dict.fromkeys(map(_unit, one.statements)):
            statements = [statement for statement in one.statements if _unit(statement) == unit]
            try:
                self._decided(statements, one.provenance, state.copy())
            except SchemaRefused as refused:
                column = refused.where.rpartition("/")[2]
                value = next((s.fields[column] for s in statements if column in s.fields), None)
                faults[unit] = SchemaRefused(refused.type, column, refused.why), value
        return faults

    def _decided(self, statements: Sequence[Statement], provenance: Provenance, state: State) -> Outcome:
        """Decide, and check what would be published. Raises SchemaRefused."""
        for statement in statements:
            bad = unfit_field(statement)
            if bad is not None:
                raise SchemaRefused(statement.type, bad[0], UNFIT)
        outcome = decide(state, statements, provenance, self._schemas)
        for event in outcome.events:
            self._schemas.validate(event.type, event.data)
        return outcome

    def _count(self, one: Said, outcome: Outcome, broken: set[int | None]) -> None:
        """Each row is counted once: taken, and whether it changed anything."""
        spoken = {statement.row for statement in one.statements}
        one.report.events += len(outcome.events)
        for report, row in one.places:
            if row not in broken:
                report.accepted += 1
                report.unchanged += not outcome.events or (row in spoken and not {row, None} & outcome.changed)

    async def withdraw_missing(self, complete: Complete, report: Report) -> None:
        """Withdraw what a complete file does not hold. With rows refused or waiting nothing is: they may be what is missing."""
        if report.refused or report.waiting:
            why = "rows were refused" if report.refused else "rows wait for their subject"
            report.flag(0, None, None, f"{why}, so nothing that the file does not hold is withdrawn")
            return
        held: dict[uuid.UUID, set[tuple[Any, ...]]] = {}
        async with self._pool.acquire() as conn:
            for key, stream in (await directory.known(conn, sorted(complete.held))).items():
                held.setdefault(stream, set()).update(complete.held[key])
            streams = sorted(held) if complete.taken is not None else await directory.in_scope(conn, complete.scope)
        for start in range(0, len(streams), BATCH):
            async with database.transaction(self._pool) as conn:
                report.events += await self._withdraw(conn, streams[start : start + BATCH], complete, held)
            await asyncio.sleep(0)

    async def _withdraw(
        self, conn: asyncpg.Connection, streams: Sequence[uuid.UUID], complete: Complete, held: Mapping[uuid.UUID, set[tuple[Any, ...]]]
    ) -> int:
        await lock_streams(conn, streams, kind=self._kind)
        states = await directory.states(conn, streams)
        changes, moved = [], {}
        for stream, state in states.items():
            gone = list(missing(state, complete, held.get(stream, set()), self._schemas))
            outcome = decide(state, gone, complete.provenance, self._schemas)
            changes.append((stream, outcome.events))
            moved |= {stream: state} if outcome.moved else {}
        await self._save(conn, moved)
        await self._outbox.append(conn, changes)
        return sum(len(events) for _, events in changes)

    def spoken_of(self, statement: Statement) -> str | None:
        """The name of the entry a statement sets; None for those that come many in one event and correct one another."""
        contract = self._schemas.of(statement.type)
        if contract is None or contract.entry is None or contract.entry.items or statement.completes:
            return None
        kind = "".join(f"|{statement.fields.get(name)}" for name in contract.entry.apart)
        return entry_name(contract.entry, statement.fields) + kind

    async def change(
        self, conn: asyncpg.Connection, stream: uuid.UUID, statements: Sequence[Statement], provenance: Provenance
    ) -> Outcome:
        """Take what is said of one subject that is there, in the caller's transaction."""
        state = await self.hold(conn, stream) or State()
        return await self.change_held(conn, stream, state, statements, provenance)

    async def hold(self, conn: asyncpg.Connection, stream: uuid.UUID) -> State | None:
        """What the register holds of a subject; nobody else changes it before the caller's transaction ends."""
        await lock_streams(conn, [stream], kind=self._kind)
        return await self.state(conn, stream)

    async def change_held(
        self, conn: asyncpg.Connection, stream: uuid.UUID, state: State, statements: Sequence[Statement], provenance: Provenance
    ) -> Outcome:
        """Take what is said of a subject that `hold` gave; `state` is afterwards what stands."""
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
        await directory.remember(conn, {key: uuid.uuid4()})
        stream = await self.find(conn, key)
        assert stream is not None
        await conn.execute(
            "insert into subjects values ($1, $2) on conflict (stream_id) do nothing", stream, directory.encode(State())
        )
        return stream

    async def find(self, conn: asyncpg.Connection, key: Key) -> uuid.UUID | None:
        """The stream of a subject by a natural key."""
        return await conn.fetchval("select stream_id from subject_keys where kind = $1 and value = $2", *key)

    async def state(self, conn: asyncpg.Connection, stream: uuid.UUID) -> State | None:
        """What the register holds of a subject."""
        found = await conn.fetchval("select state from subjects where stream_id = $1", stream)
        return None if found is None else directory.decode(found)

    async def pages(self, size: int = BATCH) -> AsyncIterator[list[State]]:
        """What the register holds of every subject, some at a time, each as it stands when its page is read.

        Between pages nothing is held, neither a transaction, for which heartbeats would wait, nor a connection.
        """
        last = uuid.UUID(int=0)
        while True:
            async with self._pool.acquire() as conn:
                rows = await conn.fetch("select * from subjects where stream_id > $1 order by stream_id limit $2", last, size)
            if not rows:
                return
            yield [directory.decode(row["state"]) for row in rows]
            last = rows[-1]["stream_id"]

    def entry(self, state: State, statement: Statement) -> bytes | None:
        """The entry this statement speaks of, as bytes that differ when what it says differs; None where there is none."""
        contract = self._schemas.of(statement.type)
        assert contract is not None and contract.entry is not None, statement.type
        held = state.entries.get(entry_name(contract.entry, statement.fields))
        return None if held is None else directory.encode([held.fields, held.withdrawn])
