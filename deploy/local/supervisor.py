"""One small supervisor: starts every process, restarts what dies, stops everything, and leaves nothing behind.

It runs in the background (`python -m deploy.local.supervisor`) and tells how things stand in `.childview/status.json`.
Every child ends when it ends (Linux: by the kernel); what a killed supervisor left elsewhere is found by number and start
time, never by name.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import ports
from deploy.local.ports import Port
from deploy.local.process import Account, Identity, end_all, spawn

PATIENCE = 90.0
LONGEST_WAIT = 30.0
STEADY_AFTER = 30.0
MOST_LOG, LOGS_KEPT, LOGS_EVERY = 20_000_000, 3, 5.0
"""Bytes of a log, how many full ones are kept, and seconds between two looks."""
DAY = 86_400.0
SERVICES_PATIENCE, SERVERS_PATIENCE = 5.0, 20.0
"""Seconds to stop: a service may be killed at any point; PostgreSQL and Kafka close their files."""
SERVERS = ("postgres", "kafka")


class CannotStart(Exception):
    """Something is missing or in the way; the message says what, and what to do."""


@dataclass(frozen=True)
class Program:
    """One process to keep running. ready: asked until it says yes. after: the process that must be ready before it."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    ask: signal.Signals = signal.SIGTERM
    account: Account | None = None
    prepare: Callable[[], None] | None = None
    once_ready: Callable[[], None] | None = None


