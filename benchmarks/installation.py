"""An installation with a thousand invented children and fifty people, for figures."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.journeys import faults
from tests.journeys.installation import Installation, installed

PEOPLE, CHILDREN = 50, 1000
HEADER = faults.STAFF.splitlines()[0]


@contextlib.contextmanager
def prepared() -> Iterator[Installation]:
    """Everything up, the demonstration loaded, fifty social workers in post."""
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder) / "state") as here:
        done = here.run("demo", "load", "--children", str(CHILDREN), "--seed", "1", timeout=600)
        assert done.returncode == 0, done.stderr
        hire(here)
        yield here


def hire(here: Installation) -> None:
    """Fifty social workers, each of whom may find any child for an enquiry."""
    rows = [
        f"bench-{n},bench-post-{n},Invented {n},social-worker,social_care,,,bench-{n},data_protection:2099-01-01;safeguarding_3:2099-01-01,2099-01-01"
        for n in range(PEOPLE)
    ]
    here.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", "\n".join([HEADER, *rows, ""]).encode())})
    personas = [
        {"role": "bench", "person": f"bench-{n}", "post": f"bench-post-{n}", "name": "invented", "title": "", "purpose": "enquiry", "try": ""}
        for n in range(PEOPLE)
    ]
    (here.state / "personas.json").write_text(json.dumps([*here.personas(), *personas]))
    here.wait()
