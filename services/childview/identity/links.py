"""Which child every record belongs to, the pairs that are open, and what people told apart. One function a question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import asyncpg

from services.childview.identity.decide import Linked, Pair
from services.childview.identity.holds import Open
from services.childview.identity.phrases import SCHEMA, any_record, apart_by_adoption, protected_today


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


async def held_for(conn: asyncpg.Connection, child: str) -> set[str]:
    """The records, each alone in its child, that are held for this child in the ordinary queue and shown."""
    rows = await conn.fetch(
        f"select distinct p.stream_id::text as record from {SCHEMA}.links mine join {SCHEMA}.pairs p on p.candidate = mine.stream_id"
        f" join {SCHEMA}.links held on held.stream_id = p.stream_id where mine.child_id = $1 and p.queue = 'ordinary'"
        f" and not held.withheld and not exists"
        f" (select from {SCHEMA}.links f where f.child_id = held.child_id and f.stream_id <> p.stream_id)",
        child,
    )
    return {row["record"] for row in rows}


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


async def would_be_open(conn: asyncpg.Connection, pairs: Sequence[Pair], sides: Iterable[Collection[str]]) -> list[Open]:
    """The same of pairs that are not open: those of two children that nothing keeps apart. sides: the records of each child
    that an unmerge makes. Whom people told apart from the one side they did not tell apart from the other."""
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
    side = {record: records for records in sides for record in records}
    return [
        one
        for one in found
        if not one.void and not await _told_from(conn, side.get(one.pair.record, [one.pair.record]), one.candidate_child)
    ]


async def _told_from(conn: asyncpg.Connection, records: Collection[str], child: str) -> bool:
    """Whether people said of some of these records that it is not some record of this child."""
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.not_same n join {SCHEMA}.links c on c.child_id = $2"
        " where (n.one = any($1::uuid[]) and n.other = c.stream_id) or (n.other = any($1::uuid[]) and n.one = c.stream_id))",
        list(records),
        child,
    )


_OPEN = f"""
    l.child_id::text as child, c.child_id::text as candidate_child,
    {any_record("l.child_id", protected_today("fellow.stream_id"))} as protected,
    {any_record("c.child_id", protected_today("fellow.stream_id"))} as candidate_protected,
    {any_record("l.child_id", "fellow.withheld")} as withheld, {any_record("c.child_id", "fellow.withheld")} as candidate_withheld,
    l.child_id = c.child_id or {apart_by_adoption("l.child_id", "c.child_id")} as void"""


def _open(row: asyncpg.Record) -> Open:
    kept = ("child", "candidate_child", "protected", "candidate_protected", "withheld", "candidate_withheld", "void")
    return Open(_pair(row), **{name: row[name] for name in kept})


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
    return await conn.fetchval(f"select {apart_by_adoption('$1::uuid', '$2::uuid')}", one, other)
