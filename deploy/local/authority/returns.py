"""What the authority returns to the DfE of the year to the last 31 March: the children in need census as XML, and the return of
children looked after (SSDA903) as CSV.

The daily extract and a return name one episode by different ids, so both together show it twice. The delivery that is loaded
therefore holds of both only what the extract does not have: cases that closed and care that ended in that year. The whole
returns lie apart, in `returns/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deploy.local.authority.care import Care, Episode
from deploy.local.authority.earlier import year_began, year_ended
from deploy.local.authority.extract import disabilities_of
from deploy.local.authority.extract_care import Told, in_care, told_by_return
from deploy.local.authority.histories import History, history
from deploy.local.authority.homes import home_of, origin_of
from deploy.local.authority.people import AUTHORITY, Authority, Case, Child
from deploy.local.authority.tables import write

A_YEAR = 365


# -- the census of children in need ------------------------------------------------------------------------------


def closed_cases(authority: Authority, known: Sequence[Child]) -> list[tuple[Child, Case]]:
    """Cases that closed in the census's year, of which the extract has nothing any more."""
    return [(child, child.past) for child in known if child.past]


def every_case(authority: Authority, known: Sequence[Child]) -> list[tuple[Child, Case]]:
    """Every case of the census's year."""
    begin, end = year_began(authority.today), year_ended(authority.today)
    cases = [(child, case) for child in known for case in (child.past, child.case) if case]
    return [
        (child, case) for child, case in cases
        if case.level != "adopted" and case.referred <= end and (case.closed or end) >= begin and (child.born is None or child.born <= end)
    ]  # fmt: skip


def census(path: Path, authority: Authority, cases: Sequence[tuple[Child, Case]]) -> None:
    """The census of these cases. It holds no names."""
    end = year_ended(authority.today)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(_child(authority, child, case, end) for child, case in cases)
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>{end.year}</Year>'
        f"<ReferenceDate>{end}</ReferenceDate></CollectionDetails><Source><SourceLevel>L</SourceLevel><LEA>{AUTHORITY}</LEA>"
        f"</Source></Header><Children>{body}</Children></Message>\n",
        encoding="utf-8",
    )


def _child(authority: Authority, child: Child, case: Case, end: date) -> str:
    born = child.social_born or child.born
    upn = _said("UPN", child.social_upn) or _said("UPNunknown", "UN1" if born is None or not child.school else "UN4")
    birth = _said("PersonBirthDate", born) or _said("ExpectedPersonBirthDate", child.expected)
    disabled = "".join(_said("Disability", code) for code in disabilities_of(authority, child))
    who = f"{_said('LAchildID', child.local_id)}{upn}{birth}{_said('Sex', child.sex if born else 'U')}"
    return _within("Child", _within("ChildIdentifiers", who) + _within(
        "ChildCharacteristics", _said("Ethnicity", origin_of(child.household)[0]) + _within("Disabilities", disabled)
    ) + _details(case, history(authority, child, case), end))  # fmt: skip


def _details(case: Case, found: History, end: date) -> str:
    """One episode as it was known on the last day of the year."""
    closed = case.closed if case.closed and case.closed <= end else None
    held = found.conference[0] if found.conference and found.conference[0] <= end else None
    return _within("CINdetails", "".join((
        _said("CINreferralDate", case.referred), _said("ReferralSource", found.source), _said("PrimaryNeedCode", case.need),
        _said("CINclosureDate", closed), _said("ReasonForClosure", "RC7" if closed else None), _said("DateOfInitialCPC", held),
        _assessment(found, end), _need_plan(found, end), _enquiry(found, held, end), _said("ReferralNFA", "0"), _protection_plan(found, end),
    )))  # fmt: skip


