"""Who is signed in to the pages: a sealed cookie that only this service can read, and signing in by code flow with PKCE.

A session that was signed out of is remembered in the database until it would have ended: a kept copy of its cookie opens
nothing, in any process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import asyncpg
import httpx
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response

from services.plumbing.problems import Problem
from services.plumbing.settings import Settings

COOKIE, SIGNING = "childview", "childview-signing-in"
LONGEST = 8 * 3600
VISITS = 8
"""So many children keep the purpose they are visited for."""


class Session(msgspec.Struct):
    """One signed-in person. id: what signing out ends. visits: child -> purpose, the newest last."""

    token: str
    until: float
    csrf: str
    id: str
    visits: dict[str, str] = {}

    def visit(self, child: str, purpose: str) -> None:
        """This child is visited for this purpose until another is chosen."""
        self.visits.pop(child, None)
        self.visits[child] = purpose
        for old in list(self.visits)[:-VISITS]:
            del self.visits[old]


class SigningIn(msgspec.Struct):
    """What is remembered while the person is at the issuer."""

    verifier: str
    state: str
    following: str
    until: float


Held = TypeVar("Held", Session, SigningIn)


def _cipher(settings: Settings) -> AESGCM:
    return AESGCM(hmac.digest(settings.digest_key, b"childview pages session", "sha256"))


def seal(settings: Settings, value: msgspec.Struct, *, name: str) -> str:
    """A cookie's value: nobody else can read, change or swap it."""
    nonce = os.urandom(12)
    return base64.urlsafe_b64encode(nonce + _cipher(settings).encrypt(nonce, msgspec.json.encode(value), name.encode())).decode()


def unseal(settings: Settings, text: str | None, type: type[Held], *, name: str) -> Held | None:
    """What a cookie holds, None when it is missing, altered or over."""
    try:
        raw = base64.urlsafe_b64decode(text or "")
        found: Held = msgspec.json.decode(_cipher(settings).decrypt(raw[:12], raw[12:], name.encode()), type=type)
    except (ValueError, InvalidTag, msgspec.DecodeError):
        return None
    return found if found.until > time.time() else None


async def current(request: Request) -> Session | None:
    """The session of a request, None when nobody is signed in or it was ended."""
    found = unseal(request.app.state.settings, request.cookies.get(COOKIE), Session, name=COOKIE)
    if found is None:
        return None
    pool: asyncpg.Pool = request.app.state.reading.pool
    ended = await pool.fetchval("select exists (select from ended_sessions where id = $1)", found.id)
    return None if ended else found


async def end(request: Request, response: Response, session: Session) -> None:
    """Nobody is signed in by this session any more, whoever holds its cookie."""
    pool: asyncpg.Pool = request.app.state.reading.pool
    until = datetime.fromtimestamp(session.until, UTC)
    await pool.execute("insert into ended_sessions values ($1, $2) on conflict do nothing", session.id, until)
    await pool.execute("delete from ended_sessions where until < now()")
    response.delete_cookie(COOKIE, path="/", secure=_secure(request), httponly=True, samesite="lax")


def keep(request: Request, response: Response, session: Session) -> None:
    """Send the session with an answer."""
    _set(request, response, COOKIE, seal(request.app.state.settings, session, name=COOKIE), LONGEST)


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _set(request: Request, response: Response, name: str, value: str, age: int) -> None:
    response.set_cookie(name, value, max_age=age, path="/", secure=_secure(request), httponly=True, samesite="lax")


def _secure(request: Request) -> bool:
    """Whether people reach the pages by https: then the cookies are sent by nothing else."""
    return request.app.state.settings.urls["childview"].startswith("https://")


def address(request: Request) -> str:
    """Where the issuer sends people back to."""
    return f"{request.app.state.settings.urls['childview']}/signed-in"


def start(request: Request, response: Response, *, following: str, hint: str = "") -> str:
    """Remember a sign-in in a cookie of ten minutes; the issuer's address to go to."""
    settings: Settings = request.app.state.settings
    found = SigningIn(secrets.token_urlsafe(48), secrets.token_urlsafe(24), _inside(following), time.time() + 600)
    _set(request, response, SIGNING, seal(settings, found, name=SIGNING), 600)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(found.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "client_id": "childview", "redirect_uri": address(request), "response_type": "code", "state": found.state,
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{settings.issuer}/authorize?{urlencode(asked | ({'login_hint': hint} if hint else {}))}"


def _inside(following: str) -> str:
    """Only a path of ours: nobody is sent elsewhere by a link."""
    plain = following.startswith("/") and not following.startswith("//") and "\\" not in following
    return following if plain else "/find"


async def finish(request: Request, *, code: str, state: str) -> tuple[Session, str]:
    """Redeem the code; the session and where to go. Raises Problem `token`."""
    settings: Settings = request.app.state.settings
    found = unseal(settings, request.cookies.get(SIGNING), SigningIn, name=SIGNING)
    if found is None or not same(found.state, state):
        raise Problem("token", "The sign-in was not begun here, or took too long. Sign in again.", status=400)
    form = {
        "grant_type": "authorization_code", "client_id": "childview", "client_secret": settings.client_secret, "code": code,
        "code_verifier": found.verifier, "redirect_uri": address(request),
    }  # fmt: skip
    http: httpx.AsyncClient = request.app.state.http
    answer = await http.post(f"{settings.issuer}/token", data=form, timeout=5)
    if not answer.is_success:
        raise Problem("token", "The sign-in was not accepted. Sign in again.", status=400)
    body = answer.json()
    until = time.time() + min(LONGEST, body["expires_in"])
    return Session(body["access_token"], until, csrf=secrets.token_urlsafe(24), id=secrets.token_urlsafe(24)), found.following
