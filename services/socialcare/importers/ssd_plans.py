"""Plans of children in need and under protection, their conferences, reviews and visits (ssd_cin_plans, ssd_cp_plans,
ssd_initial_cp_conference, ssd_cp_reviews, ssd_cin_visits, ssd_cp_visits)."""

from __future__ import annotations

from typing import Any

from services.plumbing.files import coded, values
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.socialcare.importers import adoption
from services.socialcare.importers.dataset import Reading, Row, each, kind_of
from services.socialcare.importers.outcomes import outcomes

PLAN = "socialcare.plan-recorded.v1"
VISIT = "socialcare.visit-recorded.v1"
ABUSE = {"neglect": "NEG", "physical abuse": "PHY", "sexual abuse": "SAB", "emotional abuse": "EMO", "multiple": "MUL"}


def _need_plan(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"plan_kind": "need", "plan_id": row["cinp_cin_plan_id"]}
    fields |= reading.days(row, start_date="cinp_cin_plan_start_date", end_date="cinp_cin_plan_end_date")
    fields |= reading.ids(row, referral_id="cinp_referral_id", team_id="cinp_cin_plan_team", worker_id="cinp_cin_plan_worker_id")
    return reading.said(row["cinp_person_id"], [Statement(PLAN, "R-CASE", fields, row=number)])


def _protection_plan(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"plan_kind": "protection", "plan_id": row["cppl_cp_plan_id"]}
    fields |= reading.days(row, start_date="cppl_cp_plan_start_date", end_date="cppl_cp_plan_end_date")
    fields |= reading.ids(row, referral_id="cppl_referral_id", conference_id="cppl_icpc_id")
    fields |= reading.yes_no(row, other_authority="cppl_cp_plan_ola")
    for end in ("initial", "latest"):
        column = f"cppl_cp_plan_{end}_category"
        if column in row:
            code = _abuse(row[column])
            fields[f"{end}_category_of_abuse"] = coded.check(reading.codes, reading.report, number, column, code, "abuse")
    return reading.said(row["cppl_person_id"], [Statement(PLAN, "R-CP", fields, row=number)])


def _abuse(value: str) -> str | None:
    """The dataset holds words where the census holds codes; `Multiple: neglect, physical abuse` is one of them."""
    found = values.code(value)
    return ABUSE.get(found.lower().partition(":")[0].strip(), found) if found else None


def _conference(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"conference_id": row["icpc_icpc_id"]}
    signs: list[Statement] = []
    fields |= reading.days(row, date_of_initial_cpc="icpc_icpc_date", initial_cpc_target="icpc_icpc_target_date")
    fields |= reading.yes_no(row, transfer_in="icpc_icpc_transfer_in", plan_made="icpc_icpc_outcome_cp_flag")
    fields |= reading.ids(
        row, referral_id="icpc_referral_id", section_47_id="icpc_s47_enquiry_id", plan_id="icpc_cp_plan_id",
        meeting_id="icpc_icpc_meeting_id", team_id="icpc_icpc_team", worker_id="icpc_icpc_worker_id",
    )  # fmt: skip
    if "icpc_icpc_outcome_json" in row:
        found, comment = outcomes(reading, number, row, "icpc_icpc_outcome_json")
        fields |= {"conference_outcomes": adoption.without(found), "conference_comments": comment}
        entry = f"conference {fields['conference_id']}"
        signs = [adoption.of_outcomes(entry, found, fields.get("date_of_initial_cpc"), row=number)]
    return reading.said(row["icpc_person_id"], [Statement("socialcare.conference-recorded.v1", "R-CP", fields, row=number), *signs])


def _review(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"review_id": row["cppr_cp_review_id"]}
    fields |= reading.days(row, review_date="cppr_cp_review_date", review_due_date="cppr_cp_review_due")
    if day := fields.get("review_date") or fields.get("review_due_date"):
        fields["effective"] = day
    fields |= reading.ids(row, plan_id="cppr_cp_plan_id", meeting_id="cppr_cp_review_meeting_id")
    fields |= reading.yes_no(row, plan_continues="cppr_cp_review_outcome_continue_cp", quorate="cppr_cp_review_quorate")
    fields |= reading.codes_of(number, row, {"cppr_cp_review_participation": ("participation", "review_code")})
    return reading.said(row["cppr_person_id"], [Statement("socialcare.plan-review-recorded.v1", "R-CP", fields, row=number)])


