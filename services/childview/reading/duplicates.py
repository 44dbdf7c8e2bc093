"""The clearing house over HTTP: pairs that are held, shown by the same road as every read, and decided by people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.childview.identity import clearing_house, conflicts, explain, index, proposals, side_by_side
from services.childview.identity.clearing_house import Held
from services.childview.identity.decide import PROTECTION
from services.childview.identity.names import Spelling
from services.childview.reading import asking, recording, road, store
from services.childview.reading.asking import Answer, Asker, Child, Reading
from services.childview.reading.disclose import Disclosure
from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle
from services.disclosure.lease import Lease
from services.plumbing import access, database
from services.plumbing import app as wires
from services.plumbing.kafka import envelope
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.problems import Problem

QUEUES = {
    "clearing-house-officer": ("ordinary",),
    "protection-officer": ("protection", "ordinary"),
    "adoption-officer": ("protection",),
}
"""The queues of each post. Of these it sees the pairs of which it finds both children: an adopted child's the adoption
team alone, a shielded child's the protection team."""
MOST = 50
PROBLEMS: dict[type[Exception], tuple[str, str]] = {
    clearing_house.NoSuchPair: ("not-found", "There is no such pair in your queue."),
    clearing_house.Claimed: ("held", "Somebody else works on this pair."),
    clearing_house.ToldApart: ("held", "People decided that these are different children."),
    conflicts.NoSuchConflict: ("not-found", "There is no such conflict in your queue."),
    proposals.AwaitsAnother: ("held", "You proposed this. Another person has to confirm it."),
    clearing_house.NotFollowed: ("stale-source", "Decisions made before are still being read. Try again soon."),
}
CAREFUL = frozenset({"looked_after", "protection"})
"""Plans by which it takes two people to join a child with another, or to part it."""
WHEREABOUTS = ("place", "contacts")
"""What tells where somebody lives, or with whom."""
_json = msgspec.json.Encoder(order="deterministic")
Sides = Sequence[tuple[Child, Disclosure]]
Work = Callable[[asyncpg.Connection], Awaitable[tuple[int, bytes]]]


@dataclass(frozen=True)
class Officer:
    """Someone who may merge: the lease, its policies, the queues, and how fresh everything was when that was found."""

    lease: Lease
    bundle: Bundle
    queues: Sequence[str]
    fresh: dict[str, datetime]


@dataclass(frozen=True)
class Act:
    """What somebody does with pairs or merges: the name it is recorded by, what it is about, and the request's key."""

    action: str
    about: str
    key: str | None = None
    said: tuple[str, ...] = ()

    @property
    def request(self) -> bytes:
        """What a retry must say again."""
        return _json.encode([self.action, self.about, *self.said])


async def officer_of(reading: Reading, asked: Asker, act: Act) -> Officer:
    """Raises Problem `not-found` (recorded) for everybody who may not merge."""
    found, may = await someone(reading, asked, "merge")
    if not found.queues or not may:
        await record(reading, asked, found, act, status=404, sides=())
        raise Problem("not-found", "There is nothing here for this post.")
    return found


async def someone(reading: Reading, asked: Asker, action: str) -> tuple[Officer, bool]:
    """Who asks, and whether they may do this, whatever child it is about."""
    async with reading.pool.acquire() as conn:
        now = await store.standing(conn, asked.who.subject)
    lease = await reading.leases.lease(asked.who, asked.purpose, after=now.ended)
    road.check_fresh(reading, asked, now.fresh)
    bundle = await reading.leases.bundle(lease)
    nobody = road.stand(store.nobody(now), lease, bundle, asked, "", memo=reading.memo)
    officer = Officer(lease, bundle, QUEUES.get(lease.role, ()), now.fresh)
    return officer, evaluate.allowed(bundle, nobody.request, action)[0]


