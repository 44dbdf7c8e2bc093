"""What people decide: pairs that are held, and merges to undo. The second writer of the decisions' stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.childview.identity import decide, store
from services.childview.identity.decide import Linked, Pair
from services.plumbing.kafka.outbox import Outbox

CLAIM = timedelta(minutes=30)


@dataclass(frozen=True)
class Held:
    """One pair in a queue: its id, the two children, and who has claimed it until when."""

    pair: str
    record: str
    candidate: str
    child: str
    candidate_child: str
    queue: str
    claimed_by: str | None


class NoSuchPair(Exception):
    """There is no such open pair in this queue."""


class Claimed(Exception):
    """Somebody else works on this pair."""


class CannotUndo(Exception):
    """There is no such merge, or it was undone already; the message says which."""


_HELD = f"""
select p.pair_id::text as pair, p.stream_id::text as record, p.candidate::text as candidate,
    l.child_id::text as child, c.child_id::text as candidate_child, p.queue,
    case when p.claimed > now() - interval '30 minutes' then p.claimed_by end as claimed_by
from {store.SCHEMA}.pairs p
join {store.SCHEMA}.links l on l.stream_id = p.stream_id
join {store.SCHEMA}.links c on c.stream_id = p.candidate
"""


async def queue(conn: asyncpg.Connection, queues: Sequence[str], *, limit: int = 50) -> list[Held]:
    """The oldest open pairs of these queues."""
    rows = await conn.fetch(_HELD + " where p.queue = any($1) order by p.decision, p.pair_id limit $2", list(queues), limit)
    return [Held(**row) for row in rows]


async def pair(conn: asyncpg.Connection, id: str, *, queues: Sequence[str]) -> Held:
    """One open pair. Raises NoSuchPair, also for a pair in another queue."""
    row = await conn.fetchrow(_HELD + " where p.pair_id = $1 and p.queue = any($2)", id, list(queues))
    if row is None:
        raise NoSuchPair
    return Held(**row)


async def claim(conn: asyncpg.Connection, id: str, *, queues: Sequence[str], by: str) -> Held:
    """Work on a pair for half an hour. Raises NoSuchPair, Claimed."""
    held = await pair(conn, id, queues=queues)
    if held.claimed_by not in (None, by):
        raise Claimed
    await conn.execute(
        f"update {store.SCHEMA}.pairs set claimed_by = $2, claimed = $3 where pair_id = $1", id, by, datetime.now(UTC)
    )
    return held


async def settle(
    conn: asyncpg.Connection, outbox: Outbox, id: str, *, queues: Sequence[str], outcome: str, by: str, reason: str
) -> int:
    """Decide a pair: `same`, `different` or `cannot-tell`; the decision's number. Raises NoSuchPair, Claimed."""
    await store.lock_decisions(conn)
    held = await pair(conn, id, queues=queues)
    if held.claimed_by not in (None, by):
        raise Claimed
    found = Pair(held.record, held.candidate, held.queue)
    decision = await {"same": _same, "different": _different, "cannot-tell": _cannot_tell}[outcome](
        conn, held, found, by, reason
    )
    return await store.record_decision(conn, outbox, decision)


async def _same(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> decide.Decision:
    moving = {record: linked for record, (linked, _) in (await store.records_of(conn, held.child)).items()}
    staying = {record: linked for record, (linked, _) in (await store.records_of(conn, held.candidate_child)).items()}
    return decide.merge(found, moving=moving, into=held.candidate_child, by=by, reason=reason, staying=staying)


async def _different(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> decide.Decision:
    now = await store.link(conn, held.record)
    assert now is not None
    others = await store.open_pairs(conn, held.record)
    return decide.keep_apart(found, now=now, open_pairs=others, by=by, reason=reason)


async def _cannot_tell(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> decide.Decision:
    return decide.Decision("cannot-tell", {}, opens=(found,), by=by, reason=reason)


async def unmerge(conn: asyncpg.Connection, outbox: Outbox, number: int, *, child: str, by: str, reason: str) -> int:
    """Undo the merge decided under this number. Raises CannotUndo."""
    await store.lock_decisions(conn)
    merged = await store.decision(conn, number)
    if merged is None or merged.kind != "merge":
        raise CannotUndo("There is no such merge.")
    into = {item["child"] for item in merged.body["sets"]}
    if into != {child}:
        raise CannotUndo("That merge is not of this child.")
    if await conn.fetchval(
        f"select exists (select from {store.SCHEMA}.decisions where kind = 'unmerge' and body->>'undoes' = $1)", str(number)
    ):
        raise CannotUndo("That merge was undone already.")
    before = {record: msgspec.convert(was, Linked) for record, was in merged.before.items()}
    present = await store.records_of(conn, child)
    later = {record: linked for record, (linked, at) in present.items() if record not in before and at > number}
    decision = decide.unmerge(
        number,
        moved_back=before,
        later=later,
        sides=_sides(before, child),
        by=by,
        reason=reason,
    )
    return await store.record_decision(conn, outbox, decision)


def _sides(before: Mapping[str, Linked], child: str) -> tuple[set[str], set[str]]:
    """The records that came by the merge, and those that were there."""
    moved = {record for record, was in before.items() if was.child != child}
    return moved, set(before) - moved


def evidence(event: Mapping[str, Any], record: str) -> Mapping[str, Any]:
    """What the decision that held a record saw, without values."""
    return event.get("evidence", {}).get(record, {})
