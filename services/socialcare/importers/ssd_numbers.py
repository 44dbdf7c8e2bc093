"""The numbers by which other registers know a person, each with its dates (ssd_linked_identifiers)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.plumbing.files import values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.socialcare.importers.dataset import Reading, Row, RowRefused, each, kind_of

IDENTIFIERS: Mapping[str, Callable[[str], dict[str, Any] | None]] = {
    "unique pupil number": values.upn,
    "upn": values.upn,
    "former unique pupil number": lambda value: values.upn(value, type="former_upn"),
    "nhs number": values.nhs_number,
    "unique learner number": values.uln,
}


def _identifier(reading: Reading, number: int, row: Row) -> Said | None:
    person, kind = row["link_person_id"], row["link_identifier_type"]
    read = IDENTIFIERS.get(kind.lower())
    if read is None:
        reading.report.flag(number, "link_identifier_type", kind, "not a kind that is read; left out")
        return reading.note()
    found = read(row["link_identifier_value"])
    if found is None:
        raise RowRefused("link_identifier_value", "the row holds no number")
    found |= {name: day for name, day in reading.days(row, valid_from="link_valid_from_date", valid_to="link_valid_to_date").items() if day}
    flag(reading.report, number, "link_identifier_value", found)
    fields = {"identifiers": numbers_of(reading, number, person, found)}
    return reading.said(person, [Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=number)])


def numbers_of(reading: Reading, number: int, person: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """All numbers of this kind that the delivery's rows have given the person so far, the current one apart from former ones."""
    ended = found.get("valid_to") is not None and found["valid_to"] < reading.provenance.extracted
    if ended and found["type"] == "upn":
        found["type"] = "former_upn"
    elif ended:
        reading.report.flag(number, "link_valid_to_date", found["valid_to"], "a number that is no longer the person's; left out")
        return []
    held = reading.delivery.numbers.setdefault(person, [])
    if not any(one["type"] == "upn" and one["value"] == found["value"] for one in held):
        held[:] = [one for one in held if not _replaces(found, one)] + [found]
    return [one for one in held if one["type"] == found["type"]]


def _replaces(found: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """A person has one current number of a kind, and any number of former ones; a current number is not a former one."""
    if found["type"] == held["type"]:
        return found["value"] == held["value"] or found["type"] != "former_upn"
    return found["type"] == "upn" and held["type"] == "former_upn" and found["value"] == held["value"]


def flag(report: Report, number: int, column: str, identifier: Mapping[str, Any]) -> None:
    if not identifier["valid"]:
        report.flag(number, column, identifier["value"], f"not a valid number ({identifier['reason']}); kept and marked")


TABLES = (
    kind_of(
        1, "link_person_id link_identifier_type link_identifier_value", "link_valid_from_date link_valid_to_date",
        each(_identifier, "link_person_id"),
    ),
)  # fmt: skip