def _need_visit(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"visit_kind": "need", "visit_id": row["cinv_cin_visit_id"]}
    fields |= reading.days(row, visit_date="cinv_cin_visit_date")
    fields |= reading.yes_no(
        row, seen="cinv_cin_visit_seen", seen_alone="cinv_cin_visit_seen_alone", bedroom_seen="cinv_cin_visit_bedroom"
    )
    return reading.said(row["cinv_person_id"], [Statement(VISIT, "R-CASE", fields, row=number)])


def _protection_visit(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"visit_kind": "protection", "visit_id": row["cppv_cp_visit_id"]}
    fields |= reading.days(row, visit_date="cppv_cp_visit_date")
    fields |= reading.ids(row, plan_id="cppv_cp_plan_id")
    fields |= reading.yes_no(
        row, seen="cppv_cp_visit_seen", seen_alone="cppv_cp_visit_seen_alone", bedroom_seen="cppv_cp_visit_bedroom"
    )
    return reading.said(row["cppv_person_id"], [Statement(VISIT, "R-CP", fields, row=number)])


def _care_visit(reading: Reading, number: int, row: Row) -> Said | None:
    """A visit to a child in care. It stands with looked-after, not with plans: who sees a plan may not know of care."""
    fields: dict[str, Any] = {"visit_id": row["clav_cla_visit_id"]}
    fields |= reading.days(row, visit_date="clav_cla_visit_date")
    fields |= reading.ids(row, cla_id="clav_cla_id")
    fields |= reading.yes_no(row, seen="clav_cla_visit_seen", seen_alone="clav_cla_visit_seen_alone")
    return reading.said(row["clav_person_id"], [Statement("socialcare.care-visit-recorded.v1", "R-CARE", fields, row=number)])


TABLES = (
    kind_of(
        2, "cinp_cin_plan_id cinp_person_id",
        "cinp_referral_id cinp_cin_plan_start_date cinp_cin_plan_end_date cinp_cin_plan_team cinp_cin_plan_worker_id",
        each(_need_plan, "cinp_person_id", "cinp_cin_plan_id"),
    ),
    kind_of(
        2, "cppl_cp_plan_id cppl_person_id",
        "cppl_referral_id cppl_icpc_id cppl_cp_plan_start_date cppl_cp_plan_end_date cppl_cp_plan_ola"
        " cppl_cp_plan_initial_category cppl_cp_plan_latest_category",
        each(_protection_plan, "cppl_person_id", "cppl_cp_plan_id"),
    ),
    kind_of(
        2, "icpc_icpc_id icpc_person_id",
        "icpc_icpc_meeting_id icpc_s47_enquiry_id icpc_cp_plan_id icpc_referral_id icpc_icpc_transfer_in icpc_icpc_target_date"
        " icpc_icpc_date icpc_icpc_outcome_cp_flag icpc_icpc_outcome_json icpc_icpc_team icpc_icpc_worker_id",
        each(_conference, "icpc_person_id", "icpc_icpc_id"),
    ),
    kind_of(
        2, "cppr_cp_review_id cppr_person_id",
        "cppr_cp_plan_id cppr_cp_review_due cppr_cp_review_date cppr_cp_review_meeting_id cppr_cp_review_outcome_continue_cp"
        " cppr_cp_review_quorate cppr_cp_review_participation",
        each(_review, "cppr_person_id", "cppr_cp_review_id"),
    ),
    kind_of(
        2, "cinv_cin_visit_id cinv_person_id",
        "cinv_cin_visit_date cinv_cin_visit_seen cinv_cin_visit_seen_alone cinv_cin_visit_bedroom",
        each(_need_visit, "cinv_person_id", "cinv_cin_visit_id"),
    ),
    kind_of(
        2, "cppv_cp_visit_id cppv_person_id",
        "cppv_cp_plan_id cppv_cp_visit_date cppv_cp_visit_seen cppv_cp_visit_seen_alone cppv_cp_visit_bedroom",
        each(_protection_visit, "cppv_person_id", "cppv_cp_visit_id"),
    ),
    kind_of(
        2, "clav_cla_visit_id clav_person_id",
        "clav_cla_id clav_cla_visit_date clav_cla_visit_seen clav_cla_visit_seen_alone",
        each(_care_visit, "clav_person_id", "clav_cla_visit_id"),
    ),
)  # fmt: skip
