"""Reading the log: in order, urgent topics first, from offsets that live in PostgreSQL; and opening seals.

This is the one place where sealed data is opened on its way in. Partitions are assigned, never subscribed: a rebalance
runs in the background (aiokafka#929), and the fence in PostgreSQL already keeps a second reader out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from services.plumbing import sealing
from services.plumbing.contracts import SchemaRefused, Schemas
from services.plumbing.kafka import envelope
from services.plumbing.kafka.envelope import Envelope

Place = tuple[str, int]
"""(topic, partition)"""

_STREAM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LONGEST_NAME = 200
"""Characters of a key that is no stream id: it must fit into an index, and only tells what waits together."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes

    @property
    def stream(self) -> str:
        """The stream, known by the key even where the envelope cannot be read; the same when it is made a key again."""
        return self.key.decode("ascii", "backslashreplace").replace("\x00", "\\x00")[:LONGEST_NAME]

    @property
    def place(self) -> Place:
        """Where it lies, without its offset."""
        return (self.topic, self.partition)


@dataclass(frozen=True, slots=True)
class Event:
    """A record whose envelope was read. `data` is JSON, or None when `state` is not `open`.

    state: `open`, `destroyed` (its key is gone for ever), `withheld` (the key is not for this reader).
    """

    record: Record
    envelope: Envelope
    data: bytes | None
    state: str = "open"


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be understood; `reason` names no value."""

    record: Record
    reason: str


def is_stream(name: str) -> bool:
    """Whether this is a stream id as every service writes it: a UUID in lower case."""
    return _STREAM.fullmatch(name) is not None


class LogReader:
    """Reads assigned partitions. `next_batch` returns records of the urgent topics whenever there are any.

    linger: seconds that the first record of a batch waits for others. A batch costs a transaction however small it is.
    """

    def __init__(self, bootstrap: str, *, client: str, linger: float = 0.0) -> None:
        self._bootstrap = bootstrap
        self._client = client
        self._linger = linger
        self._consumers: list[AIOKafkaConsumer] = []
        self._tasks: dict[int, asyncio.Task[list[Record]]] = {}

    async def start(self, offsets: Mapping[Place, int], *, urgent: Iterable[str] = ()) -> None:
        """Assign the places, each from its next offset. Two consumers, so that a backlog of the one cannot sit
        in the buffer before the other."""
        first = set(urgent)
        groups = (
            {place: n for place, n in offsets.items() if place[0] in first},
            {place: n for place, n in offsets.items() if place[0] not in first},
        )
        for group in groups:
            if group:
                self._consumers.append(await _assigned(self._bootstrap, group, client=self._client))

    async def next_batch(self, *, maximum: int = 500, timeout: float = 1.0) -> list[Record]:
        """Up to `maximum` records, urgent ones alone if there are any; empty after `timeout` seconds."""
        for index, consumer in enumerate(self._consumers):
            if index not in self._tasks:
                self._tasks[index] = asyncio.create_task(self._poll(consumer, maximum, timeout))
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for index in sorted(self._tasks):
            if self._tasks[index].done():
                records = self._tasks.pop(index).result()
                if records:
                    return records
        return []

    async def _poll(self, consumer: AIOKafkaConsumer, maximum: int, timeout: float) -> list[Record]:
        records = await _taken(consumer, maximum=maximum, timeout=timeout)
        if self._linger and records and len(records) < maximum:
            await asyncio.sleep(self._linger)
            records += await _taken(consumer, maximum=maximum - len(records), timeout=0)
        return records

    def in_hand(self) -> set[Place]:
        """The places of records that are polled already and wait for their turn."""
        done = [task for task in self._tasks.values() if task.done() and not task.cancelled() and task.exception() is None]
        return {record.place for task in done for record in task.result()}

    def pause(self, places: Iterable[Place]) -> None:
        """Stop reading these places; `rewind` says from where they go on."""
        self._each(places, lambda consumer, place: consumer.pause(place))

    def resume(self, places: Iterable[Place]) -> None:
        """Read these places again."""
        self._each(places, lambda consumer, place: consumer.resume(place))

    def rewind(self, offsets: Mapping[Place, int]) -> None:
        """Read these places again from these offsets: what was polled and not applied comes once more."""
        for place, offset in offsets.items():
            self._each([place], lambda consumer, found, n=offset: consumer.seek(found, n))

    async def end_offsets(self) -> dict[Place, int]:
        """The offset after the last record of each assigned place."""
        ends: dict[Place, int] = {}
        for consumer in self._consumers:
            found = await consumer.end_offsets(consumer.assignment())
            ends |= {(place.topic, place.partition): offset for place, offset in found.items()}
        return ends

    async def stop(self) -> None:
        """Close the connections; a batch in hand is lost and will be read again."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for consumer in self._consumers:
            await consumer.stop()
        self._consumers.clear()

    def _each(self, places: Iterable[Place], act) -> None:
        for place in places:
            wanted = TopicPartition(*place)
            for consumer in self._consumers:
                if wanted in consumer.assignment():
                    act(consumer, wanted)


async def _assigned(bootstrap: str, offsets: Mapping[Place, int], *, client: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client,
        auto_offset_reset="none",
        enable_auto_commit=False,
        fetch_min_bytes=1,
        fetch_max_wait_ms=1000,
        max_partition_fetch_bytes=envelope.ROOM,
    )
    await consumer.start()
    consumer.assign([TopicPartition(*place) for place in offsets])
    for place, offset in offsets.items():
        consumer.seek(TopicPartition(*place), offset)
    return consumer


