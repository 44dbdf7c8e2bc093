"""A watched folder: what arrives there is taken and put away."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import httpx

from deploy.local.client import Client, Failed
from services.cli.answers import os_text, say, show, unreachable
from services.cli.delivering import SOURCES, ask_invented, deliver, exit_of, said_of
from services.cli.grammar import Verbs, seconds

LONGEST_PAUSE = 300.0
"""Seconds between two tries of a delivery that a service did not answer, at most."""


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    watches = verbs.verb("watch", "take what arrives in a folder, and put it away", watch)
    watches.add_argument("folder", type=Path, help="its subfolders education and socialcare are looked at")
    watches.add_argument("service", nargs="?", choices=SOURCES, help="whose files these are, where the folder has no such subfolders")
    watches.add_argument("--authority", help="the local authority's code")
    watches.add_argument("--every", type=seconds, default=5, metavar="SECONDS", help="between two looks (5)")
    watches.add_argument("--still", type=seconds, default=10, metavar="SECONDS", help="without any change before a file is taken (10)")
    watches.add_argument("--once", action="store_true", help="take what is there now, and end")
    watches.add_argument("--yes", action="store_true", help="what is imported is invented")


def watch(options: Any) -> int:
    from services.plumbing.files.watch import Folder, Watched

    ask_invented(options)
    root = options.folder.absolute()
    if not root.is_dir():
        raise Failed(f"there is no such folder: {options.folder}")
    services = {options.service: root} if options.service else {name: root / name for name in SOURCES}
    folder = Folder(root, services, options.still)
    if missing := [name for name, place in services.items() if not place.is_dir()]:
        say(f"nothing is taken for {' and '.join(missing)}: {root} has no such subfolder yet")
    try:
        with folder.watched():
            folder.go_on()
            return _watch_once(folder, options) if options.once else _watch_on(folder, options)
    except Watched as error:
        raise Failed(str(error)) from None


def _watch_once(folder: Any, options: Any) -> int:
    """Take what is there, once it stands still; what does not in all that time stays."""
    from services.plumbing.files.watch import PATIENCE

    files: list[dict[str, Any]] = []
    ends = time.monotonic() + PATIENCE + 2 * options.still
    while True:
        arrived = folder.ready(now=time.monotonic())
        files += [file for one in arrived for file in _take_arrived(folder, one, options)]
        if not folder.pending() or time.monotonic() > ends:
            return exit_of(files)
        time.sleep(min(options.every, max(0.05, options.still)))


def _watch_on(folder: Any, options: Any) -> NoReturn:
    """Take what arrives, for ever."""
    say(f"watching {folder.root}")
    pause = options.every
    while True:
        went = [_try_arrived(folder, one, options) for one in folder.ready(now=time.monotonic())]
        if all(went):
            pause = options.every
        else:
            pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
            say(f"will try again in {pause:.0f} s")
        time.sleep(pause)


def _try_arrived(folder: Any, arrived: Any, options: Any) -> bool:
    """Take one delivery; False where a service did not answer or a file could not be read: it stays and is tried again."""
    try:
        _take_arrived(folder, arrived, options)
    except (Failed, httpx.HTTPError, OSError) as error:
        why = os_text(error) if isinstance(error, OSError) else unreachable(error) if isinstance(error, httpx.HTTPError) else str(error)
        say(f"not taken now: {why}")
        show(options, {"error": why}, "")
        return False
    return True


def _take_arrived(folder: Any, arrived: Any, options: Any) -> list[dict[str, Any]]:
    """Send one delivery, put its files away, and say of each what became of it and where it is."""
    with Client() as client:
        found = dict(deliver(client, arrived.service, list(arrived.files), said_of(options)))
    refused = {path: one["why"] for path, one in found.items() if "why" in one}
    moved = folder.put_away(arrived, refused, day=date.today().isoformat())
    lines = []
    for path, one in found.items():
        place = {"from": str(path.relative_to(folder.root)), "to": str(moved[path].relative_to(folder.root)) if path in moved else None}
        lines.append({"service": arrived.service, **one, **place})
        show(options, lines[-1], "")
        sys.stdout.flush()
        say(f"{place['from']} is now {place['to']}" if place["to"] else f"{place['from']} changed meanwhile and stays")
    return lines
