"""What MIS integrators deliver as JSON (Wonde's shape): students, leavers, contacts, exclusions, session marks, deletions.

{"school": {establishment_number, la_code, urn, name}, "extracted": date, "complete": {from, to}, and lists of any of:
"students", "leavers", "contacts", "exclusions", "deletions", "codes" [{id, code}], "data" (session marks: {id, student_id, date,
session, attendance_code_id, minutes_late, comment}; or, where an endpoint's answer is all there is, the items of that
endpoint)}. A list may stand in {"data": [...]}. A date is text or {"date": ..., "timezone_type": ..., "timezone": ...}. Beside
marks, students who are names and numbers alone only say whose they are. With "complete" the file holds every mark of the school
from the one day to the other: a mark that it does not hold is withdrawn. Comments are never kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.education.importers.pupils import Delivery
from services.education.importers.wonde_deletions import Deletions
from services.education.importers.wonde_json import Json, file_day, id_of, nested
from services.education.importers.wonde_marks import MarkList
from services.education.importers.wonde_students import Contacts, Exclusions, School, Students
from services.plumbing.contracts import Codes
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.json_rows import Rows
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import unfit

MOST_NAME = 500
Lists = Mapping[str, Sequence[Any]]
ORDER = 100
"""After the census: its pupils are resolved first. Students come before what belongs to them, deletions last."""
MARKS, LOOKED_UP = "data", ("codes", "students")
ROWS = ("students", "leavers", "contacts", "exclusions", MARKS, "deletions")
"""The lists that hold rows, in the order they are taken."""
MORE = frozenset({"contacts", "contact_details", "admission_date", "leaving_date"})
"""What makes a student beside marks a row of its own."""
OTHER_NAMES = {"student_leavers": "leavers", "student-leavers": "leavers", "attendance_codes": "codes", "attendance-codes": "codes"}
SHAPES = (
    ("deleted_at", "deletions"), ("attendance_code_id", MARKS), ("session", MARKS), ("relationship", "contacts"),
    ("leaving_date", "leavers"), ("date_of_birth", "students"), ("start_date", "exclusions"),
)  # fmt: skip
"""By which field the items of an endpoint's answer are told."""


def recognise(body: Any, mark: str, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A file of a MIS, checked whole. mark: its sha256. Raises FileRefused."""
    if not isinstance(body, dict) or not any(part in body for part in (*ROWS, *OTHER_NAMES)):
        raise FileRefused(name, "the JSON is no list of session marks, students, leavers, contacts, exclusions or deletions")
    number, called = _school(body, name)
    extracted = as_of(name, options, said=file_day(name, "extracted", body.get("extracted")))
    school = School(number, called, Provenance(extracted, name, mark, options.authority), codes)
    period, lists = _period(body, name), _lists(body, name)
    if called:
        delivery.schools[number] = called
    marks = MarkList(lists, number, called, school.provenance, codes)
    parts = [part for part in ROWS if lists[part] and not (part == "students" and lists[MARKS] and not _tell(lists["students"]))]
    complete = None if period is None else lambda: marks.complete(*period)
    return Source(
        ORDER + max((ROWS.index(part) for part in parts), default=0), sum(len(lists[part]) for part in parts),
        lambda report: _all(lists, parts, school, marks, report), mark=mark, complete=complete,
        warnings=() if parts else ((0, "the file holds no rows: nothing is said, and nothing is withdrawn"),),
    )  # fmt: skip


def _all(lists: Lists, parts: list[str], school: School, marks: MarkList, report: Report) -> Iterator[Said]:
    """Every row of the file: numbered through, the marks first."""
    first = {MARKS: 1}
    following = 1 + (len(lists[MARKS]) if MARKS in parts else 0)
    for part in parts:
        if part != MARKS:
            first[part], following = following, following + len(lists[part])
    for part in parts:
        if part == MARKS:
            yield from marks.read(report)
        elif part in ("students", "leavers"):
            yield from Students(school, lists[part], first[part], leavers=part == "leavers").read(report)
        else:
            reader = {"contacts": Contacts, "exclusions": Exclusions, "deletions": Deletions}[part]
            yield from reader(school, lists[part], first[part]).read(report)


def _school(body: Json, name: str) -> tuple[str, str | None]:
    """The school's number as the census has it (local authority code and establishment number), and its name."""
    school = nested(body, "school")
    number, authority, called = id_of(school.get("establishment_number")), id_of(school.get("la_code")), school.get("name")
    if number is None:
        raise FileRefused(name, "the file does not say which school it is from (school.establishment_number)")
    if unfit(number) or unfit(authority or ""):
        raise FileRefused(name, "the school's number holds a character that cannot be stored")
    kept = isinstance(called, str) and called.strip() and len(called) <= MOST_NAME and not unfit(called)
    return f"{authority or ''}{number}", called.strip() if kept else None  # type: ignore[union-attr]


def _period(body: Json, name: str) -> tuple[str, str] | None:
    """The first and last day the file is complete for; None when it does not say so."""
    if body.get("complete") is None:
        return None
    said = nested(body, "complete")
    first, last = (file_day(name, f"complete.{end}", said.get(end)) for end in ("from", "to"))
    if first is None or last is None or last < first:
        raise FileRefused(name, '"complete" does not say from which day to which')
    return first, last


def _lists(body: Json, name: str) -> Lists:
    """The file's lists, whatever is in them; `data` under the name of what it holds."""
    found: dict[str, Rows] = {}
    for part, value in body.items():
        known = OTHER_NAMES.get(part, part)
        if known not in (*LOOKED_UP, *ROWS) or not value:
            continue
        value = value.get("data", ()) if isinstance(value, dict) else value
        if value == ():
            continue
        if not isinstance(value, Rows):
            raise FileRefused(name, f'"{part}" is no list')
        kind = _shape(value) if known == MARKS else known
        found[kind] = found[kind] + value if kind in found else value
    return {part: found.get(part, ()) for part in (*LOOKED_UP, *ROWS)}


def _tell(students: Sequence[Any]) -> bool:
    """Whether students say more than whose marks these are."""
    found = (one for one in students if isinstance(one, dict))
    return any(MORE & one.keys() or "admission_date" in nested(one, "education_details") for one in found)


def _shape(items: Sequence[Any]) -> str:
    """What the items of `data` are, by the first that is an object."""
    item = next((one for one in items if isinstance(one, dict)), {})
    details = nested(item, "education_details")
    return next((part for field, part in SHAPES if field in item or (field == "leaving_date" and details.get(field))), MARKS)
