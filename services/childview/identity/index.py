"""The match index: who every record is, who is protected, and who must not be compared. One function a question."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import asyncpg

from services.childview.identity.decide import Candidate
from services.childview.identity.match import Demographics, swapped
from services.childview.identity.phrases import MINE, SCHEMA, any_record, protected_today


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


def _said(mine: str, theirs: str) -> str:
    """The children that people said a candidate's child is not, by what they said of one side."""
    return (
        f"select other.child_id::text from {SCHEMA}.links fellow join {SCHEMA}.not_same n on n.{mine} = fellow.stream_id"
        f" join {SCHEMA}.links other on other.stream_id = n.{theirs} where fellow.child_id = l.child_id"
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
        with mine as ({MINE}), found as (
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
        select p.*, l.child_id::text as child, {any_record("l.child_id", protected_today("fellow.stream_id"))} as protected,
            {any_record("l.child_id", "fellow.withheld")} as withheld,
            array(select distinct half.child_id::text from {SCHEMA}.links fellow
                join {SCHEMA}.adoption_pairs a on a.stream_id = fellow.stream_id
                join {SCHEMA}.links half on half.stream_id = a.other where fellow.child_id = l.child_id) as forbids,
            array({_said("one", "other")} union {_said("other", "one")}) as told_apart
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


async def apart_from(conn: asyncpg.Connection, record: str, *, alone: bool = False) -> set[str]:
    """The records of every child that people said this record's child is not: what they said of one of its records holds
    for all. alone: only what they said of this record."""
    mine = "select $1::uuid as id" if alone else MINE
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
        f" and {protected_today('l.stream_id')}",
        None if records is None else list(records),
    )
    return {str(row["stream_id"]) for row in rows}


async def save_adoption_pair(conn: asyncpg.Connection, record: str, other: str) -> None:
    """Two records that must never be joined or compared."""
    rows = [(record, other), (other, record)]
    await conn.executemany(f"insert into {SCHEMA}.adoption_pairs values ($1, $2) on conflict do nothing", rows)


async def protected(conn: asyncpg.Connection, child: str) -> bool:
    """Whether a child is shielded or adopted today."""
    return await conn.fetchval(f"select {any_record('$1::uuid', protected_today('fellow.stream_id'))}", child)


async def reaches_others(conn: asyncpg.Connection, record: str) -> bool:
    """Whether this record's child is protected, or half of an adoption: then it changes how others stand."""
    condition = (
        f"({protected_today('fellow.stream_id')} or exists"
        f" (select from {SCHEMA}.adoption_pairs a where a.stream_id = fellow.stream_id))"
    )
    return await conn.fetchval(
        f"select exists (select from {SCHEMA}.links l where l.stream_id = $1 and {any_record('l.child_id', condition)})", record
    )
