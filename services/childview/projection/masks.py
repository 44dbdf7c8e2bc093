"""Masks: the shorter, safer form of a value, made from the value alone. None: there is no safe form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.childview.projection.catalogue import Catalogue, Field

Mask = Callable[[Any, Mapping[str, str | None]], Any]


def masked(catalogue: Catalogue, found: Field, value: Any) -> Any:
    """The masked form of a field's value, or None."""
    if found.mask is None or value is None:
        return None
    return MASKS[found.mask](value, catalogue.groups(found.codes or ""))


def whole(value: Any, _: Mapping[str, str | None]) -> Any:
    """The value itself: this field says no more than its category may at masked."""
    return value


def outward_postcode(value: Any, _: Mapping[str, str | None]) -> str | None:
    """LS6 2AB -> LS6. An inward part is always a digit and two letters; anything else has no safe form."""
    text = str(value).strip().upper()
    outward, inward = text[:-3].strip(), text[-3:]
    fits = 2 <= len(outward) <= 4 and outward.isalnum() and outward[0].isalpha()
    return outward if fits and inward[:1].isdigit() and inward[1:].isalpha() else None


def code_group(value: Any, groups: Mapping[str, str | None]) -> str | None:
    """A code's group: C2 -> care order. A code not in the list has none."""
    return groups.get(str(value))


def code_groups(value: Any, groups: Mapping[str, str | None]) -> list[str] | None:
    """The groups of several codes, each once: [HEAR, VIS] -> [communication and senses]. A code not in the list has none."""
    found = {group for code in value if (group := groups.get(str(code)))} if isinstance(value, list) else set()
    return sorted(found) or None


def start_month(value: Any, _: Mapping[str, str | None]) -> str | None:
    """A period's first month: 2024-11-07 -> 2024-11."""
    start = value.get("start") if isinstance(value, dict) else value
    return str(start)[:7] if start else None


def open_or_ended(value: Any, _: Mapping[str, str | None]) -> str | None:
    """Whether a period has an end; not when."""
    if not isinstance(value, dict) or not value.get("start"):
        return None
    return "ended" if value.get("end") else "open"


def number_held(value: Any, _: Mapping[str, str | None]) -> str | None:
    """That there is a number, never which: an area code is a place."""
    return "a number is held" if value else None


def month_and_state(value: Any, groups: Mapping[str, str | None]) -> str | None:
    """A period's first month, and whether it has an end: `2024-11, open`."""
    month, state = start_month(value, groups), open_or_ended(value, groups)
    return f"{month}, {state}" if month and state else None


def attendance_band(value: Any, _: Mapping[str, str | None]) -> str | None:
    """A rate in percent as one of four bands."""
    if not isinstance(value, int | float):
        return None
    return next(label for least, label in ((95, "95+"), (90, "90-95"), (50, "50-90"), (-1, "below 50")) if value >= least)


MASKS: dict[str, Mask] = {
    mask.__name__: mask
    for mask in (whole, outward_postcode, code_group, code_groups, start_month, open_or_ended, month_and_state, number_held,
                 attendance_band)
}
