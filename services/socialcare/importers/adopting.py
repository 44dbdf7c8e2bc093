"""What tells of adoption stands in entries of its own, restricted by statute: nobody but the adoption team ever learns of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.plumbing.files import values
from services.plumbing.register.entries import Statement
from services.socialcare.importers import telling
from services.socialcare.importers.lines import Line, Says

STATUTE = {"restriction": "statute"}
ADOPTED = frozenset({"E11", "E12"})
FOR_ADOPTION = frozenset({"A3", "A4", "A5", "A6"})
ALSO_ADOPTERS = frozenset({"U2", "U5"})
"""Placements with foster carers who also may adopt."""
ASKS = "adopted: this record needs its protection, and its pair with the later one"
_PARTIAL = re.compile(r"(?:zz|(?P<day>\d{1,2}))/(?:zz|(?P<month>\d{1,2}))/(?:zzzz|(?P<year>\d{4}))", re.ASCII | re.IGNORECASE)


def told_in(entry: Mapping[str, Any]) -> str | None:
    """The field of an ordinary entry whose code tells of adoption, however it is written; None where none does."""
    ended, closed = telling.code_of(entry.get("rec"), ADOPTED), telling.code_of(entry.get("reason_for_closure"), {"RC1"})
    found = {"rec": ended, "reason_for_closure": closed, "ls": telling.status_of(entry.get("ls"))}
    return next((field for field, code in found.items() if code is not None), None)


def placement(line: Line, fields: Mapping[str, Any], written: str | None = None) -> Says:
    """A placement and, of carers who also may adopt, its type apart. For adoption it is restricted whole; that is said also where
    it is not, so that a correction of its type lifts it. written: its type as the file has it, where words without a code were
    left out."""
    if "place" not in fields:
        return [line.says("placement", "R-CARE", fields)]
    told = fields["place"] or written
    also = telling.code_of(told, ALSO_ADOPTERS, {})
    kept = {**fields, "restriction": "statute" if telling.code_of(told, FOR_ADOPTION) else None}
    return [
        line.says("placement", "R-CARE", {**kept, "place": None} if also else kept),
        _apart(line, f"placement {fields['placement_id']}", fields.get("start_date"), {"place": also}),
    ]


def episode(line: Line, column: str, fields: Mapping[str, Any]) -> Says:
    """An episode of care without what tells of adoption, its end and its legal status: that stands in entries of its own
    (withdrawn where it is otherwise).

    column: where the row says why the episode ended; of what a row does not speak nothing is said.
    """
    kept, apart = dict(fields), []
    if line.authority:
        kept["authority"] = line.authority
    if "rec" in fields:
        kept["rec"], ended = _ended(line, column, fields)
        apart.append(ended)
    if "ls" in fields:
        order = telling.status_of(fields["ls"])
        kept["ls"] = None if order else fields["ls"]
        apart.append(_apart(line, f"status {fields['episode_id']}", fields.get("decom"), {"ls": order}))
    return [line.says("looked-after", "R-CARE", kept), *apart]


def _ended(line: Line, column: str, fields: Mapping[str, Any]) -> tuple[str | None, Statement]:
    """How an episode ended as it may be shown, and whether it was by adoption. The report asks for the record's protection."""
    code, day = fields["rec"], fields.get("dec")
    meant = telling.code_of(code, ADOPTED)
    if meant:
        line.report.flag(line.number, column, code, ASKS)
    adopted = _apart(line, f"adopted {fields['episode_id']}", day, {"rec": meant, "date_adopted": day if meant else None})
    return None if meant else code, adopted


def _apart(line: Line, name: str, day: str | None, told: Mapping[str, Any]) -> Statement:
    """An entry of what tells of adoption; withdrawn where nothing does."""
    fields = {"adoption_id": name, "effective": day} | told | STATUTE
    return line.says("adoption", "R-ADOPT", fields, withdrawn=not any(told.values()))


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
