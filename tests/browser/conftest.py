"""The pages in Chromium against a small demonstration."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.installation import Installation, installed


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A small invented authority, loaded."""
    with installed(tmp_path_factory.mktemp("browser") / "state") as running:
        loaded = running.run("demo", "load", "--children", "120", "--seed", "3", timeout=400)
        assert loaded.returncode == 0, loaded.stderr
        yield running


@pytest.fixture(scope="session")
def scenarios(demonstration: Installation) -> dict[str, dict]:
    """The named children: scenario's name -> who to be, what to type."""
    found = json.loads((demonstration.state / "demonstration" / "scenarios.json").read_text())
    return {one["name"]: one for one in found}


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Chromium of the machine; without it the tests are left out, and say how to get it."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is missing: `apt install chromium`, or name it with CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser, demonstration: Installation) -> Iterator:
    """A page of a browser that knows nobody; what goes wrong in it fails the test."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{demonstration.port('childview')}", java_script_enabled=False)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" and "404" not in message.text else None)
    opened.on("requestfailed", lambda request: wrong.append(request.url) if request.failure != "net::ERR_ABORTED" else None)
    opened.set_default_timeout(15_000)
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable:
    """Keeps a screenshot where CHILDVIEW_SCREENSHOTS says."""
    folder = os.environ.get("CHILDVIEW_SCREENSHOTS")

    def take(page, name: str) -> None:
        if folder:
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return take
