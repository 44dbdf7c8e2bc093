"""Secrets of one local installation: made once, kept in one file that only this account may read."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("education", "socialcare", "childview", "policy", "audit")
IDENTITIES = (*SERVICES, "identity", "projector", "cli", "scrape")
"""`scrape` reads `/metrics` and nothing else."""


@dataclass(frozen=True)
class Secrets:
    """database passwords by role, client secrets by service identity, master keys by publisher, and shared keys."""

    passwords: dict[str, str]
    clients: dict[str, str]
    master_keys: dict[str, str]
    address_key: str
    digest_key: str


def load(state: Path) -> Secrets:
    """The installation's secrets, made now where there are none; an identity that came later gets its own."""
    path = state / "secrets" / "secrets.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        _write(path, _new())
    found = json.loads(path.read_text())
    missing = [name for name in IDENTITIES if name not in found["clients"]]
    if missing:
        found["clients"] |= {name: secrets.token_urlsafe(32) for name in missing}
        _write(path, found)
    return Secrets(**found)


def _new() -> dict:
    return {
        "passwords": {name: secrets.token_urlsafe(24) for name in (*SERVICES, "postgres")},
        "clients": {name: secrets.token_urlsafe(32) for name in IDENTITIES},
        "master_keys": {name: secrets.token_hex(32) for name in SERVICES},
        "address_key": secrets.token_hex(32),
        "digest_key": secrets.token_hex(32),
    }


def _write(path: Path, content: dict) -> None:
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
    temporary.replace(path)
