"""One installation with a small demonstration, shared by the journeys of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.installation import Installation, installed

CHILDREN, SEED = 150, 7


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A small invented authority, loaded: its state folder has a space in its name, as paths do."""
    with installed(tmp_path_factory.mktemp("a demonstration") / "state") as running:
        loaded = running.run("demo", "load", "--children", str(CHILDREN), "--seed", str(SEED), timeout=400)
        assert loaded.returncode == 0, loaded.stderr
        yield running
