"""What a token is worth: never more than the keys that are published now, nor a second longer than its life."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.local import issuer as local_issuer
from deploy.local.issuer import Issuer
from services.plumbing import tokens
from services.plumbing.problems import Problem
from services.plumbing.tokens import Verifier
from tests.conftest import free_port
from tests.serving import serving


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    """A running issuer; a test may swap its key."""
    port = free_port()
    found = local_issuer.make(url=f"http://127.0.0.1:{port}", folder=tmp_path, clients={}, personas=tmp_path / "none", redirects={})
    async with serving(local_issuer.application(found), port):
        yield found


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def rotate(issuer: Issuer, folder: Path) -> None:
    """Another key, published instead of the one there was."""
    other = local_issuer.make(url=issuer.url, folder=folder / "other", clients={}, personas=folder / "none", redirects={})
    issuer.key, issuer.kid = other.key, other.kid


async def refused(verifier: Verifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except Problem as problem:
        return problem.kind == "token"
    return False


async def test_a_key_that_is_withdrawn_is_trusted_no_longer_nor_a_token_it_signed(issuer, http, tmp_path):
    verifier = Verifier(issuer.url, "policy", http=http, lifetime=0.2, demonstration=True)
    token = issuer.sign("service:cli", "policy", lifetime=600)
    assert (await verifier.verify(token)).service == "cli"
    rotate(issuer, tmp_path)
    await asyncio.sleep(0.3)
    assert await refused(verifier, token), "remembered before the key was withdrawn"
    assert (await verifier.verify(issuer.sign("service:cli", "policy", lifetime=600))).service == "cli"


async def test_while_the_keys_stand_they_are_not_asked_for_again(issuer, http):
    verifier = Verifier(issuer.url, "policy", http=http, lifetime=600, demonstration=True)
    await verifier.verify(issuer.sign("service:cli", "policy", lifetime=600))
    fetched = verifier._fetched
    await asyncio.gather(*(verifier.verify(issuer.sign(f"service:{n}", "policy", lifetime=600)) for n in range(20)))
    assert verifier._fetched == fetched


async def test_a_remembered_token_is_not_worth_more_than_its_life(issuer, http, monkeypatch):
    monkeypatch.setattr(tokens, "LEEWAY", 0)
    verifier = Verifier(issuer.url, "policy", http=http, demonstration=True)
    token = issuer.sign("service:cli", "policy", lifetime=2)
    await verifier.verify(token)
    until = time.time() + 2.2
    while time.time() < until:
        await asyncio.sleep(0.1)
    assert await refused(verifier, token)


async def test_without_the_issuer_the_keys_stand_as_long_again_and_then_nobody_is_let_in(issuer, tmp_path):
    down = False

    async def reach(request: httpx.Request) -> None:
        if down:
            raise httpx.ConnectError("nobody is there")

    async with httpx.AsyncClient(event_hooks={"request": [reach]}) as http:
        verifier = Verifier(issuer.url, "policy", http=http, lifetime=0.5, demonstration=True)
        token = issuer.sign("service:cli", "policy", lifetime=600)
        await verifier.verify(token)
        down = True
        await asyncio.sleep(0.6)
        assert not await refused(verifier, token)
        await asyncio.sleep(0.6)
        assert await refused(verifier, token)
        down = False
        await asyncio.sleep(tokens.RETRY_AFTER)
        assert not await refused(verifier, token)


async def test_a_demonstrations_issuer_is_believed_in_a_demonstration_alone(issuer, http):
    token = issuer.sign("service:cli", "policy", lifetime=600)
    assert await refused(Verifier(issuer.url, "policy", http=http), token)
    assert not await refused(Verifier(issuer.url, "policy", http=http, demonstration=True), token)


async def test_a_token_that_is_no_text_of_ours_is_refused_like_any_other(issuer, http):
    verifier = Verifier(issuer.url, "policy", http=http, demonstration=True)
    for wrong in ("é.é.é", "\ud800", "a.b.c", ""):
        assert await refused(verifier, wrong)