def _assessment(found: History, end: date) -> str:
    begun, authorised = found.assessed
    if begun > end:
        return ""
    done = authorised if authorised and authorised <= end else None
    factors = "".join(_said("AssessmentFactors", code) for code in found.factors) if done else ""
    said = _said("AssessmentActualStartDate", begun) + _said("AssessmentAuthorisationDate", done)
    return _within("Assessments", said + (_within("FactorsIdentifiedAtAssessment", factors) if factors else ""))


def _need_plan(found: History, end: date) -> str:
    plan = found.plan
    if plan is None or plan.kind != "need" or plan.start > end:
        return ""
    return _within("CINPlanDates", _said("CINPlanStartDate", plan.start) + _said("CINPlanEndDate", plan.end if plan.end and plan.end <= end else None))


def _enquiry(found: History, held: date | None, end: date) -> str:
    if found.enquiry is None or found.enquiry[0] > end:
        return ""
    due = found.conference[1] if found.conference else None
    said = _said("S47ActualStartDate", found.enquiry[0]) + _said("InitialCPCtarget", due) + _said("DateOfInitialCPC", held)
    return _within("Section47", said + _said("ICPCnotRequired", int(found.conference is None)))


def _protection_plan(found: History, end: date) -> str:
    plan = found.plan
    if plan is None or plan.kind != "protection" or plan.start > end:
        return ""
    held = "".join(_said("CPPreviewDate", one.held) for one in found.reviews if one.held and one.held <= end)
    said = _said("CPPstartDate", plan.start) + _said("CPPendDate", plan.end if plan.end and plan.end <= end else None)
    said += _said("InitialCategoryOfAbuse", plan.abuse[0]) + _said("LatestCategoryOfAbuse", plan.abuse[1])
    return _within("ChildProtectionPlans", said + _said("NumberOfPreviousCPP", plan.before) + (_within("Reviews", held) if held else ""))


def _said(name: str, value: Any) -> str:
    return "" if value is None or value == "" else f"<{name}>{escape(str(value))}</{name}>"


