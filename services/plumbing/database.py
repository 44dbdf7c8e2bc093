"""PostgreSQL: pools, transactions and numbered migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

OWN_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_305_114
BY_KEY = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Every question here asks by key. So each is planned once, and never as a scan because its table was empty at that moment:
left to itself PostgreSQL spent three times as long on identity's candidates (1.6 against 0.5 ms), most of it on planning."""


async def connect(dsn: str, *, name: str, size: int = 8, replayed: bool = False) -> asyncpg.Pool:
    """A pool whose sessions are called `name` in pg_stat_activity.

    Pools whose transactions may write the outbox are called after their service: the relay finds the
    oldest of them by that name (see `relay.recorded_before`).

    replayed: everything written here is read from the log again from the offset written with it. Its commits need not wait for
    the disk: what a crash of the database takes, it takes whole, and the log gives it again.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=60,
        server_settings=_session(name, replayed),
        reset=_left_as_found,
    )


async def _left_as_found(_: asyncpg.Connection) -> None:
    """Nothing of ours outlives its transaction in a session: to clean it would be one question more for each that is asked."""


def _session(name: str, replayed: bool) -> dict[str, str]:
    return {"application_name": name, "timezone": "UTC", **BY_KEY} | ({"synchronous_commit": "off"} if replayed else {})


async def answers(pool: asyncpg.Pool, *, within: float = 2.0) -> bool:
    """Whether the database answers now."""
    try:
        async with asyncio.timeout(within), pool.acquire() as conn:
            return await conn.fetchval("select true")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def connect_one(dsn: str, *, name: str, replayed: bool = False) -> asyncpg.Connection:
    """A connection outside any pool, for writers that must never wait for one."""
    return await asyncpg.connect(
        dsn, command_timeout=60, server_settings=_session(name, replayed)
    )


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """One unit of work: committed when the block ends, rolled back when it raises."""
    async with pool.acquire() as conn, conn.transaction():
        yield conn


async def migrate(dsn: str, *folders: Path) -> list[str]:
    """Apply every numbered `.sql` file once, plumbing's own first; returns the names applied now.

    Safe to call from several processes at once: an advisory lock makes them take turns.
    """
    conn = await connect_one(dsn, name="migrate")
    try:
        await conn.execute("select pg_advisory_lock($1)", _MIGRATION_LOCK)
        await conn.execute(
            "create table if not exists migrations (name text primary key, applied timestamptz default now())"
        )
        done = {row["name"] for row in await conn.fetch("select name from migrations")}
        applied = []
        for name, path in _scripts((OWN_MIGRATIONS, *folders)):
            if name not in done:
                await _apply(conn, name, path.read_text())
                applied.append(name)
        return applied
    finally:
        await conn.close()


def _scripts(folders: tuple[Path, ...]) -> list[tuple[str, Path]]:
    """(name, path) in the order they run; a name is `<owner>/<file>` so that folders cannot clash."""
    return [
        (f"{folder.parent.name}/{path.name}", path)
        for folder in folders
        for path in sorted(folder.glob("*.sql"))
    ]


async def _apply(conn: asyncpg.Connection, name: str, script: str) -> None:
    async with conn.transaction():
        await conn.execute(script)
        await conn.execute("insert into migrations (name) values ($1)", name)
