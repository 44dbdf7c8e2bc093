"""What people decide: pairs that are held, and merges to undo. The second writer of the decisions' stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from services.childview.identity import index, links, people, proposals, store
from services.childview.identity.decide import Decision, Linked, Pair
from services.childview.identity.people import Parting
from services.childview.identity.settling import Settling
from services.plumbing.kafka.outbox import Outbox

CLAIM = timedelta(minutes=30)
AT_ONCE = 100


@dataclass(frozen=True)
class Held:
    """One pair in a queue: its id, the two children, and who has claimed it until when; since when it waits, how it is ranked,
    what was found when it was weighed and by which model, and what people said of it while it stood in this queue.

    aside: when somebody could not tell. proposed: the decision by which somebody proposed that the two are the same.
    """

    pair: str
    record: str
    candidate: str
    child: str
    candidate_child: str
    queue: str
    claimed_by: str | None
    risk: int
    since: datetime
    levels: Mapping[str, str]
    vetoes: Sequence[str]
    model: str | None
    aside: datetime | None
    aside_reason: str | None
    proposed: int | None


class NoSuchPair(Exception):
    """There is no such open pair in this queue."""


class Claimed(Exception):
    """Somebody else works on this pair."""


class ToldApart(Exception):
    """People decided that these are different children."""


class NotFollowed(Exception):
    """Identity has not read its own topic since this database was started or restored: the next number may be taken."""


class CannotUndo(Exception):
    """There is no such merge, or it was undone already; the message says which."""


_HELD = f"""
select p.pair_id::text as pair, p.stream_id::text as record, p.candidate::text as candidate,
    l.child_id::text as child, c.child_id::text as candidate_child, p.queue,
    case when p.claimed > $1 then p.claimed_by end as claimed_by, p.risk, since.recorded as since,
    why.body->'evidence'->(p.why_record::text) as found, why.body->'evidence'->>'model' as model, aside.recorded as aside,
    case when aside.body->'held' @> jsonb_build_array(jsonb_build_object('pair', p.pair_id::text, 'queue', p.queue))
        then aside.body->>'reason' end as aside_reason, p.proposed
