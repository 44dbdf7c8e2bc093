import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

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
