"""Rebuilding and releasing in a whole installation."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import asyncpg
import pytest

from deploy.local import secrets
from services.childview import parking
from services.plumbing.kafka.relay import recorded_before
from tests.journeys.installation import eventually


def dsn(here, *, role: str = "childview") -> str:
    """The address of childview's database."""
    return f"postgresql://{role}:{secrets.load(here.state).passwords[role]}@127.0.0.1:{here.port('postgres')}/childview"


@pytest.fixture
def known(demonstration):
    """A child and its view as it stands, read by a social worker."""
    demonstration.wait()
    found = demonstration.ask("sw-001", "GET", "/v1/caseload", purpose="casework").json()["items"][0]["id"]
    return found, eventually(lambda: (r := demonstration.read("sw-001", found, purpose="casework")).status_code == 200 and r.content)


def test_a_rebuilt_view_takes_the_live_ones_place_and_reads_are_right_or_refused_meanwhile(demonstration, known):
    child, before = known
    seen, stop = Counter(), threading.Event()

    def keep_reading() -> None:
        while not stop.is_set():
            answer = demonstration.read("sw-001", child, purpose="casework")
            seen[answer.status_code if answer.content == before or answer.status_code != 200 else "another view"] += 1
            time.sleep(0.05)

    reading = threading.Thread(target=keep_reading)
    reading.start()
    try:
        done = demonstration.json("rebuild")
        demonstration.wait()
    finally:
        stop.set()
        reading.join(60)
    assert done["flipped"] and done["children"] > 0
    assert set(seen) <= {200, 503} and seen[200] > 0
    assert eventually(lambda: demonstration.read("sw-001", child, purpose="casework").content == before)
    assert demonstration.json("rebuild", "--verify")["equal"]


def test_the_heartbeat_waits_for_a_release_that_is_not_committed(demonstration):
    async def hold() -> bool:
        conn, watching = await asyncpg.connect(dsn(demonstration)), await asyncpg.connect(dsn(demonstration))
        async with conn.transaction():
            await conn.execute("insert into streams values ($1, 'releases', 0) on conflict do nothing", parking.RELEASES)
            await conn.execute("select from streams where stream_id = $1 for update", parking.RELEASES)
            body = {"action": "retry", "topic": "education.events", "partition": 0, "offset": 10**9, "reason": "a test"}
            asked = asyncio.create_task(asyncio.to_thread(demonstration.client.ask, "POST", "childview", "/v1/parked", json=body))
            await asyncio.sleep(3)
            behind = await watching.fetchval("select clock_timestamp()") - await recorded_before(watching, service="childview")
        await asked
        await conn.close()
        await watching.close()
        return behind.total_seconds() > 1

    assert asyncio.run(hold())
