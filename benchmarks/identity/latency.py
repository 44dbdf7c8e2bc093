"""How long deciding takes as a population grows: candidates and decision of newcomers, against real PostgreSQL.

The index is loaded in bulk: who is whose child is taken from the truth, as if everything had been decided rightly. Newcomers are
records of the same children that were kept back.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import asyncpg
import msgspec

from benchmarks.identity.generate import generate
from deploy.local import postgres
from services.childview.identity import decide, index, keys, labelled, learn, store
from services.childview.identity.decide import Matching
from services.childview.identity.demographics import Demographics
from services.childview.identity.model import Model

NEWCOMERS, SAMPLE, CHUNK = 2_000, 20_000, 20_000
RESULTS = Path(__file__).parents[1] / "results.jsonl"


@dataclass
class Taken:
    """Seconds of each newcomer: asking for candidates, and that with deciding; how many candidates each had."""

    asking: list[float]
    whole: list[float]
    candidates: list[int]


def figures(sizes: Sequence[int], *, setting: str = "realistic", seed: int = 101) -> list[dict[str, Any]]:
    """One line a size, each in a database of its own; the last one tells how much slower the largest is than 100,000."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as dsn:
        found = [asyncio.run(_figures(dsn, n, Path(folder), setting, seed)) for n in sizes]
    base = next((one for one in found if one["children"] == 100_000), None)
    if base is not None:
        found[-1]["p99 to p99 at 100,000"] = round(found[-1]["p99 ms"] / base["p99 ms"], 2)
    return found


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    from tests.conftest import free_port, running

    folder.chmod(0o755)
    cluster = postgres.Cluster(folder / "data", free_port(), "bench")
    postgres.initialise(cluster)
    yield from (
        cluster.dsn()
        for _ in running(
            postgres.command(cluster), ready=lambda: postgres.ready(cluster), log=folder / "log", account=postgres.account(cluster), ask=postgres.ASK
        )
    )


async def _figures(dsn: str, children: int, folder: Path, setting: str, seed: int) -> dict[str, Any]:
    file = folder / "records.csv"
    said = generate(children, seed=seed, setting=setting, out=file)
    began = time.perf_counter()
    conn = await asyncpg.connect(dsn)
    await conn.execute("drop schema if exists identity cascade")
    await store.make(conn)
    kept = set(random.Random(seed).sample(range(said["records"]), NEWCOMERS))
    newcomers: list[Demographics] = []
    sample: list[Demographics] = []
    await _load(conn, _split(file, kept, newcomers, sample))
    loaded = time.perf_counter() - began
    model = learn.learn(sample, expected=children)
    taken = await _decide(conn, newcomers, model)
    size = await conn.fetchval(
        "select sum(pg_total_relation_size(c.oid)) from pg_class c where relnamespace = 'identity'::regnamespace and relkind = 'r'"
    )
    await conn.close()
    milliseconds = [1000 * one for one in taken.whole]
    return {
        "children": children, "records": said["records"], "newcomers": len(newcomers),
        "p50 ms": round(statistics.median(milliseconds), 2), "p99 ms": round(_p99(milliseconds), 2),
        "candidates p50 ms": round(1000 * statistics.median(taken.asking), 2), "candidates p99 ms": round(1000 * _p99(taken.asking), 2),
        "candidates": round(statistics.mean(taken.candidates), 1), "candidates p99": _p99(taken.candidates),
        "bytes": int(size), "bytes a record": round(int(size) / said["records"]), "load s": round(loaded),
    }  # fmt: skip


def _p99(values: Iterable[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def _split(
    file: Path, kept: set[int], newcomers: list[Demographics], sample: list[Demographics]
) -> Iterator[tuple[str, str, Demographics]]:
    """(record, child, who) of each row but those that are kept back; the first ones are learned from, too."""
    for place, one in enumerate(labelled.read([file], fields={}, truth_column="entity")):
        if place in kept:
            newcomers.append(one.who)
            continue
        if len(sample) < SAMPLE:
            sample.append(one.who)
        yield str(uuid5(NAMESPACE_OID, one.id)), str(uuid5(NAMESPACE_OID, one.entity or "")), one.who


async def _load(conn: asyncpg.Connection, rows: Iterator[tuple[str, str, Demographics]]) -> None:
    """By COPY into tables without indexes, which are made afterwards."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    await conn.execute(
        "alter table identity.match_keys drop constraint match_keys_pkey; drop index identity.match_keys_stream_id_idx;"
        " drop index identity.links_child_id_idx"
    )
    while chunk := list(islice(rows, CHUNK)):
        for table, found in (
            ("persons", [(record, "education", 1, encode(who)) for record, _, who in chunk]),
            ("links", [(record, child, "automatic", "linked", False, 1) for record, child, _ in chunk]),
            ("match_keys", [(keys.hashed(key), record) for record, _, who in chunk for key in keys.stored(who)]),
        ):
            await conn.copy_records_to_table(table, schema_name="identity", records=found)
    await conn.execute(
        "set maintenance_work_mem = '512MB'; alter table identity.match_keys add primary key (key, stream_id);"
        " create index on identity.match_keys (stream_id); create index on identity.links (child_id)"
    )
    await conn.execute("vacuum analyze")


async def _decide(conn: asyncpg.Connection, newcomers: Sequence[Demographics], model: Model) -> Taken:
    """Each newcomer as the process decides it, without recording: every one meets the same population. The first hundred warm
    up and are not counted."""
    taken = Taken([], [], [])
    seen = await index.known_children(conn, model)
    for number, who in enumerate([*newcomers[:100], *newcomers]):
        record = str(uuid5(NAMESPACE_OID, f"newcomer {number}"))
        began = time.perf_counter()
        near = await index.candidates(conn, record, who)
        asked = time.perf_counter()
        decide.decide(
            record, learn.without(who, near.nobodys), candidates=near.candidates, now=None, fellows=(), apart=(),
            matching=Matching(model, seen, near.crowded),
        )  # fmt: skip
        if number >= 100:
            taken.asking.append(asked - began)
            taken.whole.append(time.perf_counter() - began)
            taken.candidates.append(len(near.candidates))
    return taken


def keep(found: Sequence[dict[str, Any]]) -> None:
    """Print each line, and add it to what was measured before."""
    for one in found:
        line = json.dumps({"day": date.today().isoformat(), "identity latency": one})
        print(line, flush=True)
        with RESULTS.open("a") as out:
            out.write(line + "\n")
