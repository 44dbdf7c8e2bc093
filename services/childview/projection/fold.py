"""fold: the events of one stream become what one register holds of one person. Pure.

It reads the schemas' entry rules and knows no domain. An older extract never overwrites a newer one; an entry withdrawn
leaves a marker, so that an older extract cannot bring it back; a destroyed key takes every entry of its class along and
leaves one tombstone that names none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from services.plumbing.contracts import EntryRule, Schemas, common_name
from services.plumbing.kafka.consumer import Event

SEPARATOR = "\x1f"
KEY_DESTROYED = "key-destroyed.v1"
CONTRADICTIONS = "contradictions"
"""The part of an entry that holds what rows of its delivery said otherwise."""


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One entry as last set. data: JSON of the entry's own fields, keys sorted; None when withdrawn. lasts: it stands until
    `end`, or for good; otherwise it is of its effective date. version: of the stream, when it was last set. changed: of an entry
    that is the only one of its kind, the version at which each of its fields came to say what it says. happening, again: where
    two systems of the register tell of the same, what by, and whether the return does."""

    type: str
    data: bytes | None
    effective: str | None
    recorded: str
    extracted: str
    organisation: str | None
    record_class: str
    lasts: bool
    end: str | None
    version: int = 0
    changed: dict[str, int] = {}
    happening: str | None = None
    again: bool = False


class SourceRecord(msgspec.Struct):
    """What one register holds of one person. entries: category, kind and natural key -> Entry."""

    stream: str
    service: str
    version: int = 0
    entries: dict[str, Entry] = {}
    destroyed: list[str] = []
    unknown: int = 0


_encoder = msgspec.msgpack.Encoder(order="sorted")
_decoder = msgspec.msgpack.Decoder(SourceRecord)
_json = msgspec.json.Encoder(order="sorted")


def encode(record: SourceRecord) -> bytes:
    """The record's one canonical form."""
    return _encoder.encode(record)


def decode(data: bytes) -> SourceRecord:
    """The record of a canonical form."""
    return _decoder.decode(data)


def new_record(event: Event) -> SourceRecord:
    """The record of a stream before its first event."""
    return SourceRecord(event.envelope.subject, event.envelope.service)


def fold(record: SourceRecord, event: Event, schemas: Schemas) -> SourceRecord:
    """The record after this event. The event is the stream's next; data that is withheld or gone changes no entry."""
    found = event.envelope
    record.version = found.streamversion
    if found.type.endswith("." + KEY_DESTROYED):
        return _destroy(record, msgspec.json.decode(event.data or b"{}")["record_class"])
    contract = schemas.of(found.type)
    if contract is None or contract.entry is None:
        record.unknown += 1
        return record
    if event.state == "destroyed":
        return _destroy(record, found.recordclass or "")
    if event.data is None or found.recordclass in record.destroyed:
        return record
    for key, entry in entries_of(event, contract.entry):
        held = record.entries.get(key)
        if held is None or entry.extracted >= held.extracted:
            changed = {} if contract.entry.key else _changed(held, entry, found.streamversion)
            record.entries[key] = msgspec.structs.replace(entry, version=found.streamversion, changed=changed)
    return record


def _changed(held: Entry | None, entry: Entry, version: int) -> dict[str, int]:
    """The version at which each field came to say what it says now."""
    before, after = ({} if one is None or one.data is None else _words(msgspec.json.decode(one.data)) for one in (held, entry))
    since = {} if held is None else held.changed
    return {name: since.get(name, version) if before.get(name) == word else version for name, word in after.items()}


