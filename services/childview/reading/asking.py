"""Who asks for which child, and what an answer is: the values that every road of reading shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

import asyncpg

from services.childview.projection import view as views
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.view import Content, View
from services.childview.reading.gates import Passed
from services.childview.reading.lease_holder import LeaseHolder
from services.childview.reading.ready import Kept
from services.childview.reading.relationship import Relationship
from services.childview.reading.store import Found
from services.disclosure.evaluate import Bundle, Memo, Request
from services.disclosure.lease import Lease
from services.plumbing.access import AccessWriter
from services.plumbing.kafka import envelope
from services.plumbing.problems import Problem
from services.plumbing.settings import Settings
from services.plumbing.telemetry import Telemetry
from services.plumbing.tokens import Principal

EMERGENCY = "emergency"
PURPOSES = ("casework", "enquiry", "attendance", "sen", "review", "data_quality", "subject_access", "audit", "emergency")


@dataclass(frozen=True)
class Reading:
    """What every read of this process uses. deciding: for what people decide, which is written to the outbox: the relay's
    heartbeat waits for sessions of that pool's name."""

    settings: Settings
    pool: asyncpg.Pool
    deciding: asyncpg.Pool
    catalogue: Catalogue
    leases: LeaseHolder
    writer: AccessWriter
    measure: Telemetry
    memo: Memo = field(default_factory=Memo)
    kept: Kept = field(default_factory=Kept)
    release: str = "0.1.0"


@dataclass(frozen=True)
class Asker:
    """Who asks, for what, through what, and when."""

    who: Principal
    purpose: str
    channel: str
    now: datetime

    @property
    def today(self) -> date:
        """The day of the read."""
        return self.now.date()


@dataclass(frozen=True)
class Child:
    """One child as far as the asker may come: found, related, gates passed, and whether `find` is allowed."""

    found: Found
    view: View
    lease: Lease
    bundle: Bundle
    request: Request
    relationship: Relationship
    passed: Passed
    finds: bool
    sat: int
    known: dict

    @cached_property
    def content(self) -> Content:
        """What could be shown of the child: read only once it is found."""
        return views.decode_content(self.found.content)


@dataclass(frozen=True)
class Answer:
    """What leaves: bytes, their digest as ETag, the access's id, and as of when the sources speak."""

    body: bytes
    etag: str
    access_id: str
    as_of: str
    status: int = 200


def asker(who: Principal, purpose: str | None, channel: str) -> Asker:
    """Raises Problem `purpose-missing`, or `token` for a service: practitioners alone read children."""
    if who.service is not None or not who.post:
        raise Problem("token", "Children are read by a person in one post.", status=403)
    if not purpose:
        raise Problem("purpose-missing", "Say what this is for in Purpose-Of-Use.", permitted=list(PURPOSES))
    if purpose not in PURPOSES:
        raise Problem("purpose-not-permitted", "There is no such purpose.", permitted=list(PURPOSES))
    return Asker(who, purpose, channel, datetime.now(UTC))


def stale_sources(fresh: dict[str, datetime], now: datetime, after: float) -> set[str]:
    """The sources that have not been heard for too long."""
    return {source for source, as_of in fresh.items() if (now - as_of).total_seconds() > after}


def as_of(fresh: dict[str, datetime]) -> str:
    """The time up to which every source speaks."""
    return envelope.timestamp(min(fresh.values())) if fresh else ""
