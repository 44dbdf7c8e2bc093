"""One delivery: several files, recognised, checked whole, put in order, and taken by a register."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.plumbing.files import values
from services.plumbing.files.contradictions import Spoken
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.unnamed import Unnamed
from services.plumbing.register.complete import Complete
from services.plumbing.register.register import Register
from services.plumbing.register.said import Said

Progress = Callable[[str, int, int], None]
"""progress(file, rows done, rows in all)"""
SLICE = 2000
NUMBER = re.compile(r"[A-Z]?\d{3,12}", re.ASCII)
"""What names an organisation: anything else is somebody's slip, and may be somebody's name."""
FIRST_YEAR = 2000
"""No file is older than the electronic formats of the sector."""


@dataclass(frozen=True)
class Options:
    """What the files do not say themselves: whose they are, of which collection, and as of when (ISO date)."""

    authority: str | None = None
    collection: str | None = None
    extracted: str | None = None


@dataclass(frozen=True)
class Source:
    """One recognised file: its place in the order (parents first), how many rows, and what it says row by row.

    mark: the file's sha256. warnings: (row, what is odd about it). complete: asked when all is read, what the file was
    complete for (several are told one after another). kind: of what kind the file is (`family` where it is not said).
    """

    order: int
    rows: int
    read: Callable[[Report], Iterable[Said]]
    ignored_columns: tuple[str, ...] = ()
    mark: str = ""
    warnings: tuple[tuple[int, str], ...] = ()
    complete: Callable[[], Complete | Sequence[Complete]] | None = None
    kind: str = ""

    @property
    def family(self) -> str:
        """The kind of file: as it says itself, else by the importer that reads it (`ssd_care` is of `ssd`)."""
        return self.kind or self.read.__module__.rpartition(".")[2].partition("_")[0]


Recognise = Callable[[Path | Unnamed, str, Options], Source]
"""Recognises and checks a whole file. Raises FileRefused before any row is taken."""


async def take(
    register: Register,
    paths: Sequence[Path | Unnamed],
    recognise: Recognise,
    options: Options,
    *,
    state: Path,
    progress: Progress = lambda file, done, total: None,
) -> list[dict[str, Any]]:
    """Take the files of one delivery, given in any order; a summary of each, refused files among them."""
    opened: list[tuple[Source, Report]] = []
    all_reports: list[Report] = []
    for path in files_of(paths):
        report = Report(path.name)
        report.open(state, name=uuid.uuid4().hex)
        all_reports.append(report)
        try:
            opened.append((await asyncio.to_thread(recognise, path, report.file, options), report))
        except FileRefused as refused:
            report.whole_file_refused = str(refused)
    with contextlib.closing(Spoken(register.spoken_of)) as spoken:
        reading = _Reading(register, progress, {report.id: report for report in all_reports}, spoken)
        for source, report in sorted(opened, key=lambda pair: (pair[0].order, pair[1].file, pair[0].mark)):
            await reading.take(source, report)
    for report in all_reports:
        report.close()
    return [report.summary() for report in all_reports]


@dataclass
class _Reading:
    """One delivery being taken, file by file. reports: of all its files, by id."""

    register: Register
    progress: Progress
    reports: Mapping[str, Report]
    spoken: Spoken

    async def take(self, source: Source, report: Report) -> None:
        """Take one file."""
        report.rows, report.ignored_columns = source.rows, list(source.ignored_columns)
        for row, why in source.warnings:
            report.flag(row, None, None, why)
        heard = await self._rows(source, report)
        if source.complete is not None:
            found = source.complete()
            for complete in [found] if isinstance(found, Complete) else found:
                await self.register.withdraw_missing(complete, report)
        if heard and (report.accepted or report.waiting):
            organisations = {named for named, _ in heard if NUMBER.fullmatch(named)}
            await self.register.delivered(source.family, organisations or {""}, extracted=max(extracted for _, extracted in heard))
        self.progress(report.file, source.rows, source.rows)

    async def _rows(self, source: Source, report: Report) -> set[tuple[str, str]]:
        """Take the rows, a slice at a time; who was heard: (organisation, as of when)."""
        rows = iter(source.read(report))
        heard: set[tuple[str, str]] = set()
        done = 0
        while held := await asyncio.to_thread(self._next, rows):
            heard |= {(self.register.organisation(said), said.provenance.extracted) for said in held}
            done += len(held)
            await self.register.take(held, reports=self.reports)
            self.progress(report.file, min(done, source.rows), source.rows)
        return heard

    def _next(self, rows: Iterator[Said]) -> list[Said]:
        """The next slice. Read in a thread: before its first row a file of a million may take a minute, and others have their turn."""
        return [self.spoken.compare(said) for said in itertools.islice(rows, SLICE)]


def files_of(paths: Sequence[Path | Unnamed]) -> list[Path | Unnamed]:
    """The files named, whatever they are, and the data files inside folders named, each once."""
    found = [file for path in paths for file in (_inside(path) if path.is_dir() else [path])]
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix.lower() in (".csv", ".json", ".xml")]


def date_in_name(name: str) -> str | None:
    """An ISO date in a file's name."""
    found = re.search(r"(?<!\d)(20\d{2}-\d{2}-\d{2})(?!\d)", name)
    return found.group(1) if found else None


def as_of(name: str, options: Options, *, said: str | None = None, otherwise: str | None = None) -> str:
    """As of when a file speaks: by the option, by what it says itself, by its name, or else `otherwise`.

    Raises FileRefused when nothing says it, when the option contradicts the file, and for what is no day up to tomorrow: a
    file from the future would keep out every later one.
    """
    for what, found in (("the file", said), ("its name", date_in_name(name))):
        if options.extracted and found and options.extracted != found:
            raise FileRefused(name, f"--extracted says {options.extracted}, but {what} says {found}")
    found = options.extracted or said or date_in_name(name) or otherwise
    if found is None:
        raise FileRefused(name, "neither the file nor its name says as of when it speaks", option="--extracted DATE")
    _check_day(name, found)
    return found


def _check_day(name: str, found: str) -> None:
    try:
        day = date.fromisoformat(found) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", found, re.ASCII) else None
    except ValueError:
        day = None
    if day is None:
        raise FileRefused(name, f"{found} is no date such as 2026-11-20", option="--extracted DATE")
    if day.year < FIRST_YEAR or day > date.fromisoformat(values.today()) + timedelta(days=1):
        raise FileRefused(name, f"the file cannot speak as of {found}: the day is later than tomorrow or before {FIRST_YEAR}")
