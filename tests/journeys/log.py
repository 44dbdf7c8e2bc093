"""A log in memory before a real database: identity and the projection read records that tests write, in any batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from services.childview import parking
from services.childview.identity import store as identities
from services.childview.identity.process import Identity
from services.childview.identity.process import Rules as IdentityRules
from services.childview.projection import projector, store
from services.childview.projection.apply import Projection, Rules
from services.childview.projection.catalogue import Catalogue
from services.plumbing import contracts, database, sealing
from services.plumbing.contracts import Schemas
from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import Place, Record
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.sealing import KeyAnswer, KeyCache, KeyName, KeysUnavailable
from services.plumbing.telemetry import Telemetry

CONTRACTS = Path(__file__).parents[2] / "contracts"
SCHEMAS = Schemas.load(CONTRACTS)
CHANNELS = projector.followed(contracts.channels(CONTRACTS))
RULES = Rules(SCHEMAS, Catalogue.load(CONTRACTS), CHANNELS, b"a" * 32)
KEY = b"k" * 32
ADA: Mapping[str, Any] = {"given_name": "Ada", "family_name": "Berg", "birth_date": "2015-03-05", "identifiers": []}


def stream(n: int) -> str:
    """A stream id."""
    return f"{n:08d}-0000-4000-8000-000000000000"


def value(
    type: str, subject: str, version: int, data: Any, *, sealed: bool = False, time: str = "2026-11-24T10:00:00.000000Z"
) -> bytes:
    """An event's record value."""
    header = envelope.Header(
        id=envelope.uuid7(), source=f"/{type.split('.')[0]}", type=type, subject=subject, time=time, streamversion=version,
        dataschema="", datacontenttype=envelope.SEALED if sealed else envelope.PLAIN, recordclass="R-IDENT" if sealed else None,
    )  # fmt: skip
    plain = msgspec.json.encode(data)
    if sealed:
        plain = sealing.seal(KEY, plain=plain, bound_to=envelope.associated_data(header))
    return envelope.encode(header, plain)


class Log:
    """What lies in every place, in order; the keys to be had; and the two readers of it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.records: list[Record] = []
        self.keys_to_be_had = True
        self.cache = KeyCache(self._ask, lifetime=0)
        self.outbox = Outbox("childview", identities.TOPIC, SCHEMAS)
        self._ends: dict[Place, int] = {}
        self._versions: dict[str, int] = {}
        self._sent = 0

    async def start(self) -> Log:
        """Make the tables and both readers."""
        async with database.transaction(self.pool) as conn:
            await store.make(conn, store.LIVE)
        self.places = [(topic, partition) for topic, channel in CHANNELS.items() for partition in range(channel.partitions)]
        self.projection = await self.another(store.LIVE)
        self.identity = await self.another_identity()
        return self

    async def another(self, schema: str) -> Projection:
        """A projection as a process that starts now has it."""
        found = Projection(self.pool, self.cache, RULES, schema=schema)
        await found.open(self.places)
        return found

    async def another_identity(self) -> Identity:
        """Identity as a process that starts now has it."""
        followed = {topic: channel for topic, channel in CHANNELS.items() if channel.kind != "policy"}
        found = Identity(
            self.pool, bootstrap="", keys=self.cache, rules=IdentityRules(SCHEMAS, followed, self.outbox), measure=Telemetry("identity")
        )
        places = [place for place in self.places if place[0] in followed]
        async with database.transaction(self.pool) as conn:
            await identities.make(conn)
            await conn.executemany("insert into identity.offsets values ($1, $2, 0) on conflict do nothing", places)
            rows = await conn.fetch("select * from identity.offsets")
            found.decision = await identities.lock_decisions(conn)
        found.applied = {(row["topic"], row["partition"]): row["next"] for row in rows}
        return found

    async def _ask(self, service: str, names: Sequence[KeyName]) -> Mapping[KeyName, KeyAnswer]:
        if not self.keys_to_be_had:
            raise KeysUnavailable(service)
        return {name: KeyAnswer("key", KEY) for name in names}

    # -- writing -------------------------------------------------------------------------------------------------

    def put(self, topic: str, key: str | bytes, raw: bytes) -> Record:
        """A record as it stands, read by nobody yet."""
        place = (topic, 0)
        offset = self._ends.get(place, 0)
        self._ends[place] = offset + 1
        record = Record(*place, offset, 0, key.encode() if isinstance(key, str) else key, raw)
        self.records.append(record)
        return record

    def say(self, type: str, subject: str, data: Mapping[str, Any], *, version: int | None = None, sealed: bool = False) -> Record:
        """The next event of a stream."""
        version = version or self._versions.get(subject, 0) + 1
        self._versions[subject] = version
        body = {"provenance": {"extracted": "2026-11-01"}, **data}
        return self.put(f"{type.split('.')[0]}.events", subject, value(type, subject, version, body, sealed=sealed))

    def person(self, subject: str, *, service: str = "education", version: int | None = None, sealed: bool = False, **said: Any) -> Record:
        """Who somebody is."""
        return self.say(f"{service}.person-recorded.v1", subject, {**ADA, **said}, version=version, sealed=sealed)

    def garbage(self, key: str, *, topic: str = "education.events") -> Record:
        """A record nobody can read, in the place of the stream's next event."""
        self._versions[key] = self._versions.get(key, 0) + 1
        return self.put(topic, key, b"{no event")

    async def release(self, record: Record, *, action: str = "skip") -> None:
        """A person lets a stream go on."""
        said = {"action": action, "topic": record.topic, "partition": record.partition, "offset": record.offset, "by": "test"}
        async with database.transaction(self.pool) as conn:
            await parking.say_released(conn, self.outbox, said)

    async def published(self) -> list[Record]:
        """What the relay would publish now, put into the log."""
        rows = await self.pool.fetch(
            "select position, stream_id::text as stream, value from outbox where topic = $1 and position > $2 order by position",
            identities.TOPIC,
            self._sent,
        )
        self._sent = max((row["position"] for row in rows), default=self._sent)
        return [self.put(identities.TOPIC, row["stream"], bytes(row["value"])) for row in rows]

    # -- reading -------------------------------------------------------------------------------------------------

    async def read(self, *records: Record) -> None:
        """Both processes read these, then all that identity decides of it."""
        batch = list(records)
        while batch:
            await self.identity.apply([record for record in batch if record.place in self.identity.applied])
            await self.projection.apply(batch)
            batch = await self.published()

    async def digests(self, schema: str = store.LIVE) -> dict[str, str]:
        """Of the compared tables."""
        async with self.pool.acquire() as conn:
            return await store.digests(conn, schema)

    async def rebuilt(self, *, size: int) -> dict[str, str]:
        """The digests of the whole log applied beside, in batches of this size, decisions first as the processes take them."""
        await self.pool.execute(f"drop schema if exists {store.BESIDE} cascade")
        beside = await self.another(store.BESIDE)
        for start in range(0, len(self.records), size):
            batch = sorted(self.records[start : start + size], key=lambda r: not CHANNELS[r.topic].urgent)
            await beside.apply(batch)
        return await self.digests(store.BESIDE)

    async def parked(self, schema: str = store.LIVE) -> list[str]:
        """The streams that wait."""
        return [row["stream_id"] for row in await self.pool.fetch(f"select stream_id from {schema}.parked order by 1")]

    async def names(self) -> list[str]:
        """The given names that can be found."""
        rows = await self.pool.fetch(f"select distinct term from {store.LIVE}.terms where field like '%given%' order by 1")
        return [row["term"] for row in rows]
