"""Identity's tables, its decisions, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import msgspec

from services.childview import parking
from services.childview.identity import pairs
from services.childview.identity.decide import Decision, Pair
from services.childview.identity.phrases import SCHEMA
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams

DECISIONS = uuid5(UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60"), "childview.identity")
"""The one stream that every decision is numbered in."""
TOPIC = "childview.identity"
DECIDED = "childview.identity-decided.v1"

TABLES = f"""
create schema {SCHEMA};
create table {SCHEMA}.offsets (
    topic text, partition int, next bigint not null, primary key (topic, partition));
create table {SCHEMA}.said (
    stream_id uuid, entry text, extracted text not null, who bytea not null, primary key (stream_id, entry));
create table {SCHEMA}.persons (
    stream_id uuid primary key, service text not null, version bigint not null, who bytea not null);
create table {SCHEMA}.match_keys (key bigint, stream_id uuid, primary key (key, stream_id));
create index on {SCHEMA}.match_keys (stream_id);
create table {SCHEMA}.watched (key bigint, stream_id uuid, primary key (key, stream_id));
create index on {SCHEMA}.watched (stream_id);
create table {SCHEMA}.models (
    version text primary key, content bytea not null, made timestamptz not null, rehearsed bytea,
    live boolean not null default false);
create table {SCHEMA}.protected (
    stream_id uuid, kind text, end_date date, primary key (stream_id, kind));
create table {SCHEMA}.adoption_pairs (stream_id uuid, other uuid, primary key (stream_id, other));
create table {SCHEMA}.links (
    stream_id uuid primary key, child_id uuid not null, basis text not null, status text not null,
    withheld boolean not null, decision bigint not null);
create index on {SCHEMA}.links (child_id);
create table {SCHEMA}.not_same (one uuid, other uuid, primary key (one, other));
create table {SCHEMA}.pairs (
    pair_id uuid primary key, stream_id uuid not null, candidate uuid not null, queue text not null,
    decision bigint not null, claimed_by text, claimed timestamptz, since bigint not null, risk smallint not null,
    why bigint, why_record uuid, aside bigint, proposed bigint, unique (stream_id, candidate));
create index on {SCHEMA}.pairs (candidate);
create table {SCHEMA}.decisions (
    number bigint primary key, kind text not null, body jsonb not null, before jsonb not null, recorded timestamptz not null);
create index on {SCHEMA}.decisions ((body->>'undoes')) where kind in ('unmerge', 'propose');
{parking.tables(SCHEMA)}"""

LATER = f"""
create index if not exists not_same_other on {SCHEMA}.not_same (other);
create table if not exists {SCHEMA}.considered (stream_id uuid primary key, version bigint not null);
create table if not exists {SCHEMA}.followed (
    one boolean primary key default true check (one), server timestamptz not null, wrote xid8 not null);
"""
"""Tables that came after the first release: an installation that is there already gets them too."""


_OF_TODAY = f"""
    to_regclass('{SCHEMA}.watched') is not null and exists (select from information_schema.columns
        where table_schema = '{SCHEMA}' and table_name = 'pairs' and column_name = 'proposed')
"""


async def make(conn: asyncpg.Connection) -> None:
    """Make the tables unless they are there. Those of the first matcher, and those that know no proposals, go: what was
    decided is followed from the log, and who everybody is is read from it again."""
    if await conn.fetchval(f"select to_regclass('{SCHEMA}.persons') is not null and not ({_OF_TODAY})"):
        await conn.execute(f"drop schema {SCHEMA} cascade")
    if not await conn.fetchval("select exists (select from pg_namespace where nspname = $1)", SCHEMA):
        await conn.execute(TABLES)
    if not await conn.fetchval(f"select to_regclass('{SCHEMA}.followed') is not null"):
        await conn.execute(LATER)


async def lock_decisions(conn: asyncpg.Connection) -> int:
    """Take the decisions' stream: whoever decides locks it first, then reads links and "not the same", then decides."""
    return (await lock_streams(conn, [DECISIONS], kind="decisions"))[DECISIONS]


