"""Where an installation listens: every busy port is said at once and before anything starts, and a moved port stays moved."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.ports import Port, WrongPorts
from services.plumbing.settings import PORTS, port_variable
from tests.journeys.installation import ROOT


@contextlib.contextmanager
def taken(count: int) -> Iterator[list[int]]:
    """Ports that something listens on."""
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
            one.listen()
        yield [one.getsockname()[1] for one in found]


def free() -> dict[str, str]:
    """A variable for every port, of ports that nobody uses now."""
    with contextlib.ExitStack() as held:
        probes = {name: held.enter_context(socket.socket()) for name in PORTS}
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        return {port_variable(name): str(probe.getsockname()[1]) for name, probe in probes.items()}


def run(*verb: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("CHILDVIEW_")}
    changed = {**kept, "CHILDVIEW_STATE": str(state), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-m", "services.cli", *verb], env=changed, capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_up_names_every_busy_port_of_every_stage_with_its_variable_before_anything_starts(tmp_path):
    with taken(3) as numbers:
        busy = dict(zip(("postgres", "issuer", "audit-relay"), map(str, numbers), strict=True))
        done = run("up", state=tmp_path, **free() | {port_variable(name): number for name, number in busy.items()})
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for name, number in busy.items():
        assert f"{number} ({name}, {port_variable(name)}): in use" in done.stderr
    assert done.stderr.count("in use") == 3 and "starting" not in done.stderr
    assert not (tmp_path / "postgres").exists() and not ports.remembered(tmp_path), "nothing was made, nothing is remembered"


@pytest.mark.parametrize("text", ["soon", "0", "70000", "", "-1", "٨٢٠٠"])
def test_what_is_no_port_is_said_with_its_variable(tmp_path, text):
    done = run("status", state=tmp_path, CHILDVIEW_PORT_CHILDVIEW=text)
    assert done.returncode == 1 and f"CHILDVIEW_PORT_CHILDVIEW={text}" in done.stderr and "Traceback" not in done.stderr


def test_one_port_for_two_processes_is_said_of_both():
    alike = [Port("policy", "CHILDVIEW_PORT_POLICY", 1), Port("audit", "CHILDVIEW_PORT_AUDIT", 1)]
    with pytest.raises(WrongPorts, match=r"policy.*meant for two(?s:.*)audit.*meant for two"):
        ports.check(alike)


def test_a_broker_elsewhere_needs_no_port_here():
    names = {port.name for port in ports.wanted({"KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"})}
    assert names == PORTS.keys() - {"kafka", "kafka-controller"}


def test_a_port_that_was_moved_is_where_later_commands_look(tmp_path):
    ports.remember(tmp_path, ports.wanted({"CHILDVIEW_PORT_ISSUER": "8299"}))
    environment: dict[str, str] = {}
    assert ports.recall(tmp_path, environment, running=False) == []
    assert environment["CHILDVIEW_PORT_ISSUER"] == "8299" and environment["CHILDVIEW_PORT_CHILDVIEW"] == "8100"


def test_before_a_start_a_variable_moves_its_port_and_while_it_runs_it_has_no_effect_and_that_is_said(tmp_path):
    ports.remember(tmp_path, ports.wanted({"CHILDVIEW_PORT_ISSUER": "8299"}))
    environment = {"CHILDVIEW_PORT_ISSUER": "8300"}
    assert ports.recall(tmp_path, environment, running=False) == [] and environment["CHILDVIEW_PORT_ISSUER"] == "8300"
    assert [port.name for port in ports.recall(tmp_path, environment, running=True)] == ["issuer"]
    assert environment["CHILDVIEW_PORT_ISSUER"] == "8299"
