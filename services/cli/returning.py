"""What came in goes out again: a year's return, written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.local.client import Client
from services.cli.answers import DONE, REFUSALS, say, show
from services.cli.grammar import Verbs


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    exports = verbs.verb("export", "write a return of a year from the register of social care", export)
    exports.add_argument("what", choices=("cin", "ssda903"))
    exports.add_argument("--year", type=int, required=True, help="of 31 March: 2026 is 1 April 2025 to 31 March 2026")
    exports.add_argument("--out", type=Path, required=True, help="the file to write: XML (cin) or a zip of CSV (ssda903)")
    exports.add_argument("--authority", help="the local authority's code, three digits")


def export(options: Any) -> int:
    """A return of a year. What is left out of it is said, and makes it done with refusals."""
    from services.socialcare.returns.api import REPORT

    params = {"year": options.year} | ({"authority": options.authority} if options.authority else {})
    with Client() as client:
        found = client.fetch("socialcare", f"/v1/returns/{options.what}", options.out.absolute(), said=REPORT, **params)
    for line in _return_lines(found):
        say(line)
    show(options, {"out": str(options.out), **found}, "")
    return REFUSALS if found["left_out"] else DONE


def _return_lines(found: dict[str, Any]) -> list[str]:
    rows = ", ".join(f"{name} {count}" for name, count in found["rows"].items())
    lines = [f"children: {found['children']}, left out: {found['children_left_out']}", f"rows: {rows}"]
    lines += [f"  {one['count']} x {one['where']}: {one['why']}" for one in found["left_out"]]
    return [*lines, f"which children: {found['report']}"] if found["left_out"] else lines
