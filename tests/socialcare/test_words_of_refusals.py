"""A request that is wrong is told where, and never hears again what stood there: it may be a name."""

from __future__ import annotations

import asyncpg
import pytest

from services.plumbing.edge import AWAY
from tests.plumbing.test_edge import answered
from tests.serving import Authority

SERVICES = ("policy", "socialcare")


async def person(here: Authority) -> str:
    return (await here.ask("POST", "socialcare", "/v1/persons", json={"local_id": "C1"})).json()["id"]


@pytest.mark.parametrize(
    ("kind", "body", "at"),
    [
        ("protection", {"protection_kind": "Canary", "start_date": "2026-11-01"}, "body/protection_kind"),
        ("protection", {"protection_kind": "shielded", "start_date": "Canary"}, "body/start_date"),
        ("protection", {"protection_kind": "shielded", "start_date": "2026-11-01", "canary": "Canary"}, "body/canary"),
        ("protection", {"protection_kind": "shielded", "start_date": "2026-11-01", "named_professional_ids": ["", "Canary"]}, "named_professional_ids"),
        ("referrals", {"referral_id": "Canary", "referral_date": "Canary"}, "referral_date"),
        ("referrals", {"referral_date": "2026-11-01", "referral_source": "Canary"}, ""),
    ],
)
async def test_a_wrong_body_is_told_where_it_is_wrong_and_not_what_stood_there(authority, kind, body, at):
    method = "PUT" if kind == "protection" else "POST"
    answer = await authority.ask(method, "socialcare", f"/v1/persons/{await person(authority)}/{kind}", json=body)
    assert answer.status_code == 422 and answer.json()["type"] == "/problems/validation"
    (place, *_) = answer.json()["errors"]
    assert at in place["at"] and place["why"] and "Canary" not in answer.text


@pytest.mark.parametrize("error", [*AWAY, asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError])
async def test_a_database_that_is_away_is_a_part_that_cannot_be_reached(error):
    answer = await answered(error("Canary"))
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-lease") and "Canary" not in answer.text
