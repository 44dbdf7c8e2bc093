"""What the child says, and which disabilities it has (ssd_voice_of_child, ssd_disability)."""

from __future__ import annotations

from typing import Any

from services.plumbing.files import coded
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.socialcare.importers import disabilities
from services.socialcare.importers.dataset import Item, Reading, Row, RowRefused, each, gathered, kind_of

ANSWERS = ("explained_worries", "story_help_understand", "agree_worker", "plan_safe", "tablet_help_explain")
"""Questions of the dataset, each in a column `voch_<question>`."""


def _voice(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"voice_id": row["voch_table_id"]}
    fields |= reading.yes_no(row, **{answer: f"voch_{answer}" for answer in ANSWERS})
    return reading.said(row["voch_person_id"], [Statement("socialcare.voice-recorded.v1", "R-CASE", fields, row=number)])


def _disability(reading: Reading, number: int, row: Row) -> Item:
    code = disabilities.code(row["disa_disability_code"])
    if code is None:
        raise RowRefused("disa_disability_code", "the row does not say which")
    coded.check(reading.codes, reading.report, number, "disa_disability_code", code, "disability")
    return code, code


def _disabilities(reading: Reading, person: str, codes: list[str], number: int) -> Said:
    statement = Statement("socialcare.disability-recorded.v1", "R-CASE", {"disabilities": codes}, row=number)
    return reading.said(person, [statement])


TABLES = (
    kind_of(
        2, "voch_table_id voch_person_id", " ".join(f"voch_{answer}" for answer in ANSWERS),
        each(_voice, "voch_person_id", "voch_table_id"),
    ),
    kind_of(
        2, "disa_person_id disa_disability_code", "disa_table_id",
        gathered(_disability, _disabilities, "disability", "disa_person_id"),
    ),
)  # fmt: skip
