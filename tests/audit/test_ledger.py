"""The ledger keeps every record exactly as it lies in Kafka, and whatever is missing is seen."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from services.audit import ledger
from services.audit.main import MIGRATIONS
from services.plumbing import database as databases
from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import Record
from services.plumbing.telemetry import Telemetry

TOPIC = "childview.access"


@pytest.fixture
async def book(database):
    await databases.migrate(database, MIGRATIONS)
    pool = await databases.connect(database, name="audit-ledger")
    made = ledger.Ledger(pool, bootstrap="", topics=[TOPIC], measure=Telemetry("audit"))
    made.next = {(TOPIC, 0): 0, ("education.events", 0): 0}
    yield made
    await pool.close()


def access(offset: int, number: int, *, child: str | None = None) -> Record:
    body = {"id": str(uuid.uuid4()), "action": "read", "person": "p", "status": 200, "clock": "2026-11-24T10:00:00.000000Z",
            "children": [{"child": child}] if child else []}  # fmt: skip
    header = envelope.Header(
        id=envelope.uuid7(), source="/childview", type="childview.access-recorded.v1", subject=str(uuid.UUID(int=1)), time="2026-11-24T10:00:00.000000Z",
        streamversion=number, dataschema="", datacontenttype=envelope.PLAIN, recordclass=None,
    )  # fmt: skip
    return Record(TOPIC, 0, offset, 7, header.subject.encode(), envelope.encode(header, msgspec.json.encode(body)))


async def holes(book: ledger.Ledger) -> dict[str, list[int]]:
    async with book._pool.acquire() as conn:
        return await ledger.holes(conn)


async def test_a_record_is_kept_as_it_lies_whatever_it_holds(book):
    found = [access(0, 1, child=str(uuid.uuid4())), Record("education.events", 0, 0, 9, b"\xff\x00", b"{no event")]
    await book._keep(found)
    rows = await book._pool.fetch('select topic, partition, "offset", "timestamp", key, value from ledger order by topic')
    assert [Record(*row) for row in rows] == found
    assert await book._pool.fetchval("select count(*) from access_children") == 1


async def test_a_log_that_jumps_is_not_taken_on(book):
    await book._keep([access(0, 1)])
    with pytest.raises(ledger.Hole, match="expected 1, found 2"):
        await book._keep([access(2, 3)])
    assert await book._pool.fetchval("select count(*) from ledger") == 1 and book.next[TOPIC, 0] == 1


async def test_a_number_that_is_missing_is_named_and_a_resend_changes_nothing(book):
    first = access(0, 1)
    await book._keep([first, access(1, 2), access(2, 5), Record(*(getattr(first, name) if name != "offset" else 3 for name in Record.__slots__))])
    assert await holes(book) == {"childview": [3, 4]}
    await book._keep([access(4, 4), access(5, 3)])
    assert await holes(book) == {}
