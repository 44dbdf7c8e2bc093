"""A merge undone over HTTP, and who saw what was mixed."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from services.childview.identity import clearing_house
from services.childview.identity import store as identities
from services.childview.reading import road, seen
from services.childview.reading.asking import Answer, Asker, Child, Reading
from services.childview.reading.disclose import Disclosure
from services.childview.reading.duplicates import Act, by_two, do, numbered, officer_of, readable, side, someone
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.problems import Problem

_json = msgspec.json.Encoder(order="deterministic")


async def unmerge(
    reading: Reading, asked: Asker, outbox: Outbox, child: str, *, decision: int, reason: str, key: str | None = None
) -> Answer:
    """Undo a merge of this child: {"decision": the new number, "seen": who saw what was mixed, "signals" and "notifications"
    that it caused: there are none yet}; or, where a second person has to confirm it, {"proposal": its number}. Raises
    Problem."""
    act = Act("unmerge", child, key, (str(decision), reason))
    officer = await officer_of(reading, asked, act)
    sides: list[tuple[Child, Disclosure]] = []
    saw: list[seen.Seen] = []
    if road.is_id(child):
        async with reading.pool.acquire() as conn:
            sides = [await side(reading, asked, conn, officer, child)]
            saw = await seen.mixed(conn, child, merge=decision) if sides[0][0].finds else []

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        if not sides or not sides[0][0].finds:
            raise Problem("not-found", road.NOT_FOUND)
        readable(sides)
        undo = clearing_house.unmerge_by_two if await by_two(conn, sides) else _alone
        number, done = await undo(conn, outbox, decision, child=child, by=asked.who.subject, reason=reason)
        if not done:
            return numbered(number, done)
        for other in await identities.children_of(conn, number):
            if other != child:
                sides.append(await side(reading, asked, conn, officer, other))
        return 201, _json.encode({"decision": number, "seen": seen.counted(saw), "signals": [], "notifications": []})

    return await do(reading, asked, officer, act, sides, work)


async def _alone(conn: asyncpg.Connection, outbox: Outbox, decision: int, **said: Any) -> tuple[int, bool]:
    return await clearing_house.unmerge(conn, outbox, decision, **said), True


async def who_saw(reading: Reading, asked: Asker, decision: int) -> Answer:
    """Who saw the child of a merge that was undone by this decision, while it was mixed: for those who read the access log.
    Raises Problem `not-found` (recorded) for everybody else, and where there is no such decision."""
    act = Act("mixed-seen", str(decision))
    reader, may = await someone(reading, asked, "read_access_log")

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        undone = await identities.decision(conn, decision) if may else None
        if undone is None or undone.kind != "unmerge":
            raise Problem("not-found", "There is nothing here for this post.")
        merged = await identities.decision(conn, undone.body["undoes"])
        child = merged.body["sets"][0]["child"]
        saw = await seen.mixed(conn, child, merge=merged.number, undone=decision)
        return 200, _json.encode({"items": saw, **seen.counted(saw), "signals": [], "notifications": []})

    return await do(reading, asked, reader, act, (), work)
