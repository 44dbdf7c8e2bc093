"""Nothing of a person in any log, metric or URL: canaries are planted and looked for."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from deploy.local import export
from services.plumbing.settings import PORTS
from tests.journeys.installation import Installation

CANARY = {"given_name": "Kanarienvogela", "family_name": "Zwitscherowska", "birth_date": "2014-07-19", "upn": "A999888777666"}
HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"
NO_METRICS = {"postgres", "kafka", "kafka-controller", "issuer"}
METRICS = ("projection_lag", "parked_streams", "freshness", "outbox_waiting", "access_records_waiting", "refusals", "fields_shown", "records_held")


@pytest.fixture(scope="module")
def planted(demonstration: Installation) -> list[str]:
    """A canary taken, searched for, read and refused, in every wrong way too; the words that must be nowhere."""
    row = f"CANARYPUPIL,9994001,CANARYSPELL,{CANARY['upn']},{CANARY['family_name']},{CANARY['given_name']},{CANARY['birth_date']},F,2019-09-01"
    bad = row.replace(CANARY["birth_date"], "19.07.2014 Zwitscherowska").replace("CANARYPUPIL", "CANARYTWO").replace("CANARYSPELL", "CANARYSPELLTWO")
    done = demonstration.take("education", {"pupilonroll.csv": "\n".join([HEADER, row, bad]) + "\n"}, collection="2026-spring")
    assert (done[0]["accepted"], done[0]["refused"]) == (1, 1)
    demonstration.wait()
    names = {name: CANARY[name] for name in ("given_name", "family_name")}
    found = demonstration.search("social-worker", **names)[0]["id"]
    for part in ("", "/chronology", "/involved", "/entries/enrolment"):
        demonstration.read("social-worker", found, part)
    demonstration.read("childrens-centre-worker", found)
    demonstration.ask("social-worker", "POST", "/v1/children/search", json={**names, "Zwitscherowska": 1})
    demonstration.ask("social-worker", "POST", "/v1/children/search", content=b'{"family_name": "Zwitscherowska')
    parked = demonstration.client.ask("POST", "education", "/v1/pupils/find", json={"kind": "census", "value": "CANARYPUPIL"})["id"]
    return [*CANARY.values(), "CANARYPUPIL", "CANARYSPELL", found, parked]


def test_no_log_holds_a_name_a_number_or_an_id(demonstration, planted):
    for path in sorted((demonstration.state / "logs").glob("*.log")):
        text = path.read_text(errors="replace")
        assert [word for word in planted if word in text] == [], path.name


def test_no_metric_holds_one_and_the_ones_that_operators_need_are_there(demonstration, planted):
    every = ""
    for name in PORTS.keys() - NO_METRICS:
        headers = {"Authorization": f"Bearer {demonstration.client._bearer(audience(name))}"}
        text = httpx.get(f"http://127.0.0.1:{demonstration.port(name)}/metrics", headers=headers, timeout=10).text
        assert [word for word in planted if word in text] == [], name
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", text), name
        every += text
    assert [name for name in METRICS if name not in every] == []


def audience(process: str) -> str:
    """The service that a process belongs to."""
    return "childview" if process in ("identity", "projector") else process.removesuffix("-relay")


def test_our_logs_are_lines_of_json(demonstration):
    for service in export.APPLICATIONS:
        for line in (demonstration.state / "logs" / f"{service}.log").read_text().splitlines():
            assert {"time", "level", "message"} <= json.loads(line).keys()
