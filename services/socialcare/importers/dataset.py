"""What every table of the Standard Safeguarding Dataset is read with: rows, their values, and what tables tell each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.plumbing.files.tables import Table
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key, key

Row = Mapping[str, str]
PLACEHOLDERS = frozenset({"PLACEHOLDER_DATA", "SSD_PH"})
"""What case systems write where the dataset is not settled yet: a blank, and no id."""
UNKNOWN_PERSON = "no person with this id came in this delivery or before"


@dataclass
class Delivery:
    """What the tables of one delivery tell each other. families, numbers, gathered: collected over all files of the
    table."""

    persons: dict[str, dict[str, Any]] = field(default_factory=dict)
    adults: set[str] = field(default_factory=set)
    homes: dict[str, str] = field(default_factory=dict)
    professionals: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    families: dict[str, dict[str, None]] = field(default_factory=dict)
    gathered: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, list[tuple[str, str | None, str | None]]] = field(default_factory=dict)
    knows_statuses: bool = False


@dataclass
class Reading:
    """One table being read."""

    table: Table
    provenance: Provenance
    delivery: Delivery
    report: Report
    codes: Codes

    def rows(self) -> Iterator[tuple[int, Row]]:
        """The rows with their numbers; a placeholder is a blank."""
        for number, row in self.table.rows():
            yield number, {column: "" if text in PLACEHOLDERS else text for column, text in row.items()}

    def day(self, row: Row, column: str) -> str | None:
        """A date; one that cannot be read refuses the row."""
        return cell(values.day, row, column)

    def days(self, row: Row, **columns: str) -> dict[str, Any]:
        """The dates of those columns (field=column) that the file has."""
        return {name: self.day(row, column) for name, column in columns.items() if column in row}

    def yes_no(self, row: Row, **columns: str) -> dict[str, Any]:
        """The answers of those columns (field=column) that the file has; blank is unknown, never no."""
        return {name: cell(values.boolean, row, column) for name, column in columns.items() if column in row}

    def texts(self, row: Row, **columns: str) -> dict[str, Any]:
        """The texts of those columns (field=column) that the file has."""
        return {name: values.text(row[column]) for name, column in columns.items() if column in row}

    def ids(self, row: Row, **columns: str) -> dict[str, Any]:
        """The ids of those columns (field=column) that the file has."""
        return {name: values.code(row[column]) for name, column in columns.items() if column in row}

    def postcode(self, number: int, row: Row, column: str) -> str | None:
        """The postcode in this column; one of no known form is kept and flagged: names in it say that columns changed places."""
        found = values.code(row[column])
        if found is not None and not values.is_postcode(found):
            self.report.flag(number, column, found, "not a postcode; kept")
        return found

    def codes_of(self, number: int, row: Row, columns: Mapping[str, tuple[str, str]], day: str | None = None) -> dict[str, Any]:
        """The coded columns that the file has; what is odd about a code is flagged."""
        return {
            name: coded.check(self.codes, self.report, number, column, values.code(row[column]), list, first=day)
            for column, (name, list) in columns.items()
            if column in row
        }

    def said(self, person: str, statements: list[Statement], *, must_exist: bool = True, aliases: tuple[Key, ...] = ()) -> Said:
        """What a row says of a person known by the case system's number. aliases: ids of this row that later rows use."""
        return Said(
            (key("local", person),), tuple(statements), self.report, self.provenance,
            must_exist=must_exist, otherwise=UNKNOWN_PERSON, aliases=aliases,
        )  # fmt: skip

    def said_of(self, parent: Key, statements: list[Statement], *, otherwise: str, aliases: tuple[Key, ...] = ()) -> Said:
        """What a row says of whoever an earlier row's id belongs to. aliases: ids of this row that later rows use."""
        return Said(
            (parent,), tuple(statements), self.report, self.provenance, must_exist=True, otherwise=otherwise, aliases=aliases
        )

    def note(self) -> None:
        """A row that is taken and publishes nothing by itself."""
        self.report.accepted += 1


class RowRefused(Exception):
    """A row that cannot be taken: which column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


def cell(reader: Callable[[str | None], Any], row: Row, column: str) -> Any:
    """A value by its reader; one that cannot be read refuses the row."""
    try:
        return reader(row.get(column))
    except values.Unreadable as error:
        raise RowRefused(column, f"expected {error}") from error


def required(row: Row, column: str) -> str:
    """An id that joins this row to something; without one the row is refused."""
    found = values.code(row.get(column))
    if found is None:
        raise RowRefused(column, "the row does not say which")
    return found


def each(one: Callable[[Reading, int, Row], Said | None], *ids: str) -> Callable[[Reading], Iterator[Said]]:
    """A table read row by row; a refused row is left out. ids: columns that no row may leave blank."""

    def read(reading: Reading) -> Iterator[Said]:
        for number, row in reading.rows():
            try:
                said = one(reading, number, {**row, **{column: required(row, column) for column in ids}})
            except RowRefused as refused:
                reading.report.refuse(number, refused.column, row.get(refused.column), refused.why)
                continue
            if said is not None:
                yield said

    return read


Item = tuple[str, Any]
"""One of a list's members: what it is told apart by, and itself."""


def gathered(
    item: Callable[[Reading, int, Row], Item], say: Callable[[Reading, str, list[Any], int], Said], name: str, owner: str
) -> Callable[[Reading], Iterator[Said]]:
    """A table whose rows are the members of lists, each said at once in the order of what its members are told apart by.

    The rows of one list may lie in several files of one delivery. name: the list's, among a delivery's. owner: the column that
    says whose list it is.
    """

    def read(reading: Reading) -> Iterator[Said]:
        rows: dict[str, list[int]] = {}
        for number, row in reading.rows():
            try:
                whose = required(row, owner)
                apart, member = item(reading, number, row)
            except RowRefused as refused:
                reading.report.refuse(number, refused.column, row.get(refused.column), refused.why)
                continue
            reading.delivery.gathered.setdefault((name, whose), {})[apart] = member
            rows.setdefault(whose, []).append(number)
        for whose, numbers in rows.items():
            held = reading.delivery.gathered[name, whose]
            said = say(reading, whose, [held[apart] for apart in sorted(held)], numbers[0])
            yield replace(said, rows=tuple((reading.report, number) for number in numbers))

    return read


@dataclass(frozen=True)
class Kind:
    """One table: its place in the order (parents first), the columns it is recognised by, those read besides, and how."""

    order: int
    needs: frozenset[str]
    also: frozenset[str]
    read: Callable[[Reading], Iterator[Said]]

    @property
    def reads(self) -> frozenset[str]:
        """Every column of which something is taken."""
        return self.needs | self.also


def kind_of(order: int, needs: str, also: str, read: Callable[[Reading], Iterator[Said]]) -> Kind:
    """A table, its columns written with spaces between them."""
    return Kind(order, frozenset(needs.split()), frozenset(also.split()), read)
