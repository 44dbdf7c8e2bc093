"""A token opens one service, for its life, by its issuer's own signature; every other is refused in one sentence."""

from __future__ import annotations

import time
from typing import Any

import httpx
import jwt
import pytest

from deploy.local import issuer as local_issuer
from services.plumbing.problems import Problem
from services.plumbing.tokens import Verifier
from tests.conftest import free_port
from tests.serving import serving


@pytest.fixture
async def here(tmp_path):
    port = free_port()
    issuer = local_issuer.make(url=f"http://127.0.0.1:{port}", folder=tmp_path, clients={}, personas=tmp_path / "none", redirects={})
    async with serving(local_issuer.application(issuer), port), httpx.AsyncClient() as http:
        yield issuer, Verifier(issuer.url, "policy", http=http, demonstration=True)


def signed(issuer: Any, *, key: Any = None, algorithm: str = "RS256", kid: str | None = None, leave_out: str = "", **changes: Any) -> str:
    """A token that is good but for these changes."""
    now = int(time.time())
    claims = {"iss": issuer.url, "aud": "policy", "sub": "p", "post": "q", "iat": now, "exp": now + 600, **changes}
    claims.pop(leave_out, None)
    return jwt.encode(claims, issuer.key if key is None else key, algorithm=algorithm, headers={"kid": kid or issuer.kid})


async def test_a_good_token_is_a_person_in_one_post(here):
    issuer, verifier = here
    found = await verifier.verify(signed(issuer))
    assert (found.subject, found.post, found.service) == ("p", "q", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "childview"}, {"aud": ["policy", "childview"]}, {"aud": ["policy"]}, {"iss": "http://127.0.0.1:1"}, {"exp": 1_600_000_000},
        {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}, *({"leave_out": name} for name in ("exp", "iat", "sub", "aud", "iss")),
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_for_another_service_time_or_issuer_is_refused(here, changes):
    issuer, verifier = here
    with pytest.raises(Problem) as raised:
        await verifier.verify(signed(issuer, **changes))
    assert (raised.value.kind, raised.value.status) == ("token", 401)


@pytest.mark.parametrize("how", ["another key", "no signature", "the public key as a secret", "a key that is not published"])
async def test_a_token_that_the_issuer_did_not_sign_is_refused(here, how, tmp_path):
    issuer, verifier = here
    other = local_issuer.make(url=issuer.url, folder=tmp_path / "other", clients={}, personas=tmp_path / "none", redirects={})
    wrong = {
        "another key": {"key": other.key}, "no signature": {"key": "", "algorithm": "none"},
        "the public key as a secret": {"key": "x" * 64, "algorithm": "HS256"}, "a key that is not published": {"key": other.key, "kid": other.kid},
    }[how]  # fmt: skip
    with pytest.raises(Problem) as raised:
        await verifier.verify(signed(issuer, **wrong))
    assert raised.value.kind == "token"
