"""Thresholds as a picture and a table: what another risk would have linked, and what people would have had to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from services.childview.identity.judge import LINK_RISK

Rows = Sequence[Mapping[str, float]]
COLUMNS = ("risk", "links", "precision", "recall", "held_share")
_LINES = (("precision", "#00703c"), ("recall", "#1d70b8"), ("held_share", "#d4351c"))
_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 260, 60, 30


def table(rows: Rows) -> str:
    """The rows as CSV."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(f"{row[name]:g}" if name in ("risk", "links") else f"{row[name]:.5f}" for name in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def draw(rows: Rows) -> str:
    """Precision, recall and the share that is held against the threshold of risk, as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 200} {_HEIGHT + 90}" font-family="sans-serif" font-size="13"'
        ' role="img" aria-label="Precision, recall and share held by threshold of risk">',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#b1b4b6"/>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text x="{_LEFT - 8}" y="{_y(share) + 4:.0f}" text-anchor="end">{share:g}</text>')
    for row in rows:
        parts.append(f'<text x="{_x(row, rows):.0f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{row["risk"]:g}</text>')
        if row["risk"] == LINK_RISK:
            x = f"{_x(row, rows):.0f}"
            parts.append(f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{_TOP + _HEIGHT}" stroke="#505a5f" stroke-dasharray="4"/>')
    parts.append(f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + 44}">risk allowed for a link (dashed: shipped)</text>')
    for place, (name, colour) in enumerate(_LINES):
        points = " ".join(f"{_x(row, rows):.1f},{_y(row[name]):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="3"/>')
        label = name.replace("_", " ")
        parts.append(f'<text x="{_LEFT + _WIDTH + 12}" y="{_TOP + 20 + 22 * place}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _x(row: Mapping[str, float], rows: Rows) -> float:
    low, high = math.log(rows[0]["risk"]), math.log(rows[-1]["risk"])
    return _LEFT + _WIDTH * (math.log(row["risk"]) - low) / (high - low)


def _y(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)
