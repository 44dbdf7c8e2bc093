"""What one row of the daily extract's tables about children in care says: the same events as the yearly return's modules."""

from __future__ import annotations

from typing import Any

from services.plumbing.files import values
from services.socialcare.importers import adopting
from services.socialcare.importers.lines import Line, Says

MOST_CODE = 20
MISSING = {"missing": "M", "away": "A", "absent": "A"}
INTERVIEWS = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "na": "not applicable", "n/a": "not applicable"}
SUITABLE = {"1": "yes", "2": "no"}


def _coded(line: Line, **columns: tuple[str, str]) -> dict[str, Any]:
    """Codes (field=(column, list)), also from `U4 - Foster carer`; words where a code is expected are flagged and left out."""
    return {name: _code(line, column, list) for name, (column, list) in columns.items() if column in line.row}


def _code(line: Line, column: str, list: str) -> str | None:
    found = values.code(line.row[column]) or ""
    known = next((one for one in (found, found.upper(), *found.split()[:1]) if one in line.codes[list]), None)
    if known is None and len(found) > MOST_CODE:
        line.report.flag(line.number, column, found, "words where a code is expected; left out")
        return None
    return known or line.checked(column, list, found or None)


def placement(line: Line) -> Says:
    """Where a child in care lives."""
    fields = {"placement_id": line.required("clap_cla_placement_id")} | line.texts(cla_id="clap_cla_id")
    fields |= line.days(start_date="clap_cla_placement_start_date", end_date="clap_cla_placement_end_date")
    fields |= _coded(
        line, place=("clap_cla_placement_type", "placement_type"), place_provider=("clap_cla_placement_provider", "place_provider"),
        reason_place_change=("clap_cla_placement_change_reason", "place_change"),
    )  # fmt: skip
    fields |= line.texts(pl_post="clap_cla_placement_postcode", urn="clap_cla_placement_urn")
    if "clap_cla_placement_distance" in line.row:
        fields["distance"] = line.read(_miles, "clap_cla_placement_distance")
    return adopting.placement(line, fields, line.row.get("clap_cla_placement_type"))


def _miles(text: str | None) -> float | None:
    found = values.code(text)
    if found is None:
        return None
    if not found.replace(".", "", 1).isdecimal() or not found.isascii():
        raise values.Unreadable("a number of miles such as 12.5")
    return float(found)


def review(line: Line) -> Says:
    """A review, held or due; a cancelled one is withdrawn."""
    fields = {"review_id": line.required("clar_cla_review_id")} | line.texts(cla_id="clar_cla_id")
    fields |= line.days(review="clar_cla_review_date", review_due_date="clar_cla_review_due_date")
    if day := fields.get("review") or fields.get("review_due_date"):
        fields["effective"] = day
    fields |= _coded(line, review_code=("clar_cla_review_participation", "review_code"))
    cancelled = line.yes_no(cancelled="clar_cla_review_cancelled").get("cancelled") == "yes"
    return [line.says("care-review", "R-CARE", fields, withdrawn=cancelled)]


def health(line: Line) -> Says:
    """A health check or assessment."""
    fields = {"health_id": line.required("clah_health_check_id")} | line.days(check_date="clah_health_check_date")
    fields |= line.texts(check_type="clah_health_check_type", check_status="clah_health_check_status")
    return [line.says("health", "R-CARE", {"effective": fields.get("check_date")} | fields)]


def immunisations(line: Line) -> Says:
    """Whether immunisations are up to date; a child has one row."""
    fields = {"health_id": "immunisations"} | line.yes_no(immunisations="clai_immunisations_status")
    return [line.says("health", "R-CARE", fields | line.days(effective="clai_immunisations_status_date"))]


def substance_misuse(line: Line) -> Says:
    """A substance that a child misused."""
    fields = {"health_id": line.required("clas_substance_misuse_id")} | line.texts(substance="clas_substance_misused")
    fields |= line.days(effective="clas_substance_misuse_date") | line.yes_no(intervention_received="clas_intervention_received")
    if fields.get("substance"):
        fields["substance_misuse"] = "yes"
    return [line.says("health", "R-CARE", fields)]


def sdq(line: Line) -> Says:
    """A score, or why there is none."""
    fields = {"sdq_id": line.required("csdq_table_id")} | line.days(completed_date="csdq_sdq_completed_date")
    fields |= line.numbers(sdq_score="csdq_sdq_score") | _coded(line, sdq_reason=("csdq_sdq_reason", "sdq_reason"))
    return [line.says("sdq", "R-CARE", {"effective": fields.get("completed_date")} | fields)]


