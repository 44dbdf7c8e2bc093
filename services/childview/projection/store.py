"""The projection's tables, in a PostgreSQL schema given by name, and one function for each question asked of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from services.childview import parking
from services.childview.projection import fold
from services.childview.projection.compose import Link
from services.childview.projection.fold import SourceRecord
from services.childview.projection.view import VERSION, Composed, encode_conflict
from services.childview.projection.words import Settled
from services.plumbing.kafka.consumer import Place

LIVE = "projection"
BESIDE = "projection_beside"
COMPARED = {
    "children": "child_id, version, view, content",
    "terms": "child_id, field, term",
    "caseload": "reference, child_id",
    "aliases": "child_id, became",
    "links": "stream_id, child_id, basis, status, withheld, decision",
    "records": "stream_id, service, body",
    "settled": "stream_id, entry, field, decision, body",
    "conflicts": "conflict_id, child_id, since, body",
}
"""The tables, and their columns, that a rebuild must give byte for byte."""


def tables(schema: str) -> str:
    """All tables as SQL, the schema itself among them."""
    return f"""
create schema {schema};
create table {schema}.offsets (
    topic text, partition int, next bigint not null, primary key (topic, partition));
create table {schema}.records (stream_id uuid primary key, service text not null, body bytea not null);
create table {schema}.links (
    stream_id uuid primary key, child_id uuid not null, basis text not null, status text not null,
    withheld boolean not null, decision bigint not null);
create index on {schema}.links (child_id);
create table {schema}.children (
    child_id uuid primary key, version int not null, view bytea not null, content bytea not null,
    content_hash bigint generated always as (hashbyteaextended(content, 0)) stored);
create table {schema}.aliases (child_id uuid primary key, became uuid not null);
create table {schema}.terms (child_id uuid, field text, term text, primary key (field, term, child_id));
create index on {schema}.terms (child_id);
create table {schema}.caseload (reference text, child_id uuid, primary key (reference, child_id));
create index on {schema}.caseload (child_id);
create table {schema}.endings (scope text primary key, policy_version bigint not null);
create table {schema}.glass (
    id uuid primary key, person text not null, post text not null, child_id uuid not null, until timestamptz not null);
create table {schema}.freshness (source text primary key, as_of timestamptz not null);
{later(schema)}
{parking.tables(schema)}"""


def later(schema: str) -> str:
    """Tables that came after the first release: a schema that is there already gets them too."""
    return f"""
create table if not exists {schema}.settled (
    stream_id uuid, entry text, field text, decision bigint not null, body bytea not null, primary key (stream_id, entry, field));
create table if not exists {schema}.conflicts (
    conflict_id uuid primary key, child_id uuid not null, since text not null, body bytea not null);
create index if not exists conflicts_child on {schema}.conflicts (child_id);
alter table {schema}.aliases add column if not exists direct uuid;
update {schema}.aliases set direct = became where direct is null;"""


async def make(conn: asyncpg.Connection, schema: str) -> None:
    """Make the tables unless they are there."""
    if not await conn.fetchval("select exists (select from pg_namespace where nspname = $1)", schema):
        await conn.execute(tables(schema))
    elif not await conn.fetchval(_OF_TODAY, schema):
        await conn.execute(later(schema))


_OF_TODAY = """
    select count(*) = 2 from information_schema.columns where table_schema = $1
        and (table_name, column_name) in (('aliases', 'direct'), ('conflicts', 'conflict_id'))"""


async def offsets(conn: asyncpg.Connection, schema: str, places: Iterable[Place]) -> dict[Place, int]:
    """From where to read each place; a place not read before starts at 0."""
    await conn.executemany(
        f"insert into {schema}.offsets values ($1, $2, 0) on conflict do nothing", [list(place) for place in places]
    )
    rows = await conn.fetch(f"select topic, partition, next from {schema}.offsets")
    return {(row["topic"], row["partition"]): row["next"] for row in rows}


class FencedOff(Exception):
    """Another process has applied what this one was about to apply: this one must end."""


async def fence(
    conn: asyncpg.Connection, schema: str, *, expected: Mapping[Place, int], next: Mapping[Place, int]
) -> None:
    """Take the offsets' rows and move them. Raises FencedOff when they are not where this process left them."""
    for place in sorted(expected):
        held = await conn.fetchval(
            f"select next from {schema}.offsets where topic = $1 and partition = $2 for update", *place
        )
        if held != expected[place]:
            raise FencedOff(f"{place[0]}/{place[1]} stands at {held}, not at {expected[place]}")
        await conn.execute(f"update {schema}.offsets set next = $3 where topic = $1 and partition = $2", *place, next[place])


async def records(conn: asyncpg.Connection, schema: str, streams: Iterable[str]) -> dict[str, SourceRecord]:
    """The records of these streams."""
    rows = await conn.fetch(
        f"select body from {schema}.records where stream_id = any($1::uuid[])", sorted(set(streams))
    )
    found = [fold.decode(row["body"]) for row in rows]
    return {record.stream: record for record in found}


