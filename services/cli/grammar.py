"""How verbs are typed. Every module of verbs declares its own, by `declare`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from deploy.local.client import Failed, typed


class Parser(argparse.ArgumentParser):
    """Asked wrongly is failed, like any other failure: argparse itself would exit with 2, which says `refusals` here."""

    def error(self, message: str) -> NoReturn:
        """Raises Failed."""
        raise Failed(f"{message}; see `{self.prog} --help`")


class Verbs:
    """Verbs of one level: of the command itself, or of a group such as `park`."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._made = parser.add_subparsers(required=True, metavar="VERB")

    def verb(self, name: str, help: str, run: Callable[[Any], int]) -> argparse.ArgumentParser:
        """One verb, which takes --json; what else it takes is added to what this gives. run: the exit code of its options."""
        made = self._made.add_parser(name, help=help, description=help)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(run=run)
        return made

    def group(self, name: str, help: str) -> Verbs:
        """Verbs that begin with this word."""
        return Verbs(self._made.add_parser(name, help=help))


def command() -> tuple[Parser, Verbs]:
    """The command, and where its verbs are declared."""
    parser = Parser(prog=typed(), description="Childview, an open Integrated Children's System.")
    return parser, Verbs(parser)


def seconds(text: str) -> float:
    """A span of time. Raises ArgumentTypeError for what is none, such as a negative one."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 86_400:
        raise argparse.ArgumentTypeError("give seconds, 0 or more and less than a day")
    return found
