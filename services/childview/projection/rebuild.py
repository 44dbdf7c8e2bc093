"""Rebuild: the whole projection made again from the log beside the live one, up to the same offsets, and compared."""

from __future__ import annotations

import asyncpg

from services.childview.projection import store
from services.childview.projection.apply import Projection, Rules
from services.plumbing.kafka.consumer import LogReader, Place
from services.plumbing.sealing import KeyCache

_LOCK = 7_305_116


class RebuildRuns(Exception):
    """Another rebuild runs; this one is refused."""


class LogIncomplete(Exception):
    """The log ended before the offsets that the live projection has applied."""


async def verify(
    pool: asyncpg.Pool, *, bootstrap: str, keys: KeyCache, rules: Rules, say=lambda done, total: None
) -> tuple[dict[str, str], dict[str, str]]:
    """(digests of live, digests of the rebuild), both at the offsets live stood at when this began.

    Live is never written. Raises RebuildRuns, LogIncomplete.
    """
    async with pool.acquire() as conn:
        if not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            raise RebuildRuns("another rebuild runs")
        try:
            live, upto = await _snapshot(conn)
            await conn.execute(f"drop schema if exists {store.BESIDE} cascade")
            await _replay(pool, bootstrap, keys, rules, upto, say)
            beside = await store.digests(conn, store.BESIDE)
            await conn.execute(f"drop schema {store.BESIDE} cascade")
            return live, beside
        finally:
            await conn.fetchval("select pg_advisory_unlock($1)", _LOCK)


async def _snapshot(conn: asyncpg.Connection) -> tuple[dict[str, str], dict[Place, int]]:
    """The live digests and the offsets they belong to, in one snapshot."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        rows = await conn.fetch(f"select topic, partition, next from {store.LIVE}.offsets")
        return await store.digests(conn, store.LIVE), {(r["topic"], r["partition"]): r["next"] for r in rows}


async def _replay(pool, bootstrap: str, keys: KeyCache, rules: Rules, upto: dict[Place, int], say) -> None:
    projection = Projection(pool, keys, rules, schema=store.BESIDE)
    await projection.open(upto)
    reader = LogReader(bootstrap, client="rebuild")
    await reader.start(dict.fromkeys(upto, 0))
    total = sum(upto.values())
    idle = 0
    try:
        while any(projection.applied[place] < end for place, end in upto.items()):
            batch = [r for r in await reader.next_batch() if r.offset < upto[(r.topic, r.partition)]]
            idle = 0 if batch else idle + 1
            if idle > 20:
                raise LogIncomplete("the log is shorter than what the live view has applied")
            if batch:
                done = await projection.apply(batch)
                reader.rewind(done.refused)
                say(sum(projection.applied.values()), total)
    finally:
        await reader.stop()
