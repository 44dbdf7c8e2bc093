"""Start, stop, forget: the processes of the installation."""

from __future__ import annotations

from typing import Any

from deploy.local.client import state_folder
from services.cli.answers import DONE, say, show
from services.cli.grammar import Verbs


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    verbs.verb("up", "start every process", up)
    verbs.verb("down", "stop every process", down)
    verbs.verb("reset", "stop every process and forget everything", reset)


def up(options: Any) -> int:
    from deploy.local import ports, supervisor

    supervisor.up(state_folder(), say=say, listening=ports.wanted())
    show(options, {"state": "running"}, "everything is ready")
    return DONE


def down(options: Any) -> int:
    from deploy.local import supervisor

    supervisor.down(state_folder())
    show(options, {"state": "down"}, "nothing is running")
    return DONE


def reset(options: Any) -> int:
    import shutil

    from deploy.local import supervisor

    supervisor.down(state_folder())
    shutil.rmtree(state_folder(), ignore_errors=True)
    show(options, {"state": "down", "forgotten": True}, "nothing is running, and everything is forgotten")
    return DONE
