"""The supervisor keeps processes running, says clearly when one dies, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from deploy.local import supervisor
from deploy.local.process import spawn
from deploy.local.supervisor import Supervisor
from tests.journeys.installation import ROOT, eventually

RUN = """
import sys
from pathlib import Path
from deploy.local.supervisor import Program, Supervisor
home = Path(sys.argv[1])
def program(name, code):
    return Program(name, [sys.executable, "-c", code], {}, ready=lambda: (home / (name + ".up")).exists())
steady = "import pathlib,time; pathlib.Path(%r).touch(); print('hello'); time.sleep(600)"
programs = [program(name, steady % str(home / (name + ".up"))) for name in ("one", "two")]
sys.exit(Supervisor(home, [[programs[0]], [programs[1]]]).run())
"""


@pytest.fixture
def home(tmp_path):
    """A supervisor with two programs, in a folder whose name has a space; whatever happens, nothing outlives the test."""
    state = tmp_path / "a state"
    (state / "logs").mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(RUN), str(state)], env=environment)
    yield state, process
    supervisor.down(state)
    process.kill()
    process.wait()


def statuses(state: Path) -> dict[str, dict]:
    return {one["name"]: one for one in supervisor.read_status(state).get("processes", [])}


def ready(state: Path) -> bool:
    return supervisor.read_status(state).get("state") == "running"


def test_each_process_has_a_log_and_a_dead_one_starts_again_and_says_why(home):
    state, _ = home
    eventually(lambda: ready(state))
    first = statuses(state)["one"]["pid"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: statuses(state)["one"]["pid"] not in (first, None))
    assert statuses(state)["one"]["restarts"] == 1
    line = json.loads((state / "logs" / "one.log").read_text().splitlines()[-1])
    assert line["message"].startswith("one ended (killed by SIGKILL); it starts again in")
    assert (state / "logs" / "two.log").exists()


def test_what_keeps_dying_is_started_after_ever_longer_waits(home):
    state, _ = home
    eventually(lambda: ready(state))
    waits = []
    for _ in range(3):
        pid = eventually(lambda: statuses(state)["two"]["pid"])
        os.kill(pid, signal.SIGKILL)
        started = time.monotonic()
        eventually(lambda old=pid: statuses(state)["two"]["pid"] not in (old, None))
        waits.append(time.monotonic() - started)
    assert waits[2] > waits[0]


def test_down_leaves_nothing_running_also_after_the_supervisor_was_killed(home):
    state, process = home
    eventually(lambda: ready(state))
    pids = [one["pid"] for one in statuses(state).values()]
    process.kill()
    process.wait()
    supervisor.down(state)
    assert [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE] == []


def test_down_after_a_killed_supervisor_waits_for_all_at_once_and_not_for_what_is_dead_but_not_taken_note_of(tmp_path):
    """Three that do not stop when asked, and one that has ended without its parent's noticing: five seconds, not forty."""
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    alive = [subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) for _ in range(3)]
    dead = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); import time; time.sleep(0.5)"], stdout=subprocess.PIPE)
    every = [*alive, dead]
    for one in every:
        one.stdout.readline()
    found = [{"name": f"service-{n}", "pid": one.pid, "started": psutil.Process(one.pid).create_time()} for n, one in enumerate(every)]
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "supervisor": None, "processes": found}))
    started = time.monotonic()
    supervisor.down(tmp_path)
    took = time.monotonic() - started
    for one in every:
        one.kill()
        one.wait()
        one.stdout.close()
    assert supervisor.SERVICES_PATIENCE - 1 < took < 2 * supervisor.SERVICES_PATIENCE


FAKE = """
import json, os, sys, time
from pathlib import Path
from deploy.local import supervisor
home = Path(os.environ["CHILDVIEW_STATE"])
with (home / "starts").open("a") as starts:
    starts.write("started\\n")
supervisor.announce(home)
time.sleep(2)
supervisor.Supervisor(home, [])._report("running")
time.sleep(600)
"""
UP = """
import subprocess, sys
from pathlib import Path
from deploy.local import supervisor
state = Path(sys.argv[1])
real = subprocess.Popen
supervisor.subprocess.Popen = lambda command, **more: real([sys.executable, "-c", {fake!r}], **more)
supervisor.up(state, say=lambda line: print(line, flush=True))
print(supervisor.read_status(state)["supervisor"]["pid"])
"""


def test_a_second_up_waits_for_the_first_instead_of_ending_it(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", UP.format(fake=FAKE), str(tmp_path)]
    first, second = (subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2))
    said = [one.communicate(timeout=60)[0].splitlines() for one in (first, second)]
    supervisor.down(tmp_path)
    assert said[0][-1] == said[1][-1], "both know the same supervisor"
    assert (tmp_path / "starts").read_text() == "started\n"


def test_an_up_whose_first_asker_was_killed_is_followed_to_its_end(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", UP.format(fake=FAKE), str(tmp_path)]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    eventually(lambda: supervisor.read_status(tmp_path).get("state") == "starting")
    first.kill()
    first.wait()
    subprocess.run(command, env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)
    supervisor.down(tmp_path)
    assert (tmp_path / "starts").read_text() == "started\n"


def test_a_log_is_kept_small_while_its_process_writes_and_so_many_full_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "MOST_LOG", 1000)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "one.log"
    keeper = Supervisor(tmp_path, [])
    with log.open("ab", buffering=0) as writing:
        for number in range(6):
            writing.write(f"{number}".encode() * 2000)
            keeper.looked = -supervisor.DAY
            keeper._tidy()
            writing.write(b"after")
    assert log.read_bytes() == b"after", "the process writes on where the file was emptied"
    kept = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert kept == ["one.log", "one.log.1", "one.log.2", "one.log.3"]
    assert (tmp_path / "logs" / "one.log.1").read_bytes() == b"after" + b"5" * 2000


def test_what_is_done_daily_is_done_at_the_start_and_once_a_day(tmp_path):
    done = []
    keeper = Supervisor(tmp_path, [], daily=lambda: done.append(1))
    keeper._tidy()
    keeper._tidy()
    assert len(done) == 1
    keeper.tidied -= supervisor.DAY
    keeper._tidy()
    assert len(done) == 2


def test_a_process_is_started_with_few_heaps(tmp_path):
    out = tmp_path / "out"
    with out.open("wb") as output:
        spawn([sys.executable, "-c", "import os; print(os.environ['MALLOC_ARENA_MAX'])"], environment={}, output=output).wait()
    assert out.read_text().strip() == "2"


def test_a_number_that_another_process_has_now_is_left_alone(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "supervisor": {"pid": os.getpid(), "started": 1.0}, "processes": []}))
    assert not supervisor.running(tmp_path)
    supervisor.down(tmp_path)
