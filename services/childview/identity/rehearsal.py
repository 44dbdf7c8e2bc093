"""A dry run: everything that a decision would come to, done and taken back. What is told of it is what the tables held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from services.childview.identity import links, store
from services.childview.identity.holds import Open


@dataclass(frozen=True)
class Rehearsal:
    """What would move: from which child to which, and the pairs of these children that would close or open."""

    moves: tuple[tuple[str, str], ...]
    closes: tuple[Open, ...]
    opens: tuple[Open, ...]


async def rehearse(
    conn: asyncpg.Connection, children: Iterable[str], work: Callable[[], Awaitable[Any]]
) -> Rehearsal:
    """What this work would decide about these children. Nothing of it stays; what it raises is raised."""
    named = sorted(set(children))
    turn = conn.transaction()
    await turn.start()
    try:
        last, before = await store.last_decision(conn), await links.pairs_about(conn, named)
        await work()
        moves = await _moves(conn, last)
        after = await links.pairs_about(conn, {*named, *(into for _, into in moves)})
    finally:
        await turn.rollback()
    return Rehearsal(moves, _besides(before, after), _besides(after, before))


def _besides(some: Iterable[Open], others: Iterable[Open]) -> tuple[Open, ...]:
    known = {frozenset(one.records) for one in others}
    return tuple(one for one in some if frozenset(one.records) not in known)


async def _moves(conn: asyncpg.Connection, last: int) -> tuple[tuple[str, str], ...]:
    rows = await conn.fetch(f"select body, before from {store.SCHEMA}.decisions where number > $1 order by number", last)
    was: dict[str, str] = {}
    now: dict[str, str] = {}
    for row in rows:
        for record, linked in msgspec.json.decode(row["before"]).items():
            was.setdefault(record, linked["child"])
        now |= {item["record"]: item["child"] for item in msgspec.json.decode(row["body"])["sets"]}
    found = {(child, now[record]) for record, child in was.items() if now[record] != child}
    return tuple(sorted(found))