async def save_records(conn: asyncpg.Connection, schema: str, changed: Sequence[SourceRecord]) -> None:
    """Store records."""
    await conn.execute(
        f"insert into {schema}.records select * from unnest($1::uuid[], $2::text[], $3::bytea[])"
        " on conflict (stream_id) do update set body = excluded.body",
        [record.stream for record in changed],
        [record.service for record in changed],
        [fold.encode(record) for record in changed],
    )


async def places(conn: asyncpg.Connection, schema: str, streams: Iterable[str]) -> dict[str, str]:
    """The child of each of these streams that has one."""
    rows = await conn.fetch(
        f"select stream_id::text as stream, child_id::text as child from {schema}.links where stream_id = any($1::uuid[])",
        sorted(streams),
    )
    return {row["stream"]: row["child"] for row in rows}


async def sizes(conn: asyncpg.Connection, schema: str, children: Iterable[str]) -> dict[str, int]:
    """How many records each of these children has."""
    rows = await conn.fetch(
        f"select child_id::text as child, count(*) as n from {schema}.links where child_id = any($1::uuid[]) group by 1",
        sorted(set(children)),
    )
    return {row["child"]: row["n"] for row in rows}


async def save_links(
    conn: asyncpg.Connection, schema: str, links: Mapping[str, tuple[str, Link]]
) -> None:
    """Store which child each stream belongs to, by which decision."""
    rows = [(stream, child, *link) for stream, (child, link) in links.items()]
    await conn.execute(
        f"insert into {schema}.links (stream_id, child_id, basis, status, withheld, decision)"
        " select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::bigint[])"
        " on conflict (stream_id) do update set child_id = excluded.child_id, basis = excluded.basis,"
        " status = excluded.status, withheld = excluded.withheld, decision = excluded.decision",
        *[list(column) for column in zip(*rows, strict=True)],
    )


async def lock_children(conn: asyncpg.Connection, schema: str, children: Iterable[str]) -> list[str]:
    """Lock the children in id order, so that two writers cannot deadlock; returns them in that order."""
    ids = sorted(children)
    await conn.execute(
        f"insert into {schema}.children select id, 0, ''::bytea, ''::bytea from unnest($1::uuid[]) as id order by id"
        " on conflict do nothing",
        ids,
    )
    await conn.execute(
        f"select from {schema}.children where child_id = any($1::uuid[]) order by child_id for update", ids
    )
    return ids


async def members(
    conn: asyncpg.Connection, schema: str, children: Sequence[str]
) -> dict[str, list[tuple[SourceRecord, Link]]]:
    """The records of each child with the decision that put them there."""
    rows = await conn.fetch(
        f"select l.child_id::text as child, r.body, l.basis, l.status, l.withheld, l.decision"
        f" from {schema}.links l join {schema}.records r using (stream_id) where l.child_id = any($1::uuid[])",
        children,
    )
    found: dict[str, list[tuple[SourceRecord, Link]]] = {child: [] for child in children}
    for row in rows:
        link = Link(row["basis"], row["status"], row["withheld"], row["decision"])
        found[row["child"]].append((fold.decode(row["body"]), link))
    return found


_settled = msgspec.msgpack.Decoder(Settled)
_encoder = msgspec.msgpack.Encoder(order="sorted")


async def save_settled(conn: asyncpg.Connection, schema: str, decided: Sequence[Settled]) -> None:
    """Keep what people settled; of one field of one record the latest decision."""
    await conn.executemany(
        f"insert into {schema}.settled values ($1, $2, $3, $4, $5) on conflict (stream_id, entry, field) do update set"
        " decision = excluded.decision, body = excluded.body where settled.decision < excluded.decision",
        [(one.record, one.entry, one.field, one.decision, _encoder.encode(one)) for one in decided],
    )


async def settled(conn: asyncpg.Connection, schema: str, children: Sequence[str]) -> dict[str, list[Settled]]:
    """What people settled of the records of each of these children."""
    rows = await conn.fetch(
        f"select l.child_id::text as child, s.body from {schema}.settled s join {schema}.links l using (stream_id)"
        " where l.child_id = any($1::uuid[])",
        children,
    )
    found: dict[str, list[Settled]] = {}
    for row in rows:
        found.setdefault(row["child"], []).append(_settled.decode(row["body"]))
    return found


