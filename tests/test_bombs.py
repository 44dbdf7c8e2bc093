"""Files made to fill a machine: each is refused or streamed in under 300 MB and a bounded time, measured of a process of its own."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import Authority

SERVICES = ("education", "socialcare")
MEGABYTE = 1024 * 1024
MOST_MEMORY, MOST_SECONDS = 300, 100
READ = """
import importlib, sys, time
from pathlib import Path
from services.plumbing.contracts import code_lists
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import FileRefused, Report
recognise = importlib.import_module(f"services.{sys.argv[1]}.importing").recognise(code_lists(Path("contracts")))
path, started = Path(sys.argv[2]), time.monotonic()
try:
    source = recognise(path, path.name, Options(extracted="2026-03-31", collection="2026-spring"))
    report = Report(path.name)
    report.open(path.parent, name="r")
    found = f"read {sum(1 for _ in source.read(report))} of {source.rows}"
except FileRefused as refused:
    found = str(refused)
highest = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(highest) // 1024, round(time.monotonic() - started), found)
"""


def _zip_bomb(path: Path) -> None:
    """200 MB of nothing in 200 kB, beside a path that climbs out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/evil.csv", "a,b\n1,2\n")
        with archive.open("pupils.csv", "w", force_zip64=True) as out:
            for _ in range(200):
                out.write(bytes(MEGABYTE))


def _gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb") as out:
        for _ in range(200):
            out.write(bytes(MEGABYTE))


def _repeated(before: str, part: str, after: str, *, size: int) -> Callable[[Path], None]:
    """A file of so many bytes of one part again and again."""

    def make(path: Path) -> None:
        piece = part * max(1, MEGABYTE // len(part))
        with path.open("w") as out:
            out.write(before)
            for _ in range(size // len(piece)):
                out.write(piece)
            out.write(after)

    return make


def _sparse(path: Path) -> None:
    path.write_bytes(b"{")
    os.truncate(path, 700 * MEGABYTE)


LAUGHS = "<!DOCTYPE a [<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12)) + "]><a>&l11;</a>"
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
PUPIL = "P1,9994001,S1,,Berg,Ada,2015-03-05,2020-09-01," + "x" * 900 + "\n"
PUPILS = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,entrydate,note\n"
LONGEST, LONG, LINE = 500 * MEGABYTE, 150 * MEGABYTE, 50 * MEGABYTE
ITEM = '{"student_id": "1", "date": "2026-03-02", "session": "AM", "attendance_code_id": "1", "comment": "' + "x" * 4000 + '"},'
MARKS = '{"school": {"establishment_number": "4001", "la_code": "999"}, "codes": [{"id": "1", "code": "/"}], "data": ['
CASES = {
    "a zip": ("x.zip", _zip_bomb, "this service reads"),
    "a zip called a table": ("x.csv", _zip_bomb, "not text"),
    "a zip called JSON": ("x.json", _zip_bomb, "broken"),
    "a zip called XML": ("x.xml", _zip_bomb, "broken"),
    "a gzip called JSON": ("x.json", _gzip_bomb, "broken"),
    "a table of one line of 50 MB": ("x.csv", _repeated("a,b", "x", "", size=LINE), "line is longer"),
    "a table with a row of one line of 50 MB": ("x.csv", _repeated(PUPILS, "x,", "", size=LINE), "line is longer"),
    "JSON of one line of 50 MB": ("x.json", _repeated('{"data": "', "x", '"}', size=LINE), "larger than 4 MB"),
    "XML of one line of 50 MB": ("x.xml", _repeated("<Message><Children><Child>", "x", "</Child></Children></Message>", size=LINE), "larger than 4 MB"),
    "XML 500,000 levels deep": ("x.xml", lambda path: path.write_text("<a>" * 500_000 + "</a>" * 500_000), "nested too deep"),
    "JSON 500,000 levels deep": ("x.json", lambda path: path.write_text('{"data": [' + "[" * 500_000 + "]" * 500_000 + "]}"), "nested deeper"),
    "a document type of a billion words": ("x.xml", lambda path: path.write_text(LAUGHS), "document type"),
    "a document type that reads a file": ("x.xml", lambda path: path.write_text(OUTSIDE), "document type"),
    "JSON over the limit": ("x.json", _sparse, "larger than 600 MB"),
    "XML over the limit": ("x.xml", _sparse, "larger than 600 MB"),
    "a table over the limit": ("x.csv", _sparse, "larger than 600 MB"),
}


def read(service: str, path: Path) -> tuple[int, int, str]:
    """(megabytes at most, seconds, what became of it)."""
    done = subprocess.run([sys.executable, "-c", READ, service, path], capture_output=True, text=True, timeout=2 * MOST_SECONDS)
    assert done.returncode == 0, done.stderr
    memory, seconds, found = done.stdout.strip().split(" ", 2)
    return int(memory), int(seconds), found


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_little_memory_and_time(tmp_path, case):
    name, make, why = CASES[case]
    make(tmp_path / name)
    for service in SERVICES:
        memory, seconds, found = read(service, tmp_path / name)
        assert why in found and memory < MOST_MEMORY and seconds < MOST_SECONDS, (service, memory, seconds, found)
    assert not (tmp_path / "etc").exists() and not (tmp_path.parent.parent / "etc" / "evil.csv").exists()


@pytest.mark.parametrize(
    ("service", "name", "make", "wanted"),
    [
        ("education", "x.csv", _repeated(PUPILS, PUPIL, "", size=LONG), "read "),
        ("education", "x.json", _repeated(MARKS, ITEM, ITEM[:-1] + "]}", size=LONG), "read 1 of "),
        ("socialcare", "x.xml", _repeated("<Message><Header><Collection>CIN</Collection><Year>2026</Year></Header><Children>", "<junk>" + "x" * 4000 + "</junk>", "</Children></Message>", size=LONGEST), ""),
    ],
    ids=["a table", "JSON", "XML"],
)  # fmt: skip
@pytest.mark.timeout(300)
def test_a_file_of_hundreds_of_megabytes_is_streamed(tmp_path, service, name, make, wanted):
    make(tmp_path / name)
    memory, seconds, found = read(service, tmp_path / name)
    (tmp_path / name).unlink()
    assert wanted in found and memory < MOST_MEMORY and seconds < 2 * MOST_SECONDS, (memory, seconds, found)


async def test_an_uploads_name_that_climbs_out_leads_nowhere(authority: Authority, tmp_path: Path):
    before = {path for path in tmp_path.parent.rglob("*") if "reports" not in path.parts}
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("../../evil.csv", "a,b\n")
    files = [("files", (name, b"a,b\n1,2\n")) for name in ("../../evil.csv", "/etc/evil.csv", "..\\evil.csv")]
    files.append(("files", ("../evil.zip", bomb.getvalue())))
    done = await authority.ask("POST", "education", "/v1/imports", files=files)
    assert [one["file"] for one in done.json()["files"]] == ["evil.csv", "evil.csv", "..\\evil.csv", "evil.zip"]
    assert all("why" in one and Path(one["report"]).parent == tmp_path / "reports" for one in done.json()["files"])
    assert {path for path in tmp_path.parent.rglob("*") if "reports" not in path.parts} == before
