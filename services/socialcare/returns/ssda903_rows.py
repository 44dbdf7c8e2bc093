"""One row of each table of the return of children looked after: a register's fields as the return's cells. Dates are dd/mm/yyyy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.socialcare.returns.year import Year

Fields = Mapping[str, Any]
Cells = dict[str, str | None]
"""Column -> text, without CHILD, SEX and DOB, which say whose row it is."""
ADOPTERS = ("date_int", "date_match", "foster_care", "nb_adoptr", "sex_adoptr", "ls_adoptr")
APART = ("rec", "ls", "place")
"""What of an episode and its placement is held apart where it tells of adoption."""
CHECKS = (
    "convicted", "health_check", "immunisations", "teeth_check", "health_assessment", "substance_misuse", "intervention_received",
    "intervention_offered",
)  # fmt: skip
SUITABLE = {"yes": "1", "no": "2"}
FLAGS = {"yes": "1", "no": "0"}


def day(found: str | None) -> str | None:
    """An ISO date as the return writes it; of one that is known to the month or the year alone the rest is zz."""
    if found is None:
        return None
    parts = [*found.split("-"), "zz", "zz"][:3]
    return "/".join(reversed(parts))


def flag(found: str | None) -> str | None:
    """yes and no as 1 and 0."""
    return FLAGS.get(found or "")


def plain(fields: Fields, *names: str) -> Cells:
    """Fields as they are, each under its own name."""
    return {name.upper(): None if fields.get(name) is None else str(fields[name]) for name in names}


def period(fields: Fields, year: Year, begun: str, ended: str) -> Cells:
    """Two dates; an end after the year had not happened."""
    return {begun.upper(): day(fields[begun]), ended.upper(): day(year.by_its_end(fields.get(ended)))}


def episode(fields: Fields, placement: Fields, year: Year) -> Cells:
    """An episode in its placement, with what of them is held apart. Why the placement changed stands where it ended."""
    ended = year.by_its_end(fields.get("dec")) is not None or "dec" not in fields
    last = ended and fields.get("dec") == placement.get("end_date")
    return {
        **period(fields, year, "decom", "dec"), **plain(fields, "rne", "ls", "cin", "home_post"),
        **plain(placement, "place", "place_provider", "pl_post", "urn"),
        "REC": fields.get("rec") if ended else None,
        "REASON_PLACE_CHANGE": placement.get("reason_place_change") if last else None,
    }  # fmt: skip


def review(fields: Fields, year: Year) -> Cells:
    """A review that was held."""
    return {"REVIEW": day(fields["review"]), **plain(fields, "review_code")}


def uasc(fields: Fields, year: Year) -> Cells:
    """Unaccompanied until DUC, which may lie ahead."""
    return {"DUC": day(fields.get("end_date"))}


def health(checks: Fields, score: Fields) -> Cells:
    """The checks and the score of the year."""
    return {**{name.upper(): flag(checks.get(name)) for name in CHECKS}, **plain(score, "sdq_score", "sdq_reason")}


def care_leaving(fields: Fields) -> Cells:
    """How a care leaver stood in the year."""
    accommodation = f"{fields.get('accom') or ''}{SUITABLE.get(fields.get('accom_suitable') or '', '')}"
    return {**plain(fields, "in_touch", "activ"), "ACCOM": accommodation}


def adopters(fields: Fields, year: Year) -> Cells:
    """The decision, the match and the adopters, as far as they were known when the year ended; empty where nothing was."""
    known = {**fields, **{name: year.by_its_end(fields.get(name)) for name in ("date_int", "date_match")}}
    if all(known.get(name) is None for name in ADOPTERS):
        return {}
    dates = {name.upper(): day(known[name]) for name in ("date_int", "date_match")}
    return {**dates, "FOSTER_CARE": flag(known.get("foster_care")), **plain(known, "nb_adoptr", "sex_adoptr", "ls_adoptr")}


def placed(fields: Fields, year: Year) -> Cells:
    """Placed for adoption, until it ceased."""
    found = period(fields, year, "date_placed", "date_placed_ceased")
    return {**found, **(plain(fields, "reason_placed_ceased") if found["DATE_PLACED_CEASED"] or "date_placed_ceased" not in fields else {})}


def permanence(fields: Fields, year: Year) -> Cells:
    """An order by which care ended before."""
    return {**plain(fields, "prev_perm", "la_perm"), "DATE_PERM": day(fields.get("date_perm"))}


def missing(fields: Fields, year: Year) -> Cells:
    """Missing, or away without authorisation."""
    return {**plain(fields, "missing"), **period(fields, year, "mis_start", "mis_end")}


def worker(fields: Fields, year: Year) -> Cells:
    """A social worker's time with the child."""
    ended = year.by_its_end(fields.get("end_date"))
    reason = plain(fields, "sw_reason") if ended or "end_date" not in fields else {}
    return {"SW_ID": fields["professional_id"], "SW_DECOM": day(fields["start_date"]), "SW_DEC": day(ended), **reason}


def liberty(fields: Fields, year: Year) -> Cells:
    """An order that lets a child be deprived of liberty."""
    return period(fields, year, "dolo_start", "dolo_end")
