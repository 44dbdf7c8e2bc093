"""Two worlds that differ only in what is hidden from the asker answer alike, byte for byte, on every surface.

World one is the demonstration as it stands. Then things happen that these askers may not know of: a shielded child with a
name that they search for, a mistyped school record of the same child, an adopted one, a shielded sister in the household of a
child they work with, a shielded child's record that nobody can read, care and referrals of a child to whom they have no relation. World two must be the same
to them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest

from deploy.local.demonstration import send_unreadable
from tests.journeys.installation import Installation

ASKERS = [
    ("teacher", "casework"), ("school-safeguarding-lead", "casework"), ("health-visitor", "casework"), ("social-worker", "casework"),
    ("social-work-manager", "review"), ("education-welfare-officer", "attendance"), ("childrens-centre-worker", "casework"),
    ("clearing-house-officer", "data_quality"), ("virtual-school-officer", "review"), ("data-protection-officer", "subject_access"),
    ("auditor", "audit"), ("policy-author", "casework"), ("policy-approver", "casework"), ("service-manager", "casework"),
]  # fmt: skip
ENTITLED = ("social-work-manager", "virtual-school-officer", "data-protection-officer", "auditor")
"""Who may know some of it: the manager and the virtual school of a looked-after child, the data protection officer; an auditor
is told what is held."""
OF_ITS_SCHOOL = ("school-safeguarding-lead", "education-welfare-officer")
"""Who works with the school of the child that is taken into care: told so in part (S17, S23), they are not asked about it."""
UNKNOWN = "00000000-0000-4000-8000-000000000000"
HIDDEN = {"family_name": "Unsichtbarova", "given_name": "Selma", "birth_date": "2016-02-29"}
ADOPTED = {"family_name": "Ehemalsdottir", "given_name": "Wilma", "birth_date": "2015-06-01"}
UNREADABLE = {"family_name": "Geheimovic", "given_name": "Dunja", "birth_date": "2012-09-17"}
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
    for body in (HIDDEN, ADOPTED, UNREADABLE, {"birth_date": HIDDEN["birth_date"]}, {"family_name": "Unsichtbarowa", "given_name": "Selma"},
                 {"identifier": {"type": "local_child_id", "value": "TW-1"}}):  # fmt: skip
        yield ask("POST", "/v1/children/search", json=body)
    yield ask("GET", "/v1/caseload")
    yield ask("GET", "/v1/duplicates")
    yield ask("GET", "/v1/conflicts")
    yield ask("GET", "/v1/unmerges/1/seen")
    yield ask("GET", "/v1/me")


def pages(here: Installation, who: str, purpose: str, children: list[str]) -> Iterator[tuple[str, int, str]]:
    """The same in a browser: what differs between any two visits (csrf, Access-Id, the time) left out."""
    with here.browse(who) as http:
        form = http.get("/find")
        csrf = re.search(r'name="csrf" value="([^"]+)"', form.text)
        if csrf is None:
            yield "/find", form.status_code, form.text
            return
        for body in (HIDDEN, ADOPTED):
            answer = http.post("/find", data={**body, "purpose": purpose, "csrf": csrf.group(1)})
            yield "find", answer.status_code, _steady(answer.text)
        for child in children:
            http.post(f"/children/{child}/purpose", data={"purpose": purpose, "csrf": csrf.group(1)})
            answer = http.get(f"/children/{child}")
            yield f"child {child}", answer.status_code, _steady(answer.text)
            for name in CATEGORIES:
                answer = http.get(f"/children/{child}/entries/{name}")
                yield f"child {child}, {name}", answer.status_code, _steady(answer.text)
        yield "caseload", *(lambda answer: (answer.status_code, _steady(answer.text)))(http.get("/caseload"))


def _steady(page: str) -> str:
    page = re.sub(r'name="csrf" value="[^"]+"', "", page)
    return re.sub(r"(As of [0-9A-Za-z:, ]+ UTC|Access-Id [0-9a-f-]{36})", "", page)


def person(here: Installation, local_id: str) -> str:
    return here.client.ask("POST", "socialcare", "/v1/persons", json={"local_id": local_id})["id"]


def protect(here: Installation, local_id: str, kind: str) -> None:
    body = {"protection_kind": kind, "start_date": TODAY, "named_professional_ids": ["nobody"]}
    here.client.ask("PUT", "socialcare", f"/v1/persons/{person(here, local_id)}/protection", json=body)


def happen(here: Installation, unrelated_local_id: str, related_local_id: str) -> None:
    """What these askers may not know of."""
    protect(here, "TW-1", "shielded")
    protect(here, "TW-2", "adopted")
    protect(here, "TW-3", "shielded")
    told = (("TW-1", HIDDEN), ("TW-2", ADOPTED), ("TW-3", UNREADABLE))
    rows = [f"{id},{who['given_name']},{who['family_name']},F,{who['birth_date']}" for id, who in told]
    done = here.take("socialcare", {f"{TODAY}-ssd_persons.csv": csv(PERSONS, *rows)})
    assert done[0]["accepted"] == 3, done
    here.wait()
    typed = f"TWP1,9994001,TWS1,,Unsichtbarowa,Selma,{HIDDEN['birth_date']},F,2021-09-01"
    done = here.take("education", {"pupilonroll.csv": csv(PUPILS, typed)}, collection="2026-spring")
    assert done[0]["accepted"] == 1, done
    child = person(here, unrelated_local_id)
    earlier = (date.today() - timedelta(days=3)).isoformat()
    sister = {"other_local_id": "TW-1", "relationship": "sister", "given_name": "Selma", "family_name": "Unsichtbarova", "lives_with_child": "yes"}
    here.client.ask("POST", "socialcare", f"/v1/persons/{person(here, related_local_id)}/relations", json=sister)
    asyncio.run(send_unreadable("socialcare.events", person(here, "TW-3")))
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
    local_id, related_id = (
        demonstration.read("sw-001", one, purpose="enquiry").json()["fields"]["local_child_id"]["value"] for one in (unrelated, related)
    )
    askers = [one for one in ASKERS if one[0] not in ENTITLED]
    def children(who: str) -> list[str]:
        return [related, UNKNOWN] if who in OF_ITS_SCHOOL else [related, unrelated, UNKNOWN]

    def answers() -> dict[str, list]:
        return {
            who: [*surfaces(demonstration, who, purpose, children(who)), *pages(demonstration, who, purpose, children(who))]
            for who, purpose in askers
        }

    before = answers()
    happen(demonstration, local_id, related_id)
    after = answers()
    return {who: (before[who], after[who]) for who, _ in askers}


@pytest.mark.parametrize("who", [one for one, _ in ASKERS if one not in ENTITLED])
def test_what_is_hidden_changes_no_byte_of_any_answer(worlds, who):
    before, after = worlds[who]
    differing = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert not differing, differing[0]


def test_those_who_may_know_do_see_the_difference(demonstration, worlds):
    assert demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)
    assert demonstration.search("adoption-officer", purpose="casework", **ADOPTED)


PARTS = ("", "/chronology", "/involved", "/entries/plans", "/entries/nothing")


def test_a_hidden_childs_own_address_is_answered_like_an_unknown_one(demonstration, worlds):
    hidden = demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)[0]["id"]
    for who, purpose in ASKERS:
        for part in PARTS:
            one, other = (demonstration.read(who, child, part, purpose=purpose) for child in (hidden, UNKNOWN))
            assert (one.status_code, one.content) == (other.status_code, other.content), (who, part)


def test_a_browser_meets_the_same_page_at_a_hidden_childs_address_and_at_an_unknown_one(demonstration, worlds):
    hidden = demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)[0]["id"]
    for who, purpose in ASKERS:
        for part in PARTS:
            one, other = (
                demonstration.ask(who, "GET", f"/v1/children/{child}{part}", purpose=purpose, headers={"Accept": "text/html"}) for child in (hidden, UNKNOWN)
            )
            assert one.headers["Content-Type"].startswith("text/html"), (who, part)
            assert (one.status_code, one.content) == (other.status_code, other.content), (who, part)


def test_what_is_done_to_a_hidden_child_or_pair_is_answered_as_of_an_unknown_one(demonstration, worlds):
    hidden = demonstration.search("protection-officer", purpose="enquiry", **HIDDEN)[0]["id"]
    queue = demonstration.ask("protection-officer", "GET", "/v1/duplicates", purpose="data_quality").json()["items"]
    pair = next(one["id"] for one in queue if hidden in {child["id"] for child in one["children"]})
    glass = {"reason": "the child is in danger now", "minutes": 5}
    undo, outcome = {"decision": 1, "reason": "a mistake"}, {"outcome": "same", "reason": "looks the same"}
    dry = {**outcome, "dry_run": True}
    for who, purpose in ASKERS:
        for path, body, known, unknown in (
            ("/v1/children/{}/break-glass", glass, hidden, UNKNOWN), ("/v1/children/{}/unmerge", undo, hidden, UNKNOWN),
            ("/v1/duplicates/{}/claim", None, pair, UNKNOWN), ("/v1/duplicates/{}/decision", outcome, pair, UNKNOWN),
            ("/v1/duplicates/{}/decision", dry, pair, UNKNOWN),
        ):  # fmt: skip
            one, other = (demonstration.ask(who, "POST", path.format(id), purpose=purpose, json=body) for id in (known, unknown))
            assert (one.status_code, one.content) == (other.status_code, other.content), (who, path)
