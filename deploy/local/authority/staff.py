"""The people who work for the authority: their posts as the staff file has them, and who one can sign in as."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.authority import names
from deploy.local.authority.casework import Workforce, worker_name
from deploy.local.authority.people import Authority
from deploy.local.authority.scenarios import ENDED, RELATIVE, SOCIAL_WORKER, UNTRAINED

COLUMNS = (
    "person_id post_id name role organisation_kind organisations team_ids professional_ids supervises covers on_duty"
    " assigned_schools training vetting_until address starts ends"
).split()
COURSES = ("data_protection", "safeguarding_1", "safeguarding_2", "safeguarding_3")


@dataclass(frozen=True)
class Member:
    """One person in one post. tries: what to try, for people of the demonstration."""

    person: str
    role: str
    title: str
    kind: str
    purpose: str = ""
    tries: str = ""
    organisations: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    professionals: tuple[str, ...] = ()
    supervises: tuple[str, ...] = ()
    schools: tuple[str, ...] = ()
    courses: tuple[str, ...] = COURSES
    trained_until: date | None = None
    extra: dict[str, str] = field(default_factory=dict)


def members(authority: Authority, workers: Workforce) -> list[Member]:
    """Everybody, people of the demonstration first and one of every role among them."""
    school = authority.schools[0]
    first = workers.social_workers[:4]
    people = [
        _social_worker(SOCIAL_WORKER, workers, "Find Jamila Scherbenfeld and read her chronology."),
        Member("manager-1", "social-work-manager", "Social work manager", "social_care", "casework", "Open the caseload of the workers you supervise.",
               teams=("team-1",), professionals=("manager-1",), supervises=first),
        Member("ewo-1", "education-welfare-officer", "Education welfare officer", "education", "attendance", "Find Jamila Scherbenfeld: her attendance in full, and that there is a plan or not.",
               professionals=("ewo-1",), schools=tuple(authority.schools[:4])),
        Member("lead-1", "school-safeguarding-lead", "Designated safeguarding lead", "school", "casework", "Find Jamila Scherbenfeld, a pupil of your school: more than her teacher sees.",
               organisations=(school,), courses=(*COURSES, "designated_teacher")),
        Member("teacher", "teacher", "Class teacher", "school", "casework", "Find Jamila Scherbenfeld: the same child, in part.", organisations=(school,)),
        Member("cc-1", "childrens-centre-worker", "Children's centre worker", "childrens_centre", "casework", "Open your caseload.",
               organisations=("centre-1",), professionals=("cc-1",)),
        Member("clearing-house-officer", "clearing-house-officer", "Clearing-house officer", "authority", "data_quality", "GET /v1/duplicates shows held pairs side by side, POST .../decision decides one (a page comes later)."),
        Member("protection-officer", "protection-officer", "Protection officer", "social_care", "enquiry", "Find Noor Verborgenwald, whom nobody else finds."),
        Member("policy-author", "policy-author", "Policy author", "authority", "", "Authoring comes with the policy pages; reading a child is refused."),
        Member("policy-approver", "policy-approver", "Policy approver", "authority", "", "Approval comes with the policy pages; reading a child is refused."),
        Member("auditor", "auditor", "Auditor", "authority", "audit", "Search a child: an auditor sees accesses, not children."),
        Member("data-protection-officer", "data-protection-officer", "Data protection officer", "authority", "subject_access", "Find a child for a subject access request."),
        Member("service-manager", "service-manager", "Service manager", "authority", "", "Outcomes come later; reading a child is refused."),
        Member("vs-1", "virtual-school-officer", "Virtual school officer", "education", "review", "Open your caseload: looked-after children.", professionals=("vs-1",),
               courses=(*COURSES, "designated_teacher")),
        Member("hv-1", "health-visitor", "Health visitor", "health", "enquiry", "Find Jamila Scherbenfeld: you have no relation to her.", professionals=("hv-1",)),
        Member("adoption-officer", "adoption-officer", "Adoption officer", "social_care", "casework", "Find Mira Vormalsberg, from before an adoption."),
        _social_worker(ENDED, workers, "Your work with Theo Abschlussmann ended yesterday."),
        _social_worker(RELATIVE, workers, "Nia Verwandtlova is a relative of yours: you do not find her."),
        _social_worker(UNTRAINED, workers, "Your training has expired.", trained_until=authority.today - timedelta(days=7)),
    ]  # fmt: skip
    return [*people, *_others(workers)]


def _social_worker(worker: str, workers: Workforce, tries: str, *, trained_until: date | None = None) -> Member:
    return Member(worker, "social-worker", "Social worker", "social_care", "casework", tries, teams=_own_team(worker, workers),
                  professionals=(worker,), trained_until=trained_until)  # fmt: skip


def _own_team(worker: str, workers: Workforce) -> tuple[str, ...]:
    """People of the demonstration act by their own cases alone, so that what they see has one reason."""
    return () if worker in workers.social_workers[:4] else (workers.team_of(worker),)


def _others(workers: Workforce) -> list[Member]:
    found = [Member(worker, "social-worker", "Social worker", "social_care", teams=(workers.team_of(worker),), professionals=(worker,))
             for worker in workers.social_workers[4:]]  # fmt: skip
    found += [Member(f"manager-{team}", "social-work-manager", "Social work manager", "social_care", teams=(team,), supervises=people)
              for team, people in workers.teams.items()]  # fmt: skip
    found += [Member(f"hv-{number}", "health-visitor", "Health visitor", "health", professionals=(f"hv-{number}",)) for number in range(2, 5)]
    return found


def write(folder: Path, authority: Authority, workers: Workforce) -> list[Member]:
    """staff.csv and personas.json; the members."""
    found = members(authority, workers)
    with (folder / "staff.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(_row(authority, member) for member in found)
    personas = [_persona(authority, member) for member in found if member.tries]
    (folder / "personas.json").write_text(json.dumps(personas, ensure_ascii=False, indent=1), encoding="utf-8")
    return found


def _row(authority: Authority, member: Member) -> dict[str, Any]:
    later = authority.today + timedelta(days=400)
    until = (member.trained_until or later).isoformat()
    return {
        "person_id": member.person, "post_id": f"post-{member.person}", "name": worker_name(authority, member.person),
        "role": member.role, "organisation_kind": member.kind, "organisations": _list(member.organisations),
        "team_ids": _list(member.teams), "professional_ids": _list(member.professionals), "supervises": _list(member.supervises),
        "assigned_schools": _list(member.schools), "training": _list([f"{course}:{until}" for course in member.courses]),
        "vetting_until": later.isoformat(), "starts": (authority.today - timedelta(days=800)).isoformat(),
    }  # fmt: skip


def _persona(authority: Authority, member: Member) -> dict[str, str]:
    return {
        "role": member.role, "person": member.person, "post": f"post-{member.person}", "name": worker_name(authority, member.person),
        "title": f"{member.title}, {names.PLACE}", "purpose": member.purpose, "try": member.tries,
    }  # fmt: skip


def _list(items: Sequence[str]) -> str:
    return ";".join(items)
