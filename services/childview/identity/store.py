"""Identity's tables, and one function for each question asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import msgspec

from services.childview import parking
from services.childview.identity.decide import Candidate, Decision, Linked, Pair
from services.childview.identity.match import Demographics, swapped
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams

SCHEMA = "identity"
DECISIONS = uuid5(UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60"), "childview.identity")
"""The one stream that every decision is numbered in."""
TOPIC = "childview.identity"
DECIDED = "childview.identity-decided.v1"

TABLES = f"""
create schema {SCHEMA};
create table {SCHEMA}.offsets (
    topic text, partition int, next bigint not null, primary key (topic, partition));
create table {SCHEMA}.persons (
    stream_id uuid primary key, service text not null, version bigint not null, given text[] not null,
    family text[] not null, birth_date date, identifiers text[] not null, extracted text not null);
create index on {SCHEMA}.persons (birth_date);
create index on {SCHEMA}.persons using gin (identifiers);
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
    decision bigint not null, claimed_by text, claimed timestamptz, unique (stream_id, candidate));
create index on {SCHEMA}.pairs (candidate);
create table {SCHEMA}.decisions (
    number bigint primary key, kind text not null, body jsonb not null, before jsonb not null);
{parking.tables(SCHEMA)}"""


async def make(conn: asyncpg.Connection) -> None:
    """Make the tables unless they are there."""
    if not await conn.fetchval("select exists (select from pg_namespace where nspname = $1)", SCHEMA):
        await conn.execute(TABLES)


async def lock_decisions(conn: asyncpg.Connection) -> int:
    """Take the decisions' stream: whoever decides locks it first, then reads links and "not the same", then decides."""
    return (await lock_streams(conn, [DECISIONS], kind="decisions"))[DECISIONS]


# -- the match index ---------------------------------------------------------------------------------------------


async def save_person(
    conn: asyncpg.Connection, record: str, *, service: str, version: int, who: Demographics, extracted: str
) -> bool:
    """Index a record's demographics; False when they are indexed already, or a newer extract is."""
    done = await conn.execute(
        f"insert into {SCHEMA}.persons values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (stream_id) do update set"
        " extracted = excluded.extracted, version = excluded.version, given = excluded.given, family = excluded.family,"
        " birth_date = excluded.birth_date, identifiers = excluded.identifiers"
        " where persons.extracted <= excluded.extracted and (persons.given, persons.family, persons.birth_date, persons.identifiers)"
        " is distinct from (excluded.given, excluded.family, excluded.birth_date, excluded.identifiers)",
        record,
        service,
        version,
        sorted(who.given),
        sorted(who.family),
        who.birth_date,
        sorted(who.identifiers),
        extracted,
    )
    return done.endswith(" 1")


async def forget_person(conn: asyncpg.Connection, record: str) -> None:
    """The key of a record's demographics is gone: nothing is compared with it any more."""
    await conn.execute(f"delete from {SCHEMA}.persons where stream_id = $1", record)


async def person(conn: asyncpg.Connection, record: str) -> Demographics | None:
    """A record's demographics, None when no person entry has come yet."""
    row = await conn.fetchrow(f"select * from {SCHEMA}.persons where stream_id = $1", record)
    return None if row is None else _who(row)


def _who(row: asyncpg.Record) -> Demographics:
    return Demographics(
        frozenset(row["given"]), frozenset(row["family"]), row["birth_date"], frozenset(row["identifiers"])
    )


async def candidates(conn: asyncpg.Connection, record: str, who: Demographics) -> list[Candidate]:
    """Records that share a strong identifier, a birth date (or day and month swapped), or the child, with this one.

    The other half of an adoption pair is never among them, nor is any record of that half's child.
    """
    days = [day for day in (who.birth_date, swapped(who.birth_date)) if day is not None]
    rows = await conn.fetch(
        f"""
        with found as (
            select stream_id from {SCHEMA}.persons where identifiers && $2::text[]
            union select stream_id from {SCHEMA}.persons where birth_date = any($3::date[])
            union select other.stream_id from {SCHEMA}.links mine join {SCHEMA}.links other using (child_id)
                where mine.stream_id = $1
        ), forbidden as (
            select other.stream_id from {SCHEMA}.adoption_pairs p
            join {SCHEMA}.links half on half.stream_id = p.other
            join {SCHEMA}.links other on other.child_id = half.child_id
            where p.stream_id = $1
            union select other from {SCHEMA}.adoption_pairs where stream_id = $1
        )
        select p.*, l.child_id::text as child, exists (
            select from {SCHEMA}.links fellow join {SCHEMA}.protected s on s.stream_id = fellow.stream_id
            where fellow.child_id = l.child_id and s.kind in ('shielded', 'adopted')
            and (s.end_date is null or s.end_date > current_date)) as protected
        from found join {SCHEMA}.persons p using (stream_id) join {SCHEMA}.links l using (stream_id)
        where stream_id <> $1 and stream_id not in (select stream_id from forbidden)
        order by stream_id
        """,
        record,
        sorted(who.identifiers),
        days,
    )
    return [Candidate(str(row["stream_id"]), row["child"], _who(row), row["protected"]) for row in rows]


