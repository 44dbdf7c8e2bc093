"""Whether a code tells of adoption, however a system writes it: `E11`, `e11`, `E 11`, `RC1 - Adopted`, or in words alone.

What is odd about a code is kept and flagged, as of any other. But one that tells of adoption may never be shown for being odd.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

WORD = "ADOPT"
FREED, ORDERED = "D1", "E1"
ORDERS = {"FREEING": FREED, "PLACEMENT ORDER": ORDERED, WORD: ORDERED}
"""The words of a legal status, where it is written without its code, and which code they mean."""
_CODE = re.compile(r"(?<![A-Z0-9])([A-Z]+)[\W_]*0*(\d+)(?![A-Z0-9])")


def code_of(said: str | None, codes: Iterable[str], words: Mapping[str, str] | None = None) -> str | None:
    """Which of these codes is meant; None where none is. Without a code it is told by its words; words of adoption mean the first."""
    ordered = sorted(codes)
    plain = unicodedata.normalize("NFKC", said or "").upper()
    tokens = ["".join(found) for found in _CODE.findall(plain)]
    if found := next((code for code in tokens if code in ordered), None):
        return found
    if tokens and _CODE.match(plain.lstrip()):
        return None
    told = {WORD: ordered[0]} if words is None else words
    return next((code for word, code in told.items() if word in plain), None)


def status_of(said: str | None) -> str | None:
    """The order on the way to adoption that a legal status is (freeing or placement); None for any other."""
    return code_of(said, ORDERS.values(), ORDERS)
