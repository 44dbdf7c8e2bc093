"""The match index: who every record is, who is protected, and who must not be compared. One function a question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg
import msgspec

from services.childview.identity import keys
from services.childview.identity.decide import Candidate
from services.childview.identity.demographics import Demographics, combine
from services.childview.identity.model import Model
from services.childview.identity.phrases import MINE, SCHEMA, any_record, protected_today

BY_REQUEST = "0001-01-01"
"""The extract of what people said themselves, which no file's day is before or after."""
PERSON = "person"
"""The entry that says who a record is; the others say where the child lives and with whom."""


async def save_entry(
    conn: asyncpg.Connection, record: str, *, entry: str, extracted: str, who: Demographics | None
) -> bool:
    """Keep what one entry of a record says, None for an entry that is withdrawn; False when that is nothing new, or a newer
    extract said otherwise."""
    done = await conn.execute(
        f"insert into {SCHEMA}.said values ($1, $2, $3, $4) on conflict (stream_id, entry) do update set"
        " extracted = greatest(said.extracted, excluded.extracted), who = excluded.who where said.who <> excluded.who"
        f" and (said.extracted <= excluded.extracted or excluded.extracted = '{BY_REQUEST}')",
        record,
        entry,
        extracted,
        _encode(who or Demographics()),
    )
    return done.endswith(" 1")


async def save_person(conn: asyncpg.Connection, record: str, *, service: str, version: int) -> Demographics | None:
    """Index a record by all that its entries say; who it is then, None when that is as before, or no person is said yet."""
    rows = await conn.fetch(f"select entry, who from {SCHEMA}.said where stream_id = $1 order by entry <> '{PERSON}', entry", record)
    if not rows or rows[0]["entry"] != PERSON:
        return None
    who = combine([_decode(row["who"]) for row in rows])
    text = _encode(who)
    done = await conn.execute(
        f"insert into {SCHEMA}.persons values ($1, $2, $3, $4) on conflict (stream_id) do update set"
        " version = excluded.version, who = excluded.who where persons.who <> excluded.who",
        record,
        service,
        version,
        text,
    )
    if not done.endswith(" 1"):
        return None
    found = [keys.hashed(key) for key in keys.stored(who)]
    await conn.execute(f"delete from {SCHEMA}.match_keys where stream_id = $1 and key <> all($2::bigint[])", record, found)
    await conn.execute(
        f"insert into {SCHEMA}.match_keys select key, $1 from unnest($2::bigint[]) key on conflict do nothing", record, found
    )
    await watch(conn, [record])
    return who


async def watch(conn: asyncpg.Connection, records: Iterable[str]) -> None:
    """Keep the records of those of these records' children that are protected today under the generous keys, too: to be
    called whenever such a record, its child or its protection is new. What is kept of a protection that ended finds nobody:
    `candidates` asks again who is protected."""
    rows = await conn.fetch(_PROTECTED_WITH, list(records))
    found = [(keys.hashed(key), row["stream_id"]) for row in rows for key in keys.generous(_decode(row["who"]))]
    if found:
        await conn.execute(f"delete from {SCHEMA}.watched where stream_id = any($1::uuid[])", [row["stream_id"] for row in rows])
        await conn.execute(
            f"insert into {SCHEMA}.watched select * from unnest($1::bigint[], $2::uuid[]) on conflict do nothing",
            *map(list, zip(*found, strict=True)),
        )


_PROTECTED_WITH = f"""
    select p.stream_id, p.who from (
        select fellow.stream_id from (select distinct child_id from {SCHEMA}.links where stream_id = any($1::uuid[])) mine
        join {SCHEMA}.links fellow using (child_id)
        where {any_record("mine.child_id", protected_today("fellow.stream_id"))}) named
    join {SCHEMA}.persons p using (stream_id) order by p.stream_id"""


async def forget_person(conn: asyncpg.Connection, record: str) -> None:
    """The key of a record's demographics is gone: nothing is compared with it any more."""
    for table in ("said", "persons", "match_keys", "watched"):
        await conn.execute(f"delete from {SCHEMA}.{table} where stream_id = $1", record)


async def person(conn: asyncpg.Connection, record: str) -> Demographics | None:
    """A record's demographics, None when no person entry has come yet."""
    text = await conn.fetchval(f"select who from {SCHEMA}.persons where stream_id = $1", record)
    return None if text is None else _decode(text)


async def everybody(conn: asyncpg.Connection) -> dict[str, Demographics]:
    """Everybody who is indexed, in the order in which they came to their children."""
    rows = await conn.fetch(
        f"select p.stream_id::text as record, p.who from {SCHEMA}.persons p join {SCHEMA}.links l using (stream_id)"
        " order by l.decision, p.stream_id"
    )
    return {row["record"]: _decode(row["who"]) for row in rows}


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Demographics).decode


async def without_demographics(conn: asyncpg.Connection, records: Iterable[str]) -> set[str]:
    """Those of these records that nothing is known of: not read yet, or their key is gone."""
    names = set(records)
    if not names:
        return names
    rows = await conn.fetch(f"select stream_id from {SCHEMA}.persons where stream_id = any($1::uuid[])", list(names))
    return names - {str(row["stream_id"]) for row in rows}


@dataclass(frozen=True)
class Near:
    """What a record may be compared with. crowded: a key found more children than can be looked at. nobodys: numbers on so
    many records that they are nobody's."""

    candidates: list[Candidate]
    crowded: bool = False
    nobodys: frozenset[str] = frozenset()


