"""Leases as childview holds them: fetched from policy with both tokens, kept for at most their five seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import httpx
import msgspec

from services.disclosure import evaluate
from services.disclosure.evaluate import Bundle
from services.disclosure.lease import Lease
from services.plumbing.problems import KINDS, Problem
from services.plumbing.tokens import Principal, ServiceTokens

MOST = 10_000


class LeaseHolder:
    """The leases and bundles of one process."""

    def __init__(self, policy_url: str, *, tokens: ServiceTokens, http: httpx.AsyncClient) -> None:
        self._url = policy_url
        self._tokens = tokens
        self._http = http
        self._leases: dict[tuple[str, str], Lease] = {}
        self._bundles: dict[str, Bundle] = {}
        self._asking: dict[tuple[str, str], asyncio.Lock] = {}

    async def lease(self, who: Principal, purpose: str, *, after: int = 0) -> Lease:
        """A lease that is valid now and no older than position `after`. Raises Problem."""
        key = (who.token, purpose)
        held = self._leases.get(key)
        if held is not None and held.expires > time.time() and held.policy_version >= after:
            return held
        async with self._asking.setdefault(key, asyncio.Lock()):
            held = self._leases.get(key)
            if held is None or held.expires <= time.time() or held.policy_version < after:
                held = await self._ask(who, purpose)
                self._keep(key, held)
        if held.policy_version < after:
            raise Problem("no-lease", "What policy says is older than a change that was made. Try again.")
        return held

    def _keep(self, key: tuple[str, str], lease: Lease) -> None:
        if len(self._leases) >= MOST:
            now = time.time()
            self._leases = {k: one for k, one in self._leases.items() if one.expires > now}
            self._asking = {k: lock for k, lock in self._asking.items() if k in self._leases or lock.locked()}
        self._leases[key] = lease

    async def bundle(self, lease: Lease) -> Bundle:
        """The lease's policies; a bundle is fetched once, because its hash names its content."""
        if lease.bundle not in self._bundles:
            answer = await self._call("GET", f"/v1/bundles/{lease.bundle}")
            body = answer.json()
            found = evaluate.load(body["policies"], body["vocabulary"])
            if found.hash != lease.bundle:
                raise Problem("no-lease", "The policies are not the ones the lease names.")
            self._bundles[lease.bundle] = found
        return self._bundles[lease.bundle]

    async def _ask(self, who: Principal, purpose: str) -> Lease:
        answer = await self._call("POST", "/v1/leases", {"user_token": who.token, "purpose": purpose})
        lease = msgspec.json.decode(answer.content, type=Lease)
        if lease.person != who.subject or lease.post != who.post or lease.purpose != purpose:
            raise Problem("no-lease", "The lease is not the one that was asked for.")
        return lease

    async def break_glass(self, who: Principal, body: Mapping, *, key: str | None = None) -> dict:
        """Open one child's view in an emergency, for the person whose token this is. key: the person's Idempotency-Key."""
        answer = await self._call("POST", "/v1/break-glass", {**body, "user_token": who.token}, key=key)
        return answer.json()

    async def _call(self, method: str, path: str, body: Mapping | None = None, *, key: str | None = None) -> httpx.Response:
        try:
            headers = await self._tokens.bearer("policy") | ({"Idempotency-Key": key} if key else {})
            answer = await self._http.request(method, self._url + path, json=body, headers=headers, timeout=3)
        except httpx.HTTPError as error:
            raise Problem("no-lease", "Policy cannot be asked now, so nothing is shown. Try again soon.") from error
        if answer.is_success:
            return answer
        raise _passed_on(answer)


def _passed_on(answer: httpx.Response) -> Problem:
    """Policy's own problem, where it is one that the asker can act on."""
    try:
        body = answer.json()
        kind = body["type"].rsplit("/", 1)[-1]
    except (ValueError, KeyError, AttributeError):
        kind, body = "", {}
    if kind in KINDS and answer.status_code < 500:
        extra = {name: body[name] for name in ("permitted", "errors") if name in body}
        return Problem(kind, body.get("detail", ""), status=answer.status_code, **extra)
    return Problem("no-lease", "Policy gave no answer, so nothing is shown. Try again soon.")
