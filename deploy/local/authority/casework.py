"""What social care's case system delivers: a daily extract as Standard Safeguarding Dataset tables, and the CIN census."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deploy.local.authority import names
from deploy.local.authority.people import AUTHORITY, Authority, Case, Child, adult_id

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
        if child.case is not None and not child.case.workers:
            found = _workers(child, child.case, place, workers, authority.today)
            authority.children[place] = replace(child, case=replace(child.case, workers=found))


def _workers(child: Child, case: Case, place: int, workers: Workforce, today: date) -> tuple[tuple[str, str, str], ...]:
    worker = workers.social_workers[4 + place % (len(workers.social_workers) - 4)]
    found = [("Allocated Social Worker", worker, workers.team_of(worker))]
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


def write(folder: Path, authority: Authority, workers: Workforce) -> int:
    """The extract of today and the census of the last March; how many children they hold."""
    folder.mkdir(parents=True)
    known = [child for child in authority.children if child.social_care]
    stem = f"{authority.today.isoformat()}-ssd"
    for name, columns, rows in _tables(authority, known, workers):
        with (folder / f"{stem}_{name}.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, columns.split())
            writer.writeheader()
            writer.writerows(rows)
    _census(folder, authority, known)
    return len(known)


def _tables(authority: Authority, known: Sequence[Child], workers: Workforce) -> Iterable[tuple[str, str, Rows]]:
    today = authority.today
    adults = _adults(authority, known)
    persons = [_person(child) for child in known] + [row for row, _, _ in adults]
    cases = [(child, child.case) for child in known if child.case]
    yield "persons", "pers_person_id pers_forename pers_surname pers_sex pers_ethnicity pers_dob pers_expected_dob pers_common_child_id pers_is_mother", persons
    yield "address", (
        "addr_table_id addr_person_id addr_address_type addr_address_start_date addr_address_end_date addr_address_postcode addr_address_json"
    ), [row for child in known for row in _homes(authority, child.local_id, child.household)] + [
        row for one, _, household in adults for row in _homes(authority, one["pers_person_id"], household)
    ]
    yield "linked_identifiers", "link_person_id link_identifier_type link_identifier_value", [
        {"link_person_id": c.local_id, "link_identifier_type": "Unique Pupil Number", "link_identifier_value": c.social_upn} for c in known if c.social_upn
    ]
    yield "professionals", "prof_professional_id prof_professional_name", _professionals(authority, cases)
    yield "department", "dept_team_id dept_team_name", [{"dept_team_id": t, "dept_team_name": f"{names.PLACE} children's {t}"} for t in workers.teams]
    yield "involvements", (
        "invo_involvements_id invo_person_id invo_professional_id invo_professional_role_id invo_professional_team"
        " invo_involvement_start_date invo_involvement_end_date invo_referral_id"
    ), [row for child, case in cases for row in _involvements(child, case)]
    yield "family", "fami_family_id fami_person_id", _families(known, adults)
    yield "mother", "moth_person_id moth_childs_person_id", [
        {"moth_person_id": row["pers_person_id"], "moth_childs_person_id": child} for row, children, _ in adults if row["pers_is_mother"] for child in children
    ]
    yield "cin_episodes", "cine_referral_id cine_person_id cine_referral_date cine_referral_source_code cine_cin_primary_need_code cine_referral_nfa cine_close_date cine_close_reason", [
        _referral(child, case) for child, case in cases
    ]
    yield "cin_plans", "cinp_cin_plan_id cinp_person_id cinp_cin_plan_start_date cinp_cin_plan_end_date", [
        {"cinp_cin_plan_id": f"N{child.number}", "cinp_person_id": child.local_id, "cinp_cin_plan_start_date": _after(case, 30, today)}
        for child, case in cases if case.level == "need" and child.number % 3 == 0
    ]
    yield "cp_plans", "cppl_cp_plan_id cppl_person_id cppl_cp_plan_start_date cppl_cp_plan_end_date cppl_cp_plan_initial_category cppl_cp_plan_latest_category", [
        {"cppl_cp_plan_id": f"C{child.number}", "cppl_person_id": child.local_id, "cppl_cp_plan_start_date": _after(case, 40, today),
         "cppl_cp_plan_initial_category": "Neglect", "cppl_cp_plan_latest_category": "Emotional abuse"}
        for child, case in cases if case.level == "protection"
    ]
    yield "cla_episodes", (
        "clae_cla_episode_id clae_person_id clae_cla_episode_start_date clae_cla_episode_ceased_date clae_cla_episode_start_reason"
        " clae_cla_primary_need_code clae_cla_episode_ceased_reason"
    ), [
        {"clae_cla_episode_id": f"E{child.number}", "clae_person_id": child.local_id, "clae_cla_episode_start_date": _after(case, 10, today),
         "clae_cla_episode_start_reason": "S", "clae_cla_primary_need_code": case.need}
        for child, case in cases if case.level == "looked_after"
    ]  # fmt: skip


def _after(case: Case, days: int, today: date) -> str:
    return min(case.referred + timedelta(days=days), today - timedelta(days=2)).isoformat()


def _person(child: Child) -> dict[str, Any]:
    born = child.social_born or child.born
    return {
        "pers_person_id": child.local_id, "pers_forename": child.social_given or child.given,
        "pers_surname": child.social_family or child.family, "pers_sex": child.sex if born else "U",
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
        luck = random.Random(f"{authority.seed} home {household}")
        eldest = min((c.born for c in children if c.born), default=authority.today)
        ids = [c.local_id for c in children]
        for place in range(1 + any(c.step_parent for c in children)):
            sex = "FM"[place]
            born = eldest - timedelta(days=luck.randrange(25, 38) * 365)
            row = {"pers_person_id": adult_id(household, place), "pers_forename": luck.choice(names.GIVEN[sex]), "pers_sex": sex,
                   "pers_surname": luck.choice(names.FAMILY) if place else children[0].family, "pers_dob": born.isoformat(),
                   "pers_is_mother": "" if place else "Y"}  # fmt: skip
            found.append((row, ids, household))
    return found


def home_of(authority: Authority, household: int) -> tuple[str, str]:
    """First line and postcode of a household's home."""
    luck = random.Random(f"{authority.seed} address {household}")
    return f"{luck.randrange(1, 190)} {luck.choice(names.STREETS)} {luck.choice(('Road', 'Street', 'Close', 'Way'))}", f"WX{household % 90 + 1} {luck.randrange(1, 10)}AA"


