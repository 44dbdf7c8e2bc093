"""Daily session marks of pupils. A later file corrects an earlier mark; comments are never kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.education.importers.pupils import ENROLMENT, MARK, school_keys
from services.education.importers.wonde_json import Json, day_of, id_of, nested, student_of
from services.education.importers.wonde_students import person_of
from services.plumbing.contracts import Codes
from services.plumbing.files import coded
from services.plumbing.files.report import Report
from services.plumbing.register import Complete, Provenance, Said, Statement
from services.plumbing.subjects import Key, key

MOST_LATE = 600
CLASS = "R-REGISTER"
Marks = dict[tuple[str, str], tuple[int, dict[str, Any]]]
"""(date, session) -> the row and the mark that stands"""


class MarkList:
    """The marks of one file, pupil by pupil."""

    def __init__(
        self, lists: Mapping[str, list[Any]], school: str, called: str | None, provenance: Provenance, codes: Codes
    ) -> None:
        self._school, self._called, self._provenance = school, called, provenance
        self._known, self._lists = codes, lists
        self._codes = {id_of(one.get("id")): one.get("code") for one in lists["codes"] if isinstance(one, dict)}
        self._students: dict[str | None, Json] = {id_of(one.get("id")): one for one in lists["students"] if isinstance(one, dict)}
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
            elif held.setdefault(id_of(one.get("id")), one) != one:
                report.flag(0, f"{part}[{number}].id", one.get("id"), "the id came before with other values; the later ones stand")

    def complete(self, first: str, last: str) -> Complete:
        """What the file, once read, was complete for."""
        scope = key("", self._school, "")[1]
        return Complete(MARK, CLASS, self._provenance, scope, {"school": self._school}, ("date", first, last), self._held)

    def _said(self, report: Report, student: str, marks: Marks) -> Said:
        person = person_of(report, 0, self._students.get(student, {})) | {"organisation": self._school}
        own = key("mis", self._school, student)
        self._held[own] = frozenset((self._school, date, session) for date, session in marks)
        statements = [Statement(MARK, CLASS, fields, row=row) for row, fields in marks.values()]
        if self._called:
            fields = {"school": self._school, "school_name": self._called}
            statements.append(Statement(ENROLMENT, "R-PUPIL", fields, completes=True))
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
        student = student_of(item)
        date, session = day_of(item.get("date")), item.get("session")
        if student is None:
            return report.refuse(row, "student_id", item.get("student_id"), "the mark does not say whose it is")
        if date is None:
            return report.refuse(row, "date", item.get("date"), "expected a date such as 2026-11-20")
        if session not in ("AM", "PM"):
            return report.refuse(row, "session", session, "expected AM or PM")
        code = self._codes.get(id_of(item.get("attendance_code_id"))) or nested(item, "attendance_code").get("code")
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
