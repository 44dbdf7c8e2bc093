"""`make bench`: every figure, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks import figures, projection
from benchmarks.installation import prepared


def main() -> None:
    """Run those that are named, or all."""
    every = {"reads": figures.reads, "two-worlds": figures.two_worlds, "visible": figures.visible, "projection": projection.figures}
    wanted = sys.argv[1:] or list(every)
    with prepared() as here:
        for name in wanted:
            print(json.dumps({name: asyncio.run(every[name](here))}), flush=True)


if __name__ == "__main__":
    main()