async def queue(reading: Reading, asked: Asker) -> Answer:
    """The pairs this officer may decide. A pair with a protected child is in no ordinary queue; what this officer does not
    find takes no place."""
    officer = await officer_of(reading, asked, Act("duplicates", ""))
    items: list[bytes] = []
    opened: list[tuple[Child, Disclosure]] = []
    async with reading.pool.acquire() as conn:
        spelling = await side_by_side.spelling(conn)
        async for held in clearing_house.queue(conn, officer.queues):
            sides = [await side(reading, asked, conn, officer, child) for child in (held.child, held.candidate_child)]
            if all(child.finds and not parked(child) for child, _ in sides):
                opened += sides
                why = await _why(conn, held, sides, spelling, me=asked.who.subject)
                items.append(_pair(reading, asked, held, sides, why))
            if len(items) == MOST:
                break
    body = b'{"items":[' + b",".join(items) + b"]}"
    made = recording.make_access(
        reading, asked, officer.lease, action="duplicates", status=200, query=None, fresh=officer.fresh,
        children=[recording.child_access(*one) for one in opened],
        answer=access.digest(reading.settings.digest_key, body),
    )  # fmt: skip
    await reading.writer.write(made)
    return Answer(body, "", made.id, asking.as_of(officer.fresh))


def parked(child: Child) -> bool:
    """Whether a shield may wait where it cannot be read."""
    return "socialcare" in child.found.parked


async def side(
    reading: Reading, asked: Asker, conn: asyncpg.Connection, officer: Officer, child: str
) -> tuple[Child, Disclosure]:
    found = await road.look(store.one(conn, child, asked.who))
    opened = road.stand(found, officer.lease, officer.bundle, asked, child, memo=reading.memo)
    return opened, road.disclosure(reading, asked, opened)


def _pair(reading: Reading, asked: Asker, held: Held, sides: Sides, why: Mapping[str, Any]) -> bytes:
    """Two children side by side, each as this officer may see it, and in words how well they agree. A protected child's pair
    is reviewed blind: by the words alone."""
    records = []
    for opened, decided in sides:
        fields: list[bytes] = []
        if held.queue != PROTECTION:
            fields = decided.show(opened.view, opened.content, silent=opened.passed.silent, fields=compared(reading)).fields
        records.append(b'{"id":%s,"fields":{%s}}' % (_json.encode(opened.view.child), b",".join(fields)))
    head = _json.encode({**_head(held, asked.who.subject), **why})
    return head[:-1] + b',"children":[' + b",".join(records) + b"]}"


def _head(held: Held, me: str) -> dict[str, Any]:
    mine = held.claimed_by == me
    aside = None if held.aside is None else {"since": envelope.timestamp(held.aside), "reason": held.aside_reason}
    return {
        "id": held.pair, "queue": held.queue, "claimed": held.claimed_by is not None, "claimed_by_me": mine,
        "risk": explain.RISKS[held.risk], "since": envelope.timestamp(held.since), "set_aside": aside,
    }  # fmt: skip


async def _why(conn: asyncpg.Connection, held: Held, sides: Sides, spelling: Spelling, *, me: str) -> dict[str, Any]:
    """How well the two agree today, why the pair is held, and what somebody proposed of it. Where a child's whereabouts are
    silent, nothing says whether two live together."""
    silent = any(child.passed.silent for child, _ in sides)
    levels = await side_by_side.compared(conn, held.child, held.candidate_child, spelling)
    found = await proposals.standing(conn, held.proposed, held.child, held.candidate_child, queue=held.queue)
    said = {name: level for name, level in (held.levels or levels).items() if not (silent and name in WHEREABOUTS)}
    vetoes = explain.own(held.vetoes)
    return {
        "compare": explain.in_words(levels, without=WHEREABOUTS if silent else ()),
        "why": explain.explain(said, vetoes, protected=held.queue == PROTECTION),
        "vetoes": vetoes, "model": held.model,
        "proposed": None if found is None else {"reason": found.reason, "until": envelope.timestamp(found.until)},
        "proposed_by_me": found is not None and found.by == me,
    }  # fmt: skip


def compared(reading: Reading) -> frozenset[str]:
    """The fields that stand by themselves: what two records are told apart by."""
    single = {category.id for category in reading.catalogue.categories.values() if category.single}
    return frozenset(field.id for field in reading.catalogue.fields if field.category in single)


async def claim(reading: Reading, asked: Asker, pair: str, *, key: str | None = None) -> Answer:
    """Work on a pair for half an hour. Raises Problem."""
    act = Act("duplicate-claimed", pair, key)
    officer = await officer_of(reading, asked, act)
    held, sides = await shown(reading, asked, officer, pair)

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        await clearing_house.claim(conn, allowed(held, sides), by=asked.who.subject)
        return 204, b""

    return await do(reading, asked, officer, act, sides, work)


