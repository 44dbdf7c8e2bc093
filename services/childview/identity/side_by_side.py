"""Two children side by side: how well they agree today, in levels, never in values."""

from __future__ import annotations

import asyncpg

from services.childview.identity import index, links, models
from services.childview.identity.compare import compare
from services.childview.identity.demographics import Demographics, combine
from services.childview.identity.names import Spelling


async def spelling(conn: asyncpg.Connection) -> Spelling:
    """How names are compared today. Read it once for many pairs: the model that holds it is large."""
    return (await models.live(conn)).spelling


async def compared(conn: asyncpg.Connection, one: str, other: str, spelling: Spelling) -> dict[str, str]:
    """The level of each field that both of these children speak of; none where nothing is known of one of them."""
    mine, theirs = await _known_of(conn, one), await _known_of(conn, other)
    return compare(mine, theirs, spelling).levels if mine and theirs else {}


async def _known_of(conn: asyncpg.Connection, child: str) -> Demographics | None:
    records = [await index.person(conn, record) for record in await links.records_of(conn, child)]
    known = [who for who in records if who is not None]
    return combine(known) if known else None
