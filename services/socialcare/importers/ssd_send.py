"""Special educational needs from social care's side (ssd_send, ssd_ehcp_requests, ssd_ehcp_assessment, ssd_ehcp_named_plan,
ssd_ehcp_active_plans, ssd_sen_need).

Only ssd_send names the child; each other table names the row before it: request, assessment, plan, need.
"""

from __future__ import annotations

from typing import Any

from services.plumbing.files import values
from services.plumbing.register.entries import Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key, key
from services.socialcare.importers.dataset import Item, Reading, Row, cell, each, gathered, kind_of, required
from services.socialcare.importers.ssd_numbers import flag, numbers_of

REQUEST, PLAN = "socialcare.ehc-request-recorded.v1", "socialcare.ehc-plan-recorded.v1"
EHC_PLAN = "E"
FLAGGED = "flag"
HAS_PLAN = {"0": True, "1": False, "y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
"""The dataset's code list has 0 for a plan and 1 for none; its specification Y and N."""


def flag_of(reading: Reading, number: int, text: str) -> list[Statement]:
    """What ssd_person's flag says of an EHC plan. Blank says nothing, and no plan is not no need."""
    found = values.code(text)
    if found is None:
        return []
    if found.lower() not in HAS_PLAN:
        reading.report.flag(number, "pers_send_flag", found, "expected Y or N, or 0 or 1; left out")
        return []
    fields = {"plan_id": FLAGGED, "sen_provision": EHC_PLAN}
    return [Statement(PLAN, "R-SEN", fields, withdrawn=not HAS_PLAN[found.lower()], row=number)]


def _send(reading: Reading, number: int, row: Row) -> Said | None:
    """The child's row in the SEND system, by which the other tables name it, and the numbers that system knows."""
    person = row["send_person_id"]
    fields = reading.codes_of(number, row, {"send_upn_unknown": ("upn_unknown", "upn_unknown")})
    found = {"send_upn": values.upn(row.get("send_upn")), "send_uln": values.uln(row.get("send_uln"))}
    identifiers = []
    for column, one in found.items():
        if one is not None:
            flag(reading.report, number, column, one)
            identifiers += numbers_of(reading, number, person, one)
    statement = Statement("socialcare.person-recorded.v1", "R-IDENT", {**fields, "identifiers": identifiers}, row=number)
    return reading.said(person, [statement], aliases=(_key("send", row["send_table_id"]),))


def _key(table: str, id: str) -> Key:
    return key(f"ssd {table}", id)


def _of(reading: Reading, parent: tuple[str, str], statement: Statement, *own: tuple[str, str]) -> Said:
    """What a row says of the child of an earlier row. parent, own: (table, id)."""
    otherwise = f"no {parent[0].replace('_', ' ')} with this id came in this delivery or before"
    return reading.said_of(_key(*parent), [statement], otherwise=otherwise, aliases=tuple(_key(*one) for one in own))


def _request(reading: Reading, number: int, row: Row) -> Said | None:
    id = row["ehcr_ehcp_request_id"]
    fields: dict[str, Any] = {"request_id": id}
    fields |= reading.days(row, request_date="ehcr_ehcp_req_date", request_outcome_date="ehcr_ehcp_req_outcome_date")
    fields |= reading.codes_of(number, row, {"ehcr_ehcp_req_outcome": ("request_outcome", "ehc_outcome")})
    return _of(reading, ("send", row["ehcr_send_table_id"]), Statement(REQUEST, "R-SEN", fields, row=number), ("request", id))


def _assessment(reading: Reading, number: int, row: Row) -> Said | None:
    id, request = row["ehca_ehcp_assessment_id"], row["ehca_ehcp_request_id"]
    fields: dict[str, Any] = {"request_id": request, "assessment_id": id}
    fields |= reading.days(row, assessment_outcome_date="ehca_ehcp_assessment_outcome_date")
    fields |= reading.codes_of(number, row, {"ehca_ehcp_assessment_outcome": ("assessment_outcome", "ehc_outcome")})
    fields |= reading.texts(row, assessment_exceptions="ehca_ehcp_assessment_exceptions")
    return _of(reading, ("request", request), Statement(REQUEST, "R-SEN", fields, row=number), ("assessment", id))


def _named_plan(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"plan_id": f"named {row['ehcn_named_plan_id']}", "sen_provision": EHC_PLAN}
    fields |= reading.days(row, start_date="ehcn_named_plan_start_date", ceased_date="ehcn_named_plan_ceased_date")
    fields |= reading.codes_of(number, row, {"ehcn_named_plan_ceased_reason": ("ceased_reason", "ehc_ceased")})
    return _of(reading, ("assessment", row["ehcn_ehcp_asmt_id"]), Statement(PLAN, "R-SEN", fields, row=number))


def _active_plan(reading: Reading, number: int, row: Row) -> Said | None:
    id, request = row["ehcp_active_ehcp_id"], row["ehcp_ehcp_request_id"]
    fields: dict[str, Any] = {"plan_id": f"active {id}", "request_id": request, "sen_provision": EHC_PLAN}
    fields |= reading.days(row, last_review_date="ehcp_active_ehcp_last_review_date")
    return _of(reading, ("request", request), Statement(PLAN, "R-SEN", fields, row=number), ("active_plan", id))


def _need(reading: Reading, number: int, row: Row) -> Item:
    sen_type = required(row, "senn_active_ehcp_need_type")
    rank = cell(values.integer, row, "senn_active_ehcp_need_rank") if "senn_active_ehcp_need_rank" in row else None
    reading.codes_of(number, row, {"senn_active_ehcp_need_type": ("sen_type", "sen_type")})
    return f"{rank or 999_999:06d} {sen_type}", {"sen_type": sen_type} | ({"rank": rank} if rank else {})


def _needs(reading: Reading, plan: str, needs: list[Any], number: int) -> Said:
    statement = Statement(PLAN, "R-SEN", {"plan_id": f"active {plan}", "needs": needs}, row=number)
    return _of(reading, ("active_plan", plan), statement)


TABLES = (
    kind_of(2, "send_table_id send_person_id", "send_upn send_uln send_upn_unknown", each(_send, "send_person_id", "send_table_id")),
    kind_of(
        3, "ehcr_ehcp_request_id ehcr_send_table_id", "ehcr_ehcp_req_date ehcr_ehcp_req_outcome_date ehcr_ehcp_req_outcome",
        each(_request, "ehcr_send_table_id", "ehcr_ehcp_request_id"),
    ),
    kind_of(
        4, "ehca_ehcp_assessment_id ehca_ehcp_request_id",
        "ehca_ehcp_assessment_outcome_date ehca_ehcp_assessment_outcome ehca_ehcp_assessment_exceptions",
        each(_assessment, "ehca_ehcp_request_id", "ehca_ehcp_assessment_id"),
    ),
    kind_of(
        4, "ehcp_active_ehcp_id ehcp_ehcp_request_id", "ehcp_active_ehcp_last_review_date",
        each(_active_plan, "ehcp_ehcp_request_id", "ehcp_active_ehcp_id"),
    ),
    kind_of(
        5, "ehcn_named_plan_id ehcn_ehcp_asmt_id",
        "ehcn_named_plan_start_date ehcn_named_plan_ceased_date ehcn_named_plan_ceased_reason",
        each(_named_plan, "ehcn_ehcp_asmt_id", "ehcn_named_plan_id"),
    ),
    kind_of(
        5, "senn_active_ehcp_id senn_active_ehcp_need_type", "senn_table_id senn_active_ehcp_need_rank",
        gathered(_need, _needs, "needs", "senn_active_ehcp_id"),
    ),
)  # fmt: skip
