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
from services.childview.projection.terms import term_of
from services.childview.projection.view import Composed, Content, Member, Segment, Shape, Term, View

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
    """The child's view, content, search terms and references, whatever the order the records come in."""
    records = sorted(records, key=lambda record: record.stream)
    services = sorted({record.service for record in records})
    held = fold.standing(records)
    made = View(
        child=child,
        inputs=inputs.collect(held, services, catalogue, lambda lines: address_hash(address_key, lines)),
        link="automatic" if _automatic(links) else "verified",
        held=any(link.status == "held" for link in links.values()),
        withheld=any(link.withheld for link in links.values()),
        tombstones=sorted({gone for record in records for gone in record.destroyed}),
        streams={record.stream: record.version for record in records},
        services=services,
        decision=max((link.decision for link in links.values()), default=0),
    )
    sheet = _Sheet(catalogue, address_key)
    for category in catalogue.categories.values():
        sheet.add(category, held.get(category.id, ()))
    return Composed(child, view.encode(made), view.encode(sheet.content), sheet.terms(), inputs.references(made.inputs))


def _automatic(links: Mapping[str, Link]) -> bool:
    return len(links) > 1 and any(link.basis == "automatic" for link in links.values())


def address_hash(key: bytes, lines: Iterable[str | None]) -> str:
    """A keyed hash of a place, the same however it is written."""
    plain = "".join(character for line in lines if line for character in line.lower() if character.isalnum())
    return hmac.digest(key, plain.encode(), "sha256").hex()[:32] if plain else ""


class _Sheet:
    """The content of one child, category by category."""

    def __init__(self, catalogue: Catalogue, address_key: bytes) -> None:
        self._catalogue = catalogue
        self._address_key = address_key
        self._places: dict[Shape, int] = {}
        self.content = Content()

    def add(self, category: Category, found: Sequence[Standing]) -> None:
        """The next category's entries."""
        if category.id in _NOT_SHOWN or not found:
            return
        if category.single:
            for field in self._catalogue.of(category.id):
                self._field(category, field, found)
            return
        for item in sorted(found, key=lambda one: (one.entry.effective or "", one.record.stream, one.key), reverse=True):
            self._entry(category, item)

    def terms(self) -> list[Term]:
        """Every way to find the child: what any record says, not only what is shown."""
        fields = self._catalogue.fields
        found = {Term(fields[n].id, term) for one in self.content.segments for n, term in one.terms}
        return sorted(found, key=lambda term: (term.field, term.term))

    def _field(self, category: Category, field: Field, found: Sequence[Standing]) -> None:
        """Every record's word on a field that stands by itself, the best first; who asks sees the best of those open to them."""
        values = [(item, value) for item in found if (value := _value(field, item)) is not None]
        several = len(values) > 1
        for item, value in sorted(values, key=lambda pair: _rank(category, pair[0].entry, pair[0].record), reverse=True):
            member = _member(self._catalogue, field, item, value)
            same = _json.encode(_same(value)).decode() if several else None
            other = _json.encode({"value": _plain(value), "source": item.record.service}) if several else None
            self._put(category, item, [field], [value], [member], id=field.id, full=member.full, same=same, other=other)

    def _entry(self, category: Category, item: Standing) -> None:
        shown = [(f, v) for f in self._catalogue.of(category.id, item.kind) if (v := _value(f, item)) is not None]
        if not shown:
            return
        fields, values = [field for field, _ in shown], [value for _, value in shown]
        members = [_member(self._catalogue, field, item, value) for field, value in shown]
        id, effective, source = _entry_id(item), item.entry.effective, item.record.service
        full = entry_json(id, item.kind, [member.full for member in members], effective=effective, source=source, dated=True)
        self._put(category, item, fields, values, members, id=id, full=full, refers=_refers(item, self._address_key))

    def _put(
        self, category: Category, item: Standing, fields: Sequence[Field], values: Sequence[Any], members: list[Member],
        *, id: str, full: bytes, refers: str | None = None, same: str | None = None, other: bytes | None = None,
    ) -> None:  # fmt: skip
        shape = _shape(category, item, fields)
        terms = [(f.index, term) for f, v in zip(fields, values, strict=True) if f.search and (term := term_of(f, v))]
        entry = item.entry
        self.content.segments.append(
            Segment(
                self._place(shape), id, entry.effective, entry.lasts, entry.end, refers, terms, same, other, full,
                msgspec.Raw(view.encode(members)),
            )
        )  # fmt: skip

    def _place(self, shape: Shape) -> int:
        place = self._places.get(shape)
        if place is None:
            place = self._places[shape] = len(self.content.shapes)
            self.content.shapes.append(shape)
        return place


def entry_json(id: str, kind: str, fields: Iterable[bytes], *, effective: str | None, source: str, dated: bool) -> bytes:
    """One entry as it is sent. Its date and source stand only beside something shown in full (`dated`)."""
    head: dict[str, Any] = {"id": id, "kind": kind}
    if dated:
        head |= {"effective": effective, "source": source}
    return _json.encode(head)[:-1] + b',"fields":{' + b",".join(fields) + b"}}"


def _rank(category: Category, entry: Entry, record: SourceRecord) -> tuple:
    """Survivorship: the catalogue's order of sources, then the later extract, then the later effective date."""
    order = category.prefer
    place = len(order) - order.index(record.service) if record.service in order else 0
    return (place, entry.extracted, entry.effective or "", entry.recorded, record.stream)


def _same(value: Any) -> Any:
    """A value as it is compared: case and what flags it make no difference."""
    text = _plain(value)
    return text.casefold() if isinstance(text, str) else text


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


def _shape(category: Category, item: Standing, fields: Sequence[Field]) -> Shape:
    sensitive = bool(item.data.get("sensitive"))
    return Shape(
        category=category.id,
        kind="" if category.single else item.kind,
        source=item.record.service,
        organisation=item.entry.organisation,
        consent=(item.data.get("consent") or "unknown") if sensitive else "not_needed",
        restriction=item.data.get("restriction") or "none",
        fields=tuple(field.index for field in fields),
    )


def _value(field: Field, item: Standing) -> Any:
    value = value_of(field, item.data, item.event)
    if field.category == "contact" and item.data.get("address_kind") not in (None, "home"):
        return None
    return value


def _member(catalogue: Catalogue, field: Field, item: Standing, value: Any) -> Member:
    safe = masks.masked(catalogue, field, value) if "masked" in field.levels else None
    full: dict[str, Any] = {"level": "full", "value": _plain(value), "source": item.record.service}
    full |= {"effective": item.entry.effective, "recorded": item.entry.recorded}
    if isinstance(value, dict) and value.get("valid") is False:
        full["flag"] = value.get("reason") or "not valid"
    return Member(_named(field.id, full), None if safe is None else _named(field.id, {"level": "masked", "value": safe}))


def _plain(value: Any) -> Any:
    """The value without what says whether it is valid."""
    return value["value"] if isinstance(value, dict) and "valid" in value else value


def _named(id: str, body: Mapping[str, Any]) -> bytes:
    return b'"' + id.encode() + b'":' + _json.encode(body)
