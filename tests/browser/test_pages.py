"""What a practitioner meets in a browser: sign in, find a child, the child. No script runs in any of it."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser
CLUE = "The clue across files"


def name_of(demonstration, who: str) -> str:
    return next(p["name"] for p in demonstration.personas() if who in (p["role"], p["person"]))


def sign_in(page, demonstration, who: str) -> None:
    persona = next(p for p in demonstration.personas() if who in (p["role"], p["person"]))
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name=f"{persona['name']}, {persona['title']}").first.click()
    page.wait_for_url("**/find")


def find(page, scenario: dict) -> None:
    page.goto("/find")
    for field, text in scenario["search"].items():
        page.locator(f"#{field}").fill(text)
    page.locator("#purpose").select_option(scenario["purpose"])
    page.get_by_role("button", name="Find", exact=True).click()


def open_child(page, scenario: dict) -> None:
    find(page, scenario)
    name = f"{scenario['search']['given_name']} {scenario['search']['family_name']}"
    page.get_by_role("link", name=name).first.click()
    page.wait_for_url("**/children/*")


def test_a_social_worker_finds_a_child_and_reads_the_chronology(page, demonstration, scenarios, picture):
    sign_in(page, demonstration, scenarios[CLUE]["be"])
    picture(page, "find")
    open_child(page, scenarios[CLUE])
    picture(page, "child")
    assert page.get_by_role("heading", name="Jamila Scherbenfeld").is_visible()
    chronology = page.locator("ol.timeline").inner_text()
    assert "Referrals" in chronology and "Attendance" in chronology
    assert re.search(r"Access-Id [0-9a-f-]{36}", page.content())


def test_seen_as_her_teacher_the_same_page_shows_less(page, demonstration, scenarios, picture):
    sign_in(page, demonstration, scenarios[CLUE]["be"])
    open_child(page, scenarios[CLUE])
    address = page.url
    page.locator("#person").select_option("teacher")
    page.get_by_role("button", name="See as").click()
    page.get_by_role("button", name="Continue").click()
    picture(page, "child-as-teacher")
    assert page.url == address
    text = page.locator("main").inner_text()
    assert "Attendance" in text and "Referral" not in text
    assert "social care" not in text.split("This visit is for")[-1]


def test_a_hidden_child_and_an_unknown_one_are_the_same_page(page, demonstration, scenarios):
    shielded = scenarios["The same, as the protection team"]
    child = demonstration.search("protection-officer", purpose="enquiry", **shielded["search"])[0]["id"]
    sign_in(page, demonstration, "social-work-manager")
    contents = []
    for id in (child, "00000000-0000-4000-8000-000000000000"):
        page.goto(f"/children/{id}")
        page.get_by_role("button", name="Continue").click()
        contents.append(re.sub(r'value="[^"]*"', "", page.content()).replace(id, "ID"))
    assert contents[0] == contents[1]


def test_a_page_of_entries_leads_on_and_back(page, demonstration, scenarios, picture):
    sign_in(page, demonstration, scenarios[CLUE]["be"])
    open_child(page, scenarios[CLUE])
    address = page.url
    page.goto(f"{address}/entries/attendance?cursor=3")
    picture(page, "entries")
    assert page.get_by_role("heading", name="Attendance: further entries").is_visible()
    assert page.get_by_text(re.compile(r"Mark: \d+ entries")).is_visible()
    page.get_by_role("link", name="Back to the child").click()
    assert page.url == address


def test_a_wrong_address_is_a_page_and_not_data(page, demonstration, picture):
    answer = page.goto("/children")
    picture(page, "not-found")
    assert answer is not None and answer.status == 404
    assert page.get_by_role("heading", name="Not found").is_visible() and page.get_by_text("There is nothing at this address.").is_visible()


def test_wrong_input_is_said_and_nothing_is_lost(page, demonstration, picture):
    sign_in(page, demonstration, "social-worker")
    page.locator("#family_name").fill("Scherbenfeld")
    page.get_by_role("button", name="Find", exact=True).click()
    picture(page, "find-error")
    assert page.get_by_role("alert").is_visible()
    assert page.locator("#family_name").input_value() == "Scherbenfeld"
    assert "Scherbenfeld" not in page.url and "Scherbenfeld" not in page.title()


def test_nobody_reads_without_signing_in(page, demonstration):
    for path in ("/find", "/caseload", "/children/00000000-0000-4000-8000-000000000000"):
        page.goto(path)
        assert page.get_by_role("heading", name="Sign in (demonstration)").is_visible()


def test_the_caseload_leads_to_children(page, demonstration, picture):
    sign_in(page, demonstration, "sw-001")
    page.goto("/caseload")
    picture(page, "caseload")
    page.get_by_role("link", name="Lena Offenbarsson").click()
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_role("heading", name="Lena Offenbarsson").is_visible()


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_runs_over_a_small_screen(page, demonstration, scenarios, picture, width):
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, demonstration, scenarios[CLUE]["be"])
    open_child(page, scenarios[CLUE])
    picture(page, f"child-{width}")
    box = page.locator("main").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert all(cell["x"] + cell["width"] <= width for cell in (c.bounding_box() for c in page.locator("dd:visible").all()[:40]) if cell)


def test_the_keyboard_reaches_everything_in_order(page, demonstration):
    sign_in(page, demonstration, "social-worker")
    page.goto("/find")
    page.keyboard.press("Tab")
    assert page.locator("a.govuk-skip-link:focus").count() == 1
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        seen.append(focused.get_attribute("id") if focused.count() else None)
    wanted = ["given_name", "family_name", "birth_date", "postcode", "number", "number_type", "purpose"]
    assert [one for one in seen if one in wanted][: len(wanted)] == wanted


def test_no_page_breaks_the_accessibility_rules(browser, demonstration, scenarios):
    """With script on, for the checker's sake alone: WCAG 2.2 AA by axe."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(base_url=f"http://127.0.0.1:{demonstration.port('childview')}", bypass_csp=True)
    page = context.new_page()
    sign_in(page, demonstration, scenarios[CLUE]["be"])
    pages = {"find": Axe().run(page)}
    open_child(page, scenarios[CLUE])
    pages["child"] = Axe().run(page)
    page.goto("/")
    pages["start"] = Axe().run(page)
    context.close()
    assert [(name, v["id"]) for name, found in pages.items() for v in found.response["violations"]] == []
