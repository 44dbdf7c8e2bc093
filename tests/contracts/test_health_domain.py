"""A further domain joins by contracts alone: a toy `health` service through real Kafka into a filtered read."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local import secrets
from services.plumbing import app as wires
from services.plumbing import database, demonstration, source
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.settings import Settings, from_environment
from services.plumbing.source import Kind
from services.policy.main import starter_policies
from tests.journeys.installation import ROOT, Installation, installed

DOMAIN = Path(__file__).parent / "health_domain"
CHILD = {"given_name": "Imogen", "family_name": "Inventada", "birth_date": "2025-03-04"}
STAFF = """person_id,post_id,name,role,organisation_kind,organisations,team_ids,professional_ids,training,vetting_until
hv,hv-post,Invented Visitor,health-visitor,health,,,hv-1,data_protection:2099-01-01;safeguarding_3:2099-01-01,2099-01-01
sw,sw-post,Invented Worker,social-worker,social_care,,,sw-1,data_protection:2099-01-01;safeguarding_3:2099-01-01,2099-01-01
"""
PEOPLE = [
    {"role": role, "person": person, "post": f"{person}-post", "name": "invented", "title": role, "purpose": "casework", "try": ""}
    for role, person in (("health-visitor", "hv"), ("social-worker", "sw"))
]
POLICY = {
    "uid": "T01-visits-full",
    "description": "The named health visitor sees the visits.",
    "effect": "allow",
    "rules": {
        "subject": {"$.post_role": {"condition": "Equals", "value": "health-visitor"}},
        "resource": {"$.category": {"condition": "Equals", "value": "health_visits"}},
        "context": {"$.relationship.kinds": {"condition": "AnyIn", "values": ["health_named"]}},
        "action": {},
    },
    "targets": {"subject_id": "*", "resource_id": "*", "action_id": "full"},
}
KIND = Kind("health", "child", recognise=lambda codes: None, readers={"*": frozenset({"identity", "projector"})})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that was told of one more folder of contracts, and nothing else."""
    extra = {
        "CHILDVIEW_CONTRACTS": os.pathsep.join([str(ROOT / "contracts"), str(DOMAIN)]),
        "CHILDVIEW_URL_HEALTH": f"http://127.0.0.1:{free_port()}",
    }
    with installed(tmp_path_factory.mktemp("health") / "state", extra=extra) as running:
        (running.state / "personas.json").write_text(json.dumps(PEOPLE))
        running.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", STAFF.encode())})
        running.client.ask("POST", "policy", "/v1/bundles", json={"policies": [*starter_policies(), POLICY]})
        yield running


async def settings_of_health(here: Installation) -> Settings:
    """A database of its own, keys of its own, a port of its own."""
    password = secrets.load(here.state).passwords["postgres"]
    server = f"postgresql://postgres:{password}@127.0.0.1:{here.port('postgres')}"
    conn = await asyncpg.connect(f"{server}/postgres")
    await conn.execute("create database health")
    await conn.close()
    await demonstration.mark(f"{server}/health")
    mine = {
        "CHILDVIEW_DATABASE": f"{server}/health", "CHILDVIEW_ISSUER": f"http://127.0.0.1:{here.port('issuer')}",
        "CHILDVIEW_DEMONSTRATION": "1", "CHILDVIEW_CLIENT_SECRET": "none", "CHILDVIEW_MASTER_KEY": "42" * 32,
        "CHILDVIEW_ADDRESS_KEY": "43" * 32, "CHILDVIEW_DIGEST_KEY": "44" * 32,
    }  # fmt: skip
    found = from_environment("policy", "api", {**here.environment, **mine})
    port = int(here.environment["CHILDVIEW_URL_HEALTH"].rpartition(":")[2])
    return dataclasses.replace(found, service="health", port=port, kafka=f"127.0.0.1:{here.port('kafka')}")


@contextlib.asynccontextmanager
async def running_health(settings: Settings) -> AsyncIterator[None]:
    """The toy service and its relay, by the plumbing that every source uses."""
    served = asyncio.create_task(wires.serve(source.application(KIND, settings), settings))
    relay = asyncio.create_task(source.run_relay(dataclasses.replace(settings, role="relay", port=free_port())))
    try:
        async with httpx.AsyncClient() as http:
            for _ in range(100):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"http://127.0.0.1:{settings.port}/health/ready")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield
    finally:
        for task in (served, relay):
            task.cancel()
        await asyncio.gather(served, relay, return_exceptions=True)


def statements() -> list[Statement]:
    involved = {"involvement_id": "i1", "professional_id": "hv-1", "involvement_kind": "health_named", "organisation_kind": "health",
                "start_date": "2025-04-01"}  # fmt: skip
    visit = {"visit_id": "V1", "visit_date": "2025-05-06", "outcome": "thriving"}
    return [
        Statement("health.person-recorded.v1", "R-IDENT", CHILD),
        Statement("health.involvement-recorded.v1", "R-CASE", involved),
        Statement("health.visit-recorded.v1", "R-HEALTH", visit),
    ]


async def publish(settings: Settings) -> None:
    from services.plumbing.telemetry import Telemetry

    async with source.opened(KIND, settings, Telemetry("health-test")) as register_of:
        async with database.transaction(register_of.pool) as conn:
            stream = await register_of.register.make(conn, ("local", str(uuid.uuid4())))
            await register_of.register.change(conn, stream, statements(), Provenance("2025-05-06"))


async def found_by(here: Installation, who: str, purpose: str) -> dict[str, Any]:
    """The child as this person reads it, once it is visible."""
    for _ in range(150):
        items = await asyncio.to_thread(here.search, who, purpose=purpose, **CHILD)
        if items:
            return (await asyncio.to_thread(here.read, who, items[0]["id"], purpose=purpose)).json()
        await asyncio.sleep(0.2)
    raise AssertionError("the child did not become visible")


async def test_a_visit_is_read_by_the_named_health_visitor_and_by_nobody_else(here):
    settings = await settings_of_health(here)
    async with running_health(settings):
        await publish(settings)
        hers = await found_by(here, "hv", "casework")
        other = await found_by(here, "sw", "enquiry")
    visits = hers["entries"]["health_visits"]["items"]
    assert [one["fields"]["visit_outcome"]["value"] for one in visits] == ["thriving"]
    assert "health_visits" not in other["entries"]
    assert "thriving" not in json.dumps(other)
