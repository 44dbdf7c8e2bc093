"""Leases as childview holds them, from a real policy service: never longer than they last, never older than an ending."""

from __future__ import annotations

import time
from types import SimpleNamespace

import httpx
import msgspec
import pytest

from services.childview.reading import lease_holder
from services.childview.reading.lease_holder import LeaseHolder
from services.disclosure.lease import Lease
from services.plumbing.problems import Problem
from services.plumbing.tokens import Principal
from tests.serving import Authority

SERVICES = ("policy",)
SW = {"person_id": "sw", "post_id": "sw-post", "name": "Invented", "role": "social-worker", "organisation_kind": "social_care", "vetting_until": "2099-01-01"}


LATER = SimpleNamespace(time=lambda: time.time() + 5.1, monotonic=time.monotonic)
"""The holder's clock alone: tokens are made and read by the real one."""


class Tokens:
    """childview's own tokens, signed by the running issuer."""

    def __init__(self, here: Authority) -> None:
        self._here = here

    async def bearer(self, audience: str) -> dict[str, str]:
        """The header for calls to a service."""
        return {"Authorization": f"Bearer {self._here.token('childview', audience)}"}


@pytest.fixture
async def here(authority: Authority):
    await authority.hire(SW)
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request.url.path)

    async with httpx.AsyncClient(event_hooks={"request": [note]}) as http:
        holder = LeaseHolder(authority.urls["policy"], tokens=Tokens(authority), http=http)  # type: ignore[arg-type]
        token = authority.token("sw", "childview", post="sw-post")
        yield SimpleNamespace(authority=authority, holder=holder, who=Principal("sw", "sw-post", token, time.time() + 600), asked=asked)


async def refused(work) -> Problem:
    with pytest.raises(Problem) as raised:
        await work
    return raised.value


async def test_a_lease_lasts_five_seconds_at_most_and_is_asked_for_once_meanwhile(here):
    found = [await here.holder.lease(here.who, "enquiry") for _ in range(3)]
    assert here.asked == ["/v1/leases"] and found[0] == found[2]
    assert found[0].expires - found[0].issued <= 5.0 and found[0].expires <= time.time() + 5.0


async def test_a_lease_that_is_over_is_asked_for_again(here, monkeypatch):
    first = await here.holder.lease(here.who, "enquiry")
    monkeypatch.setattr(lease_holder, "time", LATER)
    again = await here.holder.lease(here.who, "enquiry")
    assert len(here.asked) == 2 and again.issued > first.issued


async def test_without_policy_a_lease_that_is_over_shows_nothing(here, monkeypatch):
    await here.holder.lease(here.who, "enquiry")
    await here.authority.stop("policy")
    monkeypatch.setattr(lease_holder, "time", LATER)
    problem = await refused(here.holder.lease(here.who, "enquiry"))
    assert (problem.kind, problem.status) == ("no-lease", 503)


async def test_an_ending_that_was_seen_ends_the_lease_before_its_time(here):
    held = await here.holder.lease(here.who, "enquiry")
    await here.authority.ask("POST", "policy", "/v1/people/sw/suspension", json={"reason": "an invented reason"})
    problem = await refused(here.holder.lease(here.who, "enquiry", after=held.policy_version + 1))
    assert (problem.kind, problem.status) == ("no-lease", 403)


async def test_a_lease_older_than_an_ending_that_was_seen_is_refused_whoever_gives_it(here):
    held = await here.holder.lease(here.who, "enquiry")
    problem = await refused(here.holder.lease(here.who, "enquiry", after=held.policy_version + 1))
    assert (problem.kind, problem.status) == ("no-lease", 503)


async def test_a_lease_of_one_purpose_is_not_one_of_another(here):
    await here.holder.lease(here.who, "enquiry")
    assert (await here.holder.lease(here.who, "casework")).purpose == "casework"
    assert (await refused(here.holder.lease(here.who, "attendance"))).kind == "purpose-not-permitted"


@pytest.mark.parametrize("changes", [{"person": "other"}, {"post": "another-post"}, {"purpose": "casework"}])
async def test_a_lease_that_is_not_the_one_asked_for_is_refused(here, changes):
    given = msgspec.structs.replace(await here.holder.lease(here.who, "enquiry"), **changes)
    assert (await refused(answering(here, given).lease(here.who, "enquiry"))).kind == "no-lease"


def answering(here, given: Lease) -> LeaseHolder:
    """A holder whose policy, somewhere on the way, gives another lease."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=msgspec.json.encode(given)))
    return LeaseHolder("http://policy", tokens=Tokens(here.authority), http=httpx.AsyncClient(transport=transport))  # type: ignore[arg-type]


async def test_policies_that_are_not_those_the_lease_names_are_not_used(here):
    lease = await here.holder.lease(here.who, "enquiry")
    body = (await here.authority.ask("GET", "policy", f"/v1/bundles/{lease.bundle}", as_="childview")).json()
    fewer = httpx.MockTransport(lambda request: httpx.Response(200, json={**body, "policies": body["policies"][1:]}))
    holder = LeaseHolder("http://policy", tokens=Tokens(here.authority), http=httpx.AsyncClient(transport=fewer))  # type: ignore[arg-type]
    assert (await refused(holder.bundle(lease))).kind == "no-lease"
    assert (await here.holder.bundle(lease)).hash == lease.bundle
