"""People may do four things in the register, by their post and with current vetting; every request leaves its record."""

from __future__ import annotations

import uuid

import pytest

from tests.serving import Authority

VETTED = "2099-01-01"
PEOPLE = [
    {"person_id": "po", "post_id": "po-post", "role": "protection-officer", "organisation_kind": "social_care", "vetting_until": VETTED},
    {"person_id": "ao", "post_id": "ao-post", "role": "adoption-officer", "organisation_kind": "social_care", "vetting_until": VETTED},
    {"person_id": "old", "post_id": "old-post", "role": "protection-officer", "organisation_kind": "social_care", "vetting_until": "2020-01-01"},
    {"person_id": "sw", "post_id": "sw-post", "role": "social-worker", "organisation_kind": "social_care", "vetting_until": VETTED},
]
SHIELD = {"protection_kind": "shielded", "start_date": "2026-11-01"}
RISK = {"protection_kind": "risk_linked", "start_date": "2026-11-01", "risk_local_id": "R1"}
ADOPTED = {"protection_kind": "adopted", "start_date": "2026-11-01"}


@pytest.fixture
async def here(authority: Authority) -> Authority:
    await authority.hire(*PEOPLE)
    return authority


async def as_(here: Authority, who: str, method: str, path: str, body: dict, **headers: str):
    post = None if who == "cli" else f"{who}-post"
    return await here.ask(method, "socialcare", path, as_=who, post=post, json=body, headers=headers)


async def person(here: Authority, local_id: str = "C1") -> str:
    return (await as_(here, "cli", "POST", "/v1/persons", {"local_id": local_id})).json()["id"]


async def test_each_post_sets_the_protections_it_is_for_and_no_other(here):
    path = f"/v1/persons/{await person(here)}/protection"
    for who, body, status in (
        ("po", SHIELD, 200), ("po", RISK, 200), ("po", ADOPTED, 403), ("ao", ADOPTED, 200), ("ao", SHIELD, 403), ("ao", RISK, 403),
        ("sw", SHIELD, 403), ("cli", ADOPTED, 200),
    ):  # fmt: skip
        answer = await as_(here, who, "PUT", path, body)
        assert answer.status_code == status, f"{who} {body['protection_kind']}: {answer.text}"


async def test_people_record_nothing_else_in_the_register(here):
    one, other = await person(here), await person(here, "C2")
    referral = {"referral_id": "R1", "referral_date": "2026-11-01"}
    for who in ("po", "ao"):
        assert (await as_(here, who, "POST", f"/v1/persons/{one}/referrals", referral)).status_code == 403
        end = await as_(here, who, "POST", f"/v1/persons/{one}/involvements/i1/end", {"end_date": "2026-11-01"})
        assert end.status_code == 403
    assert (await as_(here, "po", "POST", f"/v1/persons/{one}/adoption-pair", {"other": other})).status_code == 403
    assert (await as_(here, "ao", "POST", f"/v1/persons/{one}/adoption-pair", {"other": other})).status_code == 201
    assert (await as_(here, "cli", "POST", f"/v1/persons/{one}/referrals", referral)).status_code == 201


async def test_nobody_whose_vetting_has_lapsed_or_who_is_suspended_does_anything(here):
    id = await person(here)
    for method, path, body in (
        ("PUT", f"/v1/persons/{id}/protection", SHIELD), ("POST", "/v1/persons", {"local_id": "C9"}), ("POST", "/v1/persons/find", {"local_id": "C1"}),
    ):  # fmt: skip
        assert (await as_(here, "old", method, path, body)).status_code == 403
    assert (await as_(here, "po", "POST", "/v1/persons/find", {"local_id": "C1"})).status_code == 200
    await here.ask("POST", "policy", "/v1/people/po/suspension", json={"reason": "an invented reason"})
    assert (await as_(here, "po", "POST", "/v1/persons/find", {"local_id": "C1"})).status_code == 403


async def test_a_risk_without_the_one_who_is_the_risk_is_refused_with_the_place(here):
    answer = await as_(here, "po", "PUT", f"/v1/persons/{await person(here)}/protection", {**RISK, "risk_local_id": None})
    assert answer.status_code == 422 and answer.json()["errors"] == [{"at": "body/risk_local_id", "why": "missing"}]


async def test_who_set_and_who_lifted_a_shield_is_in_the_records_and_in_the_events(here):
    id = await person(here)
    await as_(here, "po", "PUT", f"/v1/persons/{id}/protection", SHIELD)
    await as_(here, "cli", "PUT", f"/v1/persons/{id}/protection", {**SHIELD, "end_date": "2026-11-02"})
    found = await here.accesses("socialcare", "protect")
    assert [(one["person"], one["post"], one["detail"]["stream"]) for one in found] == [("po", "po-post", id), ("service:cli", None, id)]
    events = [one for one in await here.said("socialcare", "socialcare.events") if "protection_kind" in one]
    assert [one["provenance"]["by"] for one in events] == ["po", "service:cli"]


