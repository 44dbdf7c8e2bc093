"""The lease: what policy says of one person, in one post, for one purpose, for at most five seconds."""

from __future__ import annotations

import msgspec

LIFETIME = 5.0


class Cover(msgspec.Struct, frozen=True):
    """Covering a named colleague between two dates, as a manager recorded it."""

    professional_id: str
    start: str
    end: str


class Lease(msgspec.Struct, frozen=True):
    """Everything about the asker that decides. Only policy knows it; nobody asserts their own.

    policy_version: the position in policy.events it reflects. conflicts: children whose gate is closed to this person,
    each with the closest kind that was declared: `self`, `relative` or `conflict`.
    """

    person: str
    post: str
    role: str
    organisation_kind: str
    organisations: list[str]
    team_ids: list[str]
    professional_ids: list[str]
    supervises: list[str]
    covers: list[Cover]
    on_duty: bool
    assigned_schools: list[str]
    training: list[str]
    vetting_current: bool
    address_hash: str | None
    conflicts: dict[str, str]
    colleagues_children: list[str]
    purpose: str
    bundle: str
    policy_version: int
    issued: float
    expires: float
    name: str = ""
    purposes: list[str] = []