async def candidates(conn: asyncpg.Connection, record: str, who: Demographics, *, mistaken: bool = False) -> Near:
    """Every record of each child that shares a candidate key, or the child, with this one; of a protected child also if it
    shares a generous one. mistaken: this one is protected, and whoever may be it, mistyped, is wanted.

    No record of a child that an adoption keeps apart from this record's child is ever among them.
    """
    wanted = {keys.hashed(key): key for key in (keys.mistaken(who) if mistaken else keys.wanted(who))}
    found = await conn.fetch(
        _FOUND, list(wanted), record, [keys.hashed(key) for key in keys.generous(who, turned=True)]
    )
    times = Counter(row["key"] for row in found if row["key"] is not None)
    crowds = {wanted[key] for key, n in times.items() if n > keys.limit(wanted[key])}
    able = {
        row["stream_id"]
        for row in found
        if row["key"] is not None and (wanted[row["key"]] not in crowds or keys.must(wanted[row["key"]]))
    }
    watched = [row["stream_id"] for row in found if row["key"] is None]
    rows = await conn.fetch(_CHILDREN, list(able), record, watched)
    return Near(
        await _with_children(conn, rows),
        any(keys.must(key) for key in crowds),
        frozenset(keys.number_of(key) for key in crowds if keys.is_number(key)),
    )


_FOUND = f"""
    select k.key, m.stream_id from unnest($1::bigint[]) k(key) cross join lateral (
        select stream_id from {SCHEMA}.match_keys m where m.key = k.key limit {keys.CROWD + 1}) m where m.stream_id <> $2
    union all select distinct null::bigint, stream_id from {SCHEMA}.watched where key = any($3::bigint[]) and stream_id <> $2"""
"""The records under each key, and under no key those that a generous one finds."""

# `offset 0` keeps the planner to one index search a child: with `not in` before the join it read every link there is.
_CHILDREN = f"""
    with mine as ({MINE.replace("$1", "$2")}), halves as (
        select p.other as id from {SCHEMA}.adoption_pairs p join mine on mine.id = p.stream_id
    ), forbidden as (
        select half.child_id from halves join {SCHEMA}.links half on half.stream_id = halves.id
    ), near as materialized (
        select child_id from {SCHEMA}.links where stream_id = any($1::uuid[])
        union select child_id from {SCHEMA}.links where stream_id = $2::uuid
        union select watched.child_id from {SCHEMA}.links watched where stream_id = any($3::uuid[])
            and {any_record("watched.child_id", protected_today("fellow.stream_id"))}
    )
    select l.stream_id::text as record, l.child_id::text as child, l.withheld, p.who,
        {protected_today("l.stream_id")} as protected
    from near cross join lateral (select * from {SCHEMA}.links l where l.child_id = near.child_id offset 0) l
    left join lateral (select who from {SCHEMA}.persons p where p.stream_id = l.stream_id offset 0) p on true
    where l.stream_id <> $2::uuid and l.child_id not in (select child_id from forbidden)
        and l.stream_id not in (select id from halves)
    order by l.stream_id"""


async def _with_children(conn: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Candidate]:
    """These records with what is so of their whole children."""
    children: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        children[row["child"]].append(row)
    about = await _about(conn, children)
    found = []
    for row in rows:
        fellows, child = children[row["child"]], about[row["child"]]
        if row["who"] is not None:
            found.append(
                Candidate(
                    row["record"],
                    row["child"],
                    _decode(row["who"]),
                    any(one["protected"] for one in fellows),
                    any(one["withheld"] for one in fellows),
                    child["forbids"],
                    child["told_apart"],
                    child["held_for"],
                )
            )
    return found


_ABOUT = f"""
    select f.child_id::text as child, 'forbids' as what, half.child_id::text as other
    from {SCHEMA}.links f join {SCHEMA}.adoption_pairs a on a.stream_id = f.stream_id
        join {SCHEMA}.links half on half.stream_id = a.other where f.child_id = any($1::uuid[])
    union select f.child_id::text, 'told_apart', o.child_id::text
    from {SCHEMA}.links f join {SCHEMA}.not_same n on n.one = f.stream_id
        join {SCHEMA}.links o on o.stream_id = n.other where f.child_id = any($1::uuid[])
    union select f.child_id::text, 'told_apart', o.child_id::text
    from {SCHEMA}.links f join {SCHEMA}.not_same n on n.other = f.stream_id
        join {SCHEMA}.links o on o.stream_id = n.one where f.child_id = any($1::uuid[])
    union select f.child_id::text, 'held_for', o.child_id::text
    from {SCHEMA}.links f join {SCHEMA}.pairs p on p.stream_id = f.stream_id
        join {SCHEMA}.links o on o.stream_id = p.candidate where f.child_id = any($1::uuid[])"""


async def _about(conn: asyncpg.Connection, children: Collection[str]) -> dict[str, dict[str, frozenset[str]]]:
    """Of each child: whom an adoption, or people, keep it apart from, and whom it is held for."""
    found: dict[str, dict[str, set[str]]] = {
        child: {"forbids": set(), "told_apart": set(), "held_for": set()} for child in children
    }
    for row in await conn.fetch(_ABOUT, list(children)) if children else ():
        found[row["child"]][row["what"]].add(row["other"])
    return {child: {what: frozenset(names) for what, names in said.items()} for child, said in found.items()}


async def known_children(conn: asyncpg.Connection, model: Model) -> int:
    """About how many children are known: what the database itself reckons, for it weighs by its logarithm only."""
    records = await conn.fetchval(f"select greatest(reltuples, 0) from pg_class where oid = '{SCHEMA}.links'::regclass")
    return round(records / model.each)


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
