"""Keys of social care's streams: to the services they are for alone, recorded before they leave, and gone when destroyed."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

from services.plumbing.sealing import Keyring
from tests.serving import MASTER, Authority

SERVICES = ("policy", "socialcare")
NOBODY = str(uuid.UUID(int=9 << 76 | 8 << 60 | 9))


@pytest.fixture
async def here(authority: Authority) -> Authority:
    return authority


async def person(here: Authority, local_id: str) -> str:
    return (await here.ask("POST", "socialcare", "/v1/persons", json={"local_id": local_id})).json()["id"]


async def ask(here: Authority, who: str, *names: tuple[str, str], post: str | None = None):
    body = {"keys": [{"stream": stream, "record_class": kind} for stream, kind in names]}
    return await here.ask("POST", "socialcare", "/v1/keys", as_=who, post=post, json=body)


async def pair(here: Authority) -> str:
    one, other = await person(here, "C1"), await person(here, "C2")
    done = await here.ask("POST", "socialcare", f"/v1/persons/{one}/adoption-pair", json={"other": other})
    assert done.status_code == 201
    return one


async def test_who_an_adopted_child_was_opens_to_identity_alone(here):
    one = await pair(here)
    for who, status in (("identity", "key"), ("projector", "not-for-you"), ("childview", "not-for-you")):
        answers = (await ask(here, who, (one, "R-ADOPT-PAIR"), (one, "R-IDENT"))).json()["keys"]
        assert [(found["status"], "key" in found) for found in answers] == [(status, status == "key"), ("key", True)], who


@pytest.mark.parametrize("who", ["cli", "socialcare", "education", "policy", "audit"])
async def test_who_reads_no_stream_gets_no_key(here, who):
    assert (await ask(here, who, (await person(here, "C1"), "R-IDENT"))).status_code == 403


async def test_a_person_gets_no_key(here):
    assert (await ask(here, "identity", (await person(here, "C1"), "R-IDENT"), post="a-post")).status_code == 403


async def test_a_key_that_never_was_is_nothing_and_one_that_is_gone_is_destroyed(here):
    one = await person(here, "C1")
    conn = await asyncpg.connect(here.databases["socialcare"])
    before = (await ask(here, "identity", (one, "R-IDENT"), (one, "R-CP"), (NOBODY, "R-IDENT"))).json()["keys"]
    assert await Keyring(MASTER).destroy(conn, (one, "R-IDENT"))
    await conn.close()
    after = (await ask(here, "identity", (one, "R-IDENT"))).json()["keys"]
    assert [found["status"] for found in (*before, *after)] == ["key", "nothing", "nothing", "destroyed"]


async def test_every_asking_for_keys_is_recorded_in_counts_and_names_no_stream(here):
    one = await pair(here)
    await ask(here, "projector", (one, "R-ADOPT-PAIR"), (one, "R-IDENT"))
    made = (await here.accesses("socialcare", "keys"))[-1]
    assert made["person"] == "service:projector" and one not in str(made)
    assert made["detail"]["keys"] == {"R-ADOPT-PAIR not-for-you": 1, "R-IDENT key": 1}