@dataclass
class Running:
    """A program's present process."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    identity: Identity | None = None
    started: float = 0.0
    restarts: int = 0
    again: float = 0.0
    last: str = ""
    ready: bool = False


@dataclass
class Supervisor:
    """Keeps programs running, in the order given: a stage starts when the one before it is ready.

    daily: what is done once a day, and at the start.
    """

    state: Path
    stages: Sequence[Sequence[Program]]
    children: dict[str, Running] = field(default_factory=dict)
    stopping: bool = False
    phase: str = "starting"
    daily: Callable[[], object] = lambda: None
    looked: float = 0.0
    tidied: float = -DAY

    def run(self) -> int:
        """Start everything, keep it running until told to stop, stop everything. The exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "stopping", True))
        try:
            for stage in self.stages:
                self._start_stage(stage)
            self.phase = "running"
            self._report(self.phase)
            while not self.stopping:
                self._keep()
                self._tidy()
                time.sleep(0.2)
            return 0
        except CannotStart as error:
            self._report("failed", str(error))
            return 1
        finally:
            failed = self.state.joinpath("status.json")
            before = json.loads(failed.read_text()) if failed.exists() else {}
            self._stop_all()
            if before.get("state") != "failed":
                failed.unlink(missing_ok=True)

    def _start_stage(self, stage: Sequence[Program]) -> None:
        for program in stage:
            self.children[program.name] = Running(program)
            self._start(self.children[program.name])
        self._report(self.phase)
        for program in stage:
            self._wait_ready(self.children[program.name])
            if program.once_ready is not None:
                program.once_ready()

    def _start(self, child: Running) -> None:
        program = child.program
        if program.prepare is not None:
            program.prepare()
        log = self.state / "logs" / f"{program.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            child.process = spawn(
                program.command,
                environment=program.environment,
                output=output,
                account=program.account,
                parting=program.ask,
            )
        child.identity = Identity.of(child.process.pid)
        child.started, child.ready = time.monotonic(), False

    def _wait_ready(self, child: Running) -> None:
        deadline = time.monotonic() + PATIENCE
        while not child.program.ready():
            if self.stopping:
                raise CannotStart("stopped while starting")
            self._keep()
            if time.monotonic() > deadline or child.restarts > 4:
                raise CannotStart(f"{child.program.name} does not get ready: see {self.state}/logs/{child.program.name}.log")
            time.sleep(0.05)
        child.ready = True

    def _keep(self) -> None:
        """Start again what died, after a wait that doubles while it keeps dying."""
        changed = False
        for child in self.children.values():
            code = child.process.poll() if child.process else None
            now = time.monotonic()
            if child.process is not None and code is not None:
                steady = now - child.started > STEADY_AFTER
                child.restarts = 1 if steady else child.restarts + 1
                wait = min(LONGEST_WAIT, 0.5 * 2 ** (child.restarts - 1))
                child.last = f"{child.program.name} ended ({_cause(code)}); it starts again in {wait:.1f} s"
                self._say(child)
                child.process, child.again, changed = None, now + wait, True
            elif child.process is None and now >= child.again and not self.stopping:
                self._start(child)
                changed = True
        if changed:
            self._report(self.phase)

    def _tidy(self) -> None:
        """Logs are kept small while their processes run; once a day what is old goes."""
        now = time.monotonic()
        if now - self.looked >= LOGS_EVERY:
            self.looked = now
            for log in (self.state / "logs").glob("*.log"):
                if log.stat().st_size > MOST_LOG:
                    rotate(log)
        if now - self.tidied >= DAY:
            self.tidied = now
            self.daily()

    def _say(self, child: Running) -> None:
        line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": "error", "message": child.last})
        for name in (child.program.name, "supervisor"):
            with (self.state / "logs" / f"{name}.log").open("a") as log:
                log.write(line + "\n")

    def _stop_all(self) -> None:
        """The last started first, a stage together."""
        for stage in reversed(self.stages):
            for program in stage:
                child = self.children.get(program.name)
                if child and child.process and child.process.poll() is None:
                    child.process.send_signal(program.ask)
            for program in stage:
                child = self.children.get(program.name)
                if child and child.process:
                    _end(child.process)

    def _report(self, state: str, why: str = "") -> None:
        me = Identity.of(os.getpid())
        assert me is not None
        body = {
            "state": state,
            "why": why,
            "supervisor": {"pid": me.pid, "started": me.started},
            "processes": [
                {
                    "name": name,
                    "pid": child.process.pid if child.process else None,
                    "started": child.identity.started if child.identity else None,
                    "restarts": child.restarts,
                    "last": child.last,
                }
                for name, child in self.children.items()
            ],
        }
        temporary = self.state / "status.new"
        temporary.write_text(json.dumps(body))
        temporary.replace(self.state / "status.json")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _cause(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


# -- from outside ------------------------------------------------------------------------------------------------


def read_status(state: Path) -> dict:
    """How things stand, as the supervisor last said; empty when nothing runs."""
    path = state / "status.json"
    return json.loads(path.read_text()) if path.exists() else {}


def up(state: Path, *, say: Callable[[str], None] = lambda line: None, listening: Sequence[Port] = ()) -> None:
    """Start everything in the background and wait until it is ready. Does nothing when it runs; where it is being started
    already, waits for that. listening: the ports it will have, looked at before anything is started, and remembered.
    Raises CannotStart, WrongPorts."""
    state.mkdir(parents=True, exist_ok=True)
    with _turn(state, say):
        if running(state):
            return
        alive = _starting(state)
        if alive is None:
            down(state)
            ports.check(listening)
            ports.remember(state, listening)
            alive = _launch(state)
        _follow(state, alive, say)


@contextlib.contextmanager
def _turn(state: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One start at a time: a second would take what the first has begun for something left behind."""
    with (state / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("it is being started already; waiting for that")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _launch(state: Path) -> Callable[[], bool]:
    """Start a supervisor; whether it lives."""
    (state / "logs").mkdir(exist_ok=True)
    environment = os.environ | {"CHILDVIEW_STATE": str(state)}
    with (state / "logs" / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.supervisor"], env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    return lambda: process.poll() is None


def _starting(state: Path) -> Callable[[], bool] | None:
    """Whether the supervisor that has begun to start everything lives; None where there is none."""
    status = read_status(state)
    found = _identity(status.get("supervisor"))
    return found.running if status.get("state") == "starting" and found is not None and found.running() else None


def _follow(state: Path, alive: Callable[[], bool], say: Callable[[str], None]) -> None:
    """Wait until everything runs. Raises CannotStart."""
    seen = 0
    while True:
        lives, status = alive(), read_status(state)
        names = [item["name"] for item in status.get("processes", [])]
        for name in names[seen:]:
            say(f"starting {name}")
        seen = max(seen, len(names))
        if status.get("state") == "running":
            return
        if not lives or status.get("state") == "failed":
            why = status.get("why") or f"see {state}/logs/supervisor.log"
            down(state)
            raise CannotStart(why)
        time.sleep(0.1)


def running(state: Path) -> bool:
    """Whether a supervisor of this state runs and everything was started."""
    status = read_status(state)
    found = _identity(status.get("supervisor"))
    return status.get("state") == "running" and found is not None and found.running()


def alive(state: Path) -> bool:
    """Whether a supervisor of this state lives, whatever it is at."""
    found = _identity(read_status(state).get("supervisor"))
    return found is not None and found.running()


def down(state: Path) -> None:
    """Stop everything, also what a killed supervisor left behind: services first and together, then the servers."""
    status = read_status(state)
    supervisor = _identity(status.get("supervisor"))
    if supervisor is not None:
        supervisor.end(patience=60)
    left = {item["name"]: found for item in status.get("processes", []) if (found := _identity(item)) is not None}
    end_all([one for name, one in left.items() if name not in SERVERS], patience=SERVICES_PATIENCE)
    for name in SERVERS:
        if name in left:
            left[name].end(ask=signal.SIGINT if name == "postgres" else signal.SIGTERM, patience=SERVERS_PATIENCE)
    (state / "status.json").unlink(missing_ok=True)


def rotate(log: Path) -> None:
    """Keep what a log holds beside it and empty it: its process goes on writing to the same file."""
    for number in range(LOGS_KEPT, 1, -1):
        older = log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)


def announce(state: Path) -> None:
    """Say that this process has begun to start everything."""
    Supervisor(state, [])._report("starting")


def _identity(item: Mapping | None) -> Identity | None:
    if not item or not item.get("pid"):
        return None
    return Identity(item["pid"], item["started"])


if __name__ == "__main__":
    from deploy.local.installation import stages
    from services.plumbing.files import report

    home = Path(os.environ["CHILDVIEW_STATE"])
    days = int(os.environ.get("CHILDVIEW_REPORT_DAYS", "30"))
    try:
        announce(home)
        sys.exit(Supervisor(home, stages(home), daily=lambda: report.remove_old(home, days=days)).run())
    except (CannotStart, RuntimeError) as error:
        (home / "status.json").write_text(json.dumps({"state": "failed", "why": str(error)}))
        sys.exit(1)
