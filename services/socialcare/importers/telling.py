"""Whether a code tells of adoption, however a system writes it: `E11`, `e11`, `E 11`, `RC1 - Adopted`, or in words alone.

What is odd about a code is kept and flagged, as of any other. But one that tells of adoption may never be shown for being odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

WORD = "ADOPT"
FREED, ORDERED = "D1", "E1"
ORDERS = {"FREEING": FREED, "PLACEMENT ORDER": ORDERED, WORD: ORDERED}
"""The words of a legal status, where it is written without its code, and which code they mean."""
_CODE = re.compile(r"([A-Z]+)0*(\d+)(?![A-Z0-9])")


def code_of(said: str | None, codes: Iterable[str], words: Mapping[str, str] | None = None) -> str | None:
    """Which of these codes is meant; None where none is. Without a code it is told by its words; words of adoption mean the first."""
    ordered = sorted(codes)
    plain = (said or "").upper()
    parts = _CODE.match(re.sub(r"(?<=[A-Z])[\W_]+(?=\d)", "", plain.lstrip()))
    if parts is not None:
        return "".join(parts.groups()) if "".join(parts.groups()) in ordered else None
    told = {WORD: ordered[0]} if words is None else words
    return next((code for word, code in told.items() if word in plain), None)


def status_of(said: str | None) -> str | None:
    """The order on the way to adoption that a legal status is (freeing or placement); None for any other."""
    return code_of(said, ORDERS.values(), ORDERS)
