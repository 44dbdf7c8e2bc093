"""Parking: one stream waits because something in it cannot be understood; every other stream goes on.

`identity` and `projector` judge each record by the same function and keep what waits in tables of the same shape, each
in its own PostgreSQL schema (`projection`, `projection_beside`, `identity`). Going on is an event made by a person:
`childview.stream-released.v1` names the place in the log and says `retry` (understand it again) or `skip` (go on as if
it were not there). So a rebuild, which may meet that event before the poison, comes to the same end. Releases are a stream
of their own beside the decisions, so that they are read while the decisions are parked; that stream itself never parks,
for nothing could release it: what cannot be understood there is left out, and the person says it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

import asyncpg
import msgspec

from services.plumbing.kafka.consumer import Event, Place, Poison, Record, is_stream
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams
from services.plumbing.sealing import KeysUnavailable

RELEASED = "childview.stream-released.v1"
RELEASES = uuid5(UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60"), "childview.stream-released")
"""The one stream that every release is numbered in."""

Spot = tuple[str, int, int]
"""(topic, partition, offset)"""
Item = Event | Poison
Open = Callable[[Sequence[Record]], Awaitable[list[Item]]]
"""Reads and opens records. Raises KeysUnavailable."""


@dataclass(frozen=True)
class Position:
    """How far one stream is understood. `open_gap`: the next version may be any later one (something was skipped).

    What was skipped unread is taken for the next version, so that whoever waits for that number need not wait for another.
    """

    version: int = 0
    event_id: str = ""
    parked: bool = False
    open_gap: bool = False

    @property
    def guessed(self) -> bool:
        """Whether the version is that of a record nobody could read."""
        return self.open_gap and not self.event_id


@dataclass(frozen=True)
class Verdict:
    """`apply`, `known` (seen before, drop it), `park` (with a reason) or `wait` (behind a parked one)."""

    outcome: str
    position: Position
    reason: str = ""


def judge(position: Position, item: Event | Poison, *, skipped: bool = False) -> Verdict:
    """What to do with the next record of a stream. Pure.

    skipped: a person said to go on as if this record were not there.
    """
    if position.parked:
        return Verdict("wait", position)
    if isinstance(item, Poison):
        if skipped:
            return Verdict("known", Position(position.version + 1, "", open_gap=True))
        return Verdict("park", replace(position, parked=True), item.reason)
    version, event_id = item.envelope.streamversion, item.envelope.id
    if version < position.version or (version == position.version and event_id == position.event_id):
        return Verdict("known", position)
    if version == position.version and not position.guessed:
        return _odd(position, item, skipped, "the same version came with another id")
    if version > position.version + 1 and not position.open_gap and not skipped:
        return Verdict("park", replace(position, parked=True), "versions are missing before this one")
    return Verdict("apply", Position(version, event_id))


def _odd(position: Position, item: Event, skipped: bool, reason: str) -> Verdict:
    if skipped:
        return Verdict("known", position)
    return Verdict("park", replace(position, parked=True), reason)


def spot(record: Record) -> Spot:
    """Where a record lies in the log."""
    return (record.topic, record.partition, record.offset)


def tables(schema: str) -> str:
    """The tables of one process, as SQL."""
    return f"""
