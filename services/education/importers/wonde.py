"""Daily session marks as the JSON that MIS integrators deliver (Wonde's shape). A later file corrects an earlier mark.

{"school": {establishment_number, la_code, urn, name}, "extracted": date, "codes": [{id, code}], "students": [...],
"data": [{id, student_id, date, session, attendance_code_id, minutes_late, comment}]}. Comments are never kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.education.importers.census import pupil_keys
from services.plumbing.contracts import Codes
from services.plumbing.files import values
from services.plumbing.files.delivery import Options, Source, date_in_name
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Key, Provenance, Said, Statement

MOST_BYTES = 64 * 1024 * 1024
ORDER = 9
"""After the census: its pupils are resolved first."""
Json = Mapping[str, Any]


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """A file of marks, checked whole. Raises FileRefused."""
    raw = _read(path, name)
    body = _decoded(raw, name)
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise FileRefused(name, 'the JSON is no list of session marks: it has no "data"')
    extracted = options.extracted or _day(body.get("extracted")) or date_in_name(name)
    if extracted is None:
        raise FileRefused(name, "neither the file nor its name says as of when it speaks", option="--extracted DATE")
    school = _school(body, name)
    provenance = Provenance(extracted, name, hashlib.sha256(raw).hexdigest(), options.authority)
    marks = _Marks(body, school, provenance, codes)
    return Source(ORDER, len(body["data"]), marks.read)


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


def _school(body: Json, name: str) -> str:
    """The school's number as the census names it: local authority code and establishment number."""
    school = body.get("school") or {}
    authority, number = school.get("la_code"), school.get("establishment_number")
    if not number:
        raise FileRefused(name, "the file does not say which school it is from (school.establishment_number)")
    return f"{authority or ''}{number}"


class _Marks:
    """The marks of one file, pupil by pupil."""

    def __init__(self, body: Json, school: str, provenance: Provenance, codes: Codes) -> None:
        self._school, self._provenance = school, provenance
        self._known = codes["attendance"]
        self._body = body
        self._codes = {str(item.get("id")): str(item.get("code", "")) for item in _list(body, "codes")}
        self._students = {str(item.get("id")): item for item in _list(body, "students")}

    def read(self, report: Report) -> Iterator[Said]:
        """All of a pupil's marks of this file together; a row that cannot be taken is refused, the rest goes in."""
        for student, marks in self._by_student(report).items():
            person = _person(self._students.get(student, {}))
            statements = [
                Statement("education.attendance-recorded.v1", "R-REGISTER", fields, row=row) for row, fields in marks
            ]
            keys: list[Key] = [("mis", f"{self._school}|{student}"), *pupil_keys(self._school, person)]
            if person.get("birth_date") and person.get("family_name"):
                who = Statement("education.person-recorded.v1", "R-IDENT", person)
                yield Said(tuple(keys), (who, *statements), report, self._provenance)
            else:
                why = "no pupil of the register is this student, and the file says too little to register one"
                yield Said(tuple(keys), tuple(statements), report, self._provenance, must_exist=True, otherwise=why)

    def _by_student(self, report: Report) -> dict[str, list[tuple[int, dict[str, Any]]]]:
        found: dict[str, dict[tuple[str, str], tuple[int, dict[str, Any]]]] = {}
        for row, item in enumerate(_list(self._body, "data"), 1):
            mark = self._mark(report, row, item)
            if mark is None:
                continue
            student, fields = mark
            held = found.setdefault(student, {})
            key = (fields["date"], fields["session"])
            if key in held and held[key][1]["attendance_code"] != fields["attendance_code"]:
                report.refuse(row, "attendance_code", fields["attendance_code"], f"row {held[key][0]} of this file gives another mark")
            else:
                held[key] = (row, fields)
        return {student: list(marks.values()) for student, marks in found.items()}

    def _mark(self, report: Report, row: int, item: Json) -> tuple[str, dict[str, Any]] | None:
        student = str(item.get("student_id") or _nested(item, "student").get("id") or "")
        date, session = _day(item.get("date")), item.get("session")
        if not student:
            return report.refuse(row, "student_id", None, "the mark does not say whose it is")
        if date is None:
            return report.refuse(row, "date", item.get("date"), "expected a date such as 2026-11-20")
        if session not in ("AM", "PM"):
            return report.refuse(row, "session", session, "expected AM or PM")
        code = self._codes.get(str(item.get("attendance_code_id"))) or _nested(item, "attendance_code").get("code")
        if not code:
            return report.refuse(row, "attendance_code_id", item.get("attendance_code_id"), "the file does not say which code this is")
        fields: dict[str, Any] = {"school": self._school, "date": date, "session": session, "attendance_code": code}
        if isinstance(item.get("minutes_late"), int) and item["minutes_late"]:
            fields["minutes_late"] = item["minutes_late"]
        self._flag(report, row, fields)
        return student, fields

    def _flag(self, report: Report, row: int, fields: dict[str, Any]) -> None:
        """Codes that are unknown, or not in use on that day, are kept and marked."""
        code = self._known.get(fields["attendance_code"])
        day = fields["date"]
        if code is None:
            fields["flag"] = "not in the code list"
        elif (code.valid_to and day > code.valid_to.isoformat()) or (code.valid_from and day < code.valid_from.isoformat()):
            fields["flag"] = "not in use on this day"
        if "flag" in fields:
            report.flag(row, "attendance_code", fields["attendance_code"], fields["flag"] + "; kept as it is")


def _person(student: Json) -> dict[str, Any]:
    """Who a student is, as the MIS says it: legal names first."""
    education = _nested(student, "education_details")
    born = student.get("date_of_birth")
    upn = values.upn(education.get("upn"))
    fields = {
        "given_name": student.get("legal_forename") or student.get("forename"),
        "family_name": student.get("legal_surname") or student.get("surname"),
        "birth_date": _day(born.get("date") if isinstance(born, dict) else born),
    }
    return {**{n: v for n, v in fields.items() if v}, "identifiers": [upn] if upn else []}


def _nested(item: Json, name: str) -> Json:
    """`{"student": {"data": {...}}}` or `{"student": {...}}`."""
    found = item.get(name) or {}
    return found.get("data", found) if isinstance(found, dict) else {}


def _list(body: Json, name: str) -> Iterable[Json]:
    found = body.get(name) or []
    return [item for item in (found.get("data", []) if isinstance(found, dict) else found) if isinstance(item, dict)]


def _day(value: Any) -> str | None:
    try:
        return values.day(value) if isinstance(value, str) else None
    except values.Unreadable:
        return None