async def test_a_find_is_recorded_whether_it_finds_or_not_and_the_number_is_in_no_record(here):
    id = await person(here, "C-CANARY")
    assert (await as_(here, "po", "POST", "/v1/persons/find", {"local_id": "C-CANARY"})).json() == {"id": id}
    assert (await as_(here, "po", "POST", "/v1/persons/find", {"local_id": "C-NONE"})).status_code == 404
    found = await here.accesses("socialcare", "find-person")
    assert [(one["status"], one["detail"].get("stream")) for one in found] == [(200, id), (404, None)]
    assert "CANARY" not in str(await here.said("socialcare", "socialcare.access"))


async def test_an_attempt_beyond_the_post_is_recorded(here):
    id = await person(here)
    await as_(here, "ao", "PUT", f"/v1/persons/{id}/protection", SHIELD)
    assert [(one["person"], one["status"]) for one in await here.accesses("socialcare", "protect")] == [("ao", 403)]


async def test_a_protection_that_changed_in_the_meantime_is_not_overwritten(here):
    path = f"/v1/persons/{await person(here)}/protection"
    first = (await as_(here, "po", "PUT", path, SHIELD)).headers["ETag"]
    second = await as_(here, "po", "PUT", path, {**SHIELD, "named_professional_ids": ["p1"]}, **{"If-Match": first})
    assert second.status_code == 200 and second.headers["ETag"] != first
    stale = await as_(here, "po", "PUT", path, {**SHIELD, "end_date": "2026-11-02"}, **{"If-Match": first})
    assert stale.status_code == 412 and stale.json()["type"] == "/problems/version-conflict"
    assert (await as_(here, "po", "PUT", path, RISK, **{"If-Match": "*"})).status_code == 412
    assert (await as_(here, "ao", "PUT", path, ADOPTED)).status_code == 200
    again = await as_(here, "po", "PUT", path, {**SHIELD, "end_date": "2026-11-02"}, **{"If-Match": second.headers["ETag"]})
    assert again.status_code == 200, "another protection of the same child changes this one's ETag for nobody"


async def test_a_person_is_made_once_for_a_key_and_the_key_is_for_nothing_else(here):
    made = await as_(here, "po", "POST", "/v1/persons", {"local_id": "C7"}, **{"Idempotency-Key": "k1"})
    again = await as_(here, "po", "POST", "/v1/persons", {"local_id": "C7"}, **{"Idempotency-Key": "k1"})
    assert made.status_code == again.status_code == 201 and made.json() == again.json()
    other = await as_(here, "po", "POST", "/v1/persons", {"local_id": "C8"}, **{"Idempotency-Key": "k1"})
    assert other.json()["type"] == "/problems/idempotency-mismatch"


async def test_a_body_that_breaks_its_contract_is_said_to_do_so(here):
    answer = await as_(here, "po", "PUT", f"/v1/persons/{await person(here)}/protection", {**SHIELD, "named_professional_ids": [""]})
    assert answer.status_code == 422 and answer.json()["type"] == "/problems/validation"


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("looked-after", {"episode_id": "E1", "decom": "2024-04-01", "rec": "e11"}),
        ("looked-after", {"episode_id": "E1", "decom": "2024-04-01", "ls": "E1 - Placement order"}),
        ("referrals", {"referral_id": "R1", "referral_date": "2024-04-01", "reason_for_closure": "RC1"}),
    ],
)
async def test_what_tells_of_adoption_is_no_part_of_an_ordinary_entry(here, kind, entry):
    one = await person(here)
    refused = await as_(here, "cli", "POST", f"/v1/persons/{one}/{kind}", entry)
    assert refused.status_code == 422 and "adoption" in refused.json()["detail"]


async def test_a_subject_that_the_register_does_not_have_is_not_found_and_the_attempt_recorded(here):
    answer = await as_(here, "po", "PUT", f"/v1/persons/{uuid.uuid4()}/protection", SHIELD)
    assert answer.status_code == 404
    assert [one["status"] for one in await here.accesses("socialcare", "protect")] == [404]


async def test_without_policy_people_are_told_to_try_again_and_systems_go_on(here):
    id = await person(here)
    await here.stop("policy")
    answer = await as_(here, "po", "PUT", f"/v1/persons/{id}/protection", SHIELD)
    assert answer.status_code == 503 and answer.json()["type"] == "/problems/no-lease"
    assert (await as_(here, "cli", "PUT", f"/v1/persons/{id}/protection", SHIELD)).status_code == 200
