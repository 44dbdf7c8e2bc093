"""One delivery: several files, recognised, checked whole, put in order, and taken by a register."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Register, Said

Progress = Callable[[str, int, int], None]
"""progress(file, rows done, rows in all)"""
SLICE = 2000


@dataclass(frozen=True)
class Options:
    """What the files do not say themselves: whose they are, of which collection, and as of when (ISO date)."""

    authority: str | None = None
    collection: str | None = None
    extracted: str | None = None


@dataclass(frozen=True)
class Source:
    """One recognised file: its place in the order (parents first), how many rows, and what it says row by row."""

    order: int
    rows: int
    read: Callable[[Report], Iterable[Said]]
    ignored_columns: tuple[str, ...] = ()


Recognise = Callable[[Path, str, Options], Source]
"""Recognises and checks a whole file. Raises FileRefused before any row is taken."""


async def take(
    register: Register,
    paths: Sequence[Path],
    recognise: Recognise,
    options: Options,
    *,
    state: Path,
    progress: Progress = lambda file, done, total: None,
    names: Mapping[Path, str] | None = None,
) -> list[dict[str, Any]]:
    """Take the files of one delivery, in any order; a summary of each, refused files among them."""
    opened: list[tuple[Source, Report]] = []
    all_reports: list[Report] = []
    for path in files_of(paths):
        report = Report((names or {}).get(path, path.name))
        all_reports.append(report)
        try:
            source = recognise(path, report.file, options)
        except FileRefused as refused:
            report.whole_file_refused = str(refused)
            continue
        report.ignored_columns = list(source.ignored_columns)
        opened.append((source, report))
    for source, report in sorted(opened, key=lambda pair: pair[0].order):
        await _take_one(register, source, report, progress)
    for report in all_reports:
        report.save(state, name=uuid.uuid4().hex)
    return [report.summary() for report in all_reports]


async def _take_one(register: Register, source: Source, report: Report, progress: Progress) -> None:
    report.rows = source.rows
    waiting: list[Said] = []
    done = 0
    for said in source.read(report):
        waiting.append(said)
        if len(waiting) >= SLICE:
            done += len(waiting)
            await register.take(waiting)
            progress(report.file, min(done, source.rows), source.rows)
            waiting = []
    await register.take(waiting)
    progress(report.file, source.rows, source.rows)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, whatever they are, and the data files inside folders named, each once."""
    found = [file for path in paths for file in (_inside(path) if path.is_dir() else [path])]
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix.lower() in (".csv", ".json", ".xml")]


def date_in_name(name: str) -> str | None:
    """An ISO date in a file's name."""
    found = re.search(r"(?<!\d)(20\d{2}-\d{2}-\d{2})(?!\d)", name)
    return found.group(1) if found else None


