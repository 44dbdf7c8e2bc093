"""What a read asks of the projection: one query for everything about one child, and those of search and caseload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.childview.projection import view
from services.childview.projection.store import LIVE
from services.childview.projection.view import Inputs, View

AT_ONCE = 200
_FOUND = f"""
select one.id::text as child, c.view,
    (select became::text from {LIVE}.aliases where child_id = one.id) as became,
    exists (select from {LIVE}.glass where child_id = one.id and person = $2 and until > now()) as glass,
    array(select r.service from {LIVE}.links l join {LIVE}.parked p on p.stream_id = l.stream_id::text
        join {LIVE}.records r on r.stream_id = l.stream_id where l.child_id = one.id) as parked,
    array(select o.view from {LIVE}.caseload mine join {LIVE}.caseload risk on risk.reference = 'risk:' || substr(mine.reference, 9)
        join {LIVE}.children o on o.child_id = risk.child_id
        where mine.child_id = one.id and mine.reference like 'related:%' and risk.child_id <> one.id) as endangered
"""
_STANDING = f"""
    (select coalesce(max(policy_version), 0) from {LIVE}.endings where scope = 'all' or scope = $2) as ended,
    array(select row(source, as_of) from {LIVE}.freshness order by source) as fresh
"""
_ONE = f"{_FOUND}, {_STANDING} from (select $1::uuid as id) one left join {LIVE}.children c on c.child_id = one.id"
_MANY = f"{_FOUND} from unnest($1::uuid[]) one(id) join {LIVE}.children c on c.child_id = one.id"


@dataclass(frozen=True)
class Found:
    """What is stored of one child, and beside it. view is None for a child that is not there."""

    view: View | None
    became: str | None
    ended: int
    glass: bool
    fresh: dict[str, datetime]
    parked: tuple[str, ...]
    endangered: tuple[Inputs, ...]


async def one(conn: asyncpg.Connection, child: str, person: str) -> Found:
    """Everything about one child for one asker, in one question."""
    row = await conn.fetchrow(_ONE, child, person)
    return _found(row, row["ended"], _fresh(row))


async def many(conn: asyncpg.Connection, children: Sequence[str], person: str, now: Standing) -> AsyncIterator[tuple[str, Found]]:
    """The same for those of many children that are there, in their order, a few at a time."""
    for start in range(0, len(children), AT_ONCE):
        rows = await conn.fetch(_MANY, children[start : start + AT_ONCE], person)
        for row in rows:
            yield row["child"], _found(row, now.ended, now.fresh)


def _found(row: asyncpg.Record, ended: int, fresh: dict[str, datetime]) -> Found:
    return Found(
        view=view.decode(row["view"]) if row["view"] else None,
        became=row["became"],
        ended=ended,
        glass=row["glass"],
        fresh=fresh,
        parked=tuple(sorted(row["parked"])),
        endangered=tuple(view.decode(other).inputs for other in row["endangered"] if other),
    )


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


async def by_terms(conn: asyncpg.Connection, terms: Sequence[tuple[str, str]]) -> list[str]:
    """Every child with any of these (field, term): no limit before gates and levels."""
    rows = await conn.fetch(
        f"select distinct child_id::text as child from {LIVE}.terms t"
        " join unnest($1::text[], $2::text[]) as w(field, term) on t.field = w.field and t.term = w.term",
        [field for field, _ in terms],
        [term for _, term in terms],
    )
    return [row["child"] for row in rows]


async def by_references(conn: asyncpg.Connection, references: Sequence[str]) -> list[str]:
    """Every child that one of these references leads to."""
    rows = await conn.fetch(
        f"select distinct child_id::text as child from {LIVE}.caseload where reference = any($1)", list(references)
    )
    return [row["child"] for row in rows]


async def terms_of(conn: asyncpg.Connection, children: Sequence[str]) -> dict[str, dict[str, set[str]]]:
    """The search terms of these children: child -> field -> terms."""
    rows = await conn.fetch(
        f"select child_id::text as child, field, term from {LIVE}.terms where child_id = any($1::uuid[])", children
    )
    found: dict[str, dict[str, set[str]]] = {child: {} for child in children}
    for row in rows:
        found[row["child"]].setdefault(row["field"], set()).add(row["term"])
    return found
