"""Returns made of what files said: read by the readers, decided as the register decides, without a database."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from services.plumbing.contracts import Schemas, code_lists
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import Report
from services.plumbing.register.entries import State
from services.plumbing.register.statements import decide
from services.socialcare import importing
from services.socialcare.returns import files
from services.socialcare.returns.account import Account
from services.socialcare.returns.holding import Holding
from services.socialcare.returns.year import Year
from tests import importing as desks

SCHEMAS, CODES = Schemas.load(desks.CONTRACTS), code_lists(desks.CONTRACTS)
XSD = desks.SHARED / "liia-tools-pipeline/liiatools/cin_census_pipeline/spec"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
Entries = dict[str, dict[str, dict[str, Any]]]


def states(folder: Path, delivery: Mapping[str, str | bytes], states: dict[str, State] | None = None, **options: str) -> dict[str, State]:
    """What these files come to, by the case system's number."""
    found = {} if states is None else states
    recognise, opened = importing.recognise(CODES), []
    for name, text in delivery.items():
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        opened.append((recognise(path, name, Options(**options)), Report(name)))
    for source, report in sorted(opened, key=lambda pair: pair[0].order):
        for said in source.read(report):
            decide(found.setdefault(said.keys[0][1], State()), said.statements, said.provenance, SCHEMAS)
    return found


def entries(states: Mapping[str, State]) -> Entries:
    """Every entry of every child that stands. What a file says is not there, a return does not hold."""
    return {child: {name: held.fields for name, held in state.entries.items() if not held.withdrawn} for child, state in states.items()}


def census(states: Iterable[State], year: int, authority: str | None = "999") -> tuple[bytes, Account]:
    """The children in need census of a year."""
    account, out = Account(Report("CIN")), io.BytesIO()
    with files.census(out, Year(year), CODES, account, authority=authority, made=NOON) as take:
        for state in states:
            take(Holding(state, SCHEMAS))
    return out.getvalue(), account


def care_return(states: Iterable[State], year: int) -> tuple[dict[str, str], Account]:
    """The tables of the return of children looked after of a year, by name."""
    account, out = Account(Report("903")), io.BytesIO()
    with files.care_return(out, Year(year), account, named=f"SSDA903_{year}") as take:
        for state in states:
            take(Holding(state, SCHEMAS))
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}, account


def rows(tables: Mapping[str, str], table: str) -> list[dict[str, str]]:
    """The rows of one table of a return."""
    text = next(text for name, text in tables.items() if name.endswith(f"_{table}.csv"))
    return list(csv.DictReader(io.StringIO(text)))


def left(account: Account) -> dict[str, str]:
    """Where something was left out -> why."""
    return {where: why for where, why in account.left}


def faults(text: bytes, year: int) -> list[str]:
    """What the schema of that year finds wrong."""
    schema = etree.XMLSchema(etree.parse(XSD / f"CIN_schema_{year}.xsd"))
    schema.validate(etree.fromstring(text))
    return [str(one) for one in schema.error_log]
