"""A view made anew takes the live one's place: whole, at once, and however often it is cut short."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from deploy.local import kafka as local_kafka
from services.childview.identity.process import Identity
from services.childview.identity.process import Rules as IdentityRules
from services.childview.projection import rebuild, store
from services.childview.projection.apply import Projection
from services.childview.projection.projector import Projector
from services.childview.projection.view import VERSION
from services.plumbing import database as databases
from services.plumbing.kafka.consumer import LogReader, places_of
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.kafka.watchdog import NoProgress
from services.plumbing.telemetry import Telemetry
from tests.journeys.flipping import KEYS, publish, rules, topics

ROOT = Path(__file__).parents[2]


class Town:
    """A database with a live view, and its log."""

    def __init__(self, pool, dsn: str, kafka: str) -> None:
        self.pool, self.dsn, self.kafka = pool, dsn, kafka
        self.prefix = uuid.uuid4().hex[:8]

    async def live(self) -> Projection:
        """The live projection as a process that starts now has it."""
        found = Projection(self.pool, KEYS, rules(self.prefix), schema=store.LIVE)
        await found.open(await places_of(self.kafka, topics(self.prefix)))
        return found

    async def follow(self, *, until: int) -> None:
        """Apply the log until there are so many children, starting again when fenced off, as the supervisor does."""
        while True:
            with contextlib.suppress(store.FencedOff):
                await self._follow(until)
                return

    async def _follow(self, until: int) -> None:
        projection, reader = await self.live(), LogReader(self.kafka, client="live")
        await reader.start(projection.applied)
        try:
            while await self.children() < until:
                await projection.apply(await reader.next_batch(maximum=20, timeout=0.2))
        finally:
            await reader.stop()

    async def children(self) -> int:
        return await self.pool.fetchval(f"select count(*) from {store.LIVE}.children where version = $1", VERSION)

    async def digests(self) -> dict[str, str]:
        async with self.pool.acquire() as conn:
            return await store.digests(conn, store.LIVE)

    async def flip(self) -> None:
        await rebuild.flip(self.pool, bootstrap=self.kafka, keys=KEYS, rules=rules(self.prefix))

    async def verify(self):
        return await rebuild.verify(self.pool, bootstrap=self.kafka, keys=KEYS, rules=rules(self.prefix))

    async def schemas(self) -> set[str]:
        return {row["nspname"] for row in await self.pool.fetch("select nspname from pg_namespace where nspname like 'projection%'")}

    async def spoil(self) -> None:
        """Rows as an older release left them."""
        await self.pool.execute(f"update {store.LIVE}.children set version = $1, view = 'old'", VERSION + 1000)

    def projector(self) -> Projector:
        return Projector(
            self.pool, bootstrap=self.kafka, keys=KEYS, rules=rules(self.prefix), measure=Telemetry("projector"), watchdog_after=60
        )


@pytest.fixture
async def town(database, kafka):
    pool = await databases.connect(database, name="childview-projector", size=6)
    found = Town(pool, database, kafka)
    await local_kafka.create_topics(kafka, {**topics(found.prefix), "heartbeats": 1})
    await publish(kafka, found.prefix, range(1, 61))
    await found.follow(until=60)
    yield found
    await pool.close()


async def test_a_flip_gives_the_same_view_and_leaves_nothing_behind(town):
    before = await town.digests()
    await town.pool.execute(f"insert into {store.LIVE}.freshness values ('education', now())")
    await town.flip()
    assert await town.digests() == before
    assert await town.schemas() == {store.LIVE}
    assert await town.pool.fetchval(f"select count(*) from {store.LIVE}.freshness") == 0


async def test_rows_of_another_version_are_made_anew_when_the_projector_starts(town):
    before = await town.digests()
    await town.spoil()
    running = asyncio.create_task(town.projector().run())
    try:
        for _ in range(300):
            if await town.children() == 60 or running.done():
                break
            await asyncio.sleep(0.1)
        await publish(town.kafka, town.prefix, [61])
        for _ in range(100):
            if await town.children() == 61 or running.done():
                break
            await asyncio.sleep(0.1)
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    live, again = await town.verify()
    assert live == again != before and await town.children() == 61


async def test_nothing_of_another_version_is_compared_or_called_fresh(town):
    await town.pool.execute(f"insert into {store.LIVE}.freshness values ('education', now())")
    await town.spoil()
    with pytest.raises(rebuild.OtherVersion):
        await town.verify()
    async with town.pool.acquire() as conn:
        await rebuild.hide_outdated(conn)
    assert await town.pool.fetchval(f"select count(*) from {store.LIVE}.freshness") == 0


async def test_a_flip_while_the_log_grows_loses_nothing(town):
    async def grow() -> None:
        for n in range(61, 161, 5):
            await publish(town.kafka, town.prefix, range(n, n + 5))

    following = asyncio.create_task(town.follow(until=160))
    growing = asyncio.create_task(grow())
    for _ in range(3):
        await town.flip()
    await growing
    await asyncio.wait_for(following, 60)
    live, again = await town.verify()
    assert live == again


async def test_a_flip_killed_at_any_moment_and_begun_again_comes_to_the_same_end(town):
    before, rng = await town.digests(), random.Random(5)
    await town.spoil()
    command = [sys.executable, "-m", "tests.journeys.flipping", town.dsn, town.kafka, town.prefix]
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
        await process.stdout.readline()
        await asyncio.sleep(rng.uniform(0, 0.5))
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        assert store.LIVE in await town.schemas()
    while True:
        with contextlib.suppress(rebuild.RebuildRuns):
            await town.flip()
            break
    assert await town.digests() == before and await town.schemas() == {store.LIVE}


async def test_a_projector_whose_applying_hangs_ends_by_itself(town):
    projector = Projector(
        town.pool, bootstrap=town.kafka, keys=KEYS, rules=rules(town.prefix), measure=Telemetry("projector"), watchdog_after=2
    )
    projector._projection.apply = lambda records: asyncio.sleep(600)
    await publish(town.kafka, town.prefix, [61])
    with pytest.raises(NoProgress, match=town.prefix):
        await asyncio.wait_for(projector.run(), 60)


async def test_an_identity_whose_deciding_hangs_ends_by_itself(town):
    await databases.migrate(town.dsn)
    found = rules(town.prefix)
    identity = Identity(
        town.pool, bootstrap=town.kafka, keys=KEYS, measure=Telemetry("identity"), watchdog_after=2,
        rules=IdentityRules(found.schemas, found.channels, Outbox("childview", "childview.identity", found.schemas)),
    )  # fmt: skip
    identity.apply = lambda records: asyncio.sleep(600)
    with pytest.raises(NoProgress, match=town.prefix):
        await asyncio.wait_for(identity.run(), 60)


async def test_two_rebuilds_never_run_at_once(town):
    found = await asyncio.gather(town.flip(), town.flip(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "RebuildRuns"]


