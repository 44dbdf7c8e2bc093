"""Any labelled file: records in our fields, and which of them are one person."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.identity.mistakes import unaccented

FIELDS = ("given_name", "middle_names", "family_name", "birth_date", "sex", "upn", "nhs_number", "uln", "address", "town", "postcode")
SURE = 0.5
"""Labels of less say that two records are not one."""


@dataclass(frozen=True)
class Labelled:
    """rows: by id, the fields in small plain letters, blanks as None. truth: the person of each id."""

    rows: dict[str, dict[str, str | None]]
    truth: dict[str, str]
    fields: tuple[str, ...]


def columns(map: str) -> dict[str, str]:
    """Our field -> the file's column, from `id=rec_id,given_name=given,identifier.card=card_no`."""
    return dict(part.strip().split("=", 1) for part in map.split(",") if part.strip())


def read(records: Sequence[Path], *, map: dict[str, str], truth_column: str = "", truth: Path | None = None, label: str = "") -> Labelled:
    """The files as one. Without a truth column, two ids of a row of `truth` are one person, and so are those they lead to."""
    raw = [row for path in records for row in _lines(path)]
    names = {name: map.get(name, name) for name in (*FIELDS, *(name for name in map if name.startswith("identifier.")))}
    present = {name: column for name, column in names.items() if column in raw[0]}
    id = map.get("id", "id")
    rows = {row[id]: {name: _plain(row[column]) for name, column in present.items()} for row in raw}
    persons = {row[id]: row[truth_column] for row in raw} if truth_column else _persons(rows, _pairs(truth, label))
    return Labelled(rows, persons, tuple(present))


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _plain(text: str) -> str | None:
    return unaccented(text).strip().lower() or None


def _pairs(path: Path | None, label: str) -> list[tuple[str, str]]:
    """The first two columns that hold ids; a column of a data set's name between them is passed over."""
    if path is None:
        raise ValueError("say what is true: a column of the records, or a file of pairs")
    lines = _lines(path)
    first, *others = lines[0]
    second = first.replace("_l", "_r") if first.endswith("_l") else others[0]
    return [(line[first], line[second]) for line in lines if not label or float(line[label]) >= SURE]


def _persons(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each id with the least id of its person."""
    person = {id: id for id in ids}
    members = {id: [id] for id in person}
    for one, other in pairs:
        keep, gone = sorted((person[one], person[other]))
        if keep != gone:
            for id in members[gone]:
                person[id] = keep
            members[keep] += members.pop(gone)
    return person
