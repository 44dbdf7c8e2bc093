"""Levels for every field and entry of one child, and what is shown of them, assembled from the stored segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import msgspec

from services.childview.projection import derived, survivorship
from services.childview.projection.catalogue import Catalogue, Field
from services.childview.projection.compose import entry_json
from services.childview.projection.masks import masked
from services.childview.projection.view import Content, Inputs, Member, Option, Segment, Shape, View, members_of
from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle, Decision, Request
from services.disclosure.levels import Level, clamp
from services.plumbing.access import Entries

YOUNG = "under_2_years"
_json = msgspec.json.Encoder(order="deterministic")
Key = tuple[int, str, bool, str, str, str, str]
"""Everything that decides one field: its number, and the six attributes that are not the catalogue's to tell."""
ATTRIBUTES = ("source_service", "own_organisation_wrote", "entry_age_band", "consent", "restriction", "link")


class Piece(NamedTuple):
    """One entry as it is shown. dated: something of it is shown in full, so its date may be told."""

    segment: Segment
    body: bytes
    dated: bool


class Judged(NamedTuple):
    """How all segments of one shape and age are shown: for each field what decides it, what the policies say and what of that
    is legal; the one level of all fields, if they have one; and the fields as bits where that is full, or where none is above
    noted."""

    keys: tuple[Key, ...]
    said: tuple[Level, ...]
    levels: tuple[Level, ...]
    one: Level | None
    full: int
    noted: int


@dataclass
class Shown:
    """What one asker sees of one child, and how it was decided."""

    fields: list[bytes] = field(default_factory=list)
    noted: dict[str, None] = field(default_factory=dict)
    entries: dict[str, list[Piece]] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=lambda: {"full": 0, "masked": 0, "noted": 0})
    sources: set[str] = field(default_factory=set)
    """The sources of what is shown in full: of no other may it be said how fresh it is."""


