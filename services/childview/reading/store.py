"""What a read asks of the projection: one query for everything about one child, and those of search and caseload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.childview.projection import view
from services.childview.projection.store import LIVE
from services.childview.projection.view import Inputs, View

_ONE = f"""
select c.view,
    (select became::text from {LIVE}.aliases where child_id = $1) as became,
    (select coalesce(max(policy_version), 0) from {LIVE}.endings where scope = 'all' or scope = $2) as ended,
    exists (select from {LIVE}.glass where child_id = $1 and person = $2 and until > now()) as glass,
    array(select row(source, as_of) from {LIVE}.freshness order by source) as fresh,
    array(select r.service from {LIVE}.links l join {LIVE}.parked p on p.stream_id = l.stream_id::text
        join {LIVE}.records r on r.stream_id = l.stream_id where l.child_id = $1) as parked,
    array(select o.view from {LIVE}.caseload mine join {LIVE}.caseload risk on risk.reference = 'risk:' || substr(mine.reference, 9)
        join {LIVE}.children o on o.child_id = risk.child_id
        where mine.child_id = $1 and mine.reference like 'related:%' and risk.child_id <> $1) as endangered
from (select 1) one left join {LIVE}.children c on c.child_id = $1
"""


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
    """Everything about one child for one asker."""
    row = await conn.fetchrow(_ONE, child, person)
    return Found(
        view=view.decode(row["view"]) if row["view"] else None,
        became=row["became"],
        ended=row["ended"],
        glass=row["glass"],
        fresh={source: as_of for source, as_of in row["fresh"]},
        parked=tuple(sorted(row["parked"])),
        endangered=tuple(view.decode(other).inputs for other in row["endangered"] if other),
    )


@dataclass(frozen=True)
class Standing:
    """What stands beside all views: freshness, and since when leases of this person count."""

    ended: int
    fresh: dict[str, datetime]


async def standing(conn: asyncpg.Connection, person: str) -> Standing:
    """Freshness and endings, for reads of many children."""
    row = await conn.fetchrow(
        f"select (select coalesce(max(policy_version), 0) from {LIVE}.endings where scope = 'all' or scope = $1) as ended,"
        f" array(select row(source, as_of) from {LIVE}.freshness) as fresh",
        person,
    )
    return Standing(row["ended"], {source: as_of for source, as_of in row["fresh"]})


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


