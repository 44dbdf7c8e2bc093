"""The pages' words, their sealed session, and what is vendored."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI, Request, Response

from services.childview.pages import rendering, sections, session, words
from services.childview.projection.catalogue import Catalogue
from services.plumbing.settings import from_environment

ROOT = Path(__file__).parents[3]
VENDOR = ROOT / "services/childview/static/vendor"
CATALOGUE = Catalogue.load(ROOT / "contracts")
SETTINGS = from_environment(
    "childview",
    "api",
    {"CHILDVIEW_DATABASE": "postgresql://nowhere", "CHILDVIEW_ISSUER": "http://nowhere", "CHILDVIEW_CLIENT_SECRET": "none", "CHILDVIEW_DIGEST_KEY": "11" * 32},
)


def said(id: str, found) -> str:
    return words.value(CATALOGUE, next(field for field in CATALOGUE.fields if field.id == id), found)


def test_periods_answers_terms_and_lists_read_as_people_say_them():
    assert said("enrolment_period", {"end": "2026-03-12", "start": "2025-12-29"}) == "from 29 December 2025 to 12 March 2026"
    assert said("enrolment_period", {"start": "2025-12-29"}) == "since 29 December 2025"
    assert said("free_meals_period", {"country": "ENG", "start": "2026-01-01"}) == "since 1 January 2026, country England"
    assert said("referral_nfa", False) == "no" and said("assessment_child_seen", True) == "yes"
    assert said("visit_seen", {"alone": True, "bedroom": False, "child": True}) == "child yes, alone yes, bedroom no"
    assert said("attendance_term", "2026-summer-half-term-2") == "Summer 2026, second half"
    assert said("attendance_term", "2026-autumn") == "Autumn 2026"
    assert said("school", {"id": "9994001", "name": "Redbank"}) == "Redbank (9994001)"
    assert said("sen_need", [{"rank": 1, "sen_type": "SPLD"}, {"rank": 2, "sen_type": "MLD"}]) == "1 Specific learning difficulty, 2 Moderate learning difficulty"
    assert said("assessment_factors_of_others", ["1B", "4B"]) == "Alcohol misuse, a parent or carer; Mental health, a parent or carer"
    assert said("related_person", {"family_name": "Berg", "given_name": "Ada"}) == "Ada Berg"
    assert said("ehc_assessment_outcome", "Y") == "Yes"
    assert said("address", ["180 Elm Street", "Wexmoor"]) == "180 Elm Street, Wexmoor"
    assert said("first_language", "SOM") == "Somali" and said("first_language", "QQQ") == "QQQ"
    assert said("telephone_type", "M") == "Mobile"
    assert said("referrals_12_months", {"count": 3, "latest": "2026-11"}) == "3, the latest in November 2026"
    assert said("referrals_12_months", {"count": 1, "latest": "2026-11-03"}) == "1, on 3 November 2026"
    assert said("missing_episodes_year", {"missing": 0, "away": 0}) == "none"
    assert said("missing_episodes_year", {"missing": 2, "away": 0}) == "missing 2, away 0"
    assert said("care_leaver_until", {"until_age": 25}) == "until age 25"


def test_a_period_that_is_shown_in_part_reads_as_one():
    assert said("assessment_period", "2026-08, ended") == "from August 2026, ended"
    assert said("plan_period", "2026-03") == "from March 2026"
    assert said("early_help_period", "open") == "open"


def test_how_somebody_stands_to_a_child_is_said_in_words():
    kinds = yaml.safe_load((ROOT / "contracts/attributes.yaml").read_text())["relationship"]["kinds"]["values"]
    texts = [words.relationship(CATALOGUE, [kind], "current") for kind in kinds]
    assert all(text[0].isupper() and "_" not in text for text in texts), texts
    assert words.relationship(CATALOGUE, ["allocated", "cover"], "closing") == "Allocated worker, Cover for a worker (closing)"


def test_the_moment_of_a_page_has_no_microseconds_and_an_entrys_day_is_said_once():
    assert words.moment("2026-11-24T23:01:14.783542Z") == "24 November 2026, 23:01:14 UTC"
    assert words.day("2026-12") == "December 2026"
    shown = {"level": "full", "value": "N1", "source": "socialcare", "effective": "2026-03-09"}
    field = next(f for f in CATALOGUE.fields if f.id == "primary_need")
    assert words.row(CATALOGUE, field, shown, of="2026-03-09").note == "children's social care"
    assert words.row(CATALOGUE, field, shown).note == "children's social care, as of 9 March 2026"


def test_every_vendored_file_is_in_the_manifest_with_its_sum_and_licence():
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    files = {path.name for path in VENDOR.iterdir()} - {"manifest.json"} - {one["licence_text"] for one in manifest.values()}
    assert files == manifest.keys()
    for name, one in manifest.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == one["sha256"]
        assert {"package", "version", "licence"} <= one.keys() and (VENDOR / one["licence_text"]).exists()


def test_the_government_typeface_and_crest_are_not_used():
    css = (VENDOR / "govuk-frontend.css").read_text()
    assert "GDS Transport" not in css and "@font-face" not in css and "crest" not in css and "url(" not in css


def test_no_page_has_a_script_or_a_style_of_its_own():
    for path in (ROOT / "services/childview/pages/templates").glob("*.html"):
        text = path.read_text()
        assert "<script" not in text and "style=" not in text and "onclick" not in text and "|safe" not in text, path.name


def test_a_session_is_read_back_and_nobody_else_reads_changes_or_swaps_it():
    held = session.Session("token", time.time() + 60, "csrf", "id", {"c": "casework"})
    sealed = session.seal(SETTINGS, held, name=session.COOKIE)
    assert session.unseal(SETTINGS, sealed, session.Session, name=session.COOKIE) == held
    assert "token" not in sealed
    for wrong in (sealed[:-4] + "AAAA", "", None, "nonsense"):
        assert session.unseal(SETTINGS, wrong, session.Session, name=session.COOKIE) is None
    assert session.unseal(SETTINGS, sealed, session.Session, name=session.SIGNING) is None
    other = dataclasses.replace(SETTINGS, digest_key=b"2" * 32)
    assert session.unseal(other, sealed, session.Session, name=session.COOKIE) is None


def test_a_session_that_is_over_is_none():
    sealed = session.seal(SETTINGS, session.Session("t", time.time() - 1, "c", "id"), name=session.COOKIE)
    assert session.unseal(SETTINGS, sealed, session.Session, name=session.COOKIE) is None


def _cookies(public: str) -> list[str]:
    """What a sign-in and a kept session set where people reach the pages at this address."""
    app = FastAPI()
    app.state.settings = dataclasses.replace(SETTINGS, urls={**SETTINGS.urls, "childview": public})
    request, response = Request({"type": "http", "app": app, "headers": []}), Response()
    session.start(request, response, following="/find")
    session.keep(request, response, session.Session("t", time.time() + 60, "c", "id"))
    return response.headers.getlist("set-cookie")


def test_cookies_are_sent_by_https_alone_where_people_come_by_https():
    assert [("; Secure" in one, "; HttpOnly" in one) for one in _cookies("https://childview.example")] == [(True, True)] * 2
    assert [("; Secure" in one, "; HttpOnly" in one) for one in _cookies("http://127.0.0.1:8100")] == [(False, True)] * 2


@pytest.mark.parametrize("following", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:x", ""])
def test_nobody_is_sent_elsewhere_after_signing_in(following):
    assert session._inside(following) == "/find"


def test_values_are_said_in_words():
    code, born = CATALOGUE.by_id("attendance_code"), CATALOGUE.by_id("birth_date")
    assert words.value(CATALOGUE, code, "I") == "Illness"
    assert words.value(CATALOGUE, born, "2015-03-05") == "5 March 2015"
    masked = words.row(CATALOGUE, born, {"level": "masked", "value": "2015"})
    assert masked.note == "shown in part"


def shown(value, **more) -> dict:
    return {"level": "full", "value": value, "source": "education", **more}


def mark(day: str, code: str) -> dict:
    fields = {"attendance_session": shown({"date": day, "session": "AM"}), "attendance_code": shown(code)}
    return {"id": day, "kind": "mark", "effective": day, "source": "education", "fields": fields}


def test_many_entries_of_one_kind_stand_folded_and_the_few_beside_them_do_not():
    term = {"id": "t", "kind": "summary", "effective": "2026-05-22", "fields": {"attendance_term": shown("2026-summer")}}
    marks = [mark(f"2026-11-{day:02}", "I") for day in range(2, 2 + sections.MANY + 1)]
    found = sections.section(CATALOGUE, "attendance", {"items": [*marks, term], "next": "50"})
    assert [one.label for one in found.entries] == ["Term"] and found.following == "50"
    assert {label: len(entries) for label, entries in found.folded.items()} == {"Mark": sections.MANY + 1}
    few = sections.section(CATALOGUE, "attendance", {"items": marks[:3], "next": None})
    assert len(few.entries) == 3 and not few.folded


def test_where_an_entry_is_from_is_said_once_unless_its_rows_differ():
    one = mark("2026-11-02", "I")
    found = sections.entry(CATALOGUE, "attendance", one)
    assert found.note == "education" and {row.note for row in found.rows} == {""}
    one["fields"]["attendance_code"] = {"level": "masked", "value": "I"}
    found = sections.entry(CATALOGUE, "attendance", one)
    assert found.note == "" and {row.note for row in found.rows} == {"education", "shown in part"}


def test_further_entries_are_a_link_and_no_link_leads_nowhere():
    templates = rendering.templates()
    held = {"items": [mark("2026-11-02", "I")], "next": "50"}
    more = {"session": None, "demonstration": False, "id": "ID", "access": ""}
    html = templates.get_template("entries.html").render(section=sections.section(CATALOGUE, "attendance", held), **more)
    assert 'href="/children/ID/entries/attendance?cursor=50"' in html and 'href="/children/ID"' in html
    last = templates.get_template("entries.html").render(section=sections.section(CATALOGUE, "attendance", held | {"next": None}), **more)
    assert "cursor" not in last


def test_no_template_names_a_category_or_a_field():
    names = {*CATALOGUE.categories, *(field.id for field in CATALOGUE.fields)} - {"address"}
    allowed = {"find.html"}
    for path in (ROOT / "services/childview/pages/templates").glob("*.html"):
        quoted = set(re.findall(r"""["']([a-z_]+)["']""", path.read_text()))
        assert path.name in allowed or not quoted & names, path.name
