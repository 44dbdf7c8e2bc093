"""The joiner, mover and leaver file: one row a post, as CSV. Lists are separated by `;`, training is `course:until`."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from services.plumbing.files import values
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import open_table
from services.plumbing.files.unnamed import Unnamed
from services.policy.leases import PURPOSES
from services.policy.store import Cover, Post, Training

LONGEST_COVER = timedelta(days=28)
"""A manager records cover for four weeks at most at a time (sentence S11)."""
Read = TypeVar("Read")
NEEDED = {"person_id", "post_id", "name", "role", "organisation_kind"}


def read(path: Path | Unnamed, name: str, report: Report, *, address_key: bytes) -> Iterator[Post]:
    """The posts of a file; a row that cannot be taken is refused. Raises FileRefused for the whole file."""
    table = open_table(path, name=name)
    missing = sorted(NEEDED - set(table.columns))
    if missing:
        raise FileRefused(name, "the column is missing", row=1, column=missing[0])
    report.rows = table.count
    for number, row in table.rows():
        try:
            yield post(row, address_key=address_key)
            report.accepted += 1
        except RowRefused as refused:
            report.refuse(number, refused.column, row.get(refused.column), str(refused))


class RowRefused(ValueError):
    """A row that cannot be taken: the column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column


def post(row: Mapping[str, str], *, address_key: bytes) -> Post:
    """One post from one row. Raises RowRefused."""
    if row["role"] not in PURPOSES:
        raise RowRefused("role", "there is no such role")
    for column in ("person_id", "post_id"):
        if not row[column]:
            raise RowRefused(column, "a post needs person_id and post_id")
    return Post(
        post_id=row["post_id"],
        person_id=row["person_id"],
        name=row["name"],
        role=row["role"],
        organisation_kind=row["organisation_kind"],
        organisations=_list(row, "organisations"),
        team_ids=_list(row, "team_ids"),
        professional_ids=_list(row, "professional_ids"),
        supervises=_list(row, "supervises"),
        covers=_read(row, "covers", lambda _: [_cover(*_parts(item, 3)) for item in _list(row, "covers")]),
        on_duty=bool(_read(row, "on_duty", values.boolean)),
        assigned_schools=_list(row, "assigned_schools"),
        training=_read(row, "training", lambda _: [Training(*_parts(item, 2)) for item in _list(row, "training")]),
        vetting_until=_read(row, "vetting_until", values.day),
        address_hash=address_hash(address_key, row.get("address", "")),
        starts=_read(row, "starts", values.day),
        ends=_read(row, "ends", values.day),
    )


def _read(row: Mapping[str, str], column: str, read: Callable[[str | None], Read]) -> Read:
    try:
        return read(row.get(column))
    except ValueError as error:
        raise RowRefused(column, str(error)) from None


def address_hash(key: bytes, address: str) -> str | None:
    """The keyed hash of `first line; postcode`, made as childview makes that of a child's home."""
    plain = "".join(character for character in address.lower() if character.isalnum())
    return hmac.digest(key, plain.encode(), "sha256").hex()[:32] if plain else None


def _cover(professional_id: str, start: str, end: str) -> Cover:
    """Cover between two days, both of them days of cover. Raises ValueError."""
    first, last = values.day(start), values.day(end)
    if first is None or last is None or last < first:
        raise ValueError("a cover needs a first day and a last day that is not before it")
    if date.fromisoformat(last) - date.fromisoformat(first) >= LONGEST_COVER:
        raise ValueError(f"a cover lasts {LONGEST_COVER.days} days at most at a time; record it again when it ends")
    return Cover(professional_id, first, last)


def _list(row: Mapping[str, str], column: str) -> list[str]:
    return [item.strip() for item in row.get(column, "").split(";") if item.strip()]


def _parts(item: str, count: int) -> list[str]:
    parts = item.split(":")
    if len(parts) != count:
        raise ValueError(f"an item of a list has not {count} parts separated by colons")
    return parts
