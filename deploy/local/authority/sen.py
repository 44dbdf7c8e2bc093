"""Special educational needs of an invented child: the same to school and council."""

from __future__ import annotations

from deploy.local.authority.people import Child

TYPES = ("SPLD", "MLD", "SEMH", "SLCN", "ASD", "HI")


def needs_of(child: Child) -> tuple[str, ...]:
    """The needs in their order; none without provision."""
    count = 1 + child.number % 2 if child.sen != "N" else 0
    return tuple(TYPES[(child.number + rank) % len(TYPES)] for rank in range(1, 1 + count))
