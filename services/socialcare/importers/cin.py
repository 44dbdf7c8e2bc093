"""The children in need census as XML, 2021 to 2026: who the child is, referrals and plans. It holds no names.

XML has no columns: an optional element that a referral or plan of the census leaves out says that there is none, as the
schema has it (an open case is one without CINclosureDate). Of who a child is, nothing left out erases anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, markup, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Provenance, Said, Statement
from services.plumbing.subjects import key

ORDER = 5
GENDER_CURRENT = {"0": "U", "1": "M", "2": "F", "9": "U"}
FIRST_YEAR = 2000
MODULES = frozenset({"ChildIdentifiers", "ChildCharacteristics", "CINdetails"})
DETAILS = frozenset({
    "CINreferralDate", "ReferralSource", "PrimaryNeedCode", "ReferralNFA", "CINclosureDate", "ReasonForClosure", "CINPlanDates",
    "ChildProtectionPlans",
})  # fmt: skip
CHARACTERISTICS = frozenset({"Ethnicity"})
"""The elements that are read; others are counted as ignored."""


@dataclass
class _Header:
    """What the file says of itself, and what it holds."""

    said: dict[str, str] = field(default_factory=dict)
    children: int = 0
    ignored: set[str] = field(default_factory=set)


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """A CIN census, checked whole: the workforce census has the same root, so the collection is looked at."""
    header = _Header()
    for element in markup.elements(path, name, "Collection", "ReferenceDate", "Year", "LEA", "Child"):
        if element.tag == "Child":
            header.children += 1
            header.ignored.update(_ignored(element))
        else:
            header.said.setdefault(str(element.tag), (element.text or "").strip())
    if header.said.get("Collection") != "CIN":
        raise FileRefused(name, "this is no children in need census (Collection is not CIN)")
    extracted = as_of(name, options, said=_reference(name, header.said))
    authority = _authority(name, header.said.get("LEA"), options)
    mark = markup.sha256(path)
    provenance = Provenance(extracted, name, mark, authority)
    return Source(
        ORDER, header.children, lambda report: _children(path, name, provenance, codes, report), tuple(sorted(header.ignored)), mark
    )  # fmt: skip


def _ignored(child: Element) -> Iterator[str]:
    """The modules and elements of a child that are not read yet."""
    for module in child:
        if module.tag not in MODULES:
            yield str(module.tag)
        known = {"CINdetails": DETAILS, "ChildCharacteristics": CHARACTERISTICS}.get(str(module.tag))
        yield from (f"{module.tag}/{part.tag}" for part in module if known is not None and part.tag not in known)


def _reference(name: str, said: dict[str, str]) -> str | None:
    """The reference date. `Year` names the year to 31 March, in some systems by its first half: so from the April before to
    the March after. Raises FileRefused."""
    try:
        day = values.day(said.get("ReferenceDate"))
    except values.Unreadable as error:
        raise FileRefused(name, f"expected {error}", column="ReferenceDate") from error
    year = said.get("Year")
    if not year:
        return day
    if not re.fullmatch(r"\d{4}", year, re.ASCII) or not FIRST_YEAR <= int(year) <= int(values.today()[:4]) + 1:
        raise FileRefused(name, f"{year} is not a year from {FIRST_YEAR} to next year", column="Year")
    if day is not None and not f"{int(year) - 1}-04-01" <= day <= f"{int(year) + 1}-03-31":
        raise FileRefused(name, f"the reference date {day} does not lie in the census year {year}", column="ReferenceDate")
    return day


def _authority(name: str, lea: str | None, options: Options) -> str | None:
    if options.authority and lea and lea != options.authority:
        raise FileRefused(name, f"--authority says {options.authority}, but the file says {lea}", column="LEA")
    return options.authority or lea or None


def _children(path: Path, name: str, provenance: Provenance, codes: Codes, report: Report) -> Iterator[Said]:
    for number, child in enumerate(markup.elements(path, name, "Child"), 1):
        reading = _Reading(number, report, codes)
        try:
            said = reading.child(child)
        except _Refused as refused:
            report.refuse(number, refused.path, refused.value, refused.why)
            continue
        local, statements = said
        yield Said((key("local", local),), tuple(statements), report, provenance)


class _Refused(Exception):
    """An element that cannot be taken."""

    def __init__(self, path: str, value: str | None, why: str) -> None:
        super().__init__(why)
        self.path, self.value, self.why = path, value, why


@dataclass
class _Reading:
    """One child being read. Every referral and plan is a part of its own: its fault keeps no other out."""

    number: int
    report: Report
    codes: Codes
    parts: int = 0

    def child(self, child: Element) -> tuple[str, list[Statement]]:
        """The child's local id, and what the census says of it."""
        local = values.code(child.findtext("ChildIdentifiers/LAchildID"))
        if local is None:
            raise _Refused("ChildIdentifiers/LAchildID", None, "a child without its local id cannot be told from others")
        return local, [self._person(child, local), *self._details(child)]

    def _person(self, child: Element, local: str) -> Statement:
        who = child.find("ChildIdentifiers")
        assert who is not None
        fields: dict[str, Any] = {
            "birth_date": self._day(who, "PersonBirthDate"),
            "expected_birth_date": self._other_day(who, "ExpectedPersonBirthDate"),
            "death_date": self._other_day(who, "PersonDeathDate"),
            "sex": self._code(who, "Sex", "sex") or self._gender_current(who),
            "upn_unknown": self._code(who, "UPNunknown", "upn_unknown"),
            "ethnicity": self._code(child, "ChildCharacteristics/Ethnicity", "ethnicity"),
        }
        numbers = [values.upn(who.findtext("UPN")), values.upn(who.findtext("FormerUPN"), type="former_upn")]
        fields["identifiers"] = [values.local_id(local), *[one for one in numbers if one]]
        for one in fields["identifiers"]:
            if not one["valid"]:
                self.report.flag(self.number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
        return Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=self.number)

    def _gender_current(self, who: Element) -> str | None:
        found = values.code(who.findtext("GenderCurrent"))
        if found and found not in GENDER_CURRENT:
            self.report.flag(self.number, "GenderCurrent", found, "not in the code list; left out")
        return GENDER_CURRENT.get(found or "")

    def _details(self, child: Element) -> Iterator[Statement]:
        for details in child.iterfind("CINdetails"):
            yield from self._part(self._referral, details)
            for plan in details.iterfind("CINPlanDates"):
                yield from self._part(self._need_plan, plan)
            for plan in details.iterfind("ChildProtectionPlans"):
                yield from self._part(self._protection_plan, plan)

    def _part(self, read: Callable[[Element], Statement], element: Element) -> Iterator[Statement]:
        """A referral or plan, or nothing when it is refused."""
        self.parts += 1
        try:
            yield read(element)
        except _Refused as refused:
            self.report.refuse(self.number, refused.path, refused.value, refused.why)

    def _referral(self, details: Element) -> Statement:
        start = self._day(details, "CINreferralDate")
        if start is None:
            raise _Refused("CINdetails/CINreferralDate", None, "a referral without its date cannot be told from others")
        source = self._code(details, "ReferralSource", "referral_source")
        fields = {
            "referral_id": f"CIN {start} {source or ''}".strip(),
            "referral_date": start,
            "referral_source": source,
            "primary_need_code": self._code(details, "PrimaryNeedCode", "need"),
            "referral_nfa": self._read(values.boolean, details, "ReferralNFA"),
            "closure_date": self._day(details, "CINclosureDate"),
            "reason_for_closure": self._code(details, "ReasonForClosure", "closure"),
        }
        return Statement("socialcare.referral-recorded.v1", "R-CASE", fields, row=self.number, part=self.parts)

    def _need_plan(self, plan: Element) -> Statement:
        begun = self._begun(plan, "CINPlanStartDate")
        fields = {
            "plan_kind": "need", "plan_id": f"CIN {begun}", "start_date": begun, "end_date": self._day(plan, "CINPlanEndDate"),
        }  # fmt: skip
        return Statement("socialcare.plan-recorded.v1", "R-CASE", fields, row=self.number, part=self.parts)

    def _protection_plan(self, plan: Element) -> Statement:
        begun = self._begun(plan, "CPPstartDate")
        fields = {
            "plan_kind": "protection",
            "plan_id": f"CIN {begun}",
            "start_date": begun,
            "end_date": self._day(plan, "CPPendDate"),
            "initial_category_of_abuse": self._code(plan, "InitialCategoryOfAbuse", "abuse"),
            "latest_category_of_abuse": self._code(plan, "LatestCategoryOfAbuse", "abuse"),
            "number_of_previous_cpp": self._read(values.integer, plan, "NumberOfPreviousCPP"),
            "review_dates": list(self._review_dates(plan)),
        }
        return Statement("socialcare.plan-recorded.v1", "R-CP", fields, row=self.number, part=self.parts)

    def _begun(self, plan: Element, name: str) -> str:
        begun = self._day(plan, name)
        if begun is None:
            raise _Refused(f"{plan.tag}/{name}", None, "a plan without its first day cannot be told from others")
        return begun

    def _review_dates(self, plan: Element) -> Iterator[str]:
        """The reviews held; a date that cannot be read is left out and said."""
        for one in plan.iterfind("Reviews/CPPreviewDate"):
            try:
                if day := values.day(one.text):
                    yield day
            except values.Unreadable as error:
                self.report.flag(self.number, "Reviews/CPPreviewDate", one.text, f"expected {error}; left out")

    def _code(self, element: Element, path: str, list: str) -> str | None:
        return coded.check(self.codes, self.report, self.number, path, values.code(element.findtext(path)), list)

    def _day(self, element: Element, path: str) -> str | None:
        return self._read(values.day, element, path)

    def _other_day(self, element: Element, path: str) -> str | None:
        """A date that says little of who the child is: one that cannot be read is left out and said, and keeps nobody out."""
        try:
            return self._day(element, path)
        except _Refused as refused:
            self.report.flag(self.number, refused.path, refused.value, f"{refused.why}; left out")
            return None

    def _read(self, reader: Callable[[str | None], Any], element: Element, path: str) -> Any:
        text = element.findtext(path)
        try:
            return reader(text)
        except values.Unreadable as error:
            raise _Refused(f"{element.tag}/{path}", text, f"expected {error}") from error
