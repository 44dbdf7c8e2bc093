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
MOST_ITEMS = 10_000


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
    """Counts of one file, and the rows behind them. `items` holds values: it goes to the report file only."""

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
    items: list[dict[str, Any]] = field(default_factory=list)
    _last_flagged: int | None = None

    def refuse(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A row that is not taken; the rest goes in."""
        self.refused += 1
        self._note("refused", row, column, value, why)

    def flag(self, row: int, column: str | None, value: Any, why: str) -> None:
        """A value that is kept as it is and marked. `flagged` counts rows, however many values each has."""
        self.flagged += row != self._last_flagged
        self._last_flagged = row
        self._note("flagged", row, column, value, why)

    def _note(self, outcome: str, row: int, column: str | None, value: Any, why: str) -> None:
        if len(self.items) < MOST_ITEMS:
            self.items.append({"outcome": outcome, "row": row, "column": column, "value": value, "why": why})

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

    def save(self, state: Path, *, name: str) -> None:
        """Write the report file, readable by this account alone."""
        folder = state / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump({**self.summary(), "items": self.items, "columns_ignored": self.ignored_columns}, out, ensure_ascii=False)
        self.path = str(path)


def remove_old(state: Path, *, days: int) -> int:
    """Remove report files older than so many days; how many went."""
    gone = 0
    for path in (state / "reports").glob("*.json"):
        if path.stat().st_mtime < time.time() - days * DAY:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                gone += 1
    return gone