create table {schema}.positions (
    stream_id uuid primary key,
    version bigint not null,
    event_id text not null,
    open_gap boolean not null default false
);
create table {schema}.parked (
    stream_id text primary key,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    reason text not null,
    since timestamptz not null default now()
);
create table {schema}.waiting (
    stream_id text not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    "timestamp" bigint not null,
    value bytea not null,
    primary key (topic, partition, "offset")
);
create index on {schema}.waiting (stream_id);
create table {schema}.skipped (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    primary key (topic, partition, "offset")
);
"""


async def positions(conn: asyncpg.Connection, schema: str, streams: Iterable[str]) -> dict[str, Position]:
    """How far these streams are understood; a new one is at version 0."""
    names = sorted(set(streams))
    known = await conn.fetch(
        f"select stream_id::text as stream, version, event_id, open_gap from {schema}.positions"
        " where stream_id = any($1::uuid[])",
        [name for name in names if is_stream(name)],
    )
    parked = {
        row["stream_id"]
        for row in await conn.fetch(f"select stream_id from {schema}.parked where stream_id = any($1)", names)
    }
    found = {row["stream"]: Position(row["version"], row["event_id"], False, row["open_gap"]) for row in known}
    return {
        name: replace(found.get(name, Position()), parked=name in parked) for name in names
    }


async def skipped(conn: asyncpg.Connection, schema: str) -> set[tuple[str, int, int]]:
    """Every place a person said to skip: few, so all of them."""
    rows = await conn.fetch(f'select topic, partition, "offset" from {schema}.skipped')
    return {(row["topic"], row["partition"], row["offset"]) for row in rows}


async def version(conn: asyncpg.Connection, schema: str, stream: UUID) -> int:
    """The version up to which one stream is understood, 0 for a new one."""
    return await conn.fetchval(f"select version from {schema}.positions where stream_id = $1", stream) or 0


async def save(conn: asyncpg.Connection, schema: str, changed: dict[str, Position]) -> None:
    """Store how far these streams are understood."""
    good = {name: position for name, position in changed.items() if is_stream(name)}
    await conn.execute(
        f"insert into {schema}.positions (stream_id, version, event_id, open_gap)"
        " select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::boolean[])"
        " on conflict (stream_id) do update set version = excluded.version, event_id = excluded.event_id,"
        " open_gap = excluded.open_gap",
        list(good),
        [position.version for position in good.values()],
        [position.event_id for position in good.values()],
        [position.open_gap for position in good.values()],
    )


async def park(conn: asyncpg.Connection, schema: str, record: Record, reason: str) -> None:
    """Park the record's stream at this record."""
    await conn.execute(
        f'insert into {schema}.parked (stream_id, topic, partition, "offset", reason) values ($1, $2, $3, $4, $5)'
        " on conflict (stream_id) do nothing",
        record.stream,
        record.topic,
        record.partition,
        record.offset,
        reason,
    )
    await keep_waiting(conn, schema, [record])


async def keep_waiting(conn: asyncpg.Connection, schema: str, records: Sequence[Record]) -> None:
    """Keep records of parked streams, still sealed, until the stream goes on."""
    if not records:
        return
    await conn.executemany(
        f'insert into {schema}.waiting (stream_id, topic, partition, "offset", "timestamp", value)'
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        [(r.stream, *spot(r), r.timestamp, r.value or b"") for r in records],
    )


async def release(conn: asyncpg.Connection, schema: str, *, action: str, place: Place, offset: int) -> list[Spot]:
    """A person released the stream parked at this place: where its waiting records lie, in order, to be judged again.

    A place that is not parked (not met yet, or released already) gives none; a skip is remembered all the same.
    """
    if action == "skip":
        await conn.execute(f"insert into {schema}.skipped values ($1, $2, $3) on conflict do nothing", *place, offset)
    stream = await conn.fetchval(
        f'delete from {schema}.parked where topic = $1 and partition = $2 and "offset" = $3 returning stream_id',
        *place,
        offset,
    )
    if stream is None:
        return []
    rows = await conn.fetch(f'delete from {schema}.waiting where stream_id = $1 returning topic, partition, "offset"', stream)
    return sorted((row["topic"], row["partition"], row["offset"]) for row in rows)


async def waiting_behind(conn: asyncpg.Connection, schema: str, *, place: Place, offset: int) -> list[Record]:
    """The records that wait because their stream is parked at this place; nothing is changed."""
    rows = await conn.fetch(
        f"select w.* from {schema}.waiting w join {schema}.parked p using (stream_id)"
        ' where p.topic = $1 and p.partition = $2 and p."offset" = $3 order by w."offset"',
        *place,
        offset,
    )
    return [
        Record(r["topic"], r["partition"], r["offset"], r["timestamp"], r["stream_id"].encode(), r["value"]) for r in rows
    ]


# -- a batch -----------------------------------------------------------------------------------------------------


@dataclass
class Ahead:
    """What of a batch can be judged now. waiting: what its releases set free, opened. refused: from where to read again,
    because the keys of what waits cannot be had now."""

    items: list[Item] = field(default_factory=list)
    waiting: dict[Spot, Item] = field(default_factory=dict)
    refused: dict[Place, int] = field(default_factory=dict)


async def look_ahead(pool: asyncpg.Pool, schema: str, items: Sequence[Item], open: Open) -> Ahead:
    """Open what waits behind the releases of a batch before any of it is taken out of its table.

    A release whose waiting records cannot be opened now ends its place's part of the batch just before it: it comes again.
    """
    found = Ahead()
    for item in items:
        if item.record.place in found.refused:
            continue
        try:
            found.waiting |= await _opened_behind(pool, schema, item, open)
        except KeysUnavailable:
            found.refused[item.record.place] = item.record.offset
        else:
            found.items.append(item)
    return found


