"""Who saw a child while two were mixed in it: told from this service's own access records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import msgspec

from services.childview.identity.store import DECISIONS
from services.plumbing.access import Access
from services.plumbing.kafka import envelope

TOPIC = "childview.access"
SHOWN = (200, 304)
_PLACE = "(select position from outbox where stream_id = $1 and stream_version = {})"
_NAMED = f"""
select o.value from outbox o
where o.topic = '{TOPIC}' and o.position > {_PLACE.format("$2")}
    and ($3::bigint is null or o.position < {_PLACE.format("$3")}) and position(convert_to($4, 'UTF8') in o.value) > 0
order by o.position"""


@dataclass(frozen=True)
class Seen:
    """Somebody was shown something of the child: who, in which post, for what, how, and when."""

    person: str
    post: str | None
    purpose: str | None
    action: str
    at: str


async def mixed(conn: asyncpg.Connection, child: str, *, merge: int, undone: int | None = None) -> list[Seen]:
    """Every access that showed something of this child after the merge, up to its undoing or until now, in order.

    merge, undone: numbers of decisions. Access records older than this database are the ledger's alone.
    """
    rows = await conn.fetch(_NAMED, DECISIONS, merge, undone, child)
    made = [msgspec.json.decode(bytes(envelope.decode(bytes(row["value"])).data), type=Access) for row in rows]
    return [Seen(one.person, one.post, one.purpose, one.action, one.clock) for one in made if _showed(one, child)]


def _showed(access: Access, child: str) -> bool:
    return access.status in SHOWN and any(
        one.child == child and any(int(bits, 16) for bits in one.fields.values()) for one in access.children
    )


def counted(saw: Sequence[Seen]) -> dict[str, int]:
    """How many people, and how many times: for those who may know no more."""
    return {"people": len({one.person for one in saw}), "times": len(saw)}
