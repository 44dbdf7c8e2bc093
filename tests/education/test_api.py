"""Every request to the register of schools leaves a record that names whose it was, and so does every event."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving import Authority

SERVICES = ("education",)
HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"
ROW = "CANARYPUPIL,9994001,SP1,,Kanarienvogela,Zwitscher,2014-07-19,F,2019-09-01"


@pytest.fixture
async def here(authority: Authority) -> Authority:
    files = [("files", ("Kanarienvogela.csv", f"{HEADER}\n{ROW}\n".encode())), ("files", ("pupilonroll.csv", f"{HEADER}\n{ROW}\n".encode()))]
    await authority.ask("POST", "education", "/v1/imports", files=files, data={"collection": "2026-spring"})
    return authority


async def test_an_import_is_recorded_in_counts_and_its_events_say_by_whom(here):
    (record,) = await here.accesses("education", "import")
    assert record["person"] == "service:cli" and record["detail"]["files"] == 2 and record["detail"]["events"] > 0
    events = await here.said("education", "education.events")
    assert events and {one["provenance"]["by"] for one in events} == {"service:cli"}


async def test_a_find_and_a_mark_are_recorded_without_a_name_or_number(here):
    found = await here.ask("POST", "education", "/v1/pupils/find", json={"kind": "census", "value": "CANARYPUPIL"})
    mark = {"school": "9994001", "date": "2026-11-20", "session": "AM", "attendance_code": "I"}
    id = found.json()["id"]
    assert (await here.ask("POST", "education", f"/v1/pupils/{id}/attendance", json=mark)).status_code == 201
    assert (await here.ask("POST", "education", "/v1/pupils/find", json={"kind": "census", "value": "none"})).status_code == 404
    records = await here.said("education", "education.access")
    assert [(one["action"], one["status"]) for one in records[1:]] == [("find-pupil", 200), ("record-attendance", 201), ("find-pupil", 404)]
    assert "CANARY" not in str(records) and "Kanarien" not in str(records)


async def test_the_same_files_from_somebody_else_change_nothing(here):
    before = len(await here.said("education", "education.events"))
    files = [("files", ("pupilonroll.csv", f"{HEADER}\n{ROW}\n".encode()))]
    await here.ask("POST", "education", "/v1/imports", as_="education", files=files, data={"collection": "2026-spring"})
    assert len(await here.said("education", "education.events")) == before


async def test_a_report_that_cannot_be_written_is_a_fault_of_ours_and_not_a_part_that_cannot_be_reached(here, tmp_path: Path):
    (tmp_path / "reports").rename(tmp_path / "reports were here")
    (tmp_path / "reports").write_text("a file in the way")
    files = [("files", ("pupilonroll.csv", f"{HEADER}\n{ROW}\n".encode()))]
    answer = await here.ask("POST", "education", "/v1/imports", files=files, data={"collection": "2026-spring"})
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert [one["status"] for one in await here.accesses("education", "import")] == [200, 500]


async def test_figures_are_for_operators_and_what_collects_them(here):
    assert (await here.ask("GET", "education", "/metrics", as_=None)).status_code == 401
    assert (await here.ask("GET", "education", "/metrics", as_="childview")).status_code == 403
    assert (await here.ask("GET", "education", "/metrics", as_="anyone", post="a-post")).status_code == 403
    for who in ("cli", "scrape"):
        assert "childview_" in (await here.ask("GET", "education", "/metrics", as_=who)).text
    assert (await here.ask("GET", "education", "/health/ready", as_=None)).status_code == 200
