"""Two worlds that differ only in what is hidden from the asker answer alike, byte for byte, on every surface.

World one is the demonstration as it stands. Then things happen that these askers may not know of: a shielded child with a
name that they search for, a mistyped school record of the same child, an adopted one, marks and referrals of a child to
whom they have no relation. World two must be the same to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest

from tests.journeys.installation import Installation

ASKERS = [
    ("teacher", "casework"), ("school-safeguarding-lead", "casework"), ("health-visitor", "casework"), ("social-worker", "casework"),
    ("social-work-manager", "review"), ("education-welfare-officer", "attendance"), ("childrens-centre-worker", "casework"),
    ("clearing-house-officer", "data_quality"), ("virtual-school-officer", "review"), ("data-protection-officer", "subject_access"),
    ("auditor", "audit"),
]  # fmt: skip
ENTITLED = ("social-work-manager", "virtual-school-officer", "data-protection-officer")
"""Who may know some of it: the manager and the virtual school of a looked-after child, the data protection officer."""
HIDDEN = {"family_name": "Unsichtbarova", "given_name": "Selma", "birth_date": "2016-02-29"}
ADOPTED = {"family_name": "Ehemalsdottir", "given_name": "Wilma", "birth_date": "2015-06-01"}
CATEGORIES = ("contact", "household", "enrolment", "attendance", "exclusions", "sen", "involvements", "referrals", "plans", "looked_after")
TODAY = date.today().isoformat()


def csv(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob"
PUPILS = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob,sex,entrydate"


def surfaces(here: Installation, who: str, purpose: str, children: list[str]) -> Iterator[tuple[str, int, bytes, str | None]]:
    """(what was asked, status, body, ETag) of everything this person can ask."""

    def ask(method: str, path: str, **kwargs) -> tuple[str, int, bytes, str | None]:
        answer: httpx.Response = here.ask(who, method, path, purpose=purpose, **kwargs)
        return f"{method} {path} {json.dumps(kwargs)}", answer.status_code, answer.content, answer.headers.get("ETag")

    for child in children:
        first = ask("GET", f"/v1/children/{child}")
        yield first
        yield ask("GET", f"/v1/children/{child}", headers={"If-None-Match": first[3] or '"none"'})
        for part in ("chronology", "involved", *(f"entries/{name}" for name in CATEGORIES)):
            yield ask("GET", f"/v1/children/{child}/{part}")
    for body in (HIDDEN, ADOPTED, {"birth_date": HIDDEN["birth_date"]}, {"family_name": "Unsichtbarowa", "given_name": "Selma"},
                 {"identifier": {"type": "local_child_id", "value": "TW-1"}}):  # fmt: skip
        yield ask("POST", "/v1/children/search", json=body)
    yield ask("GET", "/v1/caseload")
    yield ask("GET", "/v1/duplicates")


def person(here: Installation, local_id: str) -> str:
    return here.client.ask("POST", "socialcare", "/v1/persons", json={"local_id": local_id})["id"]


def protect(here: Installation, local_id: str, kind: str) -> None:
    body = {"protection_kind": kind, "start_date": TODAY, "named_professional_ids": ["nobody"]}
    here.client.ask("PUT", "socialcare", f"/v1/persons/{person(here, local_id)}/protection", json=body)


def happen(here: Installation, unrelated_local_id: str) -> None:
    """What these askers may not know of."""
    protect(here, "TW-1", "shielded")
    protect(here, "TW-2", "adopted")
    rows = [f"{id},{who['given_name']},{who['family_name']},F,{who['birth_date']}" for id, who in (("TW-1", HIDDEN), ("TW-2", ADOPTED))]
    done = here.take("socialcare", {f"{TODAY}-ssd_persons.csv": csv(PERSONS, *rows)})
    assert done[0]["accepted"] == 2, done
    here.wait()
    typed = f"TWP1,9994001,TWS1,,Unsichtbarowa,Selma,{HIDDEN['birth_date']},F,2021-09-01"
    done = here.take("education", {"pupilonroll.csv": csv(PUPILS, typed)}, collection="2026-spring")
    assert done[0]["accepted"] == 1, done
    child = person(here, unrelated_local_id)
    earlier = (date.today() - timedelta(days=3)).isoformat()
    for kind, fields in (
        ("looked-after", {"episode_id": "TW-E", "decom": earlier, "rne": "S", "cin": "N1"}),
        ("referrals", {"referral_id": "TW-R", "referral_date": earlier, "primary_need_code": "N1"}),
    ):
        here.client.ask("POST", "socialcare", f"/v1/persons/{child}/{kind}", json=fields)
    here.wait()


@pytest.fixture(scope="module")
def worlds(demonstration: Installation) -> dict[str, tuple[list, list]]:
    """asker -> (what world one answered, what world two answered)."""
    scenarios = {one["name"]: one for one in json.loads((demonstration.state / "demonstration" / "scenarios.json").read_text())}
    unrelated = demonstration.search("social-work-manager", purpose="casework", **scenarios["A child after adoption"]["search"])[0]["id"]
    related = demonstration.search("sw-001", **scenarios["The clue across files"]["search"])[0]["id"]
    local_id = demonstration.read("sw-001", unrelated, purpose="enquiry").json()["fields"]["local_child_id"]["value"]
    askers = [one for one in ASKERS if one[0] not in ENTITLED]
    children = [related, unrelated, "00000000-0000-4000-8000-000000000000"]
    before = {who: list(surfaces(demonstration, who, purpose, children)) for who, purpose in askers}
    happen(demonstration, local_id)
    after = {who: list(surfaces(demonstration, who, purpose, children)) for who, purpose in askers}
    return {who: (before[who], after[who]) for who, _ in askers}


@pytest.mark.parametrize("who", [one for one, _ in ASKERS if one not in ENTITLED])
def test_what_is_hidden_changes_no_byte_of_any_answer(worlds, who):
    before, after = worlds[who]
    for one, other in zip(before, after, strict=True):
        assert one == other, one[0]


def test_those_who_may_know_do_see_the_difference(demonstration, worlds):
    assert demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)
    assert demonstration.search("adoption-officer", purpose="casework", **ADOPTED)


def test_a_hidden_childs_own_address_is_answered_like_an_unknown_one(demonstration, worlds):
    hidden = demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)[0]["id"]
    for who, purpose in ASKERS:
        answers = [
            (answer.status_code, answer.content)
            for child in (hidden, "00000000-0000-4000-8000-000000000000")
            for answer in (demonstration.ask(who, "GET", f"/v1/children/{child}", purpose=purpose),)
        ]
        assert answers[0] == answers[1], who
