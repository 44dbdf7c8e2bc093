"""A source is as fresh as what is applied here and decided by identity, never fresher."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from services.childview.projection.freshness import Freshness, heartbeat

TIME = "2026-11-24T10:00:00.000000Z"
AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
PLACE, POLICY = ("education.events", 0), ("policy.events", 0)


def said(source: str, place: tuple[str, int], offset: int) -> bytes:
    return msgspec.json.encode({"source": source, "time": TIME, "offsets": {place[0]: {str(place[1]): offset}}})


def test_a_source_is_fresh_once_all_it_said_is_applied_decided_and_the_decisions_applied():
    found = Freshness(frozenset({PLACE[0]}))
    found.hear(said("education", PLACE, 5))
    applied = {PLACE: 5}
    assert found.settle(applied, decision=9) == {}, "identity has not spoken"
    found.hear(heartbeat(TIME, {PLACE: 4}, decision=1))
    assert found.settle(applied, decision=1) == {}, "identity has not come so far"
    found.hear(heartbeat(TIME, {PLACE: 5}, decision=2))
    assert found.settle({PLACE: 4}, decision=2) == {}, "not all is applied"
    found = Freshness(frozenset({PLACE[0]}))
    found.hear(said("education", PLACE, 5))
    found.hear(heartbeat(TIME, {PLACE: 5}, decision=2))
    assert found.settle(applied, decision=1) == {}, "what identity decided is not applied"
    assert found.settle(applied, decision=2) == {"education": AT} == found.as_of


def test_what_identity_does_not_read_waits_for_no_decision():
    found = Freshness(frozenset({PLACE[0]}))
    found.hear(said("policy", POLICY, 3))
    assert found.settle({POLICY: 2}, decision=0) == {}
    assert found.settle({POLICY: 3}, decision=0) == {"policy": AT}
