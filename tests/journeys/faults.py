"""kill -9 at seeded moments during imports and reads: nothing lost, nothing twice, recovery by itself, no wrong read.

`python -m tests.journeys.faults --moments 20 --seed 1`; `make faults`. Ends with a summary and exit 1 on any breach.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.cli import Failed
from tests.journeys.installation import Installation, installed

PROCESSES = (
    "education", "education-relay", "socialcare", "socialcare-relay", "identity", "projector", "childview", "childview-relay",
    "policy", "policy-relay", "audit", "audit-relay", "issuer", "kafka", "postgres",
)  # fmt: skip
PUPILS_AT_ONCE = 150
HEADER = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"
STAFF = (
    "person_id,post_id,name,role,organisation_kind,organisations,team_ids,professional_ids,training,vetting_until\n"
    "sw,sw-post,Invented Worker,social-worker,social_care,,,sw-1,data_protection:2099-01-01;safeguarding_3:2099-01-01,2099-01-01\n"
)
PERSONA = [{"role": "social-worker", "person": "sw", "post": "sw-post", "name": "invented", "title": "", "purpose": "enquiry", "try": ""}]
READ_AGAIN = 60.0


def given(number: int) -> str:
    """A name of letters, another for every number."""
    return "Fault" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}")


def census(first: int) -> str:
    """One file of pupils that nothing else resembles: names and birth dates of their own."""
    rows = [
        f"FP{n},9994001,FS{n},,{given(n)}son,{given(n)},{2008 + n % 12}-{1 + n // 28 % 12:02d}-{1 + n % 28:02d},F,2020-09-01"
        for n in range(first, first + PUPILS_AT_ONCE)
    ]
    return "\n".join([HEADER, *rows]) + "\n"


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
    found = here.search("sw", purpose="enquiry", family_name=f"{given(1)}son", given_name=given(1))
    return Reader(here, found[0]["id"], here.read("sw", found[0]["id"], purpose="enquiry").json()["fields"])


def strike(here: Installation, process: str, first: int, delay: float) -> float:
    """Import while the process is killed; seconds from the kill until everything is visible."""
    outcome: list[Any] = []
    files = {"pupilonroll.csv": census(first)}
    importing = threading.Thread(
        target=lambda: outcome.append(insistently(lambda: here.take("education", files, collection="2026-spring")))
    )
    importing.start()
    time.sleep(delay)
    killed = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        os.kill(here.pid(process), signal.SIGKILL)
    importing.join(150)
    assert outcome and outcome[0][0]["accepted"] == PUPILS_AT_ONCE, f"the import came to {outcome}"
    insistently(lambda: here.client.wait(60), within=180)
    return time.monotonic() - killed


def check(here: Installation, pupils: int, reader: Reader) -> list[str]:
    """What was breached."""
    status = insistently(lambda: here.client.ask("GET", "childview", "/v1/status"))
    ledger = insistently(lambda: here.client.ask("GET", "audit", "/v1/ledger"))
    found = [f"a read was wrong: {one}" for one in reader.wrong[:3]]
    if status["records"].get("education") != pupils or status["children"] != pupils:
        found.append(f"{pupils} pupils were acknowledged; records {status['records']}, children {status['children']}")
    if status["parked"] or status["undecided"]:
        found.append(f"parked {status['parked']}, undecided {status['undecided']}")
    if any(ledger["holes"].values()):
        found.append(f"access records are missing: {ledger['holes']}")
    return found


def run(here: Installation, *, moments: int, seed: int, say: Callable[[str], None] = print) -> list[str]:
    """Strike so many times; every breach. Each process is struck before any is struck again."""
    rng = random.Random(seed)
    order = [process for _ in range(moments // len(PROCESSES) + 1) for process in rng.sample(PROCESSES, len(PROCESSES))][:moments]
    reader = prepare(here)
    thread = threading.Thread(target=reader.run)
    thread.start()
    breaches: list[str] = []
    pupils = PUPILS_AT_ONCE
    try:
        for number, process in enumerate(order, 1):
            delay = rng.uniform(0, 0.6)
            took = strike(here, process, pupils, delay)
            pupils += PUPILS_AT_ONCE
            new = [f"after {process}: {one}" for one in check(here, pupils, reader)]
            breaches += new
            say(f"{number:3} kill -9 {process:18} at {delay:.2f} s: whole again after {took:5.1f} s{'; '.join(['', *new])}")
    finally:
        reader.stop.set()
        thread.join(60)
    verified = here.run("rebuild", "--verify")
    if verified.returncode != 0:
        breaches.append(f"the rebuild differs: {verified.stdout} {verified.stderr[-300:]}")
    say(f"seed {seed}: {moments} moments, {pupils} pupils, reads {dict(reader.seen)}, breaches {len(breaches)}")
    return breaches


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder) / "state") as here:
        breaches = run(here, moments=options.moments, seed=options.seed)
    print("\n".join(breaches))
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
