"""The answers of the DfE's pupil search as JSON: {"value": [{id, UPN, ULN, Surname, Forename, Sex, Gender, DOB, LocalAuthority}]}.

They say who a pupil is and no more. `Gender` is the sex by its older name; where both differ `Sex` stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.education.importers.wonde_json import Json, day_of, id_of, name_of
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.json_rows import Rows
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key

ORDER = 110
"""After the schools' own files: no school speaks here."""


def fits(body: Any) -> bool:
    """Whether this is an answer of the search."""
    rows = body.get("value") if isinstance(body, dict) else None
    return isinstance(rows, Rows) and any(isinstance(one, dict) and "UPN" in one for one in rows)


def recognise(body: Json, mark: str, name: str, options: Options, codes: Codes) -> Source:
    """An answer, checked whole. Raises FileRefused when nothing says as of when it speaks."""
    provenance = Provenance(as_of(name, options), name, mark, options.authority)
    rows = body["value"]

    def read(report: Report) -> Iterator[Said]:
        for row, item in enumerate(rows, 1):
            said = _said(report, row, item if isinstance(item, dict) else {}, provenance, codes)
            if said is not None:
                yield said

    return Source(ORDER, len(rows), read, mark=mark)


def _said(report: Report, row: int, item: Json, provenance: Provenance, codes: Codes) -> Said | None:
    id, family, born = id_of(item.get("id")), name_of(item, "Surname"), day_of(item.get("DOB"))
    missing = next((column for column, found in (("id", id), ("Surname", family), ("DOB", born)) if found is None), None)
    if missing is not None or id is None:
        report.refuse(row, missing, item.get(missing or ""), "a pupil without id, surname and date of birth cannot be told from others")
        return None
    numbers = [values.upn(id_of(item.get("UPN"))), values.uln(id_of(item.get("ULN")))]
    fields = {
        "given_name": name_of(item, "Forename"), "family_name": family, "birth_date": born, "sex": _sex(report, row, item, codes),
        "identifiers": [one for one in numbers if one],
    }  # fmt: skip
    for one in fields["identifiers"]:
        if not one["valid"]:
            report.flag(row, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
    statement = Statement("education.person-recorded.v1", "R-IDENT", fields, row=row)
    return Said((key("giap", id),), (statement,), report, provenance)


def _sex(report: Report, row: int, item: Json, codes: Codes) -> str | None:
    sex, older = id_of(item.get("Sex")), id_of(item.get("Gender"))
    if sex and older and sex != older:
        report.flag(row, "Gender", older, f"the column Sex says otherwise ({sex}), which stands")
    return coded.check(codes, report, row, "Sex", sex or older, "sex")
