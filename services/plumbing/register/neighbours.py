"""What the record of one subject says of another: a number that both have, a relative who is named.

A register decides of each subject alone. Two things reach further. Of an adopted subject nothing from before is told, so neither by
another school's record with the same UPN, whatever that school knows. And whoever was purged is named by no relative's record.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import asyncpg

from services.plumbing.contracts import Schemas
from services.plumbing.files.report import Report
from services.plumbing.register.directory import upns_of
from services.plumbing.register.entries import IDENTITY, PERSON, Provenance, State, Statement, rule_of
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import plain_id

RELATION, OTHER = "relation-recorded.v1", "other_local_id"
"""The common event of a relation, and its field that names another subject by that one's own number."""


async def remember(conn: asyncpg.Connection, states: Mapping[uuid.UUID, State]) -> None:
    """Know by which numbers and relatives these subjects' records may be found, and by no others."""
    numbers = [(upn, stream, state.adopted) for stream, state in states.items() for upn in upns_of(state)]
    relatives = [(name, stream) for stream, state in states.items() for name in _relatives(state)]
    await _replace(conn, "subject_numbers", list(states), [pair[:2] for pair in numbers])
    await _replace(conn, "subject_relatives", list(states), relatives)
    if numbers:
        await conn.execute(
            "insert into subject_numbers select * from unnest($1::text[], $2::uuid[], $3::bool[])"
            " on conflict (value, stream_id) do update set adopted = excluded.adopted",
            *_columns(numbers, 3),
        )
    if relatives:
        await conn.execute(
            "insert into subject_relatives select * from unnest($1::text[], $2::uuid[]) on conflict do nothing", *_columns(relatives, 2)
        )


async def _replace(
    conn: asyncpg.Connection, table: str, streams: Sequence[uuid.UUID], kept: Sequence[tuple[str, uuid.UUID]]
) -> None:
    await conn.execute(
        f"delete from {table} where stream_id = any($1::uuid[])"
        " and (value, stream_id) not in (select * from unnest($2::text[], $3::uuid[]))",
        list(streams),
        *_columns(kept, 2),
    )


def _columns(rows: Sequence[tuple], width: int) -> list[list]:
    return [[row[at] for row in rows] for at in range(width)]


def _relatives(state: State) -> set[str]:
    found = (held.fields.get(OTHER) for held in state.entries.values() if not held.withdrawn)
    return {name for name in found if name}


# -- who was adopted ---------------------------------------------------------------------------------------------------


async def told_too(conn: asyncpg.Connection, said: Sequence[Said]) -> list[Said]:
    """The same; of a subject with an adopted one's UPN it says so."""
    numbers = {upn for one in said for upn in one.naming().upns}
    if not numbers:
        return list(said)
    rows = await conn.fetch("select distinct value from subject_numbers where adopted and value = any($1::text[])", list(numbers))
    adopted = {row["value"] for row in rows}
    return [_say_so(one) if adopted & one.naming().upns else one for one in said]


def _say_so(said: Said) -> Said:
    return replace(said, statements=tuple(replace(one, adopted=True) for one in said.statements))


async def not_told(conn: asyncpg.Connection, streams: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Subjects not known as adopted with the UPN of one who is, where either is one of these."""
    rows = await conn.fetch(
        "with mine as materialized (select distinct value from subject_numbers where stream_id = any($1::uuid[])),"
        " told as materialized (select value from mine m where exists"
        " (select from subject_numbers n where n.value = m.value and n.adopted))"
        " select distinct o.stream_id from told t join subject_numbers o on o.value = t.value where not o.adopted",
        list(streams),
    )
    return sorted(row["stream_id"] for row in rows)


def adopted(service: str) -> Statement:
    """That a subject was adopted, and nothing else."""
    return Statement(f"{service}.{PERSON}", "R-IDENT", {}, adopted=True, completes=True)


# -- who was purged ----------------------------------------------------------------------------------------------------


def purges(said: Sequence[Said], schemas: Schemas) -> dict[str, Provenance]:
    """Whom these say to be gone, by the number that relatives' records have, and what told of it."""
    return {plain_id(name): one.provenance for one in said for name in one.keys if any(_purges(each, schemas) for each in one.statements)}


def _purges(statement: Statement, schemas: Schemas) -> bool:
    return statement.withdrawn and rule_of(schemas, statement).category == IDENTITY


async def purge(conn: asyncpg.Connection, purged: Mapping[str, Provenance]) -> None:
    """Remember whom no record older than this may name."""
    if not purged:
        return
    await conn.execute(
        "insert into purged_subjects select * from unnest($1::text[], $2::text[])"
        " on conflict (value) do update set extracted = greatest(purged_subjects.extracted, excluded.extracted)",
        list(purged),
        [one.extracted for one in purged.values()],
    )


async def naming(conn: asyncpg.Connection, purged: Collection[str]) -> list[tuple[uuid.UUID, str]]:
    """(subject, whom of these its record names)."""
    if not purged:
        return []
    rows = await conn.fetch("select stream_id, value from subject_relatives where value = any($1::text[])", list(purged))
    return [(row["stream_id"], row["value"]) for row in rows]


async def unnamed(
    conn: asyncpg.Connection, heard: Sequence[tuple[uuid.UUID, Said]], service: str
) -> list[tuple[uuid.UUID, Said]]:
    """The withdrawal of every relative whom what is said names and who was purged: to be heard before it."""
    named = [(stream, one, name) for stream, one in heard for name in _named(one)]
    if not named:
        return []
    rows = await conn.fetch("select * from purged_subjects where value = any($1::text[])", [name for *_, name in named])
    days = {row["value"]: row["extracted"] for row in rows}
    return [(stream, _withdrawal(one, name, service, days[name])) for stream, one, name in named if name in days]


def _named(said: Said) -> Iterator[str]:
    yield from (one.fields[OTHER] for one in said.statements if one.fields.get(OTHER) and not one.withdrawn)


def _withdrawal(said: Said, name: str, service: str, day: str) -> Said:
    provenance = Provenance(day, authority=said.provenance.authority)
    return Said(said.keys, (without(service, name),), Report("", named=True), provenance, rows=())


def without(service: str, name: str) -> Statement:
    """The withdrawal of every relation to this one."""
    return Statement(f"{service}.{RELATION}", "R-IDENT", {OTHER: name}, withdrawn=True, every="any")
