"""Builders of events as a reader of the log meets them, opened."""

from __future__ import annotations

from typing import Any

import msgspec

from services.plumbing.kafka import envelope
from services.plumbing.kafka.consumer import Event, Record
from services.plumbing.kafka.envelope import Header

STREAM = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def event(type: str, version: int, data: dict[str, Any] | None = None, *, stream: str = STREAM, state: str = "open",
          record_class: str = "R-PUPIL", extracted: str = "2026-11-01") -> Event:  # fmt: skip
    """One event of a stream; data without provenance is given one."""
    body = None if data is None else msgspec.json.encode({"provenance": {"extracted": extracted}, **data})
    header = Header(
        id=envelope.uuid7(), source=f"/{type.split('.')[0]}", type=type, subject=stream, time=f"2026-11-24T10:00:{version % 60:02d}.000000Z",
        streamversion=version, dataschema="", datacontenttype=envelope.PLAIN, recordclass=record_class, traceparent=None,
    )  # fmt: skip
    value = envelope.encode(header, body or b"{}")
    record = Record("education.events", 0, version, 0, stream.encode(), value)
    return Event(record, envelope.decode(value), body, state)


def person(version: int, *, stream: str = STREAM, service: str = "education", extracted: str = "2026-11-01", **fields: Any) -> Event:
    """Who somebody is."""
    return event(f"{service}.person-recorded.v1", version, fields, stream=stream, record_class="R-IDENT", extracted=extracted)


def marks(version: int, *codes: tuple[str, str, str], stream: str = STREAM, extracted: str = "2026-11-01") -> Event:
    """(date, session, code) of one file."""
    items = [{"school": "9994001", "date": day, "session": session, "attendance_code": code} for day, session, code in codes]
    return event("education.attendance-recorded.v1", version, {"marks": items}, stream=stream, record_class="R-REGISTER", extracted=extracted)


def involvement(version: int, *, stream: str = STREAM, service: str = "education", extracted: str = "2026-11-01", **fields: Any) -> Event:
    """Who works with somebody."""
    return event(f"{service}.involvement-recorded.v1", version, fields, stream=stream, record_class="R-CASE", extracted=extracted)


def referral(version: int, *, stream: str = OTHER, extracted: str = "2026-11-01", **fields: Any) -> Event:
    """A referral."""
    return event("socialcare.referral-recorded.v1", version, fields, stream=stream, record_class="R-CASE", extracted=extracted)
