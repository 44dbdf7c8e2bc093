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
from services.childview.identity.holds import Open
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

LATER = f"""
create index if not exists not_same_other on {SCHEMA}.not_same (other);
create table if not exists {SCHEMA}.considered (stream_id uuid primary key, version bigint not null);
create table if not exists {SCHEMA}.followed (
    one boolean primary key default true check (one), server timestamptz not null, wrote xid8 not null);
"""
"""Tables that came after the first release: an installation that is there already gets them too."""


async def make(conn: asyncpg.Connection) -> None:
    """Make the tables unless they are there."""
    if not await conn.fetchval("select exists (select from pg_namespace where nspname = $1)", SCHEMA):
        await conn.execute(TABLES)
    if not await conn.fetchval(f"select to_regclass('{SCHEMA}.followed') is not null"):
        await conn.execute(LATER)


def _protected(stream: str) -> str:
    """Whether the record in this SQL name is shielded or adopted today. The end date is the last day it holds."""
    return (
        f"exists (select from {SCHEMA}.protected s where s.stream_id = {stream} and s.kind in ('shielded', 'adopted')"
        " and (s.end_date is null or s.end_date >= current_date))"
    )


def _any(child: str, condition: str) -> str:
    """Whether some record of the child in this SQL name is so."""
    return f"exists (select from {SCHEMA}.links fellow where fellow.child_id = {child} and {condition})"


def _apart_by_adoption(one: str, other: str) -> str:
    """Whether some record of the one child is the other half of an adoption to some record of the other child."""
    return (
        f"exists (select from {SCHEMA}.links a join {SCHEMA}.adoption_pairs p on p.stream_id = a.stream_id"
        f" join {SCHEMA}.links b on b.stream_id = p.other where a.child_id = {one} and b.child_id = {other})"
    )


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


async def without_demographics(conn: asyncpg.Connection, records: Iterable[str]) -> set[str]:
    """Those of these records that nothing is known of: not read yet, or their key is gone."""
    names = set(records)
    if not names:
        return names
    rows = await conn.fetch(f"select stream_id from {SCHEMA}.persons where stream_id = any($1::uuid[])", list(names))
    return names - {str(row["stream_id"]) for row in rows}


async def candidates(conn: asyncpg.Connection, record: str, who: Demographics) -> list[Candidate]:
    """Records that share a strong identifier, a birth date (or day and month swapped), or the child, with this one.

    No record of a child that an adoption keeps apart from this record's child is ever among them.
    """
    days = [day for day in (who.birth_date, swapped(who.birth_date)) if day is not None]
    rows = await conn.fetch(
        f"""
        with mine as ({_MINE}), found as (
            select stream_id from {SCHEMA}.persons where identifiers && $2::text[]
            union select stream_id from {SCHEMA}.persons where birth_date = any($3::date[])
            union select id from mine
        ), halves as (
            select p.other as id from {SCHEMA}.adoption_pairs p join mine on mine.id = p.stream_id
        ), forbidden as (
            select id from halves union select other.stream_id from halves
            join {SCHEMA}.links half on half.stream_id = halves.id
            join {SCHEMA}.links other on other.child_id = half.child_id
        )
        select p.*, l.child_id::text as child, {_any("l.child_id", _protected("fellow.stream_id"))} as protected,
            {_any("l.child_id", "fellow.withheld")} as withheld,
            array(select distinct half.child_id::text from {SCHEMA}.links fellow
                join {SCHEMA}.adoption_pairs a on a.stream_id = fellow.stream_id
                join {SCHEMA}.links half on half.stream_id = a.other where fellow.child_id = l.child_id) as forbids,
            array(select distinct other.child_id::text from {SCHEMA}.links fellow
                join {SCHEMA}.not_same n on fellow.stream_id in (n.one, n.other)
                join {SCHEMA}.links other on other.stream_id in (n.one, n.other) and other.child_id <> l.child_id
                where fellow.child_id = l.child_id) as told_apart
        from found join {SCHEMA}.persons p using (stream_id) join {SCHEMA}.links l using (stream_id)
        where stream_id <> $1 and stream_id not in (select id from forbidden)
        order by stream_id
        """,
        record,
        sorted(who.identifiers),
        days,
    )
    return [_candidate(row) for row in rows]


def _candidate(row: asyncpg.Record) -> Candidate:
    forbids, told_apart = frozenset(row["forbids"]), frozenset(row["told_apart"])
    return Candidate(str(row["stream_id"]), row["child"], _who(row), row["protected"], row["withheld"], forbids, told_apart)


_MINE = f"""
    select $1::uuid as id union select other.stream_id from {SCHEMA}.links mine join {SCHEMA}.links other using (child_id)
    where mine.stream_id = $1"""