async def _opened_behind(pool: asyncpg.Pool, schema: str, item: Item, open: Open) -> dict[Spot, Item]:
    """What a release sets free, and what the releases among that set free."""
    found: dict[Spot, Item] = {}
    queue = [item]
    while queue:
        one = queue.pop()
        if not isinstance(one, Event) or one.envelope.type != RELEASED:
            continue
        said = _said(one)
        async with pool.acquire() as conn:
            records = await waiting_behind(conn, schema, place=said.place, offset=said.offset)
        opened = await open([record for record in records if spot(record) not in found])
        found |= {spot(waited.record): waited for waited in opened}
        queue += opened
    return found


class Release(msgspec.Struct, frozen=True):
    """What a release says."""

    action: str
    topic: str
    partition: int
    offset: int

    @property
    def place(self) -> Place:
        """The place, without its offset."""
        return (self.topic, self.partition)


def _said(event: Event) -> Release:
    return msgspec.json.decode(event.data or b"{}", type=Release)


@dataclass
class Sorted:
    """A batch, judged. events: those that count, in order. parked: streams that wait from now on."""

    positions: dict[str, Position]
    events: list[Event] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)


async def sort_out(conn: asyncpg.Connection, schema: str, ahead: Ahead) -> Sorted:
    """Drop what is known, park what cannot be understood, keep what waits; the rest counts.

    What a release sets free is judged before what follows it: so the same end comes however the log is cut into batches.
    """
    opened = {**ahead.waiting, **{spot(item.record): item for item in ahead.items}}
    done = Sorted(await positions(conn, schema, (item.record.stream for item in ahead.items)))
    skips = await skipped(conn, schema)
    queue, behind = deque(ahead.items), list[Record]()
    while queue:
        item = queue.popleft()
        stream = item.record.stream
        verdict = judge(done.positions[stream], item, skipped=spot(item.record) in skips or stream == str(RELEASES))
        done.positions[stream] = verdict.position
        if verdict.outcome == "park":
            await park(conn, schema, item.record, verdict.reason)
            done.parked.append(stream)
        elif verdict.outcome == "wait":
            behind.append(item.record)
        elif verdict.outcome == "apply" and isinstance(item, Event):
            done.events.append(item)
            if item.envelope.type == RELEASED:
                await keep_waiting(conn, schema, behind)
                behind.clear()
                again = [opened[place] for place in await _let_go(conn, schema, _said(item), skips)]
                await _unpark(conn, schema, done, again)
                queue.extendleft(reversed(again))
    await keep_waiting(conn, schema, behind)
    await save(conn, schema, done.positions)
    return done


async def _let_go(conn: asyncpg.Connection, schema: str, said: Release, skips: set[Spot]) -> list[Spot]:
    if said.action == "skip":
        skips.add((*said.place, said.offset))
    return await release(conn, schema, action=said.action, place=said.place, offset=said.offset)


async def _unpark(conn: asyncpg.Connection, schema: str, done: Sorted, again: Sequence[Item]) -> None:
    """A stream goes on from where this batch has brought it, which no table knows yet."""
    streams = {item.record.stream for item in again}
    done.positions |= await positions(conn, schema, streams - done.positions.keys())
    done.positions |= {stream: replace(done.positions[stream], parked=False) for stream in streams}


# -- people ------------------------------------------------------------------------------------------------------


async def say_released(conn: asyncpg.Connection, outbox: Outbox, said: Mapping[str, object]) -> int:
    """Record that a person lets a stream go on, in the caller's transaction; the release's number."""
    await lock_streams(conn, [RELEASES], kind="releases")
    numbers = await outbox.append(conn, [(RELEASES, [NewEvent(RELEASED, said, None)])])
    return numbers[RELEASES]


async def follow_release(conn: asyncpg.Connection, event: Event) -> None:
    """Number the next release after this one: a database that was restored may not know it."""
    stream = UUID(event.envelope.subject)
    await lock_streams(conn, [stream], kind="releases")
    await conn.execute(
        "update streams set version = greatest(version, $2) where stream_id = $1", stream, event.envelope.streamversion
    )


async def waiting_places(conn: asyncpg.Connection) -> list[dict[str, str]]:
    """Where streams are parked, for operators: the place in the log, the process, since when and why."""
    rows = await conn.fetch(
        " union all ".join(
            f"select '{process}' as process, topic, partition, \"offset\", reason, since from {schema}.parked"
            for process, schema in (("identity", "identity"), ("projector", "projection"))
        )
        + " order by since"
    )
    return [
        {
            "process": row["process"],
            "place": f"{row['topic']}/{row['partition']}/{row['offset']}",
            "reason": row["reason"],
            "since": row["since"].isoformat(),
        }
        for row in rows
    ]
