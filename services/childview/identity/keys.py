"""Candidate keys: what a record is found by. Every kind is narrow, so that a common name does not bring a city. Pure.

A record is stored under `stored` and looked for under `wanted`, which adds the mistakes that are made most. Protected children
are stored under `generous` as well, and looked for under `mistaken` when a protection is set: they are few, so nothing near
them may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from hashlib import blake2b
from itertools import product
from string import ascii_lowercase

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


def generous(who: Demographics, *, turned: bool = False) -> set[str]:
    """The keys a protected record is found by besides: a birth date, a place or a contact alone, and one name with two parts of
    the birth date. turned: also with day and month exchanged, as it is looked for."""
    births = [*who.birth_dates, *(other for birth in who.birth_dates if turned and (other := swapped(birth)))]
    found = {f"B|{birth}" for birth in births}
    found |= {f"P|{code}" for code in who.postcodes} | {f"C|{name}" for name in who.contacts}
    names = {joined(name) for name in (*who.given, *who.family)}
    found |= {f"N|{name}|{part}" for name in names for birth in births for part in _parts(birth)}
    for first, last in product(map(joined, who.given), map(joined, who.family)):
        found |= {f"W|{'|'.join(sorted((first, last)))}", f"X|{first}|{last[0]}", f"Y|{first[0]}|{last}"}
    return found


def _parts(birth: date) -> tuple[str, str, str]:
    return f"{birth:%Y-%m}", f"{birth:%Y--%d}", f"{birth:%m-%d}"


def mistaken(who: Demographics) -> set[str]:
    """The keys under which `stored` keeps whoever is as near as `generous` would find: every birth date one figure or one part
    away with each name, and the birth date with any initial."""
    births = {near for birth in who.birth_dates for near in _near(birth)}
    found = wanted(who) | set(_by_day(sorted(births), who.given, who.family))
    alone = {other for birth in who.birth_dates for other in (birth, swapped(birth)) if other}
    return found | {f"d|{birth}|{letter}" for birth in alone for letter in ascii_lowercase}


def _near(birth: date) -> Iterator[date]:
    """Every date that has two of its three parts."""
    choices = [(year, birth.month, birth.day) for year in range(birth.year - 30, birth.year + 31)]
    choices += [(birth.year, month, birth.day) for month in range(1, 13)]
    choices += [(birth.year, birth.month, day) for day in range(1, 32)]
    for year, month, day in choices:
        with suppress(ValueError):
            yield date(year, month, day)


def is_number(key: str) -> bool:
    """Whether a key is an identifier: a crowd of these says that the number is nobody's."""
    return key.startswith("n|")


def of_number(number: str) -> int:
    """The key of an identifier, as it is stored."""
    return hashed(f"n|{number}")


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
