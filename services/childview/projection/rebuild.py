"""Rebuild: the whole projection made again from the log beside the live one; to compare the two, or to take its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg

from services.childview.projection import store
from services.childview.projection.apply import Applied, Projection, Rules
from services.childview.projection.view import VERSION
from services.plumbing.kafka.consumer import LogReader, Place
from services.plumbing.sealing import KeyCache

OLD = "projection_old"
"""What the live view became when another took its place: dropped at once, or by whoever starts next."""
NEAR = 1000
"""So many records at most are applied while the live view stands still."""
KEYS_AGAIN = 2.0
_LOCK = 7_305_116
Say = Callable[[int, int], None]
"""say(records done, records in all)"""


class RebuildRuns(Exception):
    """Another rebuild runs; this one is refused."""


class LogIncomplete(Exception):
    """The log ended before the offsets that the live projection has applied."""


class OtherVersion(Exception):
    """The live rows are of another version than this code makes: there is nothing to compare."""


async def outdated(pool: asyncpg.Pool) -> bool:
    """Whether live rows are of another version than this code makes."""
    async with pool.acquire() as conn:
        return await _is_outdated(conn)


async def _is_outdated(conn: asyncpg.Connection) -> bool:
    if not await _exists(conn, store.LIVE):
        return False
    return await conn.fetchval(
        f"select exists (select from {store.LIVE}.children where version <> 0 and version <> $1)", VERSION
    )


async def hide_outdated(conn: asyncpg.Connection) -> None:
    """Rows of another version are not shown by this code: without freshness every read answers 503."""
    if await _is_outdated(conn):
        await conn.execute(f"delete from {store.LIVE}.freshness")


async def tidy(pool: asyncpg.Pool) -> None:
    """Drop what a flip that was cut short left behind: it may hold what was to be destroyed."""
    async with pool.acquire() as conn:
        await conn.execute(f"drop schema if exists {OLD} cascade")


async def verify(
    pool: asyncpg.Pool, *, bootstrap: str, keys: KeyCache, rules: Rules, say: Say = lambda done, total: None
) -> tuple[dict[str, str], dict[str, str]]:
    """(digests of live, digests of the rebuild), both at the offsets live stood at when this began.

    Live is never written. Raises RebuildRuns, LogIncomplete, OtherVersion.
    """
    async with _alone(pool) as conn:
        if await _is_outdated(conn):
            raise OtherVersion("the live view is of another version; `childview rebuild` makes it anew")
        live, upto = await _snapshot(conn)
        beside = Projection(pool, keys, rules, schema=store.BESIDE)
        await _replay(beside, bootstrap, upto, say)
        found = await store.digests(conn, store.BESIDE)
        await conn.execute(f"drop schema {store.BESIDE} cascade")
        return live, found


async def flip(
    pool: asyncpg.Pool, *, bootstrap: str, keys: KeyCache, rules: Rules, say: Say = lambda done, total: None
) -> None:
    """Build the projection anew beside the live one, catch up with it, and let it take its place in one transaction.

    Ended at any moment and begun again, it comes to the same end: until the names change nothing live is touched, and then
    only the old tables are left to be dropped. Freshness starts empty. Raises RebuildRuns, LogIncomplete.
    """
    async with _alone(pool) as conn:
        beside = Projection(pool, keys, rules, schema=store.BESIDE)
        while True:
            await _replay(beside, bootstrap, await _live_offsets(conn), say)
            if await _take_its_place(conn, beside, bootstrap, say):
                break
        await conn.execute(f"drop schema if exists {OLD} cascade")


async def _take_its_place(conn: asyncpg.Connection, beside: Projection, bootstrap: str, say: Say) -> bool:
    """False when the live view has run ahead, or keys of its last records cannot be had now.

    The lock makes the projector wait at its fence: when it goes on, the fence it meets is the new one, at the same offsets.
    """
    async with conn.transaction():
        await conn.execute(f"lock table {store.LIVE}.offsets in exclusive mode")
        upto = await _live_offsets(conn)
        if _behind(beside, upto) > NEAR or not await _replay(beside, bootstrap, upto, say, patient=False):
            return False
        await conn.execute(
            f"update {store.BESIDE}.parked b set since = l.since from {store.LIVE}.parked l"
            ' where (b.stream_id, b.topic, b.partition, b."offset") = (l.stream_id, l.topic, l.partition, l."offset")'
        )
        await conn.execute(f"alter schema {store.LIVE} rename to {OLD}")
        await conn.execute(f"alter schema {store.BESIDE} rename to {store.LIVE}")
    return True


@asynccontextmanager
async def _alone(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the rebuild's lock, with nothing of an earlier rebuild left. Raises RebuildRuns."""
    async with pool.acquire() as conn:
        if not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            raise RebuildRuns("another rebuild runs")
        try:
            for schema in (OLD, store.BESIDE):
                await conn.execute(f"drop schema if exists {schema} cascade")
            yield conn
        finally:
            await conn.fetchval("select pg_advisory_unlock($1)", _LOCK)


async def _exists(conn: asyncpg.Connection, schema: str) -> bool:
    return await conn.fetchval("select exists (select from pg_namespace where nspname = $1)", schema)


async def _live_offsets(conn: asyncpg.Connection) -> dict[Place, int]:
    rows = await conn.fetch(f"select topic, partition, next from {store.LIVE}.offsets")
    return {(row["topic"], row["partition"]): row["next"] for row in rows}


async def _snapshot(conn: asyncpg.Connection) -> tuple[dict[str, str], dict[Place, int]]:
    """The live digests and the offsets they belong to, in one snapshot."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        upto = await _live_offsets(conn)
        return await store.digests(conn, store.LIVE), upto


def _behind(projection: Projection, upto: Mapping[Place, int]) -> int:
    return sum(max(0, end - projection.applied.get(place, 0)) for place, end in upto.items())


async def _replay(
    projection: Projection, bootstrap: str, upto: Mapping[Place, int], say: Say, *, patient: bool = True
) -> bool:
    """Apply the log up to these offsets. Not patient: False as soon as keys cannot be had. Raises LogIncomplete."""
    await projection.open(upto)
    begin = {place: projection.applied[place] for place, end in upto.items() if projection.applied[place] < end}
    if not begin:
        return True
    reader = LogReader(bootstrap, client="rebuild")
    await reader.start(begin)
    try:
        return await _read_on(projection, reader, upto, say, patient=patient)
    finally:
        await reader.stop()


async def _read_on(
    projection: Projection, reader: LogReader, upto: Mapping[Place, int], say: Say, *, patient: bool
) -> bool:
    total, idle = sum(upto.values()), 0
    while _behind(projection, upto):
        batch = [record for record in await reader.next_batch() if record.offset < upto[record.place]]
        idle = 0 if batch else idle + 1
        if idle > 20:
            raise LogIncomplete("the log is shorter than what the live view has applied")
        done = await projection.apply(batch)
        reader.pause(place for place, n in done.next.items() if n >= upto[place])
        say(sum(projection.applied.values()), total)
        if done.refused and not patient:
            return False
        await _again(reader, done)
    return True


async def _again(reader: LogReader, done: Applied) -> None:
    """Read once more, a little later, what could not be opened now."""
    if done.refused:
        reader.rewind(done.refused)
        await asyncio.sleep(KEYS_AGAIN)
