"""What is withdrawn when the source deletes a child, an episode, or one of its parts."""

from __future__ import annotations

from collections.abc import Iterator

from services.plumbing.register.entries import Statement

Told = tuple[str, str, dict[str, str]]
"""(event, record class, which of its entries)."""
EPISODE: tuple[Told, ...] = (
    ("referral", "R-CASE", {}), ("assessment", "R-CASE", {}), ("section-47", "R-CP", {}), ("conference", "R-CP", {}),
    ("plan", "R-CASE", {"plan_kind": "need"}), ("plan", "R-CP", {"plan_kind": "protection"}), ("involvement", "R-CASE", {}),
)  # fmt: skip
"""What names the referral it belongs to."""
OTHER: tuple[Told, ...] = (
    ("person", "R-IDENT", {}), ("address", "R-IDENT", {}), ("relation", "R-IDENT", {}), ("contact", "R-CASE", {}),
    ("early-help", "R-EARLY", {}), ("plan-review", "R-CP", {}), ("visit", "R-CASE", {"visit_kind": "need"}),
    ("visit", "R-CP", {"visit_kind": "protection"}), ("visit", "R-CARE", {"visit_kind": "care"}), ("care-visit", "R-CARE", {}),
    ("voice", "R-CASE", {}),
    ("disability", "R-CASE", {}), ("ehc-request", "R-SEN", {}), ("ehc-plan", "R-SEN", {}), ("adoption-sign", "R-ADOPT", {}),
    ("looked-after", "R-CARE", {}), ("placement", "R-CARE", {}), ("care-review", "R-CARE", {}), ("missing", "R-CARE", {}),
    ("deprivation-of-liberty", "R-CARE", {}), ("immigration-status", "R-CARE", {}), ("health", "R-CARE", {}), ("sdq", "R-CARE", {}),
    ("care-leaving", "R-LEAVER", {}), ("adoption", "R-ADOPT", {}), ("previous-permanence", "R-ADOPT", {}),
)  # fmt: skip
"""What else the case system says of a child. What people set (protection, adoption pairs) stays."""


def of_child(*, row: int) -> Iterator[Statement]:
    """Everything that the source said of the child."""
    for one in (*EPISODE, *OTHER):
        yield _withdrawn(one, {}, row=row)


def of_episode(referral: str, *, row: int, part: int) -> Iterator[Statement]:
    """A referral, and everything that names it."""
    for one in EPISODE:
        yield _withdrawn(one, {"referral_id": referral}, row=row, part=part)
    yield _withdrawn(("adoption-sign", "R-ADOPT", {"sign_id": f"closed {referral}"}), {}, row=row, part=part)


def _withdrawn(told: Told, fields: dict[str, str], *, row: int, part: int = 0) -> Statement:
    event, record_class, kind = told
    type = f"socialcare.{event}-recorded.v1"
    return Statement(type, record_class, {**kind, **fields}, withdrawn=True, row=row, part=part, every="any")
