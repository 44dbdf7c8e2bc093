"""The return of children looked after as a set of CSV files: one file a module, recognised by its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.plumbing.contracts import Codes
from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import Report
from services.plumbing.files.tables import CUT, Table, open_table
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import first_line, ssda903
from services.socialcare.importers.lines import Line, RowRefused
from services.socialcare.importers.placing import Episode, Placed, placed
from services.socialcare.importers.ssda903 import Delivery, Module

ORDER = 3
"""After the daily extract: whom it knows is known by then. The header comes before the other modules."""


def is_one(path: Path) -> bool:
    """Whether the first line of a file has the columns of a module; what else it is, is looked at later."""
    return module_of(first_line.columns(path)) is not None


def module_of(columns: Iterable[str]) -> Module | None:
    """The module that a table of these columns is."""
    found = set(columns)
    return next((module for module in ssda903.MODULES if module.needs <= found), None)


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """One module, checked whole. Raises FileRefused."""
    table = open_table(path, name=name)
    module = module_of(table.columns)
    assert module is not None
    year, extracted = ssda903.year_of(name, options)
    provenance = Provenance(extracted, name, table.sha256, options.authority)
    ignored = tuple(column for column in table.columns if column not in module.reads)

    named = ssda903.Named(year)

    def read(report: Report) -> Iterator[Said]:
        for said in _Reading(table, module, provenance, year, delivery, report, codes).rows():
            named.add(said.keys[0], said.statements)
            yield said

    order = ORDER if module is ssda903.HEADER else ORDER + 1
    return Source(
        order, table.count, read, ignored, table.sha256, ((table.last_row, CUT),) if table.cut else (),
        complete=(lambda: named.complete(provenance)) if module is ssda903.EPISODES and not table.cut else None,
    )  # fmt: skip


@dataclass
class _Reading:
    """One module being read."""

    table: Table
    module: Module
    provenance: Provenance
    year: int
    delivery: Delivery
    report: Report
    codes: Codes

    def rows(self) -> Iterator[Said]:
        """What each row says of its child; a refused row is left out."""
        places = _places(self.table) if self.module is ssda903.EPISODES else {}
        dated = self.module.dated if self.module is not ssda903.EPISODES else None
        numbered = _numbered(self.table, dated) if dated else {}
        for number, row in self.table.rows():
            line = Line(
                number, row, self.report, self.codes, self.year,
                nth=numbered.get(number, 1), place=places.get(number), authority=self.provenance.authority,
            )  # fmt: skip
            try:
                said = ssda903.said_by(line, self.module, self.delivery)
            except RowRefused as refused:
                self.report.refuse(number, refused.column, row.get(refused.column), refused.why)
                continue
            yield Said(
                (key("local", line.child),), tuple(said), self.report, self.provenance,
                must_exist=self.module is not ssda903.HEADER, otherwise=ssda903.UNKNOWN_CHILD,
            )  # fmt: skip


def _places(table: Table) -> dict[int, Placed]:
    """Each episode's place among its child's, by row; those that stand alone are left out."""
    children: dict[str, list[Episode]] = {}
    for number, row in table.rows():
        found = ssda903.episode_of(number, row)
        if found is not None:
            children.setdefault(row["child"], []).append(found)
    return {number: place for episodes in children.values() for number, place in placed(episodes).items()}


def _numbered(table: Table, dated: str) -> dict[int, int]:
    """The numbers of rows that are not the only one of their child and date. Only those are held."""
    counted = Counter(hash((row["child"], row[dated])) for _, row in table.rows())
    twins = ((number, row) for number, row in table.rows() if counted[hash((row["child"], row[dated]))] > 1)
    return ssda903.numbered(twins, dated)
