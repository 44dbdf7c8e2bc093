"""Applying a batch of the log to the projection: one transaction, the same live and on rebuild. It never decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from services.childview import parking
from services.childview.identity.store import DECISIONS
from services.childview.parking import Position
from services.childview.projection import compose as composing
from services.childview.projection import fold, store
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.compose import Link
from services.childview.projection.fold import SourceRecord
from services.childview.projection.words import Settled
from services.plumbing import database
from services.plumbing.contracts import Channel, Schemas, owners
from services.plumbing.kafka.consumer import (
    Event,
    Place,
    Poison,
    Record,
    check_data,
    is_stream,
    open_available,
    open_seals,
    read_envelopes,
)
from services.plumbing.sealing import KeyCache

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

    events: list[Event] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    became: dict[str, str] = field(default_factory=dict)
    done: Applied = field(default_factory=Applied)


class Ending(msgspec.Struct, frozen=True):
    """What any event of policy may say: leases of this scope older than this version are over."""

    policy_version: int = 0
    ends: str | None = None


class Projection:
    """One set of tables and the rules to fill it. `applied`: the next offset of each place. `decision`: the version up to
    which the decisions' stream is understood here, whatever its events set."""

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
            self.decision = await parking.version(conn, self._schema, DECISIONS)
        self.applied = found

    async def apply(self, records: Sequence[Record]) -> Applied:
        """Apply records of any topics, in the order given within each place. Raises FencedOff."""
        opened, refused = await self._open_available(records)
        ahead = await parking.look_ahead(self._pool, self._schema, opened, self._open)
        work = _Work()
        work.done.refused = {place: self.applied[place] for place in refused} | ahead.refused
        work.done.next = {item.record.place: item.record.offset + 1 for item in ahead.items}
        expected = {place: self.applied[place] for place in work.done.next}
        if expected:
            async with database.transaction(self._pool) as conn:
                await store.fence(conn, self._schema, expected=expected, next=work.done.next)
                await self._judge(conn, work, ahead)
                await self._fold(conn, work)
                await self._compose(conn, work)
            self.applied |= work.done.next
            self.decision = max(self.decision, work.done.decision)
        return work.done

    async def _open_available(self, records: Sequence[Record]) -> tuple[list[Event | Poison], set[Place]]:
        """The records with their data open and checked, and the places left for later: their publisher gives no keys now."""
        opened, refused = await open_available(read_envelopes(records, self._owners), self._keys)
        return check_data(opened, self._rules.schemas), refused

    async def _open(self, records: Sequence[Record]) -> list[Event | Poison]:
        """The same of records that waited. Raises KeysUnavailable."""
        return check_data(await open_seals(read_envelopes(records, self._owners), self._keys), self._rules.schemas)

    async def _judge(self, conn: asyncpg.Connection, work: _Work, ahead: parking.Ahead) -> None:
        """Which events count; the children of a stream that parks now are shown as such."""
        found = await parking.sort_out(conn, self._schema, ahead)
        work.events = found.events
        work.done.parked = len(found.parked)
        work.done.decision = found.positions.get(str(DECISIONS), Position()).version
        parked = [stream for stream in found.parked if is_stream(stream)]
        if parked:
            work.touched |= set((await store.places(conn, self._schema, parked)).values())

    # -- fold ----------------------------------------------------------------------------------------------------

    async def _fold(self, conn: asyncpg.Connection, work: _Work) -> None:
        kinds = self._rules.channels
        sources = [event for event in work.events if kinds[event.record.topic].kind == "events"]
        await self._fold_sources(conn, work, sources)
        decided = [event for event in work.events if kinds[event.record.topic].kind == "decisions"]
        await self._decide(conn, work, [event for event in decided if event.envelope.type == DECIDED])
        await self._policies(conn, [event for event in work.events if kinds[event.record.topic].kind == "policy"])
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
        told = [(event.envelope.streamversion, msgspec.json.decode(event.data or b"{}")) for event in events]
        decisions = [(number, data["sets"]) for number, data in told]
        settled = [_settled(number, data["settles"]) for number, data in told if data.get("settles")]
        named = {item["record"] for _, sets in decisions for item in sets} | {one.record for one in settled}
        if not named:
            return
        place = await store.places(conn, self._schema, named)
        concerned = {*place.values(), *(item["child"] for _, sets in decisions for item in sets)}
        count = await store.sizes(conn, self._schema, concerned)
        links: dict[str, tuple[str, Link]] = {}
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
            work.became |= {old: child for old, child in left.items() if not count[old]}
        work.touched |= {place[one.record] for one in settled if one.record in place}
        await store.save_settled(conn, self._schema, settled)
        if links:
            await store.save_links(conn, self._schema, links)

    async def _policies(self, conn: asyncpg.Connection, events: Sequence[Event]) -> None:
        """What ends leases, by scope the latest of the batch, and what opens or closes in an emergency."""
        ended: dict[str, int] = {}
        for event in events:
            try:
                said = msgspec.json.decode(event.data or b"{}", type=Ending)
            except msgspec.ValidationError:
                continue  # a type nobody knows here: what is known was checked against its contract
            if said.ends:
                ended[said.ends] = max(said.policy_version, ended.get(said.ends, 0))
            await self._glass(conn, event)
        for scope, version in ended.items():
            await store.save_ending(conn, self._schema, scope=scope, policy_version=version)

    async def _glass(self, conn: asyncpg.Connection, event: Event) -> None:
        if event.envelope.type == "policy.break-glass-opened.v1":
            data = msgspec.json.decode(event.data or b"{}")
            await store.open_glass(
                conn, self._schema, id=data["id"], person=data["person"], post=data["post"], child=data["child"], until=data["until"]
            )
        elif event.envelope.type == "policy.break-glass-closed.v1":
            data = msgspec.json.decode(event.data or b"{}")
            await store.close_glass(conn, self._schema, id=data["id"])

    # -- compose -------------------------------------------------------------------------------------------------

    async def _compose(self, conn: asyncpg.Connection, work: _Work) -> None:
        """Each touched child once, after its row is locked and only then its records read."""
        if not work.touched:
            return
        children = await store.lock_children(conn, self._schema, work.touched)
        members = await store.members(conn, self._schema, children)
        settled = await store.settled(conn, self._schema, children)
        full = [child for child in children if members[child]]
        composed = [self._one(child, members[child], settled.get(child, ())) for child in full]
        empty = [child for child in children if not members[child]]
        back = await store.save_children(conn, self._schema, composed, empty=empty)
        led = {old: child for old, child in work.became.items() if not members[old]}
        await store.save_aliases(conn, self._schema, led, back=back)
        work.done.children = len(full)

    def _one(self, child: str, found: Sequence[tuple[SourceRecord, Link]], settled: Sequence[Settled]) -> composing.Composed:
        return composing.compose(
            child,
            [record for record, _ in found],
            {record.stream: link for record, link in found},
            catalogue=self._rules.catalogue,
            address_key=self._rules.address_key,
            settled=settled,
        )


def _settled(number: int, said: Mapping[str, Any]) -> Settled:
    """What a decision settles, as it is kept."""
    return Settled(said["record"], said["entry"], said["field"], said["said"], number, said["versions"])
