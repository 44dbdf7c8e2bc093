"""compose: the records of one child become its view. Pure: the same records and decisions give the same bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from services.childview.projection import fold, inputs, masks, view
from services.childview.projection.catalogue import Catalogue, Category, Field, value_of
from services.childview.projection.fold import Entry, SourceRecord, Standing
from services.childview.projection.terms import terms_of
from services.childview.projection.view import Composed, Member, Segment, View

_json = msgspec.json.Encoder(order="deterministic")
_NOT_SHOWN = frozenset({"protection", "adoption_pair"})


class Link(NamedTuple):
    """How a record belongs to the child, by the last decision about it."""

    basis: str
    status: str
    withheld: bool
    decision: int


def compose(
    child: str,
    records: Sequence[SourceRecord],
    links: Mapping[str, Link],
    *,
    catalogue: Catalogue,
    address_key: bytes,
) -> Composed:
    """The child's view, search terms and references, whatever the order the records come in."""
    records = sorted(records, key=lambda record: record.stream)
    services = sorted({record.service for record in records})
    held = fold.standing(records)
    segments = [
        segment
        for category in catalogue.categories.values()
        for segment in _segments(category, held.get(category.id, ()), catalogue, address_key)
    ]
    made = View(
        child=child,
        segments=segments,
        inputs=inputs.collect(held, services, catalogue, lambda lines: address_hash(address_key, lines)),
        link="automatic" if _automatic(links) else "verified",
        held=any(link.status == "held" for link in links.values()),
        withheld=any(link.withheld for link in links.values()),
        tombstones=sorted({gone for record in records for gone in record.destroyed}),
        streams={record.stream: record.version for record in records},
        services=services,
        decision=max((link.decision for link in links.values()), default=0),
    )
    return Composed(child, view.encode(made), terms_of(held, catalogue), inputs.references(made.inputs))


def _automatic(links: Mapping[str, Link]) -> bool:
    return len(links) > 1 and any(link.basis == "automatic" for link in links.values())


def address_hash(key: bytes, lines: Iterable[str | None]) -> str:
    """A keyed hash of a place, the same however it is written."""
    plain = "".join(character for line in lines if line for character in line.lower() if character.isalnum())
    return hmac.digest(key, plain.encode(), "sha256").hex()[:32] if plain else ""


def _segments(
    category: Category, found: Sequence[Standing], catalogue: Catalogue, address_key: bytes
) -> list[Segment]:
    if category.id in _NOT_SHOWN:
        return []
    if category.single:
        return [one for field in catalogue.of(category.id) if (one := _single(category, field, found, catalogue))]
    newest_first = sorted(found, key=lambda item: (item.entry.effective or "", item.record.stream, item.key), reverse=True)
    return [one for item in newest_first if (one := _entry(category, item, catalogue, address_key)).members]


def _single(category: Category, field: Field, found: Sequence[Standing], catalogue: Catalogue) -> Segment | None:
    """The best value of a field among the records; the others stay beside it, marked."""
    values = [(item, value) for item in found if (value := _value(field, item)) is not None]
    if not values:
        return None
    ranked = sorted(values, key=lambda pair: _rank(category, pair[0].entry, pair[0].record))
    best, value = ranked[-1]
    others = [
        {"value": other, "source": item.record.service}
        for item, other in reversed(ranked[:-1])
        if _same(other) != _same(value)
    ]
    return _segment(category, best, [_member(catalogue, field, best, value, others)], id=field.id)


def _rank(category: Category, entry: Entry, record: SourceRecord) -> tuple:
    """Survivorship: the catalogue's order of sources, then the later extract, then the later effective date."""
    order = category.prefer
    place = len(order) - order.index(record.service) if record.service in order else 0
    return (place, entry.extracted, entry.effective or "", entry.recorded, record.stream)


def _same(value: Any) -> Any:
    """A value as it is compared: case and what flags it make no difference."""
    text = value.get("value") if isinstance(value, dict) and "valid" in value else value
    return text.casefold() if isinstance(text, str) else text


def _entry(category: Category, item: Standing, catalogue: Catalogue, address_key: bytes) -> Segment:
    members = [
        _member(catalogue, field, item, value, [])
        for field in catalogue.of(category.id, item.kind)
        if (value := _value(field, item)) is not None
    ]
    return _segment(category, item, members, id=_entry_id(item), refers=_refers(item, address_key))


def _entry_id(item: Standing) -> str:
    """A short opaque name, the same at every rebuild: the child's app may refer to it, and it tells nothing."""
    name = f"{item.record.stream}|{item.kind}|{item.key}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _refers(item: Standing, address_key: bytes) -> str | None:
    """Whose whereabouts an entry may tell: a relative's local id, or a place's keyed hash."""
    if item.kind == "relation":
        return item.data.get("other_local_id")
    if item.kind == "address":
        return address_hash(address_key, [*(item.data.get("lines") or [])[:1], item.data.get("postcode")])
    return None


def _segment(category: Category, item: Standing, members: list[Member], *, id: str, refers: str | None = None) -> Segment:
    sensitive = bool(item.data.get("sensitive"))
    return Segment(
        category=category.id,
        kind="" if category.single else item.kind,
        id=id,
        effective=item.entry.effective,
        recorded=item.entry.recorded,
        source=item.record.service,
        organisation=item.entry.organisation,
        consent=(item.data.get("consent") or "unknown") if sensitive else "not_needed",
        restriction=item.data.get("restriction") or "none",
        refers=refers,
        members=members,
    )


def _value(field: Field, item: Standing) -> Any:
    value = value_of(field, item.data, item.event)
    if field.category == "contact" and item.data.get("address_kind") not in (None, "home"):
        return None
    return value


def _member(catalogue: Catalogue, field: Field, item: Standing, value: Any, others: list[Any]) -> Member:
    safe = masks.masked(catalogue, field, value) if "masked" in field.levels else None
    full: dict[str, Any] = {"level": "full", "value": value, "source": item.record.service}
    full |= {"effective": item.entry.effective, "recorded": item.entry.recorded}
    if isinstance(value, dict) and value.get("valid") is False:
        full |= {"value": value["value"], "flag": value.get("reason") or "not valid"}
    elif isinstance(value, dict) and "valid" in value:
        full |= {"value": value["value"]}
    if others:
        full["others"] = [{**other, "value": _plain(other["value"])} for other in others]
    return Member(
        field.index,
        _named(field.id, full),
        None if safe is None else _named(field.id, {"level": "masked", "value": safe}),
    )


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "valid" in value else value


def _named(id: str, body: Mapping[str, Any]) -> bytes:
    return b'"' + id.encode() + b'":' + _json.encode(body)