async def apart_from(conn: asyncpg.Connection, record: str, *, alone: bool = False) -> set[str]:
    """The records of every child that people said this record's child is not: what they said of one of its records holds
    for all. alone: only what they said of this record."""
    mine = "select $1::uuid as id" if alone else _MINE
    rows = await conn.fetch(
        f"""
        with mine as ({mine}), said as (
            select other as id, one as by from {SCHEMA}.not_same where one in (select id from mine)
            union select one, other from {SCHEMA}.not_same where other in (select id from mine)
        ), named as (
            select id from said where by = $1 or id not in (select id from mine))
        select id::text as record from named
        union select fellow.stream_id::text from named join {SCHEMA}.links l on l.stream_id = named.id
            join {SCHEMA}.links fellow using (child_id) where fellow.stream_id <> $1
        """,
        record,
    )
    return {row["record"] for row in rows}


async def told_apart(conn: asyncpg.Connection, one: str, other: str) -> bool:
    """Whether people said of some record of the one child that it is not some record of the other."""
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.not_same n join {SCHEMA}.links a on a.stream_id = n.one"
        f" join {SCHEMA}.links b on b.stream_id = n.other"
        " where (a.child_id = $1 and b.child_id = $2) or (a.child_id = $2 and b.child_id = $1))",
        one,
        other,
    )


async def parted(conn: asyncpg.Connection, one: str, other: str) -> bool:
    """Whether an adoption keeps these two children apart."""
    return await conn.fetchval(f"select {_apart_by_adoption('$1::uuid', '$2::uuid')}", one, other)


# -- protection --------------------------------------------------------------------------------------------------


async def save_protection(conn: asyncpg.Connection, record: str, *, kind: str, end: date | None, withdrawn: bool) -> bool:
    """What social care says now of a record's protection; whether it holds today."""
    await conn.execute(f"delete from {SCHEMA}.protected where stream_id = $1 and kind = $2", record, kind)
    if withdrawn:
        return False
    await conn.execute(f"insert into {SCHEMA}.protected values ($1, $2, $3)", record, kind, end)
    return await conn.fetchval("select $1::date is null or $1::date >= current_date", end)


async def end_protections(conn: asyncpg.Connection) -> list[str]:
    """Forget the protections whose last day has passed; the records they were of."""
    rows = await conn.fetch(f"delete from {SCHEMA}.protected where end_date < current_date returning stream_id")
    return sorted({str(row["stream_id"]) for row in rows})


async def protected_records(conn: asyncpg.Connection, records: Iterable[str] | None = None) -> set[str]:
    """Those of these records, or of all, that a protection names today."""
    rows = await conn.fetch(
        f"select l.stream_id from {SCHEMA}.links l where ($1::uuid[] is null or l.stream_id = any($1::uuid[]))"
        f" and {_protected('l.stream_id')}",
        None if records is None else list(records),
    )
    return {str(row["stream_id"]) for row in rows}


async def save_adoption_pair(conn: asyncpg.Connection, record: str, other: str) -> None:
    """Two records that must never be joined or compared."""
    rows = [(record, other), (other, record)]
    await conn.executemany(f"insert into {SCHEMA}.adoption_pairs values ($1, $2) on conflict do nothing", rows)


async def protected(conn: asyncpg.Connection, child: str) -> bool:
    """Whether a child is shielded or adopted today."""
    return await conn.fetchval(f"select {_any('$1::uuid', _protected('fellow.stream_id'))}", child)


async def reaches_others(conn: asyncpg.Connection, record: str) -> bool:
    """Whether this record's child is protected, or half of an adoption: then it changes how others stand."""
    condition = (
        f"({_protected('fellow.stream_id')} or exists"
        f" (select from {SCHEMA}.adoption_pairs a where a.stream_id = fellow.stream_id))"
    )
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.links l where l.stream_id = $1 and {_any('l.child_id', condition)})", record
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


async def pairs_of(conn: asyncpg.Connection, record: str) -> list[Pair]:
    """The open pairs that a record is in, on either side."""
    rows = await conn.fetch(
        f"select * from {SCHEMA}.pairs where stream_id = $1 or candidate = $1 order by stream_id, candidate", record
    )
    return [_pair(row) for row in rows]


def _pair(row: asyncpg.Record) -> Pair:
    return Pair(str(row["stream_id"]), str(row["candidate"]), row["queue"])


async def partners(conn: asyncpg.Connection, record: str) -> set[str]:
    """The records that are in an open pair with this record's child."""
    now = await link(conn, record)
    if now is None:
        return set()
    found = await pairs_about(conn, [now.child])
    return {one.pair.candidate if one.child == now.child else one.pair.record for one in found}


async def pairs_about(conn: asyncpg.Connection, children: Iterable[str]) -> list[Open]:
    """Every open pair that a record of these children is in, on either side."""
    rows = await conn.fetch(
        f"""
        with named as (
            select p.pair_id from {SCHEMA}.links mine join {SCHEMA}.pairs p on p.stream_id = mine.stream_id
                where mine.child_id = any($1::uuid[])
            union select p.pair_id from {SCHEMA}.links mine join {SCHEMA}.pairs p on p.candidate = mine.stream_id
                where mine.child_id = any($1::uuid[]))
        select p.*, {_OPEN} from named join {SCHEMA}.pairs p using (pair_id)
        join {SCHEMA}.links l on l.stream_id = p.stream_id join {SCHEMA}.links c on c.stream_id = p.candidate
        order by p.stream_id, p.candidate
        """,
        list(children),
    )
    return [_open(row) for row in rows]


