"""What a caller gets for wrong, odd and huge requests: a clear refusal, nothing widened, nothing stopped."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.journeys.installation import NO_TLS, Installation

BORN = "2017-11-24"


def search(here: Installation, **body) -> httpx.Response:
    return here.ask("social-worker", "POST", "/v1/children/search", json=body)


@pytest.mark.parametrize(
    "body",
    [{"family_name": 1, "given_name": 2, "birth_date": BORN}, {"birth_date": [BORN]}, {"birth_date": "24.11.2017"},
     {"birth_date": BORN, "identifier": {"type": "zzz", "value": "1"}}, {"birth_date": BORN, "identifier": {"type": ["upn"], "value": "1"}},
     {"family_name": "\ud800", "birth_date": BORN}, {"family_name": "a\0b", "birth_date": BORN}, {"family_name": "a" * 201, "birth_date": BORN}],
    ids=str,
)  # fmt: skip
def test_a_criterion_that_cannot_be_searched_by_is_refused_and_never_left_out(demonstration, body):
    answer = demonstration.ask("social-worker", "POST", "/v1/children/search", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json()["type"] == "/problems/validation", answer.text


def test_a_birth_date_is_read_as_people_write_it(demonstration):
    told = json.loads((demonstration.state / "demonstration" / "scenarios.json").read_text())
    clue = next(one["search"] for one in told if one["name"] == "The clue across files")
    year, month, day = clue["birth_date"].split("-")
    found = search(demonstration, **{**clue, "birth_date": f"{day}/{month}/{year}"}).json()["items"]
    assert found and found == search(demonstration, **clue).json()["items"]


@pytest.mark.parametrize("token", [True, False])
def test_a_huge_body_is_refused_before_it_is_read(demonstration, token):
    headers = {"Authorization": f"Bearer {demonstration.token('teacher')}"} if token else {}
    body = b'{"family_name": "' + b"a" * 5_000_000 + b'"}'
    address = f"http://127.0.0.1:{demonstration.port('childview')}/v1/children/search"
    assert httpx.post(address, content=body, headers=headers, timeout=20, verify=NO_TLS).status_code in (401, 413)


def child(here: Installation) -> str:
    told = json.loads((here.state / "demonstration" / "scenarios.json").read_text())
    return search(here, **next(one["search"] for one in told if one["name"] == "The clue across files")).json()["items"][0]["id"]


@pytest.mark.parametrize("reason", ["in danger\0 now", " " * 20, ""])
def test_a_reason_that_says_nothing_or_cannot_be_kept_opens_no_glass(demonstration, reason):
    body = {"reason": reason, "minutes": 5}
    answer = demonstration.ask("social-worker", "POST", f"/v1/children/{child(demonstration)}/break-glass", purpose="emergency", json=body)
    assert answer.status_code == 422, answer.text
    assert "policy.events" not in demonstration.run("park", "list").stdout


def test_if_none_match_is_a_list_weakly_compared_and_a_star(demonstration):
    id = child(demonstration)
    etag = demonstration.read("social-worker", id).headers["ETag"]
    for named in (etag, f'"other", W/{etag}', "*"):
        assert demonstration.ask("social-worker", "GET", f"/v1/children/{id}", headers={"If-None-Match": named}).status_code == 304
    assert demonstration.ask("social-worker", "GET", f"/v1/children/{id}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_caseload_stands_by_family_name(demonstration):
    items = demonstration.ask("social-worker", "GET", "/v1/caseload").json()["items"]
    names = [one["fields"]["family_name"]["value"].casefold() for one in items if "family_name" in one["fields"]]
    assert len(names) > 3 and names == sorted(names)


def test_a_method_that_an_address_does_not_take_is_told_so(demonstration):
    answer = demonstration.ask("social-worker", "DELETE", f"/v1/children/{child(demonstration)}/chronology")
    assert answer.status_code == 405 and "method" in answer.json()["detail"]
