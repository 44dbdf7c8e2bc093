"""JSON whose long lists stay on disk: checked whole from end to end once, and then read a row at a time.

What is delivered is one object, and its rows are the elements of the lists in it. The first reading cuts the text at the brackets
that stand in no string; every row, and what is left when the rows are taken out, must be JSON by itself, which together is the
same as the whole being JSON. So memory is bounded by one row, however long a list is.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from services.plumbing.files.report import FileRefused

MOST_BYTES = 600 * 1024 * 1024
MOST_HELD = 4 * 1024 * 1024
"""Bytes of one row, or of all that is no row: they are held in memory, where a byte may take thirty."""
DEEPEST = 64
"""Brackets inside one another; what the sector sends has nine."""
PIECE = 256 * 1024
MARK = b"\xef\xbb\xbf"
"""How some systems begin a text in UTF-8."""
BROKEN = "the JSON is broken or cut off"
_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _TEXT + rb")*+([{}\[\]])", re.DOTALL)
"""Everything up to the next bracket that stands in no string."""
_MORE = re.compile(rb"[ \t\r\n]*+([^ \t\r\n])")
_PLAIN = re.compile(rb"(?:" + _TEXT + rb'|[^"{}\[\], \t\r\n]++)(?=[\], \t\r\n])', re.DOTALL)
"""A value without brackets, and that it ends."""
_PAIRS = {b"}": b"{", b"]": b"["}


class _Twice(ValueError):
    """An object has two values under one name."""


class Rows(Sequence[Any]):
    """The elements of a list of one checked file, each read when it is asked for."""

    def __init__(self, path: Path, starts: array[int] | None = None, sizes: array[int] | None = None) -> None:
        self._path = path
        self._starts, self._sizes = (array("Q") if found is None else found for found in (starts, sizes))

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Any]:
        with self._path.open("rb") as data:
            for start, size in zip(self._starts, self._sizes, strict=True):
                data.seek(start)
                yield msgspec.json.decode(data.read(size))

    def __getitem__(self, place: Any) -> Any:
        with self._path.open("rb") as data:
            data.seek(self._starts[place])
            return msgspec.json.decode(data.read(self._sizes[place]))

    def __add__(self, other: Rows) -> Rows:
        """These, and then those of another list of the file."""
        return Rows(self._path, self._starts + other._starts, self._sizes + other._sizes)


def opened(path: Path, name: str, *, deep: int) -> tuple[Any, str]:
    """What the file holds, and its sha256. Lists in the outermost object are Rows; with `deep` 2, lists in an object in it, too.

    Raises FileRefused: empty, too large, broken, cut off, a name twice in one object, nested too deep, one row too large.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    with path.open("rb") as data:
        text = _Text(data, name)
        rest, lists = _cut(text, path, deep)
        text.end()
    body = _checked(rest, name)
    return _with_rows(body, iter(lists), deep), text.digest.hexdigest()


def _cut(text: _Text, path: Path, deep: int) -> tuple[bytes, list[Rows]]:
    """What is left of the text when the rows are taken out of its lists, and the rows of each in their order."""
    rest, lists, opened = bytearray(), list[Rows](), list[bytes]()
    while True:
        found = text.take(_BRACKET)
        rest += found[0]
        if len(rest) > MOST_HELD:
            raise text.too_large("what is no row")
        if found[1] == b"[" and 1 <= len(opened) <= deep and b"[" not in opened:
            lists.append(_rows(text, path))
            rest += b"]"
        elif _level(text, opened, found[1]) == 0:
            return bytes(rest), lists


def _rows(text: _Text, path: Path) -> Rows:
    """The elements of the list that has just begun, each checked."""
    starts, sizes = array("Q"), array("Q")
    begins = text.take(_MORE)[1]
    while begins != b"]" or starts:
        text.back()
        starts.append(text.place)
        found = _element(text, begins)
        sizes.append(len(found))
        _checked(found, text.name, row=len(starts))
        follows = text.take(_MORE)[1]
        if follows == b"]":
            break
        begins = text.take(_MORE)[1] if follows == b"," else b""
        if begins in (b"", b"]"):
            raise text.broken(row=len(starts))
    return Rows(path, starts, sizes)


