"""kill -9 at seeded moments during imports, shields and reads: nothing lost, nothing twice, recovery by itself, no wrong read.

Every moment a school's census, social care's extract of children it knows, and a shield are on their way while a process is
killed; Kafka and PostgreSQL are also held down for some seconds, and the supervisor itself is killed (then `up` is typed again).

`python -m tests.journeys.faults --moments 20 --seed 1`; `make faults`. Ends with a summary and exit 1 on any breach.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.local import secrets
from deploy.local.authority.people import upn
from deploy.local.client import Failed
from tests.journeys.installation import Installation, installed

PROCESSES = (
    "education", "education-relay", "socialcare", "socialcare-relay", "identity", "projector", "childview", "childview-relay",
    "policy", "policy-relay", "audit", "audit-relay", "issuer", "kafka", "postgres", "kafka held down", "postgres held down",
    "supervisor",
)  # fmt: skip
HELD_DOWN = 6.0
PUPILS_AT_ONCE, KNOWN_AT_ONCE = 120, 20
EVENTS_A_PUPIL, EVENTS_A_PERSON = 2, 2
HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"
STAFF = (
    "person_id,post_id,name,role,organisation_kind,organisations,team_ids,professional_ids,training,vetting_until\n"
    "sw,sw-post,Invented Worker,social-worker,social_care,,,sw-1,data_protection:2099-01-01;safeguarding_3:2099-01-01,2099-01-01\n"
)
PERSONA = [{"role": "social-worker", "person": "sw", "post": "sw-post", "name": "invented", "title": "", "purpose": "enquiry", "try": ""}]
TODAY = date.today().isoformat()


def given(number: int) -> str:
    """A name of letters, for every number one that resembles no other."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return "".join(chr(ord("a") + letter % 26) for letter in digest[:9]).capitalize()


def born(number: int) -> str:
    """A birth date."""
    return f"{2008 + number % 12}-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}"


def census(first: int) -> str:
    """One file of pupils that nothing else resembles: names, numbers and birth dates of their own."""
    rows = [
        f"FP{n},9994001,FS{n},{upn(n)},{given(n)}son,{given(n)},{born(n)},F,2020-09-01" for n in range(first, first + PUPILS_AT_ONCE)
    ]
    return "\n".join([HEADER, *rows]) + "\n"


def extract(first: int) -> dict[str, str]:
    """Social care's tables of some of these pupils: the same children, by number, birth date and names."""
    numbers = range(first, first + KNOWN_AT_ONCE)
    persons = [f"FC{n},{given(n)},{given(n)}son,F,{born(n)}" for n in numbers]
    links = [f"FC{n},Unique Pupil Number,{upn(n)}" for n in numbers]
    return {
        f"{TODAY}-ssd_persons.csv": "\n".join(["pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob", *persons, ""]),
        f"{TODAY}-ssd_linked_identifiers.csv": "\n".join(["link_person_id,link_identifier_type,link_identifier_value", *links, ""]),
    }


@dataclass
class Reader:
    """Reads one child all the time. Every answer must be right or 503; wrong ones are kept."""

    here: Installation
    child: str
    wanted: Any
    seen: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop.is_set():
            try:
                answer = self.here.read("sw", self.child, purpose="enquiry")
            except (httpx.HTTPError, Failed):
                self.seen["unreachable"] += 1
                time.sleep(0.05)
                continue
            self.seen[answer.status_code] += 1
            if answer.status_code == 200 and answer.json()["fields"] != self.wanted:
                self.wrong.append("another answer than before")
            if answer.status_code not in (200, 503) or (answer.status_code == 503 and '"fields"' in answer.text):
                self.wrong.append(f"{answer.status_code}: {answer.text[:200]}")
            time.sleep(0.02)


def insistently(work: Callable[[], Any], *, within: float = 120.0) -> Any:
    """Do it again until it is done, as a caller would."""
    deadline = time.monotonic() + within
    while True:
        try:
            return work()
        except (httpx.HTTPError, Failed, OSError, KeyError) as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"not done within {within:.0f} s: {error}") from error
            time.sleep(0.3)


