"""The chronology in words: newest first, each line's day and heading said once, weeks of like entries as one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.childview.pages import sections
from services.childview.pages.words import day, period, value
from services.childview.projection.catalogue import Catalogue

MANY = 3
ALIKE = 4
"""Letters that two words begin with where they say the same thing: `Plans` and `Plan`, `Who is involved` and `Involvement`."""


@dataclass(frozen=True)
class Moment:
    """One line of the chronology: the last day it speaks of (ISO), that in words, what it is, and what it says."""

    last: str
    when: str
    label: str
    said: str


def chronology(catalogue: Catalogue, items: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """Newest first. Three or more entries of one kind in one week of which some have the same codes (session marks) stand as
    one line that counts them, so that what happens once is not buried."""
    weeks: dict[tuple[str, str, tuple[int, int]], list[Mapping[str, Any]]] = {}
    for one in items:
        year, week, _ = date.fromisoformat(one["date"]).isocalendar()
        weeks.setdefault((one["category"], one["entry"]["kind"], (year, week)), []).append(one)
    moments = []
    for (category, _, _), found in weeks.items():
        codes = Counter(_codes(catalogue, one["entry"]) for one in found)
        if len(found) >= MANY and len(codes) < len(found) and "" not in codes:
            moments.append(_week(catalogue, category, found, codes))
        else:
            moments += [_moment(catalogue, category, one) for one in found]
    return sorted(moments, key=lambda moment: moment.last, reverse=True)


def heading(catalogue: Catalogue, category: str, entry: Mapping[str, Any]) -> str:
    """`Attendance: Mark`; of an entry whose kind says its category, the kind alone: `Referral`."""
    label, kind = catalogue.categories[category].label, sections.kind(catalogue, category, entry)
    return kind if _beginnings(label) & _beginnings(kind) else f"{label}: {kind}"


def _beginnings(text: str) -> set[str]:
    return {word[:ALIKE] for word in text.casefold().split() if len(word) >= ALIKE}


def _moment(catalogue: Catalogue, category: str, one: Mapping[str, Any]) -> Moment:
    """A line. The period that begins on its day is its time. What says its day or its heading again is left out, but of several
    days, and where nothing else is said, the one that it is of has its name: a review is held, or is due."""
    on, entry = one["date"], one["entry"]
    fields = [(field, found.get("value")) for field, found in sections.shown(catalogue, entry)]
    lasting = next((field for field, told in fields if _lasts_from(on, told)), None)
    when = next((period(told["start"], told.get("end")) for field, told in fields if field is lasting), day(on))
    kind = sections.kind(catalogue, category, entry).casefold()
    rest = [(field.label, value(catalogue, field, told)) for field, told in fields if field is not lasting and told != on]
    texts = [text if label.casefold() == kind else f"{label}: {text}" for label, text in rest if text]
    happened = [field.label for field, told in fields if told == on and field.label.casefold() != kind]
    several = sum(field.type == "date" for field, _ in fields) > 1
    said = [*happened, *texts] if several or not texts else texts
    return Moment(on, when, heading(catalogue, category, entry), ". ".join(said))


def _lasts_from(on: str, told: Any) -> bool:
    return isinstance(told, Mapping) and told.get("start") == on and told.keys() <= {"start", "end"}


def _week(catalogue: Catalogue, category: str, found: Sequence[Mapping[str, Any]], codes: Counter[str]) -> Moment:
    days = sorted(one["date"] for one in found)
    label = f"{heading(catalogue, category, found[0]['entry'])} ({len(found)} times)"
    said = ", ".join(f"{text} {count}" for text, count in codes.most_common())
    return Moment(days[-1], period(days[0], days[-1]), label, said)


def _codes(catalogue: Catalogue, entry: Mapping[str, Any]) -> str:
    """The codes of an entry, in words."""
    fields = sections.shown(catalogue, entry)
    return ", ".join(text for field, found in fields if field.type == "code" and (text := value(catalogue, field, found.get("value"))))
