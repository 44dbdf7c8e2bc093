"""A file without a name: what it holds ends with the process that has it open, however that ends."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import IO, Any


def keep_in(state: Path) -> None:
    """Let this process's temporary files, and those of SQLite in it, lie on the disk of the installation's own folder.

    None of them has a name there: the folder is empty at every moment but that between making and unlinking one.
    """
    folder = (state / "tmp").absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = tempfile.tempdir = str(folder)


class Unnamed:
    """An open file, read as a Path is: by as many at once as want, each at a place of its own.

    It keeps the file's place as it is, and lives as long as the file is open.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file, self._number = file, file.fileno()
        file.flush()

    def open(self, mode: str = "r", *, encoding: str | None = None, newline: str | None = None) -> IO[Any]:
        """Read it from its beginning, as bytes or text."""
        data = io.BufferedReader(_Reading(self._number), 1 << 16)
        return data if "b" in mode else io.TextIOWrapper(data, encoding=encoding, newline=newline)

    def stat(self) -> os.stat_result:
        """Its size, and who may read it."""
        return os.fstat(self._number)

    def exists(self) -> bool:
        """It does, as long as it is open."""
        return True

    def is_dir(self) -> bool:
        """It is a file."""
        return False


class _Reading(io.RawIOBase):
    """One reader's place in an open file."""

    def __init__(self, number: int) -> None:
        self._number, self._at = number, 0

    def readable(self) -> bool:
        """It is for reading alone."""
        return True

    def seekable(self) -> bool:
        """Any place can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The bytes that come next; 0 at the end."""
        found = os.pread(self._number, len(buffer), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._number).st_size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at
