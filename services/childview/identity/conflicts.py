"""What people decide of values that contradict each other: which record's word stands. A writer of the decisions' stream."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.childview.identity import links, store
from services.childview.identity.clearing_house import NotFollowed
from services.childview.identity.decide import Decision
from services.childview.projection.view import Conflict, Option
from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams

SETTLED = "settled-value"
CORRECTION = "childview.correction-requested.v1"


class NoSuchConflict(Exception):
    """There is no such conflict in this queue, or it does not stand any more as it was shown."""


@dataclass(frozen=True)
class Seen:
    """A conflict as a person was shown it: of which child, about which field (its id), and the words among which it was chosen."""

    child: str
    conflict: Conflict
    field: str
    options: Sequence[Option]


async def settle(
    conn: asyncpg.Connection, outbox: Outbox, seen: Seen, chosen: Option, *, by: str, reason: str, send_back: bool
) -> int:
    """Let one record's word stand; the decision's number. send_back: the sources of the others are asked to correct theirs.

    The event names the record and no value. Raises NoSuchConflict, NotFollowed.
    """
    await store.lock_decisions(conn)
    if not await store.followed(conn):
        raise NotFollowed
    await _still_stands(conn, seen)
    versions = {option.record: seen.conflict.versions[option.record] for option in seen.options}
    settles = {
        "conflict": seen.conflict.id, "child": seen.child, "record": chosen.record, "field": seen.field, "entry": seen.conflict.entry,
        "said": chosen.said, "versions": versions,
    }  # fmt: skip
    number = await store.record_decision(conn, outbox, Decision(SETTLED, {}, by=by, reason=reason, settles=settles))
    if send_back:
        await _send_back(conn, outbox, seen, chosen, decision=number, by=by)
    return number


async def is_settled(conn: asyncpg.Connection, conflict: str, options: Sequence[Option]) -> bool:
    """Whether people chose among these words of it already: it may stay open for others, who see more of them."""
    return await conn.fetchval(
        f"select exists (select from {store.SCHEMA}.decisions where kind = '{SETTLED}' and body->'settles'->>'conflict' = $1"
        " and body->'settles'->'versions' ?& $2::text[])",
        conflict,
        sorted({option.record for option in options}),
    )


async def _still_stands(conn: asyncpg.Connection, seen: Seen) -> None:
    """Raises NoSuchConflict when it was settled meanwhile, or its records are another child's now."""
    now = await links.links(conn, {option.record for option in seen.options})
    moved = any(option.record not in now or now[option.record].child != seen.child for option in seen.options)
    if moved or await is_settled(conn, seen.conflict.id, seen.options):
        raise NoSuchConflict


async def _send_back(
    conn: asyncpg.Connection, outbox: Outbox, seen: Seen, chosen: Option, *, decision: int, by: str
) -> None:
    """Ask the source of each record that says otherwise to look at it again. Each request is a stream of its own."""
    wrong = {option.record: option.shape.source for option in seen.options if option.same != chosen.same}
    asked = {
        uuid.uuid4(): {
            "source": source, "record": record, "field": seen.field, "entry": seen.conflict.entry, "stands": chosen.record,
            "decision": decision, "by": by,
        }
        for record, source in sorted(wrong.items())
    }  # fmt: skip
    await lock_streams(conn, list(asked), kind="corrections")
    await outbox.append(conn, [(stream, [NewEvent(CORRECTION, data, None)]) for stream, data in asked.items()])
