"""One episode of the children in need census: the referral, and its assessments, plans, enquiries and conferences.

The census has no ids: each entry is named by the dates that tell it from others. An open episode is not a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element as Element

from services.plumbing.files import values
from services.plumbing.register.entries import Statement
from services.socialcare.importers import adoption, factors
from services.socialcare.importers.cin_element import Taker

READ = frozenset("""
    CINreferralDate ReferralSource PrimaryNeedCode ReferralNFA CINclosureDate ReasonForClosure DateOfInitialCPC
    Assessments Assessments/AssessmentActualStartDate Assessments/AssessmentInternalReviewDate
    Assessments/AssessmentAuthorisationDate Assessments/FactorsIdentifiedAtAssessment
    Assessments/FactorsIdentifiedAtAssessment/AssessmentFactors
    CINPlanDates CINPlanDates/CINPlanStartDate CINPlanDates/CINPlanEndDate
    Section47 Section47/S47ActualStartDate Section47/InitialCPCtarget Section47/DateOfInitialCPC Section47/ICPCnotRequired
    ChildProtectionPlans ChildProtectionPlans/CPPstartDate ChildProtectionPlans/CPPendDate
    ChildProtectionPlans/InitialCategoryOfAbuse ChildProtectionPlans/LatestCategoryOfAbuse
    ChildProtectionPlans/NumberOfPreviousCPP ChildProtectionPlans/Reviews ChildProtectionPlans/Reviews/CPPreviewDate
""".split())
"""The elements of an episode that are read."""
CONFERENCE = "DateOfInitialCPC"
"""Stands in the episode and in each section 47 enquiry."""


@dataclass
class Episode:
    """One `CINdetails` being read. name: what tells this referral from the child's others, its date and its source."""

    take: Taker
    details: Element
    name: str = ""

    def statements(self) -> Iterator[Statement]:
        """What the census says in this episode; what is refused is left out and said."""
        yield from self.take.part(self._referral, self.details)
        for read, path in ((self._assessment, "Assessments"), (self._need_plan, "CINPlanDates"), (self._section_47, "Section47")):
            for element in self.details.iterfind(path):
                yield from self.take.part(read, element)
        for element in self._with_conference():
            yield from self.take.part(self._conference, element)
        for element in self.details.iterfind("ChildProtectionPlans"):
            yield from self.take.part(self._protection_plan, element)
            for review in element.iterfind("Reviews/CPPreviewDate"):
                yield from self._review(review, element)

    def _statement(self, type: str, record_class: str, fields: dict[str, Any]) -> Statement:
        return Statement(f"socialcare.{type}-recorded.v1", record_class, fields, row=self.take.number, part=self.take.next_part())

    def _referral(self, details: Element) -> list[Statement]:
        source = self.take.code(details, "ReferralSource", "referral_source")
        self.name = f"CIN {source or ''}".strip()
        start = self.take.begun(details, "CINreferralDate", "a referral")
        self.name = f"CIN {start} {source or ''}".strip()
        fields = {
            "referral_id": self.name,
            "referral_date": start,
            "referral_source": source,
            "primary_need_code": self.take.code(details, "PrimaryNeedCode", "need"),
            "referral_nfa": self.take.read(values.boolean, details, "ReferralNFA"),
            "closure_date": self.take.day(details, "CINclosureDate"),
            "reason_for_closure": self.take.code(details, "ReasonForClosure", "closure"),
        }
        referral = self._statement("referral", "R-CASE", fields)
        place = (self.take.report, "CINdetails/ReasonForClosure")
        return [referral, adoption.taken_out(fields, *place, row=self.take.number, part=referral.part)]

    def _assessment(self, element: Element) -> Statement:
        start = self.take.begun(element, "AssessmentActualStartDate", "an assessment")
        found = self.take.codes_of(element, "FactorsIdentifiedAtAssessment/AssessmentFactors", "factor")
        fields = {
            "assessment_id": f"{self.name} {start}",
            "referral_id": self.name,
            "assessment_actual_start_date": start,
            "assessment_internal_review_date": self.take.day(element, "AssessmentInternalReviewDate"),
            "assessment_authorisation_date": self.take.day(element, "AssessmentAuthorisationDate"),
            **factors.split(self.take.codes, found),
        }
        return self._statement("assessment", "R-CASE", fields)

    def _need_plan(self, plan: Element) -> Statement:
        start = self.take.begun(plan, "CINPlanStartDate", "a plan")
        fields = {
            "plan_kind": "need", "plan_id": f"CIN {start}", "referral_id": self.name, "start_date": start,
            "end_date": self.take.day(plan, "CINPlanEndDate"),
        }  # fmt: skip
        return self._statement("plan", "R-CASE", fields)

    def _section_47(self, element: Element) -> Statement:
        start = self.take.begun(element, "S47ActualStartDate", "an enquiry")
        not_required = self.take.read(values.boolean, element, "ICPCnotRequired")
        fields = {
            "section_47_id": self._enquiry(start),
            "referral_id": self.name,
            "s47_actual_start_date": start,
            "initial_cpc_target": self.take.day(element, "InitialCPCtarget"),
            "conference_needed": None if not_required is None else not not_required,
        }
        return self._statement("section-47", "R-CP", fields)

    def _enquiry(self, start: str) -> str:
        return f"{self.name} {start}"

    def _with_conference(self) -> list[Element]:
        """The elements that give a conference's date. Section 47's stand; the episode's own counts where they give none."""
        found = [one for one in self.details.iterfind("Section47") if values.code(one.findtext(CONFERENCE))]
        own = values.code(self.details.findtext(CONFERENCE))
        if not found:
            return [self.details] if own else []
        if own and own not in {values.code(one.findtext(CONFERENCE)) for one in found}:
            self.take.report.flag(self.take.number, f"CINdetails/{CONFERENCE}", own, "section 47 says otherwise; that one stands")
        return found

    def _conference(self, element: Element) -> Statement:
        day = self.take.begun(element, CONFERENCE, "a conference")
        fields = {"conference_id": f"{self.name} {day}", "referral_id": self.name, "date_of_initial_cpc": day}
        if element.tag == "Section47":
            fields["initial_cpc_target"] = self.take.day(element, "InitialCPCtarget")
            fields["section_47_id"] = self._enquiry(self.take.begun(element, "S47ActualStartDate", "an enquiry"))
        return self._statement("conference", "R-CP", fields)

    def _protection_plan(self, plan: Element) -> Statement:
        start = self.take.begun(plan, "CPPstartDate", "a plan")
        fields = {
            "plan_kind": "protection",
            "plan_id": f"CIN {start}",
            "referral_id": self.name,
            "start_date": start,
            "end_date": self.take.day(plan, "CPPendDate"),
            "initial_category_of_abuse": self.take.code(plan, "InitialCategoryOfAbuse", "abuse"),
            "latest_category_of_abuse": self.take.code(plan, "LatestCategoryOfAbuse", "abuse"),
            "number_of_previous_cpp": self.take.read(values.integer, plan, "NumberOfPreviousCPP"),
        }
        return self._statement("plan", "R-CP", fields)

    def _review(self, review: Element, plan: Element) -> Iterator[Statement]:
        """A review held; a date that cannot be read is left out and said."""
        day = self.take.other_day(review, ".")
        if day is not None:
            start = self.take.other_day(plan, "CPPstartDate")
            fields = {"review_id": f"CIN {day}", "plan_id": f"CIN {start}" if start else None, "review_date": day, "effective": day}
            yield self._statement("plan-review", "R-CP", fields)
