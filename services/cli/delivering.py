"""Files are taken, in as few deliveries as may be; of each is said what became of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.local.client import Client, Failed, contract_folders
from services.cli.answers import DONE, FAILED, REFUSALS, say, show
from services.cli.grammar import Verbs

MOST_AT_ONCE = 200
"""Files in one delivery: a service takes no more."""
SOURCES = ("education", "socialcare")


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    took = verbs.verb("import", "take files of education or social care", import_files)
    took.add_argument("service", choices=SOURCES)
    took.add_argument("paths", nargs="+", type=Path)
    took.add_argument("--authority", help="the local authority's code")
    took.add_argument("--collection", help="which census, such as 2025-spring")
    took.add_argument("--extracted", help="as of when the files speak (YYYY-MM-DD)")
    took.add_argument("--yes", action="store_true", help="what is imported is invented")


def import_files(options: Any) -> int:
    ask_invented(options)
    paths = _files([path.absolute() for path in options.paths])
    with Client() as client:
        files = [one for _, one in deliver(client, options.service, paths, said_of(options))]
    show(options, {"files": files}, "\n".join(_file_text(one) for one in files))
    return exit_of(files)


def exit_of(files: Sequence[dict[str, Any]]) -> int:
    if any("why" in one for one in files):
        return FAILED
    return REFUSALS if any(one["refused"] for one in files) else DONE


def deliver(client: Client, service: str, paths: Sequence[Path], said: dict[str, str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Send files, in as few deliveries as may be; say each as it goes, and what became of it."""
    place = {path: number for number, path in enumerate(paths, 1)}
    for delivery in _deliveries(service, paths):
        files = client.send_files(
            service, delivery, tell=lambda path: say(f"{place[path]} of {len(place)}: sending {path.name}"), **said
        )
        for path, one in zip(delivery, files, strict=True):
            say(_file_text(one) if "why" in one else f"taken: {_file_text(one)}")
            yield path, one


def _deliveries(service: str, paths: Sequence[Path]) -> list[list[Path]]:
    """All files at once where a service takes so many; else what others rely on first, as the service's readers have it."""
    if len(paths) <= MOST_AT_ONCE:
        return [list(paths)]
    ordered = sorted(paths, key=_order(service))
    return [ordered[start : start + MOST_AT_ONCE] for start in range(0, len(ordered), MOST_AT_ONCE)]


def _order(service: str) -> Callable[[Path], int]:
    """Which files come first: pupils before their marks. What the readers refuse comes last."""
    from services.education import importing as education
    from services.plumbing.contracts import code_lists
    from services.plumbing.files.delivery import Options
    from services.plumbing.files.report import FileRefused
    from services.socialcare import importing as socialcare

    recognise = {"education": education, "socialcare": socialcare}[service].recognise(code_lists(*contract_folders()))

    def order(path: Path) -> int:
        try:
            return recognise(path, path.name, Options(collection="2000-autumn", extracted="2000-01-01")).order
        except FileRefused:
            return sys.maxsize

    return order


def ask_invented(options: Any) -> None:
    """A demonstration's database is for invented people only."""
    if options.yes or not sys.stdin.isatty():
        return
    if input("This is a demonstration. Is everything in these files invented? (yes/no) ").strip().lower() != "yes":
        raise Failed("nothing was imported")


def said_of(options: Any) -> dict[str, str]:
    """What the command line says of the files."""
    names = ("authority", "collection", "extracted")
    return {name: found for name in names if (found := getattr(options, name, None))}


def _files(paths: Sequence[Path]) -> list[Path]:
    from services.plumbing.files import delivery

    found = delivery.files_of(paths)
    missing = [path for path in found if not path.exists()]
    if missing or not found:
        raise Failed(f"there is no such file: {missing[0] if missing else paths[0]}")
    return found


def _file_text(one: dict[str, Any]) -> str:
    if "why" in one:
        return f"refused   {one['why']}"
    names = ("rows", "accepted", "flagged", "refused", "unchanged", "events", "waiting", "waited")
    counts = ", ".join(f"{name} {one[name]}" for name in names if name in one)
    nothing = "  NO ROWS: nothing was taken, and nothing was ended" if one["rows"] == 0 else ""
    return f"{one['file']}: {counts}{nothing}"
