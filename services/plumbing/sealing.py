"""Sealing: AES-256-GCM with one key per stream and record class, and a commitment to the key.

AES-GCM alone commits to no key: one ciphertext can be made to open under two. So each sealed value carries
32 bytes that only its own key can give (SHA-512 based, see `_derive`), checked before it is opened.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_COMMITMENT = 32
_STREAM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEAD = len(_VERSION) + _NONCE + _COMMITMENT

KeyName = tuple[str, str]
"""(stream id, record class)"""


class SealBroken(Exception):
    """The sealed bytes are not what this key sealed for this envelope."""


def seal(key: bytes, *, plain: bytes, bound_to: bytes) -> bytes:
    """Encrypt `plain` so that it opens only with this key and beside this envelope."""
    secret, commitment = _derive(key)
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + commitment + AESGCM(secret).encrypt(nonce, plain, bound_to)


def open_seal(key: bytes, *, sealed: bytes, bound_to: bytes) -> bytes:
    """The plain bytes. Raises SealBroken for a wrong key, a changed envelope or changed bytes."""
    secret, commitment = _derive(key)
    if sealed[:1] != _VERSION or not hmac.compare_digest(sealed[1 + _NONCE : _HEAD], commitment):
        raise SealBroken("commitment")
    try:
        return AESGCM(secret).decrypt(sealed[1 : 1 + _NONCE], sealed[_HEAD:], bound_to)
    except InvalidTag as error:
        raise SealBroken("tag") from error


def _derive(key: bytes) -> tuple[bytes, bytes]:
    both = hmac.digest(key, b"childview sealing v1", "sha512")
    return both[:32], both[32:]


class Keyring:
    """A publisher's keys: made when first needed, kept wrapped by the master key in its own database."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != 32:
            raise ValueError("CHILDVIEW_MASTER_KEY must be 64 hexadecimal digits")
        self._master = AESGCM(master_key)

    async def keys(self, conn: asyncpg.Connection, names: Iterable[KeyName]) -> dict[KeyName, bytes]:
        """The key of each name, made now where there is none. Raises KeyDestroyed."""
        wanted = sorted(set(names))
        found = await self.existing(conn, wanted)
        missing = [name for name in wanted if name not in found]
        if missing:
            await self._make(conn, missing)
            found |= await self.existing(conn, missing)
        for name in wanted:
            if found[name] is None:
                raise KeyDestroyed(name[1])
        return {name: key for name, key in found.items() if key is not None}

    async def _make(self, conn: asyncpg.Connection, names: Iterable[KeyName]) -> None:
        await conn.execute(
            "insert into stream_keys (stream_id, record_class, wrapped)"
            " select * from unnest($1::uuid[], $2::text[], $3::bytea[]) on conflict do nothing",
            *_columns((UUID(stream), kind, self._wrap((stream, kind))) for stream, kind in names),
        )

    async def existing(
        self, conn: asyncpg.Connection, names: Iterable[KeyName]
    ) -> dict[KeyName, bytes | None]:
        """Keys that were ever made; None for a destroyed one; a name never used, or that is no stream id, is absent."""
        known = [(UUID(stream), kind) for stream, kind in names if _STREAM.fullmatch(stream)]
        rows = await conn.fetch(
            "select k.stream_id::text as stream, k.record_class, k.wrapped from stream_keys k"
            " join unnest($1::uuid[], $2::text[]) as w(s, c) on k.stream_id = w.s and k.record_class = w.c",
            [stream for stream, _ in known],
            [kind for _, kind in known],
        )
        return {
            (row["stream"], row["record_class"]): self._unwrap(row["wrapped"], row["stream"], row["record_class"])
            for row in rows
        }

    async def destroy(self, conn: asyncpg.Connection, name: KeyName) -> bool:
        """Forget a key for ever; False when there was none. The caller appends the event."""
        done = await conn.execute(
            "update stream_keys set wrapped = null, destroyed = now()"
            " where stream_id = $1 and record_class = $2 and destroyed is null",
            UUID(name[0]),
            name[1],
        )
        return done.endswith(" 1")

    def _wrap(self, name: KeyName) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._master.encrypt(nonce, os.urandom(32), "|".join(name).encode())

    def _unwrap(self, wrapped: bytes | None, stream: str, record_class: str) -> bytes | None:
        if wrapped is None:
            return None
        return self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], f"{stream}|{record_class}".encode())


class KeyDestroyed(Exception):
    """Nothing more can be sealed under a destroyed key; the message names the record class only."""


def _columns(rows: Iterable[tuple]) -> list[list]:
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], []]


@dataclass(frozen=True)
class KeyAnswer:
    """What a publisher says of one key: `key`, `destroyed`, `not-for-you` or `nothing`."""

    status: str
    key: bytes | None = None


class KeysUnavailable(Exception):
    """The publisher could not be asked, or said nothing of a key: try again, never park."""


Ask = Callable[[str, list[KeyName]], Awaitable[Mapping[KeyName, KeyAnswer]]]
"""ask(service, names) -> answers; raises KeysUnavailable."""


class KeyCache:
    """A reader's keys, fetched in bulk and held in memory for a bounded time and number."""

    def __init__(self, ask: Ask, *, lifetime: float, size: int = 200_000) -> None:
        self._ask = ask
        self._lifetime = lifetime
        self._size = size
        self._held: OrderedDict[KeyName, tuple[float, KeyAnswer]] = OrderedDict()

    async def fetch(self, service: str, names: Iterable[KeyName]) -> dict[KeyName, KeyAnswer]:
        """An answer for each name. Raises KeysUnavailable when the publisher gives none."""
        now = time.monotonic()
        wanted = set(names)
        known = {name: held[1] for name in wanted if (held := self._held.get(name)) and held[0] > now}
        missing = sorted(wanted - known.keys())
        for start in range(0, len(missing), 1000):
            answers = await self._ask(service, missing[start : start + 1000])
            for name in missing[start : start + 1000]:
                answer = answers.get(name, KeyAnswer("nothing"))
                if answer.status == "nothing":
                    raise KeysUnavailable(f"{service} has no word of a key")
                known[name] = answer
                self._hold(name, answer, now + self._lifetime)
        return known

    def forget(self, name: KeyName) -> None:
        """Drop a key now: its destruction was announced."""
        self._held.pop(name, None)

    def _hold(self, name: KeyName, answer: KeyAnswer, until: float) -> None:
        self._held[name] = (until, answer)
        self._held.move_to_end(name)
        while len(self._held) > self._size:
            self._held.popitem(last=False)


def encode_key(answer: KeyAnswer) -> dict[str, str]:
    """One answer as it travels."""
    if answer.key is None:
        return {"status": answer.status}
    return {"status": answer.status, "key": base64.b64encode(answer.key).decode()}


def decode_key(item: Mapping[str, str]) -> KeyAnswer:
    """One answer as it arrived."""
    return KeyAnswer(item["status"], base64.b64decode(item["key"]) if "key" in item else None)