async def apart_from(conn: asyncpg.Connection, record: str) -> set[str]:
    """The records of every child that holds a record people said this one is not the same as."""
    rows = await conn.fetch(
        f"""
        with named as (
            select other as id from {SCHEMA}.not_same where one = $1
            union select one from {SCHEMA}.not_same where other = $1)
        select id::text as record from named
        union select fellow.stream_id::text from named join {SCHEMA}.links l on l.stream_id = named.id
            join {SCHEMA}.links fellow using (child_id) where fellow.stream_id <> $1
        """,
        record,
    )
    return {row["record"] for row in rows}


# -- protection --------------------------------------------------------------------------------------------------


async def save_protection(conn: asyncpg.Connection, record: str, *, kind: str, end: date | None, withdrawn: bool) -> None:
    """What social care says now of a record's protection."""
    await conn.execute(f"delete from {SCHEMA}.protected where stream_id = $1 and kind = $2", record, kind)
    if not withdrawn:
        await conn.execute(f"insert into {SCHEMA}.protected values ($1, $2, $3)", record, kind, end)


async def save_adoption_pair(conn: asyncpg.Connection, record: str, other: str) -> None:
    """Two records that must never be joined or compared."""
    rows = [(record, other), (other, record)]
    await conn.executemany(f"insert into {SCHEMA}.adoption_pairs values ($1, $2) on conflict do nothing", rows)


async def protected(conn: asyncpg.Connection, child: str) -> bool:
    """Whether a child is shielded or adopted today."""
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.links l join {SCHEMA}.protected p using (stream_id)"
        " where l.child_id = $1 and p.kind in ('shielded', 'adopted')"
        " and (p.end_date is null or p.end_date > current_date))",
        child,
    )


# -- links and pairs ---------------------------------------------------------------------------------------------


async def link(conn: asyncpg.Connection, record: str) -> Linked | None:
    """How a record is linked, None when nothing is decided yet."""
    return (await links(conn, [record])).get(record)


async def links(conn: asyncpg.Connection, records: Iterable[str]) -> dict[str, Linked]:
    """How these records are linked."""
    rows = await conn.fetch(f"select * from {SCHEMA}.links where stream_id = any($1::uuid[])", list(records))
    return {str(row["stream_id"]): _linked(row) for row in rows}


async def records_of(conn: asyncpg.Connection, child: str) -> dict[str, tuple[Linked, int]]:
    """The records of a child, each with the number of the decision that set it."""
    rows = await conn.fetch(f"select * from {SCHEMA}.links where child_id = $1 order by stream_id", child)
    return {str(row["stream_id"]): (_linked(row), row["decision"]) for row in rows}


def _linked(row: asyncpg.Record) -> Linked:
    return Linked(str(row["child_id"]), row["basis"], row["status"], row["withheld"])


async def open_pairs(conn: asyncpg.Connection, record: str) -> list[Pair]:
    """The pairs that hold a record."""
    rows = await conn.fetch(f"select * from {SCHEMA}.pairs where stream_id = $1 order by candidate", record)
    return [Pair(str(row["stream_id"]), str(row["candidate"]), row["queue"]) for row in rows]


async def pairs_with(conn: asyncpg.Connection, child: str) -> list[Pair]:
    """The pairs whose candidate is a record of this child."""
    rows = await conn.fetch(
        f"select p.* from {SCHEMA}.pairs p join {SCHEMA}.links l on l.stream_id = p.candidate where l.child_id = $1",
        child,
    )
    return [Pair(str(row["stream_id"]), str(row["candidate"]), row["queue"]) for row in rows]


