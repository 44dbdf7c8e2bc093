"""The demonstration: an invented authority, loaded as a real one would be."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from deploy.local.authority.generate import generate
from deploy.local.installation import bootstrap

MARKER = "loaded.json"
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


@dataclass(frozen=True)
class Loaded:
    """An authority that is there, whole. made: the day it was invented. before: it was there already."""

    children: int
    seed: int
    made: str
    before: bool


def loaded(state: Path) -> Loaded | None:
    """The demonstration that is there, whole."""
    marker = folder_of(state) / MARKER
    if not marker.exists():
        return None
    held = json.loads(marker.read_text())
    return Loaded(held["children"], held["seed"], held["today"], before=True)


def load(client: Client, state: Path, *, children: int, seed: int, say: Say, progress: Progress) -> Loaded:
    """Generate and load; what is there then. Loaded before: nothing is done, whatever was asked for. Ended half-way: everything
    is sent again, which is harmless."""
    if (there := loaded(state)) is not None:
        return there
    folder = folder_of(state)
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
    (folder / MARKER).write_text(json.dumps({name: manifest[name] for name in ("children", "seed", "today", "counts")}))
    return Loaded(manifest["children"], manifest["seed"], manifest["today"], before=False)


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


def end_involvement(client: Client, state: Path) -> str:
    """End the involvement that the screen names, as of yesterday: what its worker sees changes on reload."""
    ending = _read(folder_of(state), "manifest.json")["ending"]
    id = _person(client, ending["local_id"])
    day = (date.today() - timedelta(days=1)).isoformat()
    path = f"/v1/persons/{id}/involvements/{ending['involvement_id']}/end"
    done = client.ask("POST", "socialcare", path, json={"end_date": day})
    return f"{'ended' if done['events'] else 'it was ended already'}. {ending['see']}"
