"""The children in need census as XML, 2021 to 2026, with every module. It holds no names.

XML has no columns: an optional element that a module of the census leaves out says that there is none, as the schema has it
(an open case is one without CINclosureDate, and a later census without it opens the case again). Of who a child is, and of its
disabilities, nothing left out erases anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.plumbing.contracts import Codes
from services.plumbing.files import markup, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import cin_child

ORDER = 5
FIRST_YEAR = 2000


@dataclass
class _Header:
    """What the file says of itself, and what it holds."""

    said: dict[str, str] = field(default_factory=dict)
    children: int = 0
    ignored: set[str] = field(default_factory=set)


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """A CIN census, checked whole: the workforce census has the same root, so the collection is looked at."""
    header = _Header()
    for element in markup.elements(path, name, "Collection", "ReferenceDate", "Year", "LEA", "Child"):
        if element.tag == "Child":
            header.children += 1
            header.ignored.update(cin_child.ignored(element))
        else:
            header.said.setdefault(str(element.tag), (element.text or "").strip())
    if header.said.get("Collection") != "CIN":
        raise FileRefused(name, "this is no children in need census (Collection is not CIN)")
    extracted = as_of(name, options, said=_reference(name, header.said))
    authority = _authority(name, header.said.get("LEA"), options)
    mark = markup.sha256(path)
    provenance = Provenance(extracted, name, mark, authority)
    return Source(
        ORDER, header.children, lambda report: _children(path, name, provenance, codes, report), tuple(sorted(header.ignored)), mark
    )  # fmt: skip


def _reference(name: str, said: dict[str, str]) -> str | None:
    """The reference date. `Year` names the year to 31 March, in some systems by its first half: so from the April before to
    the March after. Raises FileRefused."""
    try:
        day = values.day(said.get("ReferenceDate"))
    except values.Unreadable as error:
        raise FileRefused(name, f"expected {error}", column="ReferenceDate") from error
    year = said.get("Year")
    if not year:
        return day
    if not re.fullmatch(r"\d{4}", year, re.ASCII) or not FIRST_YEAR <= int(year) <= int(values.today()[:4]) + 1:
        raise FileRefused(name, f"{year} is not a year from {FIRST_YEAR} to next year", column="Year")
    if day is not None and not f"{int(year) - 1}-04-01" <= day <= f"{int(year) + 1}-03-31":
        raise FileRefused(name, f"the reference date {day} does not lie in the census year {year}", column="ReferenceDate")
    return day


def _authority(name: str, lea: str | None, options: Options) -> str | None:
    if options.authority and lea and lea != options.authority:
        raise FileRefused(name, f"--authority says {options.authority}, but the file says {lea}", column="LEA")
    return options.authority or lea or None


def _children(path: Path, name: str, provenance: Provenance, codes: Codes, report: Report) -> Iterator[Said]:
    for number, child in enumerate(markup.elements(path, name, "Child"), 1):
        said = cin_child.Reading(number, report, codes).child(child)
        if said is not None:
            local, statements = said
            yield Said((key("local", local),), tuple(statements), report, provenance)
