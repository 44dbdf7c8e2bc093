"""While a long file is checked and read, whoever else asks has a turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from tests import importing as desks
from tests.plumbing.test_register import person

SLOW = 0.6


def _recognise(path: Path, name: str, options: Options) -> Source:
    """A file that takes its time to be checked, and again before its first row."""
    time.sleep(SLOW)

    def read(report: Report) -> Iterator[Said]:
        time.sleep(SLOW)
        for number in range(3):
            yield Said((("local", str(number)),), (person(given_name="Ada"),), report, Provenance("2026-11-20", name, "x"))

    return Source(0, 3, read)


async def test_others_have_their_turn_while_a_file_is_checked_and_read(database, tmp_path):
    desk = await desks.desk(database, "socialcare", lambda codes: _recognise, tmp_path)
    longest, last = 0.0, time.monotonic()

    async def tick() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()

    ticking = asyncio.create_task(tick())
    report = (await desk.take({"x.csv": "x"}))[0]
    ticking.cancel()
    await desk.close()
    assert report["accepted"] == 3 and longest < SLOW - 0.1, longest
