"""A dry run over HTTP: what a decision would move, told of what this officer finds."""

from __future__ import annotations

import asyncpg
import msgspec

from services.childview.identity import clearing_house, proposals, rehearsal
from services.childview.identity import store as identities
from services.childview.identity.holds import Open
from services.childview.reading.asking import Answer, Asker, Child, Reading
from services.childview.reading.disclose import Disclosure
from services.childview.reading.duplicates import Act, Officer, allowed, by_two, do, officer_of, parked, shown, side
from services.plumbing.kafka.outbox import Outbox

_json = msgspec.json.Encoder(order="deterministic")
Met = list[tuple[Child, Disclosure]]


async def rehearse(reading: Reading, asked: Asker, outbox: Outbox, pair: str, *, outcome: str, reason: str) -> Answer:
    """What a decision would move, of what this officer finds; nothing is decided. Raises Problem."""
    act = Act("duplicate-rehearsed", pair)
    officer = await officer_of(reading, asked, act)
    held, sides = await shown(reading, asked, officer, pair)
    met = list(sides)

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        found, by = allowed(held, sides), asked.who.subject
        two = outcome == "same" and await by_two(conn, sides)
        standing = await proposals.standing(conn, found.proposed, found.child, found.candidate_child, queue=found.queue)
        again = two and (standing is None or standing.by == by)
        would = await rehearsal.rehearse(
            conn,
            (found.child, found.candidate_child),
            lambda: clearing_house.settle(conn, outbox, found, outcome=outcome, by=by, reason=reason),
        )
        closes = [await _seen_pair(reading, asked, conn, officer, one, met) for one in would.closes]
        children = {child.view.child for child, _ in met}
        moves = [{"from": child, "into": into} for child, into in would.moves if {child, into} <= children]
        names = sorted(name for name in closes if name)
        counts = {"moves": len(moves), "closes": len(names)}
        return 200, _json.encode(
            {"outcome": outcome, "second_person": again, "moves": moves, "closes": names, "counts": counts}
        )

    return await do(reading, asked, officer, act, met, work)


async def _seen_pair(
    reading: Reading, asked: Asker, conn: asyncpg.Connection, officer: Officer, one: Open, met: Met
) -> str | None:
    """The pair's id, if it is in this officer's queue and its children are found. Whom that shows is met, too."""
    if one.pair.queue not in officer.queues:
        return None
    known = {child.view.child for child, _ in met}
    more = [await side(reading, asked, conn, officer, id) for id in (one.child, one.candidate_child) if id not in known]
    if not all(child.finds and not parked(child) for child, _ in more):
        return None
    met += more
    return identities.pair_id(one.pair)
