"""The return of children looked after as XML (EXPSSDA903): a HEADER and EPISODEs for each CHILD.

The elements are named as the columns of the CSV, but CHILDID and PL. A module is known by its own elements, in the header
itself or in a group of any name (AREVIEW, OC2, AD_PLACED ...). XML has no columns: an element that a module leaves out is
blank. Every episode, review and module is a part of its own: its fault keeps no other out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.plumbing.files import markup, values
from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import ssda903
from services.socialcare.importers.lines import Line, Row, RowRefused
from services.socialcare.importers.placing import Placed, placed
from services.socialcare.importers.ssda903 import EPISODES, HEADER, OTHERS, UASC, Delivery, Module

ROOT = "EXPSSDA903"
ORDER = 3
COLUMNS = {"childid": "child", "pl": "place"}
FLAG = "uasc"
"""The element that says that a child is an unaccompanied asylum seeker, with or without DUC."""
KNOWN = frozenset(column for module in ssda903.MODULES for column in module.reads) | {FLAG}
NO = frozenset({None, "0", "false"})
WHO = frozenset({"child", "dob", "sex"})


def is_one(path: Path) -> bool:
    """Whether the root element is the return's; what else the file is, is looked at later."""
    parser, roots = expat.ParserCreate(), []

    def begun(name: str, _: object) -> None:
        roots.append(name)
        raise _Begun

    parser.StartElementHandler = begun
    try:
        with path.open("rb") as data:
            parser.Parse(data.read(markup.MOST_PROLOG), False)
    except (_Begun, expat.ExpatError, ValueError, LookupError):
        return roots == [ROOT]
    return False


class _Begun(Exception):
    """The root element began."""


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A return, checked whole. Raises FileRefused."""
    year, extracted = ssda903.year_of(name, options)
    count, ignored = 0, set()
    for child in markup.elements(path, name, "CHILD"):
        count += 1
        ignored.update(str(one.tag) for one in child.iter("*") if len(one) == 0 and one is not child and _column(one) not in KNOWN)
    mark = markup.sha256(path)
    provenance = Provenance(extracted, name, mark, options.authority)

    named = ssda903.Named(year)

    def read(report: Report) -> Iterator[Said]:
        for number, child in enumerate(markup.elements(path, name, "CHILD"), 1):
            for said in _Reading(number, report, codes, year, delivery, options.authority).child(child, provenance):
                named.add(said.keys[0], said.statements)
                yield said

    return Source(ORDER, count, read, tuple(sorted(ignored)), mark, complete=lambda: named.complete(provenance))


@dataclass
class _Reading:
    """One child being read."""

    number: int
    report: Report
    codes: Codes
    year: int
    delivery: Delivery
    authority: str | None
    part: int = 0

    def child(self, child: Element, provenance: Provenance) -> Iterator[Said]:
        """Everything of one child; nothing where its header cannot be taken."""
        group = child.find("HEADER")
        leaves = {} if group is None else _leaves(group)
        who = _row(HEADER, leaves, leaves)
        said = self._part(HEADER, who)
        if said and group is not None:
            said += self._modules([(module, row) for part in _groups(group) for module, row in _modules(leaves, _leaves(part))])
            said += self._episodes([_row(EPISODES, leaves, _leaves(one)) for one in child.iterfind("EPISODE")])
            yield Said((key("local", values.code(who["child"]) or ""),), tuple(said), self.report, provenance)

    def _modules(self, found: list[tuple[Module, Row]]) -> list[Statement]:
        nth: dict[int, int] = {}
        for module in OTHERS:
            if module.dated:
                nth |= ssda903.numbered(((n, row) for n, (one, row) in enumerate(found) if one is module), module.dated)
        return [said for n, (module, row) in enumerate(found) for said in self._part(module, row, nth=nth.get(n, 1))]

    def _episodes(self, rows: list[Row]) -> list[Statement]:
        places = placed([found for n, row in enumerate(rows) if (found := ssda903.episode_of(n, row))])
        return [said for n, row in enumerate(rows) for said in self._part(EPISODES, row, place=places.get(n))]

    def _part(self, module: Module, row: Row, *, nth: int = 1, place: Placed | None = None) -> list[Statement]:
        """What a part says, or nothing when it is refused."""
        self.part += 2
        line = Line(self.number, row, self.report, self.codes, self.year, self.part, place, nth, self.authority)
        try:
            return ssda903.said_by(line, module, self.delivery)
        except RowRefused as refused:
            self.report.refuse(self.number, refused.column, row.get(refused.column), refused.why)
            return []


def _column(element: Element) -> str:
    found = str(element.tag).lower()
    return COLUMNS.get(found, found)


def _leaves(group: Element) -> Row:
    """The elements of a group that hold text, by column."""
    return {_column(one): (one.text or "").strip() for one in group if len(one) == 0 and isinstance(one.tag, str)}


def _groups(header: Element) -> Iterator[Element]:
    """The header itself, and every element in it that has elements."""
    return (one for one in header.iter("*") if len(one))


def _present(module: Module, found: Row) -> bool:
    flagged = module is UASC and values.code(found.get(FLAG)) not in NO
    return flagged or any(values.code(found.get(column)) for column in module.own)


def _modules(header: Row, found: Row) -> Iterator[tuple[Module, Row]]:
    """The modules that a group of elements holds, each as its row."""
    return ((module, _row(module, header, found)) for module in OTHERS if _present(module, found))


def _row(module: Module, header: Row, found: Row) -> Row:
    """A module's row as the CSV has it: who it is of by the header, and a blank for what is left out."""
    return {column: header.get(column, "") if column in WHO else found.get(column, "") for column in module.reads}