@dataclass(frozen=True)
class Decided:
    """A decision as it was kept: its number, its event data, and how its records were linked before."""

    number: int
    kind: str
    body: Mapping[str, Any]
    before: Mapping[str, Mapping[str, Any]]


def pair_id(pair: Pair) -> str:
    """The id of the pair of these two records, in this order."""
    return str(uuid5(DECISIONS, f"{pair.record}|{pair.candidate}"))


async def record_decision(
    conn: asyncpg.Connection, outbox: Outbox, decision: Decision, *, considered: Mapping[str, int] | None = None
) -> int:
    """Make a decision an event and let the tables follow, in the caller's transaction; its number.

    The decisions' stream must be locked by `lock_decisions`.
    """
    named = {pair: pair_id(pair) for pair in (*decision.opens, *decision.closes)}
    body = event_data(decision, named, considered or decision.considered)
    numbers = await outbox.append(conn, [(DECISIONS, [NewEvent(DECIDED, body, None)])])
    await follow(conn, numbers[DECISIONS], body)
    return numbers[DECISIONS]


def event_data(decision: Decision, names: Mapping[Pair, str], considered: Mapping[str, int]) -> dict[str, Any]:
    """The decision as its event says it: ids and kinds, never values."""
    return {
        "kind": decision.kind,
        "sets": [
            {"record": record, "child": to.child, "status": to.status, "basis": to.basis, "withheld": to.withheld}
            for record, to in sorted(decision.sets.items())
        ],
        "not_same": [list(pair) for pair in decision.not_same],
        "held": [
            {"pair": names[p], "record": p.record, "candidate": p.candidate, "queue": p.queue, "state": state}
            for state, group in (("open", decision.opens), ("decided", decision.closes))
            for p in group
        ],
        "by": decision.by,
        "reason": decision.reason,
        "undoes": decision.undoes,
        "evidence": dict(decision.evidence),
        "considered": dict(considered),
        **({} if decision.settles is None else {"settles": dict(decision.settles)}),
        **({} if decision.proposal is None else {"proposal": decision.proposal}),
    }


async def follow(
    conn: asyncpg.Connection, number: int, body: Mapping[str, Any], *, recorded: datetime | None = None
) -> None:
    """Let the tables say what a decision's event says. The event alone is enough: so a lost database is made again.
    recorded: the event's time; that of this transaction where it is just made.

    A link keeps the number of the decision that put the record into its child, whatever is decided of it there; and has it
    again when a merge that took it away is undone: so an earlier merge can be undone after a later one was.
    """
    before = await _before(conn, [item["record"] for item in body["sets"]])
    came = await _came_by(conn, body)
    await conn.executemany(
        f"insert into {SCHEMA}.links values ($1, $2, $3, $4, $5, $6) on conflict (stream_id) do update set"
        " child_id = excluded.child_id, basis = excluded.basis, status = excluded.status, withheld = excluded.withheld,"
        " decision = case when links.child_id = excluded.child_id then links.decision else excluded.decision end",
        [
            (i["record"], i["child"], i["basis"], i["status"], i["withheld"], came.get((i["record"], i["child"]), number))
            for i in body["sets"]
        ],
    )
    if body.get("not_same"):
        await conn.executemany(f"insert into {SCHEMA}.not_same values ($1, $2) on conflict do nothing", body["not_same"])
    if before or body.get("held"):
        await pairs.follow(conn, number, body)
    await conn.executemany(
        f"insert into {SCHEMA}.considered values ($1, $2) on conflict (stream_id) do update set"
        " version = greatest(considered.version, excluded.version)",
        list(body.get("considered", {}).items()),
    )
    await conn.execute(
        f"insert into {SCHEMA}.decisions values ($1, $2, $3, $4, coalesce($5, now()))",
        number,
        body["kind"],
        msgspec.json.encode(body).decode(),
        msgspec.json.encode(before).decode(),
        recorded,
    )


async def _before(conn: asyncpg.Connection, records: Collection[str]) -> dict[str, dict[str, Any]]:
    """How these records are linked, and the number of the decision that put each into its child."""
    rows = await conn.fetch(f"select * from {SCHEMA}.links where stream_id = any($1::uuid[])", list(records))
    return {
        str(row["stream_id"]): {"child": str(row["child_id"]), **{name: row[name] for name in ("basis", "status", "withheld", "decision")}}
        for row in rows
    }


