"""What social care's case system delivers: a daily extract as Standard Safeguarding Dataset tables (here: people and who works with
them), and the last year's returns."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.authority import extract, extract_care, names, returns
from deploy.local.authority.homes import adults_of, home_of, origin_of
from deploy.local.authority.people import Authority, Case, Child, adult_id
from deploy.local.authority.tables import write as write_table

CASES_A_WORKER, WORKERS_A_TEAM = 14, 5
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Workforce:
    """Who works with children. teams: team id -> its social workers."""

    social_workers: tuple[str, ...]
    teams: dict[str, tuple[str, ...]]

    def team_of(self, worker: str) -> str:
        """The team a social worker belongs to."""
        return next(team for team, members in self.teams.items() if worker in members)


def workforce(authority: Authority) -> Workforce:
    """As many social workers as the cases need; the first four are people of the demonstration."""
    cases = sum(child.case is not None for child in authority.children)
    workers = tuple(f"sw-{number:03d}" for number in range(1, max(6, cases // CASES_A_WORKER) + 1))
    teams = {
        f"team-{start // WORKERS_A_TEAM + 1}": workers[start : start + WORKERS_A_TEAM]
        for start in range(0, len(workers), WORKERS_A_TEAM)
    }
    return Workforce(workers, teams)


def allocate(authority: Authority, workers: Workforce) -> None:
    """Give every case its people: a social worker and a team; a reviewing officer, a health visitor, a centre by need."""
    for place, child in enumerate(authority.children):
        if child.case is not None and child.case.level != "adopted" and not child.case.workers:
            found = _workers(child, child.case, place, workers, authority.today)
            authority.children[place] = replace(child, case=replace(child.case, workers=found))


def _workers(child: Child, case: Case, place: int, workers: Workforce, today: date) -> tuple[tuple[str, str, str], ...]:
    worker = workers.social_workers[4 + place % (len(workers.social_workers) - 4)]
    role = "Allocated Worker" if case.level == "care_leaver" else "Allocated Social Worker"
    found = [(role, worker, workers.team_of(worker))]
    young = child.born is not None and (today - child.born).days < 5 * 365
    if young:
        found.append(("Health Visitor", f"hv-{2 + place % 3}", ""))
        found.append(("Children's Centre Worker", f"cc-{1 + place % 2}", ""))
    if case.level == "looked_after":
        found.append(("Independent Reviewing Officer", f"iro-{1 + place % 3}", ""))
        if not young:
            found.append(("Virtual School Officer", "vs-1", ""))
    if child.absence > 0.12 and child.school:
        found.append(("Education Welfare Officer", "ewo-1", ""))
    return tuple(found)


def write(out: Path, authority: Authority, workers: Workforce) -> int:
    """socialcare/: the extract of today and, of the last year's returns, what it has not any more; returns/: those returns whole.
    How many children they hold."""
    folder, known = out / "socialcare", [child for child in authority.children if child.social_care]
    for name, rows in _tables(authority, known, workers):
        write_table(folder / f"{authority.today.isoformat()}-ssd_{name}.csv", rows)
    census = f"cin-{returns.year_ended(authority.today).year}.xml"
    returns.census(folder / census, authority, returns.closed_cases(authority, known))
    returns.census(out / "returns" / census, authority, returns.every_case(authority, known))
    returns.ssda903(folder, authority, returns.ended_care(authority, known), whole=False)
    returns.ssda903(out / "returns", authority, returns.every_care(authority, known), whole=True)
    return len(known)


def _tables(authority: Authority, known: Sequence[Child], workers: Workforce) -> Iterator[tuple[str, Rows]]:
    adults = _adults(authority, known)
    cases = [(child, child.case) for child in known if child.case]
    yield "persons", [_person(child) for child in known] + [row for row, _, _ in adults]
    yield "address", [row for child in known for row in _homes(authority, child.local_id, child.household)] + [
        row for one, _, household in adults for row in _homes(authority, one["pers_person_id"], household)
    ]
    yield "linked_identifiers", [
        {"link_person_id": c.local_id, "link_identifier_type": "Unique Pupil Number", "link_identifier_value": c.social_upn} for c in known if c.social_upn
    ]
    yield "professionals", _professionals(authority, cases)
    yield "department", [{"dept_team_id": t, "dept_team_name": f"{names.PLACE} children's {t}"} for t in workers.teams]
    yield "involvements", [row for child, case in cases for row in _involvements(child, case)]
    yield "family", _families(known, adults)
    yield "mother", [
        {"moth_person_id": row["pers_person_id"], "moth_childs_person_id": child} for row, children, _ in adults if row["pers_is_mother"] for child in children
    ]
    yield from extract.tables(authority, known)
    yield from extract_care.tables(authority, known)


def _person(child: Child) -> dict[str, Any]:
    born = child.social_born or child.born
    return {
        "pers_person_id": child.local_id, "pers_forename": child.social_given or child.given,
        "pers_surname": child.social_family or child.family, "pers_sex": child.sex if born else "U",
        "pers_ethnicity": origin_of(child.household)[0],
        "pers_dob": born.isoformat() if born else "", "pers_expected_dob": child.expected.isoformat() if child.expected else "",
        "pers_common_child_id": child.nhs if born else "", "pers_is_mother": "",
    }  # fmt: skip


def _adults(authority: Authority, known: Sequence[Child]) -> list[tuple[dict[str, Any], list[str], int]]:
    """A mother of every household, and a step-parent where there is one: (row, local ids of the children, household)."""
    homes: dict[int, list[Child]] = {}
    for child in known:
        homes.setdefault(child.household, []).append(child)
    found = []
    for household, children in homes.items():
        eldest = min((c.born for c in children if c.born), default=authority.today)
        ids = [c.local_id for c in children]
        for place, adult in enumerate(adults_of(authority, household, 1 + any(c.step_parent for c in children))):
            row = {
                "pers_person_id": adult_id(household, place), "pers_forename": adult.given, "pers_surname": adult.family,
                "pers_sex": adult.sex, "pers_ethnicity": origin_of(household)[0],
                "pers_dob": (eldest - timedelta(days=adult.older * 365)).isoformat(), "pers_is_mother": "" if place else "Y",
            }  # fmt: skip
            found.append((row, ids, household))
    return found


def _homes(authority: Authority, person: str, household: int) -> Rows:
    home = home_of(authority, household)
    return [{
        "addr_table_id": f"A{person}", "addr_person_id": person, "addr_address_type": "Home", "addr_address_postcode": home.postcode,
        "addr_address_start_date": (authority.today - timedelta(days=900)).isoformat(),
        "addr_address_json": json.dumps({"1": home.first_line, "2": names.PLACE}, ensure_ascii=False),
    }]  # fmt: skip


def _professionals(authority: Authority, cases: Sequence[tuple[Child, Case]]) -> Rows:
    ids = sorted({worker for _, case in cases for _, worker, _ in case.workers})
    return [{"prof_professional_id": id, "prof_professional_name": worker_name(authority, id)} for id in ids]


def worker_name(authority: Authority, id: str) -> str:
    """The invented name of someone who works with children."""
    luck = random.Random(f"{authority.seed} worker {id}")
    return f"{luck.choice(names.GIVEN[luck.choice('FM')])} {luck.choice(names.FAMILY)}"


def _involvements(child: Child, case: Case) -> Rows:
    return [
        {"invo_involvements_id": f"I{child.number}-{place}", "invo_person_id": child.local_id, "invo_professional_id": worker,
         "invo_professional_role_id": role, "invo_professional_team": team, "invo_referral_id": f"R{child.number}",
         "invo_involvement_start_date": case.referred.isoformat(),
         "invo_involvement_end_date": case.ended.isoformat() if case.ended else ""}
        for place, (role, worker, team) in enumerate(case.workers)
    ]  # fmt: skip


def _families(known: Sequence[Child], adults: Sequence[tuple[dict[str, Any], list[str], int]]) -> Rows:
    members = [(child.household, child.local_id) for child in known]
    members += [(household, row["pers_person_id"]) for row, _, household in adults if not row["pers_is_mother"]]
    return [{"fami_family_id": f"F{household}", "fami_person_id": id} for household, id in sorted(members)]
