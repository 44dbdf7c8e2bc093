"""Assessments with their factors, and section 47 enquiries (ssd_cin_assessments, ssd_assessment_factors, ssd_s47_enquiry)."""

from __future__ import annotations

from typing import Any

from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import adoption, factors
from services.socialcare.importers.dataset import Reading, Row, each, kind_of
from services.socialcare.importers.outcomes import codes, outcomes

ASSESSMENT = "socialcare.assessment-recorded.v1"
UNKNOWN_ASSESSMENT = "no assessment with this id came in this delivery or before"
CONFERENCE = "CP_CONFERENCE"


def _assessment(reading: Reading, number: int, row: Row) -> Said | None:
    id, person = row["cina_assessment_id"], row["cina_person_id"]
    fields: dict[str, Any] = {"assessment_id": id}
    signs: list[Statement] = []
    fields |= reading.days(
        row, assessment_actual_start_date="cina_assessment_start_date", assessment_authorisation_date="cina_assessment_auth_date"
    )
    fields |= reading.yes_no(row, child_seen="cina_assessment_child_seen", assessment_nfa="cina_assessment_outcome_nfa")
    fields |= reading.ids(
        row, referral_id="cina_referral_id", team_id="cina_assessment_team", worker_id="cina_assessment_worker_id"
    )
    if "cina_assessment_outcome_json" in row:
        found, comment = outcomes(reading, number, row, "cina_assessment_outcome_json")
        fields |= {"assessment_outcomes": adoption.without(found), "assessment_comments": comment}
        signs = [adoption.of_outcomes(f"assessment {id}", found, fields.get("assessment_actual_start_date"), row=number)]
    statement = Statement(ASSESSMENT, "R-CASE", fields, row=number)
    return reading.said(person, [statement, *signs], aliases=(key("ssd assessment", id),))


def _factors(reading: Reading, number: int, row: Row) -> Said | None:
    """The table names the assessment, not the child."""
    id = row["cinf_assessment_id"]
    found = codes(reading, number, row, "cinf_assessment_factors_json", "factor")
    statement = Statement(ASSESSMENT, "R-CASE", {"assessment_id": id, **factors.split(reading.codes, found)}, row=number)
    return reading.said_of(key("ssd assessment", id), [statement], otherwise=UNKNOWN_ASSESSMENT)


def _section_47(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"section_47_id": row["s47e_s47_enquiry_id"]}
    signs: list[Statement] = []
    fields |= reading.days(row, s47_actual_start_date="s47e_s47_start_date", s47_end_date="s47e_s47_end_date")
    fields |= reading.yes_no(row, s47_nfa="s47e_s47_nfa")
    fields |= reading.ids(
        row, referral_id="s47e_referral_id", team_id="s47e_s47_completed_by_team", worker_id="s47e_s47_completed_by_worker_id"
    )
    if "s47e_s47_outcome_json" in row:
        found, comment = outcomes(reading, number, row, "s47e_s47_outcome_json")
        fields |= {
            "s47_outcomes": adoption.without(found), "s47_comments": comment,
            "conference_needed": None if found is None else CONFERENCE in found,
        }  # fmt: skip
        entry = f"section 47 {fields['section_47_id']}"
        signs = [adoption.of_outcomes(entry, found, fields.get("s47_actual_start_date"), row=number)]
    return reading.said(row["s47e_person_id"], [Statement("socialcare.section-47-recorded.v1", "R-CP", fields, row=number), *signs])


TABLES = (
    kind_of(
        2, "cina_assessment_id cina_person_id",
        "cina_referral_id cina_assessment_start_date cina_assessment_child_seen cina_assessment_auth_date"
        " cina_assessment_outcome_json cina_assessment_outcome_nfa cina_assessment_team cina_assessment_worker_id",
        each(_assessment, "cina_person_id", "cina_assessment_id"),
    ),
    kind_of(3, "cinf_assessment_id cinf_assessment_factors_json", "cinf_table_id", each(_factors, "cinf_assessment_id")),
    kind_of(
        2, "s47e_s47_enquiry_id s47e_person_id",
        "s47e_referral_id s47e_s47_start_date s47e_s47_end_date s47e_s47_nfa s47e_s47_outcome_json"
        " s47e_s47_completed_by_worker_id s47e_s47_completed_by_team",
        each(_section_47, "s47e_person_id", "s47e_s47_enquiry_id"),
    ),
)  # fmt: skip
