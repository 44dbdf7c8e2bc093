"""What a browser meets when it is not given what it asked for: a page of the same words and status. Everybody else gets JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.childview.pages.problems import prefers_page
from tests.serving import Authority

SERVICES = ("policy", "childview")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def here(authority: Authority, tmp_path: Path) -> Authority:
    (tmp_path / "personas.json").write_text("[]")
    return authority


@pytest.mark.parametrize(
    "accept, page",
    [
        (BROWSER, True), ("text/html", True), ("text/html;q=0.8, application/json;q=0.5", True), ("", False), ("*/*", False), ("application/json", False),
        ("application/problem+json, text/html;q=0.5", False), ("application/json, text/html", False), ("text/html;q=nonsense", False), ("TEXT/HTML", True),
    ],
)  # fmt: skip
def test_who_says_that_a_page_is_wanted_gets_one(accept, page):
    assert prefers_page(accept) is page


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/nothing", 404), ("DELETE", "/find", 405), ("GET", f"/v1/children/{UNKNOWN}", 401), ("POST", "/see-as", 422),
        ("GET", "/v1/me", 401), ("POST", "/v1/children/search", 401),
    ],
)  # fmt: skip
async def test_a_problem_is_a_page_for_a_browser_and_json_for_everybody_else(here, method, path, status):
    told = await here.ask(method, "childview", path, as_=None)
    shown = await here.ask(method, "childview", path, as_=None, headers={"Accept": BROWSER})
    assert told.status_code == shown.status_code == status
    assert told.headers["Content-Type"] == "application/problem+json" and shown.headers["Content-Type"] == "text/html; charset=utf-8"
    body = json.loads(told.content)
    assert f"<h1 class=\"govuk-heading-l\">{body['title']}</h1>" in shown.text and body["detail"] in shown.text
    assert all(wrong["at"] in shown.text for wrong in body.get("errors", []))
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"] and shown.headers["Cache-Control"] == "no-store"


async def test_what_else_a_problem_carries_in_its_headers_stays(here):
    told = await here.ask("DELETE", "childview", "/find", as_=None)
    shown = await here.ask("DELETE", "childview", "/find", as_=None, headers={"Accept": BROWSER})
    kept = {name for name in told.headers if name not in ("content-type", "content-length", "date")}
    assert kept <= shown.headers.keys() and {name: told.headers[name] for name in kept} == {name: shown.headers[name] for name in kept}


async def test_what_is_no_problem_stays_what_it_is(here):
    for path in ("/health/ready", "/openapi.json", "/static/site.css"):
        told, shown = [await here.ask("GET", "childview", path, as_=None, headers={"Accept": accept}) for accept in ("*/*", BROWSER)]
        assert (told.status_code, told.content) == (shown.status_code, shown.content)


@pytest.mark.parametrize("path, status", [("/", 404), ("/authorize", 422), ("/authorize?client_id=x&redirect_uri=y&state=z&code_challenge=c&code_challenge_method=S256", 400)])
async def test_who_comes_to_the_sign_in_by_itself_is_led_to_the_pages(here, path, status):
    shown = await here.http.get(here.issuer.url + path, headers={"Accept": BROWSER})
    assert shown.status_code == status and f'href="{here.urls["childview"]}"' in shown.text
    told = await here.http.get(here.issuer.url + path)
    assert told.status_code == status and told.json()["detail"]
