"""Coded values against the code lists: what is not in a list, or not in use on the day, is kept as it is and flagged."""

from __future__ import annotations

from services.plumbing.contracts import Codes
from services.plumbing.files.report import Report

UNKNOWN = "not in the code list"
RETIRED = "not in use on this day"


def oddity(codes: Codes, list: str, value: str, *, first: str | None = None, last: str | None = None) -> str | None:
    """What is odd about a code between two ISO dates (the second left out: on the first); None when it is in use."""
    found = codes[list].get(value)
    if found is None:
        return UNKNOWN
    over = found.valid_to is not None and first is not None and found.valid_to.isoformat() < first
    early = found.valid_from is not None and first is not None and found.valid_from.isoformat() > (last or first)
    return RETIRED if over or early else None


def check(
    codes: Codes, report: Report, row: int, column: str, value: str | None, list: str, *, first: str | None = None, last: str | None = None
) -> str | None:
    """The value as it is, flagged where it is odd."""
    found = oddity(codes, list, value, first=first, last=last) if value else None
    if found:
        report.flag(row, column, value, f"{found} ({list}); kept as it is")
    return value
