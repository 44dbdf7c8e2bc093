"""Whether a code tells of adoption, however a system writes it: `E11`, `e11`, `E 11`, `RC1 - Adopted`, or in words alone.

What is odd about a code is kept and flagged, as of any other. But one that tells of adoption may never be shown for being odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WORD = "ADOPT"
_CODE = re.compile(r"([A-Z]+)0*(\d+)(?![A-Z0-9])")


def code_of(said: str | None, codes: Iterable[str]) -> str | None:
    """Which of these codes is meant; None where none is. Words of adoption without a code mean the first."""
    ordered = sorted(codes)
    plain = (said or "").upper()
    parts = _CODE.match(re.sub(r"(?<=[A-Z])[\W_]+(?=\d)", "", plain.lstrip()))
    if parts is not None and "".join(parts.groups()) in ordered:
        return "".join(parts.groups())
    return ordered[0] if parts is None and WORD in plain else None
