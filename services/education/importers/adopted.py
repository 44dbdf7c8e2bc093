"""What of a school's file tells that a pupil was adopted: it lies apart, for the adoption team alone.

A former UPN and a former surname are ordinary facts of most pupils. Of one who left care by adoption they lead back to the
child before the adoption: no entry, number or date may join the two records, so here they are no part of who the pupil is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.plumbing.files import values
from services.plumbing.register import Statement

ADOPTION, NOT_DECLARED = frozenset({"A", "O"}), "N"
"""O is an adoption from state care outside England and Wales: it leads back no less."""
BEFORE = frozenset({"former_family_name", "identifiers former_upn"})
"""What is no part of who an adopted pupil is, in whatever file it stood or will stand."""
LEFT_CARE, CLASS = "education.left-care-recorded.v1", "R-ADOPT"


def who(person: Mapping[str, Any], *, adopted: bool, row: int) -> Statement:
    """Who a pupil is; of an adopted one without the names and numbers from before."""
    fields = dict(person)
    if adopted:
        fields.pop("former_family_name", None)
        fields["identifiers"] = [one for one in person["identifiers"] if one["type"] != "former_upn"]
    return Statement("education.person-recorded.v1", "R-IDENT", fields, row=row, never=BEFORE if adopted else frozenset())


def tells(how: str | None) -> bool:
    """Whether a way of leaving care is an adoption, however it is written: `A`, `a`, `O`, `A - Adoption`."""
    found = (how or "").strip().upper()
    return "ADOPT" in found or found.partition(" ")[0].rstrip(":-") in ADOPTION


def left_care(school: str, how: str, before: Mapping[str, str | None], *, row: int) -> Statement:
    """How a pupil left care, by the code list `plaa`. "Not declared" is no record: it takes one away that was there.

    before: the family name and UPN from before; they are kept here with an adoption alone.
    """
    if how == NOT_DECLARED:
        return Statement(LEFT_CARE, CLASS, {"school": school}, withdrawn=True, row=row)
    hidden = before if tells(how) else {}
    fields = {
        "school": school, "left_care_by": how, "restriction": "statute",
        "former_family_name": values.text(hidden.get("family_name")), "former_upn": values.code(hidden.get("upn")),
    }  # fmt: skip
    return Statement(LEFT_CARE, CLASS, fields, row=row)
