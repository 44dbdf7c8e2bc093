"""The joiner, mover and leaver file: what cannot be taken is said with its place, and the rest goes in."""

from __future__ import annotations

from services.plumbing.files.report import Report
from services.policy import people
from tests.serving import Authority

SERVICES = ("policy",)
HEADER = "person_id,post_id,name,role,organisation_kind,vetting_until"
GOOD = "sw,sw-post,Invented,social-worker,social_care,2099-01-01"


def text(*rows: str) -> bytes:
    return ("\n".join([HEADER, *rows]) + "\n").encode()


async def send(here: Authority, content: bytes):
    return await here.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", content)})


async def test_a_bad_row_keeps_no_other_out(authority):
    done = (await send(authority, text("x,x-post,Invented,wizard,social_care,", GOOD))).json()["files"][0]
    assert (done["rows"], done["accepted"], done["refused"], done["events"]) == (2, 1, 1, 1)


async def test_a_file_that_is_cut_off_takes_nobody_in(authority):
    refused = await send(authority, text(GOOD, "y,y-post"))
    assert refused.status_code == 422 and "row 3" in refused.json()["detail"]
    assert [one for one in await authority.said("policy", "policy.events") if one.get("person") == "sw"] == []


def test_a_bad_row_is_refused_with_its_row_and_why(tmp_path):
    (tmp_path / "staff.csv").write_bytes(text(GOOD, "x,x-post,Invented,wizard,social_care,"))
    report = Report("staff.csv")
    report.open(tmp_path, name="r")
    assert [one.post_id for one in people.read(tmp_path / "staff.csv", "staff.csv", report, address_key=b"k" * 32)] == ["sw-post"]
    report.close()
    said = (tmp_path / "reports" / "r.json").read_text()
    assert '"row": 3' in said and '"column": "role"' in said and "there is no such role" in said


async def test_who_sends_a_staff_file_learns_which_row_was_refused_and_why(authority):
    done = (await send(authority, text(GOOD, "x,x-post,Invented,wizard,social_care,"))).json()["files"][0]
    assert done["report"] is not None
