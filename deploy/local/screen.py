"""What a newcomer reads when the demonstration is there: addresses, who to be, what to see, what to change."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deploy.local.client import as_typed, typed
from deploy.local.demonstration import MARKER, Client, Loaded, folder_of
from services.plumbing.settings import port_of

ADDRESSES = (
    ("the pages", "childview", "/"),
    ("the API, described", "childview", "/openapi.json"),
    ("whether it is ready", "childview", "/health/ready"),
)
QUEUE = "duplicates"
"""The path of a scenario that no page shows yet."""


def screen(client: Client, state: Path) -> str:
    """The whole of it."""
    folder = folder_of(state)
    told, people, scenarios = (_read(folder, name) for name in (MARKER, "personas.json", "scenarios.json"))
    lines = ["", "Childview is running. Everyone in it is invented.", "", *_counts(told["counts"], client), ""]
    lines += [f"  {what:22} http://127.0.0.1:{port_of(name)}{path}" for what, name, path in ADDRESSES]
    if told["today"] < date.today().isoformat():
        lines += ["", f"  This data was made on {told['today']}: dates that say `yesterday` are off. `make reset demo` makes it anew."]
    lines += ["", *who_to_be(people, scenarios), "", *what_to_see(people, scenarios), "", *_changes(folder, state), ""]
    lines += [
        f"The last year's returns (CIN census, SSDA903) lie in {_short(folder / 'returns', state)}",
        "They are not loaded whole: they tell again what the daily extract tells, under other ids.",
        "", "`make down` stops everything; `make demo` starts it again.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def instead(there: Loaded, *, children: int, seed: int) -> str:
    """What is loaded already, and how to get what was asked for if that is something else."""
    held = f"loaded already: an authority of {there.children:,} children, seed {there.seed}, made on {there.made}"
    if (there.children, there.seed) == (children, seed):
        return f"{held}; `make reset` forgets it"
    return f"{held}; for {children:,} children, seed {seed}, in its place: `make reset demo CHILDREN={children} SEED={seed}`"


def _counts(made: Mapping[str, int], client: Client) -> list[str]:
    """How many there are: as invented, and as the view knows them now."""
    status = client.ask("GET", "childview", "/v1/status")
    held = sum(status["held"].values())
    return [
        f"  {made['children']:,} children at {made['schools']} schools and with social care; {made['practitioners']} practitioners",
        f"  {made['in_need']} children in need, {made['plans']} of them on protection plans, {made['looked_after']} looked after",
        f"  {made['care_leavers']} care leavers, {made['early_help']} who had early help",
        f"  {made['shielded']} shielded, {made['adopted']} adopted, {made['risk_linked']} with a risk in the family",
        f"  {status['children']:,} children in the view ({held} records held for people to decide)",
    ]


def who_to_be(people: Sequence[Mapping[str, Any]], scenarios: Sequence[Mapping[str, Any]]) -> list[str]:
    """One person of every role: those who have pages first, then those whose work is reached by the API alone, then those whose
    post reads no child."""
    first = [person for number, person in enumerate(people) if person["role"] not in {one["role"] for one in people[:number]}]
    named = {one["be"] for one in scenarios if one["path"] == QUEUE}
    readers = [person for person in first if person["purpose"]]
    by_api = [person for person in readers if named & {person["role"], person["person"]}]
    groups = {
        "Who to be on the pages (sign in by choosing a name):": [person for person in readers if person not in by_api],
        f"Who to be by the API alone (no page yet; `{typed()} token ROLE` gives a bearer token, for anybody):": by_api,
        "Who can sign in and reads no child (their pages come later):": [person for person in first if not person["purpose"]],
    }
    width = max(len(person["title"]) for person in first)
    found = [[title, *(_person(person, width) for person in them)] for title, them in groups.items() if them]
    return [line for group in found for line in (*group, "")][:-1]


def _person(person: Mapping[str, Any], width: int) -> str:
    return f"  {person['name']:22} {person['title']:{width}}  {as_typed(person['try'])}"


def what_to_see(people: Sequence[Mapping[str, Any]], scenarios: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every scenario: on the pages first; what the API alone shows stands apart, with what to type."""
    names = {p["role"]: p["name"] for p in reversed(people)} | {p["person"]: p["name"] for p in people}
    queued = [one for one in scenarios if one["path"] == QUEUE]
    lines = ["What to see on the pages:"]
    lines += [line for one in scenarios if one not in queued for line in _scenario(one, names)]
    if queued:
        lines += ["", "What to see by the API (no page yet):", *_curl(queued[0]), ""]
        lines += [line for one in queued for line in _scenario(one, names)]
    return lines


def _scenario(one: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    search = ", ".join(str(value) for value in (one["search"] or {}).values())
    who = f"      as {names[one['be']]} (token {one['be']}), for {one['purpose']}; find: {search or '-'}"
    return [f"  {one['name']}", who, f"      {as_typed(one['see'])}"]


def _curl(one: Mapping[str, Any]) -> list[str]:
    return [
        f"  curl -s 127.0.0.1:{port_of('childview')}/v1/{QUEUE} -H \"Purpose-Of-Use: {one['purpose']}\" \\",
        f"       -H \"Authorization: Bearer $({typed()} token {one['be']})\"",
    ]


def _changes(folder: Path, state: Path) -> list[str]:
    manifest = _read(folder, "manifest.json")
    correction, deletion = (_short(folder / manifest[name]["file"], state) for name in ("correction", "deletion"))
    return [
        "Change something, then reload the page:",
        f"  {typed()} import education --yes {shlex.quote(correction)}", "      corrects one mark",
        f"  {typed()} import education --yes {shlex.quote(deletion)}", "      deletes one contact",
        f"  {typed()} demo end-involvement", "      ends one involvement",
    ]  # fmt: skip


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def _short(path: Path, state: Path) -> str:
    """The path as a newcomer in the project's folder would type it."""
    root = state.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) and state.name == ".childview" else str(path)
