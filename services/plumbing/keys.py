"""`POST /v1/keys`: a publisher hands out the keys of its streams, in bulk, to those they are for; and its client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import httpx
import msgspec

from services.plumbing import access, sealing
from services.plumbing.access import Access, AccessWriter
from services.plumbing.sealing import KeyAnswer, KeyName
from services.plumbing.tokens import Principal, ServiceTokens

MOST = 1000


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key asked for."""

    stream: str
    record_class: str


async def hand_out(
    pool: asyncpg.Pool,
    writer: AccessWriter,
    *,
    keyring: sealing.Keyring,
    principal: Principal,
    wanted: Sequence[Wanted],
    readers: Mapping[str, frozenset[str]],
) -> list[dict[str, str]]:
    """An answer for each key asked for, in order: key, destroyed, not for you, or nothing. The use is recorded first.

    `readers` names, for a record class that not every reader may open, the services that may; "*" names the others.
    """
    allowed = [principal.service in readers.get(item.record_class, readers["*"]) for item in wanted]
    names = [(item.stream, item.record_class) for item, may in zip(wanted, allowed, strict=True) if may]
    async with pool.acquire() as conn:
        found = await keyring.existing(conn, names)
    answers = [_answer(item, may, found) for item, may in zip(wanted, allowed, strict=True)]
    await writer.write(_record(principal, wanted, answers))
    return [sealing.encode_key(answer) for answer in answers]


def _answer(item: Wanted, may: bool, found: Mapping[KeyName, bytes | None]) -> KeyAnswer:
    if not may:
        return KeyAnswer("not-for-you")
    name = (item.stream, item.record_class)
    if name not in found:
        return KeyAnswer("nothing")
    key = found[name]
    return KeyAnswer("destroyed") if key is None else KeyAnswer("key", key)


def _record(principal: Principal, wanted: Sequence[Wanted], answers: Sequence[KeyAnswer]) -> Access:
    counts: dict[str, int] = {}
    for item, answer in zip(wanted, answers, strict=True):
        label = f"{item.record_class} {answer.status}"
        counts[label] = counts.get(label, 0) + 1
    query = access.digest(b"keys", *(f"{item.stream}|{item.record_class}".encode() for item in wanted))
    found = access.of_request(principal, "keys", status=200, detail={"keys": counts})
    return msgspec.structs.replace(found, query=query)


class KeyClient:
    """Asks publishers for keys as one service identity; `ask` is what a KeyCache calls."""

    def __init__(self, urls: Mapping[str, str], tokens: ServiceTokens, http: httpx.AsyncClient) -> None:
        self._urls = urls
        self._tokens = tokens
        self._http = http

    async def ask(self, service: str, names: Sequence[KeyName]) -> dict[KeyName, KeyAnswer]:
        """The answers of one publisher. Raises KeysUnavailable."""
        body = {"keys": [{"stream": stream, "record_class": kind} for stream, kind in names]}
        try:
            answer = await self._http.post(
                f"{self._urls[service]}/v1/keys",
                json=body,
                headers=await self._tokens.bearer(service),
                timeout=10,
            )
            answer.raise_for_status()
        except (httpx.HTTPError, KeyError) as error:
            raise sealing.KeysUnavailable(f"{service} gives no keys: {type(error).__name__}") from error
        items = answer.json()["keys"]
        return {name: sealing.decode_key(item) for name, item in zip(names, items, strict=True)}
