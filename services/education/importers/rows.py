"""One row of a table being read: what cannot be read refuses the row or is left out, and what is odd is flagged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.education.importers.pupils import Row
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report


class RowRefused(Exception):
    """A row that cannot be taken: the column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


@dataclass(frozen=True)
class Cells:
    """A row by its columns, with where it stands and what it is judged by."""

    report: Report
    number: int
    row: Row
    codes: Codes

    def __contains__(self, column: str) -> bool:
        return column in self.row

    def first(self, *columns: str) -> str | None:
        """The one of these columns that the table has: a column's name changed over the years."""
        return next((column for column in columns if column in self.row), None)

    def flag(self, column: str, why: str) -> None:
        """Say what is odd about a cell."""
        self.report.flag(self.number, column, self.row.get(column, ""), why)

    def plain(self, column: str) -> str | None:
        """A code, an id or a number as text, unjudged."""
        return values.code(self.row.get(column))

    def code(self, column: str, list: str, **days: str | None) -> str | None:
        """A code; one that is not in the list, or not in use on those days, is kept and flagged."""
        return coded.check(self.codes, self.report, self.number, column, self.plain(column), list, **days)

    def day(self, column: str) -> str | None:
        """An ISO date. Raises RowRefused."""
        return self._needed(values.day, column)

    def needed_number(self, column: str) -> int | None:
        """A whole number. Raises RowRefused."""
        return self._needed(values.integer, column)

    def number_of(self, column: str) -> int | None:
        """A whole number; one that cannot be read is left out and said."""
        return self._optional(values.integer, column)

    def yes_no(self, column: str) -> bool | None:
        """True or False; what is neither is left out and said."""
        return self._optional(values.boolean, column)

    def _needed(self, reader: Callable[[str | None], Any], column: str) -> Any:
        try:
            return reader(self.row.get(column))
        except values.Unreadable as error:
            raise RowRefused(column, f"expected {error}") from error

    def _optional(self, reader: Callable[[str | None], Any], column: str) -> Any:
        try:
            return reader(self.row.get(column))
        except values.Unreadable as error:
            self.flag(column, f"expected {error}; left out")
            return None

    def school(self) -> str:
        """The school's number. Raises RowRefused."""
        school = self.plain("nativeid")
        if school is None:
            raise RowRefused("nativeid", "the row does not say which school")
        return school
