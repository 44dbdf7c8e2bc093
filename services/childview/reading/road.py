"""The road of a read, in this order: token, one query, lease, gates, `find`, levels, record, answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Hashable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.childview.projection import derived
from services.childview.projection.view import View
from services.childview.reading import gates, ready, store
from services.childview.reading.asking import EMERGENCY, Answer, Asker, Child, Reading, as_of, stale_sources
from services.childview.reading.disclose import Disclosure
from services.childview.reading.ready import Ready
from services.childview.reading.recording import record, settle
from services.childview.reading.relationship import Relationship, relationship
from services.childview.reading.store import Found
from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle, Memo, Request
from services.disclosure.lease import Lease
from services.plumbing import access
from services.plumbing.problems import Problem

CRITICAL = frozenset({"socialcare", "policy", "childview"})
"""Sources whose staleness could hide an ended involvement, a new shield or a decision: nothing is shown without them."""
FRONT_DOOR = "Ask the front door before you trust a blank."
DUTY_DESK = "Ring the duty desk."
NOT_FOUND = "No child you can open is here. The front door can tell you more."
Answered = TypeVar("Answered")


async def open_child(reading: Reading, asked: Asker, child: str, *, content: bool = True) -> Child:
    """Steps 2 to 5 for one child, the same work whether it is there or not. Raises Problem `no-lease`, `stale-source`."""
    async with reading.pool.acquire() as conn:
        found = await look(store.one(conn, child, asked.who, content=content))
    check_fresh(reading, asked, found.fresh)
    lease = await reading.leases.lease(asked.who, asked.purpose, after=found.ended)
    bundle = await reading.leases.bundle(lease)
    return stand(found, lease, bundle, asked, child, memo=reading.memo)


async def look(question: Awaitable[Answered]) -> Answered:
    """What the store answers. Raises Problem `stale-source` while the view is made anew."""
    try:
        return await question
    except store.Rebuilding:
        raise Problem("stale-source", f"What is held is being prepared anew, so nothing is shown. {DUTY_DESK}", retry_after=5) from None


def stand(found: Found, lease: Lease, bundle: Bundle, asked: Asker, child: str, *, memo: Memo) -> Child:
    """Relationship, gates and `find` for one child. Pure but for what `memo` remembers."""
    view = found.view or View(child=child)
    related = relationship(view.inputs, lease, asked.today)
    passed = gates.pass_gates(
        view, lease, related, asked.today, former=found.former, kin=found.kin, in_pair=found.in_pair,
        beside_adopted=found.beside_adopted,
    )
    request = request_of(view, lease, related, asked, glass=found.glass and asked.purpose == EMERGENCY)
    known = memo.scope(bundle, request)
    if "find" not in known:
        known["find"] = evaluate.allowed(bundle, request, "find")
    may, sat = known["find"]
    finds = may and passed.open and found.view is not None
    return Child(found, view, lease, bundle, request, related, passed, finds, sat, known)


def request_of(view: View, lease: Lease, related: Relationship, asked: Asker, *, glass: bool) -> Request:
    """Every declared attribute of subject, relationship, child and context."""
    return Request(
        subject={
            "post_role": lease.role,
            "organisation_kind": lease.organisation_kind,
            "team_ids": lease.team_ids,
            "training": lease.training,
            "vetting_current": lease.vetting_current,
        },
        relationship=related.attributes(),
        child={
            "age_band": derived.age_band(view.inputs, asked.today),
            "plan_statuses": sorted(derived.plan_statuses(view.inputs, asked.today)),
        },
        context={"purpose": asked.purpose, "channel": asked.channel, "break_glass": glass},
    )


def check_fresh(reading: Reading, asked: Asker, fresh: dict[str, datetime]) -> None:
    """Raises Problem `stale-source` when a source that could change who may see this is not fresh."""
    stale = stale_sources(fresh, asked.now, reading.settings.stale_after)
    missing = CRITICAL - fresh.keys()
    if missing or stale & CRITICAL:
        raise Problem("stale-source", f"What is held may be out of date, so nothing is shown. {DUTY_DESK}", retry_after=5)


def disclosure(reading: Reading, asked: Asker, child: Child) -> Disclosure:
    """What decides the levels of this child for this asker."""
    return Disclosure(
        reading.catalogue,
        child.known,
        child.bundle,
        child.request,
        own=frozenset(child.lease.organisations),
        link=child.view.link,
        today=asked.today,
    )


async def read_child(reading: Reading, asked: Asker, child: str, *, if_none_match: str | None = None) -> Answer:
    """One child, filtered and recorded. Raises Problem; `not-found` is the same for every reason."""
    started = time.perf_counter()
    with reading.measure.span("read", purpose=asked.purpose):
        opened = await find_or_refuse(reading, asked, child, content=False)
        found = reading.kept.get(_key(asked, opened))
        if found is None:
            opened = await find_or_refuse(reading, asked, child)
            found = reading.kept.keep(_key(asked, opened), _ready(reading, asked, opened))
        behind = {*opened.found.parked, *stale_sources(opened.found.fresh, asked.now, reading.settings.stale_after)}
        body = ready.body(found, ask=FRONT_DOOR, under_review=_under_review(opened), behind=behind)
        answer = await settle(reading, asked, [(opened, found)], body, action="read", if_none_match=if_none_match)
    reading.measure.metrics.observe("read_seconds", time.perf_counter() - started)
    for level, bits in found.masks.items():
        reading.measure.metrics.add("fields_shown", bits.bit_count(), level=level)
    return answer


def _key(asked: Asker, child: Child) -> Hashable:
    """Everything that what is shown depends on: the stored bytes, who asks (by the scope of all attributes), what is their own,
    what is silent, and the day."""
    view = child.view
    stored = (view.child, *view.streams.items(), view.decision, child.found.content_hash)
    return (stored, child.known[evaluate.NUMBER], tuple(child.lease.organisations), view.link, child.passed.silent, asked.today)


def _ready(reading: Reading, asked: Asker, child: Child) -> Ready:
    decided = disclosure(reading, asked, child)
    decided.show(child.view, child.content, silent=child.passed.silent)
    return ready.ready(child.view.child, decided, reading.catalogue)


async def find_or_refuse(reading: Reading, asked: Asker, child: str, *, content: bool = True) -> Child:
    """The child if this asker may know that it is here. Raises Problem `not-found` (recorded), or `stale-source` when
    a social-care stream of it is parked: a shield may wait there."""
    if not is_id(child):
        raise Problem("not-found", NOT_FOUND)
    opened = await open_child(reading, asked, child, content=content)
    if opened.found.became is not None and opened.found.view is None:
        await _moved(reading, asked, opened.found.became)
    if not opened.finds:
        await refuse(reading, asked, opened, child)
    if "socialcare" in opened.found.parked:
        await record(reading, asked, opened, action="parked", status=503)
        raise Problem("stale-source", f"A part of what is held cannot be read, so nothing is shown. {DUTY_DESK}")
    return opened


class Moved(Exception):
    """The child's records went to another, whom this asker may find: go there. The access is recorded."""

    def __init__(self, child: str, answer: Answer) -> None:
        super().__init__("moved")
        self.child, self.answer = child, answer


async def _moved(reading: Reading, asked: Asker, became: str) -> None:
    """Raises Moved if this asker may find the child that another became; otherwise the ordinary answer follows."""
    there = await open_child(reading, asked, became)
    if there.finds:
        made = await record(reading, asked, there, action="moved", status=308)
        raise Moved(became, Answer(b"", "", made.id, as_of(there.found.fresh), 308))


def is_id(child: str) -> bool:
    """Whether this could be a child's id at all."""
    try:
        return str(UUID(child)) == child
    except ValueError:
        return False


async def refuse(reading: Reading, asked: Asker, opened: Child, child: str) -> None:
    """Record the refused find, then the one answer for unknown, not yours, protected and adopted."""
    asked_for = access.digest(reading.settings.digest_key, child.encode())
    await record(reading, asked, opened, action="find-refused", status=404, query=asked_for)
    raise Problem("not-found", NOT_FOUND)


def _under_review(child: Child) -> bool:
    """A held record says so, to those who may find any child: they may find both. (A protected child's lookalike is
    withheld, and comes to none of them.)"""
    anybody = Request(child.request.subject, {"kinds": [], "phase": "current"}, child.request.child, child.request.context)
    return child.view.held and evaluate.allowed(child.bundle, anybody, "find")[0]
