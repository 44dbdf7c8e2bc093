"""A return as a file that is written child by child: however many there are, it needs no memory."""

from __future__ import annotations

import csv
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import IO

from lxml import etree
from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.socialcare.returns import cin, ssda903
from services.socialcare.returns.account import Account
from services.socialcare.returns.holding import Holding
from services.socialcare.returns.year import Year

CHUNK = 1 << 16
Take = Callable[[Holding], None]
"""Writes a child, if it is in the return."""


@contextmanager
def census(out: IO[bytes], year: Year, codes: Codes, account: Account, *, authority: str | None, made: datetime) -> Iterator[Take]:
    """A children in need census as XML; whole when the block ends. made: when it is written."""
    with etree.xmlfile(out, encoding="utf-8") as xml:
        xml.write_declaration()

        def take(held: Holding) -> None:
            found = cin.child(held, year, codes, account)
            if found is not None:
                xml.write(found)

        with xml.element("Message"):
            xml.write(_header(year, authority, made))
            with xml.element("Children"):
                yield take


def _header(year: Year, authority: str | None, made: datetime) -> Element:
    """The census's word on itself; without an authority it does not say whose it is."""
    found = etree.Element("Header")
    _texts(etree.SubElement(found, "CollectionDetails"), Collection="CIN", Year=str(year.number), ReferenceDate=year.last)
    if authority:
        when = made.strftime("%Y-%m-%dT%H:%M:%S")
        _texts(
            etree.SubElement(found, "Source"), SourceLevel="L", LEA=authority, SoftwareCode="Childview", SerialNo="001", DateTime=when
        )
    return found


def _texts(element: Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(element, name).text = text


@contextmanager
def care_return(out: IO[bytes], year: Year, account: Account, *, named: str) -> Iterator[Take]:
    """The twelve tables of the return of children looked after in one zip; whole when the block ends. named: so begin the names
    of its files."""
    with ExitStack() as stack:
        tables = {
            name: stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="")) for name in ssda903.TABLES
        }  # fmt: skip
        writers = {name: csv.writer(table) for name, table in tables.items()}
        for name, columns in ssda903.TABLES.items():
            writers[name].writerow(columns)

        def take(held: Holding) -> None:
            for table, cells in ssda903.rows(held, year, account):
                writers[table].writerow(cells)

        yield take
        _zip(out, {f"{named}_{name}.csv": table for name, table in tables.items()})


def _zip(out: IO[bytes], tables: Mapping[str, IO[str]]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            table.flush()
            table.seek(0)
            with archive.open(name, "w", force_zip64=True) as packed:
                shutil.copyfileobj(table.buffer, packed, CHUNK)  # type: ignore[attr-defined]


def chunks(file: IO[bytes], held: AbstractContextManager) -> Iterator[bytes]:
    """A file from its beginning, piece by piece; what is held for it is let go at its end."""
    with held:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
