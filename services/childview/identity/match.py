"""Comparing two source records: what agrees and what does not, as evidence that holds no value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from services.childview.projection.terms import normal_name

STRONG = {"upn": "upn", "former_upn": "upn", "nhs_number": "nhs_number", "uln": "uln"}
"""Identifier types that can join records, and the number each is; a former UPN is a UPN. Only valid ones count."""


@dataclass(frozen=True)
class Demographics:
    """What is compared of one record: every name it has, its birth date, its valid strong identifiers (`upn:...`)."""

    given: frozenset[str]
    family: frozenset[str]
    birth_date: date | None
    identifiers: frozenset[str]


class Agreement(Enum):
    """What two records may be to one another, before anything else is asked."""

    SAME = "same"
    DOUBT = "doubt"
    NONE = "none"


@dataclass(frozen=True)
class Evidence:
    """What agreed: field -> equal, swapped, different, unknown; which kinds of identifier are shared, which conflict."""

    agreement: Agreement
    fields: Mapping[str, str]
    identifiers: tuple[str, ...]
    conflicts: tuple[str, ...] = ()

    @property
    def consistent(self) -> bool:
        """Nothing speaks against a link that stands: what went missing does not break it, what differs does."""
        alike = set(self.fields.values()) <= {"equal", "unknown"}
        return alike and (bool(self.identifiers) or not self.conflicts)


def demographics(person: Mapping[str, Any]) -> Demographics:
    """What a person entry gives to compare by."""
    return Demographics(
        given=_names(person, "given_name"),
        family=_names(person, "family_name", "former_family_name"),
        birth_date=_day(person.get("birth_date")),
        identifiers=frozenset(
            f"{STRONG[item['type']]}:{item['value'].upper()}"
            for item in person.get("identifiers") or []
            if item.get("valid") and item.get("value") and item["type"] in STRONG
        ),
    )


def _day(text: str | None) -> date | None:
    """A date, None for none and for a day that is in no calendar: a bad value never drops a child."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _names(person: Mapping[str, Any], *fields: str) -> frozenset[str]:
    return frozenset(name for field in fields if (name := normal_name(person.get(field) or "")))


def swapped(day: date | None) -> date | None:
    """The date with day and month exchanged, where that is a date and another one."""
    if day is None or day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def compare(one: Demographics, other: Demographics) -> Evidence:
    """What two records say of one another.

    SAME: a shared strong identifier, and birth date, family name and given name agree (twins have been given each
    other's numbers). DOUBT: a shared identifier without all of that; or an equal, or day-and-month-swapped, birth date
    with either name equal. NONE: everything else.
    """
    shared = _kinds(one.identifiers & other.identifiers)
    both = _kinds(one.identifiers) & _kinds(other.identifiers)
    fields = {
        "birth_date": _dates(one.birth_date, other.birth_date),
        "given_name": _sets(one.given, other.given),
        "family_name": _sets(one.family, other.family),
    }
    return Evidence(_agreement(fields, shared), fields, tuple(sorted(shared)), tuple(sorted(both - shared)))


def _kinds(identifiers: Iterable[str]) -> set[str]:
    return {name.split(":")[0] for name in identifiers}


def _agreement(fields: Mapping[str, str], shared: Collection[str]) -> Agreement:
    if shared:
        return Agreement.SAME if set(fields.values()) == {"equal"} else Agreement.DOUBT
    near = fields["birth_date"] in ("equal", "swapped")
    name = "equal" in (fields["given_name"], fields["family_name"])
    return Agreement.DOUBT if near and name else Agreement.NONE


def _dates(one: date | None, other: date | None) -> str:
    if one is None or other is None:
        return "unknown"
    if one == other:
        return "equal"
    return "swapped" if swapped(one) == other else "different"


def _sets(one: frozenset[str], other: frozenset[str]) -> str:
    if not one or not other:
        return "unknown"
    return "equal" if one & other else "different"
