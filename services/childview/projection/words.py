"""What several records, and several rows of one, say of one field: which word stands, and what people must choose among. Pure."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from services.childview.projection import survivorship
from services.childview.projection.catalogue import Catalogue, Field, value_of
from services.childview.projection.fold import CONTRADICTIONS, Standing
from services.childview.projection.view import Conflict, Option, Shape

_json = msgspec.json.Encoder(order="deterministic")


class Settled(msgspec.Struct, array_like=True, frozen=True):
    """A person's decision about a field: which record's word stands, and which of its rows. entry: the mark of the entry.
    versions: of every record whose word that person saw: it holds until the record says something else."""

    record: str
    entry: str
    field: str
    said: int | None
    decision: int
    versions: dict[str, int]


class Row(NamedTuple):
    """What one of several rows that contradict each other says, and where: the event's own words."""

    value: Any
    place: Mapping[str, Any]


class Word(NamedTuple):
    """One record's word on a field. since: the version at which it came to say this. settled: the decision for it that holds."""

    item: Standing
    value: Any
    rows: Sequence[Row]
    since: int
    settled: Settled | None


@dataclass
class Words:
    """The words of one child's records. used: the decisions that made a difference."""

    catalogue: Catalogue
    key: bytes
    settled: Iterable[Settled] = ()
    used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        ordered = sorted(self.settled, key=lambda one: one.decision)
        self._settled = {(one.record, one.entry, one.field): one for one in ordered}

    def word(self, found: Field, item: Standing, *, single: bool) -> Word | None:
        """A record's word on a field; None where it says nothing."""
        value = _shown(found, item, item.data)
        if value is None:
            return None
        rows = list(_rows(found, item)) if CONTRADICTIONS in item.data else ()
        since = max((item.entry.changed.get(name, 0) for name in found.names_of(item.event)), default=0) if single else item.entry.version
        settled = self._settled.get((item.record.stream, "" if single else self.mark(item), found.id)) if self._settled else None
        if settled is not None and since > settled.versions.get(item.record.stream, 0):
            settled = None
        if settled is not None and settled.said is not None and settled.said < len(rows):
            self.used.add(settled.decision)
            value = rows[settled.said].value
        return Word(item, value, rows, since, settled)

    def mark(self, item: Standing) -> str:
        """The name of an entry that has a key, as decisions may say it: it tells nothing of the key."""
        return self._digest(item.record.stream, item.kind, item.key)[:32]

    def ranked(self, found: Field, held: Iterable[Standing]) -> list[Word]:
        """Every record's word on a field that stands by itself, the best first but for how often each is said."""
        words = [word for item in held if (word := self.word(found, item, single=True)) is not None]
        if len(words) > 1:
            self.used |= {word.settled.decision for word in words if word.settled is not None}
        return sorted(words, key=lambda word: (*self.tie(found, word), *_newest(word)), reverse=True)

    def tie(self, found: Field, word: Word) -> tuple[int, bool, int, str]:
        """What ranks a word before how often it is said: settled, saying anything, trusted, recent."""
        entry, source = word.item.entry, word.item.record.service
        settled = word.settled.decision if word.settled is not None else 0
        known = same(word.value) not in {same(one) for one in self.catalogue.unknown(found)}
        return settled, known, survivorship.trust(self.catalogue.trusted(found), source), entry.effective or entry.extracted

    def best(self, found: Field, held: Iterable[Standing]) -> Any:
        """The value that stands where all words may be seen; None where there is none."""
        words = self.ranked(found, held)
        if not words:
            return None
        return words[
            survivorship.best(
                words, tie=[self.tie(found, word) for word in words], same=[same(word.value) for word in words]
            )
        ].value

    def conflict(
        self, child: str, found: Field, words: Sequence[Word], shapes: Sequence[Shape], refers: str | None = None, *, entry: str
    ) -> Conflict | None:
        """What people must choose among; None where all say the same, or a person saw all of it and chose."""
        options = [option for word, shape in zip(words, shapes, strict=True) for option in _options(word, shape, refers)]
        unknown = {option.same for option in options} & {same(one) for one in self.catalogue.unknown(found)}
        options = [option for option in options if option.same not in unknown]
        if len({option.same for option in options}) < 2 or _chosen(words):
            return None
        said = sorted((word.item.record.stream, word.since) for word in words)
        id = self._digest(child, found.id, entry, said, [(one.record, one.said, one.same) for one in options])[:32]
        named = [msgspec.structs.replace(one, id=self._digest(id, one.record, one.said)[:16]) for one in options]
        versions = {word.item.record.stream: word.item.record.version for word in words}
        since = max(word.item.entry.recorded for word in words)
        return Conflict(str(uuid.UUID(id)), found.index, entry, since, named, versions)

    def _digest(self, *parts: Any) -> str:
        return hmac.digest(self.key, _json.encode(parts), "sha256").hex()


