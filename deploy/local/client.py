"""The services of a local installation as the command line calls them, and where that installation keeps everything."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import httpx

from services.plumbing.settings import port_of

ROOT = Path(__file__).parents[2]
MOST_LINES = 20
MUST_BE_FRESH = ("education", "socialcare", "policy", "childview")


class Failed(Exception):
    """The verb could not do what it was asked; the message says why, in a sentence."""


def state_folder() -> Path:
    """Where this installation keeps everything."""
    return Path(os.environ.get("CHILDVIEW_STATE", ROOT / ".childview")).absolute()


def contract_folders() -> list[Path]:
    """The folders of the contracts, as the services have them."""
    return [Path(root) for root in os.environ.get("CHILDVIEW_CONTRACTS", str(ROOT / "contracts")).split(os.pathsep)]


def typed() -> str:
    """The command line as it can be typed where this one was: by its bare name if the shell finds this very one, else by its path."""
    here = Path(sys.executable).parent / "childview"
    if not here.exists():
        return f"{shlex.quote(sys.executable)} -m services.cli"
    if (found := shutil.which("childview")) and Path(found).absolute() == here.absolute():
        return "childview"
    near = here.is_relative_to(Path.cwd())
    return shlex.quote(str(here.relative_to(Path.cwd()) if near else here))


def as_typed(text: str) -> str:
    """A sentence with its commands as they can be typed here."""
    return text.replace("`childview ", f"`{typed()} ")


class Client:
    """The services of this installation, called as the service identity `cli`.

    timeout: seconds to wait for one answer; None: as long as it takes (an import may last).
    """

    def __init__(self, *, timeout: float | None = None) -> None:
        from deploy.local import secrets

        self._secret = secrets.load(state_folder()).clients["cli"]
        self._http = httpx.Client(timeout=timeout)
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, service: str, path: str, *, token: str | None = None, **kwargs: Any) -> Any:
        """A service's JSON answer. Raises Failed with the problem's own words."""
        headers = {"Authorization": f"Bearer {token or self._bearer(service)}", **kwargs.pop("headers", {})}
        answer = self._http.request(method, f"http://127.0.0.1:{port_of(service)}{path}", headers=headers, **kwargs)
        try:
            body = answer.json() if answer.content else {}
        except ValueError:
            raise Failed(f"{service}: {answer.status_code}") from None
        if answer.is_success or "files" in body:
            return body
        raise Failed(_words(service, answer.status_code, body))

    def fetch(self, service: str, path: str, out: Path, *, said: str, **params: Any) -> dict[str, Any]:
        """Write a service's answer to a file that this account alone may read; what its header `said` tells of it.

        Nothing is there under the file's name before all of it is. Raises Failed with the problem's own words.
        """
        part = out.with_name(out.name + ".part")
        headers = {"Authorization": f"Bearer {self._bearer(service)}"}
        with contextlib.ExitStack() as stack:
            url = f"http://127.0.0.1:{port_of(service)}{path}"
            answer = stack.enter_context(self._http.stream("GET", url, headers=headers, params=params))
            if not answer.is_success:
                raise Failed(_why(service, answer.status_code, answer.read()))
            stack.callback(part.unlink, missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(answer.iter_bytes())
            part.replace(out)
            return json.loads(answer.headers[said])

    def send_files(
        self, service: str, paths: Sequence[Path], *, tell: Callable[[Path], None] = lambda path: None, **form: str
    ) -> list[dict[str, Any]]:
        """One delivery: every file goes in one request, so that what belongs together is taken together. `tell` is called
        as each begins to be sent."""
        opened = [("files", (path.name, _Told(path, tell))) for path in paths]
        try:
            return self.ask("POST", service, "/v1/imports", files=opened, data=form)["files"]
        finally:
            for _, (_, file) in opened:
                file.close()

    def wait(self, timeout: float) -> int:
        """Until every source's freshness is later than now; how many children there are. Raises Failed in the end."""
        started, deadline = datetime.now(UTC), time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.ask("GET", "childview", "/v1/status")
            fresh = {source: datetime.fromisoformat(at) for source, at in found["fresh_as_of"].items()}
            behind = [source for source in MUST_BE_FRESH if source not in fresh or fresh[source] < started]
            if not behind:
                return found["children"]
            if sys.stderr.isatty():
                print(f"\r{found['children']} children; waiting for {', '.join(behind)}   ", end="", file=sys.stderr)
            time.sleep(0.3)
        raise Failed(f"not everything became visible in time; see `{typed()} status`")

    def user_token(self, persona: dict[str, Any], audience: str = "childview") -> str:
        """A bearer token for one of the demonstration's people."""
        form = {"grant_type": "demonstration", "person": persona["person"], "post": persona["post"]}
        return self._grant(audience, form)

    def _bearer(self, service: str) -> str:
        if service not in self._tokens:
            self._tokens[service] = self._grant(service, {"grant_type": "client_credentials"})
        return self._tokens[service]

    def _grant(self, audience: str, form: dict[str, str]) -> str:
        body = {"client_id": "cli", "client_secret": self._secret, "audience": audience, **form}
        answer = self._http.post(f"http://127.0.0.1:{port_of('issuer')}/token", data=body)
        if not answer.is_success:
            raise Failed("the issuer gave no token")
        return answer.json()["access_token"]


def _why(service: str, status: int, text: bytes) -> str:
    """A problem in its own words; of a return that is empty, what was left out of it."""
    try:
        body = json.loads(text)
    except ValueError:
        return f"{service}: {status}"
    return _words(service, status, body)


def _words(service: str, status: int, body: dict[str, Any]) -> str:
    """What a problem says, and below it a line for each thing that is wrong or was left out, as far as one screen holds."""
    left = [f"{one['count']} x {one['where']}: {one['why']}" for one in body.get("report", {}).get("left_out", [])]
    wrong = [": ".join(str(value) for value in one.values()) for one in body.get("errors", []) if isinstance(one, dict)]
    return "\n  ".join([f"{service}: {body.get('detail', status)}", *(left or wrong)[:MOST_LINES]])


class _Told:
    """An open file that tells when it is first read."""

    def __init__(self, path: Path, tell: Callable[[Path], None]) -> None:
        self._file: IO[bytes] = path.open("rb")
        self._path, self._tell = path, tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._file.tell() == 0:
            self._tell(self._path)
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
