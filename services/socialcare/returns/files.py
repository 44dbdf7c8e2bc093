"""A return as a file that is written child by child: however many there are, it needs no memory."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import IO, Any

from lxml import etree

from services.plumbing.contracts import Codes
from services.socialcare.returns import cin, ssda903
from services.socialcare.returns.account import Account
from services.socialcare.returns.holding import Holding
from services.socialcare.returns.year import Year

CHUNK = 1 << 16


class Census:
    """A children in need census being written. authority: the local authority's code; made: when it is written."""

    media_type = "application/xml"

    def __init__(self, year: Year, codes: Codes, account: Account, *, authority: str | None, made: datetime) -> None:
        self._year, self._codes, self._account = year, codes, account
        self.name = f"CIN_{year.number}.xml"
        self._file: IO[bytes] = tempfile.TemporaryFile()
        self._stack = ExitStack()
        self._xml = self._stack.enter_context(etree.xmlfile(self._file, encoding="utf-8"))
        self._xml.write_declaration()
        self._stack.enter_context(self._xml.element("Message"))
        self._xml.write(_header(year, authority, made))
        self._stack.enter_context(self._xml.element("Children"))

    def take(self, held: Holding) -> None:
        """Write a child, if it is in the census."""
        found = cin.child(held, self._year, self._codes, self._account)
        if found is not None:
            self._xml.write(found)

    def finish(self) -> IO[bytes]:
        """The whole file, at its beginning."""
        self._stack.close()
        self._file.seek(0)
        return self._file


def _header(year: Year, authority: str | None, made: datetime) -> Any:
    """The census's word on itself; without an authority it does not say whose it is."""
    found = etree.Element("Header")
    _texts(etree.SubElement(found, "CollectionDetails"), Collection="CIN", Year=str(year.number), ReferenceDate=year.last)
    if authority:
        source = etree.SubElement(found, "Source")
        when = made.strftime("%Y-%m-%dT%H:%M:%S")
        _texts(source, SourceLevel="L", LEA=authority, SoftwareCode="Childview", SerialNo="001", DateTime=when)
    return found


def _texts(element: Any, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(element, name).text = text


class CareReturn:
    """The twelve tables of the return of children looked after being written, then one zip."""

    media_type = "application/zip"

    def __init__(self, year: Year, account: Account, *, authority: str | None) -> None:
        self._year, self._account = year, account
        self._prefix = f"SSDA903_{year.number}_{authority}" if authority else f"SSDA903_{year.number}"
        self.name = f"{self._prefix}.zip"
        self._files: dict[str, IO[bytes]] = {name: tempfile.TemporaryFile() for name in ssda903.TABLES}
        self._texts = {name: io.TextIOWrapper(file, "utf-8", newline="", write_through=True) for name, file in self._files.items()}
        self._writers = {name: csv.writer(text) for name, text in self._texts.items()}
        for name, columns in ssda903.TABLES.items():
            self._writers[name].writerow(columns)

    def take(self, held: Holding) -> None:
        """Write a child's rows, if it is in the return."""
        for table, cells in ssda903.rows(held, self._year, self._account):
            self._writers[table].writerow(cells)

    def finish(self) -> IO[bytes]:
        """The zip, at its beginning."""
        found: IO[bytes] = tempfile.TemporaryFile()
        with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in self._texts.items():
                text.flush()
                with text, archive.open(f"{self._prefix}_{name}.csv", "w", force_zip64=True) as out:
                    self._files[name].seek(0)
                    out.writelines(chunks(self._files[name]))
        found.seek(0)
        return found


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; it is closed at its end."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
