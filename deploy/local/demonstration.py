"""The demonstration: an invented authority, loaded as a real one would be, and a screen that says what to try."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from deploy.local.authority.generate import generate
from deploy.local.installation import bootstrap
from services.plumbing.settings import port_of

LOAD_TIMEOUT = 1800
MOST_AT_ONCE = 20
"""Files of marks in one delivery: progress is seen after each."""
Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


class Client(Protocol):
    """What the demonstration asks of the command line's client."""

    def ask(self, method: str, service: str, path: str, *, token: str | None = None, **kwargs: Any) -> Any: ...

    def send_files(self, service: str, paths: Sequence[Path], **form: str) -> list[dict[str, Any]]: ...

    def wait(self, timeout: float) -> int: ...

    def user_token(self, persona: dict[str, Any], audience: str = "childview") -> str: ...


def folder_of(state: Path) -> Path:
    """Where the invented authority's files lie."""
    return state / "demonstration"


def load(client: Client, state: Path, *, children: int, seed: int, say: Say, progress: Progress) -> int:
    """Generate and load; 0. Loaded before: nothing is done. Ended half-way: everything is sent again, which is harmless."""
    folder = folder_of(state)
    marker = folder / "loaded.json"
    if marker.exists():
        held = json.loads(marker.read_text())
        say(f"the demonstration is loaded already: {held['children']} children, seed {held['seed']} (`make reset` forgets it)")
        return 0
    manifest = _generated(folder, children=children, seed=seed, say=say, progress=progress)
    client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", (folder / "staff.csv").read_bytes())})
    shutil.copyfile(folder / "personas.json", state / "personas.json")
    say("protecting children before any extract brings them")
    _protect(client, folder)
    _import(client, folder, say, progress)
    say("waiting until everything is visible")
    client.wait(LOAD_TIMEOUT)
    _declare_conflicts(client, folder)
    _park(client, folder)
    client.wait(LOAD_TIMEOUT)
    marker.write_text(json.dumps({"children": manifest["children"], "seed": seed, "today": manifest["today"]}))
    return 0


def _generated(folder: Path, *, children: int, seed: int, say: Say, progress: Progress) -> dict[str, Any]:
    """The authority's files, made now unless the same ones are there from a load that was cut short today."""
    path = folder / "manifest.json"
    wanted = {"children": children, "seed": seed, "today": date.today().isoformat()}
    if path.exists():
        held = json.loads(path.read_text())
        if {name: held[name] for name in wanted} == wanted:
            return held
    say(f"inventing an authority of {children} children (seed {seed})")
    shutil.rmtree(folder, ignore_errors=True)
    return generate(folder, children=children, seed=seed, today=date.today(), progress=progress)


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def _protect(client: Client, folder: Path) -> None:
    for one in _read(folder, "protections.json"):
        id = _person(client, one.pop("local_id"))
        client.ask("PUT", "socialcare", f"/v1/persons/{id}/protection", json=one)
    for pair in _read(folder, "adoption_pairs.json"):
        one, other = _person(client, pair["one"]), _person(client, pair["other"])
        client.ask("POST", "socialcare", f"/v1/persons/{one}/adoption-pair", json={"other": other})


def _person(client: Client, local_id: str) -> str:
    return client.ask("POST", "socialcare", "/v1/persons", json={"local_id": local_id})["id"]


def _import(client: Client, folder: Path, say: Say, progress: Progress) -> None:
    """Social care as one delivery, the census as one, the schools' marks a few files at a time."""
    say("social care's extract")
    _check(client.send_files("socialcare", _files(folder / "socialcare")))
    files = _files(folder / "education")
    marks = [path for path in files if path.suffix == ".json"]
    say("the school census")
    _check(client.send_files("education", [path for path in files if path not in marks]))
    for start in range(0, len(marks), MOST_AT_ONCE):
        progress("schools' marks", start, len(marks))
        _check(client.send_files("education", marks[start : start + MOST_AT_ONCE]))
    progress("schools' marks", len(marks), len(marks))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _check(files: Sequence[dict[str, Any]]) -> None:
    """The generator's own files are never refused whole."""
    for one in files:
        if "why" in one:
            raise RuntimeError(f"{one['file']}: {one['why']}")


