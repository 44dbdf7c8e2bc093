"""The field catalogue as code sees it: fields and categories in their order, and how to find a field in an entry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from services.childview.projection import survivorship
from services.childview.projection.survivorship import Rule
from services.plumbing.contracts import Codes, code_lists, read_yaml

PLACES = "place in a file"
"""The type of the field that stands for where something was said: who sees it in full is told the name of the file."""


@dataclass(frozen=True)
class Category:
    """A group of fields with one neutral sentence for all of them. single: one entry a record, fields stand alone.
    masked_while_open: an entry that has ended has no masked form. status: the plan status of a child with an open entry."""

    id: str
    label: str
    single: bool
    kinds: Mapping[str, str]
    noted: str | None
    ask: str
    prefer: tuple[str, ...]
    masked_while_open: bool = False
    status: str | None = None


@dataclass(frozen=True)
class Part:
    """Where a value, or one part of it, stands: the event's name in pointers, and the path inside the entry."""

    name: str
    event: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """One field of the view. `index` is its place in the catalogue and its bit in access records."""

    index: int
    id: str
    label: str
    category: str
    kind: str | None
    type: str
    codes: str | None
    sensitivity: int
    levels: frozenset[str]
    mask: str | None
    about: str
    location_bearing: bool
    parts: tuple[Part, ...]
    whole: bool
    derived: str | None
    inputs: tuple[str, ...]
    search: str | None

    @cached_property
    def parts_of(self) -> Mapping[str, Sequence[Part]]:
        """The parts by the event they stand in."""
        return {event: [part for part in self.parts if part.event == event] for event in {part.event for part in self.parts}}

    def names_of(self, event: str) -> Sequence[str]:
        """What a value is made of in an event, as contradictions name it: `birth_date`, `identifiers/upn`."""
        return ["/".join(part.path) for part in self.parts_of.get(event, ())]


@dataclass(frozen=True)
class Catalogue:
    """Every field and category, in order. rules: of survivorship, by field. `hash` names this content in access records."""

    fields: tuple[Field, ...]
    categories: Mapping[str, Category]
    codes: Codes = field(repr=False)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    hash: str = ""

    @classmethod
    def load(cls, *roots: Path) -> Catalogue:
        """Read the catalogue, code lists and rules of every root, the first root's fields first. Raises RulesRefused."""
        texts = _texts(roots, "fields.yaml", "codes.yaml")
        documents = [read_yaml(text) for text in texts]
        raw = [item for document in documents for item in document.get("fields", [])]
        return cls(
            fields=tuple(_field(index, item) for index, item in enumerate(raw)),
            categories={
                name: _category(name, item)
                for document in documents
                for name, item in document.get("categories", {}).items()
            },
            codes=code_lists(*roots),
            rules=survivorship.load(roots, fields={item["id"] for item in raw if not item.get("derived")}),
            hash=hashlib.sha256(b"\0".join([*texts, *_texts(roots, survivorship.FILE)])).hexdigest(),
        )

    def of(self, category: str, kind: str | None = None) -> Sequence[Field]:
        """The fields of a category that come from events, those of one kind of entry if given."""
        known = self._of.get((category, kind))
        if known is None:
            known = self._of[category, kind] = tuple(
                found
                for found in self.fields
                if found.category == category and not found.derived and found.kind in (None, kind)
            )
        return known

    @cached_property
    def _of(self) -> dict[tuple[str, str | None], tuple[Field, ...]]:
        return {}

    def groups(self, codes: str) -> Mapping[str, str | None]:
        """The group of every code of a list; empty where there is no such list."""
        return self._groups.get(codes, {})

    @cached_property
    def _groups(self) -> Mapping[str, Mapping[str, str | None]]:
        return {name: {code: what.group for code, what in held.items()} for name, held in self.codes.items()}

    def by_id(self, id: str) -> Field:
        """A field by its id."""
        return self._by_id[id]

    @cached_property
    def _by_id(self) -> Mapping[str, Field]:
        return {found.id: found for found in self.fields}

    def trusted(self, found: Field) -> tuple[str, ...]:
        """The sources of a field, the most trusted first."""
        rule = self.rules.get(found.id)
        return self.categories[found.category].prefer if rule is None or rule.trusted is None else rule.trusted

    def unknown(self, found: Field) -> frozenset[str]:
        """The values of a field that only say that nothing is known."""
        rule = self.rules.get(found.id)
        return frozenset() if rule is None else rule.unknown

    def raised(self, found: Field) -> bool:
        """Whether a contradiction about a field goes to people."""
        return found.id in self.rules and self.rules[found.id].raised

    @cached_property
    def places(self) -> Field | None:
        """The field that stands for where something was said."""
        return next((found for found in self.fields if found.type == PLACES), None)

    @cached_property
    def derived(self) -> Sequence[Field]:
        """The fields that are worked out at the read."""
        return [found for found in self.fields if found.derived]

    def searchable(self) -> list[Field]:
        """The fields a child can be searched by."""
        return [found for found in self.fields if found.search]


def _texts(roots: Sequence[Path], *names: str) -> list[bytes]:
    return [(root / name).read_bytes() for root in roots for name in names if (root / name).exists()]


def _field(index: int, item: Mapping[str, Any]) -> Field:
    whole = "parts" not in item
    pointers = [("", pointer) for pointer in item.get("sources", [])] if whole else list(item["parts"].items())
    return Field(
        index=index,
        id=item["id"],
        label=item["label"],
        category=item["category"],
        kind=item.get("kind"),
        type=item["type"],
        codes=item.get("codes"),
        sensitivity=item["sensitivity"],
        levels=frozenset(item["levels"]),
        mask=item.get("mask"),
        about=item["about"],
        location_bearing=item.get("location_bearing", False),
        parts=tuple(_part(name, pointer) for name, pointer in pointers),
        whole=whole,
        derived=item.get("derived"),
        inputs=tuple(item.get("inputs", ())),
        search=item.get("search"),
    )


def _part(name: str, pointer: str) -> Part:
    """`education.attendance-recorded.v1#/data/marks/*/date`: the path inside the entry starts after `*`."""
    event, _, path = pointer.partition("#/data/")
    return Part(name, event, tuple(path.rpartition("*/")[2].split("/")))


def _category(name: str, item: Mapping[str, Any]) -> Category:
    return Category(
        id=name,
        label=item["label"],
        single=item.get("single", False),
        kinds=item.get("kinds", {}),
        noted=item.get("noted"),
        ask=item["ask"],
        prefer=tuple(item.get("prefer", ())),
        masked_while_open=item.get("masked") == "while open",
        status=item.get("status"),
    )


def value_of(found: Field, entry: Mapping[str, Any], event: str) -> Any:
    """The field's value in one entry of this event (its name in pointers); None where there is none."""
    parts = found.parts_of.get(event)
    if parts is None:
        return None
    if found.whole and len(parts[0].path) == 1:
        return _blank_to_none(entry.get(parts[0].path[0]))
    if found.whole:
        return _blank_to_none(_walk(entry, parts[0].path))
    present = {part.name: value for part in parts if _blank_to_none(value := _walk(entry, part.path)) is not None}
    return present or None


def _walk(entry: Any, path: Sequence[str]) -> Any:
    """Follow a path. In a list of `{type, value}` the next step is a type."""
    for step in path:
        if isinstance(entry, list):
            entry = next((item for item in entry if item.get("type") == step), None)
        else:
            entry = (entry or {}).get(step)
    return entry


def _blank_to_none(value: Any) -> Any:
    return None if value in ("", [], {}) else value
