"""Labelled files to evaluate with: records as CSV, and which of them are the same person."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.childview.identity.demographics import (
    EVIDENCE,
    Demographics,
    address,
    day,
    named,
    number,
    postcode,
    sexes,
)
from services.childview.identity.names import normal

FIELDS = (
    "id source given_name middle_names family_name former_family_name birth_date sex upn former_upn nhs_number uln"
    " local_id address town postcode contact_names"
).split()
"""What a column can be mapped to; besides `identifier.NAME` for any other number."""
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})[/.](?P<m>\d{1,2})[/.](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
)


class FileRefused(Exception):
    """A file cannot be evaluated; the message says which, where and why."""


@dataclass(frozen=True)
class Labelled:
    """One record: its id, what is compared, the entity that it is of where a column says so, and the fields that hold
    something that cannot be read."""

    id: str
    who: Demographics
    entity: str | None = None
    unread: tuple[str, ...] = ()


def mapping(text: str | None) -> dict[str, tuple[str, ...]]:
    """`field=column,field=column+column`: our field -> the columns whose texts it is, joined by a space.

    Raises FileRefused for a field that does not exist.
    """
    found: dict[str, tuple[str, ...]] = {}
    for item in filter(None, (text or "").split(",")):
        field, sign, columns = item.strip().partition("=")
        if not sign or not columns or (field not in FIELDS and not field.startswith(EVIDENCE)):
            raise FileRefused(f"--map: {item!r} is not FIELD=COLUMN with a field out of {', '.join(FIELDS)}, {EVIDENCE}NAME")
        found[field] = tuple(columns.split("+"))
    return found


def read(paths: Sequence[Path], *, fields: Mapping[str, tuple[str, ...]], truth_column: str | None) -> list[Labelled]:
    """The records of these files, in file order. Columns that bear our own names need no map. Raises FileRefused."""
    found: list[Labelled] = []
    ids: set[str] = set()
    for path in paths:
        for row, line in _rows(path, fields, truth_column):
            one = _record(row, line, fields, truth_column)
            if not one.id or one.id in ids:
                raise FileRefused(f"{path.name}, row {line}: the id {'is empty' if not one.id else 'stands twice'}")
            ids.add(one.id)
            found.append(one)
    return found


def _rows(
    path: Path, fields: Mapping[str, tuple[str, ...]], truth_column: str | None
) -> Iterator[tuple[dict[str, str], int]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, skipinitialspace=True)
            columns = [name.strip() for name in lines.fieldnames or ()]
            lines.fieldnames = columns
            _check(path, columns, fields, truth_column)
            for row in lines:
                if None in row or None in row.values():
                    raise FileRefused(f"{path.name}, row {lines.line_num}: it has another number of columns than the header")
                if any("\0" in value for value in row.values()):
                    raise FileRefused(f"{path.name}, row {lines.line_num}: it holds NUL")
                yield row, lines.line_num
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(f"{path.name} cannot be read: {error}") from None


def _check(path: Path, columns: Sequence[str], fields: Mapping[str, tuple[str, ...]], truth_column: str | None) -> None:
    if not columns:
        raise FileRefused(f"{path.name} is empty: it has no header")
    wanted = {column for group in fields.values() for column in group} | ({truth_column} if truth_column else set())
    missing = sorted(wanted - set(columns))
    if missing:
        raise FileRefused(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(columns) or 'none'}")
    if len(set(columns)) < len(columns):
        raise FileRefused(f"{path.name} has a column twice: {', '.join(sorted({c for c in columns if columns.count(c) > 1}))}")
    known = {*FIELDS, *(name for name in columns if name.startswith(EVIDENCE))}
    if not (known - {"id", "source"}) & {*columns, *fields}:
        raise FileRefused(f"{path.name}: none of its columns is known ({', '.join(columns)}); say which is which, --map FIELD=COLUMN")
    if not ({"id"} & set(columns) or "id" in fields):
        raise FileRefused(f"{path.name}: say which column is the id, --map id=COLUMN")


def _record(row: Mapping[str, str], line: int, fields: Mapping[str, tuple[str, ...]], truth_column: str | None) -> Labelled:
    def text(field: str) -> str:
        columns = fields.get(field, (field,))
        return " ".join(filter(None, (row.get(column, "").strip() for column in columns)))

    entity = row[truth_column].strip() if truth_column else None
    evidence = {name for name in (*fields, *row) if name.startswith(EVIDENCE)}
    who = _who(text, evidence)
    unread = tuple(name for name, found in (("birth_date", who.birth_dates), ("sex", who.sex)) if text(name) and not found)
    return Labelled(text("id"), who, entity or None, unread)


def _who(text: Callable[[str], str], evidence: Iterable[str]) -> Demographics:
    person = {name: text(name) for name in FIELDS}
    birth = birth_date(person["birth_date"])
    code = postcode(person["postcode"])
    line = address(person["address"], person["town"], code)
    numbers = {f"{kind.removeprefix('former_')}:{number(person[kind])}" for kind in _NUMBERS if person[kind]}
    numbers |= {f"{kind}:{number(text(kind)).casefold()}" for kind in evidence if text(kind)}
    source, local = person["source"], person["local_id"]
    return Demographics(
        given=named(person, "given_name"),
        middle=named(person, "middle_names"),
        family=named(person, "family_name", "former_family_name"),
        birth_dates=(birth,) if birth else (),
        sex=sexes(person["sex"]),
        postcodes=frozenset({code} if code else ({f"TOWN {normal(person['town'])}"} if person["town"] else ())),
        addresses=frozenset({line} if line else ()),
        contacts=frozenset(filter(None, (normal(name) for name in re.split(r"[;|]", person["contact_names"])))),
        identifiers=frozenset(numbers),
        local=frozenset({f"{source}|{local or person['id']}"} if source else ()),
    )


_NUMBERS = ("upn", "former_upn", "nhs_number", "uln")


def birth_date(text: str) -> date | None:
    """A date as 2015-03-05, 05/03/2015, 05.03.2015 or 20150305; None for none and for what is no day."""
    for form in _DATES:
        found = form.fullmatch(text.strip()[:10])
        if found:
            return day(f"{found['y']}-{int(found['m']):02d}-{int(found['d']):02d}")
    return None


def ignored(records: Iterable[Labelled], numbers: frozenset[str]) -> dict[str, int]:
    """How many numbers were learned to be nobody's, and how many records bear one: counts alone."""
    return {"numbers_ignored": len(numbers), "records_with_ignored": sum(bool(one.who.identifiers & numbers) for one in records)}


