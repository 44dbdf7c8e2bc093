"""When each kind of file last came, and which sources are silent for longer than their rhythm. Nobody knows the holidays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

LEFT = timedelta(days=60)
"""An organisation that is silent so much longer than the others of a kind has left (a school that closed): nobody waits for it.
The summer holidays are six weeks."""


@dataclass(frozen=True)
class Delivered:
    """The last delivery of one kind of file by one organisation ('' where the files do not say). extracted: the newest day that
    any of them spoke of."""

    kind: str
    organisation: str
    delivered: datetime
    extracted: str


@dataclass(frozen=True)
class Heard:
    """How things stand with one kind. last: the newest delivery; since: the last of the organisation silent longest.

    silent: the organisations that are silent for longer than the kind's rhythm.
    """

    kind: str
    last: datetime
    since: datetime
    extracted: str
    rhythm: timedelta | None
    organisations: int
    silent: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """As the service tells it."""
        return {
            "kind": self.kind, "last": self.last.isoformat(), "extracted": self.extracted,
            "rhythm_days": None if self.rhythm is None else self.rhythm / timedelta(days=1),
            "organisations": self.organisations, "silent": bool(self.silent),
            "silent_since": self.since.isoformat() if self.silent else None, "silent_organisations": list(self.silent),
        }  # fmt: skip


def heard(found: Sequence[Delivered], rhythm: Mapping[str, float], *, now: datetime) -> list[Heard]:
    """How things stand with each kind that ever came; rhythm: kind -> days. Pure: what is now is an argument."""
    kinds: dict[str, list[Delivered]] = {}
    for one in found:
        kinds.setdefault(one.kind, []).append(one)
    return [_heard(kind, kinds[kind], rhythm.get(kind), now) for kind in sorted(kinds)]


def _heard(kind: str, found: Sequence[Delivered], days: float | None, now: datetime) -> Heard:
    last = max(one.delivered for one in found)
    awaited = [one for one in found if one.delivered >= last - LEFT]
    allowed = None if days is None else timedelta(days=days)
    silent = [one.organisation for one in awaited if allowed is not None and now - one.delivered > allowed]
    since = min(one.delivered for one in awaited)
    return Heard(kind, last, since, max(one.extracted for one in found), allowed, len(awaited), tuple(sorted(silent)))


async def record(conn: asyncpg.Connection, kind: str, organisations: Iterable[str], *, extracted: str) -> None:
    """This kind of file came from these organisations in this transaction."""
    await conn.execute(
        "insert into deliveries select $1, o, now(), $3 from unnest($2::text[]) as o on conflict (kind, organisation)"
        " do update set delivered = excluded.delivered, extracted = greatest(deliveries.extracted, excluded.extracted)",
        kind,
        sorted(organisations),
        extracted,
    )


async def all_of(conn: asyncpg.Connection) -> list[Delivered]:
    """The last delivery of each kind by each organisation."""
    return [Delivered(*row) for row in await conn.fetch("select kind, organisation, delivered, extracted from deliveries")]


async def warn(conn: asyncpg.Connection, kind: str, *, now: datetime) -> bool:
    """Whether today's warning of a silent kind is still to be given; from now on it is given, whatever process asks."""
    done = await conn.execute(
        "insert into silences values ($1, $2) on conflict (kind) do update set warned = excluded.warned"
        " where silences.warned < excluded.warned",
        kind,
        now.date(),
    )
    return done.endswith(" 1")
