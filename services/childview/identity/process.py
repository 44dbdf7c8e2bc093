"""The process `identity`: reads who people are from every source and decides which records are one child."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from services.childview import parking
from services.childview.identity import demographics, index, keys, links, models, store
from services.childview.identity.demographics import Demographics
from services.childview.identity.model import Model
from services.childview.identity.settling import Settling
from services.childview.projection import fold, freshness
from services.plumbing import database, telemetry
from services.plumbing.contracts import Channel, EntryRule, Schemas, owners
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

SAYS_WHO = frozenset({("identity", "person"), ("contact", "address"), ("household", "relation")})
"""Category and kind of the entries that say who a person is, where it lives and with whom."""
READS = SAYS_WHO | {("protection", "protection"), ("adoption_pair", "pair")}
"""The entries that identity reads. Nothing else is opened."""
BATCH = 100
LINGER = 0.01
KEYS_AGAIN = 2.0
SWEEP_EVERY = 30.0
"""Protections end by date with no event: how often that is looked for, in seconds."""
_READERS: Mapping[str, Callable[..., Demographics]] = {
    "person": demographics.of_person,
    "address": demographics.of_address,
    "relation": demographics.of_relation,
}
_log = telemetry.log("identity")


@dataclass(frozen=True)
class Rules:
    """What the process needs to know."""

    schemas: Schemas
    channels: Mapping[str, Channel]
    outbox: Outbox


def kind_of(entry: EntryRule) -> tuple[str, str]:
    """Category and kind of an entry."""
    return entry.category, entry.kind


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
        self._reader = LogReader(bootstrap, client="identity", linger=LINGER)
        self._paused: dict[Place, float] = {}
        self.applied: dict[Place, int] = {}
        self.decision = 0
        self.ready = False
        self._following = False
        self._ends: dict[Place, int] | None = None
        self._sweep_due = 0.0
        self._model: tuple[str | None, Model] | None = None
        self._nobodys: set[int] = set()
        self._learned: frozenset[int] = frozenset()

    async def run(self) -> None:
        """Decide until cancelled. Its own topic is read to the end first: what was decided stays decided."""
        places = await self._open()
        await self._catch_up([place for place in places if place[0] == store.TOPIC])
        urgent = [topic for topic, channel in self._rules.channels.items() if channel.urgent]
        await self._reader.start({place: self.applied[place] for place in places}, urgent=urgent)
        self._ends = await self._reader.end_offsets()
        self.ready = True
        try:
            await first_to_end(self._turns(), self._beat(), self._watchdog.watch(self._stands, self._reader.in_hand))
        finally:
            await self._reader.stop()

    def _stands(self) -> dict[Place, int]:
        return {place: n for place, n in self.applied.items() if place[0] in self._rules.channels}

    async def _turns(self) -> None:
        while True:
            if self._sweep_due <= time.monotonic():
                await self.sweep()
            await self.apply(await self._reader.next_batch(maximum=BATCH))
            await self._look_once()

    async def _open(self) -> list[Place]:
        places = await places_of(self._bootstrap, self._rules.channels)
        async with database.transaction(self._pool) as conn:
            await store.make(conn)
            await conn.executemany(
                f"insert into {store.SCHEMA}.offsets values ($1, $2, 0) on conflict do nothing", places
            )
            rows = await conn.fetch(f"select * from {store.SCHEMA}.offsets")
            await store.lock_decisions(conn)
            self.decision = await store.last_decision(conn)
        self.applied = {(row["topic"], row["partition"]): row["next"] for row in rows}
        return places

    async def _catch_up(self, places: Sequence[Place]) -> None:
        """Follow decisions in the log that this database does not know: it was restored, or made anew. Nothing is decided
        meanwhile: the number may be taken."""
        await self._reader.start({place: self.applied[place] for place in places})
        self._following = True
        try:
            ends = await self._reader.end_offsets()
            while any(self.applied[place] < ends[place] for place in places):
                await self.apply(await self._reader.next_batch(maximum=BATCH))
        finally:
            self._following = False
            await self._reader.stop()
            self._paused.clear()

    async def sweep(self) -> None:
        """What a protection whose last day has passed withheld is shown again: the clock's decision is an event, too."""
        async with database.transaction(self._pool) as conn:
            await store.lock_decisions(conn)
            ended = await index.end_protections(conn)
            if ended:
                await self._settle(conn, lambda settling: settling.around(ended, ending=True))
        self._sweep_due = time.monotonic() + SWEEP_EVERY

    async def _look_once(self) -> None:
        """When the log is read as far as it was at the start, look once who resembles a protected child, and let people
        decide: an index made anew was not whole before."""
        if self._ends is not None and all(self.applied.get(place, 0) >= end for place, end in self._ends.items()):
            await self.look_everywhere()
            self._ends = None

    async def look_everywhere(self) -> None:
        """Withhold whoever resembles a protected child, whatever came in whichever order. From now on people may decide."""
        async with database.transaction(self._pool) as conn:
            await store.lock_decisions(conn)
            for record in sorted(await index.protected_records(conn)):
                await self._settle(conn, lambda settling, one=record: settling.around([one]))
            await store.say_followed(conn)

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
                events = (await parking.sort_out(conn, store.SCHEMA, ahead)).events
                seen = await store.considered(conn, {event.envelope.subject for event in events})
                for event, last in zip(events, self._lasts(events), strict=True):
                    await self._one(conn, event, seen, last=last)
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
        return contract is not None and contract.entry is not None and kind_of(contract.entry) in READS

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

    async def _one(self, conn: asyncpg.Connection, event: Event, seen: dict[str, int], *, last: bool) -> None:
        """One event that counts. seen: the version of each record that decisions saw. last: no more of who
        its record is follows in this batch: what is said of it in one go is decided once."""
        if event.envelope.type == store.DECIDED:
            seen |= await self._follow(conn, event)
            return
        record, version = event.envelope.subject, event.envelope.streamversion
        if event.envelope.type == parking.RELEASED:
            await parking.follow_release(conn, event)
            return
        if event.envelope.type.endswith("." + fold.KEY_DESTROYED):
            if msgspec.json.decode(event.data or b"{}").get("record_class") == "R-IDENT":
                await index.forget_person(conn, record)
            return
        contract = self._rules.schemas.of(event.envelope.type)
        if contract is None or contract.entry is None or event.data is None or event.state != "open":
            return
        data, new = msgspec.json.decode(event.data), version > seen.get(record, 0)
        if kind_of(contract.entry) in SAYS_WHO:
            await self._who(conn, event, contract.entry, data, new=new, last=last)
        elif contract.entry.category == "protection":
            await self._protection(conn, event, data, new)
        elif contract.entry.category == "adoption_pair":
            await self._adoption_pair(conn, event, data, new)

    def _lasts(self, events: Sequence[Event]) -> list[bool]:
        """For each event whether what follows of its record is no more of who that is."""
        following: dict[str, bool] = {}
        lasts = []
        for event in reversed(events):
            contract = self._rules.schemas.of(event.envelope.type)
            if contract is None or contract.entry is None or kind_of(contract.entry) not in READS:
                lasts.append(True)
                continue
            lasts.append(not following.get(event.envelope.subject, False))
            following[event.envelope.subject] = kind_of(contract.entry) in SAYS_WHO
        return lasts[::-1]

    async def _settle(
        self, conn: asyncpg.Connection, work: Callable[[Settling], Awaitable[None]], event: Event | None = None
    ) -> None:
        """Decide in this transaction. Decisions name the version of the record that they saw."""
        seen = {} if event is None else {event.envelope.subject: event.envelope.streamversion}
        settling = Settling(conn, self._rules.outbox, seen=seen, model=await self._live(conn))
        with self._measure.span("decide", parent=event.envelope.traceparent if event else None):
            await work(settling)
        for number, kind in settling.made:
            self.decision = max(self.decision, number)
            self._measure.metrics.add("identity_decisions", kind=kind)
        self._count_nobodys(settling.nobodys)

    def _count_nobodys(self, met: Iterable[str]) -> None:
        """Tell people of a number that came to be on too many records, once in this process's life, and never which."""
        found = {keys.of_number(number) for number in met} - self._nobodys
        if found:
            self._nobodys |= found
            _log.warning(
                "A number is on so many records that it is nobody's; it is ignored.", extra=telemetry.fields(numbers=len(self._nobodys))
            )
        self._measure.metrics.set("numbers_ignored", len(self._nobodys | self._learned))

    async def _live(self, conn: asyncpg.Connection) -> Model:
        """The live model, read again when another was made live."""
        version = await models.live_version(conn)
        if self._model is None or self._model[0] != version:
            self._model = version, await models.live(conn)
            self._learned = frozenset(map(keys.of_number, self._model[1].ignored))
        return self._model[1]

    async def _follow(self, conn: asyncpg.Connection, event: Event) -> dict[str, int]:
        """A decision of the log; the versions it saw. What people decided may change whom others resemble, also where the
        tables know it."""
        number, body = event.envelope.streamversion, msgspec.json.decode(event.data or b"{}")
        if not await store.knows(conn, number):
            await store.follow(conn, number, body, recorded=datetime.fromisoformat(event.envelope.time))
            await index.watch(conn, [item["record"] for item in body["sets"]])
            await store.number_after(conn, number)
        self.decision = max(self.decision, number)
        if not self._following and body["by"] != "identity":
            await self._follow_people(conn, body)
        return body.get("considered", {})

    async def _follow_people(self, conn: asyncpg.Connection, body: Mapping) -> None:
        await self._settle(conn, lambda settling: settling.around(item["record"] for item in body["sets"]))
        if body["kind"] == "not-same":
            await self._settle(conn, lambda settling: settling.again(name for pair in body["not_same"] for name in pair))

    async def _who(
        self, conn: asyncpg.Connection, event: Event, entry: EntryRule, data: Mapping, *, new: bool, last: bool
    ) -> None:
        """Index what a record says of who somebody is, and decide what it is unless a decision of the log saw this version
        of it."""
        record, said = event.envelope.subject, event.envelope
        await index.save_entry(
            conn,
            record,
            entry="|".join([entry.kind, *(str(data.get(part)) for part in entry.key)]),
            extracted=data["provenance"]["extracted"],
            who=None if data.get("withdrawn") else _READERS[entry.kind](data, source=said.service),
        )
        known = await index.save_person(conn, record, service=said.service, version=said.streamversion) if last else None
        if known is not None and new:
            await self._settle(conn, lambda settling: settling.arrive(record, known), event)

    async def _protection(self, conn: asyncpg.Connection, event: Event, data: Mapping, new: bool) -> None:
        """A protection holds or ends; a record that nothing is decided of yet becomes a child with it."""
        record, end = event.envelope.subject, data.get("end_date")
        holds = await index.save_protection(
            conn,
            record,
            kind=data["protection_kind"],
            end=date.fromisoformat(end) if end else None,
            withdrawn=data.get("withdrawn", False),
        )
        await index.watch(conn, [record])
        if not new:
            return
        if await links.link(conn, record) is None:
            who = await index.person(conn, record) or Demographics()
            await self._settle(conn, lambda settling: settling.arrive(record, who), event)
        await self._settle(conn, lambda settling: settling.around([record], ending=not holds), event)

    async def _adoption_pair(self, conn: asyncpg.Connection, event: Event, data: Mapping, new: bool) -> None:
        """Two records that must not be one child, nor be held for one another."""
        record, other = event.envelope.subject, data["other_stream"]
        await index.save_adoption_pair(conn, record, other)
        if new:
            await self._settle(conn, lambda settling: settling.part(record, other), event)

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
