"""Starting and ending operating-system processes that must not outlive who started them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

_LAUNCH = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
parting, account, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
if account:
    uid, gid = map(int, account.split(":"))
    os.setgroups([]), os.setgid(gid), os.setuid(uid)
if sys.platform == "linux":
    libc.prctl(1, parting)
os.execvp(command[0], command)
"""
"""Becomes the command, after what must happen between fork and exec (1 is PR_SET_PDEATHSIG; changing the user clears it).
A `preexec_fn` would run Python in the fork of a process with threads, which now and then hangs for ever."""


@dataclass(frozen=True)
class Account:
    """The system account a process runs as, when the one who starts it is root and it refuses root."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    account: Account | None = None,
    directory: Path | None = None,
    parting: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; where the system can (Linux), it ends when its parent does."""
    return subprocess.Popen(
        [sys.executable, "-IS", "-c", _LAUNCH, str(int(parting)), _ids(account), *map(str, command)],
        env=None if environment is None else {**FRUGAL, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=directory,
        start_new_session=True,
    )


FRUGAL = {"MALLOC_ARENA_MAX": "2"}
"""glibc keeps up to eight heaps a core; two are enough, and spare a process some ten megabytes."""


def _ids(account: Account | None) -> str:
    return "" if account is None else f"{account.uid}:{account.gid}"


@dataclass(frozen=True)
class Identity:
    """A process named so that a later one with the same number is not taken for it."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The identity of a running process, None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def running(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        try:
            found = psutil.Process(self.pid)
            return abs(found.create_time() - self.started) < 1 and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def end(self, *, ask: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
        """Ask it to stop; kill it, and what it started, when it does not within `patience` seconds."""
        end_all([self], ask=ask, patience=patience)


def end_all(processes: Sequence[Identity], *, ask: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """Ask them to stop, all at once; kill those, and what they started, that have not within `patience` seconds."""
    family: list[psutil.Process] = []
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if one.running():
                found = psutil.Process(one.pid)
                family += [found, *found.children(recursive=True)]
                found.send_signal(ask)
    left = _remaining(family, patience)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    _remaining(left, 5)


def _remaining(processes: Sequence[psutil.Process], patience: float) -> list[psutil.Process]:
    """Those that still run after so many seconds. A zombie runs no longer, whoever should have taken note of its end:
    psutil's own wait takes it for a running process, and an orphan's may stay for long."""
    deadline, left = time.monotonic() + patience, list(processes)
    while (left := [one for one in left if _runs(one)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
