"""The processes of a local installation, in stages: PostgreSQL and Kafka, the issuer, the services."""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg

from deploy.local import kafka, postgres, secrets
from deploy.local.kafka import Broker
from deploy.local.postgres import Cluster
from deploy.local.secrets import Secrets
from deploy.local.supervisor import Program
from services.plumbing import contracts, demonstration
from services.plumbing.settings import port_of, process_name

ROOT = Path(__file__).parents[2]
PROCESSES = [
    ("policy", "api"), ("policy", "relay"),
    ("education", "api"), ("education", "relay"),
    ("socialcare", "api"), ("socialcare", "relay"),
    ("childview", "identity"), ("childview", "projector"), ("childview", "api"), ("childview", "relay"),
    ("audit", "api"), ("audit", "relay"),
]  # fmt: skip
IDENTITY = {"identity": "identity", "projector": "projector"}


def stages(state: Path) -> list[list[Program]]:
    """Every process, each with its environment and its readiness check."""
    found = secrets.load(state)
    cluster = Cluster(state / "postgres", port_of("postgres"), found.passwords["postgres"])
    first = [] if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else [_kafka(state)]
    services = [_service(state, found, cluster, service, role) for service, role in PROCESSES]
    return [[_postgres(cluster, found), *first], [_issuer(state)], services]


def bootstrap() -> str:
    """Where Kafka is."""
    return os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or f"127.0.0.1:{port_of('kafka')}"


def _postgres(cluster: Cluster, found: Secrets) -> Program:
    postgres.initialise(cluster)
    return Program(
        "postgres",
        postgres.command(cluster),
        {"PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
        ready=lambda: postgres.ready(cluster),
        ask=postgres.ASK,
        account=postgres.account(cluster),
        once_ready=lambda: asyncio.run(_databases(cluster, found)),
    )


async def _databases(cluster: Cluster, found: Secrets) -> None:
    """A database and a role for each service, marked as a demonstration's; no role may enter another's database."""
    conn = await asyncpg.connect(cluster.dsn())
    try:
        for name in secrets.SERVICES:
            if not await conn.fetchval("select exists (select from pg_roles where rolname = $1)", name):
                password = found.passwords[name].replace("'", "")
                await conn.execute(f"create role {name} login password '{password}'")
            if not await conn.fetchval("select exists (select from pg_database where datname = $1)", name):
                await conn.execute(f"create database {name} owner {name}")
                await conn.execute(f"revoke connect on database {name} from public")
    finally:
        await conn.close()
    for name in secrets.SERVICES:
        await demonstration.mark(cluster.dsn(role=name, password=found.passwords[name], database=name))


def _kafka(state: Path) -> Program:
    broker = Broker(state / "kafka", port_of("kafka"), port_of("kafka-controller"))
    kafka.initialise(broker)
    topics = contracts.topics(contracts.channels(*map(Path, _contracts().split(os.pathsep))))
    return Program(
        "kafka",
        kafka.command(broker),
        {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "LOG_DIR": str(state / "logs")},
        ready=lambda: kafka.ready(broker.bootstrap),
        once_ready=lambda: asyncio.run(kafka.create_topics(broker.bootstrap, topics)),
    )


def _issuer(state: Path) -> Program:
    return Program(
        "issuer",
        [sys.executable, "-m", "deploy.local.issuer"],
        _common(state),
        ready=_http(port_of("issuer")),
    )


def _service(state: Path, found: Secrets, cluster: Cluster, service: str, role: str) -> Program:
    name = process_name(service, role)
    return Program(
        name,
        [sys.executable, "-m", f"services.{service}.main", role],
        environment(state, found, cluster, service=service, identity=IDENTITY.get(role, service)),
        ready=_http(port_of(name)),
    )


def environment(
    state: Path, found: Secrets, cluster: Cluster, *, service: str, identity: str
) -> dict[str, str]:
    """A service process's environment."""
    return _common(state) | {
        "CHILDVIEW_DATABASE": cluster.dsn(role=service, password=found.passwords[service], database=service),
        "CHILDVIEW_KAFKA": bootstrap(),
        "CHILDVIEW_ISSUER": f"http://127.0.0.1:{port_of('issuer')}",
        "CHILDVIEW_CLIENT_SECRET": found.clients[identity],
        "CHILDVIEW_MASTER_KEY": found.master_keys[service],
        "CHILDVIEW_ADDRESS_KEY": found.address_key,
        "CHILDVIEW_DIGEST_KEY": found.digest_key,
        "CHILDVIEW_DEMONSTRATION": "1",
        "CHILDVIEW_CONTRACTS": _contracts(),
    }


def _contracts() -> str:
    """The folders of the contracts: a further domain's are named by the variable, after the project's own."""
    return os.environ.get("CHILDVIEW_CONTRACTS", str(ROOT / "contracts"))


def _common(state: Path) -> dict[str, str]:
    kept: Mapping[str, str] = {n: v for n, v in os.environ.items() if n.startswith("CHILDVIEW_") or n in ("PATH", "LANG", "HOME")}
    return {**kept, "CHILDVIEW_STATE": str(state), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TZ": "UTC"}


def _http(port: int) -> Callable[[], bool]:
    """Whether the process on this port says that it is ready."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    return ask