def _element(text: _Text, begins: bytes) -> bytes:
    """The bytes of the element that begins here."""
    if begins not in b"{[":
        return text.take(_PLAIN)[0]
    opened: list[bytes] = []
    while _level(text, opened, text.go_on(_BRACKET)[1]):
        pass
    return text.taken()


def _level(text: _Text, opened: list[bytes], bracket: bytes) -> int:
    """How many brackets are open after this one."""
    if bracket in b"{[":
        opened.append(bracket)
    elif not opened or opened.pop() != _PAIRS[bracket]:
        raise text.broken()
    if len(opened) > DEEPEST:
        raise FileRefused(text.name, f"{BROKEN}, or nested deeper than {DEEPEST}")
    return len(opened)


class _Text:
    """A file's bytes, taken from the front; what is not taken yet is held. digest: of all that was read."""

    def __init__(self, data: IO[bytes], name: str) -> None:
        self.name, self.digest = name, hashlib.sha256()
        self._data, self._held, self._first = data, b"", 0
        self._from = self._at = 0
        self._fetch()
        self._from = self._at = len(MARK) if self._held.startswith(MARK) else 0
        if not self._held[self._at :].strip():
            raise FileRefused(name, "the file is empty")

    @property
    def place(self) -> int:
        """Where in the file the next byte stands."""
        return self._first + self._at

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """What comes next, and let go of all before it. Raises FileRefused where it is something else, or not whole."""
        self._from = self._at
        return self.go_on(pattern)

    def go_on(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """The same, and hold what was taken before it."""
        while (found := pattern.match(self._held, self._at)) is None:
            if len(self._held) - self._from > MOST_HELD:
                raise self.too_large("one row, or what is no row,")
            if not self._fetch():
                raise self.broken()
        self._at = found.end()
        if self._at - self._from > MOST_HELD:
            raise self.too_large("one row, or what is no row,")
        return found

    def back(self) -> None:
        """The byte that was taken last is the first of what comes next."""
        self._at -= 1
        self._from = self._at

    def taken(self) -> bytes:
        """All that is held of what was taken."""
        return self._held[self._from : self._at]

    def end(self) -> None:
        """Nothing but blanks follows. Raises FileRefused."""
        while True:
            if self._held[self._at :].strip(b" \t\r\n"):
                raise self.broken()
            self._from = self._at = len(self._held)
            if not self._fetch():
                return

    def _fetch(self) -> bool:
        """Hold more: twice as much each time, so that a long string is not looked through for every piece of it."""
        piece = self._data.read(max(PIECE, len(self._held) - self._from))
        self.digest.update(piece)
        self._first += self._from
        self._held = self._held[self._from :] + piece
        self._at -= self._from
        self._from = 0
        return bool(piece)

    def broken(self, *, row: int | None = None) -> FileRefused:
        """Why the file is not read."""
        return FileRefused(self.name, BROKEN, row=row)

    def too_large(self, what: str) -> FileRefused:
        """Why the file is not read."""
        return FileRefused(self.name, f"{what} is larger than {MOST_HELD // 1024 // 1024} MB")


def _checked(text: bytes, name: str, *, row: int | None = None) -> Any:
    """The value. Raises FileRefused for what is no JSON, and for a name twice in one object: nobody knows which is meant."""
    try:
        found = msgspec.json.decode(text)
        _names.scan_once(text.decode().lstrip(), 0)
    except _Twice as error:
        raise FileRefused(name, "an object has the same name twice", row=row) from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise FileRefused(name, f"{BROKEN} ({type(error).__name__})", row=row) from error
    return found


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _Twice


_names = json.JSONDecoder(object_pairs_hook=_once)


def _with_rows(body: Any, lists: Iterator[Rows], deep: int) -> Any:
    """The body with each list's rows in its place: they were taken out in this order."""
    if not isinstance(body, dict) or deep == 0:
        return body
    for name, value in body.items():
        body[name] = next(lists) if isinstance(value, list) else _with_rows(value, lists, deep - 1)
    return body
