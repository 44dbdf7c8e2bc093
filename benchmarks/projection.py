"""Events a second through the whole projector, against a bare loop over the same topics."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

import httpx
import msgspec

from deploy.local import installation, secrets
from deploy.local.postgres import Cluster
from services.childview import main as childview
from services.plumbing import database
from services.plumbing.kafka.consumer import Event, LogReader, open_seals, places_of, read_envelopes, wanted_keys
from services.plumbing.settings import from_environment
from tests.journeys.installation import Installation

BATCH, ROUNDS = 500, 3


def settings(here: Installation):
    """The projector's settings."""
    found = secrets.load(here.state)
    cluster = Cluster(here.state / "postgres", here.port("postgres"), found.passwords["postgres"])
    environment = installation.environment(here.state, found, cluster, service="childview", identity="projector")
    return from_environment("childview", "projector", os.environ | environment)


async def figures(here: Installation) -> dict[str, Any]:
    """Both, in turns, over everything that is in the log now; medians."""
    found = settings(here)
    bare, whole, count = [], [], 0
    for _ in range(ROUNDS):
        seconds, count = await _bare(found)
        bare.append(count / seconds)
        whole.append(await _projector(found))
    rate, base = statistics.median(whole), statistics.median(bare)
    return {"records": count, "rounds": ROUNDS, "projector a second": round(rate), "bare loop a second": round(base), "ratio": round(rate / base, 2)}


async def _projector(found) -> float:
    """Records a second of a rebuild beside, from its first batch to its last: its digests are not counted."""
    seen: list[tuple[float, int]] = []
    await childview.verify_rebuild(found, lambda done, total: seen.append((time.perf_counter(), done)))
    (began, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - began)


async def _bare(found) -> tuple[float, int]:
    """Consume, open the seal, parse, fence, dedupe, and upsert equal rows; (seconds, records)."""
    rules = childview.rules(found)
    pool = await database.connect(found.database, name="bench", size=2)
    async with httpx.AsyncClient() as http:
        keys = childview.key_cache(found, http)
        async with pool.acquire() as conn:
            await conn.execute("drop table if exists bench_rows; create table bench_rows (id text primary key, body bytea);"
                               " drop table if exists bench_fence; create table bench_fence (one int primary key, next bigint); insert into bench_fence values (1, 0)")  # fmt: skip
        reader = LogReader(found.kafka, client="bench")
        await reader.start(dict.fromkeys(await places_of(found.kafka, rules.channels), 0))
        ends = sum((await reader.end_offsets()).values())
        count, started = 0, time.perf_counter()
        while count < ends:
            records = await reader.next_batch(maximum=BATCH)
            read = read_envelopes(records)
            for service, names in wanted_keys(read).items():
                await keys.fetch(service, names)
            rows: dict[str, bytes] = {}
            for item in await open_seals(read, keys):
                if isinstance(item, Event) and item.data:
                    msgspec.json.decode(item.data)
                    rows[item.envelope.subject] = item.data
            async with database.transaction(pool) as conn:
                await conn.execute("update bench_fence set next = $1 where next = $2", count + len(records), count)
                await conn.execute("insert into bench_rows select * from unnest($1::text[], $2::bytea[])"
                                   " on conflict (id) do update set body = excluded.body", list(rows), list(rows.values()))  # fmt: skip
            count += len(records)
        seconds = time.perf_counter() - started
        await reader.stop()
    async with pool.acquire() as conn:
        await conn.execute("drop table bench_rows, bench_fence")
    await pool.close()
    return seconds, count


