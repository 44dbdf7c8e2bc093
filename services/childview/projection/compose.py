"""compose: the records of one child become its view. Pure: the same records and decisions give the same bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from services.childview.projection import fold, inputs, masks, view
from services.childview.projection.catalogue import Catalogue, Category, Field
from services.childview.projection.fold import CONTRADICTIONS, SourceRecord, Standing
from services.childview.projection.terms import term_of
from services.childview.projection.view import Composed, Conflict, Content, Member, Segment, Shape, Term, View
from services.childview.projection.words import Settled, Word, Words, contradiction, plain, same, telling

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
    settled: Iterable[Settled] = (),
) -> Composed:
    """The child's view, content, search terms, references and conflicts, whatever the order the records come in."""
    records = sorted(records, key=lambda record: record.stream)
    services = sorted({record.service for record in records})
    held = fold.standing(records)
    words = Words(catalogue, address_key, settled)
    sheet = _Sheet(child, words)
    for category in catalogue.categories.values():
        sheet.add(category, held.get(category.id, ()))
    made = View(
        child=child,
        inputs=inputs.collect(
            held, services, catalogue, lambda lines: address_hash(address_key, lines), lambda id: _stands(words, held, id)
        ),
        link="automatic" if _automatic(links) else "verified",
        held=any(link.status == "held" for link in links.values()),
        withheld=any(link.withheld for link in links.values()),
        tombstones=sorted({gone for record in records for gone in record.destroyed}),
        streams={record.stream: record.version for record in records},
        services=services,
        decision=max([*(link.decision for link in links.values()), *words.used], default=0),
    )
    return Composed(
        child, view.encode(made), view.encode(sheet.content), sheet.terms(), inputs.references(made.inputs), sheet.conflicts
    )


def _stands(words: Words, held: fold.Held, id: str) -> Any:
    """The value of a field that stands by itself."""
    field = words.catalogue.by_id(id)
    return words.best(field, held.get(field.category, ()))


def _automatic(links: Mapping[str, Link]) -> bool:
    return len(links) > 1 and any(link.basis == "automatic" for link in links.values())


def address_hash(key: bytes, lines: Iterable[str | None]) -> str:
    """A keyed hash of a place, the same however it is written."""
    plain = "".join(character for line in lines if line for character in line.lower() if character.isalnum())
    return hmac.digest(key, plain.encode(), "sha256").hex()[:32] if plain else ""