class Disclosure:
    """Decides for one request about one child. `known` (of `Memo.scope`) remembers across requests: it is a pure function's."""

    def __init__(
        self,
        catalogue: Catalogue,
        known: dict,
        bundle: Bundle,
        request: Request,
        *,
        own: frozenset[str],
        link: str,
        today: date,
    ) -> None:
        self._catalogue = catalogue
        self._bundle = bundle
        self._request = request
        self._own = own
        self._link = link
        self._today = today
        self._known = known
        self._bands: dict[str | None, str] = {None: YOUNG}
        self._counts: dict[Key, int] = {}
        self._stands: dict[str, Segment] = {}
        self.shown = Shown()

    # -- deciding ------------------------------------------------------------------------------------------------

    def judge(self, shape: Shape, band: str) -> Judged:
        """How segments of this shape and age are shown."""
        own = shape.organisation is not None and shape.organisation in self._own
        link = "verified" if own else self._link
        known = self._known.get((shape, band, own, link))
        if known is None:
            keys = tuple((n, shape.source, own, band, shape.consent, shape.restriction, link) for n in shape.fields)
            known = self._known[shape, band, own, link] = self._judged(keys)
        return known

    def _judged(self, keys: tuple[Key, ...]) -> Judged:
        said = tuple(self._decided(key)[0] for key in keys)
        levels = tuple(self._legal(key) for key in keys)
        one = levels[0] if len(set(levels)) == 1 else None
        full = sum(1 << key[0] for key in keys) if one is Level.FULL else 0
        noted = sum(1 << key[0] for key, level in zip(keys, levels, strict=True) if level is Level.NOTED)
        return Judged(keys, said, levels, one, full, noted if max(levels) <= Level.NOTED else 0)

    def _legal(self, key: Key) -> Level:
        return clamp(self._decided(key)[0], self._catalogue.fields[key[0]].levels)

    def _decided(self, key: Key) -> tuple[Level, int]:
        """What the policies say, before what is legal for the field; and `sat`."""
        known = self._known.get(key)
        if known is None:
            decision: Decision = evaluate.level(self._bundle, self._request, self.vector(key))
            known = self._known[key] = (decision.level, decision.sat)
        return known

    def vector(self, key: Key) -> dict[str, Any]:
        """Every declared resource attribute of a decided field."""
        return {**attributes_of(self._catalogue.fields[key[0]]), **dict(zip(ATTRIBUTES, key[1:], strict=True))}

    def band(self, segment: Segment | Option) -> str:
        """How old an entry is: from its end where it lasts until one, as current while it has none; else from its date."""
        since = segment.end if segment.lasts else segment.effective
        known = self._bands.get(since)
        if known is None:
            known = self._bands[since] = entry_age_band(since, self._today)
        return known

    # -- showing -------------------------------------------------------------------------------------------------

    def show(
        self, view: View, content: Content, *, silent: frozenset[str],
        fields: Collection[str] | None = None, categories: Collection[str] | None = None,
    ) -> Shown:  # fmt: skip
        """Everything of the child that may be shown, in catalogue order.

        fields: of those that stand by themselves, and of derived ones, only these. categories: only these. What is left out is
        neither decided nor recorded.
        """
        alone: dict[str, list[tuple[Segment, Judged]]] = {}
        present: set[tuple[int, str]] = set()
        wanted = [self._wanted(shape, fields, categories) for shape in content.shapes]
        here: dict[tuple[int, str], Judged] = {}
        times: dict[tuple[int, str], int] = {}
        for segment in content.segments:
            if segment.refers is not None and segment.refers in silent:
                continue
            band = self.band(segment)
            present.add((segment.shape, band))
            if not wanted[segment.shape]:
                continue
            shape = content.shapes[segment.shape]
            place = (segment.shape, band)
            judged = here.get(place)
            if judged is None:
                judged = here[place] = self.judge(shape, band)
            times[place] = times.get(place, 0) + 1
            if shape.kind:
                self._entry(shape, segment, judged)
            else:
                alone.setdefault(segment.id, []).append((segment, judged))
        for place, judged in here.items():
            for key in judged.keys:
                self._counts[key] = self._counts.get(key, 0) + times[place]
        for words in alone.values():
            self._word(content, words)
        self._derive(view, content, present, fields, categories)
        for pieces in self.shown.entries.values():
            pieces.sort(key=lambda piece: "" if piece.dated else piece.segment.id)
        return self.shown

    def _wanted(self, shape: Shape, fields: Collection[str] | None, categories: Collection[str] | None) -> bool:
        if categories is not None and shape.category not in categories:
            return False
        return fields is None or (not shape.kind and self._catalogue.fields[shape.fields[0]].id in fields)

    def _entry(self, shape: Shape, segment: Segment, judged: Judged) -> None:
        """One entry: sent as it is stored where all of it is full; else member by member."""
        if judged.one is Level.FULL and not segment.contradicted:
            self.shown.masks["full"] |= judged.full
            self._put(shape, Piece(segment, segment.full, True))
        elif max(judged.levels) <= Level.NOTED:
            self._note(shape.category, judged.noted)
        else:
            self._mixed(shape, segment, judged)

    def _mixed(self, shape: Shape, segment: Segment, judged: Judged) -> None:
        ended = segment.end is not None and segment.end <= self._today.isoformat()
        unmasked = ended and self._catalogue.categories[shape.category].masked_while_open
        shown, dated = [], False
        for key, level, member in zip(judged.keys, judged.levels, members_of(segment), strict=True):
            body = self._full(key, member) if level is Level.FULL else None if unmasked else member.masked
            if (kept := self._keep(self._catalogue.fields[key[0]], level, body)) is not None:
                shown.append(kept)
                dated = dated or level is Level.FULL
        if shown:
            head = {"effective": segment.effective, "source": shape.source, "dated": dated}
            self._put(shape, Piece(segment, entry_json(segment.id, shape.kind, shown, **head), dated))

    def _put(self, shape: Shape, piece: Piece) -> None:
        if piece.dated:
            self.shown.sources.add(shape.source)
        self.shown.entries.setdefault(shape.category, []).append(piece)

    def _word(self, content: Content, words: Sequence[tuple[Segment, Judged]]) -> None:
        """A field that stands by itself: the best word among those open to this asker at the highest level. Other registers'
        different words stand beside it only where they, too, are shown in full."""
        level = max(judged.levels[0] for _, judged in words)
        open_to = [(segment, judged) for segment, judged in words if judged.levels[0] is level]
        place = survivorship.best(open_to, tie=[one.tie for one, _ in open_to], same=[one.same for one, _ in open_to])
        best, judged = open_to[place]
        found = self._catalogue.fields[judged.keys[0][0]]
        self._stands[found.id] = best
        member = members_of(best)[0] if best.contradicted or level is Level.MASKED else Member(best.full, None)
        body = self._full(judged.keys[0], member) if level is Level.FULL else member.masked if level is Level.MASKED else None
        kept = self._keep(found, level, body)
        if kept is None:
            return
        if level is Level.FULL:
            self.shown.sources.add(content.shapes[best.shape].source)
            others = {segment.same: segment.other for segment, _ in reversed(open_to) if segment.same != best.same and segment.other}
            if others:
                settled = b',"settled":true' if best.settled else b""
                kept = kept[:-1] + settled + b',"others":[' + b",".join(reversed(others.values())) + b"]}"
        self.shown.fields.append(kept)

    def _full(self, key: Key, member: Member) -> bytes:
        """A value shown in full; where rows contradict each other, the names of their files only to whom policies tell them."""
        if member.placed is None or not self.tells_places(key):
            return member.full
        self.shown.masks["full"] |= 1 << self._places(key)[0]
        return member.placed

    def options(self, found: Iterable[Option], *, silent: frozenset[str]) -> list[tuple[Option, bytes]]:
        """The words of a conflict that this asker sees in full, each as it is told."""
        seen = []
        for option in found:
            judged = self.judge(option.shape, self.band(option))
            key = judged.keys[0]
            self._counts[key] = self._counts.get(key, 0) + 1
            if judged.one is Level.FULL and (option.refers is None or option.refers not in silent):
                self.shown.masks["full"] |= judged.full
                seen.append((option, option.placed if option.said is not None and self.tells_places(key) else option.told))
        return seen

    def tells_places(self, key: Key) -> bool:
        """Whether this asker is told in which file it was said what this key decides."""
        if self._catalogue.places is None:
            return False
        place = self._places(key)
        self._counts[place] = self._counts.get(place, 0) + 1
        return self._legal(place) is Level.FULL

    def _places(self, key: Key) -> Key:
        assert self._catalogue.places is not None
        return (self._catalogue.places.index, *key[1:])

    def _keep(self, found: Field, level: Level, body: bytes | None) -> bytes | None:
        """Count what is shown; a masked value without a safe form falls to noted."""
        if level >= Level.MASKED and body is not None:
            self.shown.masks[level.name.lower()] |= 1 << found.index
            return body
        if level >= Level.NOTED and "noted" in found.levels:
            self._note(found.category, 1 << found.index)
        return None

    def _note(self, category: str, bits: int) -> None:
        if bits:
            self.shown.masks["noted"] |= bits
            self.shown.noted[category] = None

    # -- derived fields ------------------------------------------------------------------------------------------

    def _derive(
        self, view: View, content: Content, present: Collection[tuple[int, str]],
        fields: Collection[str] | None, categories: Collection[str] | None,
    ) -> None:  # fmt: skip
        said, inputs = self._said(content, present), self._inputs(view)
        for found in self._catalogue.derived:
            if (fields is None or found.id in fields) and (categories is None or found.category in categories):
                value = derived.DERIVED[found.derived or ""](inputs, self._today)
                if value is not None:
                    self._derived(found, value, min(self._bound(said, self._catalogue.by_id(id)) for id in found.inputs))

    def _inputs(self, view: View) -> Inputs:
        """The child's inputs, with the words that stand for this asker in place of those that stand for who sees all."""
        stand = {
            id: msgspec.json.decode(b"{" + members_of(segment)[0].full + b"}")[id]["value"]
            for id, segment in self._stands.items()
            if id in Inputs.__struct_fields__
        }
        return msgspec.structs.replace(view.inputs, **stand) if stand else view.inputs

    def _derived(self, found: Field, value: Any, bound: Level) -> None:
        """A derived field shows at no more than the fields it is made of. That there is nothing is never noted."""
        key = self._alone(found)
        self._counts[key] = self._counts.get(key, 0) + 1
        level = clamp(min(self._decided(key)[0], bound), found.levels)
        full = level is Level.FULL
        shown = value if full else masked(self._catalogue, found, value)
        said = {"level": "full", "value": shown, "source": "childview"} if full else {"level": "masked", "value": shown}
        body = None if shown is None else b'"%s":%s' % (found.id.encode(), _json.encode(said))
        if level is Level.NOTED and value == "none":
            return
        if (kept := self._keep(found, level, body)) is not None:
            self.shown.fields.append(kept)

    def _alone(self, found: Field) -> Key:
        """What decides a field that stands in no segment."""
        return (found.index, "childview", False, YOUNG, "not_needed", "none", self._link)

    def _said(self, content: Content, present: Collection[tuple[int, str]]) -> Mapping[int, Sequence[Level]]:
        """What the policies say of each field the child has, before what is legal for it; of entries, of the recent ones."""
        found: dict[int, list[Level]] = {}
        for place, band in present:
            shape = content.shapes[place]
            if band == YOUNG or not shape.kind:
                for number, level in zip(shape.fields, self.judge(shape, band).said, strict=True):
                    found.setdefault(number, []).append(level)
        return found

    def _bound(self, said: Mapping[int, Sequence[Level]], found: Field) -> Level:
        """What a field allows of those made of it: the word that is shown, where it stands by itself; the least of the entries;
        of a field the child does not have, what the policies say in general."""
        levels = said.get(found.index)
        if levels is None:
            return self._decided(self._alone(found))[0]
        return max(levels) if self._catalogue.categories[found.category].single else min(levels)

    # -- for the access record -----------------------------------------------------------------------------------

    def record(self) -> tuple[list[Entries], dict[str, str]]:
        """The decisions as distinct combinations with their fields as bits, and the fields shown as bits by level."""
        alike: dict[tuple, int] = {}
        for key, count in self._counts.items():
            combination = (*key[1:], self._legal(key), self._decided(key)[1], count)
            alike[combination] = alike.get(combination, 0) | 1 << key[0]
        entries = [
            Entries(dict(zip(ATTRIBUTES, found[:6], strict=True)), f"{fields:x}", found[8], found[6].name.lower(), f"{found[7]:x}")
            for found, fields in alike.items()
        ]
        return entries, {name: f"{bits:x}" for name, bits in self.shown.masks.items()}


def attributes_of(found: Field) -> dict[str, Any]:
    """What the catalogue says of a field to policies: with an access record's bits and its catalogue hash, a decision's vector."""
    return {
        "field": found.id,
        "category": found.category,
        "sensitivity": found.sensitivity,
        "about": found.about,
        "location_bearing": found.location_bearing,
    }


def entry_age_band(since: str | None, today: date) -> str:
    """How long ago a day was, in the bands policies know; no day, and one that is to come, is now."""
    if since is None or len(since) < 10:
        return YOUNG
    years = today.year - int(since[:4]) - ((today.month, today.day) < (int(since[5:7]), int(since[8:10])))
    return YOUNG if years < 2 else "2_to_6_years" if years < 6 else "over_6_years"