def _homes(authority: Authority, person: str, household: int) -> Rows:
    line, postcode = home_of(authority, household)
    return [{
        "addr_table_id": f"A{person}", "addr_person_id": person, "addr_address_type": "Home", "addr_address_postcode": postcode,
        "addr_address_start_date": (authority.today - timedelta(days=900)).isoformat(),
        "addr_address_json": json.dumps({"1": line, "2": names.PLACE}, ensure_ascii=False),
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


def _referral(child: Child, case: Case) -> dict[str, Any]:
    return {
        "cine_referral_id": f"R{child.number}", "cine_person_id": child.local_id, "cine_referral_date": case.referred.isoformat(),
        "cine_referral_source_code": ("1A", "2A", "3A", "5A", "6")[child.number % 5], "cine_cin_primary_need_code": case.need,
        "cine_close_date": case.closed.isoformat() if case.closed else "", "cine_close_reason": "RC7" if case.closed else "",
    }  # fmt: skip


def _census(folder: Path, authority: Authority, known: Sequence[Child]) -> None:
    """The children in need census of the year that ended last March: it holds no names."""
    end = date(authority.today.year - (authority.today.month < 4), 3, 31)
    children = [child for child in known if child.case and child.case.referred <= end and child.born and child.born <= end]
    body = "".join(_census_child(child) for child in children)
    (folder / f"cin-{end.year}.xml").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>{end.year}</Year>'
        f"<ReferenceDate>{end.isoformat()}</ReferenceDate></CollectionDetails><Source><SourceLevel>L</SourceLevel><LEA>{AUTHORITY}</LEA>"
        f"</Source></Header><Children>{body}</Children></Message>\n",
        encoding="utf-8",
    )


def _census_child(child: Child) -> str:
    case = child.case
    assert case is not None
    born = child.social_born or child.born
    upn = f"<UPN>{escape(child.social_upn)}</UPN>" if child.social_upn else "<UPNunknown>UN2</UPNunknown>"
    return (
        f"<Child><ChildIdentifiers><LAchildID>{child.local_id}</LAchildID>{upn}<PersonBirthDate>{born}</PersonBirthDate>"
        f"<Sex>{child.sex}</Sex></ChildIdentifiers><ChildCharacteristics><Ethnicity>WBRI</Ethnicity></ChildCharacteristics>"
        f"<CINdetails><CINreferralDate>{case.referred}</CINreferralDate><ReferralSource>{('1A', '2A', '3A', '5A', '6')[child.number % 5]}</ReferralSource>"
        f"<PrimaryNeedCode>{case.need}</PrimaryNeedCode><ReferralNFA>0</ReferralNFA></CINdetails></Child>"
    )
