"""The local OIDC issuer: RS256, one key with a kid, code flow with PKCE, client credentials. For demonstrations alone.

It says so in its key set and its description; services refuse its keys unless their database is marked as a demonstration's
(`plumbing.demonstration`). People are the invented ones of personas.json.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jwt.algorithms import RSAAlgorithm
from starlette.exceptions import HTTPException as StarletteHTTPException

from services.plumbing.settings import port_of
from services.plumbing.tokens import DEMONSTRATION

USER_LIFETIME, SERVICE_LIFETIME, CODE_LIFETIME = 8 * 3600, 3600, 60
APPS = {"childview": "/signed-in", "policy": "/signed-in", "audit": "/signed-in"}
"""The apps people sign in to, and where each takes the answer."""


@dataclass
class Issuer:
    """One running issuer."""

    url: str
    key: rsa.RSAPrivateKey
    kid: str
    clients: Mapping[str, str]
    personas: Path
    redirects: Mapping[str, str]
    codes: dict[str, tuple[dict[str, Any], str, str, float]] = field(default_factory=dict)

    def sign(self, subject: str, audience: str, *, lifetime: int, **claims: Any) -> str:
        """A token."""
        now = int(time.time())
        body = {"iss": self.url, "sub": subject, "aud": audience, "iat": now, "exp": now + lifetime, **claims}
        return jwt.encode(body, self.key, algorithm="RS256", headers={"kid": self.kid})

    def user_token(self, persona: Mapping[str, Any], audience: str) -> str:
        """A person's token for an app: one person in one post."""
        return self.sign(persona["person"], audience, lifetime=USER_LIFETIME, post=persona["post"])

    def redirect(self, persona: dict[str, Any], client: str, address: str, state: str, challenge: str) -> RedirectResponse:
        """Back to the app with a code that it can redeem once, within a minute."""
        code = secrets.token_urlsafe(32)
        self.codes[code] = (persona, client, challenge, time.time() + CODE_LIFETIME)
        return RedirectResponse(f"{address}?{urlencode({'code': code, 'state': state})}", status_code=303)

    def people(self) -> list[dict[str, Any]]:
        """The demonstration's people."""
        return json.loads(self.personas.read_text()) if self.personas.exists() else []


def signing_key(folder: Path) -> rsa.RSAPrivateKey:
    """The signing key, made once."""
    path = folder / "issuer.pem"
    if path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(found, rsa.RSAPrivateKey)
        return found
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
    return key


def make(*, url: str, folder: Path, clients: Mapping[str, str], personas: Path, redirects: Mapping[str, str]) -> Issuer:
    """An issuer with its key."""
    key = signing_key(folder)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Issuer(url, key, hashlib.sha256(public).hexdigest()[:16], clients, personas, redirects)


def application(issuer: Issuer) -> FastAPI:
    """The issuer over HTTP."""
    app = FastAPI(title="issuer", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(StarletteHTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.state.begin = issuer.redirects.get("childview", "").removesuffix(APPS["childview"])

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, Any]:
        return {
            "issuer": issuer.url,
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "jwks_uri": f"{issuer.url}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            DEMONSTRATION: True,
        }

    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(issuer.key.public_key()))
        return {"keys": [{**public, "kid": issuer.kid, "use": "sig", "alg": "RS256"}], DEMONSTRATION: True}

    @app.get("/authorize")
    def authorize(
        client_id: str,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        code_challenge_method: str,
        response_type: str = "code",
        login_hint: str = Query(""),
    ) -> Response:
        if issuer.redirects.get(client_id) != redirect_uri or code_challenge_method != "S256" or response_type != "code":
            raise HTTPException(400, "unknown app, address or method")
        hinted = next((p for p in issuer.people() if p["person"] == login_hint), None)
        if hinted is not None:
            return issuer.redirect(hinted, client_id, redirect_uri, state, code_challenge)
        hidden = {"client_id": client_id, "redirect_uri": redirect_uri, "state": state, "code_challenge": code_challenge}
        return HTMLResponse(_page(issuer.people(), hidden), headers={"Cache-Control": "no-store"})

    @app.post("/authorize")
    def choose(
        client_id: str = Form(),
        redirect_uri: str = Form(),
        state: str = Form(),
        code_challenge: str = Form(),
        person: str = Form(),
        post: str = Form(),
    ) -> RedirectResponse:
        if issuer.redirects.get(client_id) != redirect_uri:
            raise HTTPException(400, "unknown app or address")
        persona = next((p for p in issuer.people() if p["person"] == person and p["post"] == post), None)
        if persona is None:
            raise HTTPException(400, "no such person")
        return issuer.redirect(persona, client_id, redirect_uri, state, code_challenge)

    @app.get("/people")
    def people() -> list[dict[str, str]]:
        return [{name: p[name] for name in ("person", "name", "title")} for p in issuer.people()]

    @app.post("/token")
    def token(
        grant_type: str = Form(),
        client_id: str = Form(),
        client_secret: str = Form(),
        audience: str = Form(""),
        code: str = Form(""),
        code_verifier: str = Form(""),
        person: str = Form(""),
        post: str = Form(""),
    ) -> JSONResponse:
        if not _same(issuer.clients.get(client_id, secrets.token_hex()), client_secret):
            raise HTTPException(401, "unknown client")
        if grant_type == "client_credentials":
            made, lifetime = issuer.sign(f"service:{client_id}", audience, lifetime=SERVICE_LIFETIME), SERVICE_LIFETIME
        elif grant_type == "authorization_code":
            made, lifetime = issuer.user_token(_redeem(issuer, code, client_id, code_verifier), client_id), USER_LIFETIME
        elif grant_type == "demonstration" and client_id in ("cli", "childview"):
            persona = next((p for p in issuer.people() if p["person"] == person and p["post"] == post), None)
            if persona is None:
                raise HTTPException(400, "no such person")
            made, lifetime = issuer.user_token(persona, audience or "childview"), USER_LIFETIME
        else:
            raise HTTPException(400, "unknown grant")
        body = {"access_token": made, "token_type": "Bearer", "expires_in": lifetime}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @app.get("/health/live")
    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


