"""What an answer's values say in words: labels, code lists, dates and periods from the catalogue, nothing decided anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from services.childview.projection.catalogue import Catalogue, Field

PURPOSES = {
    "casework": "Work on this child's case", "enquiry": "An enquiry", "attendance": "Attendance", "sen": "Special educational needs",
    "review": "A review", "data_quality": "Data quality", "subject_access": "A subject access request", "audit": "Audit",
    "emergency": "An emergency",
}  # fmt: skip
SOURCES = {"education": "education", "socialcare": "children's social care", "childview": "worked out here"}
NAMES = ("given_name", "family_name")
LISTS = {"first_language": "language", "free_meals_period": "uk_country", "telephone_type": "telephone_type"}
"""Code lists of fields whose type the contract cannot change any more within its version."""
KINDS = {
    "supervising": "Manager of a worker", "duty": "Duty worker", "school_safeguarding_lead": "Safeguarding lead of the school",
    "school_staff": "Staff of the school", "cover": "Cover for a worker",
}  # fmt: skip
"""How somebody stands to a child, where the code list of involvements does not say it."""


@dataclass(frozen=True)
class Row:
    """One field on a page. note: where it is from and since when; only what is shown in full has one."""

    label: str
    text: str
    note: str = ""


def name_of(fields: Mapping[str, Any]) -> str:
    """The child's name as far as it is shown."""
    named = " ".join(str(fields[name]["value"]) for name in NAMES if name in fields)
    expected = fields.get("expected_birth_date", {}).get("value")
    return named or (f"An unborn child, expected {day(expected)}" if expected else "A child without a name")


def relationship(catalogue: Catalogue, kinds: Collection[str], phase: str) -> str:
    """How somebody stands to a child: `Allocated worker, Cover for a worker (closing)`."""
    labels = catalogue.codes.get("involvement_kind", {})
    said = [labels[kind].label if kind in labels else KINDS.get(kind, kind.replace("_", " ")) for kind in kinds]
    return ", ".join(said) + (" (closing)" if phase == "closing" else "")


def row(catalogue: Catalogue, field: Field, shown: Mapping[str, Any], *, of: str | None = None) -> Row:
    """One field: its label, its value in words, and where it is from. of: the day of the entry that it stands in."""
    text = value(catalogue, field, shown.get("value"))
    if shown["level"] == "masked":
        return Row(field.label, text, "shown in part")
    note = [SOURCES.get(shown.get("source", ""), shown.get("source", ""))]
    if shown.get("effective") and shown["effective"] != of:
        note.append(f"as of {day(shown['effective'])}")
    if shown.get("flag"):
        note.append(f"not valid: {shown['flag']}")
    note += [f"{SOURCES.get(one['source'], one['source'])} says {value(catalogue, field, one['value'])}" for one in shown.get("others", [])]
    return Row(field.label, text, ", ".join(part for part in note if part))


def value(catalogue: Catalogue, field: Field, found: Any) -> str:
    """A value in words: codes by their label, dates written out, lists and parts joined."""
    if isinstance(found, Mapping) and field.codes and all(isinstance(part, int) for part in found.values()):
        labels = {code: label.label for code, label in catalogue.codes.get(field.codes, {}).items()}
        return ", ".join(f"{labels.get(code, code)} {count}" for code, count in found.items())
    if isinstance(found, Mapping):
        return _parts(catalogue, field, found)
    if isinstance(found, list):
        texts = [value(catalogue, field, part) for part in found]
        return ("; " if field.codes and any(", " in text for text in texts) else ", ").join(texts)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "yes" if found else "no"
    return _said(catalogue, field, str(found))


def _said(catalogue: Catalogue, field: Field, text: str) -> str:
    code = catalogue.codes.get(field.codes or LISTS.get(field.id, ""), {}).get(text)
    if code is not None:
        return code.label
    if term := _TERM.fullmatch(text):
        return f"{term['season'].title()} {term['year']}" + (", second half" if term["half"] else "")
    if begun := _BEGUN.fullmatch(text) if field.type == "period" else None:
        return f"from {day(begun['month'])}{begun['state'] or ''}"
    if _DAY.fullmatch(text) or _MONTH.fullmatch(text):
        return day(text)
    return f"{text} %" if field.type == "percent" else text


_TERM = re.compile(r"(?P<year>\d{4})-(?P<season>autumn|spring|summer)(?P<half>-half-term-2)?")
_DAY, _MONTH = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_BEGUN = re.compile(r"(?P<month>\d{4}-(?:0[1-9]|1[0-2]))(?P<state>, (?:open|ended))?")
"""A period in part: its first month, and whether it has ended."""
_BARE = frozenset({"id", "given_name", "family_name", "name", "date", "session", "rank", "sen_type"})
_JOINED = frozenset({"given_name", "family_name", "rank", "sen_type"})
_ENDS = ("start", "end")


def _parts(catalogue: Catalogue, field: Field, found: Mapping[str, Any]) -> str:
    """A value of several parts, in the catalogue's order: a period as two days, an organisation as its name and number."""
    held = {name: part for name, part in found.items() if part is not None}
    said = []
    if held.keys() & set(_ENDS):
        said = [period(*(held.pop(end, None) for end in _ENDS))]
    if field.type == "organisation" and {"id", "name"} <= held.keys():
        said = [f"{held.pop('name')} ({held.pop('id')})"]
    if held.keys() == {"count", "latest"}:
        return _counted(held["count"], held["latest"])
    if held and all(part == 0 and not isinstance(part, bool) for part in held.values()):
        return "none"
    order = [part.name for part in field.parts]
    names = sorted(held, key=lambda name: order.index(name) if name in order else len(order))
    joined = set(names) <= _JOINED
    return (" " if joined else ", ").join([*said, *(_part(catalogue, field, name, held[name]) for name in names)])


def _counted(count: int, latest: str) -> str:
    """So many, and when the latest was: `3, the latest in November 2026`."""
    when = f"{'on' if _DAY.fullmatch(latest) else 'in'} {day(latest)}"
    return f"{count}, {when}" if count == 1 else f"{count}, the latest {when}"


def period(start: str | None, end: str | None) -> str:
    """Two days as people say them: `from 3 March 2024 to 5 May 2024`, `since 3 March 2024`."""
    if start is None:
        return f"until {day(end)}"
    return f"since {day(start)}" if end is None else day(start) if start == end else f"from {day(start)} to {day(end)}"


def _part(catalogue: Catalogue, field: Field, name: str, part: Any) -> str:
    text = value(catalogue, field, part)
    return text if name in _BARE else f"{name.replace('_', ' ')} {text}"


def moment(text: str) -> str:
    """`2026-11-24T23:01:14.783542Z` as `24 November 2026, 23:01:14 UTC`."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return f"{day(at.date().isoformat())}, {at:%H:%M:%S} UTC"


def day(text: str | None) -> str:
    """`2026-11-24` as `24 November 2026`, `2026-11` as `November 2026`; what is no date stays."""
    if not text:
        return ""
    if _MONTH.fullmatch(text):
        return f"{date.fromisoformat(f'{text}-01'):%B %Y}"
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {found:%B %Y}"
