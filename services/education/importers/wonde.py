"""Daily session marks as the JSON that MIS integrators deliver (Wonde's shape). A later file corrects an earlier mark.

{"school": {establishment_number, la_code, urn, name}, "extracted": date, "codes": [{id, code}], "students": [...],
"data": [{id, student_id, date, session, attendance_code_id, minutes_late, comment}], "complete": {from, to}}. A date is text
or {"date": ..., "timezone_type": ..., "timezone": ...}. With "complete" the file holds every mark of the school from the one
day to the other: a mark that it does not hold is withdrawn. Comments are never kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.education.importers.pupils import Delivery, school_keys
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Complete, Provenance, Said, Statement
from services.plumbing.subjects import Key, key, unfit

MOST_BYTES = 64 * 1024 * 1024
MOST_NAME = 500
MOST_LATE = 600
ORDER = 9
"""After the census: its pupils are resolved first."""
MARK, CLASS = "education.attendance-recorded.v1", "R-REGISTER"
Json = Mapping[str, Any]
Marks = dict[tuple[str, str], tuple[int, dict[str, Any]]]
"""(date, session) -> the row and the mark that stands"""


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A file of marks, checked whole. Raises FileRefused."""
    raw = _read(path, name)
    body = _decoded(raw, name)
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise FileRefused(name, 'the JSON is no list of session marks: it has no "data"')
    school, called = _school(body, name)
    extracted = as_of(name, options, said=_file_day(name, "extracted", body.get("extracted")))
    mark = hashlib.sha256(raw).hexdigest()
    provenance = Provenance(extracted, name, mark, options.authority)
    period = _period(body, name)
    marks = _Marks(_lists(body, name), school, called, provenance, codes)
    if called:
        delivery.schools[school] = called
    complete = None if period is None else lambda: marks.complete(*period)
    return Source(ORDER, len(body["data"]), marks.read, mark=mark, complete=complete)


def _read(path: Path, name: str) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    raw = path.read_bytes()
    if not raw.strip():
        raise FileRefused(name, "the file is empty")
    return raw


