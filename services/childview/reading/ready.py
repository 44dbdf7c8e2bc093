"""What is shown of one child as it is sent: assembled once, kept, and told again while nothing changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from services.childview.projection.catalogue import Catalogue
from services.childview.reading.disclose import Disclosure, Piece, Shown
from services.plumbing.access import Entries

PAGE = 50
_json = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True)
class Ready:
    """All that one asker sees of one child, as it is sent, but for what is of the moment; and how it was decided."""

    told: bytes
    sources: frozenset[str]
    masks: Mapping[str, int]
    decided: tuple[list[Entries], dict[str, str]]

    def record(self) -> tuple[list[Entries], dict[str, str]]:
        """As `Disclosure.record`."""
        return self.decided

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return len(self.told) + 100 * len(self.decided[0])


class Kept:
    """What was made ready before, the latest used: bounded in bytes. What is kept is a pure function of its key."""

    def __init__(self, most: int = 64 * 1024 * 1024) -> None:
        self._most = most
        self._size = 0
        self._held: OrderedDict[Hashable, Ready] = OrderedDict()

    def get(self, key: Hashable) -> Ready | None:
        """What is kept under the key."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def keep(self, key: Hashable, found: Ready) -> Ready:
        """Keep this under the key."""
        self._size += found.size - (self._held[key].size if key in self._held else 0)
        self._held[key] = found
        while self._size > self._most and len(self._held) > 1:
            self._size -= self._held.popitem(last=False)[1].size
        return found


def ready(child: str, decided: Disclosure, catalogue: Catalogue) -> Ready:
    """What was decided and shown, made ready to be sent."""
    shown = decided.shown
    return Ready(_told(child, shown, catalogue), frozenset(shown.sources), dict(shown.masks), decided.record())


def _told(child: str, shown: Shown, catalogue: Catalogue) -> bytes:
    parts = [b'"id":' + _json.encode(child), b'"fields":{' + b",".join(shown.fields) + b"}"]
    parts.append(b'"noted":' + _json.encode(noted(shown, catalogue)))
    pages = []
    for category, pieces in shown.entries.items():
        items, following = page(pieces)
        pages.append(b'"%s":{"items":%s,"next":%s}' % (category.encode(), items, _json.encode(following)))
    parts.append(b'"entries":{' + b",".join(pages) + b"}")
    return b",".join(parts)


def body(found: Ready, *, ask: str, under_review: bool, behind: Iterable[str] = ()) -> bytes:
    """The answer to a read of one child. behind: sources that may be out of date; said of those shown in full alone."""
    parts = [found.told]
    if late := sorted(found.sources & set(behind)):
        parts.append(b'"may_be_out_of_date":' + _json.encode(late))
    if under_review:
        parts.append(b'"under_review":true')
    parts.append(b'"ask":' + _json.encode(ask))
    return b"{" + b",".join(parts) + b"}"


def page(pieces: Sequence[Piece], *, start: int = 0, size: int = PAGE) -> tuple[bytes, str | None]:
    """A page of entries and the cursor of the next, counted among what this asker sees."""
    items = [piece.body for piece in pieces[start : start + size]]
    following = str(start + size) if len(pieces) > start + size else None
    return b"[" + b",".join(items) + b"]", following


def noted(shown: Shown, catalogue: Catalogue, *, only: str | None = None) -> list[Mapping[str, str | None]]:
    """Neutral sentences in catalogue order, of one category if named, and whom to ask. Categories that share one say it
    once: their number tells nothing."""
    said = {
        category.noted: category.ask
        for category in catalogue.categories.values()
        if category.id in shown.noted and category.noted and only in (None, category.id)
    }
    return [{"label": label, "ask": ask} for label, ask in said.items()]
