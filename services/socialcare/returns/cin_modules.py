"""One episode of the children in need census, and its modules: assessments, plans, enquiries and conferences of the year."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from services.plumbing.register.entries import Held
from services.socialcare.returns.cin_parts import NOT_HELD, Parts, Unfit
from services.socialcare.returns.holding import Holding

ADOPTED = "RC1"
YES, NO = "1", "0"
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Modules:
    """An episode being written."""

    held: Holding
    parts: Parts
    referral: Fields

    def element(self) -> Element:
        """The episode with its modules. Raises Unfit."""
        parts, referral = self.parts, self.referral
        found = etree.Element("CINdetails")
        parts.put(found, "CINreferralDate", parts.demanded(referral.get("referral_date"), "CINdetails/CINreferralDate"))
        source = parts.demanded_code(referral, "referral_source", "referral_source", "CINdetails/ReferralSource")
        parts.put(found, "ReferralSource", source)
        parts.put(found, "PrimaryNeedCode", parts.code(referral, "primary_need_code", "need", "CINdetails/PrimaryNeedCode"))
        self._closed(found)
        enquiries = self._enquiries()
        self._other_conference(found, enquiries)
        found.extend(self._each("assessment", self._assessment))
        found.extend(self._each("plan", self._need_plan, plan_kind="need"))
        found.extend(one for _, one in enquiries)
        parts.put(found, "ReferralNFA", _flag(parts, referral, "referral_nfa", "CINdetails/ReferralNFA"))
        found.extend(self._each("plan", self._protection_plan, plan_kind="protection"))
        return found

    def _closed(self, found: Element) -> None:
        """When and why the case was closed, by the end of the year. Adopted stands in an entry of its own."""
        closed = self.parts.day(self.referral, "closure_date")
        self.parts.put(found, "CINclosureDate", closed)
        if closed is not None or "closure_date" not in self.referral:
            signs = {one.fields["sign_id"] for one in self.held.of("adoption-sign")}
            adopted = f"closed {self.referral['referral_id']}" in signs
            told = {**self.referral, "reason_for_closure": ADOPTED} if adopted else self.referral
            self.parts.put(found, "ReasonForClosure", self.parts.code(told, "reason_for_closure", "closure", "CINdetails/ReasonForClosure"))

    def _of_this(self, name: str, **equal: str) -> list[Held]:
        """The entries of this episode that have these values."""
        wanted = {"referral_id": self.referral["referral_id"], **equal}
        return [one for one in self.held.of(name) if all(one.fields.get(field) == value for field, value in wanted.items())]

    def _each(self, name: str, write: Callable[[Fields], Element | None], **equal: str) -> list[Element]:
        """The elements of this episode's entries, those left out that do not fit; in the order of their first days."""
        found = []
        for one in self._of_this(name, **equal):
            try:
                element = write(one.fields)
            except Unfit as unfit:
                self.parts.leave(unfit.where, unfit.why)
                continue
            if element is not None:
                found.append(element)
        return sorted(found, key=lambda element: [part.text or "" for part in element.iter()])

    def _begun(self, module: str, fields: Fields, begun: str, ended: str | None = None) -> Element | None:
        """A module with its first day; None where it lies in no day of the year. begun, ended: `Element field`."""
        name, first = begun.split()
        day = self.parts.demanded(fields.get(first), f"{module}/{name}")
        last_name, last = ended.split() if ended else ("", "")
        if not self.parts.year.meets(day, fields.get(last)):
            return None
        found = etree.Element(module)
        self.parts.put(found, name, day)
        if last_name:
            self.parts.put(found, last_name, self.parts.day(fields, last))
        return found

    def _assessment(self, fields: Fields) -> Element | None:
        parts = self.parts
        start = parts.demanded(fields.get("assessment_actual_start_date"), "Assessments/AssessmentActualStartDate")
        if not parts.year.meets(start, fields.get("assessment_authorisation_date")):
            return None
        found = etree.Element("Assessments")
        parts.put(found, "AssessmentActualStartDate", start)
        parts.put(found, "AssessmentInternalReviewDate", parts.day(fields, "assessment_internal_review_date"))
        parts.put(found, "AssessmentAuthorisationDate", parts.day(fields, "assessment_authorisation_date"))
        factors = [*(fields.get("assessment_factors") or ()), *(fields.get("assessment_factors_of_others") or ())]
        parts.list(found, "FactorsIdentifiedAtAssessment", "AssessmentFactors", factors, "factor", "Assessments/AssessmentFactors")
        return found

    def _need_plan(self, fields: Fields) -> Element | None:
        return self._begun("CINPlanDates", fields, "CINPlanStartDate start_date", "CINPlanEndDate end_date")

    def _enquiries(self) -> list[tuple[str, Element]]:
        """(id, element) of this episode's enquiries."""
        found: list[tuple[str, Element]] = []

        def write(fields: Fields) -> Element | None:
            element = self._enquiry(fields)
            if element is not None:
                found.append((fields["section_47_id"], element))
            return element

        ordered = self._each("section-47", write)
        return sorted(found, key=lambda one: ordered.index(one[1]))

    def _enquiry(self, fields: Fields) -> Element | None:
        """An enquiry of the year, or with a conference in it. The census asks whether a conference was not required."""
        parts = self.parts
        start = parts.demanded(fields.get("s47_actual_start_date"), "Section47/S47ActualStartDate")
        held = [one for one in self._conferences() if one.get("section_47_id") == fields["section_47_id"]]
        conference = self._one_day(held, "Section47/DateOfInitialCPC")
        if not parts.year.meets(start, conference or start):
            return None
        if fields.get("conference_needed") is None:
            raise Unfit("Section47/ICPCnotRequired", NOT_HELD)
        found = etree.Element("Section47")
        parts.put(found, "S47ActualStartDate", start)
        target = next((one["initial_cpc_target"] for one in (fields, *held) if one.get("initial_cpc_target")), None)
        parts.put(found, "InitialCPCtarget", target)
        parts.put(found, "DateOfInitialCPC", conference)
        parts.put(found, "ICPCnotRequired", NO if fields["conference_needed"] else YES)
        return found

    def _other_conference(self, found: Element, enquiries: list[tuple[str, Element]]) -> None:
        """The episode's own date: of a conference of the year that none of its enquiries tells of."""
        told = {id for id, _ in enquiries}
        others = [
            one for one in self._conferences() if one.get("section_47_id") not in told and self.parts.year.has(one["date_of_initial_cpc"])
        ]
        self.parts.put(found, "DateOfInitialCPC", self._one_day(others, "CINdetails/DateOfInitialCPC"))

    def _conferences(self) -> list[Fields]:
        held = [one.fields for one in self._of_this("conference")]
        return [one for one in held if self.parts.year.meets(one.get("date_of_initial_cpc") or "9999", None)]

    def _one_day(self, conferences: list[Fields], where: str) -> str | None:
        """The first of these conferences: the census has room for one."""
        days = sorted({one["date_of_initial_cpc"] for one in conferences})
        for _ in days[1:]:
            self.parts.leave(where, "a further conference, where the census has room for one")
        return days[0] if days else None

    def _protection_plan(self, fields: Fields) -> Element | None:
        parts, module = self.parts, "ChildProtectionPlans"
        if fields.get("other_authority"):
            raise Unfit(module, "a plan of another authority")
        found = self._begun(module, fields, "CPPstartDate start_date", "CPPendDate end_date")
        if found is None:
            return None
        for name, field in (
            ("InitialCategoryOfAbuse", "initial_category_of_abuse"), ("LatestCategoryOfAbuse", "latest_category_of_abuse"),
        ):  # fmt: skip
            parts.put(found, name, parts.demanded_code(fields, field, "abuse", f"{module}/{name}"))
        before = fields.get("number_of_previous_cpp")
        parts.put(found, "NumberOfPreviousCPP", parts.demanded(None if before is None else str(before), f"{module}/NumberOfPreviousCPP"))
        self._reviews(found, fields["plan_id"])
        return found

    def _reviews(self, plan: Element, id: str) -> None:
        """The reviews that were held by the end of the year."""
        mine = (one.fields for one in self.held.of("plan-review") if one.fields.get("plan_id") == id)
        days = sorted({day for one in mine if (day := self.parts.day(one, "review_date"))})
        if days:
            group = etree.SubElement(plan, "Reviews")
            for day in days:
                self.parts.put(group, "CPPreviewDate", day)


def _flag(parts: Parts, fields: Fields, name: str, where: str) -> str:
    """A yes or no as the schema writes it. Raises Unfit."""
    found = fields.get(name)
    return parts.demanded(None if found is None else YES if found else NO, where)
