"""What a whole installation costs while nothing happens: memory and processor time, process by process and in sum."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psutil

from tests.journeys.installation import Installation

SECONDS = 60
CALM = 10
"""Seconds after the last work before anything is counted."""


async def figures(here: Installation) -> dict[str, Any]:
    """RSS counts what processes share once for each of them, PSS once; the processor in percent of one core."""
    await asyncio.sleep(CALM)
    families = _families(here)
    before = {name: _seconds(family) for name, family in families.items()}
    await asyncio.sleep(SECONDS)
    each = {name: _one(family, before[name]) for name, family in families.items()}
    return {"sum": {key: round(sum(one[key] for one in each.values()), 1) for key in KEYS}, **each}


KEYS = ("rss MB", "pss MB", "cpu %")


def _families(here: Installation) -> dict[str, list[psutil.Process]]:
    """Every process of the supervisor's, with what it started itself (PostgreSQL has one for each connection)."""
    status = json.loads((here.state / "status.json").read_text())
    found = {one["name"]: psutil.Process(one["pid"]) for one in status["processes"]}
    families = {name: [process, *process.children(recursive=True)] for name, process in found.items()}
    return families | {"supervisor": [psutil.Process(status["supervisor"]["pid"])]}


def _seconds(family: list[psutil.Process]) -> float:
    return sum(times.user + times.system for process in family if process.is_running() for times in [process.cpu_times()])


def _one(family: list[psutil.Process], before: float) -> dict[str, float]:
    memory = [process.memory_full_info() for process in family if process.is_running()]
    share = 100 * (_seconds(family) - before) / SECONDS
    figures = (sum(one.rss for one in memory) / 1e6, sum(getattr(one, "pss", one.uss) for one in memory) / 1e6, share)
    return {key: round(max(0.0, figure), 1) for key, figure in zip(KEYS, figures, strict=True)}