def _decoded(raw: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FileRefused(name, f"the JSON is broken or cut off ({type(error).__name__})") from error


def _school(body: Json, name: str) -> tuple[str, str | None]:
    """The school's number as the census has it (local authority code and establishment number), and its name."""
    school = _nested(body, "school")
    number, authority, called = _id(school.get("establishment_number")), _id(school.get("la_code")), school.get("name")
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
    said = _nested(body, "complete")
    first, last = (_file_day(name, f"complete.{end}", said.get(end)) for end in ("from", "to"))
    if first is None or last is None or last < first:
        raise FileRefused(name, '"complete" does not say from which day to which')
    return first, last


def _lists(body: Json, name: str) -> dict[str, list[Any]]:
    """The file's three lists, whatever is in them."""
    found = {}
    for part in ("codes", "students", "data"):
        value = body.get(part) or []
        value = value.get("data", []) if isinstance(value, dict) else value
        if not isinstance(value, list):
            raise FileRefused(name, f'"{part}" is no list')
        found[part] = value
    return found


class _Marks:
    """The marks of one file, pupil by pupil."""

    def __init__(
        self, lists: Mapping[str, list[Any]], school: str, called: str | None, provenance: Provenance, codes: Codes
    ) -> None:
        self._school, self._called, self._provenance = school, called, provenance
        self._known, self._lists = codes, lists
        self._codes = {_id(one.get("id")): one.get("code") for one in lists["codes"] if isinstance(one, dict)}
        self._students = {_id(one.get("id")): one for one in lists["students"] if isinstance(one, dict)}
        self._held: dict[Key, frozenset[tuple[Any, ...]]] = {}

    def read(self, report: Report) -> Iterator[Said]:
        """All of a pupil's marks of this file together; a row that cannot be taken is refused, the rest goes in."""
        for part in ("codes", "students"):
            self._look_over(report, part)
        for student, marks in self._by_student(report).items():
            yield self._said(report, student, marks)

    def _look_over(self, report: Report, part: str) -> None:
        """Say what of a list is not read: what is no object, and what stands twice and differs."""
        held: dict[str | None, Any] = {}
        for number, one in enumerate(self._lists[part], 1):
            if not isinstance(one, dict):
                report.flag(0, f"{part}[{number}]", None, "expected an object; left out")
            elif held.setdefault(_id(one.get("id")), one) != one:
                report.flag(0, f"{part}[{number}].id", one.get("id"), "the id came before with other values; the later ones stand")

    def complete(self, first: str, last: str) -> Complete:
        """What the file, once read, was complete for."""
        scope = key("", self._school, "")[1]
        return Complete(MARK, CLASS, self._provenance, scope, {"school": self._school}, ("date", first, last), self._held)

    def _said(self, report: Report, student: str, marks: Marks) -> Said:
        person = self._person(report, student) | {"organisation": self._school}
        own = key("mis", self._school, student)
        self._held[own] = frozenset((self._school, date, session) for date, session in marks)
        statements = [Statement(MARK, CLASS, fields, row=row) for row, fields in marks.values()]
        if self._called:
            fields = {"school": self._school, "school_name": self._called}
            statements.append(Statement("education.enrolment-recorded.v1", "R-PUPIL", fields, completes=True))
        enough = bool(person.get("birth_date") and person.get("family_name"))
        if enough:
            statements.insert(0, Statement("education.person-recorded.v1", "R-IDENT", person))
        return Said(
            (own,), tuple(statements), report, self._provenance, must_exist=not enough,
            otherwise="no pupil of the register is this student, and the file says too little to register one",
            joins=school_keys(self._school, person), rows=tuple((report, row) for row, _ in marks.values()),
        )  # fmt: skip

    def _by_student(self, report: Report) -> dict[str, Marks]:
        """The mark that stands of each session; the rows it stands against are named."""
        found: dict[str, Marks] = {}
        for row, item in enumerate(self._lists["data"], 1):
            mark = self._mark(report, row, item)
            if mark is None:
                continue
            student, fields = mark
            held = found.setdefault(student, {})
            place = (fields["date"], fields["session"])
            if place in held:
                before, other = held[place]
                code, earlier = fields["attendance_code"], other["attendance_code"]
                if code != earlier:
                    report.flag(row, "attendance_code", code, f"row {before} says otherwise ({earlier}); this row stands")
                report.accepted += 1
            held[place] = (row, fields)
        return found

    def _mark(self, report: Report, row: int, item: Any) -> tuple[str, dict[str, Any]] | None:
        if not isinstance(item, dict):
            return report.refuse(row, None, None, "expected an object")
        student = _id(item.get("student_id")) or _id(_nested(item, "student").get("id"))
        date, session = _day(item.get("date")), item.get("session")
        if student is None:
            return report.refuse(row, "student_id", item.get("student_id"), "the mark does not say whose it is")
        if date is None:
            return report.refuse(row, "date", item.get("date"), "expected a date such as 2026-11-20")
        if session not in ("AM", "PM"):
            return report.refuse(row, "session", session, "expected AM or PM")
        code = self._codes.get(_id(item.get("attendance_code_id"))) or _nested(item, "attendance_code").get("code")
        if not isinstance(code, str) or not code.strip():
            return report.refuse(row, "attendance_code_id", item.get("attendance_code_id"), "the file does not say which code this is")
        fields: dict[str, Any] = {"school": self._school, "date": date, "session": session, "attendance_code": code.strip()}
        if "minutes_late" in item:
            fields["minutes_late"] = self._late(report, row, item["minutes_late"])
        self._flag(report, row, fields)
        return student, fields

    def _late(self, report: Report, row: int, value: Any) -> int | None:
        if value in (None, 0, ""):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_LATE:
            return value
        report.flag(row, "minutes_late", value, f"expected minutes from 0 to {MOST_LATE}; left out")
        return None

    def _flag(self, report: Report, row: int, fields: dict[str, Any]) -> None:
        """Codes that are unknown, or not in use on that day, are kept and marked; a correction takes the mark away."""
        fields["flag"] = coded.oddity(self._known, "attendance", fields["attendance_code"], first=fields["date"])
        if fields["flag"]:
            report.flag(row, "attendance_code", fields["attendance_code"], fields["flag"] + "; kept as it is")

    def _person(self, report: Report, student: str) -> dict[str, Any]:
        """Who a student is, as the MIS says it: legal names first."""
        said = self._students.get(student, {})
        born, education = said.get("date_of_birth"), _nested(said, "education_details")
        fields = {
            "given_name": _name(said, "legal_forename", "forename"),
            "family_name": _name(said, "legal_surname", "surname"),
            "birth_date": _day(born),
        }
        if born and fields["birth_date"] is None:
            report.flag(0, "date_of_birth", born, "expected a date such as 2015-03-27; left out")
        number = values.upn(_id(education.get("upn")))
        if number and not number["valid"]:
            report.flag(0, "upn", number["value"], f"not a valid number ({number['reason']}); kept and marked")
        return {**{n: v for n, v in fields.items() if v}, "identifiers": [number] if number else []}


def _id(value: Any) -> str | None:
    """An id or number as text, however the JSON writes it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return values.code(str(value))


def _name(item: Json, *parts: str) -> str | None:
    return next((found for part in parts if isinstance(item.get(part), str) and (found := values.text(item[part]))), None)


def _nested(item: Json, name: str) -> Json:
    """`{"student": {"data": {...}}}` or `{"student": {...}}`."""
    found = item.get(name) or {}
    found = found.get("data", found) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _day(value: Any) -> str | None:
    """A date as text or as an object with a `date`; None when it is neither."""
    found = value.get("date") if isinstance(value, dict) else value
    try:
        return values.day(found) if isinstance(found, str) else None
    except values.Unreadable:
        return None


def _file_day(name: str, where: str, value: Any) -> str | None:
    """A day that the file says of itself. Raises FileRefused for one that cannot be read."""
    found = _day(value)
    if found is None and value not in (None, ""):
        raise FileRefused(name, f'"{where}" is no date such as 2026-11-20')
    return found
