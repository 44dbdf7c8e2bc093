"""A progress bar on standard error: how far, how fast, how long still."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

WIDTH = 24
SELDOM = 10.0
"""Seconds between lines where nobody watches a terminal."""


@dataclass
class Bar:
    """Steps that each begin at nothing done. Called with the step's name, how much is done, and of how much."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    step: str = ""
    started: float = 0.0
    said: float = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show how far a step is; on a terminal in one line that moves, elsewhere a line now and then."""
        now = time.monotonic()
        if step != self.step:
            self.step, self.started, self.said = step, now, now
        ended, terminal = done >= total, self.out.isatty()
        if not terminal and not ended and now - self.said < SELDOM:
            return
        self.said = now
        end = "\n" if ended or not terminal else ""
        print(("\r" if terminal else "") + line(step, done, total, now - self.started), end=end, file=self.out, flush=True)


def line(step: str, done: int, total: int, seconds: float) -> str:
    """The bar as text: `schools  [####....]  6 of 17, 1.2 a second, 9 s left`."""
    share = min(1.0, done / total) if total else 1.0
    bar = "#" * int(WIDTH * share) + "." * (WIDTH - int(WIDTH * share))
    if share >= 1:
        return f"{step:24} [{bar}] {total} in {_duration(seconds)}" + " " * 20
    rate = done / seconds if seconds > 0 else 0.0
    rest = f", {rate:.1f} a second, {_duration((total - done) / rate)} left" if rate else ""
    return f"{step:24} [{bar}] {done} of {total}{rest}" + " " * 10


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
