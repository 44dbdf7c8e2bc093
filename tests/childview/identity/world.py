"""Identity and the projection on one real database. The log is a list: events lie unsealed at counted offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from services.childview.identity import clearing_house, links, process, store
from services.childview.identity.decide import Linked
from services.childview.projection import projector
from services.childview.projection import store as projections
from services.childview.projection import view as views
from services.childview.projection.apply import Projection, Rules
from services.childview.projection.catalogue import Catalogue
from services.childview.projection.view import View
from services.plumbing import contracts, database, telemetry
from services.plumbing.contracts import Schemas
from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import Record
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.sealing import KeyCache, KeysUnavailable

ROOT = Path(__file__).parents[3] / "contracts"
SCHEMAS = Schemas.load(ROOT)
CHANNELS = projector.followed(contracts.channels(ROOT))
RULES = Rules(SCHEMAS, Catalogue.load(ROOT), CHANNELS, b"a" * 32)
MEASURE = telemetry.Telemetry("identity")
ADA: dict[str, Any] = {"given_name": "Ada", "family_name": "Berg", "birth_date": "2015-03-05", "identifiers": []}
ADDA = {**ADA, "given_name": "Adda"}


def record(n: int) -> str:
    """A record's stream id."""
    return f"{n:08d}-0000-4000-8000-000000000000"


def upn(value: str) -> dict[str, Any]:
    """A valid UPN."""
    return {"type": "upn", "value": value, "valid": True, "reason": None}


def former_upn(value: str) -> dict[str, Any]:
    """A valid former UPN."""
    return {**upn(value), "type": "former_upn"}


def nhs(value: str) -> dict[str, Any]:
    """A valid NHS number."""
    return {**upn(value), "type": "nhs_number"}


def pair(one: str, other: str, queue: str) -> tuple[frozenset[str], str]:
    """An open pair, whichever of the two it holds."""
    return frozenset((one, other)), queue


async def no_keys(service: str, names: Any) -> Any:
    """Nothing here is sealed."""
    raise KeysUnavailable("none")


