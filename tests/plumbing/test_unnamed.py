"""An upload has no name while it is read: killed at any moment, nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from services.plumbing import settings
from services.plumbing.files import json_rows, markup
from services.plumbing.files.tables import open_table
from services.plumbing.files.unnamed import Unnamed
from tests.conftest import free_port
from tests.serving import MASTER, ROOT, Authority

SERVICES = ("education",)
HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"
SURNAME = "Unmistakable"


def unnamed(content: bytes, name: str = "x.csv") -> Unnamed:
    file = tempfile.SpooledTemporaryFile(max_size=1000)  # noqa: SIM115 (it ends with what reads it)
    file.write(content)
    return Unnamed(file, name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_reader_reads_it_as_it_reads_a_named_file(encoding):
    table = open_table(unnamed("id,name\n1,Zoë\n".encode(encoding)), name="x.csv")
    assert list(table.rows()) == [(2, {"id": "1", "name": "Zoë"})] == list(table.rows())
    body, mark = json_rows.opened(unnamed(b'{"a": [1, {"n": 2}]}'), "x.json", deep=1)
    assert list(body["a"]) == [1, {"n": 2}] and body["a"][1] == {"n": 2} and len(mark) == 64
    assert [one.text for one in markup.elements(unnamed(b"<a><b>1</b><b>2</b></a>"), "x.xml", "b")] == ["1", "2"]
    assert markup.sha256(unnamed(b"x" * 5000)) == markup.sha256(unnamed(b"x" * 5000))


def test_two_readers_are_in_no_others_way():
    file = unnamed(b"0123456789" * 500)
    with file.open("rb") as one, file.open("rb") as other:
        assert one.read(5) == other.read(5) == b"01234"
        one.seek(-1, os.SEEK_END)
        assert (one.read(), other.read(5)) == (b"9", b"56789")


def test_it_is_for_this_account_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = unnamed(b"x" * 5000)
    assert file.stat().st_mode & 0o777 == 0o600 and file.stat().st_nlink == 0 and list(tmp_path.iterdir()) == []


def pupils(count: int) -> bytes:
    rows = [f"P{n},9994001,S{n},,{SURNAME},Ada{n},2015-03-05,F,2020-09-01" for n in range(count)]
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what a process has open is read from /proc")
async def test_a_service_killed_in_the_middle_of_an_upload_leaves_nothing_of_it(authority: Authority, tmp_path: Path):
    state, port = tmp_path / "own", free_port()
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "CHILDVIEW_DATABASE": authority.databases["education"], "CHILDVIEW_ISSUER": authority.issuer.url,
        "CHILDVIEW_STATE": str(state), "CHILDVIEW_DEMONSTRATION": "1", "CHILDVIEW_CONTRACTS": str(ROOT / "contracts"),
        settings.CLIENT: "education-secret", settings.MASTER: MASTER.hex(), settings.ADDRESS: "22" * 32, settings.DIGEST: "33" * 32,
        settings.port_variable("education"): str(port),
    }  # fmt: skip
    await authority.stop("education")
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.education.main", "api", env=environment, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        await _up(port, tmp_path / "log")
        form = {"files": ("2026_spring_pupilonroll.csv", pupils(30_000))}
        headers = {"Authorization": f"Bearer {authority.token('cli', 'education')}"}
        sent = asyncio.create_task(authority.http.post(f"http://127.0.0.1:{port}/v1/imports", files=form, headers=headers, timeout=60))
        await _reading(process.pid, state / "tmp", sent)
        assert list((state / "tmp").iterdir()) == []
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    with pytest.raises(httpx.HTTPError):
        await sent
    left = [path for path in state.rglob("*") if path.is_file()]
    assert not any(SURNAME.encode() in path.read_bytes() for path in left), left
    assert (state / "tmp").stat().st_mode & 0o777 == 0o700


async def _up(port: int, log: Path) -> None:
    for _ in range(200):
        try:
            async with httpx.AsyncClient() as http:
                if (await http.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                    return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(log.read_text()[-800:])


async def _reading(process: int, folder: Path, sent: asyncio.Task) -> None:
    """Until the process has a file of this folder open, and reads it."""
    for _ in range(500):
        names = [os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()]
        if any(name.startswith(f"{folder}/") and name.endswith("(deleted)") for name in names):
            await asyncio.sleep(0.3)
            assert not sent.done()
            return
        assert not sent.done(), sent
        await asyncio.sleep(0.02)
    raise AssertionError("no file of the folder was ever open")
