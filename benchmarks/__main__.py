"""`make bench`: every figure, as JSON, printed and kept with its day in `benchmarks/results.jsonl`. Exit 1 where a promise is broken.

`imports` (with `--million` also at a million rows) and `school-day` take most of an hour and are run where they are named.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import demo, figures, idle, imports, projection, school_day
from benchmarks.installation import prepared

RESULTS = Path(__file__).parent / "results.jsonl"

def main() -> None:
    """Run those that are named, or all."""
    broken = False
    shared = {
        "idle": idle.figures, "reads": figures.reads, "two-worlds": figures.two_worlds, "visible": figures.visible, "projection": projection.figures,
    }  # fmt: skip
    wanted = sys.argv[1:] or ["demo", *shared]
    if "demo" in wanted:
        _keep("demo", demo.figures())
    if "imports" in wanted:
        taken = imports.figures([*imports.SIZES, *([imports.MILLION] if "--million" in wanted else [])])
        _keep("imports", taken)
        broken |= not taken["kept"]
    if "school-day" in wanted:
        _keep("school-day", school_day.figures())
    rest = [name for name in wanted if name in shared]
    if rest:
        with prepared() as here:
            for name in rest:
                found = asyncio.run(shared[name](here))
                _keep(name, found)
                broken |= not found.get("kept", True)
    sys.exit(1 if broken else 0)


def _keep(name: str, figures: dict[str, Any]) -> None:
    """Print it, and add it to what was measured before: the day, and the load of the machine when it ended."""
    line = json.dumps({"day": date.today().isoformat(), "load": round(os.getloadavg()[0], 1), name: figures})
    print(line, flush=True)
    with RESULTS.open("a") as out:
        out.write(line + "\n")


if __name__ == "__main__":
    main()
