"""The Common Transfer File as XML, versions 19 to 25: what a school passes on of its pupils. See FORMATS 1 in the notes.

Read as a stream, pupil by pupil. `Gender` (to version 22) and `Sex` both hold the sex. A partial file speaks of less: what it
leaves out it says nothing of, and its list of contacts takes nobody away; a full file's list is the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml.etree import _Element as Element

from services.education.importers.ctf_pupil import READ, Reading, Refused
from services.education.importers.pupils import Delivery
from services.plumbing.contracts import Codes
from services.plumbing.files import markup, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import unfit

ORDER = 50
"""After the census, whose pupils it joins, and before a MIS."""
FIRST_VERSION, LAST_VERSION = 19, 25
ROOT, NAME = "CTfile", "Common Transfer File"


@dataclass
class _Header:
    """What the file says of itself, and what it holds."""

    said: dict[str, str] = field(default_factory=dict)
    pupils: int = 0
    ignored: set[str] = field(default_factory=set)


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A Common Transfer File, checked whole. Raises FileRefused."""
    header = _look_over(path, name)
    school = _school(name, header.said)
    _version(name, header.said.get("CTFversion"))
    extracted = as_of(name, options, said=_day(name, header.said.get("DateTime")))
    mark = markup.sha256(path)
    provenance = Provenance(extracted, name, mark, options.authority)
    called = values.text(header.said.get("SourceSchool/SchoolName"))
    if called:
        delivery.schools[school] = called
    full = header.said.get("DocumentQualifier", "full").lower() != "partial"

    def read(report: Report) -> Iterator[Said]:
        for number, pupil in enumerate(markup.elements(path, name, "Pupil"), 1):
            try:
                yield Reading(number, report, codes, provenance, school, called, full).pupil(pupil)
            except Refused as refused:
                report.refuse(number, refused.path, refused.value, refused.why)

    empty = () if header.pupils else ((0, "the file holds no pupil: nothing is said"),)
    return Source(ORDER, header.pupils, read, tuple(sorted(header.ignored)), mark, empty)


def _look_over(path: Path, name: str) -> _Header:
    """The whole file, once: broken anywhere it is refused before any pupil is taken."""
    header = _Header()
    for element in markup.elements(path, name, "Header", "Pupil"):
        if element.getroottree().getroot().tag != ROOT:
            break
        if element.tag == "Header":
            header.said = {_below(one): (one.text or "").strip() for one in element.iter() if isinstance(one.tag, str) and not len(one)}
        else:
            header.pupils += 1
            header.ignored.update(_ignored(element))
    if header.said.get("DocumentName", NAME) != NAME or not header.said:
        raise FileRefused(name, "this is no Common Transfer File (CTfile with a Header)")
    return header


def _below(element: Element) -> str:
    """`SourceSchool/LEA`; what stands in the header itself by its own name."""
    parent = element.getparent()
    return str(element.tag) if parent is None or parent.tag == "Header" else f"{parent.tag}/{element.tag}"


def _ignored(pupil: Element) -> Iterator[str]:
    """The elements of a pupil that are not read."""
    for part in pupil:
        known = READ.get(str(part.tag))
        if known is None:
            yield str(part.tag)
        elif known:
            yield from (f"{part.tag}/{one.tag}" for one in part if isinstance(one.tag, str) and one.tag not in known)


def _school(name: str, said: dict[str, str]) -> str:
    """The number of the school that speaks, as the census has it."""
    authority, establishment = said.get("SourceSchool/LEA"), said.get("SourceSchool/Estab")
    if not authority or not establishment or unfit(authority + establishment):
        raise FileRefused(name, "the file does not say which school it is from (SourceSchool/LEA and Estab)")
    return authority + establishment


def _version(name: str, said: str | None) -> None:
    found = re.fullmatch(r"(\d{1,3})(?:\.\d{1,3})?", said or "", re.ASCII)
    if found is None or not FIRST_VERSION <= int(found[1]) <= LAST_VERSION:
        why = f"the version {said or '(none)'} is not from {FIRST_VERSION} to {LAST_VERSION}"
        raise FileRefused(name, why, column="CTFversion")


def _day(name: str, said: str | None) -> str | None:
    try:
        return values.day(said)
    except values.Unreadable as error:
        raise FileRefused(name, f"expected {error}", column="DateTime") from error