def prepare(here: Installation) -> Reader:
    """One reader with one child to read."""
    (here.state / "personas.json").write_text(json.dumps(PERSONA))
    here.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", STAFF.encode())})
    here.take("education", {"pupilonroll.csv": census(0)}, collection="2026-spring")
    here.wait()
    number = KNOWN_AT_ONCE + 1  # of whom social care will not speak: what is read stays the same
    found = here.search("sw", purpose="enquiry", family_name=f"{given(number)}son", given_name=given(number))
    return Reader(here, found[0]["id"], here.read("sw", found[0]["id"], purpose="enquiry").json()["fields"])


@dataclass
class World:
    """What was acknowledged so far."""

    pupils: int = PUPILS_AT_ONCE
    known: int = 0
    shielded: list[int] = field(default_factory=list)


def strike(here: Installation, process: str, world: World, delay: float) -> float:
    """Import and shield while the process is killed; seconds from the kill until everything is visible."""
    failures: list[BaseException] = []
    works = [_census_work(here, world.pupils), _extract_work(here, world.pupils - PUPILS_AT_ONCE)]
    if world.known:
        works.append(_shield_work(here, world.pupils - 2 * PUPILS_AT_ONCE))
    threads = [threading.Thread(target=_keeping(failures, work)) for work in works]
    for thread in threads:
        thread.start()
    time.sleep(delay)
    killed = time.monotonic()
    kill(here, process)
    for thread in threads:
        thread.join(240)
    assert not failures, failures
    world.shielded += [world.pupils - 2 * PUPILS_AT_ONCE] if world.known else []
    world.pupils, world.known = world.pupils + PUPILS_AT_ONCE, world.known + KNOWN_AT_ONCE
    insistently(lambda: here.client.wait(60), within=240)
    return time.monotonic() - killed


