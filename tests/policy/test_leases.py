"""A lease says what holds today: the post, its purposes, training and vetting that have not lapsed, cover that has begun."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.policy.leases import PURPOSES
from tests.serving import Authority

SERVICES = ("policy",)
SW = {"person_id": "sw", "post_id": "sw-post", "name": "Invented", "role": "social-worker", "organisation_kind": "social_care", "vetting_until": "2099-01-01"}


def day(ahead: int) -> str:
    return (date.today() + timedelta(days=ahead)).isoformat()


async def lease(here: Authority, purpose: str = "enquiry", *, who: str = "sw", post: str = "sw-post", as_: str = "childview", audience: str = "childview"):
    body = {"user_token": here.token(who, audience, post=post), "purpose": purpose}
    return await here.ask("POST", "policy", "/v1/leases", as_=as_, json=body)


async def put(here: Authority, **changes: str) -> None:
    row = {**SW, **changes}
    done = await here.ask("PUT", "policy", f"/v1/people/{row['person_id']}", json=row)
    assert done.status_code == 200, done.text


@pytest.mark.parametrize("role", ["social-worker", "teacher", "education-welfare-officer", "policy-author"])
async def test_a_post_gets_a_lease_for_its_own_purposes_alone(authority, role):
    await put(authority, role=role)
    every = sorted({purpose for purposes in PURPOSES.values() for purpose in purposes})
    for purpose in every:
        answer = await lease(authority, purpose)
        if purpose in PURPOSES[role]:
            assert answer.status_code == 200 and answer.json()["purpose"] == purpose
        else:
            assert answer.status_code == 403 and answer.json()["type"] == "/problems/purpose-not-permitted", f"{role} {purpose}"
            assert answer.json()["permitted"] == PURPOSES[role]


@pytest.mark.parametrize(("starts", "ends", "status"), [("", "", 200), (day(-2), day(2), 200), (day(2), "", 403), (day(-9), day(-2), 403)])
async def test_a_post_that_has_not_begun_or_is_over_gets_no_lease(authority, starts, ends, status):
    await put(authority, starts=starts, ends=ends)
    assert (await lease(authority)).status_code == status


async def test_who_is_suspended_gets_no_lease_until_that_ends(authority):
    await put(authority)
    await authority.ask("POST", "policy", "/v1/people/sw/suspension", json={"reason": "an invented reason"})
    answer = await lease(authority)
    assert answer.status_code == 403 and answer.json()["type"] == "/problems/no-lease"
    await authority.ask("DELETE", "policy", "/v1/people/sw/suspension")
    assert (await lease(authority)).status_code == 200


async def test_training_vetting_and_cover_count_while_they_last(authority):
    training = f"data_protection:{day(3)};safeguarding_1:{day(-2)}"
    covers = f"sw-2:{day(-3)}:{day(3)};sw-3:{day(3)}:{day(9)};sw-4:{day(-9)}:{day(-3)}"
    await put(authority, training=training, vetting_until=day(-2), covers=covers)
    found = (await lease(authority)).json()
    assert found["training"] == ["data_protection"] and found["vetting_current"] is False
    assert [one["professional_id"] for one in found["covers"]] == ["sw-2"]


async def test_nobody_acts_in_anothers_post_nor_asks_for_another(authority):
    await put(authority)
    await put(authority, person_id="other", post_id="other-post", role="teacher")
    assert (await lease(authority, who="other", post="sw-post")).status_code == 403
    assert (await lease(authority, as_="education")).status_code == 403, "only who decides asks for leases"
    assert (await lease(authority, audience="policy")).status_code == 401, "a token that the person holds for another service"
    assert (await lease(authority, who="sw", post="no-such-post")).status_code == 403
