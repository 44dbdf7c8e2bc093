"""The view of one child as it is stored: segments to show, and inputs that gates, relationships and policies need."""

from __future__ import annotations

import msgspec

VERSION = 1
"""The projection version: raised by a release that changes what fold or compose give; the view is then rebuilt."""


class Member(msgspec.Struct, array_like=True, frozen=True):
    """One field's value, ready to send: `"<field id>":{...}` at full, and at masked where there is a safe form."""

    field: int
    full: bytes
    masked: bytes | None


class Segment(msgspec.Struct, array_like=True, frozen=True):
    """One field of a single category, or one entry with its members, and what policies ask about it.

    refers: what the whereabouts gate compares (a relative's local id, an address's keyed hash).
    """

    category: str
    kind: str
    id: str
    effective: str | None
    recorded: str
    source: str
    organisation: str | None
    consent: str
    restriction: str
    refers: str | None
    members: list[Member]


class Period(msgspec.Struct, array_like=True, frozen=True):
    """A dated kind of help: need, protection, looked_after..."""

    kind: str
    start: str | None
    end: str | None


class Involved(msgspec.Struct, array_like=True, frozen=True):
    """Who works with the child: the evidence of a relationship."""

    kind: str
    professional: str | None
    team: str | None
    agency: str | None
    start: str | None
    end: str | None


class Enrolled(msgspec.Struct, array_like=True, frozen=True):
    """On a school's roll from start to end."""

    school: str
    start: str | None
    end: str | None


class Protected(msgspec.Struct, array_like=True, frozen=True):
    """A protection in force between two dates, the professionals named with it, and the adult who is the risk."""

    kind: str
    start: str | None
    end: str | None
    named: list[str]
    risk: str | None


class Related(msgspec.Struct, array_like=True, frozen=True):
    """A person of the household, by local id."""

    local_id: str
    lives_with: bool


class Sessions(msgspec.Struct, array_like=True, frozen=True):
    """Sessions of one academic year."""

    attended: int
    absent: int
    possible: int


class Inputs(msgspec.Struct):
    """What decides about the child, kept apart from what is shown."""

    birth_date: str | None = None
    expected_birth_date: str | None = None
    death_date: str | None = None
    known_to_social_care: bool = False
    periods: list[Period] = []
    involved: list[Involved] = []
    enrolments: list[Enrolled] = []
    protections: list[Protected] = []
    related: list[Related] = []
    local_ids: list[str] = []
    addresses: list[str] = []
    attendance: dict[str, Sessions] = {}
    exclusions: dict[str, int] = {}


class View(msgspec.Struct):
    """One child. link: `automatic` while any automatic decision joins two records; held, withheld: see DESIGN 6."""

    child: str
    segments: list[Segment] = []
    inputs: Inputs = msgspec.field(default_factory=Inputs)
    link: str = "verified"
    held: bool = False
    withheld: bool = False
    tombstones: list[str] = []
    streams: dict[str, int] = {}
    services: list[str] = []
    decision: int = 0


class Term(msgspec.Struct, array_like=True, frozen=True):
    """One way to find a child: a searchable field and a normalised value."""

    field: str
    term: str


class Composed(msgspec.Struct, frozen=True):
    """What is stored for one child: the view's bytes, search terms, and references that caseloads are found by."""

    child: str
    view: bytes
    terms: list[Term]
    references: list[str]


_encoder = msgspec.msgpack.Encoder(order="sorted")
_decoder = msgspec.msgpack.Decoder(View)


def encode(view: View) -> bytes:
    """The view's one canonical form."""
    return _encoder.encode(view)


def decode(data: bytes) -> View:
    """The view of a canonical form."""
    return _decoder.decode(data)
