"""One row of a table about a child in care, read into statements: of the yearly return and of the daily extract alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.socialcare.importers.placing import Placed

Row = Mapping[str, str]
"""Column in lower case -> text."""
Says = list[Statement]


class RowRefused(Exception):
    """A row that cannot be taken: which column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


@dataclass
class Line:
    """One row being read. year: whose 31 March the return is of. part: of a row that says several things, this one's (an even
    number). place: of its episode among the child's. nth: among the rows of its child and date. authority: whose file it is."""

    number: int
    row: Row
    report: Report
    codes: Codes
    year: int = 0
    part: int = 0
    place: Placed | None = None
    nth: int = 1
    authority: str | None = None

    @property
    def child(self) -> str:
        """The child's number; without one the row is refused."""
        return self.required("child")

    @property
    def last_day(self) -> str:
        """The last day of the return's year."""
        return f"{self.year}-03-31"

    def required(self, column: str) -> str:
        """An id; without one the row is refused."""
        found = values.code(self.row.get(column))
        if found is None:
            raise RowRefused(column, "the row does not say which")
        return found

    def begun(self, column: str) -> str:
        """The date that names an entry; without one the row is refused."""
        found = self.read(values.day, column)
        if found is None:
            raise RowRefused(column, "without this date the row cannot be told from others")
        return found

    def days(self, **columns: str) -> dict[str, Any]:
        """The dates of those columns (field=column) that the row has; one that cannot be read refuses it."""
        return {name: self.read(values.day, column) for name, column in columns.items() if column in self.row}

    def yes_no(self, **columns: str) -> dict[str, Any]:
        """The answers of those columns that the row has: yes, no, or None for a blank, which is not no."""
        return {name: self.read(_yes_no, column) for name, column in columns.items() if column in self.row}

    def numbers(self, **columns: str) -> dict[str, Any]:
        """The whole numbers of those columns that the row has."""
        return {name: self.read(values.integer, column) for name, column in columns.items() if column in self.row}

    def texts(self, **columns: str) -> dict[str, Any]:
        """The texts of those columns that the row has."""
        return {name: values.code(self.row[column]) for name, column in columns.items() if column in self.row}

    def codes_of(self, *, first: str | None = None, last: str | None = None, **columns: tuple[str, str]) -> dict[str, Any]:
        """The codes of those columns (field=(column, list)) that the row has; what is odd about one is flagged."""
        return {
            name: self.checked(column, list, values.code(self.row[column]), first=first, last=last)
            for name, (column, list) in columns.items()
            if column in self.row
        }

    def checked(self, column: str, list: str, code: str | None, *, first: str | None = None, last: str | None = None) -> str | None:
        """A code as it is, flagged where it is odd."""
        return coded.check(self.codes, self.report, self.number, column, code, list, first=first, last=last)

    def named(self, day: str) -> str:
        """The name of an entry by its date; the second of a date says so."""
        nth = self.nth if self.place is None else self.place.nth
        return f"903 {day}" if nth == 1 else f"903 {day} {nth}"

    def says(self, event: str, record_class: str, fields: Mapping[str, Any], *, withdrawn: bool = False, part: int = 0) -> Statement:
        """One statement of this row. part: of one row, what is taken or refused apart from the rest of it."""
        return Statement(
            f"socialcare.{event}-recorded.v1", record_class, fields, withdrawn=withdrawn, row=self.number, part=self.part + part
        )

    def read(self, reader: Callable[[str | None], Any], column: str) -> Any:
        """A value by its reader; one that cannot be read refuses the row."""
        try:
            return reader(self.row.get(column))
        except values.Unreadable as error:
            raise RowRefused(column, f"expected {error}") from error


def _yes_no(text: str | None) -> str | None:
    """yes or no from 0, 1 (or 1.0, as spreadsheets write it)."""
    found = values.boolean((text or "").strip().removesuffix(".0"))
    return None if found is None else "yes" if found else "no"
