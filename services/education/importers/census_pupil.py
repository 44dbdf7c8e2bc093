"""What one row of a pupil on or off roll says: who the pupil is, the enrolment, SEN provision, sessions in sum, and more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.education.importers import adopted
from services.education.importers.pupils import ENROLMENT, Delivery, Row
from services.education.importers.rows import Cells
from services.education.importers.terms import Period
from services.plumbing.files import values
from services.plumbing.register.entries import Statement

NAMES = (
    ("given_name", "forename"), ("family_name", "surname"), ("middle_names", "middlenames"),
    ("known_as", "preferredsurname"), ("former_family_name", "formersurname"),
)  # fmt: skip
LEFT_CARE = ("plaa", "adoptedfromcare")
SUMS = (("sessionsauthorised", "sessions_authorised"), ("sessionsunauthorised", "sessions_unauthorised"))
COLUMNS = frozenset({
    "dob", "upn", "formerupn", "uniquelearnernumber", "sex", "gender", "ethnicity", "language", "entrydate", "leavingdate",
    "enrolstatus", "ncyearactual", "ncyearleaving", "senprovision", "parttime", "youngcarer", *LEFT_CARE,
    *(column for _, column in NAMES),
    *(f"{prefix}{column}" for prefix in ("termly", "summerhalfterm2", "annual")
      for column in ("sessionspossible", *(column for column, _ in SUMS))),
})  # fmt: skip


def statements(
    cells: Cells, *, school: str, periods: Mapping[str, Period], delivery: Delivery, is_adopted: bool
) -> tuple[dict[str, Any], list[Statement]]:
    """Who the pupil is, and every statement of the row. is_adopted: some row of the delivery says so. Raises RowRefused."""
    person = _person(cells) | {"organisation": school}
    found = [
        Statement("education.person-recorded.v1", "R-IDENT", person, row=cells.number, adopted=is_adopted),
        *_enrolled(cells, school, delivery),
        *_provision(cells, school, periods["termly"]),
        *_sessions(cells, school, periods, delivery),
        *_young_carer(cells, school),
        *_left_care(cells, school),
    ]
    return person, found


def _person(cells: Cells) -> dict[str, Any]:
    """To summer 2023 the column of the sex is called gender."""
    fields: dict[str, Any] = {name: values.text(cells.row[column]) for name, column in NAMES if column in cells}
    for name, column in (("sex", cells.first("sex", "gender")), ("ethnicity", cells.first("ethnicity"))):
        if column is not None:
            fields[name] = cells.code(column, name)
    if "language" in cells:
        fields["first_language"] = cells.plain("language")
    fields["birth_date"] = cells.day("dob")
    fields["identifiers"] = _identifiers(cells)
    return fields


def _identifiers(cells: Cells) -> list[dict[str, Any]]:
    read = (
        values.upn(cells.row.get("upn")),
        values.upn(cells.row.get("formerupn"), type="former_upn"),
        values.uln(cells.row.get("uniquelearnernumber")),
    )
    found = [one for one in read if one]
    for one in found:
        if not one["valid"]:
            cells.report.flag(cells.number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
    return found


def _enrolled(cells: Cells, school: str, delivery: Delivery) -> Iterator[Statement]:
    """The enrolment, named by its first day. Without one it cannot be told from others: the child comes all the same."""
    fields = _enrolment(cells, school, delivery)
    if fields["entry_date"] is not None:
        yield Statement(ENROLMENT, "R-PUPIL", fields, row=cells.number)
    elif "entrydate" in cells:
        cells.flag("entrydate", "without its first day an enrolment cannot be told from others; left out")


def _enrolment(cells: Cells, school: str, delivery: Delivery) -> dict[str, Any]:
    fields: dict[str, Any] = {"school": school, "entry_date": cells.day("entrydate")}
    if "leavingdate" in cells:
        fields["leaving_date"] = cells.day("leavingdate")
    if "enrolstatus" in cells:
        fields["enrol_status"] = cells.code("enrolstatus", "enrol_status")
    year = cells.first("ncyearactual", "ncyearleaving")
    if year is not None:
        fields["nc_year_actual"] = cells.code(year, "nc_year")
    if "parttime" in cells:
        fields["part_time"] = cells.yes_no("parttime")
    if school in delivery.schools:
        fields["school_name"] = delivery.schools[school]
    return fields


def _provision(cells: Cells, school: str, term: Period) -> Iterator[Statement]:
    """A blank says nothing of the provision: half of real rows are blank."""
    provision = cells.code("senprovision", "sen_provision", first=term["term_start"], last=term["term_end"])
    if provision is not None:
        fields = {"school": school, "sen_provision": provision}
        yield Statement("education.sen-recorded.v1", "R-SEN", fields, row=cells.number)


def _sessions(cells: Cells, school: str, periods: Mapping[str, Period], delivery: Delivery) -> Iterator[Statement]:
    """Sessions in sum, of each period the row counts. A blank number of possible sessions gives no rate and says nothing."""
    source = cells.plain("sourceid")
    for prefix, period in periods.items():
        possible = cells.number_of(f"{prefix}sessionspossible")
        if possible is None:
            continue
        if source is None:
            cells.flag("sourceid", "without it the sessions cannot be told from another spell's; left out")
            return
        delivery.shelf.put(("possible", period["term"], school, source), possible)
        fields: dict[str, Any] = {"school": school, "spell": source, **period, "sessions_possible": possible}
        fields |= {name: cells.number_of(prefix + column) for column, name in SUMS if prefix + column in cells}
        yield Statement("education.attendance-summarised.v1", "R-REGISTER", fields, row=cells.number)


def _young_carer(cells: Cells, school: str) -> Iterator[Statement]:
    """Asked in spring alone: a blank says nothing."""
    found = cells.code("youngcarer", "young_carer")
    if found is not None:
        fields = {"school": school, "young_carer": found}
        yield Statement("education.young-carer-recorded.v1", "R-IDENT", fields, row=cells.number)


def says_adopted(row: Row) -> bool:
    """Whether the row says that the pupil left care by adoption."""
    return any(adopted.told(values.code(row.get(column))) for column in LEFT_CARE)


def _left_care(cells: Cells, school: str) -> Iterator[Statement]:
    """How the pupil left care; a blank says nothing."""
    column = cells.first(*LEFT_CARE)
    how = None if column is None else cells.code(column, "plaa")
    if how is not None:
        before = {"family_name": cells.row.get("formersurname"), "upn": cells.row.get("formerupn")}
        yield adopted.left_care(school, how, before, row=cells.number)
