"""A whole installation of its own for tests: every process, real Kafka, real PostgreSQL, its own ports and state folder."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.client import Client
from services.plumbing.settings import PORTS, port_variable

ROOT = Path(__file__).parents[2]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: everything is on 127.0.0.1, and loading certificates costs more than a request."""


@dataclass
class Installation:
    """A running installation. `client` calls it as the service identity `cli`."""

    state: Path
    environment: Mapping[str, str]
    client: Client
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def run(self, *verb: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """A verb of the command line."""
        command = [sys.executable, "-m", "services.cli", *verb]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout)

    def json(self, *verb: str, timeout: float = 300) -> Any:
        """What a verb answers with --json."""
        done = self.run(*verb, "--json", timeout=timeout)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def port(self, name: str) -> int:
        """A process's port."""
        return int(self.environment[port_variable(name)])

    def pid(self, name: str) -> int:
        """A process's id, as the supervisor last said."""
        status = json.loads((self.state / "status.json").read_text())
        return next(one["pid"] for one in status["processes"] if one["name"] == name)

    def personas(self) -> list[dict[str, Any]]:
        """The demonstration's people."""
        return json.loads((self.state / "personas.json").read_text())

    def token(self, who: str, audience: str = "childview") -> str:
        """A bearer token of a person, by role or person id."""
        if (who, audience) not in self.tokens:
            persona = next(p for p in self.personas() if who in (p["role"], p["person"]))
            self.tokens[who, audience] = self.client.user_token(persona, audience)
        return self.tokens[who, audience]

    def ask(self, who: str, method: str, path: str, *, purpose: str | None = None, **kwargs: Any) -> httpx.Response:
        """A request to childview as a person."""
        purpose = purpose or next(p["purpose"] for p in self.personas() if who in (p["role"], p["person"]))
        headers = {"Authorization": f"Bearer {self.token(who)}", "Purpose-Of-Use": purpose, **kwargs.pop("headers", {})}
        address = f"http://127.0.0.1:{self.port('childview')}{path}"
        return httpx.request(method, address, headers=headers, timeout=30, verify=NO_TLS, **kwargs)

    @contextlib.contextmanager
    def browse(self, who: str) -> Iterator[httpx.Client]:
        """The pages, signed in as a person by the real code flow; forms need the page's own csrf."""
        person = next(p["person"] for p in self.personas() if who in (p["role"], p["person"]))
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port('childview')}", timeout=30, verify=NO_TLS) as http:
            there = http.get("/sign-in").headers["Location"]
            http.get(f"{there}&login_hint={person}", follow_redirects=True)
            yield http

    def read(self, who: str, child: str, part: str = "", *, purpose: str | None = None) -> httpx.Response:
        """A read of one child."""
        return self.ask(who, "GET", f"/v1/children/{child}{part}", purpose=purpose)

    def search(self, who: str, *, purpose: str | None = None, **body: Any) -> list[dict[str, Any]]:
        """What a search finds."""
        answer = self.ask(who, "POST", "/v1/children/search", purpose=purpose, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def take(self, service: str, files: Mapping[str, str], **form: str) -> list[dict[str, Any]]:
        """Import files by name and text."""
        sent = [("files", (name, text.encode())) for name, text in files.items()]
        return self.client.ask("POST", service, "/v1/imports", files=sent, data=form)["files"]

    def wait(self, timeout: float = 120) -> int:
        """Until everything recorded is visible."""
        return self.client.wait(timeout)


def eventually(ask: Callable[[], Any], *, within: float = 30, every: float = 0.2) -> Any:
    """What `ask` gives once it gives something true. Raises AssertionError in the end."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError, OSError):
            if found := ask():
                return found
        time.sleep(every)
    raise AssertionError("it did not come to pass in time")


@contextlib.contextmanager
def installed(state: Path, *, extra: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """An installation from up to down."""
    ports = {port_variable(name): str(port) for name, port in _free_ports().items()}
    changed = {**ports, "CHILDVIEW_STATE": str(state), "PYTHONPATH": str(ROOT), **(extra or {})}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    environment = dict(os.environ)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "up"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == 0, done.stderr
        with Client() as client:
            yield Installation(state, environment, client)
    finally:
        subprocess.run([sys.executable, "-m", "services.cli", "down"], cwd=ROOT, env=environment, capture_output=True, timeout=120)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _free_ports() -> dict[str, int]:
    with contextlib.ExitStack() as held:
        found = {}
        for name in PORTS:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found[name] = probe.getsockname()[1]
    return found
