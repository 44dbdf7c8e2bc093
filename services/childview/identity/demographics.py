"""Who a record says somebody is, in the shape that is compared: of one record, or of every record of a child. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.childview.identity.names import joined, normal

STRONG = {"upn": "upn", "former_upn": "upn", "nhs_number": "nhs_number", "uln": "uln"}
"""Identifier types that can join records, and the number each is; a former UPN is a UPN. Only valid ones count."""
EVIDENCE = "identifier."
"""Before the type of a number that speaks for two records, and never against them."""
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Demographics:
    """What is compared: of one record, or of a child everything that its records ever said.

    given, middle, family: normal names; family holds former ones, too. birth_dates: days, none of them a mistake of
    calendar. expected: the birth date was expected, not known. postcodes: without spaces. addresses: `line|postcode`.
    contacts: normal full names of parents and carers. identifiers: `type:value`, valid ones. local: `source|number`, what
    each source calls the child. sources: whose records these are.
    """

    given: tuple[str, ...] = ()
    middle: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    birth_dates: tuple[date, ...] = ()
    expected: bool = False
    sex: frozenset[str] = frozenset()
    postcodes: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()

    @property
    def birth_date(self) -> date | None:
        """The birth date, where there is one."""
        return self.birth_dates[0] if self.birth_dates else None

    @property
    def sources(self) -> frozenset[str]:
        """The sources that name the child by a number of their own."""
        return frozenset(name.rpartition("|")[0] for name in self.local)

    def numbers(self, kind: str) -> frozenset[str]:
        """The identifiers of one type."""
        return frozenset(name for name in self.identifiers if name.startswith(f"{kind}:"))


def combine(records: Iterable[Demographics]) -> Demographics:
    """Everything that these records say: the profile of one child."""
    records = list(records)
    if len(records) == 1:
        return records[0]
    return Demographics(
        given=_all(r.given for r in records),
        middle=_all(r.middle for r in records),
        family=_all(r.family for r in records),
        birth_dates=_all(r.birth_dates for r in records),
        expected=all(r.expected for r in records),
        sex=frozenset().union(*(r.sex for r in records)),
        postcodes=frozenset().union(*(r.postcodes for r in records)),
        addresses=frozenset().union(*(r.addresses for r in records)),
        contacts=frozenset().union(*(r.contacts for r in records)),
        identifiers=frozenset().union(*(r.identifiers for r in records)),
        local=frozenset().union(*(r.local for r in records)),
    )


def _all(values: Iterable[tuple]) -> tuple:
    return tuple(dict.fromkeys(value for group in values for value in group))


def day(text: str | None) -> date | None:
    """A date, None for none and for a day that is in no calendar: a bad value never drops a child."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def of_person(person: Mapping[str, Any], *, source: str = "") -> Demographics:
    """What a person entry gives to compare by."""
    birth, expected = day(person.get("birth_date")), day(person.get("expected_birth_date"))
    found = person.get("identifiers") or []
    return Demographics(
        given=named(person, "given_name", "known_as"),
        middle=named(person, "middle_names"),
        family=named(person, "family_name", "former_family_name"),
        birth_dates=tuple(filter(None, [birth or expected])),
        expected=birth is None and expected is not None,
        sex=sexes(person.get("sex")),
        identifiers=frozenset(
            f"{STRONG[item['type']]}:{number(item['value'])}"
            for item in found
            if item.get("valid") and item.get("value") and item["type"] in STRONG
        ),
        local=frozenset(
            f"{source}|{item['value']}" for item in found if source and item["type"] == "local_child_id" and item.get("value")
        ),
    )


def of_address(entry: Mapping[str, Any], *, source: str = "") -> Demographics:
    """What an address gives to compare by, also a former one; a placement's nothing: other children live there, too."""
    if entry.get("address_kind") == "placement":
        return Demographics()
    code = postcode(entry.get("postcode"))
    lines = [line for line in entry.get("lines") or [] if line]
    line = address(lines[0] if lines else None, lines[-1] if lines else None, code)
    return Demographics(postcodes=frozenset({code} if code else ()), addresses=frozenset({line} if line else ()))


def of_relation(entry: Mapping[str, Any], *, source: str = "") -> Demographics:
    """What a parent, carer or sibling gives to compare by: the name."""
    names = [normal(entry.get(field)) for field in ("given_name", "family_name")]
    return Demographics(contacts=frozenset({" ".join(names)} if all(names) else ()))


def named(person: Mapping[str, Any], *fields: str) -> tuple[str, ...]:
    """The normal names in these fields, each once."""
    return tuple(dict.fromkeys(name for field in fields if (name := normal(person.get(field)))))


def sexes(text: str | None) -> frozenset[str]:
    """`m` or `f`; nothing for whatever else is written: it tells nobody apart."""
    letter = {"1": "m", "2": "f"}.get((text or "").strip(), (text or "").strip()[:1].casefold())
    return frozenset({letter}) if letter in ("m", "f") else frozenset()


def number(text: str) -> str:
    """An identifier as it is compared."""
    return _SPACES.sub("", text).upper()


def postcode(text: str | None) -> str:
    """A postcode as it is compared; empty for what is no place."""
    found = _SPACES.sub("", text or "").upper()
    return found if 3 <= len(found) <= 10 and any(c.isdigit() for c in found) and found.isascii() else ""


def address(line: str | None, town: str | None, code: str) -> str:
    """An address as it is compared: its line and its postcode, or its town where there is none; empty for none."""
    words = joined(normal(line))
    place = code or joined(normal(town))
    return f"{words}|{place}" if words and place else ""
