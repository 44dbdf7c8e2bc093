"""The joiner, mover and leaver file: one row a post, as CSV. Lists are separated by `;`, training is `course:until`."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.plumbing.files import values
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import open_table
from services.policy.leases import PURPOSES
from services.policy.store import Cover, Post, Training

NEEDED = {"person_id", "post_id", "name", "role", "organisation_kind"}


def read(path: Path, name: str, report: Report, *, address_key: bytes) -> Iterator[Post]:
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
        except ValueError as error:
            report.refuse(number, None, None, str(error))


def post(row: Mapping[str, str], *, address_key: bytes) -> Post:
    """One post from one row. Raises ValueError with a sentence."""
    if row["role"] not in PURPOSES:
        raise ValueError(f"there is no role {row['role']!r}")
    if not row["person_id"] or not row["post_id"]:
        raise ValueError("a post needs person_id and post_id")
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
        covers=[Cover(*_parts(item, 3)) for item in _list(row, "covers")],
        on_duty=bool(values.boolean(row.get("on_duty"))),
        assigned_schools=_list(row, "assigned_schools"),
        training=[Training(*_parts(item, 2)) for item in _list(row, "training")],
        vetting_until=values.day(row.get("vetting_until")),
        address_hash=address_hash(address_key, row.get("address", "")),
        starts=values.day(row.get("starts")),
        ends=values.day(row.get("ends")),
    )


def address_hash(key: bytes, address: str) -> str | None:
    """The keyed hash of `first line; postcode`, made as childview makes that of a child's home."""
    plain = "".join(character for character in address.lower() if character.isalnum())
    return hmac.digest(key, plain.encode(), "sha256").hex()[:32] if plain else None


def _list(row: Mapping[str, str], column: str) -> list[str]:
    return [item.strip() for item in row.get(column, "").split(";") if item.strip()]


def _parts(item: str, count: int) -> list[str]:
    parts = item.split(":")
    if len(parts) != count:
        raise ValueError(f"{item!r} has not {count} parts separated by colons")
    return parts