from {store.SCHEMA}.pairs p
join {store.SCHEMA}.links l on l.stream_id = p.stream_id
join {store.SCHEMA}.links c on c.stream_id = p.candidate
join {store.SCHEMA}.decisions since on since.number = p.since
left join {store.SCHEMA}.decisions why on why.number = p.why
left join {store.SCHEMA}.decisions aside on aside.number = p.aside
"""


def _held(row: asyncpg.Record) -> Held:
    said = dict(row)
    found = msgspec.json.decode(said.pop("found") or "{}")
    return Held(**said, levels=found.get("fields", {}), vetoes=found.get("vetoes", []))


async def queue(conn: asyncpg.Connection, queues: Sequence[str]) -> AsyncIterator[Held]:
    """Every open pair of these queues: by risk, then age, and last those of which somebody could not tell. Who asks takes as
    many as may be shown."""
    ids = await conn.fetch(
        f"select pair_id from {store.SCHEMA}.pairs where queue = any($1) order by aside is not null, risk, since, pair_id",
        list(queues),
    )
    names = [row["pair_id"] for row in ids]
    for start in range(0, len(names), AT_ONCE):
        rows = await conn.fetch(
            f"{_HELD} join unnest($2::uuid[]) with ordinality as wanted(id, place) on wanted.id = p.pair_id"
            " where p.queue = any($3) order by wanted.place",
            datetime.now(UTC) - CLAIM,
            names[start : start + AT_ONCE],
            list(queues),
        )
        for row in rows:
            yield _held(row)


async def pair(conn: asyncpg.Connection, id: str, *, queues: Sequence[str]) -> Held:
    """One open pair. Raises NoSuchPair, also for a pair in another queue."""
    since = datetime.now(UTC) - CLAIM
    row = await conn.fetchrow(f"{_HELD} where p.pair_id = $2 and p.queue = any($3)", since, id, list(queues))
    if row is None:
        raise NoSuchPair
    return _held(row)


async def _same_as_seen(conn: asyncpg.Connection, seen: Held, by: str) -> Held:
    """The pair as it stands now, in the queue and between the children in which it was looked at. Raises NoSuchPair,
    Claimed."""
    held = await pair(conn, seen.pair, queues=[seen.queue])
    if (held.child, held.candidate_child) != (seen.child, seen.candidate_child):
        raise NoSuchPair
    if held.claimed_by not in (None, by):
        raise Claimed
    return held


async def claim(conn: asyncpg.Connection, seen: Held, *, by: str) -> None:
    """Work on a pair for half an hour. Raises NoSuchPair, Claimed."""
    await store.lock_decisions(conn)
    await _same_as_seen(conn, seen, by)
    await conn.execute(
        f"update {store.SCHEMA}.pairs set claimed_by = $2, claimed = $3 where pair_id = $1", seen.pair, by, datetime.now(UTC)
    )


async def settle(conn: asyncpg.Connection, outbox: Outbox, seen: Held, *, outcome: str, by: str, reason: str) -> int:
    """Decide a pair that this person was shown: `same`, `different` or `cannot-tell`; the decision's number.

    The caller has made sure that the person may find both children. Raises NoSuchPair when the pair does not stand any
    more as it was shown, Claimed, ToldApart, NotFollowed.
    """
    settling = await _locked(conn, outbox)
    return await _settle(settling, await _same_as_seen(conn, seen, by), outcome, by, reason)


async def settle_by_two(conn: asyncpg.Connection, outbox: Outbox, seen: Held, *, by: str, reason: str) -> tuple[int, bool]:
    """Propose that two children are the same, or confirm what another proposed: the decision's number, and whether it took
    effect. Raises AwaitsAnother, and what `settle` raises."""
    settling = await _locked(conn, outbox)
    held = await _same_as_seen(conn, seen, by)
    standing = await proposals.standing(conn, held.proposed, held.child, held.candidate_child, queue=held.queue)
    confirms = proposals.confirmed(standing, by)
    if confirms is not None:
        return await _settle(settling, held, "same", by, reason, proposal=confirms.number), True
    await _same(conn, held, _pair(held), by, reason)
    await conn.execute(f"update {store.SCHEMA}.pairs set claimed_by = null, claimed = null where pair_id = $1", held.pair)
    return await settling.record(Decision(proposals.PROPOSE, {}, opens=(_pair(held),), by=by, reason=reason)), False


async def _settle(
    settling: Settling, held: Held, outcome: str, by: str, reason: str, *, proposal: int | None = None
) -> int:
    decide = {"same": _same, "different": _different, "cannot-tell": _cannot_tell}[outcome]
    decision = await decide(settling.conn, held, _pair(held), by, reason)
    number = await settling.record(replace(decision, proposal=proposal))
    await settling.around(decision.sets, ending=True)
    return number


def _pair(held: Held) -> Pair:
    return Pair(held.record, held.candidate, held.queue)


async def _locked(conn: asyncpg.Connection, outbox: Outbox) -> Settling:
    await store.lock_decisions(conn)
    if not await store.followed(conn):
        raise NotFollowed
    return Settling(conn, outbox)


async def _same(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> Decision:
    children = held.child, held.candidate_child
    if await links.parted(conn, *children):
        raise NoSuchPair
    if await links.told_apart(conn, *children):
        raise ToldApart
    moving, staying = [await _links_of(conn, child) for child in children]
    return people.merge(
        found,
        moving=moving,
        into=held.candidate_child,
        staying=staying,
        pairs=await links.pairs_about(conn, children),
        shielded=bool(await index.protected_records(conn, [*moving, *staying])),
        by=by,
        reason=reason,
    )


async def _links_of(conn: asyncpg.Connection, child: str) -> dict[str, Linked]:
    return {record: linked for record, (linked, _) in (await links.records_of(conn, child)).items()}


async def _different(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> Decision:
    children = held.child, held.candidate_child
    pairs = await links.pairs_about(conn, children)
    named = {name for one in pairs for name in one.records}
    return people.keep_apart(
        found,
        links=await links.links(conn, named),
        pairs=pairs,
        shielded=[child for child in children if await index.protected(conn, child)],
        by=by,
        reason=reason,
    )


async def _cannot_tell(conn: asyncpg.Connection, held: Held, found: Pair, by: str, reason: str) -> Decision:
    return Decision("cannot-tell", {}, opens=(found,), by=by, reason=reason)


async def unmerge(conn: asyncpg.Connection, outbox: Outbox, number: int, *, child: str, by: str, reason: str) -> int:
    """Undo the merge decided under this number. Raises CannotUndo, NotFollowed."""
    settling = await _locked(conn, outbox)
    return await _unmerge(settling, await _parting(settling, await _undoable(conn, number, child), child), by, reason)


async def unmerge_by_two(
    conn: asyncpg.Connection, outbox: Outbox, number: int, *, child: str, by: str, reason: str
) -> tuple[int, bool]:
    """Propose to undo a merge, or confirm what another proposed: the decision's number, and whether it took effect. Raises
    AwaitsAnother, and what `unmerge` raises."""
    settling = await _locked(conn, outbox)
    parting = await _parting(settling, await _undoable(conn, number, child), child)
    confirms = proposals.confirmed(await proposals.to_undo(conn, number, child), by)
    if confirms is not None:
        return await _unmerge(settling, parting, by, reason, proposal=confirms.number), True
    return await settling.record(Decision(proposals.PROPOSE, {}, by=by, reason=reason, undoes=number)), False


async def _unmerge(settling: Settling, parting: Parting, by: str, reason: str, *, proposal: int | None = None) -> int:
    decision = people.unmerge(parting, by=by, reason=reason)
    undone = await settling.record(replace(decision, proposal=proposal))
    await settling.around(decision.sets, ending=True)
    return undone


async def _undoable(conn: asyncpg.Connection, number: int, child: str) -> store.Decided:
    """The merge, if it is one, of this child, and not undone. Raises CannotUndo."""
    merged = await store.decision(conn, number)
    if merged is None or merged.kind != "merge":
        raise CannotUndo("There is no such merge.")
    if {item["child"] for item in merged.body["sets"]} != {child}:
        raise CannotUndo("That merge is not of this child.")
    if await conn.fetchval(
        f"select exists (select from {store.SCHEMA}.decisions where kind = 'unmerge' and body->>'undoes' = $1)", str(number)
    ):
        raise CannotUndo("That merge was undone already.")
    return merged


async def _parting(settling: Settling, merged: store.Decided, child: str) -> Parting:
    """What the unmerge parts. Only what this very merge put into the child goes back: what was moved since stays moved.
    Raises CannotUndo."""
    conn = settling.conn
    before = {record: msgspec.convert(was, Linked) for record, was in merged.before.items()}
    present = await links.records_of(conn, child)
    moved = {record: was for record, was in before.items() if was.child != child}
    back = {r: was for r, was in moved.items() if r in present and present[r][1] == merged.number}
    if not back:
        raise CannotUndo("What that merge joined was parted already.")
    later = {r: linked for r, (linked, at) in present.items() if r not in before and at > merged.number}
    stayed = {r: _as_before(linked, before.get(r)) for r, (linked, _) in present.items() if r not in back and r not in later}
    closed = [
        Pair(item["record"], item["candidate"], item["queue"])
        for item in merged.body["held"]
        if item["state"] == "decided" and item["record"] in present
    ]
    return Parting(
        merged.number,
        back,
        stayed,
        later,
        pairs=await links.pairs_about(conn, [child]),
        reopens=await links.would_be_open(conn, closed, _sides(back, stayed)),
        shields={r: await settling.shields(r, child=None if r in later else child) for r in present},
        protected=await index.protected_records(conn, present),
        had=await _had(conn, {r: present[r][1] for r in later}),
    )


async def _had(conn: asyncpg.Connection, moved: Mapping[str, int]) -> dict[str, str]:
    """The child of its own that a record had before the decision that moved it, where that child is nobody's now."""
    found = {}
    for record, number in moved.items():
        decided = await store.decision(conn, number)
        was = decided.before.get(record) if decided else None
        if was and not await links.records_of(conn, was["child"]):
            found[record] = was["child"]
    return found


def _sides(*parted: Mapping[str, Linked]) -> list[list[str]]:
    """The records of each child that these become."""
    return [[record for record, to in side.items() if to.child == child] for side in parted for child in {to.child for to in side.values()}]


def _as_before(linked: Linked, was: Linked | None) -> Linked:
    """A record that stays, linked as firmly as it was before the merge."""
    return linked if was is None else replace(linked, basis=was.basis)
