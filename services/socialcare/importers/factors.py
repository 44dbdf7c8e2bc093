"""Factors found at an assessment: some are about the child, others about a parent or somebody else at home."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.plumbing.contracts import Codes

OF_THE_CHILD = "child"


def split(codes: Codes, factors: Iterable[str]) -> dict[str, Any]:
    """The event's fields. A factor that is in no list may be about anybody."""
    child, others = [], []
    for factor in sorted(set(factors)):
        known = codes["factor"].get(factor)
        (child if known is not None and known.group == OF_THE_CHILD else others).append(factor)
    return {"assessment_factors": child or None, "assessment_factors_of_others": others or None}
