"""A labelled file of records, in the order in which they arrive, and the facts that are true of it.

First the roster, in no order that says who is whose sibling; then the other records by the day they were recorded; then thirty
daily deliveries. A million children fit: wards are written to parts by day, and each part is sorted on its own.
"""

from __future__ import annotations

import csv
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from benchmarks.identity.facts import Facts
from benchmarks.identity.population import Child, wards
from benchmarks.identity.records import COLUMNS, Row, clerk, records_of
from benchmarks.identity.settings import CENSUS, SETTINGS, Setting

_ROSTER_PARTS, _KEPT = 32, 600


def generate(count: int, *, seed: int, setting: str, out: Path) -> dict[str, Any]:
    """Write `count` children's records to a CSV file of COLUMNS; give its facts. The same arguments give the same bytes."""
    facts = Facts()
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        parts = _Parts(Path(folder))
        for key, row in _rows(count, seed, SETTINGS[setting], facts):
            parts.add(key, row)
        parts.write(out)
    return {"setting": setting, "seed": seed, **facts.told()}


def _rows(count: int, seed: int, setting: Setting, facts: Facts) -> Iterator[tuple[str, Row]]:
    before: list[Child] = []
    for number, children in enumerate(wards(count, seed=seed, setting=setting)):
        writer = clerk(children, before, seed=seed, ward=number, setting=setting)
        told = [(child, row) for child in children for row in records_of(writer, child)]
        facts.add(children, told, before)
        for _, row in told:
            yield f"{writer.rng.getrandbits(48):012x}", row
        shuffled = random.Random(f"{seed} {number} strangers")
        before = (before + shuffled.sample(children, min(100, len(children))))[-_KEPT:]


class _Parts:
    """Rows by part of the arrival order, each in a file until all are there. ids are given at the end, so they tell nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, TextIO] = {}

    def add(self, key: str, row: Row) -> None:
        """Put it into its part. key: its place among rows of the same day, drawn by lot."""
        part = _part(key, row)
        if part not in self._open:
            self._open[part] = (self._folder / part).open("w", newline="", encoding="utf-8")
        writer = csv.writer(self._open[part])
        writer.writerow([row["recorded"] + key, *(row[name] for name in COLUMNS[1:])])

    def write(self, out: Path) -> None:
        """Everything in order."""
        number = 0
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for part in sorted(self._open):
                self._open[part].close()
                with (self._folder / part).open(newline="", encoding="utf-8") as rows:
                    for _, *rest in sorted(csv.reader(rows)):
                        number += 1
                        writer.writerow((f"R{number:08d}", *rest))


def _part(key: str, row: Row) -> str:
    """Its place in the order: the roster by lot, other records by quarter of a year, deliveries by day."""
    if row["day"] != "0":
        return f"2-{int(row['day']):02d}"
    if row["source"] == "school" and row["recorded"] == CENSUS.isoformat():
        return f"0-{int(key[:2], 16) * _ROSTER_PARTS // 256:02d}"
    year, month, _ = row["recorded"].split("-")
    return f"1-{year}-{(int(month) - 1) // 3}"
