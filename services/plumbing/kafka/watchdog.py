"""The watchdog: ends a process that has something to read and does not read it (aiokafka#1154, #625)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from services.plumbing import telemetry
from services.plumbing.kafka.consumer import Place

PARTING = 5.0
_log = telemetry.log("watchdog")


class NoProgress(Exception):
    """There is something to read at a place and it was not read for too long; the supervisor starts another process."""


class Watchdog:
    """Watches every place by itself, beside the loop that reads: a hung consumer is not hidden by a busy one."""

    def __init__(self, *, after: float, bootstrap: str, client: str) -> None:
        self._after = after
        self._bootstrap = bootstrap
        self._client = client
        self._alive: dict[Place, float] = {}
        self._turn = time.monotonic()

    def alive(self, places: Iterable[Place]) -> None:
        """These were read, or are waited for on purpose (their keys cannot be had), just now."""
        self._turn = time.monotonic()
        self._alive |= dict.fromkeys(places, self._turn)

    async def watch(self, applied: Callable[[], Mapping[Place, int]], in_hand: Callable[[], set[Place]]) -> None:
        """Look until cancelled. Raises NoProgress.

        in_hand: places that are polled and wait for their turn behind urgent ones: they hang only if nothing moves at all.
        A connection of its own asks for the ends; while Kafka gives none, nobody can say that something waits.
        """
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, client_id=f"{self._client}-watchdog", enable_auto_commit=False)
        await consumer.start()
        try:
            while True:
                await asyncio.sleep(self._after / 10)
                try:
                    ends = await asyncio.wait_for(consumer.end_offsets([TopicPartition(*p) for p in applied()]), self._after)
                except (KafkaError, TimeoutError) as error:
                    _log.warning("Kafka does not say where it ends.", extra=telemetry.fields(error=type(error).__name__))
                    continue
                self.look({(p.topic, p.partition): end for p, end in ends.items()}, applied(), in_hand(), now=time.monotonic())
        finally:
            await consumer.stop()

    def look(self, ends: Mapping[Place, int], applied: Mapping[Place, int], in_hand: set[Place], *, now: float) -> None:
        """Raises NoProgress when a place has had something to read for too long and did not move."""
        for place, end in ends.items():
            if applied.get(place, 0) >= end:
                self._alive[place] = now
            quiet = now - self._alive.setdefault(place, now)
            takes_turns = place in in_hand and now - self._turn < self._after
            if quiet > self._after and not takes_turns:
                raise NoProgress(f"{place[0]}/{place[1]} waits at {applied.get(place, 0)} of {end} for {quiet:.0f} s")


async def first_to_end(*work: Coroutine[Any, Any, None]) -> None:
    """Run these side by side until one of them ends; the others are cancelled. Raises what that one raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=PARTING)
    for task in done:
        task.result()