async def _taken(consumer: AIOKafkaConsumer, *, maximum: int, timeout: float) -> list[Record]:
    found = await consumer.getmany(timeout_ms=int(timeout * 1000), max_records=maximum)
    return [
        Record(message.topic, message.partition, message.offset, message.timestamp, message.key or b"", message.value or b"")
        for messages in found.values()
        for message in messages
    ]


async def places_of(bootstrap: str, topics: Iterable[str]) -> list[Place]:
    """Every partition of these topics, as the broker knows them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        return [
            (topic, partition)
            for topic in topics
            for partition in sorted(consumer._client.cluster.partitions_for_topic(topic) or ())
        ]
    finally:
        await consumer.stop()


def read_envelopes(records: Sequence[Record], owners: Mapping[str, str | None] = MappingProxyType({})) -> list[Event | Poison]:
    """Each record with its envelope read and its data still sealed (or plain, where it is not sealed).

    owners: topic -> the one service that may publish there; an event that calls itself another's is poison.
    """
    return [_read(record, owners.get(record.topic)) for record in records]


def _read(record: Record, owner: str | None) -> Event | Poison:
    try:
        found = envelope.decode(record.value)
    except envelope.Unreadable as error:
        return Poison(record, f"the envelope cannot be read: {error}")
    if found.subject != record.stream:
        return Poison(record, "the envelope names another stream than the record's key")
    if not is_stream(found.subject):
        return Poison(record, "the stream's name is no stream id")
    if owner is not None and (found.service != owner or not found.type.startswith(f"{owner}.")):
        return Poison(record, "the event calls itself another service's than the topic's")
    if found.sealed:
        return Event(record, found, None, "sealed")
    return Event(record, found, bytes(found.data) if found.data else b"{}")


def is_sealed(item: Event | Poison) -> bool:
    """Whether this needs a key before it can be read."""
    return isinstance(item, Event) and item.state == "sealed"


async def open_seals(events: Sequence[Event | Poison], cache: sealing.KeyCache) -> list[Event | Poison]:
    """The same events with their data open. Keys are fetched in bulk, one question a publisher.

    Raises KeysUnavailable when a publisher gives no answer: nothing is poison for want of a key.
    """
    answers: dict[sealing.KeyName, sealing.KeyAnswer] = {}
    for service, names in wanted_keys(events).items():
        answers |= await cache.fetch(service, names)
    return [_open(event, answers) for event in events]


async def open_available(
    events: Sequence[Event | Poison], cache: sealing.KeyCache, *, wanted: Callable[[Event | Poison], bool] = is_sealed
) -> tuple[list[Event | Poison], set[Place]]:
    """(what can be open now, the places left out: their publisher gives no keys). Only what is `wanted` is opened."""
    chosen = [event for event in events if wanted(event)]
    answers: dict[sealing.KeyName, sealing.KeyAnswer] = {}
    refused: set[Place] = set()
    for service, names in wanted_keys(chosen).items():
        try:
            answers |= await cache.fetch(service, names)
        except sealing.KeysUnavailable:
            refused |= {e.record.place for e in chosen if isinstance(e, Event) and e.envelope.service == service}
    kept = [event for event in events if event.record.place not in refused]
    return [_open(event, answers) if wanted(event) else event for event in kept], refused


def wanted_keys(events: Sequence[Event | Poison]) -> dict[str, set[sealing.KeyName]]:
    """The keys these events need, by the publisher to ask."""
    wanted: dict[str, set[sealing.KeyName]] = {}
    for event in events:
        if isinstance(event, Event) and event.state == "sealed":
            name = (event.envelope.subject, event.envelope.recordclass or "")
            wanted.setdefault(event.envelope.service, set()).add(name)
    return wanted


def _open(event: Event | Poison, answers: Mapping[sealing.KeyName, sealing.KeyAnswer]) -> Event | Poison:
    if isinstance(event, Poison) or event.state != "sealed":
        return event
    found = event.envelope
    answer = answers[(found.subject, found.recordclass or "")]
    if answer.key is None:
        return Event(event.record, found, None, "destroyed" if answer.status == "destroyed" else "withheld")
    try:
        data = sealing.open_seal(
            answer.key,
            sealed=envelope.ciphertext(found),
            bound_to=envelope.associated_data(found.header()),
        )
    except (sealing.SealBroken, envelope.Unreadable) as error:
        return Poison(event.record, f"the seal is broken: {error}")
    return Event(event.record, found, data)


def check_data(events: Sequence[Event | Poison], schemas: Schemas) -> list[Event | Poison]:
    """The same events; open data that breaks its contract is poison. A type nobody knows is left to be counted."""
    return [_check(event, schemas) for event in events]


def _check(event: Event | Poison, schemas: Schemas) -> Event | Poison:
    if isinstance(event, Poison) or event.data is None or schemas.of(event.envelope.type) is None:
        return event
    if envelope.NUL in event.data:
        return Poison(event.record, "the data holds a character that no text may hold")
    try:
        schemas.validate(event.envelope.type, msgspec.json.decode(event.data))
    except msgspec.DecodeError:
        return Poison(event.record, "the data is no JSON")
    except SchemaRefused as error:
        return Poison(event.record, f"the data breaks its contract at {error.where}: {error.why}")
    return event
