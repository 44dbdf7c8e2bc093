"""Tokens: OIDC bearer tokens of people and of services, verified against the issuer's published keys.

Issuer, audience and algorithm are pinned. A verified token is remembered by its hash, for no longer than its life and
than the keys stand as they are: the key set is fetched again every few minutes, and when it changed nothing is remembered.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from services.plumbing.problems import Problem

ALGORITHMS = ["RS256"]
LEEWAY = 5
REFETCH_AFTER = 5.0
RETRY_AFTER = 1.0
REMEMBERED = 10_000
KEYS_LIFETIME = 300.0
DEMONSTRATION = "demonstration"
"""The member of an issuer's key set by which it says that it lets anybody be anyone."""


@dataclass(frozen=True)
class Principal:
    """Who is asking: a person in exactly one post, or a service."""

    subject: str
    post: str | None
    token: str
    expires: float

    @property
    def service(self) -> str | None:
        """The service's name, None for a person."""
        return self.subject.removeprefix("service:") if self.subject.startswith("service:") else None


class Verifier:
    """Verifies tokens of one issuer made for one audience.

    lifetime: seconds after which the published keys are asked for again. While the issuer cannot be asked they stand for as
    long again, then nobody is let in. demonstration: whether the keys of a demonstration's issuer are taken.
    """

    def __init__(
        self, issuer: str, audience: str, *, http: httpx.AsyncClient, lifetime: float = KEYS_LIFETIME, demonstration: bool = False
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._http = http
        self._lifetime = lifetime
        self._demonstration = demonstration
        self._published: list[dict[str, Any]] = []
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._failed = -float("inf")
        self._lock = asyncio.Lock()
        self._known: OrderedDict[bytes, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Whose token this is. Raises Problem `token`, which never says which check failed."""
        if not token.isascii():
            raise refused()
        if self._age() > self._lifetime:
            await self._refresh()
        mark = hashlib.sha256(token.encode()).digest()
        known = self._known.get(mark)
        if known is not None and known.expires > time.time():
            return known
        try:
            principal = self._read(token, await self._key(token))
        except jwt.PyJWTError as error:
            self._known.pop(mark, None)
            raise refused() from error
        self._known[mark] = principal
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def _age(self) -> float:
        return time.monotonic() - self._fetched

    async def _refresh(self) -> None:
        """Ask for the keys again. Raises Problem `token` (503) once they are too old to be trusted."""
        if self._lock.locked() and self._age() <= 2 * self._lifetime:
            return
        async with self._lock:
            if self._age() > self._lifetime:
                try:
                    await self._fetch()
                except Problem:
                    if self._age() > 2 * self._lifetime:
                        raise

    def _read(self, token: str, key: jwt.PyJWK) -> Principal:
        claims = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
        if not isinstance(claims["aud"], str):
            raise jwt.InvalidAudienceError("one audience")
        return Principal(claims["sub"], claims.get("post"), token, float(claims["exp"]))

    async def _key(self, token: str) -> jwt.PyJWK:
        """The published key the token names; the key set is fetched again, not too often, for an unknown one."""
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and self._age() > REFETCH_AFTER:
                    await self._fetch()
        if kid not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[kid]

    async def _fetch(self) -> None:
        """Take the keys that are published now, and forget every token when they are not the ones there were."""
        if time.monotonic() - self._failed <= RETRY_AFTER:
            raise _unchecked()
        try:
            answer = await self._http.get(f"{self._issuer}/jwks", timeout=5)
            answer.raise_for_status()
            body = answer.json()
            published = body["keys"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            self._failed = time.monotonic()
            raise _unchecked() from error
        if body.get(DEMONSTRATION) and not self._demonstration:
            published = []
        if published != self._published:
            self._known.clear()
            self._published = published
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in published if key.get("kid") and key.get("kty") == "RSA"}
        self._fetched = time.monotonic()


def _unchecked() -> Problem:
    return Problem("token", "Sign-in cannot be checked now. Try again soon.", status=503)


def refused() -> Problem:
    """The one answer to every token that is not good."""
    return Problem("token", "The token is missing, expired, or not made for this service.")


class ServiceTokens:
    """Tokens of this process's own service identity, one for each audience, renewed before they expire."""

    def __init__(self, issuer: str, *, client: str, secret: str, http: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._client = client
        self._secret = secret
        self._http = http
        self._held: dict[str, tuple[str, float]] = {}

    async def bearer(self, audience: str) -> dict[str, str]:
        """The Authorization header for calls to `audience`. Raises httpx.HTTPError."""
        token, until = self._held.get(audience, ("", 0.0))
        if until < time.time():
            token, until = await self._ask(audience)
            self._held[audience] = (token, until)
        return {"Authorization": f"Bearer {token}"}

    async def _ask(self, audience: str) -> tuple[str, float]:
        answer = await self._http.post(
            f"{self._issuer}/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self._client,
                "client_secret": self._secret,
                "audience": audience,
            },
            timeout=5,
        )
        answer.raise_for_status()
        body = answer.json()
        return body["access_token"], time.time() + body["expires_in"] - 30
