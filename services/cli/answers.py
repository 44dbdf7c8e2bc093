"""What a verb answers with, and how it says that it could not."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import httpx

from deploy.local.client import as_typed
from services.plumbing.settings import PORTS, port_of

DONE, FAILED, REFUSALS = 0, 1, 2


def say(line: str) -> None:
    """Progress, for people."""
    print(line, file=sys.stderr, flush=True)


def show(options: Any, body: Any, text: str) -> None:
    """The answer, as JSON or as text."""
    if options.json or text:
        print(json.dumps(body, ensure_ascii=False) if options.json else text)


def unreachable(error: httpx.HTTPError) -> str:
    """Which service cannot be reached, and how that showed."""
    port = error.request.url.port
    name = next((name for name in PORTS if port_of(name) == port), "a service")
    slow = isinstance(error, httpx.TimeoutException)
    return f"{name} {'does not answer in time' if slow else 'cannot be reached'} ({type(error).__name__})"


def os_text(error: OSError) -> str:
    """What the system says, and of what; of a connection, what to do."""
    if isinstance(error, ConnectionError):
        return f"a part of the installation cannot be reached ({type(error).__name__}); is it up? `make up`"
    return f"{error.filename or 'a file or connection'}: {error.strerror or type(error).__name__}"


def fail(asked: Sequence[str], why: str) -> NoReturn:
    """Say why and end: as JSON on standard output where JSON was asked for, for people on standard error."""
    why = as_typed(why)
    if "--json" in asked:
        print(json.dumps({"error": why}, ensure_ascii=False))
    else:
        print(f"childview: {why}", file=sys.stderr)
    sys.exit(FAILED)