class World:
    """What events come to, on the way they take: identity, its decisions, the projection."""

    def __init__(self, dsn: str, *, projects: bool = True) -> None:
        self._dsn = dsn
        self._projects = projects
        self._versions: dict[str, int] = {}
        self._offsets: dict[tuple[str, int], int] = {}
        self._sent = 0
        self._waiting: list[Record] | None = None
        self._missed: list[Record] = []
        self.log: list[Record] = []

    async def start(self) -> World:
        """Make the tables and both processes."""
        await database.migrate(self._dsn)
        self.pool = await database.connect(self._dsn, name="childview", size=4)
        async with database.transaction(self.pool) as conn:
            await projections.make(conn, projections.LIVE)
        self.outbox = Outbox("childview", store.TOPIC, SCHEMAS)
        self.keys = KeyCache(no_keys, lifetime=900)
        self.places = [(topic, p) for topic, channel in CHANNELS.items() for p in range(channel.partitions)]
        self.projection = Projection(self.pool, self.keys, RULES, schema=projections.LIVE)
        await self.projection.open(self.places)
        await self.new_identity()
        await self.identity.look_everywhere()
        return self

    async def new_identity(self) -> None:
        """The process starts, as `run` does, without Kafka."""
        channels = {topic: channel for topic, channel in CHANNELS.items() if channel.kind != "policy"}
        rules = process.Rules(SCHEMAS, channels, self.outbox)
        self.identity = process.Identity(self.pool, bootstrap="", keys=self.keys, rules=rules, measure=MEASURE)
        places = [place for place in self.places if place[0] in channels]
        async with database.transaction(self.pool) as conn:
            await store.make(conn)
            await conn.executemany("insert into identity.offsets values ($1, $2, 0) on conflict do nothing", places)
            rows = await conn.fetch("select * from identity.offsets")
            await store.lock_decisions(conn)
            self.identity.decision = await store.last_decision(conn)
        self.identity.applied = {(row["topic"], row["partition"]): row["next"] for row in rows}

    async def stop(self) -> None:
        """Let the database go."""
        await self.pool.close()

    # -- the log -------------------------------------------------------------------------------------------------

    def _lay(self, topic: str, stream: str, value: bytes) -> Record:
        offset = self._offsets.get((topic, 0), 0)
        self._offsets[topic, 0] = offset + 1
        self.log.append(Record(topic, 0, offset, 0, stream.encode(), value))
        return self.log[-1]

    def event(self, type: str, stream: str, data: dict[str, Any], *, extracted: str = "2026-01-01") -> Record:
        """The next event of a stream."""
        service = type.split(".")[0]
        self._versions[stream] = self._versions.get(stream, 0) + 1
        header = envelope.Header(
            id=envelope.uuid7(), source=f"/{service}", type=type, subject=stream, time="2026-11-24T10:00:00.000000Z",
            streamversion=self._versions[stream], dataschema="", datacontenttype=envelope.PLAIN, recordclass=None,
        )  # fmt: skip
        body = msgspec.json.encode({"provenance": {"extracted": extracted}, **data})
        return self._lay(f"{service}.events", stream, envelope.encode(header, body))

    async def drain(self) -> list[Record]:
        """Decisions that are made and not in the log yet."""
        rows = await self.pool.fetch(
            "select position, stream_id::text as stream, value from outbox where topic = $1 and position > $2 order by 1",
            store.TOPIC,
            self._sent,
        )
        self._sent = max((row["position"] for row in rows), default=self._sent)
        return [self._lay(store.TOPIC, row["stream"], bytes(row["value"])) for row in rows]

    async def go(self, *records: Record) -> None:
        """Through identity, then the projection, until nothing more is decided."""
        await self._identify(records)
        await self._project(records)
        await self.drain_and_read()

    async def drain_and_read(self) -> list[Record]:
        """Both read what was decided, and what comes of that."""
        read: list[Record] = []
        while decided := await self.drain():
            await self._identify(decided)
            await self._project(decided)
            read += decided
        return read

    async def _identify(self, records: Sequence[Record]) -> None:
        if self._waiting is None:
            await self.identity.apply(records)
        else:
            self._waiting += records

    @contextmanager
    def identity_waiting(self) -> Iterator[None]:
        """Meanwhile identity reads nothing; it does by `catch_up`."""
        self._waiting = []
        try:
            yield
        finally:
            self._missed, self._waiting = self._waiting, None

    async def catch_up(self) -> None:
        """Identity reads what it had to wait for, and all that comes of it."""
        await self.identity.apply(self._missed)
        await self.go()

    async def _project(self, records: Sequence[Record]) -> None:
        if self._projects:
            await self.projection.apply(records)

    async def empty(self) -> None:
        """As if nothing had ever been recorded."""
        names = await self.pool.fetch("select tablename from pg_tables where schemaname = 'identity' and tablename <> 'followed'")
        await self.pool.execute("truncate streams, outbox, " + ", ".join(f"identity.{row['tablename']}" for row in names))
        await self.new_identity()

    # -- what happens --------------------------------------------------------------------------------------------

    async def person(self, stream: str, fields: dict[str, Any] = ADA, service: str = "education", **more: Any) -> None:
        """Who somebody is."""
        await self.go(self.event(f"{service}.person-recorded.v1", stream, {**fields, **more}))

    async def protect(self, stream: str, kind: str = "shielded", *, end: str | None = None, withdrawn: bool = False) -> None:
        """A protection is set, changed or withdrawn."""
        data = {"protection_kind": kind, "start_date": "2026-01-01", "end_date": end, "withdrawn": withdrawn}
        await self.go(self.event("socialcare.protection-recorded.v1", stream, data))

    async def shielded(self, stream: str, fields: dict[str, Any] = ADA, kind: str = "shielded", **more: Any) -> None:
        """A child of social care's who is protected."""
        await self.person(stream, fields, "socialcare", **more)
        await self.protect(stream, kind)

    async def adoption(self, former: str, new: str) -> None:
        """The two halves of an adoption."""
        await self.go(self.event("socialcare.adoption-pair-recorded.v1", former, {"other_stream": new}))

    async def decide(self, one: str, other: str, outcome: str, *, queues: tuple[str, ...] = ("ordinary", "protection")) -> int:
        """People decide the open pair of two records' children; the decision's number."""
        async with database.transaction(self.pool) as conn:
            held = await clearing_house.pair(conn, await self._pair_id(one, other), queues=queues)
            number = await clearing_house.settle(conn, self.outbox, held, outcome=outcome, by="officer", reason="because")
        await self.go()
        return number

    async def unmerge(self, number: int, child: str) -> int:
        """People undo a merge."""
        async with database.transaction(self.pool) as conn:
            undone = await clearing_house.unmerge(conn, self.outbox, number, child=child, by="officer", reason="because")
        await self.go()
        return undone

    async def lose_identity(self) -> None:
        """Identity's tables are gone; the log, and the projection, are not."""
        await self.pool.execute("drop schema identity cascade")
        await self.new_identity()

    # -- what it came to -----------------------------------------------------------------------------------------

    async def link(self, stream: str) -> Linked:
        """How a record is linked."""
        async with self.pool.acquire() as conn:
            found = await links.link(conn, stream)
        assert found is not None
        return found

    async def child(self, stream: str) -> str:
        """Whose record it is."""
        return (await self.link(stream)).child

    async def visible(self, *streams: str) -> bool:
        """Whether the children of all these records are shown to people of no team, protection aside."""
        return not any([(await self.view(await self.child(stream))).withheld for stream in streams])

    async def view(self, child: str) -> View:
        """The child as it is stored for reads."""
        return views.decode(await self.pool.fetchval("select view from projection.children where child_id = $1", child))

    async def pairs(self) -> set[tuple[frozenset[str], str]]:
        """(both records, queue) of every open pair."""
        rows = await self.pool.fetch("select stream_id::text as s, candidate::text as c, queue from identity.pairs")
        assert len({frozenset((row["s"], row["c"])) for row in rows}) == len(rows), "a pair is open twice"
        return {pair(row["s"], row["c"], row["queue"]) for row in rows}

    async def _pair_id(self, one: str, other: str) -> str:
        rows: list[asyncpg.Record] = await self.pool.fetch(
            "select p.pair_id::text as id from identity.pairs p join identity.links a on a.stream_id = p.stream_id"
            " join identity.links b on b.stream_id = p.candidate, identity.links one, identity.links other"
            " where one.stream_id = $1 and other.stream_id = $2"
            " and (a.child_id, b.child_id) in ((one.child_id, other.child_id), (other.child_id, one.child_id))"
            " order by ($1 in (p.stream_id, p.candidate)) and ($2 in (p.stream_id, p.candidate)) desc, 1",
            one,
            other,
        )
        if not rows:
            raise clearing_house.NoSuchPair
        return rows[0]["id"]

    async def everything(self) -> list[tuple[Any, ...]]:
        """Links and pairs, to be compared."""
        links = await self.pool.fetch("select stream_id, child_id, basis, status, withheld from identity.links order by 1")
        pairs = await self.pool.fetch("select stream_id, candidate, queue from identity.pairs order by 1, 2")
        return [tuple(row) for row in (*links, *pairs)]
