"""How children come to the service: contacts at the front door, early help, referrals (ssd_contacts, ssd_early_help_episodes,
ssd_cin_episodes). What tells of adoption is said apart."""

from __future__ import annotations

from typing import Any

from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.socialcare.importers import adoption
from services.socialcare.importers.dataset import Reading, Row, each, kind_of
from services.socialcare.importers.outcomes import outcomes

REFERRAL_CODES = {
    "cine_referral_source_code": ("referral_source", "referral_source"),
    "cine_cin_primary_need_code": ("primary_need_code", "need"),
    "cine_close_reason": ("reason_for_closure", "closure"),
}
"""Coded columns: column -> (field, code list)."""


def _contact(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"contact_id": row["cont_contact_id"]}
    fields |= reading.days(row, contact_date="cont_contact_date")
    fields |= reading.codes_of(number, row, {"cont_contact_source_code": ("contact_source", "referral_source")})
    fields |= reading.texts(row, contact_source_description="cont_contact_source_desc")
    statements = [Statement("socialcare.contact-recorded.v1", "R-CASE", fields, row=number)]
    statements += _outcomes(reading, number, row, fields, "cont_contact_outcome_json", "contact", fields.get("contact_date"))
    return reading.said(row["cont_person_id"], statements)


def _outcomes(
    reading: Reading, number: int, row: Row, fields: dict[str, Any], column: str, entry: str, day: str | None
) -> list[Statement]:
    """Fill the entry's outcomes where the file has the column, but for what tells of adoption: that is given back, apart."""
    if column not in row:
        return []
    found, _ = outcomes(reading, number, row, column)
    fields[f"{entry}_outcomes"] = adoption.without(found)
    return [adoption.of_outcomes(f"{entry} {fields[f'{entry}_id']}", found, day, row=number)]


def _early_help(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"early_help_id": row["earl_episode_id"]}
    fields |= reading.days(row, start_date="earl_episode_start_date", end_date="earl_episode_end_date")
    fields |= reading.texts(
        row, reason="earl_episode_reason", end_reason="earl_episode_end_reason", lead_organisation="earl_episode_organisation"
    )
    if "earl_episode_organisation" in row:
        fields["lead_agency"] = _agency(reading, fields["lead_organisation"])
    fields |= reading.ids(row, worker_id="earl_episode_worker_id")
    return reading.said(row["earl_person_id"], [Statement("socialcare.early-help-recorded.v1", "R-EARLY", fields, row=number)])


def _agency(reading: Reading, organisation: str | None) -> str | None:
    """The kind of an organisation that is named by its kind: `School`, `Health`. Of any other only the name is known."""
    if organisation is None:
        return None
    kinds = {label.label.lower(): code for code, label in reading.codes["agency"].items()}
    return kinds.get(organisation.lower(), "other")


def _referral(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"referral_id": row["cine_referral_id"]}
    fields |= reading.days(row, referral_date="cine_referral_date", closure_date="cine_close_date")
    fields |= reading.codes_of(number, row, REFERRAL_CODES, fields.get("referral_date"))
    fields |= reading.yes_no(row, referral_nfa="cine_referral_nfa")
    fields |= reading.texts(row, referral_source_description="cine_referral_source_desc")
    fields |= reading.ids(row, team_id="cine_referral_team", worker_id="cine_referral_worker_id")
    signs = _outcomes(reading, number, row, fields, "cine_referral_outcome_json", "referral", fields.get("referral_date"))
    if "cine_close_reason" in row:
        signs.append(adoption.taken_out(fields, reading.report, "cine_close_reason", row=number))
    return reading.said(row["cine_person_id"], [Statement("socialcare.referral-recorded.v1", "R-CASE", fields, row=number), *signs])


TABLES = (
    kind_of(
        2, "cont_contact_id cont_person_id",
        "cont_contact_date cont_contact_source_code cont_contact_source_desc cont_contact_outcome_json",
        each(_contact, "cont_person_id", "cont_contact_id"),
    ),
    kind_of(
        2, "earl_episode_id earl_person_id",
        "earl_episode_start_date earl_episode_end_date earl_episode_reason earl_episode_end_reason earl_episode_organisation"
        " earl_episode_worker_id",
        each(_early_help, "earl_person_id", "earl_episode_id"),
    ),
    kind_of(
        2, "cine_referral_id cine_person_id",
        "cine_referral_date cine_referral_source_code cine_referral_source_desc cine_cin_primary_need_code"
        " cine_referral_outcome_json cine_referral_nfa cine_close_date cine_close_reason cine_referral_team"
        " cine_referral_worker_id",
        each(_referral, "cine_person_id", "cine_referral_id"),
    ),
)  # fmt: skip
