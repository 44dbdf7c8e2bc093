"""What an answer says, in words for a page: labels, code lists and dates from the catalogue, nothing decided anew."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
LISTS = {"first_language": "language", "free_meals_period": "uk_country"}
"""Code lists of fields whose type the contract cannot change any more within its version."""


@dataclass(frozen=True)
class Row:
    """One field on a page. note: where it is from and since when; only what is shown in full has one."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of a category."""

    label: str
    when: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Section:
    """One category: fields that stand by themselves, entries, and whether more entries follow."""

    id: str
    label: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...] = ()
    more: bool = False


@dataclass(frozen=True)
class Moment:
    """One line of the chronology: the last day it speaks of (ISO), that in words, what it is, and what it says."""

    last: str
    when: str
    label: str
    said: str


MANY = 3


def name_of(fields: Mapping[str, Any]) -> str:
    """The child's name as far as it is shown."""
    named = " ".join(str(fields[name]["value"]) for name in NAMES if name in fields)
    expected = fields.get("expected_birth_date", {}).get("value")
    return named or (f"An unborn child, expected {day(expected)}" if expected else "A child without a name")


def sections(catalogue: Catalogue, body: Mapping[str, Any]) -> list[Section]:
    """A child's answer by category, in catalogue order; a category of which nothing is shown is not there."""
    found = []
    for category in catalogue.categories.values():
        rows = tuple(row(catalogue, field, body["fields"][field.id]) for field in catalogue.fields
                     if field.category == category.id and field.id in body["fields"])  # fmt: skip
        held = body["entries"].get(category.id, {"items": [], "next": None})
        entries = tuple(entry(catalogue, category.id, one) for one in held["items"])
        if rows or entries:
            found.append(Section(category.id, category.label, rows, entries, held["next"] is not None))
    return found


def entry(catalogue: Catalogue, category: str, one: Mapping[str, Any]) -> Entry:
    """One entry, its fields in catalogue order. The day that it is of is said once."""
    shown = [(field, one["fields"][field.id]) for field in catalogue.fields if field.id in one["fields"]]
    rows = tuple(row(catalogue, field, found, of=one.get("effective")) for field, found in shown)
    label = catalogue.categories[category].kinds.get(one["kind"] or "", catalogue.categories[category].label)
    return Entry(label, day(one.get("effective")), rows)


def chronology(catalogue: Catalogue, items: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """Newest first. Three or more entries of one kind in one week (session marks) stand as one line that counts their codes,
    so that what happens once is not buried."""
    weeks: dict[tuple[str, str, tuple[int, int]], list[Mapping[str, Any]]] = {}
    for one in items:
        year, week, _ = date.fromisoformat(one["date"]).isocalendar()
        weeks.setdefault((one["category"], one["entry"]["kind"], (year, week)), []).append(one)
    moments = []
    for (category, _, _), found in weeks.items():
        if len(found) >= MANY:
            moments.append(_week(catalogue, category, found))
        else:
            moments += [_moment(catalogue, category, one) for one in found]
    return sorted(moments, key=lambda moment: moment.last, reverse=True)


def _moment(catalogue: Catalogue, category: str, one: Mapping[str, Any]) -> Moment:
    found = entry(catalogue, category, one["entry"])
    said = "; ".join(f"{row.label.lower()}: {row.text}" for row in found.rows if row.text)
    return Moment(one["date"], day(one["date"]), f"{catalogue.categories[category].label}: {found.label}", said)


def _week(catalogue: Catalogue, category: str, found: Sequence[Mapping[str, Any]]) -> Moment:
    days = sorted(one["date"] for one in found)
    counts = Counter(
        value(catalogue, field, one["entry"]["fields"][field.id].get("value"))
        for one in found
        for field in catalogue.fields
        if field.type == "code" and field.id in one["entry"]["fields"]
    )
    kind = entry(catalogue, category, found[0]["entry"]).label
    when = day(days[0]) if days[0] == days[-1] else f"{day(days[0])} to {day(days[-1])}"
    said = ", ".join(f"{text} {count}" for text, count in counts.most_common())
    return Moment(days[-1], when, f"{catalogue.categories[category].label}: {kind} ({len(found)})", said)


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
    note += ["settled by the clearing house"] if shown.get("settled") else []
    note += [_otherwise(catalogue, field, one) for one in shown.get("others", [])]
    note += [f"in conflict: {_otherwise(catalogue, field, one)}" for one in shown.get("conflict", [])]
    return Row(field.label, text, ", ".join(part for part in note if part))


def _otherwise(catalogue: Catalogue, field: Field, one: Mapping[str, Any]) -> str:
    """Another word on a field: who says what, as of when, and of one of several rows where."""
    since = one.get("effective") or one.get("extracted")
    place = [*([str(one["file"])] if one.get("file") else []), *([f"row {one['row']}"] if one.get("row") else [])]
    where = f" in {' '.join(place)}" if place else ""
    said = f"{SOURCES.get(one['source'], one['source'])} says {value(catalogue, field, one['value'])}{where}"
    return f"{said} as of {day(since)}" if since else said


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
    if _DAY.fullmatch(text) or _MONTH.fullmatch(text):
        return day(text)
    return f"{text} %" if field.type == "percent" else text


_TERM = re.compile(r"(?P<year>\d{4})-(?P<season>autumn|spring|summer)(?P<half>-half-term-2)?")
_DAY, _MONTH = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_BARE = frozenset({"id", "given_name", "family_name", "name", "date", "session", "rank", "sen_type"})
_JOINED = frozenset({"given_name", "family_name", "rank", "sen_type"})
_ENDS = ("start", "end")


def _parts(catalogue: Catalogue, field: Field, found: Mapping[str, Any]) -> str:
    """A value of several parts, in the catalogue's order: a period as two days, an organisation as its name and number."""
    held = {name: part for name, part in found.items() if part is not None}
    said = []
    if field.type == "period" and held.keys() & set(_ENDS):
        said = [_period(*(held.pop(end, None) for end in _ENDS))]
    if field.type == "organisation" and {"id", "name"} <= held.keys():
        said = [f"{held.pop('name')} ({held.pop('id')})"]
    order = [part.name for part in field.parts]
    names = sorted(held, key=lambda name: order.index(name) if name in order else len(order))
    joined = set(names) <= _JOINED
    return (" " if joined else ", ").join([*said, *(_part(catalogue, field, name, held[name]) for name in names)])


def _period(start: str | None, end: str | None) -> str:
    if start is None:
        return f"until {day(end)}"
    return f"since {day(start)}" if end is None else day(start) if start == end else f"{day(start)} to {day(end)}"


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
