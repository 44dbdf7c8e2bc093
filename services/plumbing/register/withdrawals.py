"""Withdrawals of what may not have come yet: kept with their day, so that no older extract brings it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.plumbing.contracts import EntryRule
from services.plumbing.register.entries import Gone, State, prefix


def let_go(state: State, rule: EntryRule, fields: Mapping[str, Any], extracted: str) -> None:
    """Remember that what has these fields was withdrawn, as of the newest day that it was."""
    now = Gone(prefix(rule), dict(fields), extracted)
    before = next((one for one in state.gone if (one.kind, one.fields) == (now.kind, now.fields)), None)
    if before is None or before.extracted < extracted:
        state.gone = [*(one for one in state.gone if one is not before), now]


def is_gone(state: State, rule: EntryRule, fields: Mapping[str, Any], extracted: str) -> bool:
    """Whether a newer extract withdrew what has these fields."""
    return any(
        one.kind == prefix(rule) and extracted < one.extracted and all(fields.get(name) == value for name, value in one.fields.items())
        for one in state.gone
    )
