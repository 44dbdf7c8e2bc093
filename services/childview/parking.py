"""Parking: one stream waits because something in it cannot be understood; every other stream goes on.

`identity` and `projector` judge each record by the same function and keep what waits in tables of the same shape, each
in its own PostgreSQL schema (`projection`, `projection_rebuild`, `identity`). Going on is an event made by a person:
`childview.stream-released.v1` names the place in the log and says `retry` (understand it again) or `skip` (go on as if
it were not there). So a rebuild, which may meet that event before the poison, comes to the same end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import asyncpg

from services.plumbing.kafka.consumer import Event, Place, Poison, Record

RELEASED = "childview.stream-released.v1"


@dataclass(frozen=True)
class Position:
    """How far one stream is understood. `open_gap`: the next version may be any later one (something was skipped)."""

    version: int = 0
    event_id: str = ""
    parked: bool = False
    open_gap: bool = False


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
            return Verdict("known", replace(position, open_gap=True))
        return Verdict("park", replace(position, parked=True), item.reason)
    version, event_id = item.envelope.streamversion, item.envelope.id
    if version < position.version or (version == position.version and event_id == position.event_id):
        return Verdict("known", position)
    if version == position.version:
        return _odd(position, item, skipped, "the same version came with another id")
    if version > position.version + 1 and not position.open_gap and not skipped:
        return Verdict("park", replace(position, parked=True), "versions are missing before this one")
    return Verdict("apply", Position(version, event_id))


def _odd(position: Position, item: Event, skipped: bool, reason: str) -> Verdict:
    if skipped:
        return Verdict("known", position)
    return Verdict("park", replace(position, parked=True), reason)


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
        [name for name in names if _is_uuid(name)],
    )
    parked = {
        row["stream_id"]
        for row in await conn.fetch(f"select stream_id from {schema}.parked where stream_id = any($1)", names)
    }
    found = {row["stream"]: Position(row["version"], row["event_id"], False, row["open_gap"]) for row in known}
    return {
        name: replace(found.get(name, Position()), parked=name in parked) for name in names
    }


def _is_uuid(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4 and all(c in "0123456789abcdef-" for c in name)


async def skipped(conn: asyncpg.Connection, schema: str) -> set[tuple[str, int, int]]:
    """Every place a person said to skip: few, so all of them."""
    rows = await conn.fetch(f'select topic, partition, "offset" from {schema}.skipped')
    return {(row["topic"], row["partition"], row["offset"]) for row in rows}


async def save(conn: asyncpg.Connection, schema: str, changed: dict[str, Position]) -> None:
    """Store how far these streams are understood."""
    good = {name: position for name, position in changed.items() if _is_uuid(name)}
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
    await conn.executemany(
        f'insert into {schema}.waiting (stream_id, topic, partition, "offset", "timestamp", value)'
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        [(r.stream, r.topic, r.partition, r.offset, r.timestamp, r.value) for r in records],
    )


async def release(conn: asyncpg.Connection, schema: str, *, action: str, place: Place, offset: int) -> list[Record]:
    """A person released the stream parked at this place: its waiting records, in order, to be judged again.

    A place that is not parked (not met yet, or released already) gives none; a skip is remembered all the same.
    """
    if action == "skip":
        await conn.execute(f"insert into {schema}.skipped values ($1, $2, $3) on conflict do nothing", *place, offset)
    row = await conn.fetchrow(
        f'delete from {schema}.parked where topic = $1 and partition = $2 and "offset" = $3 returning stream_id',
        *place,
        offset,
    )
    if row is None:
        return []
    rows = await conn.fetch(
        f'delete from {schema}.waiting where stream_id = $1 returning topic, partition, "offset", "timestamp", value',
        row["stream_id"],
    )
    return [
        Record(r["topic"], r["partition"], r["offset"], r["timestamp"], row["stream_id"].encode(), r["value"])
        for r in sorted(rows, key=lambda r: r["offset"])
    ]


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
