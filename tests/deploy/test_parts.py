import uuid

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import kafka as local_kafka
from deploy.local.kafka import create_topics


async def test_a_real_postgresql_answers_with_its_extensions(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute("create extension pg_trgm")
    assert await conn.fetchval("select similarity('zara', 'zara')") == 1
    await conn.close()


async def test_a_real_kafka_makes_topics_that_keep_everything_and_makes_none_by_itself(kafka: str) -> None:
    await create_topics(kafka, {"kept.events": 2})
    await create_topics(kafka, {"kept.events": 2})
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    assert "kept.events" in await client.list_topics()
    await client.close()


def test_no_cluster_id_begins_with_a_dash(monkeypatch):
    bad, good = uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(int=7)
    drawn = iter([bad, good])
    assert local_kafka._as_id(bad).startswith("-")
    monkeypatch.setattr(local_kafka.uuid, "uuid4", lambda: next(drawn))
    assert local_kafka._cluster_id() == local_kafka._as_id(good)
