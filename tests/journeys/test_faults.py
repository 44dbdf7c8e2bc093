"""A few seeded kill -9 in every run; `make faults` strikes every process."""

from __future__ import annotations

import random

from tests.journeys import faults
from tests.journeys.installation import installed


def test_nothing_is_lost_or_twice_when_processes_are_killed(tmp_path, capsys):
    seed = random.SystemRandom().randrange(1000)
    with installed(tmp_path / "state") as here:
        breaches = faults.run(here, moments=4, seed=seed)
    assert breaches == [], f"seed {seed}"
