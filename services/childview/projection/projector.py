"""The process `projector`: reads the log, applies it, says how fresh each source is, and ends when it makes no progress.

A release that changes fold or compose finds rows of another version: then everything is built anew before it goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import asyncpg

from services.childview.projection import rebuild, store
from services.childview.projection.apply import Applied, Projection, Rules
from services.childview.projection.freshness import Freshness
from services.plumbing import telemetry
from services.plumbing.contracts import Channel
from services.plumbing.kafka.consumer import LogReader, Place, Record, places_of
from services.plumbing.kafka.watchdog import Watchdog, first_to_end
from services.plumbing.sealing import KeyCache

HEARTBEATS = "heartbeats"
KEYS_AGAIN = 2.0
LINGER = 0.01
_log = telemetry.log("projector")


def followed(channels: Sequence[Channel]) -> dict[str, Channel]:
    """The topics a projection is made of."""
    return {channel.topic: channel for channel in channels if channel.kind in ("events", "policy", "decisions")}


class Projector:
    """The life of the live projection."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        bootstrap: str,
        keys: KeyCache,
        rules: Rules,
        measure: telemetry.Telemetry,
        watchdog_after: float,
    ) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._keys, self._rules = keys, rules
        self._projection = Projection(pool, keys, rules, schema=store.LIVE)
        self._measure = measure
        self._watchdog = Watchdog(after=watchdog_after, bootstrap=bootstrap, client="projector")
        self._reader = LogReader(bootstrap, client="projector", linger=LINGER)
        self._beats = LogReader(bootstrap, client="projector-heartbeats")
        self._freshness = Freshness(
            frozenset(c.topic for c in rules.channels.values() if c.kind == "events")
        )
        self._channels = rules.channels
        self._paused: dict[Place, tuple[float, int]] = {}
        self._heard: dict[Place, int] = {}
        self.ready = False

    async def run(self) -> None:
        """Apply the log until cancelled. Raises FencedOff, NoProgress, or what Kafka and PostgreSQL raise."""
        self.ready = True
        await self._renew()
        places = await places_of(self._bootstrap, self._channels)
        await self._projection.open(places)
        urgent = [topic for topic, channel in self._channels.items() if channel.urgent]
        await self._reader.start({place: self._projection.applied[place] for place in places}, urgent=urgent)
        await self._start_listening()
        try:
            await first_to_end(self._turns(), self._listen(), self._watchdog.watch(self._stands, self._reader.in_hand))
        finally:
            await self._reader.stop()
            await self._beats.stop()

    async def _renew(self) -> None:
        """Make the rows anew where they are of another version; reads answer 503 until that is done."""
        await rebuild.tidy(self._pool)
        while await rebuild.outdated(self._pool):
            _log.warning("The view is of another version; it is made again from the log.")
            try:
                await rebuild.flip(self._pool, bootstrap=self._bootstrap, keys=self._keys, rules=self._rules, say=self._renewing)
            except rebuild.RebuildRuns:
                await asyncio.sleep(1)

    def _renewing(self, done: int, total: int) -> None:
        self._measure.metrics.set("rebuild_records", done)
        self._measure.metrics.set("rebuild_records_total", total)

    def _stands(self) -> dict[Place, int]:
        """How far every place is, the heartbeats' too."""
        applied = {place: n for place, n in self._projection.applied.items() if place[0] in self._channels}
        return applied | self._heard

    async def _turns(self) -> None:
        while True:
            records = await self._reader.next_batch()
            self._resume_paused()
            if records:
                await self._apply(records)
            await self._settle()

    async def _apply(self, records: Sequence[Record]) -> None:
        started = time.monotonic()
        with self._measure.span("project", records=len(records)) as span:
            done = await self._projection.apply(records)
            span.set_attributes({"events": done.events, "children": done.children, "parked": done.parked})
        for trace in dict.fromkeys(done.traces):
            self._measure.mark("visible", parent=trace)
        self._pause(done.refused)
        self._watchdog.alive({*done.next, *done.refused})
        self._count(done, time.monotonic() - started)

    def _pause(self, refused: Mapping[Place, int]) -> None:
        """No keys for these now: they wait, and everything else goes on."""
        if refused:
            _log.warning("No keys to be had; a source waits.", extra=telemetry.fields(places=len(refused)))
            self._reader.pause(refused)
            self._reader.rewind(refused)
            again = time.monotonic() + KEYS_AGAIN
            self._paused |= {place: (again, offset) for place, offset in refused.items()}

    def _resume_paused(self) -> None:
        due = [place for place, (again, _) in self._paused.items() if again <= time.monotonic()]
        self._reader.rewind({place: self._paused.pop(place)[1] for place in due})
        self._reader.resume(due)

    async def _start_listening(self) -> None:
        """Hear heartbeats from now on: older ones say nothing that the next will not."""
        places = await places_of(self._bootstrap, [HEARTBEATS])
        await self._beats.start(dict.fromkeys(places, 0))
        self._heard = {place: max(0, end - 50) for place, end in (await self._beats.end_offsets()).items()}
        self._beats.rewind(self._heard)

    async def _listen(self) -> None:
        while True:
            for record in await self._beats.next_batch():
                if not self._freshness.hear(record.value):
                    self._measure.metrics.add("heartbeats_refused")
                self._heard[record.place] = record.offset + 1
                self._watchdog.alive([record.place])

    async def _settle(self) -> None:
        moved = self._freshness.settle(self._projection.applied, decision=self._projection.decision)
        if moved:
            async with self._pool.acquire() as conn:
                await store.save_freshness(conn, store.LIVE, moved)
                self._measure.metrics.set("parked_streams", await store.parked(conn, store.LIVE))
        for source, as_of in self._freshness.as_of.items():
            self._measure.metrics.set("freshness_seconds", (datetime.now(UTC) - as_of).total_seconds(), source=source)

    def _count(self, done: Applied, seconds: float) -> None:
        metrics = self._measure.metrics
        metrics.add("events_applied", done.events)
        metrics.observe("batch_seconds", seconds)
        if done.oldest:
            lag = datetime.now(UTC) - datetime.fromisoformat(done.oldest)
            metrics.set("projection_lag_seconds", lag.total_seconds())
