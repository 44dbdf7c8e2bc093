"""The figures, each beside its baseline in the same run."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
import uuid
from typing import Any

import asyncpg
import httpx

from benchmarks import load
from benchmarks.installation import CHILDREN, PEOPLE
from deploy.local import secrets
from services.childview.projection import store
from tests.journeys.installation import ROOT, Installation, _free_ports, eventually

READS, CONNECTIONS, ROUNDS = 3000, 32, 3
PAIRS = 2000
RATE, SECONDS = 200, 10


def dsn(here: Installation, name: str) -> str:
    """A service's database, as its own role."""
    password = secrets.load(here.state).passwords[name]
    return f"postgresql://{name}:{password}@127.0.0.1:{here.port('postgres')}/{name}"


async def children(here: Installation) -> list[str]:
    """A thousand children at random, that anybody may find."""
    conn = await asyncpg.connect(dsn(here, "childview"))
    rows = await conn.fetch(f"select child_id::text as id from {store.LIVE}.children order by 1")
    await conn.close()
    token = {"Authorization": f"Bearer {here.token('bench-0')}", "Purpose-Of-Use": "enquiry"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{here.port('childview')}", headers=token) as http:
        found = [row["id"] for row in rows if (await http.get(f"/v1/children/{row['id']}")).status_code == 200]
    return random.Random(1).sample(found, min(CHILDREN, len(found)))


async def reads(here: Installation) -> dict[str, Any]:
    """Filtered, recorded reads a second against the bare endpoint; cold is the first pass after a restart of childview."""
    port = _free_ports()["childview"]
    bare = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", str(port), dsn(here, "audit")], cwd=ROOT)
    known = await children(here)
    luck = random.Random(2)

    def wanted() -> list[bytes]:
        asks = [(f"bench-{luck.randrange(PEOPLE)}", luck.choice(known)) for _ in range(READS)]
        return [load.get(f"/v1/children/{child}", {"Authorization": f"Bearer {here.token(who)}", "Purpose-Of-Use": "enquiry"}) for who, child in asks]

    try:
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/bare").status_code == 200)
        import os
        import signal

        os.kill(here.pid("childview"), signal.SIGTERM)
        await asyncio.sleep(1)
        eventually(lambda: httpx.get(f"http://127.0.0.1:{here.port('childview')}/health/ready").status_code == 200)
        cold, _ = await load.requests(here.port("childview"), wanted(), connections=CONNECTIONS)
        await load.requests(here.port("childview"), wanted(), connections=CONNECTIONS)  # two passes: nearly every child is ready then
        hot, plain, times = [], [], []
        for _ in range(ROUNDS):
            seconds, each = await load.requests(here.port("childview"), wanted(), connections=CONNECTIONS)
            hot.append(READS / seconds)
            times += each
            seconds, _ = await load.requests(port, [load.get("/bare", {})] * READS, connections=CONNECTIONS)
            plain.append(READS / seconds)
    finally:
        bare.terminate()
        bare.wait()
    base = statistics.median(plain)
    return {
        "reads a second, cold": round(READS / cold), "reads a second, hot": round(statistics.median(hot)), "bare a second": round(base),
        "hot to bare": round(statistics.median(hot) / base, 2), "cold to bare": round(READS / cold / base, 2),
        "p50 ms": round(statistics.median(times) * 1000, 1), "p99 ms": round(sorted(times)[int(len(times) * 0.99)] * 1000, 1),
    }  # fmt: skip


async def two_worlds(here: Installation) -> dict[str, Any]:
    """A hidden child's address and an unknown one, interleaved: medians, which must lie within 1 ms."""
    scenarios = json.loads((here.state / "demonstration" / "scenarios.json").read_text())
    search = next(one["search"] for one in scenarios if one["name"] == "The same, as the protection team")
    hidden = here.search("protection-officer", purpose="enquiry", **search)[0]["id"]
    unknown = str(uuid.uuid4())
    headers = {"Authorization": f"Bearer {here.token('bench-1')}", "Purpose-Of-Use": "enquiry"}
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port("childview"))
    times: dict[str, list[float]] = {hidden: [], unknown: []}
    for _ in range(PAIRS):
        for child in random.sample([hidden, unknown], 2):
            started = time.perf_counter()
            writer.write(load.get(f"/v1/children/{child}", headers))
            assert await load._answer(reader) == 404
            times[child].append(time.perf_counter() - started)
    writer.close()
    medians = {name: statistics.median(times[child]) * 1000 for name, child in (("hidden", hidden), ("unknown", unknown))}
    apart = abs(medians["hidden"] - medians["unknown"])
    return {"pairs": PAIRS, **{f"{name} median ms": round(ms, 3) for name, ms in medians.items()},
            "difference ms": round(apart, 3), "kept": apart < 1.0}  # fmt: skip