def _keeping(failures: list[BaseException], work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except BaseException as error:  # a thread's failure is told by the one that waits for it
            failures.append(error)

    return run


def _census_work(here: Installation, first: int) -> Callable[[], None]:
    def work() -> None:
        done = insistently(lambda: here.take("education", {"pupilonroll.csv": census(first)}, collection="2026-spring"))
        assert done[0]["accepted"] == PUPILS_AT_ONCE, done

    return work


def _extract_work(here: Installation, first: int) -> Callable[[], None]:
    def work() -> None:
        done = insistently(lambda: here.take("socialcare", extract(first)))
        assert sum(one["refused"] for one in done) == 0, done

    return work


def _shield_work(here: Installation, number: int) -> Callable[[], None]:
    body = {"protection_kind": "shielded", "start_date": TODAY, "named_professional_ids": ["nobody"]}

    def work() -> None:
        id = insistently(lambda: here.client.ask("POST", "socialcare", "/v1/persons/find", json={"local_id": f"FC{number}"}))["id"]
        insistently(lambda: here.client.ask("PUT", "socialcare", f"/v1/persons/{id}/protection", json=body))

    return work


def kill(here: Installation, process: str) -> None:
    """kill -9; `held down`: again whenever it comes back, for some seconds. A killed supervisor is started by hand."""
    name, _, held = process.partition(" ")
    if name == "supervisor":
        status = json.loads((here.state / "status.json").read_text())
        os.kill(status["supervisor"]["pid"], signal.SIGKILL)
        done = here.run("up", timeout=180)
        assert done.returncode == 0, done.stderr
        return
    if held:
        with held_down(here, name):
            time.sleep(HELD_DOWN)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(here.pid(name), signal.SIGKILL)


@contextlib.contextmanager
def held_down(here: Installation, name: str) -> Iterator[None]:
    """A process that is killed again whenever it comes back."""
    up = threading.Event()

    def strike() -> None:
        while not up.wait(0.1):
            with contextlib.suppress(ProcessLookupError, TypeError, json.JSONDecodeError):
                os.kill(here.pid(name), signal.SIGKILL)

    striking = threading.Thread(target=strike)
    striking.start()
    try:
        yield
    finally:
        up.set()
        striking.join()


def check(here: Installation, world: World, reader: Reader) -> list[str]:
    """What was breached."""
    status = insistently(lambda: here.client.ask("GET", "childview", "/v1/status"))
    ledger = insistently(lambda: here.client.ask("GET", "audit", "/v1/ledger"))
    found = [f"a read was wrong: {one}" for one in reader.wrong[:3]]
    wanted = {"education": world.pupils, "socialcare": world.known}
    if status["records"] != wanted or status["children"] != world.pupils:
        found.append(f"acknowledged {wanted}; records {status['records']}, children {status['children']}")
    if status["parked"] or status["undecided"]:
        found.append(f"parked {status['parked']}, undecided {status['undecided']}")
    if any(ledger["holes"].values()):
        found.append(f"access records are missing: {ledger['holes']}")
    for number in world.shielded:
        names = {"family_name": f"{given(number)}son", "given_name": given(number)}
        if insistently(lambda names=names: here.ask("sw", "POST", "/v1/children/search", json=names).json()["items"]):
            found.append("a shielded child was found")
    return [*found, *asyncio.run(_twice(here, world))]


async def _twice(here: Installation, world: World) -> list[str]:
    """Every event once in each register's outbox, its streams dense, and no more of them than was said."""
    wanted = {
        "education": EVENTS_A_PUPIL * world.pupils,
        "socialcare": EVENTS_A_PERSON * world.known + len(world.shielded),
    }
    found = []
    for service, events in wanted.items():
        password = secrets.load(here.state).passwords[service]
        conn = await asyncpg.connect(f"postgresql://{service}:{password}@127.0.0.1:{here.port('postgres')}/{service}")
        try:
            row = await conn.fetchrow(
                "select count(*) as rows, count(distinct (o.stream_id, stream_version)) as apart,"
                " (select sum(version) from streams where kind in ('pupil', 'person')) as versions from outbox o where topic = $1",
                f"{service}.events",
            )
        finally:
            await conn.close()
        if not row["rows"] == row["apart"] == row["versions"] == events:
            found.append(f"{service} published {dict(row)} where {events} were said")
    return found


def own_faults(here: Installation) -> list[str]:
    """Requests that failed by a fault of ours, by what was raised and where: a part that is away is none."""
    found = []
    for path in sorted((here.state / "logs").glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if "A request failed by a fault of ours." in line:
                body = json.loads(line)
                found.append(f"{path.stem}: {body.get('exception')} at {body.get('at', [])[-2:]}")
    return sorted(set(found))


def run(
    here: Installation, *, moments: int, seed: int, say: Callable[[str], None] = print, only: Sequence[str] = PROCESSES
) -> list[str]:
    """Strike so many times; every breach. Each process is struck before any is struck again."""
    rng = random.Random(seed)
    order = [process for _ in range(moments // len(only) + 1) for process in rng.sample(only, len(only))][:moments]
    reader = prepare(here)
    thread = threading.Thread(target=reader.run)
    thread.start()
    breaches: list[str] = []
    world = World()
    try:
        for number, process in enumerate(order, 1):
            delay = rng.uniform(0, 0.6)
            took = strike(here, process, world, delay)
            new = [f"after {process}: {one}" for one in check(here, world, reader)]
            breaches += new
            say(f"{number:3} kill -9 {process:20} at {delay:.2f} s: whole again after {took:5.1f} s{'; '.join(['', *new])}")
    finally:
        reader.stop.set()
        thread.join(60)
    breaches += own_faults(here)
    verified = here.run("rebuild", "--verify")
    if verified.returncode != 0:
        breaches.append(f"the rebuild differs: {verified.stdout} {verified.stderr[-300:]}")
    say(f"seed {seed}: {moments} moments, {world.pupils} pupils, {world.known} known to social care, {len(world.shielded)} shielded, reads {dict(reader.seen)}, breaches {len(breaches)}")
    return breaches


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000))
    parser.add_argument("--only", nargs="*", default=PROCESSES, choices=PROCESSES)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder) / "state") as here:
        breaches = run(here, moments=options.moments, seed=options.seed, only=options.only)
    print("\n".join(breaches))
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
