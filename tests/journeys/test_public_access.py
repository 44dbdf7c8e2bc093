"""Public access to nothing: each endpoint of each service, each role, no token, a wrong audience, an expired one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from deploy.local import export, issuer, secrets
from services.plumbing import source
from tests.journeys.installation import Installation

ROLES = tuple(json.loads((export.ROOT / "services/policy/purposes.json").read_text()))
SERVICES = ("education", "socialcare", "childview", "identity", "projector", "policy", "audit", "cli")
PRACTITIONERS = frozenset(f"role:{role}" for role in ROLES)
OPEN = {"/health/live", "/health/ready", "/openapi.json"}
"""Addresses without a token: states, no person."""

CLI, KEYS = frozenset({"service:cli"}), frozenset({"service:identity", "service:projector", "service:childview"})
IMPORTERS = frozenset({"service:cli", "service:education", "service:socialcare"})
SYSTEMS = frozenset({"service:cli", "service:socialcare"})
PROTECTORS = SYSTEMS | {"role:protection-officer", "role:adoption-officer"}
LEASERS = frozenset({"service:childview", "service:socialcare"})
ALLOWED = {
    ("audit", "*"): CLI,
    ("childview", "GET /v1/status"): CLI,
    ("childview", "GET /v1/parked"): CLI,
    ("childview", "POST /v1/parked"): CLI,
    ("childview", "*"): PRACTITIONERS,
    ("education", "POST /v1/keys"): KEYS,
    ("education", "POST /v1/imports"): IMPORTERS,
    ("education", "GET /v1/deliveries"): IMPORTERS,
    ("education", "*"): frozenset({"service:cli", "service:education"}),
    ("socialcare", "POST /v1/keys"): KEYS,
    ("socialcare", "POST /v1/imports"): IMPORTERS,
    ("socialcare", "GET /v1/deliveries"): IMPORTERS,
    ("socialcare", "POST /v1/persons"): PROTECTORS,
    ("socialcare", "POST /v1/persons/find"): PROTECTORS,
    ("socialcare", "PUT /v1/persons/{id}/protection"): PROTECTORS,
    ("socialcare", "POST /v1/persons/{id}/adoption-pair"): SYSTEMS | {"role:adoption-officer"},
    ("socialcare", "*"): SYSTEMS,
    ("policy", "POST /v1/leases"): LEASERS,
    ("policy", "POST /v1/break-glass"): LEASERS,
    ("policy", "GET /v1/bundles/{hash}"): LEASERS,
    ("policy", "*"): CLI,
}
"""Who gets past the door of an endpoint; what is not named goes by its service's `*`."""


def endpoints() -> Iterator[tuple[str, str, str]]:
    """Every (service, method, path) that is mounted and is no page: found in the applications, not in a list."""
    for service, application in export.APPLICATIONS.items():
        for route in _flat(application(export._settings(service)).routes):
            if getattr(route, "include_in_schema", False) and route.path not in OPEN:
                for method in sorted(route.methods - {"HEAD"}):
                    yield service, method, route.path


def _flat(routes) -> Iterator:
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else _flat(inner.routes)


ENDPOINTS = list(endpoints())


def knock(here: Installation, service: str, method: str, path: str, token: str | None) -> httpx.Response:
    filled = path.replace("{id}", str(uuid.UUID(int=4 << 76 | 8 << 60))).replace("{category}", "attendance")
    filled = filled.replace("{hash}", "0" * 64).replace("{involvement}", "none").replace("{kind}", "referrals")
    headers = {"Purpose-Of-Use": "casework"} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = {"json": {}} if method in ("POST", "PUT") else {}
    return httpx.request(method, f"http://127.0.0.1:{here.port(service)}{filled}", headers=headers, timeout=30, **body)


def turned_away(answer: httpx.Response) -> bool:
    return answer.status_code in (401, 403) and answer.json()["type"] == "/problems/token"


@pytest.fixture(scope="module")
def signer(demonstration: Installation) -> issuer.Issuer:
    return issuer.make(
        url=f"http://127.0.0.1:{demonstration.port('issuer')}",
        folder=demonstration.state / "secrets",
        clients=secrets.load(demonstration.state).clients,
        personas=demonstration.state / "personas.json",
        redirects={},
    )


@pytest.mark.parametrize(("service", "method", "path"), ENDPOINTS)
def test_nobody_gets_past_the_door_who_is_not_named(demonstration, signer, service, method, path):
    allowed = ALLOWED.get((service, f"{method} {path}"), ALLOWED[service, "*"])
    for who in (*(f"service:{name}" for name in SERVICES), *PRACTITIONERS):
        token = _token(demonstration, signer, who, service)
        refused = turned_away(knock(demonstration, service, method, path, token))
        assert refused == (who not in allowed), f"{who} at {method} {path}"


def _token(here: Installation, signer: issuer.Issuer, who: str, audience: str) -> str:
    if who.startswith("service:"):
        return signer.sign(who, audience, lifetime=60)
    return here.token(who.removeprefix("role:"), audience)


@pytest.mark.parametrize(("service", "method", "path"), ENDPOINTS)
def test_a_bad_token_opens_nothing(demonstration, signer, service, method, path):
    other = "policy" if service != "policy" else "audit"
    bad = {
        "none": None,
        "garbage": "a.b.c",
        "wrong audience": signer.sign("service:cli", other, lifetime=60),
        "expired": signer.sign("service:cli", service, lifetime=-60),
        "a person's, expired": _of_person(demonstration, signer, service, lifetime=-60),
        "a person's, for another service": _of_person(demonstration, signer, other, lifetime=60),
        "another issuer's": _forged(service, signer),
    }
    for name, token in bad.items():
        answer = knock(demonstration, service, method, path, token)
        assert answer.status_code == 401, f"{name} at {method} {path}: {answer.status_code}"


def _of_person(here: Installation, signer: issuer.Issuer, audience: str, *, lifetime: int) -> str:
    persona = next(one for one in here.personas() if one["role"] == "social-worker")
    return signer.sign(persona["person"], audience, lifetime=lifetime, post=persona["post"])


def _forged(audience: str, signer: issuer.Issuer) -> str:
    import time

    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = jwt.get_unverified_header(signer.sign("service:cli", audience, lifetime=60))["kid"]
    now = int(time.time())
    claims = {"iss": signer.url, "sub": "service:cli", "aud": audience, "iat": now, "exp": now + 60}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def test_open_addresses_tell_nothing_of_a_person(demonstration):
    for service in export.APPLICATIONS:
        for path in sorted(OPEN):
            answer = httpx.get(f"http://127.0.0.1:{demonstration.port(service)}{path}", timeout=10)
            assert answer.status_code == 200
            for persona in demonstration.personas():
                assert persona["person"] not in answer.text and persona["name"] not in answer.text


def test_figures_are_nobodys_but_an_operators(demonstration, signer):
    for service in export.APPLICATIONS:
        assert turned_away(knock(demonstration, service, "GET", "/metrics", None))
        assert turned_away(knock(demonstration, service, "GET", "/metrics", _token(demonstration, signer, "role:auditor", service)))
        assert knock(demonstration, service, "GET", "/metrics", signer.sign("service:scrape", service, lifetime=60)).status_code == 200


def test_every_source_shares_the_same_doors():
    shared = {path for _, _, path in ENDPOINTS if path in ("/v1/keys", "/v1/imports", "/v1/deliveries")}
    assert shared == {route.path for route in source._shared.routes}