def _newest(word: Word) -> tuple[str, str, str]:
    """The order of words that are equal before people: it must be the same at every rebuild."""
    return word.item.entry.extracted, word.item.entry.recorded, word.item.record.stream


def _chosen(words: Sequence[Word]) -> bool:
    """Whether a person saw every one of these words, as they stand, and chose among them."""
    settled = max((word.settled for word in words if word.settled is not None), key=lambda one: one.decision, default=None)
    return settled is not None and all(word.since <= settled.versions.get(word.item.record.stream, 0) for word in words)


def _options(word: Word, shape: Shape, refers: str | None) -> Iterator[Option]:
    entry = word.item.entry
    rows: Sequence[tuple[int | None, Any, Mapping[str, Any]]] = [(n, row.value, row.place) for n, row in enumerate(word.rows)]
    for said, value, place in rows or [(None, word.value, {})]:
        yield Option(
            "", word.item.record.stream, said, shape, entry.effective, entry.lasts, entry.end, refers,
            same(value), told(word.item, value, place), told(word.item, value, place, named=True),
        )  # fmt: skip


def told(item: Standing, value: Any, place: Mapping[str, Any], *, named: bool = False) -> bytes:
    """A word as it is told beside another: value, source and dates; of one of several rows its number, and the file if named."""
    return _json.encode(telling(item, value, place, named=named))


def telling(item: Standing, value: Any, place: Mapping[str, Any], *, named: bool = False) -> dict[str, Any]:
    """The same before it is written."""
    said = {"value": plain(value), "source": item.record.service, "effective": item.entry.effective, "recorded": item.entry.recorded}
    said["extracted"] = place.get("extracted", item.entry.extracted)
    return said | {name: place[name] for name in ("file", "row")[0 if named else 1 :] if place.get(name) is not None}


def contradiction(word: Word, *, named: bool) -> list[dict[str, Any]]:
    """What the rows of one record say against each other, as it is told; empty where they agree."""
    return [telling(word.item, row.value, row.place, named=named) for row in word.rows]


def _rows(found: Field, item: Standing) -> Iterator[Row]:
    names = found.names_of(item.event)
    for one in item.data[CONTRADICTIONS]:
        if one["field"] in names:
            for said in one["said"]:
                value = _shown(found, item, _with(item.data, one["field"], said["value"]))
                if value is not None:
                    yield Row(value, said)


def _with(data: Mapping[str, Any], name: str, value: Any) -> Mapping[str, Any]:
    """An entry as if another row had been the last."""
    head, _, type = name.partition("/")
    return {**data, head: [{"type": type, "value": value, "valid": None}] if type else value}


def _shown(found: Field, item: Standing, data: Mapping[str, Any]) -> Any:
    if found.category == "contact" and data.get("address_kind") not in (None, "home"):
        return None
    return value_of(found, data, item.event)


def same(value: Any) -> str:
    """A value as it is compared: case and what flags it make no difference."""
    text = plain(value)
    return _json.encode(text.casefold() if isinstance(text, str) else text).decode()


def plain(value: Any) -> Any:
    """The value without what says whether it is valid."""
    return value["value"] if isinstance(value, dict) and "valid" in value else value
