"""One school day: the marks of a morning and an afternoon of every pupil, from sent to accepted, published and visible.

An installation of its own holds so many pupils, told by a census of their schools; each school's marks come as a file of its
own, as a MIS sends them. `python -m benchmarks.school_day [--pupils 10000 30000]`. The slope says what a pupil more costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.figures import dsn
from deploy.local.authority.people import upn
from tests.journeys.faults import HEADER, born, given
from tests.journeys.installation import Installation, installed

SIZES = (10_000, 30_000)
A_SCHOOL = 1000
AT_ONCE = 20
"""Files of one delivery."""
DAY, COLLECTION = "2026-11-20", "2026-autumn"


def figures(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Seconds of each step by how many pupils, and what a thousand pupils more cost."""
    found = {size: _one(size) for size in sizes}
    told: dict[str, Any] = {f"{size:,} pupils": one for size, one in found.items()}
    if len(sizes) > 1:
        first, last = found[min(sizes)], found[max(sizes)]
        more = (max(sizes) - min(sizes)) / 1000
        told["s a thousand pupils more"] = {name: round((last[name] - first[name]) / more, 2) for name in ("accepted s", "published s", "visible s")}
    return told


def _one(pupils: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder) / "state") as here:
        files = Path(folder) / "files"
        files.mkdir()
        started = time.monotonic()
        for paths in _some(list(_census(files, pupils))):
            _sent(here, paths, collection=COLLECTION)
        here.client.wait(3600)
        loaded = time.monotonic() - started
        print(f"{pupils} pupils visible after {loaded:.0f} s", file=sys.stderr, flush=True)
        return {"load s": round(loaded), **_day(here, list(_marks(files, pupils)))}


def _day(here: Installation, files: list[Path]) -> dict[str, Any]:
    """The day's files from sent to visible."""
    started = time.monotonic()
    events = sum(_sent(here, paths) for paths in _some(files))
    accepted = time.monotonic() - started
    asyncio.run(_published(here))
    published = time.monotonic() - started
    here.client.wait(3600)
    visible = time.monotonic() - started
    steps = {"accepted s": accepted, "published s": published, "visible s": visible}
    return {"files": len(files), "events": events, **{name: round(seconds, 1) for name, seconds in steps.items()}}


def _some(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for first in range(0, len(files), AT_ONCE):
        yield files[first : first + AT_ONCE]


def _sent(here: Installation, paths: Sequence[Path], **form: str) -> int:
    """Send a delivery that is to be taken whole; its events."""
    done = here.client.send_files("education", paths, **form)
    assert all(one["accepted"] == one["rows"] and "why" not in one for one in done), done
    return sum(one["events"] for one in done)


async def _published(here: Installation) -> None:
    """Until nothing waits for the relay."""
    conn = await asyncpg.connect(dsn(here, "education"))
    while await conn.fetchval("select exists (select from outbox where published is null and topic = 'education.events')"):
        await asyncio.sleep(0.1)
    await conn.close()


def _schools(pupils: int) -> Iterator[tuple[int, range]]:
    for school, first in enumerate(range(0, pupils, A_SCHOOL)):
        yield 4001 + school, range(first, min(pupils, first + A_SCHOOL))


def _census(out: Path, pupils: int) -> Iterator[Path]:
    for school, numbers in _schools(pupils):
        rows = [f"P{n},999{school},S{n},{upn(n)},{given(n)}son,{given(n)},{born(n)},F,2020-09-01" for n in numbers]
        path = out / f"pupilonroll-{school}.csv"
        path.write_text("\n".join([HEADER, *rows, ""]))
        yield path


def _marks(out: Path, pupils: int) -> Iterator[Path]:
    for school, numbers in _schools(pupils):
        students = [
            {"id": f"M{n}", "legal_forename": given(n), "legal_surname": f"{given(n)}son", "date_of_birth": born(n), "education_details": {"data": {"upn": upn(n)}}}
            for n in numbers
        ]
        data = [{"student_id": f"M{n}", "date": DAY, "session": session, "attendance_code_id": 1 + n % 2} for n in numbers for session in ("AM", "PM")]
        body = {
            "school": {"la_code": "999", "establishment_number": str(school)}, "extracted": DAY,
            "codes": [{"id": 1, "code": "/"}, {"id": 2, "code": "L"}], "students": students, "data": data,
        }  # fmt: skip
        path = out / f"marks-{school}.json"
        path.write_text(json.dumps(body))
        yield path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=list(SIZES))
    print(json.dumps(figures(parser.parse_args().pupils), indent=1))


if __name__ == "__main__":
    main()
