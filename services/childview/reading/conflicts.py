"""Values that contradict each other over HTTP: shown by the same road as every read, to whom the clearing house's queues are
open, and settled by people."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from services.childview.identity import conflicts
from services.childview.identity.conflicts import NoSuchConflict, Seen
from services.childview.projection.view import Conflict, Option
from services.childview.reading import asking, duplicates, gates, recording, road, store
from services.childview.reading.asking import Answer, Asker, Child, Reading
from services.childview.reading.disclose import Disclosure
from services.childview.reading.duplicates import Act, Officer
from services.plumbing import access
from services.plumbing.kafka.outbox import Outbox

ORDINARY, PROTECTION = "ordinary", "protection"
MOST = 50
_json = msgspec.json.Encoder(order="deterministic")
Words = Sequence[tuple[Option, bytes]]


async def queue(reading: Reading, asked: Asker) -> Answer:
    """The conflicts this officer may settle. A protected child's are in no ordinary queue; of a word that this officer does
    not see in full nothing is told, and what is no conflict without it takes no place."""
    officer = await duplicates.officer_of(reading, asked, Act("conflicts", ""))
    items: list[bytes] = []
    opened: list[tuple[Child, Disclosure]] = []
    async with reading.pool.acquire() as conn:
        async for child, conflict in store.conflicts(conn):
            side = await duplicates.side(reading, asked, conn, officer, child)
            words = _words(asked, officer, side, conflict)
            if words and not duplicates.parked(side[0]) and not await conflicts.is_settled(conn, conflict.id, [one for one, _ in words]):
                opened.append(side)
                items.append(_item(reading, asked, side, conflict, words))
            if len(items) == MOST:
                break
    body = b'{"items":[' + b",".join(items) + b"]}"
    made = recording.make_access(
        reading, asked, officer.lease, action="conflicts", status=200, query=None, fresh=officer.fresh,
        children=[recording.child_access(*one) for one in opened],
        answer=access.digest(reading.settings.digest_key, body),
    )  # fmt: skip
    await reading.writer.write(made)
    return Answer(body, "", made.id, asking.as_of(officer.fresh))


def _words(asked: Asker, officer: Officer, side: tuple[Child, Disclosure], conflict: Conflict) -> Words:
    """The words among which this officer may choose; none where it may not, or sees no two that differ."""
    child, decided = side
    if not child.finds or _queue(asked, child) not in officer.queues:
        return ()
    words = decided.options(conflict.options, silent=child.passed.silent)
    return words if len({option.same for option, _ in words}) > 1 else ()


def _queue(asked: Asker, child: Child) -> str:
    """A child that is protected today, or resembles one that is, is the protection team's."""
    protected = any(one.kind != "risk_linked" for one in gates.in_force(child.view.inputs, asked.today))
    return PROTECTION if protected or child.view.withheld else ORDINARY


def _item(reading: Reading, asked: Asker, side: tuple[Child, Disclosure], conflict: Conflict, words: Words) -> bytes:
    """A conflict with the child it is about, as this officer may see it, and the words to choose among."""
    child, decided = side
    found = reading.catalogue.fields[conflict.field]
    shown = decided.show(child.view, child.content, silent=child.passed.silent, fields=duplicates.compared(reading))
    head = {"id": conflict.id, "queue": _queue(asked, child), "field": found.id, "label": found.label, "since": conflict.since}
    options = [b'{"id":' + _json.encode(option.id) + b"," + told[1:] for option, told in words]
    about = b'{"id":%s,"fields":{%s}}' % (_json.encode(child.view.child), b",".join(shown.fields))
    return _json.encode(head)[:-1] + b',"child":' + about + b',"options":[' + b",".join(options) + b"]}"


async def decide(
    reading: Reading, asked: Asker, outbox: Outbox, conflict: str, *, option: str, reason: str, send_back: bool, key: str | None = None
) -> Answer:
    """Let one word stand: {"decision": its number}. Raises Problem."""
    act = Act("conflict-settled", conflict, key, (option, reason, str(send_back)))
    officer = await duplicates.officer_of(reading, asked, act)
    seen, sides = await _shown(reading, asked, officer, conflict)

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        chosen = next((one for one in seen.options if one.id == option), None) if seen is not None else None
        if seen is None or chosen is None:
            raise NoSuchConflict
        duplicates.readable(sides)
        number = await conflicts.settle(conn, outbox, seen, chosen, by=asked.who.subject, reason=reason, send_back=send_back)
        return 201, _json.encode({"decision": number})

    return await duplicates.do(reading, asked, officer, act, sides, work)


async def _shown(
    reading: Reading, asked: Asker, officer: Officer, id: str
) -> tuple[Seen | None, Sequence[tuple[Child, Disclosure]]]:
    """A conflict as this officer sees it, and its child; None where there is none for them."""
    if not road.is_id(id):
        return None, ()
    async with reading.pool.acquire() as conn:
        found = await store.conflict(conn, id)
        if found is None:
            return None, ()
        child, conflict = found
        side = await duplicates.side(reading, asked, conn, officer, child)
    words = _words(asked, officer, side, conflict)
    field = reading.catalogue.fields[conflict.field].id
    return (Seen(child, conflict, field, [option for option, _ in words]) if words else None), [side]
