"""Real PostgreSQL and real Kafka for the tests that cross a process; both end with the run, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import kafka as local_kafka
from deploy.local import postgres as local_postgres
from deploy.local.process import Account, spawn
from services.education import importing as education
from services.socialcare import importing as socialcare
from tests.importing import Desk, desk
from tests.serving import Authority
from tests.serving import authority as running_authority


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def running(
    command: list, *, ready: Callable[[], bool], log: Path, account: Account | None = None, ask: signal.Signals
) -> Iterator[subprocess.Popen]:
    """A process from ready to ended."""
    with log.open("wb") as output:
        process = spawn(command, output=output, account=account, parting=ask)
    try:
        deadline = time.monotonic() + 60
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-800:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(ask)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The administrator's address of a running PostgreSQL."""
    folder = tmp_path_factory.mktemp("postgres")
    cluster = local_postgres.Cluster(folder / "data", free_port(), "test")
    local_postgres.initialise(cluster)
    yield from (
        cluster.dsn()
        for _ in running(
            local_postgres.command(cluster),
            ready=lambda: local_postgres.ready(cluster),
            log=folder / "log",
            account=local_postgres.account(cluster),
            ask=local_postgres.ASK,
        )
    )


@pytest.fixture
async def make_database(postgres: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Makes fresh, empty databases; gives the address of each."""
    conn = await asyncpg.connect(postgres)
    made: list[str] = []

    async def make() -> str:
        made.append(f"test_{uuid.uuid4().hex[:12]}")
        await conn.execute(f"create database {made[-1]}")
        return postgres.rsplit("/", 1)[0] + f"/{made[-1]}"

    try:
        yield make
    finally:
        for name in made:
            await conn.execute(f"drop database {name} with (force)")
        await conn.close()


@pytest.fixture
async def database(make_database: Callable[[], Awaitable[str]]) -> str:
    """The address of a fresh, empty database."""
    return await make_database()


@pytest.fixture
async def school(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk that takes what schools send."""
    made = await desk(database, "education", education.recognise, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def care(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk that takes what social care sends."""
    made = await desk(database, "socialcare", socialcare.recognise, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def authority(
    request: pytest.FixtureRequest, make_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Authority]:
    """An issuer, policy and socialcare, or the services that a test module names in `SERVICES`."""
    services = getattr(request.module, "SERVICES", ("policy", "socialcare"))
    async with running_authority(make_database, free_port, tmp_path, services) as running:
        yield running


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a running Kafka without topics; `make_topics` makes some."""
    broker = local_kafka.Broker(tmp_path_factory.mktemp("kafka"), free_port(), free_port())
    local_kafka.initialise(broker)
    yield from (
        broker.bootstrap
        for _ in running(
            local_kafka.command(broker),
            ready=lambda: local_kafka.ready(broker.bootstrap),
            log=broker.folder / "log",
            ask=signal.SIGTERM,
        )
    )


@pytest.fixture
def make_topics(kafka: str) -> Callable[[dict[str, int]], str]:
    """Make topics (name -> partitions); returns the bootstrap address."""

    def make(topics: dict[str, int]) -> str:
        asyncio.run(local_kafka.create_topics(kafka, topics))
        return kafka

    return make


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """What a test lets a command line remember (the ports of an installation) is no other test's."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
