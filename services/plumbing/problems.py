"""Problems: RFC 9457 answers out of one closed list of types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One type of problem: its HTTP status and its title, the same for everybody."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "token": Kind(401, "Sign in again"),
    "purpose-missing": Kind(400, "Say what this is for"),
    "purpose-not-permitted": Kind(403, "This post does not work for that purpose"),
    "not-found": Kind(404, "Not found"),
    "stale-source": Kind(503, "What is held may be out of date"),
    "no-lease": Kind(503, "No decision can be made now"),
    "audit-unavailable": Kind(503, "The access cannot be recorded now"),
    "version-conflict": Kind(412, "Changed in the meantime"),
    "idempotency-mismatch": Kind(422, "This Idempotency-Key was used for another request"),
    "validation": Kind(422, "The request is not valid"),
    "file-refused": Kind(422, "The file was refused"),
    "held": Kind(409, "Held for a decision"),
    "too-large": Kind(413, "Too large"),
    "too-many": Kind(429, "Too many requests"),
}


class Problem(Exception):
    """An answer that is not what was asked for. `detail` is a sentence for the person who asked.

    `status` may be given where one type has two (no-lease is 403 for a post that may not act).
    """

    def __init__(self, kind: str, detail: str, *, status: int | None = None, **extra: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status or KINDS[kind].status
        self.body = {
            "type": f"/problems/{kind}",
            "title": "Not for this caller" if (kind, self.status) == ("token", 403) else KINDS[kind].title,
            "status": self.status,
            "detail": detail,
            **extra,
        }
