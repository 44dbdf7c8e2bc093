"""Settings of one process, read once from its environment and then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PORTS = {
    "childview": 8100,
    "education": 8101,
    "socialcare": 8102,
    "policy": 8103,
    "audit": 8104,
    "issuer": 8105,
    "postgres": 8106,
    "kafka": 8107,
    "kafka-controller": 8108,
    "education-relay": 8111,
    "socialcare-relay": 8112,
    "identity": 8113,
    "projector": 8114,
    "childview-relay": 8115,
    "policy-relay": 8116,
    "audit-relay": 8117,
}
"""Default port of every process; `CHILDVIEW_PORT_<NAME>` moves one."""

URL = "CHILDVIEW_URL_"
SECRET = frozenset({"database", "client_secret", "master_key", "address_key", "digest_key"})
CLIENT, MASTER, ADDRESS, DIGEST = "CHILDVIEW_CLIENT_SECRET", "CHILDVIEW_MASTER_KEY", "CHILDVIEW_ADDRESS_KEY", "CHILDVIEW_DIGEST_KEY"
NEEDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("childview", "api"): frozenset({CLIENT, DIGEST}),
    ("childview", "identity"): frozenset({CLIENT}),
    ("childview", "projector"): frozenset({CLIENT, ADDRESS}),
    ("policy", "api"): frozenset({ADDRESS, DIGEST}),
    ("audit", "api"): frozenset(),
}
"""Secrets that a process works with, by service and role; it does not start without them."""
SOURCE_NEEDS = frozenset({CLIENT, MASTER, DIGEST})
"""The same of every source's `api`. A relay sends what is sealed already and needs none."""
KEY_BYTES = 32
RHYTHM = "wonde=3,ssd=2,daily=2"
"""Days that may lie between two deliveries of a kind of file. Those of a census or a return come when they come."""


class SettingMissing(Exception):
    """A variable the process cannot do without is absent or cannot be read; the message names it and holds no value."""


@dataclass(frozen=True)
class Settings:
    """What one process knows about where it runs. Keys are raw bytes, empty where the role needs none; times are seconds.

    demonstration: must agree with the database's mark (see `plumbing.demonstration`).
    """

    service: str
    role: str
    port: int
    database: str = field(repr=False)
    kafka: str
    issuer: str
    client_secret: str = field(repr=False)
    master_key: bytes = field(repr=False)
    address_key: bytes = field(repr=False)
    digest_key: bytes = field(repr=False)
    state: Path
    demonstration: bool
    contracts: tuple[Path, ...]
    """The project's contracts, and those that further domains bring."""
    urls: Mapping[str, str]
    stale_after: float = 30.0
    watchdog_after: float = 60.0
    key_lifetime: float = 900.0
    signing_keys_lifetime: float = 300.0
    report_days: int = 30
    waiting_days: float = 60.0
    """How long a row waits for the subject it belongs to before it is refused."""
    rhythm: Mapping[str, float] = field(default_factory=dict)
    """Kind of file -> days after which its source is silent for too long."""
    otlp_endpoint: str | None = None

    @property
    def process(self) -> str:
        """The process's name in `status`: `education`, `education-relay`, `identity`."""
        return process_name(self.service, self.role)

    def describe(self) -> dict[str, str]:
        """Every setting but the secrets, for the first line of the log."""
        return {name: str(value) for name, value in vars(self).items() if name not in SECRET}


def process_name(service: str, role: str) -> str:
    """Name of a service's process in `status` and of its port variable."""
    if role == "api":
        return service
    return f"{service}-relay" if role == "relay" else role


def port_of(name: str, environment: Mapping[str, str] = os.environ) -> int:
    """Port of the named process: its variable, else the default."""
    return int(environment.get(port_variable(name), PORTS[name]))


def port_variable(name: str) -> str:
    """The variable that moves the named process's port."""
    return "CHILDVIEW_PORT_" + name.upper().replace("-", "_")


def from_environment(service: str, role: str, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of this process. Raises SettingMissing for a variable that has no default and that the role needs."""
    name = process_name(service, role)
    needs = NEEDS.get((service, role), SOURCE_NEEDS if role == "api" else frozenset())
    return Settings(
        service=service,
        role=role,
        port=port_of(name, environment),
        database=_required(environment, "CHILDVIEW_DATABASE"),
        kafka=environment.get("CHILDVIEW_KAFKA", f"127.0.0.1:{port_of('kafka', environment)}"),
        issuer=_required(environment, "CHILDVIEW_ISSUER"),
        client_secret=_required(environment, CLIENT) if CLIENT in needs else environment.get(CLIENT, ""),
        master_key=_key(environment, MASTER, needs),
        address_key=_key(environment, ADDRESS, needs),
        digest_key=_key(environment, DIGEST, needs),
        state=Path(environment.get("CHILDVIEW_STATE", ".childview")),
        demonstration=environment.get("CHILDVIEW_DEMONSTRATION") == "1",
        contracts=tuple(Path(root) for root in environment.get("CHILDVIEW_CONTRACTS", "contracts").split(os.pathsep)),
        urls=_urls(environment),
        stale_after=float(environment.get("CHILDVIEW_STALE_AFTER", "30")),
        watchdog_after=float(environment.get("CHILDVIEW_WATCHDOG_AFTER", "60")),
        key_lifetime=float(environment.get("CHILDVIEW_KEY_LIFETIME", "900")),
        signing_keys_lifetime=float(environment.get("CHILDVIEW_SIGNING_KEYS_LIFETIME", "300")),
        report_days=int(environment.get("CHILDVIEW_REPORT_DAYS", "30")),
        waiting_days=float(environment.get("CHILDVIEW_WAITING_DAYS", "60")),
        rhythm=_rhythm(environment.get("CHILDVIEW_RHYTHM", RHYTHM)),
        otlp_endpoint=environment.get("CHILDVIEW_OTLP_ENDPOINT") or None,
    )


def _urls(environment: Mapping[str, str]) -> dict[str, str]:
    """Base URL of every service with an API: `CHILDVIEW_URL_<NAME>`, else the local port. A further domain has only the variable."""
    names = ("childview", "education", "socialcare", "policy", "audit", "issuer")
    local = {name: f"http://127.0.0.1:{port_of(name, environment)}" for name in names}
    named = {name.removeprefix(URL).lower(): url for name, url in environment.items() if name.startswith(URL)}
    return local | named


def _rhythm(text: str) -> dict[str, float]:
    """`wonde=3,ssd=2` as kind -> days; nothing: no kind has a rhythm."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return {kind.strip(): float(days) for kind, _, days in pairs}
    except ValueError:
        raise SettingMissing("CHILDVIEW_RHYTHM cannot be read; write it as wonde=3,ssd=2 (kind of file=days)") from None


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise SettingMissing(f"{name} is not set; `make up` sets it for every process")
    return environment[name]


def _key(environment: Mapping[str, str], name: str, needs: frozenset[str]) -> bytes:
    """A key as bytes: empty only where the role does not need it."""
    if name not in needs and not environment.get(name):
        return b""
    try:
        found = bytes.fromhex(_required(environment, name))
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise SettingMissing(f"{name} is no key: it must be {KEY_BYTES * 2} hexadecimal digits")
    return found