def missing(line: Line) -> Says:
    """Missing, or away without authorisation; the table is not of children in care alone."""
    fields = {"missing_id": line.required("miss_table_id")}
    fields |= line.days(mis_start="miss_missing_episode_start_date", mis_end="miss_missing_episode_end_date")
    if "miss_missing_episode_type" in line.row:
        kind = values.code(line.row["miss_missing_episode_type"]) or ""
        fields["missing"] = line.checked("miss_missing_episode_type", "missing", MISSING.get(kind.lower(), kind) or None)
    fields |= _interviews(line, return_interview_offered="miss_missing_rhi_offered", return_interview_accepted="miss_missing_rhi_accepted")
    return [line.says("missing", "R-CASE", fields)]


def _interviews(line: Line, **columns: str) -> dict[str, Any]:
    return {name: line.read(_interview, column) for name, column in columns.items() if column in line.row}


def _interview(text: str | None) -> str | None:
    found = (values.text(text) or "").lower()
    if found in ("", "null", "none") or found in INTERVIEWS:
        return INTERVIEWS.get(found)
    raise values.Unreadable("Y, N or NA")


def care_leaver(line: Line) -> Says:
    """How a care leaver stands."""
    fields = {"care_leaving_id": line.required("clea_table_id")}
    if "clea_care_leaver_eligibility" in line.row:
        status = (values.code(line.row["clea_care_leaver_eligibility"]) or "").title()
        fields["eligibility"] = line.checked("clea_care_leaver_eligibility", "eligibility", status or None)
    fields |= _coded(
        line, in_touch=("clea_care_leaver_in_touch", "in_touch"), activ=("clea_care_leaver_activity", "activity"),
        accom=("clea_care_leaver_accommodation", "accommodation"),
    )  # fmt: skip
    fields |= line.days(latest_contact="clea_care_leaver_latest_contact", pathway_plan_review="clea_pathway_plan_review_date")
    if "clea_care_leaver_accom_suitable" in line.row:
        fields["accom_suitable"] = line.read(_suitable, "clea_care_leaver_accom_suitable")
    fields |= line.texts(
        personal_adviser="clea_care_leaver_personal_advisor", team_id="clea_care_leaver_allocated_team",
        worker_id="clea_care_leaver_worker_id",
    )  # fmt: skip
    return [line.says("care-leaving", "R-LEAVER", fields)]


def _suitable(text: str | None) -> str | None:
    found = values.code(text)
    if found is None or found in SUITABLE:
        return SUITABLE.get(found or "")
    raise values.Unreadable("1 (suitable) or 2 (not suitable)")


def immigration(line: Line) -> Says:
    """A status under immigration law."""
    fields = {"status_id": line.required("immi_immigration_status_id")} | line.texts(immigration_status="immi_immigration_status")
    fields |= line.days(start_date="immi_immigration_status_start_date", end_date="immi_immigration_status_end_date")
    return [line.says("immigration-status", "R-CASE", fields)]


def permanence(line: Line) -> Says:
    """The way to adoption, or to another order."""
    fields = line.days(
        date_int="perm_adm_decision_date", date_match="perm_matched_date", date_placed="perm_placed_for_adoption_date",
        ffa_cp_decision_date="perm_ffa_cp_decision_date", placed_ffa_cp_date="perm_placed_ffa_cp_date",
        placement_order_date="perm_placement_order_date", placed_foster_carer_date="perm_placed_foster_carer_date",
        date_placed_ceased="perm_decision_reversed_date", permanence_order_date="perm_permanence_order_date",
    )  # fmt: skip
    fields |= line.yes_no(foster_care="perm_adopted_by_carer_flag", part_of_sibling_group="perm_part_of_sibling_group")
    fields |= line.numbers(
        nb_adoptr="perm_number_of_adopters", siblings_placed_together="perm_siblings_placed_together",
        siblings_placed_apart="perm_siblings_placed_apart",
    )  # fmt: skip
    fields |= _coded(
        line, sex_adoptr=("perm_adopter_sex", "adopter_sex"), ls_adoptr=("perm_adopter_legal_status", "adopter_status"),
        reason_placed_ceased=("perm_decision_reversed_reason", "placed_ceased"),
    )  # fmt: skip
    fields |= line.texts(
        permanence_order_type="perm_permanence_order_type", placement_provider_urn="perm_placement_provider_urn",
        adoption_worker_id="perm_adoption_worker_id", cla_id="perm_cla_id",
    )  # fmt: skip
    day = fields.get("date_placed") or fields.get("date_match") or fields.get("date_int")
    return [adopting.adoption(line, line.required("perm_table_id"), day, fields)]


def previous_permanence(line: Line) -> Says:
    """How care ended before."""
    columns = {
        "prev_perm": "lapp_previous_permanence_option", "la_perm": "lapp_previous_permanence_la",
        "date_perm": "lapp_previous_permanence_order_date",
    }  # fmt: skip
    return [adopting.permanence(line, line.required("lapp_table_id"), **columns)]
