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
    """A model that is kept, or the first one, which is part of the software."""
    if version == Model().version:
        return Model()
    content = await conn.fetchval(f"select content from {SCHEMA}.models where version = $1", version)
    return None if content is None else from_json(content)


async def make_live(conn: asyncpg.Connection, version: str) -> None:
    """From the next decision on this model decides; the first one where no kept model has this version."""
    await conn.execute(f"update {SCHEMA}.models set live = (version = $1)", version)


async def keep_rehearsal(conn: asyncpg.Connection, version: str, changes: bytes) -> None:
    """Keep what a model would have changed."""
    await conn.execute(f"update {SCHEMA}.models set rehearsed = $2 where version = $1", version, changes)


async def was_rehearsed(conn: asyncpg.Connection, version: str) -> bool:
    """Whether it is known what a model would change. The first one is always known: it is the way back."""
    found = await conn.fetchval(f"select rehearsed is not null from {SCHEMA}.models where version = $1", version)
    return bool(found) or version == Model().version


async def known(conn: asyncpg.Connection) -> list[dict[str, object]]:
    """Every model, the newest first: version, when it was made, for how many children, whether it was rehearsed and is live."""
    rows = await conn.fetch(
        f"select version, made, content, rehearsed is not null as rehearsed, live from {SCHEMA}.models order by made desc"
    )
    first = {"version": Model().version, "made": "first", "expected": 0, "rehearsed": True, "live": not any(r["live"] for r in rows)}
    return [
        *(
            {
                "version": row["version"],
                "made": row["made"].isoformat(),
                "expected": from_json(row["content"]).expected,
                "rehearsed": row["rehearsed"],
                "live": row["live"],
            }
            for row in rows
        ),
        first,
    ]
