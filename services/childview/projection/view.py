"""The view of one child as it is stored: what decides about the child, and, apart from it, what is shown."""

from __future__ import annotations

import msgspec

VERSION = 6
"""The projection version: raised by a release that changes what fold or compose give; the view is then rebuilt."""


# -- what is shown -----------------------------------------------------------------------------------------------


class Shape(msgspec.Struct, array_like=True, frozen=True):
    """What many segments share: all that policies ask of them but their age. kind: empty for fields that stand by
    themselves. fields: the catalogue's numbers of the members, in order."""

    category: str
    kind: str
    source: str
    organisation: str | None
    consent: str
    restriction: str
    fields: tuple[int, ...]


class Member(msgspec.Struct, array_like=True, frozen=True):
    """One field's value, ready to send: `"<field id>":{...}` at full, and at masked where there is a safe form. placed: at full
    with the names of the files that contradict each other; None where nothing does."""

    full: bytes
    masked: bytes | None
    placed: bytes | None = None


class Segment(msgspec.Struct, array_like=True, frozen=True):
    """One record's word on one field, or one entry with its members.

    shape: its place in `Content.shapes`. effective: the date it is of. lasts, end: whether it stands until an end.
    refers: what the whereabouts gate compares (a relative's local id, an address's keyed hash). terms: fields and what a search
    finds them by. same: what it says, for comparison, and other: how another register's word is told beside this one; both only
    where several records speak of the field. full: all of it as it is sent when every member is shown in full. members: see
    `members_of`.
    """

    shape: int
    id: str
    effective: str | None
    lasts: bool
    end: str | None
    refers: str | None
    terms: list[tuple[int, str]]
    same: str | None
    other: bytes | None
    full: bytes
    members: msgspec.Raw
    tie: str | None = None
    contradicted: bool = False
    settled: bool = False


class Content(msgspec.Struct):
    """Everything of one child that could be shown, in catalogue order. The words of several records on one field that stands
    by itself follow one another, the best first."""

    shapes: list[Shape] = []
    segments: list[Segment] = []


# -- what decides ------------------------------------------------------------------------------------------------


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
    """A person of the household, by local id. elsewhere: known not to live with the child. name: its keyed hash, where there is a
    whole one: schools number people as nobody else does. reached: the entry says by which telephone."""

    local_id: str
    lives_with: bool
    elsewhere: bool = False
    name: str = ""
    reached: bool = False


class Home(msgspec.Struct, array_like=True, frozen=True):
    """A home by its keyed hash, until a day."""

    place: str
    end: str | None


class Reviewed(msgspec.Struct, array_like=True, frozen=True):
    """A review of a protection plan: when it is due, and when it was held."""

    due: str | None
    held: str | None


class Sessions(msgspec.Struct, array_like=True, frozen=True):
    """Sessions of one academic year."""

    attended: int
    absent: int
    possible: int


class Scored(msgspec.Struct, array_like=True, frozen=True):
    """A score of a day; None: there is a reason instead."""

    day: str
    score: int | None


class Inputs(msgspec.Struct):
    """What gates, relationships, policies and derived fields ask of the child. names: their keyed hashes. care_reviews: from the
    day one was due to the day it was held. moves: the days of new placements; None where some episode does not say why it began.
    seen, seen_in_care: the days of visits at which it was seen."""

    birth_date: str | None = None
    expected_birth_date: str | None = None
    death_date: str | None = None
    known_to_social_care: bool = False
    periods: list[Period] = []
    referred: list[str] = []
    involved: list[Involved] = []
    enrolments: list[Enrolled] = []
    protections: list[Protected] = []
    related: list[Related] = []
    local_ids: list[str] = []
    names: list[str] = []
    homes: list[Home] = []
    attendance: dict[str, Sessions] = {}
    exclusions: dict[str, int] = {}
    missing: list[Period] = []
    care_reviews: list[Period] = []
    moves: list[str] | None = None
    sdq: list[Scored] = []
    meals: list[Period] = []
    seen: list[str] = []
    seen_in_care: list[str] = []
    plan_reviews: list[Reviewed] = []
    conferences: list[str] = []


class View(msgspec.Struct):
    """One child as far as decisions go. link: `automatic` while any automatic decision joins two records; held: people
    are asked whether it is the same as another; withheld: it resembles a protected child, and is shown to nobody else."""

    child: str
    inputs: Inputs = msgspec.field(default_factory=Inputs)
    link: str = "verified"
    held: bool = False
    withheld: bool = False
    tombstones: list[str] = []
    streams: dict[str, int] = {}
    services: list[str] = []
    decision: int = 0


# -- stored ------------------------------------------------------------------------------------------------------


class Term(msgspec.Struct, array_like=True, frozen=True):
    """One way to find a child: a searchable field and a normalised value."""

    field: str
    term: str


class Option(msgspec.Struct, array_like=True, frozen=True):
    """One of the words that contradict each other: the record that says it, which of that record's rows (None: it says no
    other), what policies ask of it, and how it is told, without and with the name of the file."""

    id: str
    record: str
    said: int | None
    shape: Shape
    effective: str | None
    lasts: bool
    end: str | None
    refers: str | None
    same: str
    told: bytes
    placed: bytes


class Conflict(msgspec.Struct, array_like=True, frozen=True):
    """Words on one field that people must choose among: its id is another when any of them is. entry: the mark of the entry,
    empty for a field that stands by itself. since: when its last word was recorded. versions: those of the records that speak."""

    id: str
    field: int
    entry: str
    since: str
    options: list[Option]
    versions: dict[str, int]


class Composed(msgspec.Struct, frozen=True):
    """What is stored for one child: the bytes of view and content, search terms, references that caseloads and gates
    are found by, and the conflicts that people must settle."""

    child: str
    view: bytes
    content: bytes
    terms: list[Term]
    references: list[str]
    conflicts: list[Conflict] = []


_encoder = msgspec.msgpack.Encoder(order="sorted")
_view = msgspec.msgpack.Decoder(View)
_content = msgspec.msgpack.Decoder(Content)
_members = msgspec.msgpack.Decoder(list[Member])
_conflict = msgspec.msgpack.Decoder(Conflict)


def encode(value: View | Content | list[Member]) -> bytes:
    """The one canonical form."""
    return _encoder.encode(value)


def decode(data: bytes) -> View:
    """The view of a canonical form."""
    return _view.decode(data)


def decode_content(data: bytes) -> Content:
    """The content of a canonical form."""
    return _content.decode(data)


def encode_conflict(found: Conflict) -> bytes:
    """The one canonical form of a conflict."""
    return _encoder.encode(found)


def decode_conflict(data: bytes) -> Conflict:
    """The conflict of a canonical form."""
    return _conflict.decode(data)


def members_of(segment: Segment) -> list[Member]:
    """The segment's members, one for each field of its shape. Read only when they are shown at different levels."""
    return _members.decode(segment.members)
