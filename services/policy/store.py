"""Policy's tables, and one function for each question asked of them. Every change is an event in policy.events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from services.plumbing.kafka.outbox import NewEvent, Outbox, lock_streams

_NAMESPACE = uuid.UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60")


class Training(msgspec.Struct, frozen=True):
    """A course and the last day it counts."""

    course: str
    until: str


class Cover(msgspec.Struct, frozen=True):
    """Covering a named colleague between two dates."""

    professional_id: str
    start: str
    end: str


class Post(msgspec.Struct, frozen=True):
    """One post of one person, as the staff file says. address_hash: a keyed hash; the address itself is not kept."""

    post_id: str
    person_id: str
    name: str
    role: str
    organisation_kind: str
    organisations: list[str] = []
    team_ids: list[str] = []
    professional_ids: list[str] = []
    supervises: list[str] = []
    covers: list[Cover] = []
    on_duty: bool = False
    assigned_schools: list[str] = []
    training: list[Training] = []
    vetting_until: str | None = None
    address_hash: str | None = None
    starts: str | None = None
    ends: str | None = None


def stream_of(name: str) -> uuid.UUID:
    """The stream of a person, or of the bundles."""
    return uuid.uuid5(_NAMESPACE, f"policy|{name}")


async def publish(
    conn: asyncpg.Connection, outbox: Outbox, *, stream: str, type: str, ends: str | None, data: Mapping[str, Any]
) -> int:
    """One event in policy.events with the next position; the position. Positions are dense: their row is locked."""
    version = await conn.fetchval("update position set version = version + 1 returning version")
    id = stream_of(stream)
    await lock_streams(conn, [id], kind="policy")
    body = {"policy_version": version, "ends": ends, **data}
    await outbox.append(conn, [(id, [NewEvent(type, body, None)])])
    return version


async def position(conn: asyncpg.Connection) -> int:
    """The position of the latest event."""
    return await conn.fetchval("select version from position")


async def lock(conn: asyncpg.Connection) -> None:
    """Nobody else changes anything here before the caller's transaction ends: positions are dense."""
    await conn.execute("select version from position for update")


async def held(conn: asyncpg.Connection, post_id: str) -> bytes | None:
    """A post as bytes that differ when anything of it differs; None where there is none."""
    return await conn.fetchval("select convert_to(body::text, 'utf8') from posts where post_id = $1", post_id)


async def save_post(conn: asyncpg.Connection, outbox: Outbox, post: Post) -> bool:
    """Store a post; False when it is stored like that already. A change ends the person's leases: its holder's, and when
    it moves those of whoever held it before."""
    await lock(conn)
    before = await conn.fetchval("select person_id from posts where post_id = $1", post.post_id)
    changed = await conn.fetchval(
        "insert into posts values ($1, $2, $3) on conflict (post_id) do update set person_id = excluded.person_id,"
        " body = excluded.body where posts.body <> excluded.body returning true",
        post.post_id,
        post.person_id,
        msgspec.json.encode(post).decode(),
    )
    if not changed:
        return False
    if before is not None and before != post.person_id:
        left = {"person": before, "post": post.post_id, "role": None, "starts": None, "ends_on": None}
        await publish(conn, outbox, stream=before, type="policy.post-changed.v1", ends=before, data=left)
    data = {"person": post.person_id, "post": post.post_id, "role": post.role, "starts": post.starts, "ends_on": post.ends}
    await publish(conn, outbox, stream=post.person_id, type="policy.post-changed.v1", ends=post.person_id, data=data)
    return True


async def post(conn: asyncpg.Connection, person: str, post_id: str) -> Post | None:
    """A person's post."""
    body = await conn.fetchval("select body from posts where person_id = $1 and post_id = $2", person, post_id)
    return None if body is None else msgspec.json.decode(body, type=Post)


async def suspend(conn: asyncpg.Connection, outbox: Outbox, *, person: str, reason: str | None) -> None:
    """Suspend a person (with a reason) or give access back (None)."""
    await conn.execute("delete from suspensions where person_id = $1", person)
    if reason is not None:
        await conn.execute("insert into suspensions values ($1, $2)", person, reason)
    data = {"person": person, "suspended": reason is not None, "reason": reason}
    await publish(conn, outbox, stream=person, type="policy.person-suspended.v1", ends=person, data=data)


async def suspended(conn: asyncpg.Connection, person: str) -> bool:
    """Whether a person's access is suspended."""
    return await conn.fetchval("select exists (select from suspensions where person_id = $1)", person)


async def declare(conn: asyncpg.Connection, outbox: Outbox, *, person: str, child: str, kind: str) -> None:
    """A person declared that a child is theirs, a relative, a conflict, or a colleague's."""
    await conn.execute("insert into conflicts values ($1, $2, $3) on conflict do nothing", person, child, kind)
    data = {"person": person, "child": child, "kind": kind}
    await publish(conn, outbox, stream=person, type="policy.conflict-declared.v1", ends=person, data=data)


async def conflicts(conn: asyncpg.Connection, person: str) -> list[tuple[str, str]]:
    """(child, kind) that a person declared."""
    rows = await conn.fetch("select child_id::text as child, kind from conflicts where person_id = $1", person)
    return [(row["child"], row["kind"]) for row in rows]


@dataclass(frozen=True)
class Published:
    """A published bundle."""

    hash: str
    policies: list[dict[str, Any]]


async def save_bundle(
    conn: asyncpg.Connection, outbox: Outbox, *, hash: str, policies: Sequence[Mapping[str, Any]], by: str
) -> None:
    """Put a bundle in force: every lease ends."""
    data = {"bundle": hash, "policies": len(policies), "by": by}
    version = await publish(conn, outbox, stream="bundles", type="policy.bundle-published.v1", ends="all", data=data)
    await conn.execute(
        "insert into bundles (hash, policies, position, by) values ($1, $2, $3, $4)"
        " on conflict (hash) do update set position = excluded.position, by = excluded.by, published = now()",
        hash,
        msgspec.json.encode(list(policies)).decode(),
        version,
        by,
    )


async def bundle(conn: asyncpg.Connection, hash: str | None = None) -> Published | None:
    """A bundle by its hash, or the one in force."""
    row = await conn.fetchrow(
        "select hash, policies from bundles where $1::text is null or hash = $1 order by position desc limit 1", hash
    )
    return None if row is None else Published(row["hash"], msgspec.json.decode(row["policies"]))
