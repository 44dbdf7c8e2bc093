"""The record of an access: durable before its answer leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.childview.projection import view as views
from services.childview.reading.asking import Answer, Asker, Child, Reading, as_of, stale_sources
from services.childview.reading.disclose import Disclosure
from services.childview.reading.ready import Ready
from services.disclosure.lease import Lease
from services.plumbing import access
from services.plumbing.access import Access, ChildAccess
from services.plumbing.kafka import envelope


async def record(
    reading: Reading, asked: Asker, opened: Child, *, action: str, status: int, query: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Access:  # fmt: skip
    """Make an access to one child durable of which nothing is shown."""
    made = make_access(
        reading, asked, opened.lease, action=action, status=status, query=query, answer=None, fresh=opened.found.fresh,
        children=[child_access(opened, None)] if opened.found.view is not None else [], detail=detail,
    )  # fmt: skip
    await reading.writer.write(made)
    return made


async def settle(
    reading: Reading,
    asked: Asker,
    children: Sequence[tuple[Child, Disclosure | Ready]],
    body: bytes,
    *,
    action: str,
    if_none_match: str | None = None,
    query: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Answer:
    """Make the access durable; only then is there an answer to send."""
    first = children[0][0]
    digest = access.digest(reading.settings.digest_key, body)
    etag = f'"{access.digest(reading.settings.digest_key, asked.who.subject.encode(), body)[:32]}"'
    unchanged = _names(if_none_match, etag)
    made = make_access(
        reading, asked, first.lease, action="not-modified" if unchanged else action, status=304 if unchanged else 200,
        children=[child_access(child, decided) for child, decided in children], query=query, answer=digest,
        fresh=first.found.fresh, detail=detail,
    )  # fmt: skip
    await reading.writer.write(made)
    return Answer(b"" if unchanged else body, etag, made.id, as_of(first.found.fresh), 304 if unchanged else 200)


def _names(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this answer (RFC 9110: a list, weakly compared; `*` is any)."""
    named = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    return etag in named or "*" in named


def make_access(
    reading: Reading,
    asked: Asker,
    lease: Lease,
    *,
    action: str,
    status: int,
    children: list[ChildAccess],
    query: str | None,
    answer: str | None,
    fresh: dict[str, datetime],
    detail: dict[str, Any] | None = None,
) -> Access:
    """The record of one access, whatever it came to."""
    return Access(
        id=envelope.uuid7(),
        action=action,
        person=lease.person,
        post=lease.post,
        purpose=asked.purpose,
        clock=envelope.timestamp(asked.now),
        channel=asked.channel,
        status=status,
        bundle=lease.bundle,
        policy_version=lease.policy_version,
        catalogue=reading.catalogue.hash,
        projection_version=views.VERSION,
        release=reading.release,
        query=query,
        answer=answer,
        stale=sorted(stale_sources(fresh, asked.now, reading.settings.stale_after)),
        parked=sorted({service for child in children for service in child.parked}),
        children=children,
        detail=detail or {},
    )


def child_access(child: Child, decided: Disclosure | Ready | None) -> ChildAccess:
    """What was decided for one child, with every attribute, tested or not."""
    entries, fields = decided.record() if decided is not None else ([], {})
    vectors: dict[str, Any] = {
        "subject": dict(child.request.subject),
        "child": dict(child.request.child),
        "context": {**child.request.context, "find": child.finds, "find_sat": f"{child.sat:x}"},
    }
    return ChildAccess(
        child=child.view.child,
        relationship=access.Relationship(sorted(child.relationship.kinds), child.relationship.phase),
        vectors=vectors,
        entries=entries,
        fields=fields,
        flags=dict(child.passed.flags),
        streams=dict(child.view.streams),
        decision=child.view.decision,
        parked=list(child.found.parked),
    )
