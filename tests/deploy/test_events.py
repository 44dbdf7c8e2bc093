"""What an operator sees of a stream: headers, in order, never data."""

from __future__ import annotations

import json
import uuid

from aiokafka import AIOKafkaProducer

from deploy.local import events
from deploy.local.kafka import create_topics
from services.plumbing.kafka import envelope
from services.plumbing.kafka.envelope import Header

CANARY = b'{"given_name": "Kanarienvogela"}'


def record(stream: str, version: int, *, sealed: bool) -> bytes:
    header = Header(
        id=envelope.uuid7(), source="/education", type="education.person-recorded.v1", subject=stream, time="2026-11-24T10:00:00.000000Z",
        streamversion=version, dataschema="/contracts/common.person.v1", datacontenttype=envelope.SEALED, recordclass="R-IDENT" if sealed else None,
    )  # fmt: skip
    return envelope.encode(header, CANARY)


async def test_one_streams_headers_are_shown_in_order_and_no_data(kafka: str) -> None:
    topics = [f"shown{uuid.uuid4().hex[:6]}.events", f"shown{uuid.uuid4().hex[:6]}.access"]
    await create_topics(kafka, dict.fromkeys(topics, 3))
    wanted, others = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(30)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for version in (1, 2):
        for stream in (*others, wanted):
            await producer.send_and_wait(topics[0], key=stream.encode(), value=record(stream, version, sealed=version == 1))
    await producer.send_and_wait(topics[0], key=wanted.encode(), value=b"{this is no event: Kanarienvogela")
    await producer.stop()
    found = await events.of_stream(kafka, topics, wanted)
    assert [one.get("streamversion", "unreadable") for one in found] == [1, 2, "unreadable"]
    assert [one.get("sealed") for one in found] == [True, False, None]
    assert "Kanarienvogela" not in json.dumps(found)
    assert await events.of_stream(kafka, topics, str(uuid.uuid4())) == []