async def decide(
    reading: Reading, asked: Asker, outbox: Outbox, pair: str, *, outcome: str, reason: str, key: str | None = None
) -> Answer:
    """Decide a pair: {"decision": its number}; or, where a second person has to confirm it, {"proposal": its number}.
    Raises Problem."""
    act = Act("duplicate-decided", pair, key, (outcome, reason))
    officer = await officer_of(reading, asked, act)
    held, sides = await shown(reading, asked, officer, pair)

    async def work(conn: asyncpg.Connection) -> tuple[int, bytes]:
        found = allowed(held, sides)
        number, done = await _settled(conn, outbox, found, sides, outcome, by=asked.who.subject, reason=reason)
        return numbered(number, done)

    return await do(reading, asked, officer, act, sides, work)


async def _settled(
    conn: asyncpg.Connection, outbox: Outbox, held: Held, sides: Sides, outcome: str, *, by: str, reason: str
) -> tuple[int, bool]:
    """The decision's number, and whether it took effect."""
    if outcome == "same" and await by_two(conn, sides):
        return await clearing_house.settle_by_two(conn, outbox, held, by=by, reason=reason)
    return await clearing_house.settle(conn, outbox, held, outcome=outcome, by=by, reason=reason), True


async def by_two(conn: asyncpg.Connection, sides: Sides) -> bool:
    """Whether a protected or looked-after child is touched, or one on a protection plan: then nobody joins or parts it alone."""
    if any(not CAREFUL.isdisjoint(child.request.child["plan_statuses"]) for child, _ in sides):
        return True
    return any([await index.protected(conn, child.view.child) for child, _ in sides])


def numbered(number: int, done: bool) -> tuple[int, bytes]:
    """The answer to a decision: its number, and whether it took effect."""
    return (201, _json.encode({"decision": number})) if done else (202, _json.encode({"proposal": number}))


async def shown(reading: Reading, asked: Asker, officer: Officer, pair: str) -> tuple[Held | None, Sides]:
    """An open pair of the officer's queues and its two children as this officer meets them; None when there is none."""
    if not road.is_id(pair):
        return None, ()
    async with reading.pool.acquire() as conn:
        try:
            held = await clearing_house.pair(conn, pair, queues=officer.queues)
        except clearing_house.NoSuchPair:
            return None, ()
        children = (held.child, held.candidate_child)
        return held, [await side(reading, asked, conn, officer, child) for child in children]


def allowed(held: Held | None, sides: Sides) -> Held:
    """The pair, if this officer finds both children. Raises NoSuchPair: there is no other answer for what is hidden."""
    if held is None or not all(child.finds for child, _ in sides):
        raise clearing_house.NoSuchPair
    readable(sides)
    return held


def readable(sides: Sides) -> None:
    """Raises Problem `stale-source` when a shield may wait where it cannot be read."""
    if any(parked(child) for child, _ in sides):
        raise Problem("stale-source", f"A part of what is held cannot be read, so nothing is decided. {road.DUTY_DESK}")


async def do(reading: Reading, asked: Asker, officer: Officer, act: Act, sides: Sides, work: Work) -> Answer:
    """Do it once for the request's key, in one transaction that asks nobody; record it, also when it is refused; answer."""
    try:
        async with database.transaction(reading.deciding) as conn:
            status, body = await wires.once(
                conn, principal=asked.who.subject, key=act.key, request=act.request, work=lambda: work(conn)
            )
    except (Problem, clearing_house.CannotUndo, *PROBLEMS) as error:
        problem = _problem(error)
        await record(reading, asked, officer, act, status=problem.status, sides=sides)
        raise problem from None
    made = await record(reading, asked, officer, act, status=status, sides=sides, body=body)
    return Answer(body, "", made, asking.as_of(officer.fresh), status)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, clearing_house.CannotUndo):
        return Problem("validation", str(error))
    return Problem(*PROBLEMS[type(error)])


async def record(
    reading: Reading, asked: Asker, officer: Officer, act: Act, *, status: int, sides: Sides, body: bytes | None = None
) -> str:
    """Make the access durable before anything is answered; its id."""
    made = recording.make_access(
        reading, asked, officer.lease, action=act.action, status=status, fresh=officer.fresh,
        children=[recording.child_access(child, None) for child, _ in sides if child.found.view is not None or body is not None],
        query=access.digest(reading.settings.digest_key, act.about.encode()),
        answer=None if body is None else access.digest(reading.settings.digest_key, body),
    )  # fmt: skip
    await reading.writer.write(made)
    return made.id
