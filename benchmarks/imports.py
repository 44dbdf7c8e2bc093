"""Rows a second and peak memory of each family of files, and whether a row costs the same in a large file as in a small one.
`python -m benchmarks.imports [--rows 10000 100000] [--family pupilonroll ...]`; `--million` adds 1,000,000.

A small invented authority is written once and its tables are multiplied: a copy's pupils are at other schools, its persons have
other ids. Documents (XML, JSON) are written child by child; see `documents`. A row is what the reader counts as one.
Every measurement is a process of its own on a fresh database of its own. The pupils that rows belong to are imported before,
uncounted; persons come in the same delivery and count, for they say which rows are an adult's.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import itertools
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import documents
from deploy.local import postgres
from deploy.local.authority.generate import generate
from deploy.local.process import spawn
from services.education import importing as education
from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.contracts import Schemas, code_lists
from services.plumbing.files import delivery
from services.plumbing.files.delivery import Options
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.register.register import Register
from services.plumbing.sealing import Keyring
from services.socialcare import importing as socialcare
from tests.conftest import free_port

ROOT = Path(__file__).parents[1]
CHILDREN, SEED = 2000, 1
SIZES = (10_000, 100_000)
MILLION = 1_000_000
MARKS = "marks"
RECOGNISE = {"education": education.recognise, "socialcare": socialcare.recognise}
PLAIN_IDS = ("CHILD",)
"""Columns that hold a subject's own id under a name that does not tell it."""
SHARED = ("professional", "team", "role")
"""Ids of the workforce are the same in every copy."""
Row = dict[str, str]


# -- files ---------------------------------------------------------------------------------------------------------


def family_of(path: Path) -> str:
    """What a file holds, from the generator's name for it: `2026_summer_2026-07-22_pupilonroll.csv` is `pupilonroll`."""
    return MARKS if path.suffix == ".json" else re.split(r"\d{4}-\d{2}-\d{2}[_-]", path.stem)[-1]


Known = Mapping[tuple[str, str], Mapping[str, Sequence[Path]]]
"""(service, family) -> collection ('' where there is none) -> files"""


def tables(base: Path) -> Known:
    """The generator's files."""
    found: dict[tuple[str, str], dict[str, list[Path]]] = {}
    for service in RECOGNISE:
        for path in sorted((base / service).rglob("*")):
            if path.suffix == ".csv" or (path.suffix == ".json" and path.name.startswith(MARKS)):
                found.setdefault((service, family_of(path)), {}).setdefault(_collection(path), []).append(path)
    return found


def _collection(path: Path) -> str:
    found = re.match(r"\d{4}_[a-z]+", path.name)
    return found[0] if found else ""


def _largest(files: Mapping[str, Sequence[Path]]) -> Sequence[Path]:
    """The files of the collection with most in it."""
    return max(files.values(), key=lambda paths: sum(path.stat().st_size for path in paths))


def multiplied(paths: Sequence[Path], *, count: int) -> Iterator[Row]:
    """So many rows: those of the files, and of copies of them with other ids."""
    base = [row for path in paths for row in csv.DictReader(path.open(encoding="utf-8"))]
    for copy in itertools.count():
        for row in base:
            if count == 0:
                return
            count -= 1
            yield _copied(row, copy)


def _copied(row: Row, copy: int) -> Row:
    return {name: _other(name, value, copy) for name, value in row.items()}


def _other(name: str, value: str, copy: int) -> str:
    if not value:
        return value
    if name == "NativeId":
        return str(int(value) + 10 * copy)
    own = name in PLAIN_IDS or name.endswith("tableid") or (name.endswith("_id") and not any(part in name for part in SHARED))
    return f"{value}c{copy}" if own else value


def write_table(out: Path, name: str, rows: Iterator[Row]) -> Path:
    """The rows as a file."""
    first = next(rows)
    path = out / name
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, first.keys())
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)
    return path


def write_marks(out: Path, paths: Sequence[Path], *, count: int) -> list[Path]:
    """So many marks, one file a school as integrators send them; what is left of the last school's is left out."""
    written = []
    bodies = [json.loads(path.read_text()) for path in paths]
    for copy in itertools.count():
        for body in bodies:
            if count <= 0:
                return written
            number = int(body["school"]["establishment_number"]) + 10 * copy
            marks = body["data"][:count]
            count -= len(marks)
            school = body["school"] | {"establishment_number": str(number), "la_code": f"{900 + copy % 99}"}
            written.append(out / f"marks-{copy}-{number}.json")
            written[-1].write_text(json.dumps(body | {"school": school, "data": marks}))
    return written


PARENTS = {
    "education": (("pupilonroll", "pupilonrolltableid"), ("pupilnolongeronroll", "pupilnolongeronrolltableid")),
    "socialcare": (("ssd_persons", "pers_person_id"),),
    "SSDA903": (("SSDA903_2026_header", "CHILD"),),
}
"""The tables that others' rows belong to, and their key; those of a return are its own."""


def prepare(out: Path, known: Known, service: str, family: str, count: int) -> tuple[list[Path], list[Path]]:
    """(the files of those the rows belong to, the files that are measured)."""
    if family in documents.FAMILIES[service]:
        return [], documents.write(out, service, family, count=count)
    paths = _largest(known[service, family])
    if family == MARKS:
        return [], write_marks(out, paths, count=count)
    measured = write_table(out, paths[0].name, multiplied(paths, count=count))
    return list(_parents(out, known, service, family, measured)), [measured]


