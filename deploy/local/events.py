"""The headers of one stream's events as they lie in Kafka. Their data stays sealed: an operator sees that, never what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiokafka.partitioner import DefaultPartitioner

from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import LogReader, Place, Record, places_of

MANY = 5000


async def of_stream(bootstrap: str, topics: Iterable[str], stream: str) -> list[dict[str, Any]]:
    """What every topic holds under this key, in each topic's order: place and header, unreadable records among them."""
    key = stream.encode()
    places = _homes(await places_of(bootstrap, topics), key)
    reader = LogReader(bootstrap, client="cli-events")
    await reader.start(dict.fromkeys(places, 0))
    found: list[Record] = []
    try:
        ends = await reader.end_offsets()
        waiting = {place for place in places if ends[place] > 0}
        while waiting:
            for record in await reader.next_batch(maximum=MANY):
                place = (record.topic, record.partition)
                if record.key == key:
                    found.append(record)
                if record.offset + 1 >= ends[place]:
                    waiting.discard(place)
    finally:
        await reader.stop()
    return [_header(record) for record in sorted(found, key=lambda one: (one.topic, one.offset))]


def _homes(places: Iterable[Place], key: bytes) -> list[Place]:
    """Of each topic the one partition where records of this key lie."""
    partitions: dict[str, list[int]] = {}
    for topic, partition in places:
        partitions.setdefault(topic, []).append(partition)
    choose = DefaultPartitioner()
    return [(topic, choose(key, sorted(all), sorted(all))) for topic, all in partitions.items()]


def _header(record: Record) -> dict[str, Any]:
    place = {"place": f"{record.topic}/{record.partition}/{record.offset}", "bytes": len(record.value)}
    try:
        found = envelope.decode(record.value)
    except envelope.Unreadable as error:
        return place | {"unreadable": str(error)}
    names = ("id", "type", "source", "time", "streamversion", "dataschema", "recordclass", "traceparent")
    return place | {name: getattr(found, name) for name in names} | {"sealed": found.sealed}
