"""The clearing house over HTTP: pairs that are held, shown by the same road as every read, and decided by people."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from services.childview.identity import clearing_house
from services.childview.identity.clearing_house import Held
from services.childview.reading import road, store
from services.childview.reading.disclose import Disclosure
from services.childview.reading.road import Answer, Asker, Child, Reading
from services.disclosure import evaluate
from services.disclosure.lease import Lease
from services.plumbing import access, database
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.problems import Problem

QUEUES = {"clearing-house-officer": ("ordinary",), "protection-officer": ("protection", "ordinary")}
_json = msgspec.json.Encoder(order="deterministic")


async def _officer(reading: Reading, asked: Asker, conn: asyncpg.Connection) -> tuple[Lease, Sequence[str]]:
    """The lease and the queues of someone who may merge. Raises Problem `not-found` for everybody else."""
    now = await store.standing(conn, asked.who.subject)
    lease = await reading.leases.lease(asked.who, asked.purpose, after=now.ended)
    road.check_fresh(reading, asked, now.fresh)
    bundle = await reading.leases.bundle(lease)
    nobody = road.stand(store.nobody(now), lease, bundle, asked, "", memo=reading.memo)
    queues = QUEUES.get(lease.role, ())
    if not queues or not evaluate.allowed(bundle, nobody.request, "merge")[0]:
        raise Problem("not-found", "There is nothing here for this post.")
    return lease, queues


async def queue(reading: Reading, asked: Asker) -> Answer:
    """The pairs this officer may decide. A pair with a protected child is in no ordinary queue."""
    async with reading.pool.acquire() as conn:
        lease, queues = await _officer(reading, asked, conn)
        bundle = await reading.leases.bundle(lease)
        now = await store.standing(conn, asked.who.subject)
        items, opened = [], []
        for held in await clearing_house.queue(conn, queues):
            sides = [await _side(reading, asked, conn, lease, bundle, child) for child in (held.child, held.candidate_child)]
            if all(child.finds for child, _ in sides):
                opened += sides
                items.append(_pair(reading, held, sides))
    body = b'{"items":[' + b",".join(items) + b"]}"
    made = road.make_access(
        reading, asked, lease, action="duplicates", status=200, query=None, fresh=now.fresh,
        children=[road.child_access(*one) for one in opened],
        answer=access.digest(reading.settings.digest_key, body),
    )  # fmt: skip
    await reading.writer.write(made)
    return Answer(body, "", made.id, road.as_of(now.fresh))


async def _side(reading: Reading, asked: Asker, conn, lease: Lease, bundle, child: str) -> tuple[Child, Disclosure]:
    opened = road.stand(await road.look(store.one(conn, child, asked.who)), lease, bundle, asked, child, memo=reading.memo)
    return opened, road.disclosure(reading, asked, opened)


def _pair(reading: Reading, held: Held, sides: Sequence[tuple[Child, Disclosure]]) -> bytes:
    """Two children side by side, each as this officer may see it."""
    records = []
    for opened, decided in sides:
        shown = decided.show(opened.view, opened.content, silent=opened.passed.silent, fields=_compared(reading))
        records.append(b'{"id":%s,"fields":{%s}}' % (_json.encode(opened.view.child), b",".join(shown.fields)))
    head = {"id": held.pair, "queue": held.queue, "claimed_by_me": held.claimed_by is not None}
    return _json.encode(head)[:-1] + b',"children":[' + b",".join(records) + b"]}"


def _compared(reading: Reading) -> frozenset[str]:
    """The fields that stand by themselves: what two records are told apart by."""
    single = {category.id for category in reading.catalogue.categories.values() if category.single}
    return frozenset(field.id for field in reading.catalogue.fields if field.category in single)


async def claim(reading: Reading, asked: Asker, pair: str) -> None:
    """Work on a pair for half an hour. Raises Problem."""
    async with database.transaction(reading.pool) as conn:
        _, queues = await _officer(reading, asked, conn)
        try:
            await clearing_house.claim(conn, pair, queues=queues, by=asked.who.subject)
        except clearing_house.NoSuchPair:
            raise Problem("not-found", "There is no such pair in your queue.") from None
        except clearing_house.Claimed:
            raise Problem("held", "Somebody else works on this pair.") from None


async def decide(reading: Reading, asked: Asker, outbox: Outbox, pair: str, *, outcome: str, reason: str) -> int:
    """Decide a pair; the decision's number. Raises Problem."""
    async with database.transaction(reading.pool) as conn:
        _, queues = await _officer(reading, asked, conn)
        try:
            return await clearing_house.settle(
                conn, outbox, pair, queues=queues, outcome=outcome, by=asked.who.subject, reason=reason
            )
        except clearing_house.NoSuchPair:
            raise Problem("not-found", "There is no such pair in your queue.") from None
        except clearing_house.Claimed:
            raise Problem("held", "Somebody else works on this pair.") from None


async def unmerge(reading: Reading, asked: Asker, outbox: Outbox, child: str, *, decision: int, reason: str) -> int:
    """Undo a merge of this child; the new decision's number. Raises Problem."""
    opened = await road.find_or_refuse(reading, asked, child)
    async with database.transaction(reading.pool) as conn:
        await _officer(reading, asked, conn)
        try:
            return await clearing_house.unmerge(
                conn, outbox, decision, child=opened.view.child, by=asked.who.subject, reason=reason
            )
        except clearing_house.CannotUndo as error:
            raise Problem("validation", str(error)) from None


