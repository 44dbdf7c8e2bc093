"""A child's answer as the sections of a page: by category, entries with what their rows have in common said once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.childview.pages.words import Row, day, row
from services.childview.projection.catalogue import Catalogue, Field

MANY = 10
"""More entries of one kind than this stand folded, so that what there is little of is not buried."""


@dataclass(frozen=True)
class Entry:
    """One entry of a category. note: that of every row, where it is the same."""

    label: str
    when: str
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One category: fields that stand by themselves, entries, those that stand folded by kind, and the cursor of further ones."""

    id: str
    label: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    folded: Mapping[str, tuple[Entry, ...]]
    following: str | None


def sections(catalogue: Catalogue, body: Mapping[str, Any]) -> list[Section]:
    """A child's answer by category, in catalogue order; a category of which nothing is shown is not there."""
    found = []
    for category in catalogue.categories.values():
        rows = tuple(row(catalogue, field, body["fields"][field.id]) for field in catalogue.fields
                     if field.category == category.id and field.id in body["fields"])  # fmt: skip
        held = body["entries"].get(category.id, {"items": [], "next": None})
        if rows or held["items"]:
            found.append(section(catalogue, category.id, held, rows))
    return found


def section(catalogue: Catalogue, category: str, held: Mapping[str, Any], rows: tuple[Row, ...] = ()) -> Section:
    """A page of one category's entries."""
    found = [entry(catalogue, category, one) for one in held["items"]]
    kinds = {one.label: tuple(other for other in found if other.label == one.label) for one in found}
    folded = {label: entries for label, entries in kinds.items() if len(entries) > MANY}
    few = tuple(one for one in found if one.label not in folded)
    return Section(category, catalogue.categories[category].label, rows, few, folded, held["next"])


def entry(catalogue: Catalogue, category: str, one: Mapping[str, Any]) -> Entry:
    """One entry, its fields in catalogue order. The day that it is of, and where it is from, are said once."""
    rows = tuple(row(catalogue, field, found, of=one.get("effective")) for field, found in shown(catalogue, one))
    label = kind(catalogue, category, one)
    notes = {found.note for found in rows}
    if len(notes) > 1:
        return Entry(label, day(one.get("effective")), rows)
    return Entry(label, day(one.get("effective")), tuple(replace(found, note="") for found in rows), "".join(notes))


def shown(catalogue: Catalogue, one: Mapping[str, Any]) -> Iterable[tuple[Field, Mapping[str, Any]]]:
    """An entry's fields in catalogue order, and what is shown of each."""
    return [(field, one["fields"][field.id]) for field in catalogue.fields if field.id in one["fields"]]


def kind(catalogue: Catalogue, category: str, one: Mapping[str, Any]) -> str:
    """What an entry is, in words."""
    found = catalogue.categories[category]
    return found.kinds.get(one["kind"] or "", found.label)
