"""What tells of adoption stands in entries of its own, restricted by statute: nobody but the adoption team ever learns of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.plumbing.files import values
from services.plumbing.register import Statement
from services.socialcare.importers import telling
from services.socialcare.importers.lines import Line, Says

STATUTE = {"restriction": "statute"}
ADOPTED = frozenset({"E11", "E12"})
FOR_ADOPTION = frozenset({"A3", "A4", "A5", "A6"})
ASKS = "adopted: this record needs its protection, and its pair with the later one"
_PARTIAL = re.compile(r"(?:zz|(?P<day>\d{1,2}))/(?:zz|(?P<month>\d{1,2}))/(?:zzzz|(?P<year>\d{4}))", re.ASCII | re.IGNORECASE)


def restricted(placement: Mapping[str, Any], written: str | None = None) -> dict[str, Any]:
    """A placement with its restriction, said also where there is none, so that a correction of its type lifts it. written: its
    type as the file has it, where words without a code were left out."""
    if "place" not in placement:
        return dict(placement)
    return {**placement, "restriction": "statute" if telling.code_of(placement["place"] or written, FOR_ADOPTION) else None}


def episode(line: Line, column: str, fields: Mapping[str, Any]) -> Says:
    """An episode of care without an end by adoption, and the entry that tells of it (withdrawn where it ended otherwise).

    column: where the row says why the episode ended; without it nothing is said of adoption.
    """
    if line.authority:
        fields = {**fields, "authority": line.authority}
    if "rec" not in fields:
        return [line.says("looked-after", "R-CARE", fields)]
    code, day = fields["rec"], fields.get("dec")
    meant = telling.code_of(code, ADOPTED)
    told = meant is not None
    if told:
        line.report.flag(line.number, column, code, ASKS)
    adopted = {"adoption_id": f"adopted {fields['episode_id']}", "effective": day, "rec": meant or code, "date_adopted": day} | STATUTE
    kept = {**fields, "rec": None} if told else fields
    return [line.says("looked-after", "R-CARE", kept), line.says("adoption", "R-ADOPT", adopted, withdrawn=not told)]


def adoption(line: Line, name: str, day: str | None, fields: Mapping[str, Any]) -> Statement:
    """One entry on the way to adoption."""
    return line.says("adoption", "R-ADOPT", {"adoption_id": name, "effective": day} | fields | STATUTE)


def permanence(line: Line, name: str, *, prev_perm: str, la_perm: str, date_perm: str) -> Statement:
    """An order by which care ended before, told in these columns."""
    fields = line.codes_of(prev_perm=(prev_perm, "prev_perm")) | line.texts(la_perm=la_perm)
    if date_perm in line.row:
        fields["date_perm"] = line.read(_partial_day, date_perm)
    day = fields.get("date_perm")
    effective = {"effective": day if day and len(day) == len("2020-05-12") else None}
    return line.says("previous-permanence", "R-ADOPT", {"permanence_id": name} | effective | fields | STATUTE)


def _partial_day(text: str | None) -> str | None:
    """An ISO date, or a month or year alone, from `12/05/2020`, `zz/05/2020`, `zz/zz/2020`. Raises Unreadable."""
    parts = _PARTIAL.fullmatch(values.code(text) or "")
    if parts is None or (parts["day"] and parts["month"] and parts["year"]):
        return values.day(text)
    if parts["year"] is None:
        return None
    if parts["month"] is None:
        return parts["year"]
    return (values.day(f"01/{parts['month']}/{parts['year']}") or "")[:7]
