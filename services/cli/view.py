"""The view: waited for, and made again from the log."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from deploy.local.client import Client, Failed, state_folder
from services.cli.answers import DONE, FAILED, show
from services.cli.grammar import Verbs
from services.plumbing.settings import port_of


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    waits = verbs.verb("wait", "wait until everything recorded is visible", wait)
    waits.add_argument("--timeout", type=float, default=300)
    rebuilds = verbs.verb("rebuild", "make the view again from the log beside the live one", rebuild)
    rebuilds.add_argument("--verify", action="store_true", help="compare only, and exit 1 if they differ")


def wait(options: Any) -> int:
    with Client() as client:
        children = client.wait(options.timeout)
    show(options, {"visible": True, "children": children}, f"everything is visible: {children} children")
    return DONE


def rebuild(options: Any) -> int:
    from services.childview.projection.rebuild import LogIncomplete, OtherVersion, RebuildRuns

    settings = settings_of("projector")

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {total} records   ", end="", file=sys.stderr, flush=True)

    try:
        return _verify(options, settings, progress) if options.verify else _flip(options, settings, progress)
    except (RebuildRuns, LogIncomplete, OtherVersion) as error:
        raise Failed(str(error)) from None


def settings_of(role: str) -> Any:
    """The settings of one of childview's processes, as the installation here has them."""
    from deploy.local import installation, secrets
    from deploy.local.postgres import Cluster
    from services.plumbing.settings import from_environment

    state = state_folder()
    found = secrets.load(state)
    cluster = Cluster(state / "postgres", port_of("postgres"), found.passwords["postgres"])
    environment = os.environ | installation.environment(state, found, cluster, service="childview", identity=role)
    return from_environment("childview", role, environment)


def _flip(options: Any, settings: Any, progress: Any) -> int:
    from services.childview import main as childview

    now = asyncio.run(childview.flip_rebuild(settings, progress))
    body = {"flipped": True, "children": now["children"], "records": now["records"], "parked": now["parked"]}
    show(options, body, f"the rebuilt view is live: {now['children']} children; reads go on with the next heartbeats")
    return DONE


def _verify(options: Any, settings: Any, progress: Any) -> int:
    from services.childview import main as childview

    live, beside = asyncio.run(childview.verify_rebuild(settings, progress))
    equal = live == beside
    lines = [f"{table:10} live {live[table]}  rebuilt {beside[table]}" for table in live]
    show(options, {"equal": equal, "live": live, "rebuilt": beside}, "\n".join([*lines, "equal" if equal else "THEY DIFFER"]))
    return DONE if equal else FAILED
