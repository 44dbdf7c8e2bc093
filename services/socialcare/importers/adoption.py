"""What tells of adoption though it stands in another table: an event of its own, restricted by statute.

A case closed by RC1, or a contact about a non-agency adoption, would tell it to everybody who may see referrals.
"""

from __future__ import annotations

from typing import Any

from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.socialcare.importers import telling

ADOPTED = "RC1"
NON_AGENCY = "NON_AGENCY_ADOPTION"
ASKS = "adopted: this record needs its protection, and its pair with the later one"


def taken_out(referral: dict[str, Any], report: Report, column: str, *, row: int, part: int = 0) -> Statement:
    """Take out of a referral that it was closed because the child was adopted: whether it was so, apart. The report asks for
    the protection of the record, which only the adoption team sets."""
    told = telling.code_of(referral["reason_for_closure"], (ADOPTED,)) is not None
    if told:
        report.flag(row, column, ADOPTED, ASKS)
        referral["reason_for_closure"] = None
    return _sign("closed", referral["referral_id"], referral.get("closure_date"), told=told, row=row, part=part)


def without(outcomes: list[str] | None) -> list[str] | None:
    """Outcomes as they may be shown."""
    return [one for one in outcomes or () if one != NON_AGENCY] or None


def of_outcomes(entry: str, outcomes: list[str] | None, day: str | None, *, row: int) -> Statement:
    """Whether these outcomes hold a non-agency adoption."""
    return _sign("non_agency", entry, day, told=NON_AGENCY in (outcomes or ()), row=row)


def _sign(sign: str, entry: str, day: str | None, *, told: bool, row: int, part: int = 0) -> Statement:
    fields = {"sign_id": f"{sign} {entry}", "sign": sign, "sign_date": day, "restriction": "statute"}
    return Statement("socialcare.adoption-sign-recorded.v1", "R-ADOPT", fields, withdrawn=not told, row=row, part=part)
