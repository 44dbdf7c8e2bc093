"""Candidate keys: what a record is found by. Every kind is narrow, so that a common name does not bring a city. Pure.

A record is stored under `stored` and looked for under `wanted`, which adds the mistakes that are made most.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import blake2b
from itertools import product

from services.childview.identity.compare import swapped
from services.childview.identity.demographics import Demographics
from services.childview.identity.names import joined

CROWD = 400
"""More records under one key than can be looked at: nothing is decided by what was not seen. Of a number it says that it is
nobody's."""
FEW = 30
"""The same of a whole name, a birth date or a postcode alone: a rare one finds what is mistyped elsewhere, a common one
nobody."""
_ALONE = "a|"


def stored(who: Demographics) -> set[str]:
    """The keys a record is found by."""
    return set(_keys(who, list(who.birth_dates), who.given, who.family))


def wanted(who: Demographics) -> set[str]:
    """The keys it is looked for by: its own, those of the birth date with day and month exchanged, and of names exchanged."""
    turned = [other for birth in who.birth_dates if (other := swapped(birth))]
    found = stored(who) | set(_by_day(turned, who.given, who.family))
    return found | set(_keys(who, list(who.birth_dates), who.family, who.given))


def is_number(key: str) -> bool:
    """Whether a key is an identifier: a crowd of these says that the number is nobody's."""
    return key.startswith("n|")


def number_of(key: str) -> str:
    """The identifier that a key is."""
    return key[2:]


def limit(key: str) -> int:
    """How many records of a key are looked at."""
    return FEW if key.startswith(_ALONE) else CROWD


def must(key: str) -> bool:
    """Whether a crowd under this key leaves something unseen that decides."""
    return not key.startswith(_ALONE) and not is_number(key)


def hashed(key: str) -> int:
    """A key as it is kept: a signed number of 64 bits, from which no name is read."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def _keys(who: Demographics, births: list[date], given: tuple[str, ...], family: tuple[str, ...]) -> Iterator[str]:
    yield from (f"n|{number}" for number in who.identifiers)
    yield from (f"l|{number}" for number in who.local)
    yield from (f"{_ALONE}{alone}" for alone in (*births, *who.postcodes))
    years = {birth.year for birth in births}
    for code in who.postcodes:
        yield from (f"p|{code}|{year}" for year in years)
        yield from (f"i|{code}|{name[0]}" for name in given)
    yield from _by_day(births, given, family)
    for first, last in product(given, family):
        whole = f"{joined(first)}|{joined(last)}"
        yield from (f"y|{whole}|{year}" for year in years)
        yield from (f"w|{whole}|{birth:%m%d}" for birth in births)
        yield f"{_ALONE}{whole}"


def _by_day(births: list[date], given: tuple[str, ...], family: tuple[str, ...]) -> Iterator[str]:
    for birth in births:
        yield from (f"g|{joined(name)}|{birth}" for name in given)
        yield from (f"f|{joined(name)}|{birth}" for name in family)
        yield from (f"d|{birth}|{name[0]}" for name in given)
        yield from (f"e|{birth}|{name[0]}" for name in family)
