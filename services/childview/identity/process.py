"""The process `identity`: reads who people are from every source and decides which records are one child."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from services.childview import parking
from services.childview.identity import decide, match, store
from services.childview.identity.decide import PROTECTION, Linked
from services.childview.projection import fold, freshness
from services.plumbing import database, telemetry
from services.plumbing.contracts import Channel, Schemas, owners
from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import (
    Event,
    LogReader,
    Place,
    Poison,
    Record,
    check_data,
    is_sealed,
    open_available,
    open_seals,
    places_of,
    read_envelopes,
)
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.kafka.relay import HEARTBEATS, producer
from services.plumbing.kafka.watchdog import NoProgress, Watchdog, first_to_end
from services.plumbing.sealing import KeyCache

READS = frozenset({"identity", "protection", "adoption_pair"})
"""The categories that say who a person is. Nothing else is opened."""
BATCH = 100
KEYS_AGAIN = 2.0
_log = telemetry.log("identity")


@dataclass(frozen=True)
class Rules:
    """What the process needs to know."""

    schemas: Schemas
    channels: Mapping[str, Channel]
    outbox: Outbox


class Identity:
    """The life of the one process that decides by itself. `applied`: the next offset of each place. `decision`: the version
    of the decisions' stream, whoever wrote it last and whatever it set."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        bootstrap: str,
        keys: KeyCache,
        rules: Rules,
        measure: telemetry.Telemetry,
        watchdog_after: float = 60.0,
    ) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._keys = keys
        self._watchdog_after = watchdog_after
        self._watchdog = Watchdog(after=watchdog_after, bootstrap=bootstrap, client="identity")
        self._rules = rules
        self._measure = measure
        self._owners = owners(rules.channels.values())
        self._reader = LogReader(bootstrap, client="identity")
        self._paused: dict[Place, float] = {}
        self.applied: dict[Place, int] = {}
        self.decision = 0
        self.ready = False

    async def run(self) -> None:
        """Decide until cancelled. Its own topic is read to the end first: what was decided stays decided."""
        places = await self._open()
        await self._catch_up([place for place in places if place[0] == store.TOPIC])
        urgent = [topic for topic, channel in self._rules.channels.items() if channel.urgent]
        await self._reader.start({place: self.applied[place] for place in places}, urgent=urgent)
        self.ready = True
        try:
            await first_to_end(self._turns(), self._beat(), self._watchdog.watch(self._stands, self._reader.in_hand))
        finally:
            await self._reader.stop()

    def _stands(self) -> dict[Place, int]:
        return {place: n for place, n in self.applied.items() if place[0] in self._rules.channels}

    async def _turns(self) -> None:
        while True:
            await self.apply(await self._reader.next_batch(maximum=BATCH))

    async def _open(self) -> list[Place]:
        places = await places_of(self._bootstrap, self._rules.channels)
        async with database.transaction(self._pool) as conn:
            await store.make(conn)
            await conn.executemany(
                f"insert into {store.SCHEMA}.offsets values ($1, $2, 0) on conflict do nothing", places
            )
            rows = await conn.fetch(f"select * from {store.SCHEMA}.offsets")
            self.decision = await store.lock_decisions(conn)
        self.applied = {(row["topic"], row["partition"]): row["next"] for row in rows}
        return places

    async def _catch_up(self, places: Sequence[Place]) -> None:
        """Follow decisions in the log that this database does not know: it was restored, or made anew."""
        await self._reader.start({place: self.applied[place] for place in places})
        try:
            ends = await self._reader.end_offsets()
            while any(self.applied[place] < ends[place] for place in places):
                await self.apply(await self._reader.next_batch(maximum=BATCH))
        finally:
            await self._reader.stop()
            self._paused.clear()

    async def apply(self, records: Sequence[Record]) -> None:
        """Decide what these records ask for, in one transaction with the offsets."""
        self._resume()
        items, refused = await self._open_available(records)
        self._pause(refused)
        ahead = await parking.look_ahead(self._pool, store.SCHEMA, items, self._open_waiting)
        if not ahead.items:
            self._pause(ahead.refused)
            return
        moves = {item.record.place: item.record.offset + 1 for item in ahead.items}
        with self._measure.span("identify", records=len(ahead.items)):
            async with database.transaction(self._pool) as conn:
                await store.lock_decisions(conn)
                await store.save_offsets(conn, [(*p, self.applied[p], n) for p, n in moves.items()])
                for event in (await parking.sort_out(conn, store.SCHEMA, ahead)).events:
                    await self._one(conn, event)
                held = await store.counts(conn)
        self.applied |= moves
        self._watchdog.alive(moves)
        self._pause(ahead.refused)
        for queue in ("ordinary", "protection"):
            self._measure.metrics.set("records_held", held.get(queue, 0), queue=queue)

    # -- reading -------------------------------------------------------------------------------------------------

    async def _open_available(self, records: Sequence[Record]) -> tuple[list[Event | Poison], set[Place]]:
        """Envelopes of all, data of those that say who a person is; and the places left out: their keys cannot be had."""
        read = read_envelopes(records, self._owners)
        opened, refused = await open_available(read, self._keys, wanted=self._says_who)
        return check_data(opened, self._rules.schemas), refused

    async def _open_waiting(self, records: Sequence[Record]) -> list[Event | Poison]:
        """The same of records that waited. Raises KeysUnavailable."""
        read = read_envelopes(records, self._owners)
        opened = iter(await open_seals([item for item in read if self._says_who(item)], self._keys))
        return check_data([next(opened) if self._says_who(item) else item for item in read], self._rules.schemas)

    def _says_who(self, item: Event | Poison) -> bool:
        if not is_sealed(item):
            return False
        contract = self._rules.schemas.of(item.envelope.type)
        return contract is not None and contract.entry is not None and contract.entry.category in READS

    def _pause(self, places: Iterable[Place]) -> None:
        places = list(places)
        if places:
            _log.warning("No keys to be had; a source waits.", extra=telemetry.fields(places=len(places)))
            self._reader.pause(places)
            self._reader.rewind({place: self.applied[place] for place in places})
            self._paused |= {place: time.monotonic() + KEYS_AGAIN for place in places}
            self._watchdog.alive(places)

    def _resume(self) -> None:
        due = [place for place, again in self._paused.items() if again <= time.monotonic()]
        for place in due:
            del self._paused[place]
        self._reader.rewind({place: self.applied[place] for place in due})
        self._reader.resume(due)

    # -- deciding ------------------------------------------------------------------------------------------------

    async def _one(self, conn: asyncpg.Connection, event: Event) -> None:
        """One event that counts."""
        if event.envelope.type == store.DECIDED:
            await self._follow(conn, event)
            return
        if event.envelope.type == parking.RELEASED:
            await parking.follow_release(conn, event)
            return
        record = event.envelope.subject
        if event.envelope.type.endswith("." + fold.KEY_DESTROYED):
            if msgspec.json.decode(event.data or b"{}").get("record_class") == "R-IDENT":
                await store.forget_person(conn, record)
            return
        contract = self._rules.schemas.of(event.envelope.type)
        if contract is None or contract.entry is None or event.data is None or event.state != "open":
            return
        data = msgspec.json.decode(event.data)
        match contract.entry.category:
            case "identity":
                await self._person(conn, event, data)
            case "protection":
                await self._protection(conn, record, data)
            case "adoption_pair":
                await self._adoption_pair(conn, record, data["other_stream"])

    async def _follow(self, conn: asyncpg.Connection, event: Event) -> None:
        number = event.envelope.streamversion
        if number > self.decision and await store.decision(conn, number) is None:
            await store.follow(conn, number, msgspec.json.decode(event.data or b"{}"))
            await conn.execute("update streams set version = greatest(version, $2) where stream_id = $1", store.DECISIONS, number)
        self.decision = max(self.decision, number)

    async def _person(self, conn: asyncpg.Connection, event: Event, data: Mapping) -> None:
        record, version = event.envelope.subject, event.envelope.streamversion
        who = match.demographics(data)
        extracted = data["provenance"]["extracted"]
        changed = await store.save_person(
            conn, record, service=event.envelope.service, version=version, who=who, extracted=extracted
        )
        if not changed:
            return
        with self._measure.span("decide", parent=event.envelope.traceparent):
            await self._decide(conn, record, version)
            await self._look_for_lookalikes(conn, record)

    async def _decide(self, conn: asyncpg.Connection, record: str, version: int) -> None:
        who = await store.person(conn, record) or match.demographics({})
        now = await store.link(conn, record)
        fellows = set(await store.records_of(conn, now.child)) - {record} if now else set()
        decision = decide.decide(
            record,
            who,
            candidates=await store.candidates(conn, record, who),
            now=now,
            fellows=fellows,
            apart=await store.apart_from(conn, record),
        )
        if decision is not None:
            await self._record(conn, decision, {record: version})

    async def _record(self, conn: asyncpg.Connection, decision: decide.Decision, considered: Mapping[str, int]) -> None:
        self.decision = await store.record_decision(conn, self._rules.outbox, decision, considered=considered)
        self._measure.metrics.add("identity_decisions", kind=decision.kind)

    async def _protection(self, conn: asyncpg.Connection, record: str, data: Mapping) -> None:
        end = data.get("end_date")
        await store.save_protection(
            conn,
            record,
            kind=data["protection_kind"],
            end=date.fromisoformat(end) if end else None,
            withdrawn=data.get("withdrawn", False),
        )
        now = await store.link(conn, record)
        if now is None:
            await self._decide(conn, record, 0)
        elif await store.protected(conn, now.child):
            await self._look_for_lookalikes(conn, record)
        else:
            await self._release_lookalikes(conn, now)

    async def _look_for_lookalikes(self, conn: asyncpg.Connection, record: str) -> None:
        """Withhold every record of another child that resembles this protected one and is not decided to be another."""
        now = await store.link(conn, record)
        if now is None or not await store.protected(conn, now.child):
            return
        mine = await store.records_of(conn, now.child)
        for own in mine:
            who = await store.person(conn, own)
            if who is None:
                continue
            apart = await store.apart_from(conn, own)
            for other in await store.candidates(conn, own, who):
                alike = match.compare(who, other.who).agreement is not match.Agreement.NONE
                if other.child != now.child and other.record not in apart and alike:
                    await self._withhold(conn, other.record, own)

    async def _withhold(self, conn: asyncpg.Connection, record: str, protected: str) -> None:
        now = await store.link(conn, record)
        if now is None or await store.protected(conn, now.child):
            return
        held = [pair for pair in await store.open_pairs(conn, record) if pair.queue == PROTECTION]
        if not (now.withheld and any(pair.candidate == protected for pair in held)):
            await self._record(conn, decide.withhold(record, now, [protected]), {})

    async def _release_lookalikes(self, conn: asyncpg.Connection, now: Linked) -> None:
        for pair in await store.pairs_with(conn, now.child):
            others = [p for p in await store.open_pairs(conn, pair.record) if p.queue == PROTECTION and p != pair]
            held = await store.link(conn, pair.record)
            if held is not None and held.withheld and not others:
                await self._record(conn, decide.release(pair.record, held, [pair]), {})

    async def _adoption_pair(self, conn: asyncpg.Connection, record: str, other: str) -> None:
        """Two records that must not be one child: if they are, the second leaves, with no trace of why."""
        await store.save_adoption_pair(conn, record, other)
        found = await store.links(conn, [record, other])
        if len(found) == 2 and found[record].child == found[other].child:
            alone = Linked(decide.new_child(), "new", "linked")
            await self._record(conn, decide.Decision("move", {other: alone}), {})

    async def _beat(self) -> None:
        """Each second: what is decided, up to which offsets, by which decision."""
        sender = producer(self._bootstrap)
        await sender.start()
        try:
            while True:
                now = envelope.timestamp(datetime.now(UTC))
                value = freshness.heartbeat(now, self.applied, decision=self.decision)
                await self._send_beat(sender, value)
                await asyncio.sleep(1)
        finally:
            await sender.stop()

    async def _send_beat(self, sender: AIOKafkaProducer, value: bytes) -> None:
        try:
            await asyncio.wait_for(
                sender.send_and_wait(HEARTBEATS, key=freshness.IDENTITY.encode(), value=value), self._watchdog_after
            )
        except TimeoutError:
            raise NoProgress(f"no heartbeat could be sent for {self._watchdog_after:.0f} s") from None
