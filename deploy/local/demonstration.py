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


def loaded(state: Path) -> bool:
    """Whether the demonstration is there, whole."""
    return (folder_of(state) / "loaded.json").exists()


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
    _protect(client, folder, progress)
    _import(client, folder, progress)
    say("waiting until everything is visible")
    client.wait(_patience(children))
    _declare_conflicts(client, folder)
    _park(client, folder)
    client.wait(_patience(children))
    marker.write_text(json.dumps({name: manifest[name] for name in ("children", "seed", "today", "counts")}))
    return 0


def _patience(children: int) -> float:
    """How long to wait for so many children to be visible: many times what it takes."""
    return 600 + children / 5


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


def _protect(client: Client, folder: Path, progress: Progress) -> None:
    """Before any extract brings the children."""
    protections, pairs = _read(folder, "protections.json"), _read(folder, "adoption_pairs.json")
    for done, one in enumerate(protections, 1):
        id = _person(client, one.pop("local_id"))
        client.ask("PUT", "socialcare", f"/v1/persons/{id}/protection", json=one)
        progress("protecting children", done, len(protections))
    for pair in pairs:
        one, other = _person(client, pair["one"]), _person(client, pair["other"])
        client.ask("POST", "socialcare", f"/v1/persons/{one}/adoption-pair", json={"other": other})


def _person(client: Client, local_id: str) -> str:
    return client.ask("POST", "socialcare", "/v1/persons", json={"local_id": local_id})["id"]


def _import(client: Client, folder: Path, progress: Progress) -> None:
    """Social care's extract as one delivery; of the schools, one delivery a folder: a few schools' censuses and marks."""
    progress("social care's extract", 0, 1)
    _check(client.send_files("socialcare", _files(folder / "socialcare")))
    progress("social care's extract", 1, 1)
    deliveries = [_files(place) for place in sorted((folder / "education").iterdir())]
    total, done = sum(map(_size, deliveries)), 0
    progress("schools' files (kB)", 0, total)
    for delivery in deliveries:
        _check(client.send_files("education", delivery))
        done += _size(delivery)
        progress("schools' files (kB)", done, total)


def _size(files: Sequence[Path]) -> int:
    """Kilobytes, of one at least."""
    return max(1, sum(path.stat().st_size for path in files) // 1000)


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
    done = client.ask("POST", "socialcare", path, json={"end_date": day})
    return f"{'ended' if done['events'] else 'it was ended already'}. {ending['see']}"


def screen(client: Client, state: Path) -> str:
    """Addresses, who to be, what to see, what to change."""
    folder = folder_of(state)
    told = _read(folder, "loaded.json")
    lines = ["", "Childview is running. Everyone in it is invented.", "", *_counts(told["counts"], client), ""]
    lines += [f"  {what:22} http://127.0.0.1:{port_of(name)}{path}" for what, name, path in ADDRESSES]
    if told["today"] < date.today().isoformat():
        lines += ["", f"  This data was made on {told['today']}: dates that say `yesterday` are off. `make reset demo` makes it anew."]
    lines += ["", "Who to be (sign in by choosing a name; `childview token ROLE` gives a bearer token):"]
    lines += [f"  {p['name']:28} {p['title']:34} {p['try']}" for p in _first_of_each_role(_read(folder, "personas.json"))]
    lines += ["", "What to see:"]
    people = _read(folder, "personas.json")
    names = {p["role"]: p["name"] for p in reversed(people)} | {p["person"]: p["name"] for p in people}
    for one in _read(folder, "scenarios.json"):
        search = ", ".join(str(value) for value in (one["search"] or {}).values())
        who = f"      as {names[one['be']]} (token {one['be']}), for {one['purpose']}; find: {search or '-'}"
        lines += [f"  {one['name']}", who, f"      {one['see']}"]
    manifest, returns = _read(folder, "manifest.json"), _short(folder / "returns", state)
    correction, deletion = (folder / manifest[name]["file"] for name in ("correction", "deletion"))
    lines += [
        "", "Change something, then reload the page:",
        f"  .venv/bin/childview import education --yes '{_short(correction, state)}'",
        "      corrects one mark",
        f"  .venv/bin/childview import education --yes '{_short(deletion, state)}'",
        "      deletes one contact",
        "  .venv/bin/childview demo end-involvement",
        "      ends one involvement",
        "", f"The last year's returns (CIN census, SSDA903) lie in {returns}",
        "They are not loaded whole: they tell again what the daily extract tells, under other ids.",
        "", "`make down` stops everything; `make demo` starts it again.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _counts(made: dict[str, int], client: Client) -> list[str]:
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


ADDRESSES = (
    ("the pages", "childview", "/"),
    ("the API, described", "childview", "/openapi.json"),
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
