"""A log in real Kafka under topics of its own, and a process that makes the view anew from it and may be killed.

`python -m tests.journeys.flipping DSN BOOTSTRAP PREFIX` flips once.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.childview.identity.store import DECIDED, DECISIONS
from services.childview.projection import rebuild
from services.childview.projection.apply import Rules
from services.plumbing import database
from services.plumbing.kafka.relay import producer
from services.plumbing.sealing import KeyCache
from tests.journeys.log import ADA, CHANNELS, RULES, stream, value


async def no_keys(service: str, names: Any) -> dict:
    """Nothing here is sealed."""
    return {}


KEYS = KeyCache(no_keys, lifetime=60)


def rules(prefix: str) -> Rules:
    """The rules, over topics with this prefix."""
    return replace(RULES, channels={f"{prefix}.{topic}": channel for topic, channel in CHANNELS.items()})


def topics(prefix: str) -> dict[str, int]:
    """Topic -> partitions."""
    return {topic: channel.partitions for topic, channel in rules(prefix).channels.items()}


async def publish(bootstrap: str, prefix: str, numbers: Sequence[int]) -> None:
    """For each number a record of education, who it is, and the decision that makes it a child of its own."""
    sender = producer(bootstrap)
    await sender.start()
    try:
        for n in numbers:
            said = {"provenance": {"extracted": "2026-11-01"}, **ADA, "family_name": f"Berg{n}"}
            events = value("education.person-recorded.v1", stream(n), 1, said)
            child = str(uuid.uuid5(DECISIONS, str(n)))
            sets = [{"record": stream(n), "child": child, "status": "linked", "basis": "new", "withheld": False}]
            decided = value(DECIDED, str(DECISIONS), n, {"kind": "new", "sets": sets, "by": "identity"})
            await sender.send(f"{prefix}.education.events", key=stream(n).encode(), value=events)
            await sender.send(f"{prefix}.childview.identity", key=str(DECISIONS).encode(), value=decided)
        await sender.flush()
    finally:
        await sender.stop()


async def main() -> None:
    """Flip once."""
    dsn, bootstrap, prefix = sys.argv[1:]
    pool = await database.connect(dsn, name="childview-rebuild", size=3)
    print("begun", flush=True)
    await rebuild.flip(pool, bootstrap=bootstrap, keys=KEYS, rules=rules(prefix))
    await pool.close()


if __name__ == "__main__":
    asyncio.run(main())
