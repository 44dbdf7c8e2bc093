"""The second person: what one proposed and another has to confirm. A proposal is a decision that sets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from services.childview.identity.phrases import SCHEMA

PROPOSE = "propose"
STANDS = timedelta(days=7)


@dataclass(frozen=True)
class Proposal:
    """What somebody proposed: by which decision, who, why, and until when another may confirm it."""

    number: int
    by: str
    reason: str
    until: datetime


class AwaitsAnother(Exception):
    """This person proposed it: another has to confirm it."""


async def standing(
    conn: asyncpg.Connection, number: int | None, *children: str, queue: str | None = None
) -> Proposal | None:
    """The proposal of this number, if it is no older than a week, no record came to these children since, and the pair waits
    in the queue in which it was made: what one team wrote is not for another."""
    if number is None:
        return None
    row = await conn.fetchrow(
        f"select body, recorded from {SCHEMA}.decisions where number = $1 and kind = '{PROPOSE}' and recorded > $2"
        " and body->'held'->0->>'queue' is not distinct from $4"
        f" and not exists (select from {SCHEMA}.links where child_id = any($3::uuid[]) and decision > $1)",
        number,
        datetime.now(UTC) - STANDS,
        list(children),
        queue,
    )
    if row is None:
        return None
    body = msgspec.json.decode(row["body"])
    return Proposal(number, body["by"], body["reason"], row["recorded"] + STANDS)


async def to_undo(conn: asyncpg.Connection, merge: int, child: str) -> Proposal | None:
    """The standing proposal to undo this merge of this child."""
    number = await conn.fetchval(
        f"select max(number) from {SCHEMA}.decisions where kind = '{PROPOSE}' and body->>'undoes' = $1", str(merge)
    )
    return await standing(conn, number, child)


def confirmed(found: Proposal | None, by: str) -> Proposal | None:
    """The proposal that this person may confirm, None when there is none. Raises AwaitsAnother for who made it."""
    if found is not None and found.by == by:
        raise AwaitsAnother
    return found
