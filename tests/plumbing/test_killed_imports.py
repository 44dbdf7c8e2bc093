"""kill -9 at seeded moments of an import of every family, and once more: the register and what is published are those of one clean run."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from deploy.local.authority.generate import generate
from services.plumbing import sealing
from services.plumbing.kafka import envelope
from services.plumbing.register import waiting
from services.plumbing.register.entries import State
from services.plumbing.sealing import Keyring
from tests.education import test_mis as mis
from tests.serving import ROOT
from tests.socialcare import test_census as cin
from tests.socialcare import test_daily as daily
from tests.socialcare import test_ssda903_xml as xml
from tests.taking import MASTER

KILLS, SEED, CHILDREN = 3, 20261125, 60
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority's files."""
    folder = tmp_path_factory.mktemp("authority")
    generate(folder, children=200, seed=SEED, today=date(2026, 11, 24))
    return folder


def _daily(folder: Path) -> list[Path]:
    """Children with every part, and on the next day some without, one of them deleted."""
    children = [json.loads(daily.payload(daily.episode(social_care_episode_id=f"r{n}"), la_child_id=f"C{n}"))["Children"] for n in range(CHILDREN)]
    gone = [{"la_child_id": f"C{n}", "purge": True} for n in range(0, CHILDREN, 7)]
    return [_json(folder, f"2026-11-2{day}.json", {"la_code": 999, "Children": found}) for day, found in ((0, children), (1, gone))]


def _json(folder: Path, name: str, body: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(body))
    return path


def _care_xml(folder: Path) -> list[Path]:
    path = folder / "903.xml"
    who = [xml.WHO.replace("007", f"{n:03d}").replace("W999000000024", "") for n in range(CHILDREN)]
    path.write_text(xml.export(*(xml.child(xml.REVIEW + xml.OC2 + xml.OTHERS, xml.EPISODE + xml.NEXT, one) for one in who)))
    return [path]


def _census(folder: Path) -> list[Path]:
    path = folder / "cin.xml"
    path.write_text(cin.census(*(cin.child(cin.REFERRAL + cin.ASSESSMENT, id=f"C{n}") for n in range(CHILDREN))))
    return [path]


def _wonde(folder: Path) -> list[Path]:
    """Students, their contacts, exclusions that wait for nobody and some that do, and what is deleted."""
    students = [mis.person(id=n, legal_forename=f"Ada{'x' * n}", contacts={"data": [mis.contact(n)]}) for n in range(CHILDREN)]
    exclusions = [mis.exclusion(n, student_id=n * 2) for n in range(CHILDREN)]
    deletions = [json.loads(mis.file(deletions=[mis.deleted("student", n)]))["deletions"][0] for n in range(0, CHILDREN, 9)]
    made = mis.file(students=students, exclusions=exclusions), mis.file(deletions=deletions)
    paths = [folder / "students.json", folder / "deletions.json"]
    for path, text in zip(paths, made, strict=True):
        path.write_text(text)
    return paths


def _files(family: str, invented: Path, folder: Path) -> tuple[str, str, list[Path]]:
    """(service, as of when, files) of a family."""
    made = {"daily": _daily, "903 XML": _care_xml, "CIN": _census, "Wonde": _wonde}
    if family in made:
        return ("education" if family == "Wonde" else "socialcare"), ("2025-03-31" if family == "903 XML" else ""), made[family](folder)
    service, pattern = {
        "SSD": ("socialcare", "*-ssd_*.csv"), "903 CSV": ("socialcare", "SSDA903_*.csv"),
        "CTF": ("education", "*_CTF_*.xml"), "marks": ("education", "marks-*.json"),
        "census sessions": ("education", "2026_autumn_*.csv"),
    }[family]  # fmt: skip
    return service, "", sorted((invented / service).rglob(pattern))


def taken(dsn: str, service: str, moment: str, day: str, files: list[Path]) -> dict[str, Any] | None:
    """What a process of its own made of the files; None where it was killed."""
    command = [sys.executable, "-m", "tests.taking", dsn, service, moment, day, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, -9), done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else None


async def held(dsn: str) -> dict[str, Any]:
    """The register, what waits, and what was published of each subject in its order: without ids and times."""
    conn = await asyncpg.connect(dsn)
    try:
        keys = await conn.fetch("select stream_id::text as id, array_agg(kind || ' ' || value order by kind, value) as keys from subject_keys group by 1")
        names = {row["id"]: " + ".join(row["keys"]) for row in keys}
        states = {names[str(row["stream_id"])]: msgspec.msgpack.decode(row["state"], type=State) for row in await conn.fetch("select * from subjects")}
        waits = await waiting.opened(conn, Keyring(MASTER))
        rows = [repr(waits._open(row).row) for row in await conn.fetch("select * from waiting_rows")]
        said = [one async for one in _published(conn, names)]
        sources = [tuple(row) for row in await conn.fetch("select kind, organisation, extracted from deliveries order by 1, 2")]
    finally:
        await conn.close()
    return {"names": sorted(names.values()), "states": states, "waiting": sorted(rows), "said": said, "deliveries": sources}


async def _published(conn: asyncpg.Connection, names: dict[str, str]):
    """(subject, place in its stream, type, data) of every event of the register."""
    keyring = Keyring(MASTER)
    for row in await conn.fetch("select * from outbox where topic like '%.events' order by stream_id, stream_version"):
        found = envelope.decode(row["value"])
        data: Any = found.data
        if found.sealed:
            name = (found.subject, found.recordclass)
            key = (await keyring.existing(conn, [name]))[name]
            data = sealing.open_seal(key, sealed=envelope.ciphertext(found), bound_to=envelope.associated_data(found.header()))
        text = UUID.sub(lambda id: names.get(id[0], id[0]), bytes(data).decode())
        yield names[str(row["stream_id"])], row["stream_version"], found.type, json.loads(text)


def moments(family: str, transactions: int) -> Iterator[str]:
    """Where to die: at seeded transactions, before or after they are committed."""
    luck = random.Random(f"{SEED} {family}")
    for _ in range(KILLS):
        yield f"{luck.randint(1, transactions)}-{luck.choice(('before', 'after'))}"


@pytest.mark.parametrize("family", ["daily", "SSD", "903 CSV", "903 XML", "CIN", "CTF", "Wonde", "marks", "census sessions"])
async def test_killed_at_any_moment_and_once_more_ends_as_one_clean_run(make_database: Callable[[], Awaitable[str]], invented, tmp_path, family):
    service, day, files = _files(family, invented, tmp_path)
    clean, struck = await make_database(), await make_database()
    whole = taken(clean, service, "none", day, files)
    assert whole is not None and not any("why" in one for one in whole["files"]), whole
    assert sum(one["events"] for one in whole["files"]) > 0 and whole["transactions"] > KILLS
    killed = [taken(struck, service, moment, day, files) for moment in moments(family, whole["transactions"])]
    assert None in killed, "no moment struck"
    assert taken(struck, service, "none", day, files) is not None
    wanted, found = await held(clean), await held(struck)
    for part in wanted:
        if part == "said":
            wanted[part], found[part] = (sorted(map(repr, one[part])) for one in (wanted, found))
        assert found[part] == wanted[part], part
