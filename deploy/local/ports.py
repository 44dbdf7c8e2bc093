"""The ports of one installation: which are wanted, which of them are taken, and those of a running one, remembered.

A port that is moved by its variable stays where it is: it is written into the state folder, so that no later command needs
the variable. While everything runs the remembered ports are the true ones; before a start a variable moves its port.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from services.plumbing.settings import PORTS, port_variable

FILE = "ports.json"
BROKER = ("kafka", "kafka-controller")


class WrongPorts(Exception):
    """Ports are taken, or are none; the message names each with the variable that moves it."""


@dataclass(frozen=True)
class Port:
    """One process's port and the variable that moves it."""

    name: str
    variable: str
    number: int


def wanted(environment: Mapping[str, str] = os.environ) -> list[Port]:
    """The port of every process that is started here, by its variable, else the default. Raises WrongPorts for what is no port."""
    elsewhere = BROKER if environment.get("KAFKA_BOOTSTRAP_SERVERS") else ()
    named = [(name, port_variable(name)) for name in PORTS if name not in elsewhere]
    _numbers({variable: environment[variable] for _, variable in named if variable in environment})
    return [Port(name, variable, int(environment.get(variable, PORTS[name]))) for name, variable in named]


def _numbers(said: Mapping[str, str]) -> None:
    wrong = [f"  {variable}={text}" for variable, text in said.items() if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536)]
    if wrong:
        raise WrongPorts("\n".join(["a port is a number from 1 to 65535:", *wrong]))


def check(ports: Iterable[Port]) -> None:
    """Raises WrongPorts, naming every port that cannot be had: something uses it, or two processes are to have the same one."""
    found = list(ports)
    numbers = [port.number for port in found]
    wrong = [f"  {port.number} ({port.name}, {port.variable}): {why}" for port in found if (why := _why(port, numbers))]
    if wrong:
        raise WrongPorts("\n".join([
            "these ports cannot be had:", *wrong,
            "set each variable to a free port for this start (it is remembered), or stop what uses the port",
        ]))  # fmt: skip


def _why(port: Port, numbers: list[int]) -> str:
    """Why this port cannot be had, empty where it can."""
    if numbers.count(port.number) > 1:
        return "meant for two processes"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port.number))
        except PermissionError:
            return "not allowed to this account"
        except OSError:
            return "in use"
    return ""


def remember(state: Path, ports: Iterable[Port]) -> None:
    """Keep these ports for later commands."""
    temporary = state / f"{FILE}.new"
    temporary.write_text(json.dumps({port.name: port.number for port in ports}))
    temporary.replace(state / FILE)


def remembered(state: Path) -> dict[str, int]:
    """Name of a process -> its port, as last started; empty where nothing was."""
    path = state / FILE
    return json.loads(path.read_text()) if path.exists() else {}


def recall(state: Path, environment: MutableMapping[str, str], *, running: bool) -> list[Port]:
    """Put what is remembered into the environment, for this command and all that it starts: what runs is where it runs, whatever
    a variable says; of what does not run, a variable says where it shall. The ports whose variables had no effect."""
    known = [Port(name, port_variable(name), number) for name, number in remembered(state).items()]
    moved = [port for port in known if environment.get(port.variable, str(port.number)) != str(port.number)]
    for port in known:
        if running or port.variable not in environment:
            environment[port.variable] = str(port.number)
    return moved if running else []