def _words(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says by name; of a list of values by type each by itself, and with each what rows said otherwise."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) and "type" in one for one in value):
            found |= {f"{name}/{one['type']}": one for one in value}
        elif name != CONTRADICTIONS:
            found[name] = value
    otherwise = {one["field"]: one["said"] for one in data.get(CONTRADICTIONS, ())}
    return {name: [word, otherwise.get(name)] for name, word in found.items()}


def entries_of(event: Event, rule: EntryRule) -> Iterator[tuple[str, Entry]]:
    """The entries an event sets or withdraws, with their names."""
    data = msgspec.json.decode(event.data or b"{}")
    provenance = data.pop("provenance")
    items = data.pop(rule.items) if rule.items else [data]
    for item in items:
        name = SEPARATOR.join((rule.category, rule.kind, "|".join(str(item.get(part) or "") for part in rule.key)))
        withdrawn = item.pop("withdrawn", False)
        item.pop("row", None)
        effective = item.get(rule.effective) or data.get("effective")
        yield name, Entry(
            type=event.envelope.type,
            data=None if withdrawn else _json.encode(item),
            effective=effective,
            recorded=event.envelope.time,
            extracted=provenance["extracted"],
            organisation=item.get(rule.organisation or "") or data.get("organisation"),
            record_class=event.envelope.recordclass or "",
            lasts=rule.lasts,
            end=item.get(rule.end) if rule.end else None,
            happening=_happening(rule, item),
            again=rule.again is not None and rule.again.named.match(name.split(SEPARATOR, 2)[2]) is not None,
        )


def _happening(rule: EntryRule, item: Mapping[str, Any]) -> str | None:
    """By what another system's entry of the same thing is known; None where that cannot be said. What is restricted is never
    the same as what is not."""
    if rule.again is None or any(item.get(part) is None for part in rule.again.parts):
        return None
    return "|".join(str(item.get(part)) for part in (*rule.again.parts, "restriction", "consent", "sensitive"))


def _destroy(record: SourceRecord, record_class: str) -> SourceRecord:
    record.entries = {name: entry for name, entry in record.entries.items() if entry.record_class != record_class}
    record.destroyed = sorted({*record.destroyed, record_class})
    return record


class Standing(NamedTuple):
    """One entry that stands: whose it is, its kind and natural key, its fields, and the event's name in pointers."""

    record: SourceRecord
    kind: str
    key: str
    entry: Entry
    data: Mapping[str, Any]
    event: str


Held = Mapping[str, Sequence[Standing]]
"""Category -> its entries that stand, in the order of records and keys."""


def standing(records: Sequence[SourceRecord]) -> Held:
    """The entries of these records that stand, each read once."""
    found: dict[str, list[Standing]] = {}
    for record in records:
        twice: dict[tuple[str, str, str], tuple[list[Standing], list[Standing]]] = {}
        for name, entry in sorted(record.entries.items(), key=lambda item: item[0]):
            if entry.data is not None:
                category, kind, key = name.split(SEPARATOR, 2)
                one = Standing(record, kind, key, entry, msgspec.json.decode(entry.data), common_name(entry.type))
                if entry.happening is None:
                    found.setdefault(category, []).append(one)
                else:
                    twice.setdefault((category, kind, entry.happening), ([], []))[entry.again].append(one)
        for (category, _, _), (daily, again) in twice.items():
            found.setdefault(category, []).extend(_once(daily, again))
    return {category: sorted(those, key=_place) for category, those in found.items()}


def _place(one: Standing) -> tuple[str, str, str]:
    return one.record.stream, one.kind, one.key


def _once(daily: Sequence[Standing], again: Sequence[Standing]) -> Iterator[Standing]:
    """Entries of which two systems each tell of the same happening, once: as many as the one that tells of more has. The newer
    extract's word stands, and has from the other what it does not speak of, but for an end."""
    pairs = list(zip(daily, again, strict=False))
    for one, other in pairs:
        newer, older = (other, one) if other.entry.extracted > one.entry.extracted else (one, other)
        more = {name: value for name, value in older.data.items() if value != older.entry.end and name != CONTRADICTIONS}
        yield newer._replace(data={**more, **newer.data})
    yield from daily[len(pairs) :]
    yield from again[len(pairs) :]
