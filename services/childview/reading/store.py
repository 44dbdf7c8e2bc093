"""What a read asks of the projection: one query for everything about one child, and those of search and caseload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.childview.identity.store import SCHEMA as IDENTITY
from services.childview.projection import view
from services.childview.projection.store import LIVE
from services.childview.projection.view import Conflict, View
from services.plumbing.tokens import Principal

AT_ONCE = 200
_FOUND = f"""
select one.id::text as child, c.version, c.view, c.content_hash,
    (select became::text from {LIVE}.aliases where child_id = one.id) as became,
    array(select child_id::text from {LIVE}.aliases where became = one.id) as former,
    exists (select from {LIVE}.glass where child_id = one.id and person = $2 and post = $3 and until > now()) as glass,
    exists (select from {IDENTITY}.links l left join {IDENTITY}.pairs p on p.stream_id = l.stream_id or p.candidate = l.stream_id
        where l.child_id = one.id and (l.basis = 'verified' or p.queue = 'ordinary'))
        or exists (select from {LIVE}.conflicts where child_id = one.id) as in_pair,
    exists (select from {IDENTITY}.links l join {IDENTITY}.pairs p on p.stream_id = l.stream_id or p.candidate = l.stream_id
        join {IDENTITY}.links other on other.stream_id in (p.stream_id, p.candidate) and other.child_id <> l.child_id
        join {IDENTITY}.links theirs on theirs.child_id = other.child_id
        join {IDENTITY}.protected s on s.stream_id = theirs.stream_id and s.kind = 'adopted'
        where l.child_id = one.id) as beside_adopted,
    array(select r.service from {LIVE}.links l join {LIVE}.parked p on p.stream_id = l.stream_id::text
        join {LIVE}.records r on r.stream_id = l.stream_id where l.child_id = one.id) as parked,
    array(select o.view from {LIVE}.caseload mine join {LIVE}.caseload theirs on theirs.reference
            = any(array['risk:' || substr(mine.reference, 9), 'guarded:' || substr(mine.reference, 9)])
        join {LIVE}.children o on o.child_id = theirs.child_id
        where mine.child_id = one.id and mine.reference like 'related:%' and theirs.child_id <> one.id) as kin
"""
_STANDING = f"""
    (select coalesce(max(policy_version), 0) from {LIVE}.endings where scope = 'all' or scope = $2) as ended,
    array(select row(source, as_of) from {LIVE}.freshness order by source) as fresh
