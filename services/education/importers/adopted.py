"""What of a school's file tells that a pupil was adopted: it lies apart, for the adoption team alone.

A former UPN and a former surname are ordinary facts of most pupils. Of one who left care by adoption they lead back to the
child before the adoption: no entry, number or date may join the two records. So they lie in this record, and the register takes
them out of who the pupil is, in whatever file and whatever order they come (see `State.adopted`).
"""

from __future__ import annotations

from collections.abc import Mapping

from services.plumbing.files import values
from services.plumbing.register.entries import Statement

ADOPTION, NOT_DECLARED = frozenset({"A", "O"}), "N"
"""O is an adoption from state care outside England and Wales: it leads back no less."""
LEFT_CARE, CLASS = "education.left-care-recorded.v1", "R-ADOPT"


def told(how: str | None) -> str | None:
    """The adoption that a way of leaving care is, however it is written: `A`, `a`, `O`, `A - Adoption`; None for another way."""
    found = (how or "").strip().upper()
    code = found.partition(" ")[0].rstrip(":-")
    return code if code in ADOPTION else "A" if "ADOPT" in found else None


def left_care(school: str, how: str, before: Mapping[str, str | None], *, row: int) -> Statement:
    """How a pupil left care, by the code list `plaa`. "Not declared" is no record: it takes one away that was there.

    before: the family name and UPN from before; they are kept here with an adoption alone.
    """
    if how == NOT_DECLARED:
        return Statement(LEFT_CARE, CLASS, {"school": school}, withdrawn=True, row=row)
    adoption = told(how)
    hidden = before if adoption else {}
    fields = {
        "school": school, "left_care_by": adoption or how, "restriction": "statute",
        "former_family_name": values.text(hidden.get("family_name")), "former_upn": values.code(hidden.get("upn")),
    }  # fmt: skip
    return Statement(LEFT_CARE, CLASS, fields, row=row)
