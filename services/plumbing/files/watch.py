"""A watched folder: what has come to rest in it is one delivery a subfolder, and goes to `taken` or `refused`. Nothing is deleted.

Killed between a service's answer and the last move, it goes on where it was: what is to go where is written down before the
first file moves (a delivery whose half has moved away would say less than the whole). Killed before that, the whole delivery is
sent again, and the service finds nothing new in it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

OWN = ".childview-watch"
"""The folder's own notes: a lock, and the moves that are under way."""
TAKEN, REFUSED = "taken", "refused"
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", "~")
"""How programs name a file that they still write."""
PATIENCE = 600.0
"""Seconds that what stands still waits for a neighbour that does not."""

Stamp = tuple[int, int]
"""(bytes, time of the last change in nanoseconds)"""


class Watched(Exception):
    """Another process watches this folder, or somebody else wrote where only the watcher may."""


@dataclass(frozen=True)
class Arrived:
    """Files of one subfolder that came to rest together: one delivery to one service."""

    service: str
    files: Mapping[Path, Stamp]


@dataclass
class Folder:
    """A folder whose subfolders named in `services` (service -> its folder) are looked at. still: seconds without any change."""

    root: Path
    services: Mapping[str, Path]
    still: float
    _seen: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)

    def ready(self, *, now: float) -> list[Arrived]:
        """The deliveries that have come to rest by now (seconds of any clock that never goes back)."""
        found = list(self._groups())
        self._seen = {
            path: self._seen[path] if path in self._seen and self._seen[path][0] == stamp else (stamp, now)
            for _, files in found
            for path, stamp in files.items()
        }
        rested = [(service, self._rested(files, now)) for service, files in found]
        return [Arrived(service, files) for service, files in rested if files]

    def pending(self) -> int:
        """How many files were there at the last look."""
        return len(self._seen)

    def _rested(self, files: Mapping[Path, Stamp], now: float) -> dict[Path, Stamp]:
        """All files when none changes; of those that have waited long enough for a neighbour, these."""
        ages = {path: now - self._seen[path][1] for path in files}
        wanted = self.still if all(age >= self.still for age in ages.values()) else max(self.still, PATIENCE)
        return {path: files[path] for path, age in ages.items() if age >= wanted}

    def _groups(self) -> Iterator[tuple[str, dict[Path, Stamp]]]:
        """The files of each service's folder, and of each subfolder in it with all that is below."""
        for service, place in self.services.items():
            files: dict[Path, dict[Path, Stamp]] = {}
            for path, stamp in self._files(place):
                inside = path.relative_to(place).parts
                files.setdefault(place / inside[0] if len(inside) > 1 else place, {})[path] = stamp
            yield from ((service, files[group]) for group in sorted(files))

    def _files(self, place: Path) -> Iterator[tuple[Path, Stamp]]:
        """Plain files, with no link followed: what a link names does not lie in this folder."""
        put_away = {self.root / TAKEN, self.root / REFUSED}
        for folder, below, names in os.walk(place):
            here = Path(folder)
            below[:] = sorted(name for name in below if not name.startswith(".") and here / name not in put_away)
            for name in sorted(names):
                if name.startswith(".") or name.lower().endswith(UNFINISHED):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found = (here / name).lstat()
                    if stat.S_ISREG(found.st_mode):
                        yield here / name, (found.st_size, found.st_mtime_ns)

    def open(self, arrived: Arrived, path: Path) -> IO[bytes]:
        """A file of a delivery as it was looked at, whatever now stands under its name, with no link followed on the way.

        Raises OSError where it has become another, or a link, or is not there.
        """
        inside = path.relative_to(self.root).parts
        with contextlib.ExitStack() as stack:
            number = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            for name, how in [*((one, os.O_DIRECTORY) for one in inside[:-1]), (inside[-1], os.O_NONBLOCK)]:
                stack.callback(os.close, number)
                number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | how, dir_fd=number)
        file = os.fdopen(number, "rb")
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or (found.st_size, found.st_mtime_ns) != arrived.files[path]:
            file.close()
            raise OSError(errno.ESTALE, "it has changed since it was looked at", str(path))
        return file

    # -- putting away --------------------------------------------------------------------------------------------

    def put_away(self, arrived: Arrived, refused: Mapping[Path, str], *, day: str) -> dict[Path, Path]:
        """Move a delivery's files, those `refused` (with the reason) apart; where each is now. What changed meanwhile stays."""
        moves = []
        targets: set[Path] = set()
        for path, stamp in arrived.files.items():
            place = Path(REFUSED) if path in refused else Path(TAKEN) / day
            target = self._free(self.root / place / path.relative_to(self.root), targets)
            targets.add(target)
            names = [str(one.relative_to(self.root)) for one in (path, target)]
            moves.append({"from": names[0], "to": names[1], "stamp": list(stamp), "reason": refused.get(path)})
        _write(self.root / OWN / "moves.json", json.dumps(moves))
        return self.go_on()

    def go_on(self) -> dict[Path, Path]:
        """End the moves that are under way; where each file is now."""
        journal = self.root / OWN / "moves.json"
        if not journal.exists():
            return {}
        _own(journal.parent)
        _own(journal)
        moved = {}
        for one in json.loads(journal.read_text()):
            path, target = self._inside(one["from"]), self._inside(one["to"])
            if Path(one["to"]).parts[0] not in (TAKEN, REFUSED):
                raise Watched(f"{journal} names a place that is neither {TAKEN} nor {REFUSED}")
            if self._stands(path, one["stamp"]):
                _move(path, target, one["reason"])
                moved[path] = target
                self._seen.pop(path, None)
        journal.unlink()
        return moved

    def _inside(self, named: str) -> Path:
        """A place in this folder, with no link on the way to it: what a link names does not lie here. Raises Watched."""
        path = self.root / named
        if Path(named).is_absolute() or ".." in Path(named).parts or path.parent.resolve() != self.root.resolve() / Path(named).parent:
            raise Watched(f"{named} leads out of {self.root}")
        return path

    def _stands(self, path: Path, stamp: Sequence[int]) -> bool:
        """Whether the file is there as it was sent."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            return False
        return [found.st_size, found.st_mtime_ns] == list(stamp)

    def _free(self, wanted: Path, others: set[Path]) -> Path:
        """The name, or the next one that no file has: nothing is written over."""
        names = (wanted.with_name(f"{wanted.stem}-{n}{wanted.suffix}") if n > 1 else wanted for n in range(1, 1_000_000))
        return next(one for one in names if one not in others and not one.exists() and not _reason(one).exists())

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While this process watches the folder. Raises Watched when another one does."""
        (self.root / OWN).mkdir(mode=0o700, exist_ok=True)
        _own(self.root / OWN)
        with (self.root / OWN / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Watched(f"another process watches {self.root}") from None
            yield


def _own(path: Path) -> None:
    """Refuse what is a link, another account's, or open to others to write: it would say what is moved where. Raises Watched."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Watched(f"{path} is not this account's alone: remove it, and let nobody else write there")


def _move(path: Path, target: Path, reason: str | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if reason is not None:
        _write(_reason(target), f"{reason}\n")
    path.rename(target)


def _reason(target: Path) -> Path:
    """The plain text beside a refused file that says why."""
    return target.with_name(f"{target.name}.reason.txt")


def _write(path: Path, text: str) -> None:
    """The whole text or nothing, for this account alone."""
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)