# -- decisions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """A decision as it was kept: its number, its event data, and how its records were linked before."""

    number: int
    kind: str
    body: Mapping[str, Any]
    before: Mapping[str, Mapping[str, Any]]


async def record_decision(
    conn: asyncpg.Connection, outbox: Outbox, decision: Decision, *, considered: Mapping[str, int] | None = None
) -> int:
    """Make a decision an event and let the tables follow, in the caller's transaction; its number.

    The decisions' stream must be locked by `lock_decisions`.
    """
    pairs = {pair: str(uuid5(DECISIONS, f"{pair.record}|{pair.candidate}")) for pair in (*decision.opens, *decision.closes)}
    body = event_data(decision, pairs, considered or decision.considered)
    numbers = await outbox.append(conn, [(DECISIONS, [NewEvent(DECIDED, body, None)])])
    await follow(conn, numbers[DECISIONS], body)
    return numbers[DECISIONS]


def event_data(decision: Decision, pairs: Mapping[Pair, str], considered: Mapping[str, int]) -> dict[str, Any]:
    """The decision as its event says it: ids and kinds, never values."""
    return {
        "kind": decision.kind,
        "sets": [
            {"record": record, "child": to.child, "status": to.status, "basis": to.basis, "withheld": to.withheld}
            for record, to in sorted(decision.sets.items())
        ],
        "not_same": [list(pair) for pair in decision.not_same],
        "held": [
            {"pair": pairs[p], "record": p.record, "candidate": p.candidate, "queue": p.queue, "state": state}
            for state, group in (("open", decision.opens), ("decided", decision.closes))
            for p in group
        ],
        "by": decision.by,
        "reason": decision.reason,
        "undoes": decision.undoes,
        "evidence": dict(decision.evidence),
        "considered": dict(considered),
    }


async def follow(conn: asyncpg.Connection, number: int, body: Mapping[str, Any]) -> None:
    """Let the tables say what a decision's event says. The event alone is enough: so a lost database is made again."""
    before = await links(conn, [item["record"] for item in body["sets"]])
    await conn.executemany(
        f"insert into {SCHEMA}.links values ($1, $2, $3, $4, $5, $6) on conflict (stream_id) do update set"
        " child_id = excluded.child_id, basis = excluded.basis, status = excluded.status,"
        " withheld = excluded.withheld, decision = excluded.decision",
        [(i["record"], i["child"], i["basis"], i["status"], i["withheld"], number) for i in body["sets"]],
    )
    await conn.executemany(
        f"insert into {SCHEMA}.not_same values ($1, $2) on conflict do nothing", body.get("not_same", [])
    )
    await _follow_pairs(conn, number, body)
    await conn.execute(
        f"insert into {SCHEMA}.decisions values ($1, $2, $3, $4)",
        number,
        body["kind"],
        msgspec.json.encode(body).decode(),
        msgspec.json.encode({record: msgspec.to_builtins(was) for record, was in before.items()}).decode(),
    )


async def _follow_pairs(conn: asyncpg.Connection, number: int, body: Mapping[str, Any]) -> None:
    """A linked record has no open pairs, a held one those that its `hold` names; people's decisions close one at a time."""
    free = [item["record"] for item in body["sets"] if item["status"] == "linked"]
    if body["kind"] == "hold":
        free = [item["record"] for item in body["sets"]]
    await conn.execute(f"delete from {SCHEMA}.pairs where stream_id = any($1::uuid[])", free)
    for item in body.get("held", []):
        if item["state"] == "decided":
            await conn.execute(f"delete from {SCHEMA}.pairs where pair_id = $1", item["pair"])
        else:
            await conn.execute(
                f"insert into {SCHEMA}.pairs values ($1, $2, $3, $4, $5) on conflict (pair_id) do update set"
                " queue = excluded.queue, decision = excluded.decision",
                item["pair"],
                item["record"],
                item["candidate"],
                item["queue"],
                number,
            )


async def decision(conn: asyncpg.Connection, number: int) -> Decided | None:
    """A decision by its number."""
    row = await conn.fetchrow(f"select * from {SCHEMA}.decisions where number = $1", number)
    if row is None:
        return None
    return Decided(number, row["kind"], msgspec.json.decode(row["body"]), msgspec.json.decode(row["before"]))


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