class _Sheet:
    """The content of one child, category by category."""

    def __init__(self, child: str, words: Words) -> None:
        self._child = child
        self._words = words
        self._catalogue = words.catalogue
        self._places: dict[Shape, int] = {}
        self.content = Content()
        self.conflicts: list[Conflict] = []

    def add(self, category: Category, found: Sequence[Standing]) -> None:
        """The next category's entries."""
        if category.id in _NOT_SHOWN or not found:
            return
        if category.single:
            told = {item.record.stream: _Told.of(item) for item in found}
            for field in self._catalogue.of(category.id):
                self._field(category, field, self._words.ranked(field, found), told)
            return
        for item in sorted(found, key=lambda one: (one.entry.effective or "", one.record.stream, one.key), reverse=True):
            self._entry(category, item)

    def terms(self) -> list[Term]:
        """Every way to find the child: what any record says, not only what is shown."""
        fields = self._catalogue.fields
        found = {Term(fields[n].id, term) for one in self.content.segments for n, term in one.terms}
        return sorted(found, key=lambda term: (term.field, term.term))

    def _field(self, category: Category, field: Field, words: Sequence[Word], told: Mapping[str, _Told]) -> None:
        """Every record's word on a field that stands by itself, the best first; who asks sees the best of those open to them."""
        several = len(words) > 1
        shapes = []
        for word in words:
            member = told[word.item.record.stream].member(self._catalogue, field, word)
            shapes.append(_shape(category, word.item, [field]))
            self._put(
                shapes[-1], word.item, [field], [word], [member], id=field.id, full=member.full,
                same=same(word.value) if several else None,
                other=_other(word) if several else None,
                tie=_json.encode(self._words.tie(field, word)).decode() if several else None,
            )  # fmt: skip
        self._raise(field, words, shapes, entry="")

    def _raise(self, field: Field, words: Sequence[Word], shapes: Sequence[Shape], refers: str | None = None, *, entry: str) -> None:
        """What people must choose among, where the rules say that it goes to them."""
        if self._catalogue.raised(field):
            found = self._words.conflict(self._child, field, words, shapes, refers, entry=entry)
            self.conflicts += [found] if found is not None else []

    def _entry(self, category: Category, item: Standing) -> None:
        fields, words = [], []
        for field in self._catalogue.of(category.id, item.kind):
            if (word := self._words.word(field, item, single=False)) is not None:
                fields.append(field)
                words.append(word)
        if not fields:
            return
        told = _Told.of(item)
        members = [told.member(self._catalogue, field, word) for field, word in zip(fields, words, strict=True)]
        id, effective, source = _entry_id(item), item.entry.effective, item.record.service
        full = entry_json(id, item.kind, [member.full for member in members], effective=effective, source=source, dated=True)
        shape, refers = _shape(category, item, fields), _refers(item, self._words.key)
        self._put(shape, item, fields, words, members, id=id, full=full, refers=refers)
        for field, word in zip(fields, words, strict=True) if CONTRADICTIONS in item.data else ():
            if word.rows:
                alone = _shape(category, item, [field])
                self._raise(field, [word], [alone], refers, entry=self._words.mark(item))

    def _put(
        self, shape: Shape, item: Standing, fields: Sequence[Field], words: Sequence[Word], members: list[Member],
        *, id: str, full: bytes, refers: str | None = None, same: str | None = None, other: bytes | None = None, tie: str | None = None,
    ) -> None:  # fmt: skip
        terms = [(f.index, term) for f, word in zip(fields, words, strict=True) if f.search for term in _terms(f, word)]
        entry = item.entry
        self.content.segments.append(
            Segment(
                self._place(shape), id, entry.effective, entry.lasts, entry.end, refers, terms, same, other, full,
                msgspec.Raw(view.encode(members)), tie, CONTRADICTIONS in item.data and any(word.rows for word in words),
                tie is not None and words[0].settled is not None,
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


def _other(word: Word) -> bytes:
    """A word as it is told beside the one that stands."""
    rows = contradiction(word, named=False)
    return _json.encode(telling(word.item, word.value, {}) | ({"conflict": rows} if rows else {}))


def _terms(field: Field, word: Word) -> list[str]:
    """What a search finds a word by: every row's, whichever stands."""
    found = (term_of(field, value) for value in (word.value, *(row.value for row in word.rows)))
    return list(dict.fromkeys(term for term in found if term))


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


class _Told(NamedTuple):
    """What every member of one entry tells beside its value, encoded once: most of composing is writing JSON."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, item: Standing) -> _Told:
        """The entry's dates and source."""
        effective, recorded, source = (_json.encode(one) for one in (item.entry.effective, item.entry.recorded, item.record.service))
        return cls(b'{"effective":' + effective, b',"level":"full","recorded":' + recorded + b',"source":' + source + b',"value":')

    def member(self, catalogue: Catalogue, field: Field, word: Word) -> Member:
        """A field's value, ready to send; where rows contradict each other, with all of them."""
        name, value = b'"' + field.id.encode() + b'":', word.value
        flag = b""
        if isinstance(value, dict) and value.get("valid") is False:
            flag = b',"flag":' + _json.encode(value.get("reason") or "not valid")
        rest = flag + self.after + _json.encode(plain(value)) + b"}"
        safe = masks.masked(catalogue, field, value) if field.mask else None
        masked = None if safe is None else name + b'{"level":"masked","value":' + _json.encode(safe) + b"}"
        if not word.rows:
            return Member(name + self.before + rest, masked)
        full, placed = (name + self._head(word, named=named) + rest for named in (False, True))
        return Member(full, masked, placed)

    def _head(self, word: Word, *, named: bool) -> bytes:
        """How the value of rows that contradict each other begins, with or without the names of their files."""
        return b'{"conflict":' + _json.encode(contradiction(word, named=named)) + b"," + self.before[1:]
