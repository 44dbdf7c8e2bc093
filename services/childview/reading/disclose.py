"""Levels for every field and entry of one child, and what is shown of them, assembled from the stored segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from services.childview.projection import derived
from services.childview.projection.catalogue import Catalogue, Field
from services.childview.projection.masks import masked
from services.childview.projection.view import Segment, View
from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle, Decision, Request
from services.disclosure.levels import Level, clamp
from services.plumbing.access import Entries

PAGE = 50
_json = msgspec.json.Encoder(order="deterministic")
Key = tuple[int, str, bool, str, str, str, str]


@dataclass
class Shown:
    """What one asker sees of one child, and how it was decided."""

    fields: list[bytes] = field(default_factory=list)
    noted: dict[str, None] = field(default_factory=dict)
    entries: dict[str, list[tuple[Segment, list[tuple[Field, Level, bytes]]]]] = field(default_factory=dict)
    decided: dict[Key, tuple[Level, int, int]] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=lambda: {"full": 0, "masked": 0, "noted": 0})
    sources: set[str] = field(default_factory=set)
    """The sources of what is shown in full: of no other may it be said how fresh it is."""


class Disclosure:
    """Decides for one request about one child. `memo` remembers across requests: it is a pure function's."""

    def __init__(
        self,
        catalogue: Catalogue,
        memo: evaluate.Memo,
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
        self._known = memo.scope(bundle, request)
        self.shown = Shown()

    def level(self, found: Field, segment: Segment) -> Level:
        """The level of one field in one segment, legal for it; counted for the access record."""
        own = segment.organisation is not None and segment.organisation in self._own
        age = entry_age_band(segment.effective, self._today)
        return self._decide((found.index, segment.source, own, age, segment.consent, segment.restriction, self._link))

    def plain_level(self, found: Field) -> Level:
        """The level of a field that stands in no segment (a derived one)."""
        return self._decide((found.index, "childview", False, YOUNG, "not_needed", "none", self._link))

    def _decide(self, key: Key) -> Level:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._fresh(key)
        level, count, _ = self.shown.decided.get(key, (known[0], 0, 0))
        self.shown.decided[key] = (level, count + 1, known[1])
        return level

    def _fresh(self, key: Key) -> tuple[Level, int]:
        decision: Decision = evaluate.level(self._bundle, self._request, self.vector(key))
        return clamp(decision.level, self._catalogue.fields[key[0]].levels), decision.sat

    def vector(self, key: Key) -> dict[str, Any]:
        """Every declared resource attribute of a decided field."""
        found = self._catalogue.fields[key[0]]
        return {
            "field": found.id,
            "category": found.category,
            "sensitivity": found.sensitivity,
            "source_service": key[1],
            "own_organisation_wrote": key[2],
            "about": found.about,
            "location_bearing": found.location_bearing,
            "entry_age_band": key[3],
            "consent": key[4],
            "restriction": key[5],
            "link": key[6],
        }

    # -- showing -------------------------------------------------------------------------------------------------

    def show(self, view: View, *, silent: frozenset[str], only: frozenset[str] | None = None) -> Shown:
        """Everything of the child that may be shown, in catalogue order. only: the fields a list has room for, which then
        are all that is decided and recorded."""
        for segment in view.segments:
            if segment.refers is None or segment.refers not in silent:
                self._segment(segment, only)
        for found in self._catalogue.fields:
            if found.derived and (only is None or found.id in only):
                self._derived(view, found)
        return self.shown

    def _segment(self, segment: Segment, only: frozenset[str] | None) -> None:
        wanted = [m for m in segment.members if only is None or self._catalogue.fields[m.field].id in only]
        members = [m for member in wanted if (m := self._member(segment, member)) is not None]
        if any(level is Level.FULL for _, level, _ in members):
            self.shown.sources.add(segment.source)
        if not segment.kind:
            self.shown.fields += [body for _, _, body in members]
        elif members:
            self.shown.entries.setdefault(segment.category, []).append((segment, members))

    def _member(self, segment: Segment, member) -> tuple[Field, Level, bytes] | None:
        found = self._catalogue.fields[member.field]
        level = self.level(found, segment)
        body = member.full if level is Level.FULL else member.masked if level is Level.MASKED else None
        return self._put(found, level, body)

    def _derived(self, view: View, found: Field) -> None:
        """A derived field shows at full only to who has full on every category it is made of."""
        value = derived.DERIVED[found.derived or ""](view.inputs, self._today)
        if value is None:
            return
        level = self.plain_level(found)
        if level is Level.FULL and not all(self._full_on(name) for name in found.inputs if name != found.category):
            level = clamp(Level.NOTED, found.levels)
        full = level is Level.FULL
        shown = value if full else masked(self._catalogue, found, value)
        said = {"level": "full", "value": shown, "source": "childview"} if full else {"level": "masked", "value": shown}
        body = None if shown is None else b'"%s":%s' % (found.id.encode(), _json.encode(said))
        kept = self._put(found, level, body if level >= Level.MASKED else None)
        if kept is not None:
            self.shown.fields.append(kept[2])

    def _full_on(self, category: str) -> bool:
        return all(
            self.plain_level(found) is Level.FULL for found in self._catalogue.of(category) if "full" in found.levels
        )

    def _put(self, found: Field, level: Level, body: bytes | None) -> tuple[Field, Level, bytes] | None:
        """Count what is shown; a masked value without a safe form falls to noted."""
        if level >= Level.MASKED and body is not None:
            self.shown.masks[level.name.lower()] |= 1 << found.index
            return found, level, body
        if level >= Level.NOTED and "noted" in found.levels:
            self.shown.masks["noted"] |= 1 << found.index
            self.shown.noted[found.category] = None
        return None

    def record(self) -> tuple[list[Entries], dict[str, str]]:
        """The decisions as distinct combinations, and the fields shown as bitmasks, for the access record."""
        entries = [
            Entries(self.vector(key), count, level.name.lower(), f"{sat:x}")
            for key, (level, count, sat) in self.shown.decided.items()
        ]
        return entries, {name: f"{bits:x}" for name, bits in self.shown.masks.items()}


YOUNG = "under_2_years"


def entry_age_band(effective: str | None, today: date) -> str:
    """How old an entry is, in the bands policies know."""
    if effective is None:
        return YOUNG
    years = today.year - int(effective[:4]) - ((today.month, today.day) < (int(effective[5:7]), int(effective[8:10])))
    return YOUNG if years < 2 else "2_to_6_years" if years < 6 else "over_6_years"


def entry_json(segment: Segment, members: Iterable[tuple[Field, Level, bytes]]) -> bytes:
    """One entry. Its date stands only beside something shown in full."""
    members = list(members)
    head: dict[str, Any] = {"id": segment.id, "kind": segment.kind}
    if any(level is Level.FULL for _, level, _ in members):
        head |= {"effective": segment.effective, "source": segment.source}
    return _json.encode(head)[:-1] + b',"fields":{' + b",".join(body for _, _, body in members) + b"}}"


def page(
    entries: Sequence[tuple[Segment, list[tuple[Field, Level, bytes]]]], *, start: int = 0, size: int = PAGE
) -> tuple[bytes, str | None]:
    """A page of entries and the cursor of the next, counted among what this asker sees."""
    items = [entry_json(*entry) for entry in entries[start : start + size]]
    following = str(start + size) if len(entries) > start + size else None
    return b"[" + b",".join(items) + b"]", following


def body(child: str, shown: Shown, catalogue: Catalogue, *, ask: str, under_review: bool, behind: Iterable[str] = ()) -> bytes:
    """The answer to a read of one child. behind: sources that may be out of date; said of those shown in full alone."""
    parts = [b'"id":' + _json.encode(child), b'"fields":{' + b",".join(shown.fields) + b"}"]
    parts.append(b'"noted":' + _json.encode(noted(shown, catalogue)))
    pages = []
    for category, entries in shown.entries.items():
        items, following = page(entries)
        pages.append(b'"%s":{"items":%s,"next":%s}' % (category.encode(), items, _json.encode(following)))
    parts.append(b'"entries":{' + b",".join(pages) + b"}")
    if late := sorted(shown.sources & set(behind)):
        parts.append(b'"may_be_out_of_date":' + _json.encode(late))
    if under_review:
        parts.append(b'"under_review":true')
    parts.append(b'"ask":' + _json.encode(ask))
    return b"{" + b",".join(parts) + b"}"


def noted(shown: Shown, catalogue: Catalogue, *, only: str | None = None) -> list[Mapping[str, str | None]]:
    """Neutral sentences in catalogue order, of one category if named, and whom to ask. Categories that share one say it
    once: their number tells nothing."""
    said = {
        category.noted: category.ask
        for category in catalogue.categories.values()
        if category.id in shown.noted and category.noted and only in (None, category.id)
    }
    return [{"label": label, "ask": ask} for label, ask in said.items()]
