"""A watched folder against a running installation: any order, killed at any point, and again nothing new."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.journeys.installation import ROOT, Installation

PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob"
REFERRALS = "cine_referral_id,cine_person_id,cine_referral_date,cine_referral_source_code"
MANY = 400


def put(folder: Path, name: str, header: str, *rows: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def once(here: Installation, folder: Path) -> tuple[int, list[dict]]:
    done = here.run("watch", str(folder), "--once", "--yes", "--json", "--still", "0.2", "--every", "0.2")
    assert done.returncode in (0, 1, 2), done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def waiting(here: Installation) -> int:
    return here.json("status")["waiting"]["socialcare"]


def test_deliveries_in_the_wrong_order_end_complete_and_their_files_are_put_away(demonstration: Installation, tmp_path: Path):
    before = waiting(demonstration)
    put(tmp_path / "socialcare", "2026-11-20-referrals.csv", REFERRALS, "WR1,WATCH1,2026-01-06,1A")
    put(tmp_path / "socialcare" / "other", "2026-11-20-bad.csv", "colour,size", "red,3")
    code, lines = once(demonstration, tmp_path)
    assert code == 1 and {one["file"]: one.get("waiting") for one in lines} == {"2026-11-20-referrals.csv": 1, "2026-11-20-bad.csv": None}
    assert waiting(demonstration) == before + 1
    put(tmp_path / "socialcare", "2026-11-20-persons.csv", PERSONS, "WATCH1,Wanda,Wartend,F,2015-03-05")
    code, (line,) = once(demonstration, tmp_path)
    assert code == 0 and (line["waited"], line["events"]) == (1, 2) and waiting(demonstration) == before
    assert demonstration.json("status")["silent"] == []
    assert (tmp_path / "refused/socialcare/other/2026-11-20-bad.csv.reason.txt").read_text().startswith("2026-11-20-bad.csv: ")
    put(tmp_path / "socialcare", "2026-11-20-another-name.csv", REFERRALS, "WR1,WATCH1,2026-01-06,1A")
    assert once(demonstration, tmp_path)[1][0]["events"] == 0


def test_killed_again_and_again_it_ends_as_one_clean_run(demonstration: Installation, tmp_path: Path):
    put(tmp_path / "socialcare", "2026-11-20-persons.csv", PERSONS, *(f"KILL{n},Kay{n},Killian,F,2015-03-05" for n in range(MANY)))
    put(tmp_path / "socialcare", "2026-11-20-referrals.csv", REFERRALS, *(f"KR{n},KILL{n},2026-01-06,1A" for n in range(MANY)))
    command = [sys.executable, "-m", "services.cli", "watch", str(tmp_path), "--yes", "--still", "0.1", "--every", "0.1"]
    for moment in (1.2, 1.6, 2.0):
        process = subprocess.Popen(command, cwd=ROOT, env=demonstration.environment, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.kill()
        process.wait()
    once(demonstration, tmp_path)
    kept = sorted(path for path in (tmp_path / "taken").rglob("*.csv"))
    assert [path.name for path in kept] == ["2026-11-20-persons.csv", "2026-11-20-referrals.csv"]
    again = demonstration.json("import", "socialcare", *map(str, kept), "--yes")["files"]
    assert [(one["accepted"], one["events"], one.get("waiting", 0)) for one in again] == [(MANY, 0, 0)] * 2
