"""One child of the daily payload: who it is, its episodes and what each holds, set or withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.socialcare.importers import adoption, disabilities, factors, purging
from services.socialcare.importers.daily_part import Part
from services.socialcare.importers.refusal import Refused

CHILD = frozenset({"la_child_id", "mis_child_id", "purge", "child_details", "social_care_episodes"})
DETAILS = frozenset({
    "unique_pupil_number", "former_unique_pupil_number", "unique_pupil_number_unknown_reason", "first_name", "surname",
    "date_of_birth", "expected_date_of_birth", "sex", "ethnicity", "disabilities", "purge",
})  # fmt: skip
EPISODE = frozenset({
    "social_care_episode_id", "referral_date", "referral_source", "referral_no_further_action_flag", "closure_date",
    "closure_reason", "care_worker_details", "child_and_family_assessments", "child_in_need_plans", "section_47_assessments",
    "child_protection_plans", "purge",
})  # fmt: skip
"""The keys that are read; others are counted as ignored."""


def ignored(child: Mapping[str, Any]) -> Iterator[str]:
    """The keys of a child, its details and its episodes that are not read."""
    if not isinstance(child, Mapping):
        return
    yield from (name for name in child if name not in CHILD)
    for name, known in (("child_details", DETAILS), ("social_care_episodes", EPISODE)):
        found = child.get(name)
        for one in found if isinstance(found, list) else [found]:
            yield from (f"{name}/{part}" for part in (one if isinstance(one, Mapping) else ()) if part not in known)


@dataclass
class Reading:
    """One child being read. Every part is taken or refused by itself. number: which child of the file."""

    number: int
    report: Report
    codes: Codes
    parts: int = 0

    def child(self, data: Mapping[str, Any]) -> tuple[str, list[Statement]] | None:
        """The case system's number of the child, and what is said of it; None when nothing is."""
        whole = Part("Children", data, self.number, self.report, self.codes)
        try:
            local, purged = whole.id("la_child_id"), whole.purged
        except Refused as refused:
            self._refuse(refused)
            return None
        statements = list(purging.of_child(row=self.number)) if purged else [*self._who(whole, local), *self._episodes(whole)]
        return (local, statements) if statements else None

    def _who(self, whole: Part, local: str) -> Iterator[Statement]:
        for details in self._each(whole, "child_details"):
            yield from self._taken(lambda part: self._person(part, local), details)
            if "disabilities" in details.data or details.data.get("purge"):
                yield from self._taken(self._disabilities, details)

    def _person(self, details: Part, local: str) -> Statement:
        fields = details.texts(given_name="first_name", family_name="surname")
        fields |= details.days(birth_date="date_of_birth", expected_birth_date="expected_date_of_birth")
        fields |= details.codes_of(
            sex=("sex", "sex"), ethnicity=("ethnicity", "ethnicity"), upn_unknown=("unique_pupil_number_unknown_reason", "upn_unknown")
        )
        upn = values.upn(details.read(values.code, "unique_pupil_number"))
        former = values.upn(details.read(values.code, "former_unique_pupil_number"), type="former_upn")
        fields["identifiers"] = [values.local_id(local), *[one for one in (upn, former) if one]]
        for one in fields["identifiers"]:
            if not one["valid"]:
                self.report.flag(self.number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
        return self._statement("person", "R-IDENT", {} if details.purged else fields, gone=details.purged)

    def _disabilities(self, details: Part) -> Statement:
        found = sorted({code for one in details.members("disabilities") if (code := disabilities.code(str(one)))})
        for code in found:
            details.checked("disabilities", code, "disability")
        return self._statement("disability", "R-CASE", {"disabilities": found}, gone=details.purged or not found)

    def _episodes(self, whole: Part) -> Iterator[Statement]:
        for episode in self._each(whole, "social_care_episodes"):
            yield from self._taken(self._referral, episode)
            try:
                referral, purged = episode.id("social_care_episode_id"), episode.purged
            except Refused:
                continue
            if not purged:
                yield from self._within(episode, referral)

    def _referral(self, episode: Part) -> list[Statement]:
        id = episode.id("social_care_episode_id")
        if episode.purged:
            self.parts += 1
            return list(purging.of_episode(id, row=self.number, part=self.parts))
        fields = {"referral_id": id, **episode.days(referral_date="referral_date", closure_date="closure_date")}
        fields |= episode.yes_no(referral_nfa="referral_no_further_action_flag")
        fields |= episode.codes_of(
            referral_source=("referral_source", "referral_source"), reason_for_closure=("closure_reason", "closure")
        )
        made = self._statement("referral", "R-CASE", fields)
        if "reason_for_closure" not in fields:
            return [made]
        return [made, adoption.taken_out(fields, self.report, f"{episode.path}/closure_reason", row=self.number, part=made.part)]

    def _within(self, episode: Part, referral: str) -> Iterator[Statement]:
        readers: Mapping[str, Callable[[Part, str], Statement | list[Statement]]] = {
            "care_worker_details": self._worker,
            "child_and_family_assessments": self._assessment,
            "child_in_need_plans": self._need_plan,
            "section_47_assessments": self._section_47,
            "child_protection_plans": self._protection_plan,
        }
        for name, read in readers.items():
            for part in self._each(episode, name):
                yield from self._taken(lambda one, read=read: read(one, referral), part)

    def _worker(self, part: Part, referral: str) -> Statement:
        """The payload says no role, so that it opens nothing: who is allocated is said by the dataset's involvements."""
        worker, days = part.id("worker_id"), part.days(start_date="start_date", end_date="end_date")
        fields = {
            "involvement_id": f"{referral} {worker} {days.get('start_date') or ''}".strip(), "professional_id": worker,
            "referral_id": referral, "involvement_kind": "other", "role": "care worker", "organisation_kind": "social_care", **days,
        }  # fmt: skip
        return self._statement("involvement", "R-CASE", fields)

    def _assessment(self, part: Part, referral: str) -> Statement:
        fields: dict[str, Any] = {"assessment_id": part.id("child_and_family_assessment_id"), "referral_id": referral}
        fields |= part.days(assessment_actual_start_date="start_date", assessment_authorisation_date="authorisation_date")
        if "factors" in part.data:
            found = [code for one in part.members("factors") if (code := values.code(str(one)))]
            for code in found:
                part.checked("factors", code, "factor")
            fields |= factors.split(self.codes, found)
        return self._statement("assessment", "R-CASE", fields, gone=part.purged)

    def _need_plan(self, part: Part, referral: str) -> Statement:
        fields = {"plan_kind": "need", "plan_id": part.id("child_in_need_plan_id"), "referral_id": referral}
        return self._statement("plan", "R-CASE", fields | part.days(start_date="start_date", end_date="end_date"), gone=part.purged)

    def _protection_plan(self, part: Part, referral: str) -> Statement:
        fields = {"plan_kind": "protection", "plan_id": part.id("child_protection_plan_id"), "referral_id": referral}
        return self._statement("plan", "R-CP", fields | part.days(start_date="start_date", end_date="end_date"), gone=part.purged)

    def _section_47(self, part: Part, referral: str) -> list[Statement]:
        """The payload's word for the conference is the right way up: it is required."""
        id, gone = part.id("section_47_assessment_id"), part.purged
        fields: dict[str, Any] = {"section_47_id": id, "referral_id": referral}
        fields |= part.days(s47_actual_start_date="start_date", s47_end_date="end_date")
        fields |= part.yes_no(conference_needed="icpc_required_flag")
        enquiry = self._statement("section-47", "R-CP", fields, gone=gone)
        if "icpc_date" not in part.data and not gone:
            return [enquiry]
        held = part.days(date_of_initial_cpc="icpc_date")
        conference = {"conference_id": f"section 47 {id}", "section_47_id": id, "referral_id": referral, **held}
        return [enquiry, self._statement("conference", "R-CP", conference, gone=gone or not held.get("date_of_initial_cpc"))]

    def _statement(self, event: str, record_class: str, fields: dict[str, Any], *, gone: bool = False) -> Statement:
        self.parts += 1
        type = f"socialcare.{event}-recorded.v1"
        return Statement(type, record_class, fields, withdrawn=gone, row=self.number, part=self.parts)

    def _each(self, part: Part, name: str) -> Iterator[Part]:
        """The parts of this name; a list that is none is refused."""
        try:
            yield from part.parts(name)
        except Refused as refused:
            self._refuse(refused)

    def _taken(self, read: Callable[[Part], Statement | Iterable[Statement]], part: Part) -> Iterator[Statement]:
        """One part's statements, or none when it is refused."""
        try:
            found = read(part)
        except Refused as refused:
            self._refuse(refused)
            return
        yield from [found] if isinstance(found, Statement) else found

    def _refuse(self, refused: Refused) -> None:
        self.report.refuse(self.number, refused.path, refused.value, refused.why)
