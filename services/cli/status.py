"""How things stand, as far as those who know it answer."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx

from deploy.local.client import Client, Failed, state_folder
from services.cli.answers import DONE, FAILED, show, unreachable
from services.cli.delivering import SOURCES
from services.cli.grammar import Verbs

PATIENCE = 5.0
"""Seconds that `status` waits for one service."""


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    verbs.verb("status", "how things stand", status)


def status(options: Any) -> int:
    from deploy.local import supervisor

    found = supervisor.read_status(state_folder())
    processes = [{"name": p["name"], "pid": p["pid"], "restarts": p["restarts"]} for p in found.get("processes", [])]
    body: dict[str, Any] = {"state": found.get("state", "down"), "processes": processes}
    if body["state"] == "running":
        body |= _counted()
    show(options, body, _status_text(body, found))
    return DONE if body["state"] == "running" and "why" not in body else FAILED


def _counted() -> dict[str, Any]:
    """How much there is, how fresh, what waits and what is silent, as far as those who know it answer; `why` says who does not."""
    body: dict[str, Any] = {"silent": [], "waiting": {}}
    away: dict[str, None] = {}
    with Client(timeout=PATIENCE) as client:
        for question in (_in_the_view, _in_the_ledger, *(partial(_heard, service=service) for service in SOURCES)):
            try:
                question(client, body)
            except Failed as error:
                away[str(error)] = None
            except httpx.HTTPError as error:
                away[unreachable(error)] = None
    return body | ({"why": "\n".join(away)} if away else {})


def _in_the_view(client: Client, body: dict[str, Any]) -> None:
    counted = client.ask("GET", "childview", "/v1/status")
    body |= {name: counted[name] for name in ("children", "parked", "records", "fresh_as_of", "held")}


def _in_the_ledger(client: Client, body: dict[str, Any]) -> None:
    ledger = client.ask("GET", "audit", "/v1/ledger")
    body["topics"] = {topic: sum(parts.values()) for topic, parts in ledger["next"].items()}
    body["events"] = sum(n for topic, n in body["topics"].items() if topic.endswith(".events"))


def _heard(client: Client, body: dict[str, Any], *, service: str) -> None:
    """Which kinds of files are silent for longer than their rhythm, and how many rows wait."""
    found = client.ask("GET", service, "/v1/deliveries")
    body["waiting"][service] = found["waiting"]["rows"]
    body["silent"] += [_silence(service, one) for one in found["deliveries"] if one["silent"]]


def _silence(service: str, one: dict[str, Any]) -> dict[str, Any]:
    return {"service": service, "kind": one["kind"], "last": one["silent_since"], "organisations": len(one["silent_organisations"])}


def _status_text(body: dict[str, Any], found: dict[str, Any]) -> str:
    lines = [f"state: {body['state']}" + (f" ({found['why']})" if found.get("why") else "")]
    last = {one["name"]: one.get("last", "") for one in found.get("processes", [])}
    lines += [f"  {p['name']:18} {p['pid'] or 'down':>8}  restarts {p['restarts']}  {last[p['name']]}".rstrip() for p in body["processes"]]
    lines += body.get("why", "").splitlines()
    told = ("children", "records", "held", "parked", "events", "fresh_as_of", "waiting")
    lines += [f"{name}: {_told(body[name])}" for name in told if name in body]
    lines += [f"SILENT: {one['kind']} ({one['service']}), last came {one['last']}" for one in body.get("silent", [])]
    return "\n".join(lines)


def _told(value: Any) -> str:
    """A number, or several by name; of a time nothing below the second."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)[:19]
