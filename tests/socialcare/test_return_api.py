"""A return is fetched by the authority's own systems alone, and is in the records before it leaves."""

from __future__ import annotations

import asyncio
import io
import json
import os
import zipfile
from pathlib import Path

import asyncpg
import httpx
import pytest
from lxml import etree

from deploy.local.client import Client
from services import cli
from services.cli import returning
from services.plumbing.settings import port_variable
from services.socialcare.returns.api import REPORT
from tests.serving import Authority
from tests.socialcare.test_api import PEOPLE
from tests.socialcare.test_census import ASSESSMENT, REFERRAL, census, child
from tests.socialcare.test_ssda903 import ADA, EPISODES, FIRST, HEADER, table

CIN, CARE = "/v1/returns/cin?year=2026", "/v1/returns/ssda903?year=2026"


@pytest.fixture
async def here(authority: Authority) -> Authority:
    await authority.hire(*PEOPLE)
    text = census(child(REFERRAL + ASSESSMENT, id="007"), child(REFERRAL, id="8", characteristics=""))
    modules = {"2026-03-31-h.csv": table(HEADER, ADA.replace(",2,", ",F,")), "2026-03-31-e.csv": table(EPISODES, FIRST.replace("2024", "2025"))}
    files = [("files", (name, text.encode())) for name, text in {"cin.xml": text, **modules}.items()]
    done = await authority.ask("POST", "socialcare", "/v1/imports", files=files)
    assert all(one["refused"] == 0 for one in done.json()["files"]), done.text
    return authority


async def test_the_census_comes_as_xml_with_its_counts(here):
    answer = await here.ask("GET", "socialcare", f"{CIN}&authority=999")
    assert answer.headers["content-type"] == "application/xml" and answer.headers["cache-control"] == "no-store"
    root, said = etree.fromstring(answer.content), json.loads(answer.headers[REPORT])
    assert [one.text for one in root.iter("LAchildID")] == ["007"] and root.findtext(".//LEA") == "999"
    assert (said["children"], said["children_left_out"], said["rows"]["Assessments"]) == (1, 1, 1)
    assert said["left_out"] == [{"where": "ChildCharacteristics/Ethnicity", "why": "the schema demands it, and the register does not hold it", "count": 1}]


async def test_which_children_were_left_out_is_in_the_report_file_alone(here):
    said = (await here.ask("GET", "socialcare", CIN)).headers[REPORT]
    path = Path(json.loads(said)["report"])
    assert [one["value"] for one in json.loads(path.read_text())["items"]] == ["8"] and path.stat().st_mode & 0o777 == 0o600


async def test_the_return_comes_as_a_zip_of_twelve_tables(here):
    answer = await here.ask("GET", "socialcare", f"{CARE}&authority=301")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 12 and archive.read("SSDA903_2026_301_Episodes.csv").decode().splitlines()[1].startswith("007,01/04/2025,S,C1,")


async def test_every_return_is_recorded_with_its_counts_and_no_child(here):
    for path in (CIN, CARE):
        await here.ask("GET", "socialcare", path)
    for action, rows in (("return-cin", "CINdetails"), ("return-ssda903", "Episodes")):
        found, = await here.accesses("socialcare", action)
        assert (found["person"], found["status"], found["detail"]["year"], found["detail"]["children"]) == ("service:cli", 200, 2026, 1)
        assert found["detail"]["rows"][rows] == 1 and '"007"' not in json.dumps(found)


@pytest.mark.parametrize("path", [CIN, CARE])
async def test_nobody_else_gets_one_not_the_adoption_team_nor_another_service(here, path):
    for who in ("po", "ao", "sw"):
        assert (await here.ask("GET", "socialcare", path, as_=who, post=f"{who}-post")).status_code == 403
    for service in ("childview", "education", "projector", "identity", "policy"):
        assert (await here.ask("GET", "socialcare", path, as_=service)).status_code == 403
    assert (await here.ask("GET", "socialcare", path, as_=None)).status_code == 401
    assert (await here.ask("GET", "socialcare", path, as_="socialcare")).status_code == 200


@pytest.mark.parametrize("kind", ["cin", "ssda903"])
async def test_a_year_without_a_child_is_no_return_and_says_so(here, kind):
    answer = await here.ask("GET", "socialcare", f"/v1/returns/{kind}?year=2020")
    assert answer.status_code == 404 and answer.json()["report"]["children"] == 0
    assert (await here.accesses("socialcare", f"return-{kind}"))[0]["status"] == 404


@pytest.mark.parametrize("query", ["year=1999", "year=2099", "year=soon", "", "year=2026&authority=x"])
async def test_a_year_or_an_authority_that_is_none_is_refused(here, query):
    assert (await here.ask("GET", "socialcare", f"/v1/returns/cin?{query}")).status_code == 422


async def test_a_return_that_cannot_be_recorded_does_not_leave(here):
    conn = await asyncpg.connect(here.databases["socialcare"])
    await conn.execute("alter table outbox rename to away")
    answer = await here.ask("GET", "socialcare", CIN)
    await conn.close()
    assert answer.status_code == 503 and b"007" not in answer.content


@pytest.fixture
def run(here, monkeypatch, capsys, tmp_path):
    """The command line beside these services, and beside no other installation whose ports it would remember."""

    class Known(Client):
        def __init__(self) -> None:
            self._http, self._tokens = httpx.Client(timeout=None), {"socialcare": here.token("cli", "socialcare")}

    monkeypatch.setattr(returning, "Client", Known)
    monkeypatch.setenv("CHILDVIEW_STATE", str(tmp_path / "no installation"))
    monkeypatch.setenv(port_variable("socialcare"), here.urls["socialcare"].rpartition(":")[2])

    async def one(*verb: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(cli.main, verb)
        return ended.value.code, *capsys.readouterr()

    return one


async def test_the_command_line_writes_a_return_and_says_what_is_left_out(run, tmp_path):
    code, out, err = await run("export", "cin", "--year", "2026", "--out", str(tmp_path / "cin.xml"), "--authority", "999", "--json")
    assert (code, json.loads(out)["children"]) == (2, 1) and "1 x ChildCharacteristics/Ethnicity" in err
    assert etree.parse(tmp_path / "cin.xml").findtext(".//LAchildID") == "007" and os.stat(tmp_path / "cin.xml").st_mode & 0o777 == 0o600


async def test_the_command_line_is_done_where_nothing_is_left_out(run, tmp_path):
    code, out, err = await run("export", "ssda903", "--year", "2026", "--out", str(tmp_path / "903.zip"))
    assert (code, out) == (0, "") and "children: 1" in err and zipfile.is_zipfile(tmp_path / "903.zip")


async def test_a_return_that_there_is_not_leaves_no_file(run, tmp_path):
    code, out, _ = await run("export", "cin", "--year", "2020", "--out", str(tmp_path / "cin.xml"), "--json")
    assert code == 1 and "No child" in json.loads(out)["error"] and list(tmp_path.glob("*cin*")) == []
