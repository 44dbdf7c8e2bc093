"""The event envelope: CloudEvents 1.0 in structured JSON, one record value complete in itself."""

from __future__ import annotations

import base64
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated

import msgspec

SEALED = "application/vnd.childview.sealed"
PLAIN = "application/json"
LARGEST = 4 * 1024 * 1024
"""Bytes of one event at most. What is larger is refused before it is acknowledged: it could never be published."""
ROOM = 2 * LARGEST
"""Bytes of one request to Kafka or one answer of it: brokers, producers and consumers must agree on it."""


NUL = b"\\u0000"
"""The character, as JSON writes it, that PostgreSQL takes in no text."""
HIGHEST = 2**62
"""The highest stream version: it must fit into a bigint, with room to count on."""


class Header(msgspec.Struct, frozen=True):
    """Everything about an event but its data; these bytes, every member written, are what the seal is bound to."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    streamversion: int
    dataschema: str
    datacontenttype: str
    recordclass: str | None = None
    traceparent: str | None = None
    specversion: str = "1.0"


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as it lies in Kafka. Unsealed events carry `data`, sealed ones `data_base64`."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    streamversion: Annotated[int, msgspec.Meta(ge=1, le=HIGHEST)]
    dataschema: str
    datacontenttype: str
    specversion: str
    recordclass: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data_base64: str | None = None
    signature: str | None = None

    @property
    def service(self) -> str:
        """The publisher: `/education` is `education`."""
        return self.source.strip("/")

    @property
    def sealed(self) -> bool:
        """Whether the data needs a key."""
        return self.recordclass is not None

    def header(self) -> Header:
        """The part that is bound to the seal."""
        return Header(**{name: getattr(self, name) for name in Header.__struct_fields__})


_decoder = msgspec.json.Decoder(Envelope)
_encoder = msgspec.json.Encoder()


class Unreadable(Exception):
    """The bytes are no event of ours; the message says why and holds none of them."""


def encode(header: Header, data: bytes) -> bytes:
    """One record value: the header with `data` as it is (unsealed JSON) or in base64 (sealed)."""
    fields = {name: getattr(header, name) for name in Header.__struct_fields__}
    if header.recordclass is None:
        return _encoder.encode(Envelope(**fields, data=msgspec.Raw(data)))
    return _encoder.encode(Envelope(**fields, data_base64=base64.b64encode(data).decode()))


def decode(value: bytes) -> Envelope:
    """Read a record value. Raises Unreadable."""
    if not value:
        raise Unreadable("there is none")
    if NUL in value:
        raise Unreadable("a character that no text may hold")
    try:
        found = _decoder.decode(value)
        timed = datetime.fromisoformat(found.time).tzinfo is not None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from error
    if not timed:
        raise Unreadable("a time without its zone")
    return found


def associated_data(header: Header) -> bytes:
    """The bytes a seal is bound to."""
    return _encoder.encode(header)


def ciphertext(envelope: Envelope) -> bytes:
    """The sealed bytes of an event. Raises Unreadable when there are none."""
    try:
        return base64.b64decode(envelope.data_base64 or "", validate=True)
    except ValueError as error:
        raise Unreadable("base64") from error


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def uuid7(now: float | None = None) -> str:
    """A time-ordered UUID (RFC 9562, version 7): 48 bits of milliseconds, 74 random."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))
