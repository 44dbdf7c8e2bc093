"""What a MIS deleted: {"id", "type": "student" | "contact" | "exclusion" | "attendance", "deleted_at"}, with `student_id` where the
system says it. What the deletion names is withdrawn, and nothing else. A deleted student stays a child who can be found:
withdrawn is what the school held of it, never who it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.education.importers.pupils import ADDRESS, ENROLMENT, EXCLUSION, MARK, POINT, RELATION
from services.education.importers.wonde_json import Json, day_of, id_of, student_of
from services.education.importers.wonde_students import School, exclusion_id
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said

UNKNOWN = "nothing that the register holds is what was deleted"
OF_A_STUDENT = (
    (ENROLMENT, "R-PUPIL", "school"), (MARK, "R-REGISTER", "school"), (EXCLUSION, "R-PUPIL", "school"),
    (RELATION, "R-IDENT", "organisation"), (ADDRESS, "R-IDENT", "organisation"), (POINT, "R-IDENT", "school"),
)  # fmt: skip
"""What goes with a student: event type, record class, and the field that names the school."""


class _Unclear(Exception):
    """A deletion that does not say enough."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


@dataclass(frozen=True)
class Deletions:
    """The deletions of one file."""

    school: School
    deletions: Sequence[Any]
    first: int

    def read(self, report: Report) -> Iterator[Said]:
        """Each deletion as what it withdraws; one that says too little is refused."""
        for row, item in enumerate(self.deletions, self.first):
            try:
                yield self._said(report, row, item if isinstance(item, dict) else {})
            except _Unclear as unclear:
                value = item.get(unclear.column) if isinstance(item, dict) else item
                report.refuse(row, unclear.column, value, unclear.why)

    def _said(self, report: Report, row: int, item: Json) -> Said:
        kind, id = (id_of(item.get("type")) or "").lower().rstrip("s"), id_of(item.get("id"))
        withdrawn = _WITHDRAWN.get(kind)
        if withdrawn is None:
            raise _Unclear("type", "nothing of this kind is kept")
        if id is None:
            raise _Unclear("id", "the deletion does not say what was deleted")
        student = id if kind == "student" else student_of(item)
        named = self.school.own(student) if student is not None else self.school.item(kind, id)
        statements = tuple(withdrawn(self.school.number, id, row, item))
        return Said((named,), statements, report, self.school.provenance, must_exist=True, otherwise=UNKNOWN)


def _student(school: str, id: str, row: int, item: Json) -> Iterator[Statement]:
    for type, record_class, field in OF_A_STUDENT:
        yield Statement(type, record_class, {field: school}, withdrawn=True, row=row, every="any")


def _contact(school: str, id: str, row: int, item: Json) -> Iterator[Statement]:
    yield Statement(RELATION, "R-IDENT", {"other_local_id": f"contact {school} {id}"}, withdrawn=True, row=row, every="any")


def _exclusion(school: str, id: str, row: int, item: Json) -> Iterator[Statement]:
    yield Statement(EXCLUSION, "R-PUPIL", {"exclusion_id": exclusion_id(school, id)}, withdrawn=True, row=row)


def _mark(school: str, id: str, row: int, item: Json) -> Iterator[Statement]:
    """The system's number of a mark is not kept: a deletion of one has to say whose, and of when."""
    date, session = day_of(item.get("date")), item.get("session")
    if student_of(item) is None or date is None or session not in ("AM", "PM"):
        raise _Unclear("id", "the deletion of a mark does not say whose it was, on which date and session")
    yield Statement(MARK, "R-REGISTER", {"school": school, "date": date, "session": session}, withdrawn=True, row=row)


_WITHDRAWN: Mapping[str, Callable[[str, str, int, Json], Iterator[Statement]]] = {
    "student": _student, "student-leaver": _student, "contact": _contact, "exclusion": _exclusion, "attendance": _mark,
}  # fmt: skip
