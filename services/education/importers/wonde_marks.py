"""Daily session marks of pupils. A later file corrects an earlier mark; comments are never kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.education.importers.pupils import ENROLMENT, MARK, school_keys
from services.education.importers.wonde_json import Json, day_of, id_of, nested, student_of
from services.education.importers.wonde_students import person_of
from services.plumbing.contracts import Codes
from services.plumbing.files import coded
from services.plumbing.files.report import Report
from services.plumbing.files.shelf import Row, Shelf
from services.plumbing.register.complete import Complete
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key, key

MOST_LATE = 600
CLASS = "R-REGISTER"
Marks = dict[tuple[str, str], tuple[int, dict[str, Any]]]
"""(date, session) -> the row and the mark that stands"""


class MarkList:
    """The marks of one file, pupil by pupil."""

    def __init__(
        self, lists: Mapping[str, Sequence[Any]], school: str, called: str | None, provenance: Provenance, codes: Codes
    ) -> None:
        self._school, self._called, self._provenance = school, called, provenance
        self._known, self._lists = codes, lists
        self._codes: dict[str | None, Any] = {}
        self._held: dict[Key, frozenset[tuple[Any, ...]]] = {}
        self._names: dict[tuple[str, str], tuple[str, str, str]] = {}

    def read(self, report: Report) -> Iterator[Said]:
        """All of a pupil's marks of this file together; a row that cannot be taken is refused, the rest goes in."""
        with contextlib.closing(Shelf()) as shelf:
            self._codes = {id: one.get("code") for id, one in self._looked_up(report, "codes", shelf)}
            for student, one in self._looked_up(report, "students", shelf):
                shelf.put(("student", student), one)
            file = shelf.new_file()
            self._shelve(report, shelf, file)
            for (student, *_), rows in shelf.groups(file):
                known = shelf.get(("student", student)) or {}
                yield self._said(report, student or "", known, self._standing(report, rows))

    def _looked_up(self, report: Report, part: str, shelf: Shelf) -> Iterator[tuple[str | None, Json]]:
        """The objects of a list by id; said is what of it is not read: what is no object, and what stands twice and differs."""
        for number, one in enumerate(self._lists[part], 1):
            if not isinstance(one, dict):
                report.flag(0, f"{part}[{number}]", None, "expected an object; left out")
                continue
            id = id_of(one.get("id"))
            before = shelf.get(("first", part, id))
            if before is None:
                shelf.put(("first", part, id), one)
            elif before != one:
                report.flag(0, f"{part}[{number}].id", one.get("id"), "the id came before with other values; the later ones stand")
            yield id, one

    def complete(self, first: str, last: str) -> Complete:
        """What the file, once read, was complete for."""
        scope = key("", self._school, "")[1]
        return Complete(MARK, CLASS, self._provenance, scope, {"school": self._school}, ("date", first, last), self._held)

    def _said(self, report: Report, student: str, known: Json, marks: Marks) -> Said:
        person = person_of(report, 0, known) | {"organisation": self._school}
        own = key("mis", self._school, student)
        self._held[own] = frozenset(self._names.setdefault(place, (self._school, *place)) for place in marks)
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

    def _shelve(self, report: Report, shelf: Shelf, file: int) -> None:
        """Every mark that can be taken, by whose it is."""
        for row, item in enumerate(self._lists["data"], 1):
            mark = self._mark(report, row, item)
            if mark is not None:
                shelf.add((mark[0],), Row(file, row, mark[1]))

    @staticmethod
    def _standing(report: Report, rows: Sequence[Row]) -> Marks:
        """The mark that stands of each session; the rows it stands against are named."""
        held: Marks = {}
        for row in rows:
            fields = row.cells
            place = (fields["date"], fields["session"])
            if place in held:
                before, other = held[place]
                code, earlier = fields["attendance_code"], other["attendance_code"]
                if code != earlier:
                    report.flag(row.number, "attendance_code", code, f"row {before} says otherwise ({earlier}); this row stands")
                report.accepted += 1
            held[place] = (row.number, fields)
        return held

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
