"""What is kept of the files of one delivery while it is taken, outside memory: values by name, and rows by whom they are of.

A private database that SQLite holds in memory while it is small and on disk beyond, in a file that has no name. On disk nothing
stands in clear: what is kept is sealed with a key that is never written, and names are keyed digests.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from services.plumbing import sealing

IN_MEMORY = 16_000
"""Kilobytes."""
Name = tuple[str | None, ...]
_encoder = msgspec.msgpack.Encoder(order="sorted")


@dataclass(frozen=True)
class Row:
    """One row of one file: which file, by its number, and what it says."""

    file: int
    number: int
    cells: Any


class Shelf:
    """Values and rows. A later value of a name takes the place of the older one."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._files = self._place = 0
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._kept.executescript(
            f"pragma cache_size=-{IN_MEMORY}; pragma journal_mode=off; pragma synchronous=off; begin;"
            "create table kept (name blob primary key, told blob not null) without rowid;"
            "create table grouped (name blob, same blob, place integer, file integer, told blob, primary key (name, same)) without rowid;"
            "create index by_file on grouped (file, name, place);"
        )

    def close(self) -> None:
        """Forget everything."""
        self._kept.close()

    def put(self, name: Name, value: Any) -> None:
        """Keep one value."""
        digest = self._digest(name)
        self._kept.execute("insert or replace into kept values (?, ?)", (digest, self._sealed(digest, value)))

    def get(self, name: Name) -> Any:
        """The value of this name; None where there is none."""
        digest = self._digest(name)
        row = self._kept.execute("select told from kept where name = ?", (digest,)).fetchone()
        return None if row is None else self._opened(digest, row[0])

    def new_file(self) -> int:
        """The number of the file that is read next."""
        self._files += 1
        return self._files

    def add(self, group: Name, row: Row, *, once: bool = False) -> bool:
        """Keep a row of a group. once: not again when the same cells are there; whether it was kept."""
        self._place += 1
        digest = self._digest(group)
        same = self._digest(row.cells if once else (row.file, row.number))
        told = self._sealed(digest, (group, row.number, row.cells))
        done = self._kept.execute(
            "insert or ignore into grouped values (?, ?, ?, ?, ?)", (digest, same, self._place, row.file, told)
        )
        return done.rowcount == 1

    def groups(self, file: int) -> Iterator[tuple[Name, list[Row]]]:
        """The groups that a file has rows of, in the order of their first ones there, each with its rows of every file."""
        found = self._kept.execute("select name from grouped where file = ? group by name order by min(place)", (file,))
        for (digest,) in found:
            rows = self._kept.execute("select file, told from grouped where name = ? order by place", (digest,))
            told = [(owner, self._opened(digest, sealed)) for owner, sealed in rows]
            yield tuple(told[0][1][0]), [Row(owner, number, cells) for owner, (_, number, cells) in told]

    def _sealed(self, bound_to: bytes, value: Any) -> bytes:
        return sealing.seal(self._key, plain=_encoder.encode(value), bound_to=bound_to)

    def _opened(self, bound_to: bytes, sealed: bytes) -> Any:
        return msgspec.msgpack.decode(sealing.open_seal(self._key, sealed=sealed, bound_to=bound_to))

    def _digest(self, value: Any) -> bytes:
        """A short key that is the same for the same value and tells nothing of it."""
        return hashlib.blake2b(_encoder.encode(value), digest_size=16, key=self._key).digest()
