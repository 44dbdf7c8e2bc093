"""The command line `childview`. The one module that may import every service's verbs.

Every verb takes --json, and then answers in JSON on standard output, also where it fails; progress goes to standard error;
exit 0 done, 1 failed (also where it was asked wrongly), 2 done with refusals.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import httpx

from deploy.local.client import Failed, state_folder
from services.cli import delivering, demonstration, grammar, identity, log, policies, processes, returning, status, view, watching
from services.cli.answers import FAILED, fail, os_text, say, unreachable

VERBS = (processes, status, delivering, watching, returning, view, demonstration, log, policies, identity)
"""The modules of verbs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    asked = sys.argv[1:] if arguments is None else list(arguments)
    from deploy.local.ports import WrongPorts
    from deploy.local.supervisor import CannotStart

    try:
        options = _parser().parse_args(asked)
        _where_it_is()
        code = options.run(options)
        sys.stdout.flush()
        sys.exit(code)
    except (Failed, CannotStart, WrongPorts) as error:
        fail(asked, str(error))
    except httpx.HTTPError as error:
        fail(asked, f"{unreachable(error)}; is it up? `make up`")
    except BrokenPipeError:  # whoever read it has seen enough (`head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        fail(asked, os_text(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _where_it_is() -> None:
    """The installation's ports, as it was started with: no later command needs their variables. Raises WrongPorts."""
    from deploy.local import ports, supervisor

    state = state_folder()
    ports.wanted()
    for port in ports.recall(state, os.environ, running=supervisor.alive(state)):
        say(f"{port.variable} has no effect: {port.name} runs on {port.number}; `make down` first, then it moves")


def _parser() -> grammar.Parser:
    parser, verbs = grammar.command()
    for module in VERBS:
        module.declare(verbs)
    return parser