async def _came_by(conn: asyncpg.Connection, body: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """(record, child that it had) -> the decision by which it had come there, of all that the undone merge moved."""
    merged = await decision(conn, body["undoes"]) if body["kind"] == "unmerge" else None
    was = merged.before if merged else {}
    return {(record, one["child"]): one["decision"] for record, one in was.items() if "decision" in one}


async def considered(conn: asyncpg.Connection, records: Collection[str]) -> dict[str, int]:
    """The latest version that a decision saw of each of these records that one saw."""
    rows = await conn.fetch(
        f"select stream_id::text as record, version from {SCHEMA}.considered where stream_id = any($1::uuid[])", sorted(records)
    )
    return {row["record"]: row["version"] for row in rows}


async def last_decision(conn: asyncpg.Connection) -> int:
    """The number of the last decision that these tables follow; 0 for none."""
    return await conn.fetchval(f"select coalesce(max(number), 0) from {SCHEMA}.decisions")


async def number_after(conn: asyncpg.Connection, number: int) -> None:
    """No later event of the decisions' stream has this number, or a lower one, again."""
    await conn.execute("update streams set version = greatest(version, $2) where stream_id = $1", DECISIONS, number)


async def say_followed(conn: asyncpg.Connection) -> None:
    """These tables follow their own topic to its end. Whatever restores the database takes the word back: another server
    start, or a row that another transaction wrote."""
    await conn.execute(
        f"insert into {SCHEMA}.followed (server, wrote) values (pg_postmaster_start_time(), pg_current_xact_id())"
        " on conflict (one) do update set server = excluded.server, wrote = excluded.wrote"
    )


async def followed(conn: asyncpg.Connection) -> bool:
    """Whether identity has read its own topic to the end since this database was started or restored, and no decision
    has a number above the stream's. Until then nobody else may decide: the number may be taken."""
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.followed where server = pg_postmaster_start_time()"
        " and xmin::text::numeric = mod(wrote::text::numeric, 4294967296))"
        f" and coalesce((select version from streams where stream_id = $1), 0)"
        f" >= (select coalesce(max(number), 0) from {SCHEMA}.decisions)",
        DECISIONS,
    )


async def knows(conn: asyncpg.Connection, number: int) -> bool:
    """Whether these tables follow the decision with this number."""
    return await conn.fetchval(f"select exists (select from {SCHEMA}.decisions where number = $1)", number)


async def decision(conn: asyncpg.Connection, number: int) -> Decided | None:
    """A decision by its number."""
    row = await conn.fetchrow(f"select * from {SCHEMA}.decisions where number = $1", number)
    if row is None:
        return None
    return Decided(number, row["kind"], msgspec.json.decode(row["body"]), msgspec.json.decode(row["before"]))


async def children_of(conn: asyncpg.Connection, number: int) -> list[str]:
    """The children that a decision named."""
    found = await decision(conn, number)
    return [] if found is None else sorted({item["child"] for item in found.body["sets"]})


async def counts(conn: asyncpg.Connection) -> dict[str, int]:
    """Open pairs by queue."""
    rows = await conn.fetch(f"select queue, count(*) as n from {SCHEMA}.pairs group by queue")
    return {row["queue"]: row["n"] for row in rows}


async def save_offsets(conn: asyncpg.Connection, moves: Sequence[tuple[str, int, int, int]]) -> None:
    """Move the fence: (topic, partition, expected, next). Raises Fenced when it is not where it was left."""
    for topic, partition, expected, following in sorted(moves):
        held = await conn.fetchval(
            f"select next from {SCHEMA}.offsets where topic = $1 and partition = $2 for update", topic, partition
        )
        if held != expected:
            raise Fenced(f"{topic}/{partition} stands at {held}, not at {expected}")
        await conn.execute(
            f"update {SCHEMA}.offsets set next = $3 where topic = $1 and partition = $2", topic, partition, following
        )


class Fenced(Exception):
    """Another process decides already: this one must end."""
