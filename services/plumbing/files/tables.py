"""CSV tables as text: nothing is guessed, and a file that is not what it should be is refused before any row is taken."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.plumbing.files.report import FileRefused

MOST_BYTES = 600 * 1024 * 1024
MOST_LINE = 1_000_000
CUT = "the last line does not end: if the file was cut off, its last value is not whole"


@dataclass(frozen=True)
class Table:
    """One CSV file, checked whole. rows() gives (row number as a spreadsheet shows it, column -> text)."""

    name: str
    path: Path
    sha256: str
    encoding: str
    columns: tuple[str, ...]
    count: int
    cut: bool = False
    """The last line has no end: its last value may be cut off."""

    @property
    def last_row(self) -> int:
        """The number of the last row, where no row is blank."""
        return self.count + 1

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row by its columns (lower case), blank text for a blank cell."""
        with self.path.open(encoding=self.encoding, newline="") as lines:
            reader = csv.reader(lines, strict=True)
            next(reader)
            for number, cells in enumerate(reader, 2):
                if cells:
                    yield number, dict(zip(self.columns, (cell.strip() for cell in cells), strict=True))


def open_table(path: Path, *, name: str | None = None) -> Table:
    """Check a CSV file from end to end. Raises FileRefused: empty, too large, undecodable, a column twice, an unclosed
    quote, a row cut off, a NUL anywhere."""
    shown = name or path.name
    size = path.stat().st_size
    if size == 0:
        raise FileRefused(shown, "the file is empty")
    if size > MOST_BYTES:
        raise FileRefused(shown, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    encoding, sha256 = _encoding(path, shown)
    csv.field_size_limit(MOST_LINE)
    with path.open(encoding=encoding, newline="") as text:
        lines = _Lines(text, shown)
        reader = csv.reader(lines, strict=True)
        columns = _columns(_header(reader, shown), shown)
        lines.held = 0
        count = _check_rows(reader, lines, len(columns), shown)
    return Table(shown, path, sha256, encoding, columns, count, count > 0 and not lines.last.endswith(("\n", "\r")))


def _encoding(path: Path, shown: str) -> tuple[str, str]:
    """UTF-8 (with or without its mark), UTF-16 by its mark, else Windows-1252; and the file's sha256."""
    digest, good = hashlib.sha256(), True
    utf8 = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as data:
        wide = data.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        data.seek(0)
        while chunk := data.read(1 << 20):
            digest.update(chunk)
            if not wide and b"\0" in chunk:
                raise FileRefused(shown, "the file is not text")
            good = good and (wide or _decodes(utf8, chunk))
    return ("utf-16" if wide else "utf-8-sig" if good else "cp1252"), digest.hexdigest()


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """The lines of a table, none longer than a table's may be and none with a NUL in it; `last` is the one read last. held:
    characters of the row that is read, which quotes may spread over lines; whoever reads rows counts anew at each."""

    def __init__(self, text: io.TextIOWrapper, shown: str) -> None:
        self._text, self._shown, self.last = text, shown, ""
        self.held = 0

    def __iter__(self) -> Iterator[str]:
        try:
            while line := self._text.readline(MOST_LINE + 1):
                if len(line) > MOST_LINE:
                    raise FileRefused(self._shown, "a line is longer than any table's")
                if "\0" in line:
                    raise FileRefused(self._shown, "the file is not text")
                self.last = line
                self.held += len(line)
                if self.held > MOST_LINE:
                    raise FileRefused(self._shown, "a row is longer than any table's")
                yield line
        except UnicodeError as error:
            raise FileRefused(self._shown, "the encoding is neither UTF-8, UTF-16 nor Windows-1252") from error


def _header(reader, shown: str) -> Sequence[str]:
    try:
        return next(reader, [])
    except csv.Error as error:
        raise FileRefused(shown, f"a quote is not closed or the header is broken ({error})", row=1) from error


def _columns(cells: Sequence[str], shown: str) -> tuple[str, ...]:
    columns = tuple(cell.strip().lower() for cell in cells)
    if len(columns) < 2:
        raise FileRefused(shown, "this is no CSV table with a header line", row=1)
    counted = Counter(columns)
    twice = next((column for column in columns if counted[column] > 1), None)
    if twice is not None:
        # Its name is not said: without a header line it is a value of somebody's row.
        places = " and ".join(str(number) for number, column in enumerate(columns, 1) if column == twice)
        raise FileRefused(shown, f"a column is there twice (columns {places})", row=1)
    return columns


def _check_rows(reader, lines: _Lines, width: int, shown: str) -> int:
    count = 0
    try:
        for cells in reader:
            lines.held = 0
            if cells and len(cells) != width:
                why = f"the row has {len(cells)} cells where the header has {width}: cut off, or a stray comma"
                raise FileRefused(shown, why, row=count + 2)
            count += bool(cells)
    except csv.Error as error:
        raise FileRefused(shown, f"a quote is not closed or the row is broken ({error})", row=count + 2) from error
    return count
