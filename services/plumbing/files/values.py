"""Reading single values as the sector writes them. What cannot be read is None with a reason, never a guess."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_TIME = r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2}|[A-Za-z]{3})-(?P<day>\d{2})" + _TIME, re.ASCII)
_BRITISH = re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})" + _TIME, re.ASCII)
_UPN = re.compile(r"[A-Z]\d{11}[\dA-Z]", re.ASCII)
CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_BLANK = frozenset({"", "null", "none", "nan"})
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}")
FIRST_YEAR, LAST_YEAR = 1900, 2099
"""The years anything in a child's record can lie in; 0001 and 9999 are a system's way of saying nothing."""
MOST = 1_000_000
"""No number of the sector is larger."""


class Unreadable(ValueError):
    """The text is not a value of this type; the message says what is expected."""


def text(value: str | None) -> str | None:
    """Text without surrounding space; None when blank. Null, None and Nan are people's names."""
    return (value or "").strip() or None


def code(value: str | None) -> str | None:
    """A code, an id or a number as text; None when blank, or when a system wrote its word for nothing."""
    found = (value or "").strip()
    return None if found.lower() in _BLANK else found


def is_postcode(found: str) -> bool:
    """Whether this has the form of a postcode, with or without its space."""
    return _POSTCODE.fullmatch(found.upper()) is not None


def day(value: str | None) -> str | None:
    """An ISO date from `2015-03-27`, `27/03/2015` (never month first) or `2020-Apr-25 00:00:00`. Raises Unreadable."""
    found = code(value)
    if found is None:
        return None
    parts = _ISO.fullmatch(found) or _BRITISH.fullmatch(found)
    try:
        if parts is None:
            raise ValueError
        month = parts["month"]
        read = date(int(parts["year"]), int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0), int(parts["day"]))
        if not FIRST_YEAR <= read.year <= LAST_YEAR:
            raise ValueError
        return read.isoformat()
    except ValueError:
        raise Unreadable(f"a date such as 2015-03-27 or 27/03/2015, from {FIRST_YEAR} to {LAST_YEAR}") from None


def integer(value: str | None) -> int | None:
    """A whole number from `135` or `135.0`, from 0 to a million. Raises Unreadable."""
    found = code(value)
    if found is None:
        return None
    parts = re.fullmatch(r"(\d{1,7})(?:\.0{1,9})?", found, re.ASCII)
    if parts is None or int(parts[1]) > MOST:
        raise Unreadable("a whole number from 0 to a million")
    return int(parts[1])


def boolean(value: str | None) -> bool | None:
    """True or False from 0/1, true/false, yes/no, Y/N in any case. Raises Unreadable."""
    found = code(value)
    if found is None:
        return None
    if found.lower() in ("1", "true", "yes", "y"):
        return True
    if found.lower() in ("0", "false", "no", "n"):
        return False
    raise Unreadable("0, 1, true or false")


def upn(value: str | None, *, type: str = "upn") -> dict[str, Any] | None:
    """A UPN as an identifier: kept raw, with whether it is valid and why not (format, or check letter)."""
    found = code(value)
    if found is None:
        return None
    raw = found.upper()
    if not _UPN.fullmatch(raw):
        return _identifier(type, found, "format")
    return _identifier(type, raw, None if CHECK_LETTERS[_check_sum(raw) % 23] == raw[0] else "check letter")


def _check_sum(raw: str) -> int:
    """Weights 2 to 13 over the twelve characters after the first; a temporary UPN's last letter counts by the same table."""
    return sum(weight * (int(c) if c.isdigit() else _letter(c)) for weight, c in enumerate(raw[1:], 2))


def _letter(character: str) -> int:
    return max(0, CHECK_LETTERS.find(character))


def nhs_number(value: str | None) -> dict[str, Any] | None:
    """An NHS number as an identifier: ten digits, weights 10 to 2, 11 - (sum mod 11), 11 is 0, 10 is never valid."""
    found = code(value)
    if found is None:
        return None
    digits = found.replace(" ", "").replace("-", "")
    if not re.fullmatch(r"[0-9]{10}", digits):
        return _identifier("nhs_number", found, "format")
    check = 11 - sum(int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return _identifier("nhs_number", digits, None if check % 11 == int(digits[9]) and check != 10 else "check digit")


def uln(value: str | None) -> dict[str, Any] | None:
    """A unique learner number as an identifier: ten digits; the weighted sum mod 11 gives the last."""
    found = code(value)
    if found is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{9}", found):
        return _identifier("uln", found, "format")
    rest = sum(int(d) * weight for d, weight in zip(found, range(10, 1, -1), strict=False)) % 11
    return _identifier("uln", found, None if rest and 10 - rest == int(found[9]) else "check digit")


def local_id(value: str) -> dict[str, Any]:
    """A register's own number of a child."""
    return _identifier("local_child_id", value, None)


def _identifier(type: str, value: str, reason: str | None) -> dict[str, Any]:
    return {"type": type, "value": value, "valid": reason is None, "reason": reason}


def today() -> str:
    """Today as an ISO date."""
    return datetime.now().date().isoformat()