def truth(path: Path, ids: Iterable[str], *, label: str | None) -> dict[str, str]:
    """Which records are one person, from a file of pairs: the first two columns are ids, and they join up. label: only the
    rows of .5 and more in that column. Raises FileRefused."""
    parent = {name: name for name in ids}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for one, other in _pairs(path, label):
        for name in (one, other):
            if name not in parent:
                raise FileRefused(f"{path.name} names a record that is in no file of records")
        parent[root(one)] = root(other)
    return {name: root(name) for name in parent}


def _pairs(path: Path, label: str | None) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            if len(header) < 2 or (label and label not in header):
                raise FileRefused(f"{path.name}: two columns of ids are wanted" + (f", and {label}" if label else ""))
            place = header.index(label) if label else None
            second = _second(header)
            for row in lines:
                if row and len(row) != len(header):
                    raise FileRefused(f"{path.name}, row {lines.line_num}: it has another number of columns than the header")
                if row and (place is None or _share(row[place], path, lines.line_num) >= 0.5):
                    yield row[0].strip(), row[second].strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(f"{path.name} cannot be read: {error}") from None


def _share(text: str, path: Path, line: int) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise FileRefused(f"{path.name}, row {line}: the label is no number")
    return found


def _second(header: Sequence[str]) -> int:
    """Where the second id stands: the second column, or in Splink's own form the one that ends in `_r`."""
    if header[0].endswith("_l") and f"{header[0][:-2]}_r" in header:
        return list(header).index(f"{header[0][:-2]}_r")
    return 1
