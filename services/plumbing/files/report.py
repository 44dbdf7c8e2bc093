"""What became of one file: counts for everybody, refused and flagged values for those who may open the report file."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DAY = 86_400
MOST_FLAGS = 10_000
"""Flagged values listed in one report; the others are counted. Refused rows are listed whatever their number."""
HELD = 1000
"""Items held before they are written: a report of a million refused rows needs no memory."""


class FileRefused(Exception):
    """A whole file is refused before any row is taken. `option` names what would make it acceptable."""

    def __init__(
        self, file: str, why: str, *, row: int | None = None, column: str | None = None, option: str | None = None
    ) -> None:
        place = "".join(
            part for part in (f", row {row}" if row else "", f", column {column}" if column else "")
        )
        hint = f" Say it with {option}." if option else ""
        super().__init__(f"{file}{place}: {why}{hint}")
        self.file, self.why, self.row, self.column, self.option = file, why, row, column, option


@dataclass
class Report:
    """Counts of one file, and the rows behind them. The items hold values: they go to the report file only.

    waiting: rows whose subject is not there yet. waited: rows of other files that waited for what this one brought; what they
    published, and what of them was refused, counts here. named: every item names the file.
    """

    file: str
    rows: int = 0
    accepted: int = 0
    flagged: int = 0
    refused: int = 0
    unchanged: int = 0
    events: int = 0
    waiting: int = 0
    waited: int = 0
    whole_file_refused: str | None = None
    path: str | None = None
    named: bool = False
    ignored_columns: list[str] = field(default_factory=list)
    _unwritten: list[str] = field(default_factory=list)
    _written: int = 0
    _flags: int = 0
    _flagged_rows: bytearray = field(default_factory=bytearray)
    """One bit a row: a set of a million numbers took 90 MB."""

    def open(self, state: Path, *, name: str) -> None:
        """Begin the report file, readable by this account alone: items go there as they come."""
        folder = state / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write('{"items": [')
        self.path = str(path)

    @property
    def id(self) -> str:
        """The report file's own name; nothing before it is open."""
        return Path(self.path).stem if self.path else ""

    def refuse(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A row that is not taken; the rest goes in."""
        self.refused += 1
        self._note("refused", row, column, value, why)

    def flag(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A value that is kept as it is and marked. `flagged` counts rows, however many values each has."""
        place, bit = divmod(row, 8)
        self._flagged_rows.extend(bytes(max(0, place + 1 - len(self._flagged_rows))))
        self.flagged += not self._flagged_rows[place] >> bit & 1
        self._flagged_rows[place] |= 1 << bit
        self._flags += 1
        if self._flags <= MOST_FLAGS:
            self._note("flagged", row, column, value, why)

    def wait(self, row: int, why: str) -> None:
        """A row that waits for its subject."""
        self.waiting += 1
        self._note("waiting", row, None, None, why)

    def waits_no_longer(self, rows: int) -> None:
        """Rows whose subject came in this delivery after all; what became of them stands in the report of the file that brought it."""
        self.waiting -= rows
        self.accepted += rows

    def came(self, other: Report, rows: Sequence[int], *, since: str) -> None:
        """Rows of another file that waited, and what became of them."""
        self.waited += other.accepted
        self.events += other.events
        self.refused += other.refused
        for row in rows if other.accepted else ():
            other._note("taken", row, None, None, f"waited since {since}")
        self._unwritten += other._unwritten
        if self.path and len(self._unwritten) >= HELD:
            self.write()

    def _note(self, outcome: str, row: int | None, column: str | None, value: Any, why: str) -> None:
        item = {"outcome": outcome, "row": row, "column": column, "value": value, "why": why}
        item |= {"file": self.file} if self.named else {}
        self._unwritten.append(json.dumps(item, ensure_ascii=True, default=str))
        if self.path and len(self._unwritten) >= HELD:
            self.write()

    def write(self) -> None:
        """Let the report file hold what was noted so far."""
        assert self.path is not None
        with open(self.path, "a") as out:
            for item in self._unwritten:
                out.write((",\n" if self._written else "\n") + item)
                self._written += 1
        self._unwritten = []

    def summary(self) -> dict[str, Any]:
        """What anybody may see."""
        found = {
            "file": self.file,
            "rows": self.rows,
            "accepted": self.accepted,
            "flagged": self.flagged,
            "refused": self.refused,
            "unchanged": self.unchanged,
            "events": self.events,
            "report": self.path,
        }
        found |= {name: count for name, count in (("waiting", self.waiting), ("waited", self.waited)) if count}
        if self.whole_file_refused:
            found["why"] = self.whole_file_refused
        if self.ignored_columns:
            found["ignored_columns"] = len(self.ignored_columns)
        return found

    def close(self) -> None:
        """End the report file: the counts, and how many flags it does not list."""
        if self._flags > MOST_FLAGS:
            self._note("flagged", None, None, None, f"{self._flags - MOST_FLAGS} more values were flagged than are listed here")
        self.write()
        assert self.path is not None
        rest = json.dumps({**self.summary(), "columns_ignored": self.ignored_columns})
        with open(self.path, "a") as out:
            out.write("\n], " + rest[1:] + "\n")


def remove_old(state: Path, *, days: int) -> int:
    """Remove report files older than so many days; how many went."""
    gone = 0
    for path in (state / "reports").glob("*.json"):
        if path.stat().st_mtime < time.time() - days * DAY:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                gone += 1
    return gone
