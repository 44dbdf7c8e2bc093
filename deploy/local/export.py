"""Export each service's OpenAPI to contracts/http. `python -m deploy.local.export [--check]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from services.audit import main as audit
from services.childview import main as childview
from services.education import main as education
from services.plumbing import settings, source
from services.policy import main as policy
from services.socialcare import main as socialcare

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "contracts" / "http"
APPLICATIONS = {
    "audit": audit.application,
    "childview": childview.application,
    "education": lambda found: source.application(education.KIND, found),
    "policy": policy.application,
    "socialcare": lambda found: source.application(socialcare.KIND, found),
}


def described(service: str) -> str:
    """One service's description, as text that is the same each time. Nothing is connected to."""
    return json.dumps(APPLICATIONS[service](_settings(service)).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _settings(service: str) -> settings.Settings:
    secret = dict.fromkeys((settings.MASTER, settings.ADDRESS, settings.DIGEST), "00" * settings.KEY_BYTES)
    nowhere = {"CHILDVIEW_DATABASE": "postgresql://nowhere", "CHILDVIEW_ISSUER": "http://nowhere", settings.CLIENT: "none", **secret}
    nowhere["CHILDVIEW_CONTRACTS"] = str(ROOT / "contracts")
    return settings.from_environment(service, "api", nowhere)


def main() -> None:
    """Write them; with --check, say which are not as the code is, and exit 1."""
    stale = []
    for service in APPLICATIONS:
        path, text = FOLDER / f"{service}.json", described(service)
        if not path.exists() or path.read_text() != text:
            stale.append(service)
            if "--check" not in sys.argv:
                FOLDER.mkdir(exist_ok=True)
                path.write_text(text)
    if "--check" in sys.argv and stale:
        print(f"contracts/http is not as the code is for: {', '.join(stale)}. Run `make contracts`.")
        sys.exit(1)
    print("contracts/http is as the code is")


if __name__ == "__main__":
    main()
