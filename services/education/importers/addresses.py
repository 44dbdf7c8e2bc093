"""An address as schools write it: by parts (BS 7666), by five lines, or by no more than a postcode."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.plumbing.files import values

PARTS = ("locality", "town", "posttown", "administrativearea")
LINES = tuple(f"addressline{number}" for number in range(1, 6))
LONGEST = 200
Judged = tuple[str | None, str | None]
"""The value as it is kept, and what is odd about it"""


def lines_of(found: Mapping[str, str]) -> list[str]:
    """The lines of an address, each once and in order; empty where none is given."""
    house = " ".join(part for part in (values.text(found.get("paon")), values.text(found.get("street"))) if part)
    parts = [values.text(found.get("saon")), house, *(values.text(found.get(name)) for name in (*PARTS, *LINES))]
    return list(dict.fromkeys(part[:LONGEST] for part in parts if part))


def postcode_of(value: str | None) -> Judged:
    """A postcode; one of no known form is kept."""
    found = values.code(value)
    return found, None if found is None or values.is_postcode(found) else "not a postcode"


def uprn_of(value: str | None) -> Judged:
    """A unique property reference number, of up to twelve digits, written `100023336956` or `100023336956.0`."""
    found = values.code(value)
    parts = re.fullmatch(r"(\d{1,12})(?:\.0{1,9})?", found or "", re.ASCII)
    if found is None or (parts is not None and int(parts[1])):
        return (parts[1] if parts else None), None
    return found, "not a property reference number"