async def visible(here: Installation) -> dict[str, Any]:
    """From the answer to a command until its record is visible, at 200 commands a second: a linked record, a new child."""
    return {
        "linked": await _at_rate(here, await _marks(here), "record"),
        "new child": await _at_rate(here, [("/v1/persons", {"local_id": f"BENCH{n}"}) for n in range(RATE * SECONDS)], "child"),
    }


async def _marks(here: Installation) -> list[tuple[str, dict]]:
    conn = await asyncpg.connect(dsn(here, "education"))
    streams = [row["id"] for row in await conn.fetch("select stream_id::text as id from subjects order by 1 limit 500")]
    await conn.close()
    asks = []
    for n in range(RATE * SECONDS):
        body = {"school": "9994001", "date": f"2020-{1 + n // 500:02d}-{1 + n % 28:02d}", "session": "AM", "attendance_code": "/"}
        asks.append((f"/v1/pupils/{streams[n % len(streams)]}/attendance", body))
    return asks


async def _at_rate(here: Installation, asks: list[tuple[str, dict]], kind: str) -> dict[str, float]:
    service = "education" if kind == "record" else "socialcare"
    headers = {"Authorization": f"Bearer {here.client._bearer(service)}"}
    waiting: dict[str, tuple[int, float]] = {}
    took: list[float] = []
    watching = await asyncpg.connect(dsn(here, "childview"))
    versions: dict[str, int] = {}
    if kind == "record":
        for row in await watching.fetch(f"select stream_id::text as id, version from {store.LIVE}.positions"):
            versions[row["id"]] = row["version"]

    def acknowledged(body: bytes) -> None:
        stream = json.loads(body)["id"]
        versions[stream] = versions.get(stream, 0) + 1
        waiting[f"{stream}/{versions[stream]}"] = (versions[stream], time.perf_counter())

    async def watch() -> None:
        while True:
            now = dict(waiting)
            streams = list({name.split("/")[0] for name in now})
            rows = await watching.fetch(
                f"select p.stream_id::text as id, p.version from {store.LIVE}.positions p join {store.LIVE}.links l using (stream_id)"
                " where p.stream_id = any($1::uuid[])", streams,
            )  # fmt: skip
            at = time.perf_counter()
            held = {row["id"]: row["version"] for row in rows}
            for name, (version, acknowledged) in now.items():
                if held.get(name.split("/")[0], -1) >= version:
                    took.append(max(0.0, at - acknowledged))
                    del waiting[name]
            await asyncio.sleep(0.01)

    watcher = asyncio.create_task(watch())
    wanted = [load.post(path, body, headers) for path, body in asks]
    reached = await load.at_rate(here.port(service), wanted, rate=RATE, connections=24, answered=acknowledged)
    for _ in range(3000):
        if not waiting:
            break
        await asyncio.sleep(0.01)
    watcher.cancel()
    await watching.close()
    took.sort()
    return {"commands a second": round(reached), "p50 ms": round(took[len(took) // 2] * 1000, 1), "p99 ms": round(took[int(len(took) * 0.99)] * 1000, 1), "seen": len(took)}