async def save_children(
    conn: asyncpg.Connection, schema: str, composed: Sequence[Composed], *, empty: Sequence[str]
) -> set[str]:
    """Store composed children with their search terms, references and conflicts; take away those without records. Those that
    were aliases and are children again."""
    ids = [one.child for one in composed]
    await conn.execute(
        f"update {schema}.children c set view = n.view, content = n.content, version = $4"
        " from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as n(id, view, content) where c.child_id = n.id",
        ids,
        [one.view for one in composed],
        [one.content for one in composed],
        VERSION,
    )
    for table in ("terms", "caseload", "conflicts"):
        await conn.execute(f"delete from {schema}.{table} where child_id = any($1::uuid[])", [*ids, *empty])
    await conn.execute(f"delete from {schema}.children where child_id = any($1::uuid[])", empty)
    back = await conn.fetch(f"delete from {schema}.aliases where child_id = any($1::uuid[]) returning child_id::text as id", ids)
    terms = [(one.child, term.field, term.term) for one in composed for term in one.terms]
    references = [(reference, one.child) for one in composed for reference in one.references]
    await conn.copy_records_to_table("terms", schema_name=schema, records=_with_ids(terms, 0))
    await conn.copy_records_to_table("caseload", schema_name=schema, records=_with_ids(references, 1))
    conflicts = [(UUID(found.id), UUID(one.child), found.since, encode_conflict(found)) for one in composed for found in one.conflicts]
    if conflicts:
        await conn.copy_records_to_table("conflicts", schema_name=schema, records=conflicts)
    return {row["id"] for row in back}


def _with_ids(rows: Sequence[tuple], place: int) -> list[tuple]:
    return [(*row[:place], UUID(row[place]), *row[place + 1 :]) for row in rows]


async def save_aliases(conn: asyncpg.Connection, schema: str, became: Mapping[str, str], *, back: Collection[str]) -> None:
    """A child whose records all went to another is found there from now on, and so is who led to it before; who led to a child
    that is back is found there again. Where each went itself is kept: so undoing a later merge leads nobody astray."""
    if not became and not back:
        return
    await conn.execute(
        f"insert into {schema}.aliases (child_id, became, direct) select one, to_, to_ from unnest($1::uuid[], $2::uuid[]) n(one, to_)"
        " on conflict (child_id) do update set became = excluded.became, direct = excluded.direct",
        list(became),
        list(became.values()),
    )
    await conn.execute(_LEAD.format(schema=schema), [*became, *back])


_LEAD = """
    with recursive led as (
        select child_id from {schema}.aliases where child_id = any($1::uuid[]) or direct = any($1::uuid[])
        union select a.child_id from led join {schema}.aliases a on a.direct = led.child_id
    ), way as (
        select child_id, direct as at from led join {schema}.aliases using (child_id)
        union select way.child_id, a.direct from way join {schema}.aliases a on a.child_id = way.at)
    update {schema}.aliases a set became = way.at from way
    where way.child_id = a.child_id and not exists (select from {schema}.aliases further where further.child_id = way.at)"""
"""Whoever leads to one of these children, by however many others, is found where the way ends."""


async def save_ending(conn: asyncpg.Connection, schema: str, *, scope: str, policy_version: int) -> None:
    """Leases of this scope (`all` or a person) older than this version are over."""
    await conn.execute(
        f"insert into {schema}.endings values ($1, $2) on conflict (scope)"
        " do update set policy_version = greatest(endings.policy_version, excluded.policy_version)",
        scope,
        policy_version,
    )


async def open_glass(conn: asyncpg.Connection, schema: str, *, id: str, person: str, post: str, child: str, until: str) -> None:
    """A person in one post broke the glass for one child until a time."""
    await conn.execute(
        f"insert into {schema}.glass values ($1, $2, $3, $4, $5) on conflict do nothing",
        id,
        person,
        post,
        child,
        datetime.fromisoformat(until),
    )


async def close_glass(conn: asyncpg.Connection, schema: str, *, id: str) -> None:
    """The emergency is over."""
    await conn.execute(f"delete from {schema}.glass where id = $1", id)


async def parked(conn: asyncpg.Connection, schema: str) -> int:
    """How many streams wait for a person."""
    return await conn.fetchval(f"select count(*) from {schema}.parked")


async def save_freshness(conn: asyncpg.Connection, schema: str, times: Mapping[str, datetime]) -> None:
    """Everything each source recorded before its time is shown."""
    await conn.executemany(
        f"insert into {schema}.freshness values ($1, $2) on conflict (source) do update set as_of = excluded.as_of",
        list(times.items()),
    )


async def digests(conn: asyncpg.Connection, schema: str) -> dict[str, str]:
    """One digest for each compared table, over all rows in key order."""
    found = {}
    for table, columns in COMPARED.items():
        key = ", ".join(columns.split(", ")[:3])
        row = await conn.fetchrow(
            f"select encode(sha256(coalesce(string_agg(sha256(convert_to(row::text, 'UTF8')), ''::bytea order by {key}),"
            f" ''::bytea)), 'hex') as digest, count(*) as rows from (select {columns}, ({columns}) as row"
            f" from {schema}.{table}) t"
        )
        found[table] = f"{row['digest'][:32]} ({row['rows']} rows)"
    return found
