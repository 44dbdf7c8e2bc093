"""Applying a batch of the log to the projection: one transaction, the same live and on rebuild. It never decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import msgspec

from services.childview import parking
from services.childview.parking import Position
from services.childview.projection import compose as composing
from services.childview.projection import fold, store
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.compose import Link
from services.childview.projection.fold import SourceRecord
from services.plumbing import database
from services.plumbing.contracts import Channel, Schemas, owners
from services.plumbing.kafka.consumer import Event, Place, Poison, Record, open_seals, read_envelopes, wanted_keys
from services.plumbing.sealing import KeyCache, KeysUnavailable

DECIDED = "childview.identity-decided.v1"


@dataclass(frozen=True)
class Rules:
    """What applying needs to know, none of it about any one domain."""

    schemas: Schemas
    catalogue: Catalogue
    channels: Mapping[str, Channel]
    address_key: bytes


@dataclass
class Applied:
    """What one batch did. `refused`: places whose keys could not be had, with the offset to read again from."""

    events: int = 0
    children: int = 0
    parked: int = 0
    next: dict[Place, int] = field(default_factory=dict)
    refused: dict[Place, int] = field(default_factory=dict)
    decision: int = 0
    oldest: str | None = None
    traces: list[str] = field(default_factory=list)


@dataclass
class _Work:
    """One batch being applied."""

    positions: dict[str, Position] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    done: Applied = field(default_factory=Applied)


class Projection:
    """One set of tables and the rules to fill it. `applied`: the next offset of each place."""

    def __init__(self, pool: asyncpg.Pool, keys: KeyCache, rules: Rules, *, schema: str) -> None:
        self._pool = pool
        self._keys = keys
        self._rules = rules
        self._schema = schema
        self._owners = owners(rules.channels.values())
        self.applied: dict[Place, int] = {}
        self.decision = 0

    async def open(self, places: Iterable[Place]) -> None:
        """Make the tables if need be and learn how far they are."""
        async with database.transaction(self._pool) as conn:
            await store.make(conn, self._schema)
            found = await store.offsets(conn, self._schema, places)
            self.decision = await conn.fetchval(f"select coalesce(max(decision), 0) from {self._schema}.links")
        self.applied = found

    async def apply(self, records: Sequence[Record]) -> Applied:
        """Apply records of any topics, in the order given within each place. Raises FencedOff."""
        opened, refused = await self._open_seals(records)
        work = _Work()
        work.done.refused = refused
        expected = {place: self.applied[place] for place in {(i.record.topic, i.record.partition) for i in opened}}
        work.done.next = {(i.record.topic, i.record.partition): i.record.offset + 1 for i in opened}
        if expected:
            async with database.transaction(self._pool) as conn:
                await store.fence(conn, self._schema, expected=expected, next=work.done.next)
                await self._judge(conn, work, opened)
                await self._fold(conn, work)
                await self._compose(conn, work)
            self.applied |= work.done.next
            self.decision = max(self.decision, work.done.decision)
        return work.done

    async def _open_seals(self, records: Sequence[Record]) -> tuple[list[Event | Poison], dict[Place, int]]:
        """The records with their data open; those whose publisher gives no keys now are left for later, whole places."""
        read = read_envelopes(records, self._owners)
        refused: dict[Place, int] = {}
        for service, names in wanted_keys(read).items():
            try:
                await self._keys.fetch(service, names)
            except KeysUnavailable:
                mine = [item for item in read if isinstance(item, Event) and item.envelope.service == service]
                refused |= {p: self.applied[p] for p in {(i.record.topic, i.record.partition) for i in mine}}
        kept = [item for item in read if (item.record.topic, item.record.partition) not in refused]
        return await open_seals(kept, self._keys), refused

    # -- which events count --------------------------------------------------------------------------------------

    async def _judge(self, conn: asyncpg.Connection, work: _Work, items: Sequence[Event | Poison]) -> None:
        """Drop what is known, park what cannot be understood, keep what waits; the rest is to be folded."""
        skipped = await parking.skipped(conn, self._schema)
        work.positions = await parking.positions(conn, self._schema, (item.record.stream for item in items))
        queue = list(items)
        while queue:
            item = queue.pop(0)
            record = item.record
            place = (record.topic, record.partition, record.offset)
            verdict = parking.judge(work.positions[record.stream], item, skipped=place in skipped)
            work.positions[record.stream] = verdict.position
            if verdict.outcome == "park":
                await parking.park(conn, self._schema, record, verdict.reason)
                work.touched |= set((await store.places(conn, self._schema, _uuids([record.stream]))).values())
                work.done.parked += 1
            elif verdict.outcome == "wait":
                await parking.keep_waiting(conn, self._schema, [record])
            elif verdict.outcome == "apply" and isinstance(item, Event):
                work.events.append(item)
                if item.envelope.type == parking.RELEASED:
                    queue += await self._release(conn, work, item, skipped)
        await parking.save(conn, self._schema, work.positions)

    async def _release(
        self, conn: asyncpg.Connection, work: _Work, item: Event, skipped: set[tuple[str, int, int]]
    ) -> list[Event | Poison]:
        """A person let a stream go on: its waiting records come again now."""
        data = msgspec.json.decode(item.data or b"{}")
        place = (data["topic"], data["partition"])
        if data["action"] == "skip":
            skipped.add((*place, data["offset"]))
        waiting = await parking.release(
            conn, self._schema, action=data["action"], place=place, offset=data["offset"]
        )
        work.positions |= await parking.positions(conn, self._schema, (record.stream for record in waiting))
        return await open_seals(read_envelopes(waiting, self._owners), self._keys)

    # -- fold ----------------------------------------------------------------------------------------------------

    async def _fold(self, conn: asyncpg.Connection, work: _Work) -> None:
        kinds = self._rules.channels
        sources = [event for event in work.events if kinds[event.record.topic].kind == "events"]
        await self._fold_sources(conn, work, sources)
        decided = [event for event in work.events if kinds[event.record.topic].kind == "decisions"]
        await self._decide(conn, work, [event for event in decided if event.envelope.type == DECIDED])
        for event in work.events:
            if kinds[event.record.topic].kind == "policy":
                await self._policy(conn, event)
        work.done.events = len(work.events)
        work.done.oldest = min((event.envelope.time for event in work.events), default=None)
        work.done.traces = [event.envelope.traceparent for event in work.events if event.envelope.traceparent]

    async def _fold_sources(self, conn: asyncpg.Connection, work: _Work, events: Sequence[Event]) -> None:
        streams = {event.envelope.subject for event in events}
        if not streams:
            return
        held = await store.records(conn, self._schema, streams)
        for event in events:
            stream = event.envelope.subject
            if event.envelope.type.endswith("." + fold.KEY_DESTROYED):
                self._keys.forget((stream, msgspec.json.decode(event.data or b"{}").get("record_class", "")))
            held[stream] = fold.fold(held.get(stream) or fold.new_record(event), event, self._rules.schemas)
        await store.save_records(conn, self._schema, list(held.values()))
        work.touched |= set((await store.places(conn, self._schema, streams)).values())

    async def _decide(self, conn: asyncpg.Connection, work: _Work, events: Sequence[Event]) -> None:
        """Every record that decisions set goes to its child, in their order; a child left empty by one of them becomes an
        alias of where its last record went. One question a batch, and the same end however the batches are cut."""
        decisions = [(event.envelope.streamversion, msgspec.json.decode(event.data or b"{}")["sets"]) for event in events]
        named = {item["record"] for _, sets in decisions for item in sets}
        work.done.decision = max((number for number, _ in decisions), default=0)
        if not named:
            return
        place = await store.places(conn, self._schema, named)
        count = await store.sizes(conn, self._schema, place.values())
        links: dict[str, tuple[str, Link]] = {}
        aliases: dict[str, str] = {}
        for number, sets in decisions:
            left: dict[str, str] = {}
            for item in sets:
                record, child, old = item["record"], item["child"], place.get(item["record"])
                links[record] = (child, Link(item["basis"], item["status"], item["withheld"], number))
                if old != child:
                    place[record] = child
                    count[child] = count.get(child, 0) + 1
                    if old is not None:
                        count[old] -= 1
                        left[old] = child
                work.touched |= {child} if old is None else {child, old}
            for old, child in left.items():
                if not count[old]:
                    aliases = {name: child if to == old else to for name, to in aliases.items()} | {old: child}
        await store.save_links(conn, self._schema, links)
        await store.save_aliases(conn, self._schema, aliases)

    async def _policy(self, conn: asyncpg.Connection, event: Event) -> None:
        data = msgspec.json.decode(event.data or b"{}")
        if data.get("ends"):
            await store.save_ending(conn, self._schema, scope=data["ends"], policy_version=data["policy_version"])
        if event.envelope.type == "policy.break-glass-opened.v1":
            await store.open_glass(
                conn, self._schema, id=data["id"], person=data["person"], post=data["post"], child=data["child"], until=data["until"]
            )
        elif event.envelope.type == "policy.break-glass-closed.v1":
            await store.close_glass(conn, self._schema, id=data["id"])

    # -- compose -------------------------------------------------------------------------------------------------

    async def _compose(self, conn: asyncpg.Connection, work: _Work) -> None:
        """Each touched child once, after its row is locked and only then its records read."""
        if not work.touched:
            return
        children = await store.lock_children(conn, self._schema, work.touched)
        members = await store.members(conn, self._schema, children)
        full = [child for child in children if members[child]]
        composed = [self._one(child, members[child]) for child in full]
        empty = [child for child in children if not members[child]]
        await store.save_children(conn, self._schema, composed, empty=empty)
        work.done.children = len(full)

    def _one(self, child: str, found: Sequence[tuple[SourceRecord, Link]]) -> composing.Composed:
        return composing.compose(
            child,
            [record for record, _ in found],
            {record.stream: link for record, link in found},
            catalogue=self._rules.catalogue,
            address_key=self._rules.address_key,
        )


def _uuids(streams: Iterable[str]) -> list[str]:
    return [stream for stream in streams if len(stream) == 36]
