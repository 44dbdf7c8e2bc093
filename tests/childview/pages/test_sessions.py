"""Signing in and out of the pages, with a real issuer: what is over is over on the server too."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.serving import Authority

SERVICES = ("policy", "childview")
SW = {"person_id": "sw", "post_id": "sw-post", "name": "Invented", "role": "social-worker", "organisation_kind": "social_care", "vetting_until": "2099-01-01"}


@pytest.fixture
async def here(authority: Authority, tmp_path: Path) -> Authority:
    await authority.hire(SW)
    people = [{"person": "sw", "post": "sw-post", "name": "Invented", "title": ""}]
    (tmp_path / "personas.json").write_text(json.dumps(people))
    return authority


@contextlib.asynccontextmanager
async def browser(here: Authority) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has signed in."""
    async with httpx.AsyncClient(base_url=here.urls["childview"], timeout=20) as client:
        begun = await client.get("/sign-in")
        asked = {name: found[0] for name, found in parse_qs(urlsplit(begun.headers["Location"]).query).items()}
        kept = {name: asked[name] for name in ("client_id", "redirect_uri", "state", "code_challenge")}
        chosen = await here.http.post(f"{here.issuer.url}/authorize", data={**kept, "person": "sw", "post": "sw-post"})
        done = await client.get(chosen.headers["Location"])
        assert done.status_code == 303, done.text
        yield client


async def csrf(client: httpx.AsyncClient) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', (await client.get("/")).text)[1]


async def test_a_kept_copy_of_a_cookie_opens_nothing_after_signing_out(here):
    async with browser(here) as client, browser(here) as other:
        copy = dict(client.cookies)
        assert (await client.get("/find")).status_code == 200
        assert (await client.post("/sign-out", data={"csrf": await csrf(client)})).status_code == 303
        async with httpx.AsyncClient(base_url=here.urls["childview"], cookies=copy) as thief:
            answer = await thief.get("/find")
            assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
            assert (await thief.post("/find", data={"csrf": "any"})).status_code == 303
        assert (await other.get("/find")).status_code == 200, "another session of the same person goes on"


@pytest.mark.parametrize("wrong", ["é", "漢字", "plain"])
async def test_a_form_that_is_not_ours_is_refused_whatever_it_says(here, wrong):
    async with browser(here) as client:
        for path in ("/sign-out", "/find"):
            answer = await client.post(path, data={"csrf": wrong})
            assert answer.status_code == 403 and "did not come from this page" in answer.text
        assert (await client.get("/find")).status_code == 200
        answer = await client.get("/signed-in", params={"code": "c", "state": wrong})
        assert answer.status_code == 400 and "not begun here" in answer.text


async def test_the_issuer_too_refuses_text_that_is_no_secret(here):
    form = {"grant_type": "client_credentials", "client_id": "childview", "client_secret": "é", "audience": "policy"}
    assert (await here.http.post(f"{here.issuer.url}/token", data=form)).status_code == 401