def _within(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


# -- the return of children looked after -------------------------------------------------------------------------


def ended_care(authority: Authority, known: Sequence[Child]) -> list[Told]:
    """Care that ended in the return's year, of which the extract has nothing any more."""
    return [one for one in in_care(authority, known) if told_by_return(authority, one[2])]


def every_care(authority: Authority, known: Sequence[Child]) -> list[Told]:
    """Every time in care of the return's year."""
    begin, end = year_began(authority.today), year_ended(authority.today)
    return [one for one in in_care(authority, known) if one[2].start <= end and (one[2].end or end) >= begin]


def ssda903(folder: Path, authority: Authority, told: Sequence[Told], *, whole: bool) -> None:
    """The return of these times in care, a file a module. whole: with the yearly figures (OC2, OC3)."""
    year, began = year_ended(authority.today), year_began(authority.today)
    for module, rows in _modules(authority, told, began, year, whole):
        write(folder / f"SSDA903_{year.year}_{module}.csv", [{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value: Any) -> str:
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else "" if value is None else str(value)


Rows = Iterable[dict[str, Any]]


def _modules(authority: Authority, told: Sequence[Told], began: date, end: date, whole: bool) -> Iterator[tuple[str, Rows]]:
    adopted = [one for one in told if one[1].level == "adopted"]
    yield "header", [_header(child) for child, _, _ in told]
    yield "episodes", [row for child, case, care in told for row in _episodes(authority, child, case, care, began, end)]
    yield "reviews", [
        _child_row(child) | {"REVIEW": one.held, "REVIEW_CODE": one.participation}
        for child, _, care in told for one in care.reviews if one.held and began <= one.held <= end
    ]  # fmt: skip
    yield "uasc", [_child_row(child, sex=True) | {"DUC": _eighteen(child)} for child, _, care in told if care.unaccompanied]
    yield "missing", [
        _child_row(child) | {"MISSING": one.kind[0], "MIS_START": one.start, "MIS_END": one.end}
        for child, _, care in told for one in care.missing if began <= one.start and one.end <= end
    ]  # fmt: skip
    yield "ad1", [_adopters(child, care) for child, _, care in adopted]
    yield "placed_for_adoption", [_placed(child, care) for child, _, care in adopted]
    if whole:
        yield "oc2", [_health(child, care, began, end) for child, case, care in told if case.level == "looked_after" and (end - care.start).days >= A_YEAR]
        yield "oc3", [_leaver(child) for child, case, _ in told if case.level == "care_leaver"]


def _child_row(child: Child, *, sex: bool = False) -> dict[str, Any]:
    born = child.social_born or child.born
    return {"CHILD": child.local_id} | ({"SEX": child.sex} if sex else {}) | {"DOB": born}


def _header(child: Child) -> dict[str, Any]:
    upn = child.social_upn or ("UN4" if child.school else "UN1")
    return _child_row(child, sex=True) | {"ETHNIC": origin_of(child.household)[0], "UPN": upn, "MOTHER": "", "MC_DOB": ""}


def _eighteen(child: Child) -> date | None:
    return child.born and date(child.born.year + 18, child.born.month, min(child.born.day, 28))


def _episodes(authority: Authority, child: Child, case: Case, care: Care, began: date, end: date) -> Iterator[dict[str, Any]]:
    """Those of the year, as they were known on its last day."""
    places = {one.number: one for one in care.placements}
    for one in care.episodes:
        if one.start <= end and (one.end or end) >= began:
            place, over = places[one.placement], bool(one.end and one.end <= end)
            yield {
                "CHILD": child.local_id, "DECOM": one.start, "RNE": one.began, "LS": one.status, "CIN": case.need, "PLACE": place.kind,
                "PLACE_PROVIDER": place.provider, "DEC": one.end if over else None, "REC": one.ended if over else "",
                "REASON_PLACE_CHANGE": place.reason if over and place.end == one.end else "",
                "HOME_POST": home_of(authority, child.household).postcode, "PL_POST": place.postcode, "URN": place.urn,
            }  # fmt: skip


def _adoptive(care: Care) -> Episode:
    return care.episodes[-1]


def _adopters(child: Child, care: Care) -> dict[str, Any]:
    decided, matched = care.episodes[1].start, _adoptive(care).start
    known = {"FOSTER_CARE": "0", "NB_ADOPTR": "2", "SEX_ADOPTR": "MF", "LS_ADOPTR": "L11"}
    return _child_row(child) | {"DATE_INT": decided, "DATE_MATCH": matched} | known


def _placed(child: Child, care: Care) -> dict[str, Any]:
    return _child_row(child) | {"DATE_PLACED": _adoptive(care).start, "DATE_PLACED_CEASED": None, "REASON_PLACED_CEASED": None}


def _health(child: Child, care: Care, began: date, end: date) -> dict[str, Any]:
    """The year's figures. The score is the newest of the year."""
    score = next((score for day, score in reversed(care.scores) if began <= day <= end), None)
    checked = int(any(began <= one.day <= end for one in care.checks))
    teeth = int(any(began <= one.day <= end and one.kind == "Dental check" for one in care.checks))
    return _child_row(child) | {
        "SDQ_SCORE": score, "SDQ_REASON": "" if score is not None else "SDQ1", "CONVICTED": "0", "HEALTH_CHECK": checked,
        "IMMUNISATIONS": int(child.number % 6 != 0), "TEETH_CHECK": teeth, "HEALTH_ASSESSMENT": checked,
        "SUBSTANCE_MISUSE": int(bool(care.substance)), "INTERVENTION_RECEIVED": int(bool(care.substance)) or "", "INTERVENTION_OFFERED": "",
    }  # fmt: skip


def _leaver(child: Child) -> dict[str, Any]:
    return _child_row(child) | {"IN_TOUCH": "YES", "ACTIV": "F2", "ACCOM": "U1"}
