"""Models as they are kept: every one that was ever live, and which is."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from services.childview.identity.model import Model, from_json, to_json
from services.childview.identity.phrases import SCHEMA


async def live(conn: asyncpg.Connection) -> Model:
    """The model that decides today; the first one until another was made live."""
    content = await conn.fetchval(f"select content from {SCHEMA}.models where live")
    return Model() if content is None else from_json(content)


async def live_version(conn: asyncpg.Connection) -> str | None:
    """The version of the live model, None for the first."""
    return await conn.fetchval(f"select version from {SCHEMA}.models where live")


async def keep(conn: asyncpg.Connection, model: Model) -> str:
    """Keep a model beside the live one; its version."""
    await conn.execute(
        f"insert into {SCHEMA}.models values ($1, $2, $3) on conflict do nothing", model.version, to_json(model), datetime.now(UTC)
    )
    return model.version


async def find(conn: asyncpg.Connection, version: str) -> Model | None:
    """A model that is kept."""
    content = await conn.fetchval(f"select content from {SCHEMA}.models where version = $1", version)
    return None if content is None else from_json(content)


async def make_live(conn: asyncpg.Connection, version: str) -> None:
    """From the next decision on this model decides."""
    await conn.execute(f"update {SCHEMA}.models set live = (version = $1)", version)


async def keep_rehearsal(conn: asyncpg.Connection, version: str, changes: bytes) -> None:
    """Keep what a model would have changed."""
    await conn.execute(f"update {SCHEMA}.models set rehearsed = $2 where version = $1", version, changes)


async def was_rehearsed(conn: asyncpg.Connection, version: str) -> bool:
    """Whether it is known what a model would change."""
    found = await conn.fetchval(f"select rehearsed is not null from {SCHEMA}.models where version = $1", version)
    return bool(found)


async def known(conn: asyncpg.Connection) -> list[dict[str, object]]:
    """Every model that is kept, the newest first: version, when it was made, whether it was rehearsed, whether it is live."""
    rows = await conn.fetch(
        f"select version, made, rehearsed is not null as rehearsed, live from {SCHEMA}.models order by made desc"
    )
    return [{**row, "made": row["made"].isoformat()} for row in rows]