"""
_BARE = f"{_FOUND}, null::bytea as content, {_STANDING} from (select $1::uuid as id) one left join {LIVE}.children c on c.child_id = one.id"
_ONE = _BARE.replace("null::bytea as content", "c.content")
_MANY = f"{_FOUND}, c.content from unnest($1::uuid[]) one(id) join {LIVE}.children c on c.child_id = one.id"


@dataclass(frozen=True)
class Found:
    """What is stored of one child, and beside it. view is None for a child that is not there. content: empty where it was not
    asked for; content_hash tells whether it is what it was.

    former: ids that became this child. in_pair: the clearing house has it in a queue, or joined it. beside_adopted: it
    resembles an adopted child, in an open pair. kin: children to whom somebody of this household is a risk, or who are protected
    and of this household.
    """

    view: View | None
    content: bytes
    content_hash: int | None
    became: str | None
    former: tuple[str, ...]
    in_pair: bool
    beside_adopted: bool
    ended: int
    glass: bool
    fresh: dict[str, datetime]
    parked: tuple[str, ...]
    kin: tuple[View, ...]


class Rebuilding(Exception):
    """The stored view is of another release: nothing is shown until it is made anew."""


async def one(conn: asyncpg.Connection, child: str, who: Principal, *, content: bool = True) -> Found:
    """Everything about one child for one asker, in one question; without the content it is ten times less. Raises Rebuilding."""
    row = await conn.fetchrow(_ONE if content else _BARE, child, who.subject, who.post)
    return _found(row, row["ended"], _fresh(row))


async def many(conn: asyncpg.Connection, children: Sequence[str], who: Principal, now: Standing) -> AsyncIterator[tuple[str, Found]]:
    """The same for those of many children that are there, in their order, a few at a time."""
    for start in range(0, len(children), AT_ONCE):
        rows = await conn.fetch(_MANY, children[start : start + AT_ONCE], who.subject, who.post)
        for row in rows:
            yield row["child"], _found(row, now.ended, now.fresh)


def _found(row: asyncpg.Record, ended: int, fresh: dict[str, datetime]) -> Found:
    if row["view"] and row["version"] != view.VERSION:
        raise Rebuilding
    return Found(
        view=view.decode(row["view"]) if row["view"] else None,
        content=row["content"] or b"",
        content_hash=row["content_hash"],
        became=row["became"],
        former=tuple(row["former"]),
        in_pair=row["in_pair"],
        beside_adopted=row["beside_adopted"],
        ended=ended,
        glass=row["glass"],
        fresh=fresh,
        parked=tuple(sorted(row["parked"])),
        kin=tuple(view.decode(other) for other in row["kin"] if other),
    )


async def conflicts(conn: asyncpg.Connection) -> AsyncIterator[tuple[str, Conflict]]:
    """Every conflict with its child, the oldest first: who asks takes as many as may be shown."""
    ids = [row["id"] for row in await conn.fetch(f"select conflict_id as id from {LIVE}.conflicts order by since, conflict_id")]
    for start in range(0, len(ids), AT_ONCE):
        rows = await conn.fetch(
            f"select child_id::text as child, body from {LIVE}.conflicts where conflict_id = any($1::uuid[]) order by since, conflict_id",
            ids[start : start + AT_ONCE],
        )
        for row in rows:
            yield row["child"], view.decode_conflict(row["body"])


async def conflict(conn: asyncpg.Connection, id: str) -> tuple[str, Conflict] | None:
    """One conflict with its child."""
    row = await conn.fetchrow(f"select child_id::text as child, body from {LIVE}.conflicts where conflict_id = $1", id)
    return None if row is None else (row["child"], view.decode_conflict(row["body"]))


def nobody(now: Standing) -> Found:
    """No child: what a question about none stands on."""
    return Found(None, b"", None, None, (), False, False, now.ended, False, now.fresh, (), ())


def _fresh(row: asyncpg.Record) -> dict[str, datetime]:
    return {source: as_of for source, as_of in row["fresh"]}


@dataclass(frozen=True)
class Standing:
    """What stands beside all views: freshness, and since when leases of this person count."""

    ended: int
    fresh: dict[str, datetime]


async def standing(conn: asyncpg.Connection, person: str) -> Standing:
    """Freshness and endings, for reads of many children."""
    row = await conn.fetchrow(f"select $1::uuid as id, {_STANDING}", None, person)
    return Standing(row["ended"], _fresh(row))


async def by_terms(conn: asyncpg.Connection, terms: Sequence[tuple[str, str]]) -> dict[str, set[tuple[str, str]]]:
    """Every child with any of these (field, term), and which of them: no limit before gates and levels."""
    rows = await conn.fetch(
        f"select child_id::text as child, field, term from {LIVE}.terms t"
        " join unnest($1::text[], $2::text[]) as w(field, term) using (field, term) order by 1",
        [field for field, _ in terms],
        [term for _, term in terms],
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["child"], set()).add((row["field"], row["term"]))
    return found


async def by_references(conn: asyncpg.Connection, references: Sequence[str]) -> list[str]:
    """Every child that one of these references leads to."""
    rows = await conn.fetch(
        f"select distinct child_id::text as child from {LIVE}.caseload where reference = any($1)", list(references)
    )
    return [row["child"] for row in rows]
