"""The supervisor keeps processes running, says clearly when one dies, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from deploy.local import supervisor
from deploy.local.supervisor import CannotStart, Program, Supervisor
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


def test_a_number_that_another_process_has_now_is_left_alone(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "supervisor": {"pid": os.getpid(), "started": 1.0}, "processes": []}))
    assert not supervisor.running(tmp_path)
    supervisor.down(tmp_path)


def test_a_busy_port_is_named_with_the_variable_that_moves_it(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        program = Program("childview", ["true"], {}, ready=lambda: True, ports=[("CHILDVIEW_PORT_CHILDVIEW", port)])
        with pytest.raises(CannotStart, match=f"port {port} of childview is in use; set CHILDVIEW_PORT_CHILDVIEW"):
            Supervisor(tmp_path, [[program]])._check_ports(program)