def _declare_conflicts(client: Client, folder: Path) -> None:
    """Staff declare children they must not open: found by search, as they would have been."""
    people = _read(folder, "personas.json")
    for one in _read(folder, "conflicts.json"):
        persona = next(p for p in people if p["person"] == one["person"])
        child = _found(client, persona, one["search"])
        client.ask("POST", "policy", f"/v1/people/{one['person']}/conflicts", json={"child": child, "kind": one["kind"]})


def _found(client: Client, persona: dict[str, Any], search: dict[str, Any]) -> str:
    token = client.user_token(persona)
    headers = {"Purpose-Of-Use": persona["purpose"]}
    items = client.ask("POST", "childview", "/v1/children/search", token=token, headers=headers, json=search)["items"]
    if not items:
        raise RuntimeError("a child of the demonstration was not found")
    return items[0]["id"]


def _park(client: Client, folder: Path) -> None:
    """A record that nobody can read comes to one stream: it waits, and people are told."""
    one = _read(folder, "parked.json")
    id = _person(client, one["local_id"]) if one["service"] == "socialcare" else _pupil(client, one)
    asyncio.run(send_unreadable(f"{one['service']}.events", id))


def _pupil(client: Client, one: dict[str, Any]) -> str:
    body = {"kind": one.get("kind", "census"), "value": one["local_id"]}
    return client.ask("POST", "education", "/v1/pupils/find", json=body)["id"]


async def send_unreadable(topic: str, key: str) -> None:
    """A record of a stream that nobody can read."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, key=key.encode(), value=b"{this is no event")
    finally:
        await producer.stop()


# -- what to try -------------------------------------------------------------------------------------------------


def end_involvement(client: Client, state: Path) -> str:
    """End the involvement that the screen names, as of yesterday: what its worker sees changes on reload."""
    ending = _read(folder_of(state), "manifest.json")["ending"]
    id = _person(client, ending["local_id"])
    day = (date.today() - timedelta(days=1)).isoformat()
    path = f"/v1/persons/{id}/involvements/{ending['involvement_id']}/end"
    client.ask("POST", "socialcare", path, json={"end_date": day})
    return f"ended. {ending['see']}"


def screen(client: Client, state: Path) -> str:
    """Addresses, who to be, what to see, what to change."""
    folder = folder_of(state)
    loaded = _read(folder, "loaded.json")
    lines = ["", "Childview is running. Everyone in it is invented.", ""]
    lines += [f"  {what:22} http://127.0.0.1:{port_of(name)}{path}" for what, name, path in ADDRESSES]
    if loaded["today"] < date.today().isoformat():
        lines += ["", f"  This data was made on {loaded['today']}: dates that say `yesterday` are off. `make reset demo` makes it anew."]
    lines += ["", "Who to be (sign in by choosing a name; `childview token ROLE` gives a bearer token):"]
    lines += [f"  {p['name']:28} {p['title']:34} {p['try']}" for p in _first_of_each_role(_read(folder, "personas.json"))]
    lines += ["", "What to see:"]
    people = _read(folder, "personas.json")
    names = {p["role"]: p["name"] for p in reversed(people)} | {p["person"]: p["name"] for p in people}
    for one in _read(folder, "scenarios.json"):
        search = ", ".join(str(value) for value in (one["search"] or {}).values())
        who = f"      as {names[one['be']]}, for {one['purpose']}; find: {search or '-'}"
        lines += [f"  {one['name']}", who, f"      {one['see']}"]
    correction = folder / _read(folder, "manifest.json")["correction"]["file"]
    lines += [
        "", "Change something, then reload the page:",
        f"  .venv/bin/childview import education --yes '{_short(correction, state)}'",
        "      corrects one mark",
        "  .venv/bin/childview demo end-involvement",
        "      ends one involvement",
        "", "`make down` stops everything; `make demo` starts it again.", "",
    ]  # fmt: skip
    return "\n".join(lines)


ADDRESSES = (
    ("the pages", "childview", "/"),
    ("the API", "childview", "/v1"),
    ("its description", "childview", "/openapi.json"),
    ("whether it is ready", "childview", "/health/ready"),
)


def _first_of_each_role(people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    for person in people:
        seen.setdefault(person["role"], person)
    return list(seen.values())


def _short(path: Path, state: Path) -> str:
    """The path as a newcomer in the project's folder would type it."""
    root = state.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) and state.name == ".childview" else str(path)
