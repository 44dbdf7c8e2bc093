"""How fresh each source is: the time of the latest heartbeat whose offsets are applied and decided."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from services.plumbing.kafka.consumer import Place

IDENTITY = "identity"


class Beat(msgspec.Struct, frozen=True):
    """A heartbeat. offsets: topic -> partition -> the next offset. decision: up to which version of the decisions' stream,
    said by identity alone."""

    source: str
    time: datetime
    offsets: dict[str, dict[int, int]]
    decision: int = 0


_decoder = msgspec.json.Decoder(Beat)


@dataclass
class Freshness:
    """Holds heartbeats until they are true here. `decided`: the topics that identity must have decided as well."""

    decided: frozenset[str]
    as_of: dict[str, datetime] = field(default_factory=dict)
    _waiting: dict[str, deque[tuple[datetime, dict[Place, int]]]] = field(default_factory=dict)
    _identity: list[tuple[dict[Place, int], int]] = field(default_factory=list)
    _decided: dict[Place, int] = field(default_factory=dict)

    def hear(self, value: bytes) -> bool:
        """One heartbeat; False for what is none, which says nothing."""
        try:
            beat = _decoder.decode(value)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
            return False
        if beat.time.tzinfo is None:
            return False
        offsets = {(topic, partition): n for topic, parts in beat.offsets.items() for partition, n in parts.items()}
        if beat.source == IDENTITY:
            self._identity = [*self._identity[-30:], (offsets, beat.decision)]
        else:
            self._waiting.setdefault(beat.source, deque(maxlen=600)).append((beat.time, offsets))
        return True

    def settle(self, applied: Mapping[Place, int], *, decision: int) -> dict[str, datetime]:
        """The sources whose time moved, now that these offsets and decisions are applied."""
        self._take_identity(decision)
        moved = {}
        for source, waiting in self._waiting.items():
            while waiting and self._true(waiting[0][1], applied):
                moved[source] = waiting.popleft()[0]
        self.as_of |= moved
        return moved

    def _take_identity(self, decision: int) -> None:
        """Identity's word counts once its decisions up to then are applied here."""
        while self._identity and self._identity[0][1] <= decision:
            self._decided = self._identity.pop(0)[0]

    def _true(self, offsets: Mapping[Place, int], applied: Mapping[Place, int]) -> bool:
        return all(
            applied.get(place, 0) >= n and (place[0] not in self.decided or self._decided.get(place, 0) >= n)
            for place, n in offsets.items()
            if place in applied
        )


def heartbeat(time: str, offsets: Mapping[Place, int], *, decision: int) -> bytes:
    """Identity's own heartbeat: what it has decided, up to which version of the decisions' stream."""
    named: dict[str, dict[str, int]] = {}
    for (topic, partition), n in offsets.items():
        named.setdefault(topic, {})[str(partition)] = n
    return msgspec.json.encode({"source": IDENTITY, "time": time, "offsets": named, "decision": decision})
