"""A part that is silent darkens only what it could change; what cannot be decided or recorded is not shown."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.journeys import faults
from tests.journeys.installation import NO_TLS, Installation, eventually, installed


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Installation]:
    """An installation that calls a source stale after three seconds, with one child to read."""
    with installed(tmp_path_factory.mktemp("closed") / "state", extra={"CHILDVIEW_STALE_AFTER": "3"}) as running:
        (running.state / "personas.json").write_text(json.dumps(faults.PERSONA))
        running.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", faults.STAFF.encode())})
        row = f"FC1,9994001,FS1,,{faults.given(3)}son,{faults.given(3)},2014-07-19,F,2019-09-01"
        running.take("education", {"pupilonroll.csv": f"{faults.HEADER}\n{row}\n"}, collection="2026-spring")
        running.wait()
        yield running


@pytest.fixture(scope="module")
def child(here) -> str:
    return here.search("sw", purpose="enquiry", family_name=f"{faults.given(3)}son", given_name=faults.given(3))[0]["id"]


@contextlib.contextmanager
def frozen(here: Installation, name: str) -> Iterator[None]:
    """A process that lives and does nothing."""
    pid = here.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def read(here: Installation, child: str):
    return here.read("sw", child, purpose="enquiry")


@pytest.mark.parametrize("name", ["socialcare-relay", "policy-relay", "projector"])
def test_a_silent_source_that_could_hide_a_shield_shows_nothing_and_the_duty_desk(here, child, name):
    eventually(lambda: read(here, child).status_code == 200)
    with frozen(here, name):
        answer = eventually(lambda: (found := read(here, child)).status_code == 503 and found)
        assert answer.json()["type"] == "/problems/stale-source" and "duty desk" in answer.json()["detail"]
        assert "fields" not in answer.json()
    eventually(lambda: read(here, child).status_code == 200)


def test_what_identity_has_not_decided_darkens_and_what_it_has_does_not(here, child):
    eventually(lambda: read(here, child).status_code == 200)
    with frozen(here, "identity"):
        time.sleep(4)
        assert read(here, child).status_code == 200, "nothing waits to be decided"
        here.client.ask("POST", "socialcare", "/v1/persons", json={"local_id": "FC-NEW"})
        eventually(lambda: read(here, child).status_code == 503)
    eventually(lambda: read(here, child).status_code == 200)


def test_a_silent_school_source_is_shown_and_said_to_be_late(here, child):
    eventually(lambda: read(here, child).status_code == 200)
    with frozen(here, "education-relay"):
        answer = eventually(lambda: (found := read(here, child)).json().get("may_be_out_of_date") and found)
        assert answer.status_code == 200 and answer.json()["may_be_out_of_date"] == ["education"]
    eventually(lambda: "may_be_out_of_date" not in read(here, child).json())


def test_without_policy_nothing_is_shown_once_the_lease_is_over(here, child):
    with frozen(here, "policy"):
        answer = eventually(lambda: (found := read(here, child)).status_code == 503 and found)
        assert answer.json()["type"] in ("/problems/no-lease", "/problems/stale-source") and "fields" not in answer.json()
    eventually(lambda: read(here, child).status_code == 200)


def test_a_suspension_ends_access_at_once(here, child):
    assert read(here, child).status_code == 200
    here.client.ask("POST", "policy", "/v1/people/sw/suspension", json={"reason": "an invented reason"})
    eventually(lambda: read(here, child).status_code == 403, within=4)
    here.client.ask("DELETE", "policy", "/v1/people/sw/suspension")
    eventually(lambda: read(here, child).status_code == 200)


def test_without_a_database_nothing_is_shown_and_it_recovers_by_itself(here, child):
    os.kill(here.pid("postgres"), signal.SIGKILL)
    seen = set()
    for _ in range(20):
        with contextlib.suppress(OSError):
            answer = read(here, child)
            seen.add(answer.status_code)
            assert answer.status_code in (200, 503) and (answer.status_code == 200 or "fields" not in answer.text)
    eventually(lambda: read(here, child).status_code == 200, within=40)


def test_a_purpose_that_the_post_does_not_have_and_one_that_is_not_said_are_refused(here, child):
    assert here.read("sw", child, purpose="attendance").json()["type"] == "/problems/purpose-not-permitted"
    assert here.ask("sw", "GET", f"/v1/children/{child}", purpose="nonsense").status_code == 403


def test_an_unchanged_answer_is_304_and_recorded_all_the_same(here, child):
    first = read(here, child)
    again = here.ask("sw", "GET", f"/v1/children/{child}", purpose="enquiry", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.content == b"" and again.headers["Access-Id"] != first.headers["Access-Id"]


def test_every_access_has_a_number_and_none_is_missing(here, child):
    before = here.client.ask("GET", "audit", "/v1/ledger")["accesses"].get("childview", 0)
    for _ in range(5):
        read(here, child)
    found = eventually(lambda: (ledger := here.client.ask("GET", "audit", "/v1/ledger"))["accesses"].get("childview", 0) >= before + 5 and ledger)
    assert not any(found["holes"].values())


def test_services_whose_database_is_gone_say_that_they_are_not_ready(here):
    def ready(service: str) -> int:
        return httpx.get(f"http://127.0.0.1:{here.port(service)}/health/ready", timeout=5, verify=NO_TLS).status_code

    services = ("education", "socialcare", "childview", "policy", "audit")
    eventually(lambda: all(ready(one) == 200 for one in services))
    with faults.held_down(here, "postgres"):
        for one in services:
            eventually(lambda one=one: ready(one) == 503, within=10, every=0.05)
    eventually(lambda: all(ready(one) == 200 for one in services), within=60)
