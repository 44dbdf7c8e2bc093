"""The columns of a table by its first line alone: what kind of file it is, before it is checked whole."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

MOST = 10_000
"""Bytes that hold any table's header line."""


def columns(path: Path) -> frozenset[str]:
    """The column names in lower case; none where there is no header line."""
    with path.open("rb") as data:
        start = data.read(MOST)
    encoding = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    first = start.decode(encoding, errors="replace").splitlines()[:1]
    try:
        return frozenset(cell.strip().lower() for cell in next(csv.reader(first), []))
    except csv.Error:
        return frozenset()
