"""The children in need census as XML, 2021 to 2026: who the child is, referrals and plans. It holds no names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml.etree import _Element as Element

from services.plumbing.files import markup, values
from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Provenance, Said, Statement

ORDER = 5
GENDER_CURRENT = {"0": "U", "1": "M", "2": "F", "9": "U"}


def recognise(path: Path, name: str, options: Options) -> Source:
    """A CIN census, checked whole: the workforce census has the same root, so the collection is looked at."""
    collection = reference = None
    children = 0
    for element in markup.elements(path, name, "Collection", "ReferenceDate", "Child"):
        if element.tag == "Collection":
            collection = (element.text or "").strip()
        elif element.tag == "ReferenceDate":
            reference = (element.text or "").strip()
        else:
            children += 1
    if collection != "CIN":
        raise FileRefused(name, "this is no children in need census (Collection is not CIN)")
    extracted = options.extracted or _day(reference)
    if extracted is None:
        raise FileRefused(name, "the header holds no reference date", option="--extracted DATE")
    provenance = Provenance(extracted, name, markup.sha256(path), options.authority)
    return Source(ORDER, children, lambda report: _children(path, name, provenance, report))


def _children(path: Path, name: str, provenance: Provenance, report: Report) -> Iterator[Said]:
    for number, child in enumerate(markup.elements(path, name, "Child"), 1):
        local = _text(child, "ChildIdentifiers/LAchildID")
        if local is None:
            report.refuse(number, "LAchildID", None, "a child without its local id cannot be told from others")
            continue
        try:
            statements = [_person(child, number, local, report), *_details(child, number)]
        except values.Unreadable as error:
            report.refuse(number, None, None, f"a value cannot be read: expected {error}")
            continue
        yield Said((("local", local),), tuple(statements), report, provenance)


def _person(child: Element, number: int, local: str, report: Report) -> Statement:
    who = child.find("ChildIdentifiers")
    assert who is not None
    fields: dict[str, Any] = {
        "birth_date": _day(_text(who, "PersonBirthDate")),
        "expected_birth_date": _day(_text(who, "ExpectedPersonBirthDate")),
        "death_date": _day(_text(who, "PersonDeathDate")),
        "sex": _text(who, "Sex") or GENDER_CURRENT.get(_text(who, "GenderCurrent") or ""),
        "upn_unknown": _text(who, "UPNunknown"),
        "ethnicity": _text(child, "ChildCharacteristics/Ethnicity"),
    }
    numbers = [values.upn(_text(who, "UPN")), values.upn(_text(who, "FormerUPN"), type="former_upn")]
    fields["identifiers"] = [values.local_id(local), *[one for one in numbers if one]]
    for one in fields["identifiers"]:
        if not one["valid"]:
            report.flag(number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
    return Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=number)


def _details(child: Element, number: int) -> Iterator[Statement]:
    for details in child.iterfind("CINdetails"):
        start = _day(_text(details, "CINreferralDate"))
        if start:
            yield _referral(details, number, start)
        for plan in details.iterfind("CINPlanDates"):
            begun = _day(_text(plan, "CINPlanStartDate"))
            fields = {"plan_kind": "need", "plan_id": f"CIN {begun}", "start_date": begun, "end_date": _day(_text(plan, "CINPlanEndDate"))}
            yield Statement("socialcare.plan-recorded.v1", "R-CASE", fields, row=number)
        for plan in details.iterfind("ChildProtectionPlans"):
            yield _protection(plan, number)


def _referral(details: Element, number: int, start: str) -> Statement:
    source = _text(details, "ReferralSource")
    fields = {
        "referral_id": f"CIN {start} {source or ''}".strip(),
        "referral_date": start,
        "referral_source": source,
        "primary_need_code": _text(details, "PrimaryNeedCode"),
        "referral_nfa": values.boolean(_text(details, "ReferralNFA")),
        "closure_date": _day(_text(details, "CINclosureDate")),
        "reason_for_closure": _text(details, "ReasonForClosure"),
    }
    return Statement("socialcare.referral-recorded.v1", "R-CASE", fields, row=number)


def _protection(plan: Element, number: int) -> Statement:
    begun = _day(_text(plan, "CPPstartDate"))
    fields = {
        "plan_kind": "protection",
        "plan_id": f"CIN {begun}",
        "start_date": begun,
        "end_date": _day(_text(plan, "CPPendDate")),
        "initial_category_of_abuse": _text(plan, "InitialCategoryOfAbuse"),
        "latest_category_of_abuse": _text(plan, "LatestCategoryOfAbuse"),
        "number_of_previous_cpp": values.integer(_text(plan, "NumberOfPreviousCPP")),
        "review_dates": [d for one in plan.iterfind("Reviews/CPPreviewDate") if (d := _day(values.text(one.text)))],
    }
    return Statement("socialcare.plan-recorded.v1", "R-CP", fields, row=number)


def _text(element: Element, path: str) -> str | None:
    return values.text(element.findtext(path))


def _day(value: str | None) -> str | None:
    return values.day(value)
