"""What administrators do at policy is recorded, done once, and never overwrites what changed in the meantime."""

from __future__ import annotations

import uuid

import pytest

from services.policy import people, store
from tests.serving import Authority

SERVICES = ("policy",)
VETTED = "2099-01-01"
SW = {"person_id": "sw", "post_id": "sw-post", "name": "Invented", "role": "social-worker", "organisation_kind": "social_care", "vetting_until": VETTED}
OLD = {**SW, "person_id": "old", "post_id": "old-post", "vetting_until": "2020-01-01"}
CHILD = str(uuid.UUID(int=4 << 76 | 8 << 60 | 1))


@pytest.fixture
async def here(authority: Authority) -> Authority:
    await authority.hire(SW, OLD)
    return authority


async def glass(here: Authority, who: str, key: str = "g1"):
    body = {"user_token": here.token(who, "childview", post=f"{who}-post"), "child": CHILD, "reason": "an invented emergency"}
    return await here.ask("POST", "policy", "/v1/break-glass", as_="childview", json=body, headers={"Idempotency-Key": key})


async def lease(here: Authority, who: str, post: str):
    body = {"user_token": here.token(who, "childview", post=post), "purpose": "enquiry"}
    return await here.ask("POST", "policy", "/v1/leases", as_="childview", json=body)


def said(events: list[dict], **wanted) -> list[dict]:
    return [one for one in events if wanted.items() <= one.items()]


async def test_every_change_of_an_administrator_is_recorded_with_whose_it_was(here):
    await here.ask("PUT", "policy", "/v1/people/sw", json={**SW, "on_duty": "yes"})
    await here.ask("POST", "policy", "/v1/people/sw/suspension", json={"reason": "an invented reason"})
    await here.ask("DELETE", "policy", "/v1/people/sw/suspension")
    await here.ask("POST", "policy", "/v1/people/sw/conflicts", json={"child": CHILD, "kind": "relative"})
    await here.ask("POST", "policy", "/v1/bundles", json={"policies": [{"uid": "broken"}]})
    records = await here.said("policy", "policy.access")
    assert [(one["action"], one["status"]) for one in records] == [
        ("import-people", 200), ("put-post", 200), ("suspend", 200), ("end-suspension", 200), ("declare-conflict", 201), ("publish-bundle", 422),
    ]  # fmt: skip
    assert {one["person"] for one in records} == {"service:cli"}
    assert "Invented" not in str(records)


async def test_a_glass_is_broken_once_for_a_key_by_the_person_whose_emergency_it_is(here):
    first, again = await glass(here, "sw"), await glass(here, "sw")
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    opened = said(await here.said("policy", "policy.events"), purpose="emergency")
    assert [(one["person"], one["post"], one["child"]) for one in opened] == [("sw", "sw-post", CHILD)] and opened[0]["review_due"]
    records = await here.accesses("policy", "break-glass")
    assert [(one["person"], one["purpose"], one["detail"]["glass"]) for one in records] == [("sw", "emergency", first.json()["id"])] * 2


async def test_no_glass_without_vetting_nor_under_suspension_not_even_again(here):
    assert (await glass(here, "old")).status_code == 403
    assert (await glass(here, "sw")).status_code == 201
    await here.ask("POST", "policy", "/v1/people/sw/suspension", json={"reason": "an invented reason"})
    assert (await glass(here, "sw")).status_code == 403
    assert [one["status"] for one in await here.accesses("policy", "break-glass")] == [403, 201, 403]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/people/sw/suspension", {"reason": "an invented reason"}),
        ("/v1/people/sw/conflicts", {"child": CHILD, "kind": "self"}),
        ("/v1/bundles", {"policies": []}),
    ],
)
async def test_a_request_sent_twice_with_one_key_is_one_event(here, path, body):
    before = len(await here.said("policy", "policy.events"))
    first, again = [await here.ask("POST", "policy", path, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.is_success and (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(await here.said("policy", "policy.events")) == before + 1


async def test_a_post_that_changed_in_the_meantime_is_not_overwritten(here):
    first = await here.ask("PUT", "policy", "/v1/people/sw", json=SW)
    fits = {"If-Match": first.headers["ETag"]}
    changed = await here.ask("PUT", "policy", "/v1/people/sw", json={**SW, "ends": "2026-12-01"}, headers=fits)
    assert changed.json() == {"changed": True} and changed.headers["ETag"] != first.headers["ETag"]
    stale = await here.ask("PUT", "policy", "/v1/people/sw", json=SW, headers=fits)
    assert stale.status_code == 412 and stale.json()["type"] == "/problems/version-conflict"


async def test_a_post_that_moves_ends_the_leases_of_both_who_held_it(here):
    assert (await lease(here, "sw", "sw-post")).status_code == 200
    await here.ask("PUT", "policy", "/v1/people/new", json={**SW, "person_id": "new"})
    ended = [one["ends"] for one in (await here.said("policy", "policy.events"))[-2:]]
    assert ended == ["sw", "new"]
    assert (await lease(here, "sw", "sw-post")).status_code == 403
    assert (await lease(here, "new", "sw-post")).status_code == 200


async def test_a_lease_says_why_each_childs_gate_is_closed_the_closest_reason_first(here):
    for kind in ("relative", "self", "conflict", "colleague"):
        await here.ask("POST", "policy", "/v1/people/sw/conflicts", json={"child": CHILD, "kind": kind})
    other = CHILD.replace("1", "2")
    await here.ask("POST", "policy", "/v1/people/sw/conflicts", json={"child": other, "kind": "conflict"})
    found = (await lease(here, "sw", "sw-post")).json()
    assert found["conflicts"] == {CHILD: "self", other: "conflict"} and found["colleagues_children"] == [CHILD]


@pytest.mark.parametrize(
    ("cover", "taken"),
    [("p1:2026-11-01:2026-11-28", True), ("p1:2026-11-01:2026-11-29", False), ("p1:2026-11-02:2026-11-01", False), ("p1::2026-11-01", False)],
)
def test_cover_lasts_four_weeks_at_most_at_a_time(cover, taken):
    row = {**SW, "covers": cover}
    if taken:
        assert people.post(row, address_key=b"k" * 32).covers == [store.Cover("p1", "2026-11-01", "2026-11-28")]
    else:
        with pytest.raises(ValueError, match="cover"):
            people.post(row, address_key=b"k" * 32)
