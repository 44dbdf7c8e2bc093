"""Numbers of invented children, with good check digits, no two alike."""

from __future__ import annotations

from deploy.local.authority.people import upn as upn_of

DEFAULT_NHS, DEFAULT_UPN = "9999999999", "A000000000000"
"""What systems write where nothing is known. Both have good check digits, which is what makes them dangerous."""
_SPREAD = 61_803_399
"""Coprime to 10 ** 8, so that numbers of neighbours are far apart and none comes twice."""


def upn(school: int, year: int, serial: int) -> str:
    """As schools give them: neighbours of one register, twins mostly, get neighbouring numbers."""
    return upn_of(school * 100_000 + year % 100 * 1000 + serial)


def nhs(number: int) -> str:
    """Of those that begin with 9, which are given to nobody."""
    for again in range(40):
        digits = f"9{_spread(number + again * 2_400_000):08d}"
        check = 11 - _weighted(digits) % 11
        if check != 10 and digits + str(check % 11) != DEFAULT_NHS:
            return digits + str(check % 11)
    raise ValueError(f"no NHS number for child {number}")


def uln(number: int) -> str:
    """A unique learner number."""
    for again in range(40):
        digits = f"5{_spread(number + 777_777 + again * 2_400_000):08d}"
        if rest := _weighted(digits) % 11:
            return digits + str(10 - rest)
    raise ValueError(f"no learner number for child {number}")


def local(source: str, number: int, *, second: bool = False) -> str:
    """A source's own number of a child; neighbours are far apart."""
    start = 4_000_003 * (1 + sum(map(ord, source)) % 17) + (50_000_000 if second else 0)
    return f"{source[:2].upper()}{_spread(number + start):08d}"


def _spread(number: int) -> int:
    return number * _SPREAD % 100_000_000


def _weighted(digits: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True))