def _parents(out: Path, known: Known, service: str, family: str, measured: Path) -> Iterator[Path]:
    """The parents' rows of as many copies as the measured file has."""
    copies = 1 + max(_copy(row) for row in csv.DictReader(measured.open(encoding="utf-8")))
    wanted = {value for row in csv.DictReader(measured.open(encoding="utf-8")) for value in row.values()}
    for parent, key in PARENTS[family.partition("_")[0] if family.startswith("SSDA903") else service]:
        paths = known.get((service, parent), {}).get(_collection(measured), [])
        base = sum(1 for path in paths for _ in csv.DictReader(path.open(encoding="utf-8")))
        rows = (row for row in multiplied(paths, count=base * copies) if row[key] in wanted)
        if parent != family and paths and (first := next(rows, None)):
            yield write_table(out, measured.name.replace(family, parent), itertools.chain([first], rows))


def _copy(row: Row) -> int:
    ends = (value.rpartition("c")[2] for name, value in row.items() if (name in PLAIN_IDS or name.endswith(("tableid", "_id"))) and "c" in value)
    return max((int(end) for end in ends if end.isdigit()), default=0)


# -- one measurement -----------------------------------------------------------------------------------------------


async def take(dsn: str, service: str, paths: Sequence[Path]) -> dict[str, Any]:
    """Take the files as the service does, without HTTP; rows a second, and the most memory this process ever held."""
    await database.migrate(dsn)
    schemas, keyring = Schemas.load(ROOT / "contracts"), Keyring(bytes(32))
    pool = await database.connect(dsn, name=service)
    register = Register(pool, Outbox(service, f"{service}.events", schemas, keyring), schemas, kind="bench", keyring=keyring)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as state:
        recognise = RECOGNISE[service](code_lists(ROOT / "contracts"))
        found = await delivery.take(register, paths, recognise, Options(), state=Path(state))
    seconds = time.perf_counter() - started
    await pool.close()
    names = ("rows", "accepted", "refused", "waiting", "events")
    totals = {name: sum(one.get(name, 0) for one in found) for name in names}
    return {**totals, "refused whole": sum("why" in one for one in found), "seconds": seconds, "peak MB": round(_peak())}


def _peak() -> float:
    """The most memory this process ever held, in MB. Linux counts in ru_maxrss what the process before `exec` held."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def one(dsn: str, service: str, paths: Sequence[Path]) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.imports", "--take", dsn, service, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -- all -----------------------------------------------------------------------------------------------------------


def figures(sizes: Sequence[int] = SIZES, families: Sequence[str] = ()) -> dict[str, Any]:
    """Each family at each size. `kept`: every row was accepted, and one of the largest file costs at most twice one of the smallest."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as dsn:
        base = Path(folder) / "base"
        generate(base, children=CHILDREN, seed=SEED, today=date.today())
        known = tables(base)
        every = [*known, *((service, family) for service, found in documents.FAMILIES.items() for family in found)]
        wanted = [pair for pair in every if not families or pair[1] in families]
        found = {f"{service} {family}": _family(dsn, Path(folder), known, service, family, sizes) for service, family in wanted}
    return {**found, "kept": all(family["whole"] and family["cost of a row, largest to smallest"] <= 2 for family in found.values())}


def _family(
    dsn: str, folder: Path, known: Known, service: str, family: str, sizes: Sequence[int]
) -> dict[str, Any]:
    measured = {}
    for size in sizes:
        out = folder / f"{service}-{family}-{size}"
        out.mkdir()
        parents, files = prepare(out, known, service, family, size)
        mine = asyncio.run(_fresh(dsn, f"{service}_{family}_{size}".lower()))
        if parents and service == "education":
            one(mine, service, parents)
        measured[size] = one(mine, service, files if service == "education" else [*parents, *files])
        print(f"{service} {family} {size}: {measured[size]}", file=sys.stderr, flush=True)
    each = {size: found["seconds"] / max(1, found["rows"]) for size, found in measured.items()}
    return {
        **{
            f"{size:,}": {
                "rows a second": round(1 / each[size]), "events a second": round(found["events"] / found["seconds"]), "peak MB": found["peak MB"],
            }
            for size, found in measured.items()
        },
        "cost of a row, largest to smallest": round(each[max(sizes)] / each[min(sizes)], 2),
        "whole": all(found["rows"] == found["accepted"] and not found["refused whole"] for found in measured.values()),
    }


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own, as the installation has it; its administrator's address."""
    found = postgres.Cluster(folder / "data", free_port(), "bench")
    postgres.initialise(found)
    with (folder / "log").open("wb") as log:
        process = spawn(postgres.command(found), output=log, account=postgres.account(found), parting=postgres.ASK)
    try:
        while not postgres.ready(found):
            assert process.poll() is None, (folder / "log").read_text(errors="replace")[-800:]
            time.sleep(0.1)
        yield found.dsn()
    finally:
        process.send_signal(postgres.ASK)
        process.wait(30)


async def _fresh(dsn: str, name: str) -> str:
    conn = await asyncpg.connect(dsn)
    await conn.execute(f'create database "{name}"')
    await conn.close()
    return dsn.rsplit("/", 1)[0] + f"/{name}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--million", action="store_true", help="1,000,000 rows as well")
    parser.add_argument("--family", nargs="+", default=[])
    parser.add_argument("--take", nargs="+", metavar="ARGUMENT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.take:
        dsn, service, *paths = options.take
        wires.run(_print(dsn, service, [Path(path) for path in paths]))
    else:
        sizes = [*options.rows, *([MILLION] if options.million else [])]
        print(json.dumps(figures(sizes, options.family), indent=1))


async def _print(dsn: str, service: str, paths: Sequence[Path]) -> None:
    print(json.dumps(await take(dsn, service, paths)))


if __name__ == "__main__":
    main()