def _redeem(issuer: Issuer, code: str, client: str, verifier: str) -> dict[str, Any]:
    """The person a code stands for: once, within a minute, by the app that asked, with the verifier of its challenge."""
    persona, asked_by, challenge, until = issuer.codes.pop(code, ({}, "", "", 0.0))
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not persona or asked_by != client or until < time.time() or not _same(digest, challenge):
        raise HTTPException(400, "the code is not good")
    return persona


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _page(people: list[dict[str, Any]], hidden: Mapping[str, str]) -> str:
    """A plain page: who to be. It needs no script."""
    inputs = "".join(f'<input type="hidden" name="{k}" value="{html.escape(v)}">' for k, v in hidden.items())
    rows = "".join(
        f'<li><form method="post" action="/authorize">{inputs}'
        f'<input type="hidden" name="person" value="{html.escape(p["person"])}">'
        f'<input type="hidden" name="post" value="{html.escape(p["post"])}">'
        f"<button>{html.escape(p['name'])}, {html.escape(p['title'])}</button></form>"
        f"<p>{html.escape(p.get('try', ''))}</p></li>"
        for p in people
    )
    return _shell("Sign in (demonstration)", f"<p>Everybody here is invented. Choose who to be.</p><ul>{rows}</ul>")


async def _refuse(request: Request, error: Exception) -> Response:
    """What is wrong: as a page for a browser, else as JSON."""
    status, why = 422, "the sign-in was not asked for by an app: begin at the app's own pages"
    if isinstance(error, StarletteHTTPException):
        status, why = error.status_code, error.detail
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": why}, status_code=status)
    where = request.app.state.begin
    begin = f'<p><a href="{html.escape(where)}">Begin at Childview</a></p>' if where else ""
    return HTMLResponse(_shell("This is only the sign-in", f"<p>{html.escape(why)}</p>{begin}"), status_code=status)


def _shell(title: str, body: str) -> str:
    style = (
        "body{font:19px/1.4 arial,sans-serif;max-width:45em;margin:2em auto;padding:0 1em;color:#0b0c0c}"
        "li{list-style:none;margin:0 0 1em}ul{padding:0}p{margin:.2em 0;color:#505a5f}"
        "button{font:inherit;background:#0f5c4a;color:#fff;border:0;padding:.45em .8em;cursor:pointer}"
        "button:focus{outline:3px solid #fd0}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<main><h1>{title}</h1>{body}</main>"
    )


async def main() -> None:
    """Run the issuer of this installation."""
    from deploy.local import secrets as local_secrets

    state = Path(os.environ["CHILDVIEW_STATE"])
    port = port_of("issuer")
    issuer = make(
        url=f"http://127.0.0.1:{port}",
        folder=state / "secrets",
        clients=local_secrets.load(state).clients,
        personas=state / "personas.json",
        redirects={app: f"http://127.0.0.1:{port_of(app)}{path}" for app, path in APPS.items()},
    )
    config = uvicorn.Config(application(issuer), host="127.0.0.1", port=port, access_log=False, log_level="warning")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
