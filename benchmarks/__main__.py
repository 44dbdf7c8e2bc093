"""`make bench`: every figure, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks import demo, figures, idle, projection
from benchmarks.installation import prepared


def main() -> None:
    """Run those that are named, or all."""
    shared = {
        "idle": idle.figures, "reads": figures.reads, "two-worlds": figures.two_worlds, "visible": figures.visible, "projection": projection.figures,
    }  # fmt: skip
    wanted = sys.argv[1:] or ["demo", *shared]
    if "demo" in wanted:
        print(json.dumps({"demo": demo.figures()}), flush=True)
    rest = [name for name in wanted if name != "demo"]
    if rest:
        with prepared() as here:
            for name in rest:
                print(json.dumps({name: asyncio.run(shared[name](here))}), flush=True)


if __name__ == "__main__":
    main()