async def would_be_open(conn: asyncpg.Connection, pairs: Sequence[Pair]) -> list[Open]:
    """The same of pairs that are not open: those of two children that nothing keeps apart."""
    rows = await conn.fetch(
        f"select p.*, {_OPEN} from unnest($1::uuid[], $2::uuid[], $3::text[]) as p(stream_id, candidate, queue)"
        f" join {SCHEMA}.links l on l.stream_id = p.stream_id join {SCHEMA}.links c on c.stream_id = p.candidate"
        f" where not exists (select from {SCHEMA}.pairs o where (o.stream_id, o.candidate) in"
        " ((p.stream_id, p.candidate), (p.candidate, p.stream_id)))",
        [pair.record for pair in pairs],
        [pair.candidate for pair in pairs],
        [pair.queue for pair in pairs],
    )
    found = [_open(row) for row in rows]
    return [
        one
        for one in found
        if not one.void and not await told_apart(conn, one.child, one.candidate_child)
    ]


_OPEN = f"""
    l.child_id::text as child, c.child_id::text as candidate_child,
    {_any("l.child_id", _protected("fellow.stream_id"))} as protected,
    {_any("c.child_id", _protected("fellow.stream_id"))} as candidate_protected,
    {_any("l.child_id", "fellow.withheld")} as withheld, {_any("c.child_id", "fellow.withheld")} as candidate_withheld,
    l.child_id = c.child_id or {_apart_by_adoption("l.child_id", "c.child_id")} as void"""


def _open(row: asyncpg.Record) -> Open:
    kept = ("child", "candidate_child", "protected", "candidate_protected", "withheld", "candidate_withheld", "void")
    return Open(_pair(row), **{name: row[name] for name in kept})


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
    """Let the tables say what a decision's event says. The event alone is enough: so a lost database is made again.

    A link keeps the number of the decision that put the record into its child, whatever is decided of it there.
    """
    before = await links(conn, [item["record"] for item in body["sets"]])
    await conn.executemany(
        f"insert into {SCHEMA}.links values ($1, $2, $3, $4, $5, $6) on conflict (stream_id) do update set"
        " child_id = excluded.child_id, basis = excluded.basis, status = excluded.status, withheld = excluded.withheld,"
        " decision = case when links.child_id = excluded.child_id then links.decision else excluded.decision end",
        [(i["record"], i["child"], i["basis"], i["status"], i["withheld"], number) for i in body["sets"]],
    )
    await conn.executemany(
        f"insert into {SCHEMA}.not_same values ($1, $2) on conflict do nothing", body.get("not_same", [])
    )
    await _follow_pairs(conn, number, body)
    await conn.executemany(
        f"insert into {SCHEMA}.considered values ($1, $2) on conflict (stream_id) do update set"
        " version = greatest(considered.version, excluded.version)",
        list(body.get("considered", {}).items()),
    )
    await conn.execute(
        f"insert into {SCHEMA}.decisions values ($1, $2, $3, $4)",
        number,
        body["kind"],
        msgspec.json.encode(body).decode(),
        msgspec.json.encode({record: msgspec.to_builtins(was) for record, was in before.items()}).decode(),
    )


async def _follow_pairs(conn: asyncpg.Connection, number: int, body: Mapping[str, Any]) -> None:
    """A linked record has no open pairs, a held one those that its `hold` names; people's decisions close one at a time."""
    free = [item["record"] for item in body["sets"] if item["status"] == "linked" or body["kind"] == "hold"]
    named = [item["pair"] for item in body.get("held", []) if item["state"] == "open"]
    decided = [item["pair"] for item in body.get("held", []) if item["state"] == "decided"]
    await conn.execute(
        f"delete from {SCHEMA}.pairs where pair_id = any($3::uuid[])"
        " or (stream_id = any($1::uuid[]) and pair_id <> all($2::uuid[]))",
        free,
        named,
        decided,
    )
    await conn.executemany(
        f"insert into {SCHEMA}.pairs values ($1, $2, $3, $4, $5) on conflict (pair_id) do update set"
        " queue = excluded.queue, decision = excluded.decision",
        [
            (item["pair"], item["record"], item["candidate"], item["queue"], number)
            for item in body.get("held", [])
            if item["state"] == "open"
        ],
    )


async def considered(conn: asyncpg.Connection, record: str) -> int:
    """The latest version of a record that a decision saw; 0 for none."""
    found = await conn.fetchval(f"select version from {SCHEMA}.considered where stream_id = $1", record)
    return found or 0


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
