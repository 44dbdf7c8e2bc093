"""What became of one file: counts for everybody, refused and flagged values for those who may open the report file."""

from __future__ import annotations

import contextlib
import json
import os
import time
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
    """Counts of one file, and the rows behind them. The items hold values: they go to the report file only."""

    file: str
    rows: int = 0
    accepted: int = 0
    flagged: int = 0
    refused: int = 0
    unchanged: int = 0
    events: int = 0
    whole_file_refused: str | None = None
    path: str | None = None
    ignored_columns: list[str] = field(default_factory=list)
    _waiting: list[str] = field(default_factory=list)
    _written: int = 0
    _flags: int = 0
    _flagged_rows: set[int] = field(default_factory=set)

    def open(self, state: Path, *, name: str) -> None:
        """Begin the report file, readable by this account alone: items go there as they come."""
        folder = state / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write('{"items": [')
        self.path = str(path)

    def refuse(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A row that is not taken; the rest goes in."""
        self.refused += 1
        self._note("refused", row, column, value, why)

    def flag(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A value that is kept as it is and marked. `flagged` counts rows, however many values each has."""
        self._flagged_rows.add(row)
        self.flagged = len(self._flagged_rows)
        self._flags += 1
        if self._flags <= MOST_FLAGS:
            self._note("flagged", row, column, value, why)

    def _note(self, outcome: str, row: int | None, column: str | None, value: Any, why: str) -> None:
        item = {"outcome": outcome, "row": row, "column": column, "value": value, "why": why}
        self._waiting.append(json.dumps(item, ensure_ascii=True, default=str))
        if self.path and len(self._waiting) >= HELD:
            self._write()

    def _write(self) -> None:
        assert self.path is not None
        with open(self.path, "a") as out:
            for item in self._waiting:
                out.write((",\n" if self._written else "\n") + item)
                self._written += 1
        self._waiting = []

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
        if self.whole_file_refused:
            found["why"] = self.whole_file_refused
        if self.ignored_columns:
            found["ignored_columns"] = len(self.ignored_columns)
        return found

    def close(self) -> None:
        """End the report file: the counts, and how many flags it does not list."""
        if self._flags > MOST_FLAGS:
            self._note("flagged", None, None, None, f"{self._flags - MOST_FLAGS} more values were flagged than are listed here")
        self._write()
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
