"""Outcomes as the dataset writes them: a JSON object of flags, `{"NFA_FLAG": "Y", "COMMENTS": "..."}`; and lists of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from services.plumbing.files import coded, values
from services.socialcare.importers.dataset import Reading, Row, RowRefused

FLAG = "_FLAG"
COMMENTS = ("COMMENTS", "OUTCOME_COMMENTS")


def outcomes(reading: Reading, number: int, row: Row, column: str) -> tuple[list[str] | None, str | None]:
    """The outcomes that are flagged, in order, and the comment; None for what there is none of."""
    found = _json(row, column)
    if found is None:
        return None, None
    if not isinstance(found, Mapping):
        raise RowRefused(column, "expected a JSON object of flags")
    names = sorted(name.removesuffix(FLAG) for name, told in found.items() if name.endswith(FLAG) and _told(told, column))
    comment = next((values.text(str(found[name])) for name in COMMENTS if found.get(name)), None)
    return [_checked(reading, number, column, name, "outcome") for name in names] or None, comment


def codes(reading: Reading, number: int, row: Row, column: str, of: str) -> list[str]:
    """The codes of a JSON array, or those of a JSON object that are answered with yes. of: their code list."""
    found = _json(row, column)
    if isinstance(found, Mapping):
        found = [name for name, told in found.items() if _told(told, column)]
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RowRefused(column, "expected a JSON array of codes")
    return sorted({_checked(reading, number, column, code, of) for one in found if (code := values.code(one))})


def _json(row: Row, column: str) -> Any:
    text = values.code(row.get(column))
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise RowRefused(column, "the JSON is nested too deep") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RowRefused(column, "expected JSON") from error


def _told(value: Any, column: str) -> bool:
    """Whether a flag is set. Blank is not set."""
    try:
        return bool(values.boolean("" if value is None else str(value)))
    except values.Unreadable as error:
        raise RowRefused(column, f"expected {error}") from error


def _checked(reading: Reading, number: int, column: str, code: str, of: str) -> str:
    coded.check(reading.codes, reading.report, number, column, code, of)
    return code
