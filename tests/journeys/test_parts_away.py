"""One part of a running installation is away: the command line and the pages say which, and tell all that the others know."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.journeys import faults
from tests.journeys.installation import ROOT, Installation, eventually, installed

ADA = {"family_name": "Fortissima", "given_name": "Ada"}


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Installation]:
    """An installation with one child and somebody who may find her."""
    with installed(tmp_path_factory.mktemp("away") / "state") as running:
        (running.state / "personas.json").write_text(json.dumps(faults.PERSONA))
        running.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", faults.STAFF.encode())})
        row = f"PA1,9994001,PA1,,{ADA['family_name']},{ADA['given_name']},2014-07-19,F,2019-09-01"
        running.take("education", {"pupilonroll.csv": f"{faults.HEADER}\n{row}\n"}, collection="2026-spring")
        running.wait()
        yield running


@contextlib.contextmanager
def frozen(here: Installation, name: str) -> Iterator[None]:
    """A process that lives and does nothing."""
    pid = here.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def whole(here: Installation) -> bool:
    return here.run("status").returncode == 0


TOLD = {"children: 1": "childview", "events: ": "audit", "waiting: education 0": "education"}
"""What status says, and who knows it."""


@pytest.mark.parametrize("away", ["audit", "childview", "education"])
def test_status_says_which_part_is_away_and_tells_what_the_others_know(here, away):
    eventually(lambda: whole(here))
    with faults.held_down(here, away):
        said = eventually(lambda: (done := here.run("status")).returncode == 1 and done.stdout)
        body = here.json("status")
    assert re.search(rf"^{away} cannot be reached \(\w+\)$", said, re.MULTILINE), said
    assert [line for line, who in TOLD.items() if line in said] == [line for line, who in TOLD.items() if who != away]
    assert body["why"].startswith(f"{away} cannot be reached") and body["state"] == "running" and len(body["processes"]) == 15
    eventually(lambda: whole(here))


def test_status_without_the_sign_in_says_so_once_and_what_the_supervisor_knows(here):
    eventually(lambda: whole(here))
    with faults.held_down(here, "issuer"):
        said = eventually(lambda: (done := here.run("status")).returncode == 1 and done.stdout)
    assert said.count("issuer cannot be reached") == 1 and "state: running" in said and re.search(r"^  kafka +\d+", said, re.MULTILINE)
    eventually(lambda: whole(here))


def test_status_does_not_wait_for_a_part_that_hangs(here):
    eventually(lambda: whole(here))
    with frozen(here, "audit"):
        started = time.monotonic()
        done = here.run("status", timeout=40)
    assert done.returncode == 1 and "audit does not answer in time (ReadTimeout)" in done.stdout and "children: 1" in done.stdout
    assert time.monotonic() - started < 30


def test_another_command_names_the_service_that_it_could_not_reach(here):
    with faults.held_down(here, "education"):
        file = here.state / "some.csv"
        file.write_text(f"{faults.HEADER}\n")
        done = eventually(lambda: (tried := here.run("import", "education", "--yes", str(file))).returncode == 1 and tried)
    assert "education cannot be reached" in done.stderr and "make up" in done.stderr and "Traceback" not in done.stderr
    eventually(lambda: whole(here))


@pytest.mark.parametrize("how", [faults.held_down, frozen], ids=["dead", "hanging"])
def test_the_page_of_a_child_is_whole_without_the_sign_in_but_for_seeing_as_somebody_else(here, how):
    eventually(lambda: whole(here))
    child = here.search("sw", purpose="enquiry", **ADA)[0]["id"]
    with here.browse("sw") as http:
        csrf = re.search(r'name="csrf" value="([^"]+)"', http.get("/find").text)
        assert csrf is not None
        http.post(f"/children/{child}/purpose", data={"purpose": "enquiry", "csrf": csrf.group(1)})
        before = http.get(f"/children/{child}")
        assert before.status_code == 200 and "See as somebody else" in before.text
        with how(here, "issuer"):
            answer = eventually(lambda: (found := http.get(f"/children/{child}")) and "See as" not in found.text and found)
    assert answer.status_code == 200 and "Ada Fortissima" in answer.text
    assert [*re.findall(r"<h2[^>]*>([^<]*)", answer.text)] == [*re.findall(r"<h2[^>]*>([^<]*)", before.text)]
    eventually(lambda: whole(here))


def test_no_later_command_needs_the_variables_of_the_ports(here):
    eventually(lambda: whole(here))
    plain = {name: text for name, text in here.environment.items() if not name.startswith("CHILDVIEW_PORT_")}
    for verb in (["status"], ["token", "social-worker"], ["events", "show", "00000000-0000-4000-8000-000000000000"]):
        done = subprocess.run([sys.executable, "-m", "services.cli", *verb], cwd=ROOT, env=plain, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or "no topic holds" in done.stderr, done.stderr
    elsewhere = plain | {"CHILDVIEW_PORT_CHILDVIEW": "1"}
    done = subprocess.run([sys.executable, "-m", "services.cli", "status"], cwd=ROOT, env=elsewhere, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and f"childview runs on {here.port('childview')}" in done.stderr
