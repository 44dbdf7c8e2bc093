"""Leases: what policy knows of the asker now, for one purpose, for at most five seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import asyncpg

from services.disclosure.lease import LIFETIME, Cover, Lease
from services.plumbing.problems import Problem
from services.policy import store
from services.policy.store import Post

PURPOSES: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("purposes.json").read_text())
"""Which purposes a post may work for (sentence S02)."""
GATES = ("self", "relative", "conflict")
"""What closes a child's gate to a person, the closest first."""


async def issue(conn: asyncpg.Connection, *, person: str, post_id: str | None, purpose: str, today: date) -> Lease:
    """A lease. Raises Problem: `no-lease` (403) without a current post, `purpose-not-permitted`."""
    post = await store.post(conn, person, post_id) if post_id else None
    if post is None or not _current(post, today) or await store.suspended(conn, person):
        raise Problem("no-lease", "There is no current post to act in. Ask your manager.", status=403)
    purposes = PURPOSES.get(post.role, [])
    if purpose not in purposes:
        raise Problem("purpose-not-permitted", "This post does not work for that purpose.", permitted=purposes)
    bundle = await conn.fetchval("select hash from bundles order by position desc limit 1")
    if bundle is None:
        raise Problem("no-lease", "No policies are in force yet.")
    return _lease(
        post,
        purpose=purpose,
        purposes=purposes,
        bundle=bundle,
        version=await store.position(conn),
        declared=await store.conflicts(conn, person),
        today=today,
    )


def _current(post: Post, today: date) -> bool:
    day = today.isoformat()
    return (post.starts or "0000") <= day <= (post.ends or "9999")


def _lease(
    post: Post,
    *,
    purpose: str,
    purposes: list[str],
    bundle: str,
    version: int,
    declared: list[tuple[str, str]],
    today: date,
) -> Lease:
    day, now = today.isoformat(), time.time()
    return Lease(
        person=post.person_id,
        post=post.post_id,
        role=post.role,
        organisation_kind=post.organisation_kind,
        organisations=post.organisations,
        team_ids=post.team_ids,
        professional_ids=post.professional_ids,
        supervises=post.supervises,
        covers=[Cover(c.professional_id, c.start, c.end) for c in post.covers if c.start <= day <= c.end],
        on_duty=post.on_duty,
        assigned_schools=post.assigned_schools,
        training=sorted(one.course for one in post.training if one.until >= day),
        vetting_current=(post.vetting_until or "") >= day,
        address_hash=post.address_hash,
        conflicts=_closed(declared),
        colleagues_children=sorted(child for child, kind in declared if kind == "colleague"),
        purpose=purpose,
        bundle=bundle,
        policy_version=version,
        issued=now,
        expires=now + LIFETIME,
        name=post.name,
        purposes=purposes,
    )


def _closed(declared: list[tuple[str, str]]) -> dict[str, str]:
    """The children whose gate is closed, each with the closest kind that was declared."""
    return {child: kind for kind in reversed(GATES) for child, said in declared if said == kind}
