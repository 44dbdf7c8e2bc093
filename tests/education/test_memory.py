"""However long a file, reading it takes little memory: measured of a process that reads and does nothing else."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

HELD = """
import sys
from pathlib import Path
from services.education import importing
from services.plumbing.contracts import code_lists
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import Report
recognise = importing.recognise(code_lists(Path("contracts")))
options, said = Options(authority="999", collection="2026-spring", extracted="2026-03-01"), 0
opened = [recognise(Path(path), Path(path).name, options) for path in sys.argv[1:]]
for source in sorted(opened, key=lambda one: one.order):
    report = Report("x")
    report.open(Path(sys.argv[1]).parent, name="r")
    said += sum(1 for _ in source.read(report))
    assert not report.refused, report.refused
highest = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(highest) // 1024, said)
"""
ROWS, A_PUPIL = 100_000, 10
"""A million rows are to stay below 300 MB: what reading a row may add to the 60 MB of the bare process is 240 bytes."""
MOST = 60 + ROWS * 240 // 1_000_000 + 40
"""The last 40 MB are what does not grow: pages of the private database, and pieces of the file."""


def _sessions() -> Iterator[str]:
    yield "pupilonrolltableid,NativeId,sourceid,attendancereason,sessions\n"
    for number in range(ROWS):
        yield f"P{number // A_PUPIL},9994001,S{number // A_PUPIL},{'IMHEBCGNOU'[number % A_PUPIL]},{number % 9}\n"


def _pupils() -> Iterator[str]:
    yield "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,entrydate,termlysessionspossible\n"
    for number in range(ROWS // A_PUPIL):
        yield f"P{number},9994001,S{number},,Berg,Ada,2015-03-05,2020-09-01,120\n"


def _addresses() -> Iterator[str]:
    yield "addressesonrolltableid,pupilonrolltableid,NativeId,sourceid,addressesonrollorderseqcolumn,postcode,street\n"
    for number in range(ROWS):
        yield f"A{number},P{number // 2},9994001,S{number // 2},{number % 2},ZZ1 1ZZ,Elm Lane {number}\n"


def _needs() -> Iterator[str]:
    yield "pupilonrolltableid,NativeId,sourceid,sentype,sentyperank\n"
    for number in range(ROWS):
        yield f"P{number // 2},9994001,S{number // 2},ASD,{1 + number % 2}\n"


SCHOOL = '{"school": {"establishment_number": "4001", "la_code": "999", "name": "Hill"}, "extracted": "2026-03-01", '


def _listed(name: str, items: Iterator[dict]) -> Iterator[str]:
    yield f'"{name}": ['
    yield from (("," if number else "") + json.dumps(one) for number, one in enumerate(items))
    yield "]"


def _marks(*, complete: bool) -> Iterator[str]:
    yield SCHOOL + '"codes": [{"id": "C1", "code": "/"}], ' + ('"complete": {"from": "2025-09-01", "to": "2026-03-01"}, ' if complete else "")
    yield from _listed("students", ({"id": f"S{n}", "forename": "Ada", "surname": "Berg", "date_of_birth": "2015-03-05"} for n in range(ROWS // 100)))
    yield ","
    yield from _listed("data", (
        {"id": f"M{n}", "student_id": f"S{n // 100}", "date": f"2026-{1 + n % 100 // 56:02d}-{1 + n % 100 // 2 % 28:02d}", "session": ("AM", "PM")[n % 2],
         "attendance_code_id": "C1", "minutes_late": 0, "comment": "never kept " * 4} for n in range(ROWS)
    ))  # fmt: skip
    yield "}"


def _students() -> Iterator[str]:
    yield SCHOOL
    yield from _listed("students", (
        {"id": f"S{n}", "forename": "Ada", "surname": "Berg", "date_of_birth": "2015-03-05", "education_details": {"data": {"admission_date": "2020-09-01"}},
         "contacts": {"data": [{"id": f"C{n}", "forename": "Bea", "surname": "Berg"}]}} for n in range(ROWS)
    ))  # fmt: skip
    yield "}"


def _search() -> Iterator[str]:
    yield "{"
    yield from _listed("value", ({"id": str(n), "UPN": "X1", "Surname": "Berg", "Forename": "Ada", "DOB": "2015-03-05", "Sex": "F"} for n in range(ROWS)))
    yield "}"


@pytest.mark.parametrize(
    "files",
    [
        {"pupils.csv": _pupils(), "sessions.csv": _sessions()}, {"addresses.csv": _addresses()}, {"needs.csv": _needs()},
        {"marks.json": _marks(complete=False)}, {"complete.json": _marks(complete=True)}, {"students.json": _students()}, {"search.json": _search()},
    ],
    ids=lambda files: "+".join(files),
)  # fmt: skip
def test_a_file_of_many_rows_is_read_in_little_memory(tmp_path, files):
    for name, text in files.items():
        with (tmp_path / name).open("w") as out:
            out.writelines(text)
    done = subprocess.run([sys.executable, "-c", HELD, *(tmp_path / name for name in files)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    memory, said = map(int, done.stdout.split())
    assert said >= ROWS // 100 and memory < MOST, (memory, said)


def test_what_is_held_of_a_delivery_of_many_files_is_the_places_of_their_rows(tmp_path):
    files = [tmp_path / f"{number}.json" for number in range(20)]
    for number, path in enumerate(files):
        path.write_text("".join(itertools.chain([SCHOOL.replace("4001", str(4001 + number))], _listed("students", ({"id": f"S{n}", "surname": "x" * 900} for n in range(5000))), ["}"])))
    done = subprocess.run([sys.executable, "-c", HELD.replace("assert not report.refused", "assert True"), *files], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) < 110, done.stdout
