"""How long `make demo` takes from its command to its screen: on a fresh state, and once more when everything is there.

Cold is a fresh state (the environment and Kafka's jars lie in the user's caches); warm is the demonstration loaded before
and everything stopped.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.journeys.installation import installed

CHILDREN = 5000


def figures() -> dict[str, Any]:
    """Seconds by step, in an installation of its own."""
    with tempfile.TemporaryDirectory() as folder:
        cold, held = _demo(Path(folder) / "state")
        warm, _held = _demo(Path(folder) / "state")
    return {**held, "cold s": cold, "warm s": warm}


def _demo(state: Path) -> tuple[dict[str, float], dict[str, int]]:
    """What `make demo` does, step by step: the seconds of each, and what there is then."""
    seconds = {"up": -time.monotonic()}
    with installed(state) as here:
        seconds["up"] += time.monotonic()
        for name, verb in (("load", ("load", "--children", str(CHILDREN), "--seed", "1")), ("screen", ("show",))):
            started = time.monotonic()
            done = here.run("demo", *verb, timeout=3600)
            assert done.returncode == 0, done.stderr
            seconds[name] = time.monotonic() - started
        status = here.json("status")
    rounded = {name: round(taken, 1) for name, taken in seconds.items()}
    return rounded | {"all": round(sum(seconds.values()), 1)}, {name: status[name] for name in ("children", "events")}
