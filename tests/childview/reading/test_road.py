"""The road of a read on a real database: recorded before it leaves, refused when it may be wrong, and the same for what is hidden.

Policy's answers are the starter policies, for the post that a test gives each person.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from services.childview.projection.view import VERSION
from services.childview.reading import lists, road, search
from services.childview.reading.ready import Kept
from services.childview.reading.road import CRITICAL, Answer, Asker, Moved, Reading
from services.plumbing import access
from services.plumbing.access import AccessWriter
from services.plumbing.kafka import envelope
from services.plumbing.problems import Problem
from services.plumbing.settings import from_environment
from services.plumbing.tokens import Principal
from tests.childview.identity.world import ADA, ADDA, MEASURE, RULES, SCHEMAS, World, record
from tests.childview.reading.test_duplicates import SETTINGS
from tests.childview.reading.test_relationship_and_gates import lease
from tests.policy.deciding import ORGANISATIONS, TRAINING, bundle

A, B, C = record(1), record(2), record(3)
UNKNOWN = "00000000-0000-4000-8000-00000000000f"
SCHOOL = "9994001"
PEOPLE: dict[str, dict[str, Any]] = {
    "worker": {"role": "social-worker", "purpose": "enquiry", "professional_ids": []},
    "other": {"role": "social-worker", "purpose": "enquiry", "professional_ids": []},
    "allocated": {"role": "social-worker", "purpose": "casework", "professional_ids": ["sw-1"]},
    "teacher": {"role": "teacher", "purpose": "casework", "organisations": [SCHOOL], "professional_ids": []},
}
NAMES = {"family_name": "Berg", "given_name": "Ada"}


class Office:
    """A world with readers in it."""

    def __init__(self, world: World, reading: Reading) -> None:
        self.world, self.reading = world, reading

    async def lease(self, who: Principal, purpose: str, *, after: int = 0) -> Any:
        """What policy says of somebody."""
        found = PEOPLE[who.subject]
        kind = ORGANISATIONS[found["role"]]
        return lease(person=who.subject, post=who.post, organisation_kind=kind, training=list(TRAINING), bundle=bundle().hash, **{**found, "purpose": purpose})

    async def bundle(self, _: Any) -> Any:
        """The starter policies."""
        return bundle()

    def asked(self, person: str) -> Asker:
        """Somebody asks now."""
        who = SimpleNamespace(subject=person, post=f"{person}-post", token=person, service=None)
        return Asker(who, PEOPLE[person]["purpose"], "api", datetime.now(UTC))

    async def read(self, person: str, child: str, **more: Any) -> Answer:
        """Somebody reads a child."""
        return await road.read_child(self.reading, self.asked(person), child, **more)

    async def search(self, person: str, **body: Any) -> list[str]:
        """The children that somebody's search finds."""
        answer = await search.search(self.reading, self.asked(person), body)
        return [one["id"] for one in msgspec.json.decode(answer.body)["items"]]

    async def records(self) -> list[dict[str, Any]]:
        """Every access, the oldest first."""
        rows = await self.world.pool.fetch("select value from outbox where topic = 'childview.access' order by position")
        return [msgspec.json.decode(bytes(envelope.decode(row["value"]).data)) for row in rows]

    async def heard(self, source: str, *, ago: float) -> None:
        """A source spoke last so many seconds ago."""
        when = datetime.now(UTC) - timedelta(seconds=ago)
        await self.world.pool.execute("insert into projection.freshness values ($1, $2) on conflict (source) do update set as_of = $2", source, when)

    async def park(self, stream: str, topic: str) -> None:
        """Something in a stream cannot be understood."""
        await self.world.pool.execute('insert into projection.parked (stream_id, topic, partition, "offset", reason) values ($1, $2, 0, 9, $3)', stream, topic, "x")

    async def say(self, type: str, stream: str, **fields: Any) -> None:
        """Another event of a stream."""
        await self.world.go(self.world.event(type, stream, fields))


async def refusal(work: Awaitable[Any]) -> Problem:
    with pytest.raises(Problem) as raised:
        await work
    return raised.value


@pytest.fixture
async def office(database: str):
    world = await World(database).start()
    settings = from_environment("childview", "api", SETTINGS | {"CHILDVIEW_DATABASE": database})
    writer = AccessWriter(service="childview", dsn=database, schemas=SCHEMAS, telemetry=MEASURE)
    await writer.start()
    made = Office(world, Reading(settings, world.pool, world.pool, RULES.catalogue, None, writer, MEASURE))
    object.__setattr__(made.reading, "leases", made)
    await world.pool.executemany("insert into projection.freshness (source, as_of) values ($1, now())", [(name,) for name in CRITICAL])
    await world.person(A)
    yield made
    await writer.stop()
    await world.stop()


@pytest.fixture
async def child(office: Office) -> str:
    return await office.world.child(A)


def everything(office: Office, person: str, child: str, **more: Any) -> dict[str, Awaitable[Answer]]:
    """Every way to read, by the name it is recorded by."""
    asked = office.asked(person)
    return {
        "read": office.read(person, child),
        "not-modified": office.read(person, child, if_none_match="*"),
        "find-refused": office.read(person, UNKNOWN),
        "search": search.search(office.reading, asked, NAMES),
        "caseload": lists.caseload(office.reading, asked),
        "chronology": lists.chronology(office.reading, asked, child),
        "involved": lists.involved(office.reading, asked, child),
        "entries": lists.entries(office.reading, asked, child, "involvements", None),
    }


# -- the record --------------------------------------------------------------------------------------------------


async def test_every_way_to_read_leaves_one_record(office, child):
    for work in everything(office, "worker", child).values():
        try:
            await work
        except Problem as problem:
            assert problem.kind == "not-found"
    found = [(one["action"], one["status"]) for one in await office.records()]
    assert found == [(action, {"not-modified": 304, "find-refused": 404}.get(action, 200)) for action in everything_named()]


def everything_named() -> list[str]:
    return ["read", "not-modified", "find-refused", "search", "caseload", "chronology", "involved", "entries"]


async def test_what_cannot_be_recorded_is_shown_by_no_way(office, child, monkeypatch):
    monkeypatch.setattr(access, "PATIENCE", 0.5)
    writer = AccessWriter(service="childview", dsn="postgresql://nobody@127.0.0.1:1/none", schemas=SCHEMAS, telemetry=MEASURE)
    await writer.start()
    office.reading = replace(office.reading, writer=writer)
    try:
        kinds = {name: (await refusal(work)).kind for name, work in everything(office, "worker", child).items()}
    finally:
        await writer.stop()
    assert kinds == dict.fromkeys(everything_named(), "audit-unavailable")


async def test_a_record_says_by_which_policies_and_catalogue_what_was_shown(office, child):
    answer = await office.read("worker", child)
    made = (await office.records())[-1]
    assert made["id"] == answer.access_id
    assert made["bundle"] == bundle().hash and made["catalogue"] == RULES.catalogue.hash and made["projection_version"] == VERSION
    assert made["answer"] == access.digest(office.reading.settings.digest_key, answer.body)
    one = made["children"][0]
    index = RULES.catalogue.by_id("given_name").index
    assert one["child"] == child and one["streams"] == {A: 1} and one["decision"] > 0 and one["vectors"]["subject"]["post_role"] == "social-worker"
    assert int(one["fields"]["full"], 16) >> index & 1


async def test_a_record_of_a_search_holds_nothing_that_was_typed(office):
    await office.search("worker", **NAMES)
    made = (await office.records())[-1]
    assert made["query"] and "Berg" not in str(made) and "Ada" not in str(made)
    assert len(made["children"]) == 1


# -- what is stale or parked -------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["socialcare", "policy", "childview"])
@pytest.mark.parametrize("how", ["stale", "never heard of"])
async def test_a_source_that_could_hide_a_shield_must_be_fresh(office, child, source, how):
    await office.heard(source, ago=31)
    if how != "stale":
        await office.world.pool.execute("delete from projection.freshness where source = $1", source)
    for work in everything(office, "worker", child).values():
        problem = await refusal(work)
        assert problem.kind == "stale-source" and problem.status == 503 and "duty desk" in problem.body["detail"]
    await office.heard(source, ago=1)
    assert (await office.read("worker", child)).status == 200


def test_what_could_hide_a_shield_is_social_care_policy_and_decisions():
    assert {"socialcare", "policy", "childview"} == CRITICAL


async def test_a_school_that_is_late_is_shown_and_said_to_be(office, child):
    await office.heard("education", ago=31)
    assert msgspec.json.decode((await office.read("worker", child)).body)["may_be_out_of_date"] == ["education"]


async def test_a_child_with_a_parked_stream_of_social_care_is_refused_to_who_finds_it_and_unknown_to_others(office):
    await office.world.person(B, {**ADA, "given_name": "Bo", "family_name": "Corn"}, "socialcare")
    await office.say("socialcare.involvement-recorded.v1", B, involvement_id="i", involvement_kind="allocated", professional_id="sw-1", start_date="2026-01-01")
    child = await office.world.child(B)
    case = await lists.caseload(office.reading, office.asked("allocated"))
    assert child.encode() in case.body and child in await office.search("worker", family_name="Corn", given_name="Bo")
    await office.park(B, "socialcare.events")
    assert (await refusal(office.read("worker", child))).kind == "stale-source"
    assert (await office.records())[-1]["status"] == 503
    assert (await refusal(office.read("teacher", child))).kind == "not-found"
    assert await office.search("worker", family_name="Corn", given_name="Bo") == []
    assert child.encode() not in (await lists.caseload(office.reading, office.asked("allocated"))).body


async def test_a_child_with_another_parked_stream_is_shown_and_said_to_be_late(office, child):
    await office.park(A, "education.events")
    found = msgspec.json.decode((await office.read("worker", child)).body)
    assert found["may_be_out_of_date"] == ["education"] and (await office.records())[-1]["parked"] == ["education"]


async def test_rows_of_another_release_are_not_shown(office, child):
    await office.world.pool.execute("update projection.children set version = version - 1")
    assert (await refusal(office.read("worker", child))).kind == "stale-source"


# -- what is hidden ----------------------------------------------------------------------------------------------


async def test_a_hidden_child_is_answered_as_an_unknown_one(office, child):
    await office.world.shielded(B, {**ADA, "given_name": "Bo", "family_name": "Corn"})
    hidden = await refusal(office.read("worker", await office.world.child(B)))
    unknown = await refusal(office.read("worker", UNKNOWN))
    assert (hidden.status, hidden.body) == (unknown.status, unknown.body)
    assert await office.search("worker", family_name="Corn", given_name="Bo") == []


async def test_hidden_children_take_no_place_among_those_that_a_search_finds(office, monkeypatch):
    monkeypatch.setattr(search, "MOST", 2)
    letters = "abcdefghijklmn"
    for n, letter in enumerate(letters, 10):
        await office.world.person(record(n), {"given_name": 3 * letter, "family_name": 4 * letter, "birth_date": "2012-07-09", "identifiers": []}, "socialcare")
    for n in range(12, 10 + len(letters)):
        await office.world.protect(record(n))
    wanted = {await office.world.child(record(n)) for n in (10, 11)}
    assert set(await office.search("worker", birth_date="2012-07-09")) == wanted


async def test_a_search_matches_by_what_the_asker_sees_in_full_alone(office, child):
    await office.say("education.enrolment-recorded.v1", A, school=SCHOOL, entry_date="2020-09-01")
    await office.say("education.address-recorded.v1", A, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA", start_date="2020-01-01")
    masked = msgspec.json.decode((await office.read("teacher", child)).body)["entries"]["contact"]["items"][0]["fields"]["postcode"]
    assert masked == {"level": "masked", "value": "WX1"}
    for person in ("worker", "teacher"):
        assert await office.search(person, family_name="Berg", given_name="Ada") == [child]
        assert await office.search(person, family_name="Berg", postcode="WX1 1AA") == []
    await office.say("socialcare.person-recorded.v1", B, **ADA)
    await office.say("education.involvement-recorded.v1", A, involvement_id="i", involvement_kind="allocated", professional_id="sw-1", start_date="2026-01-01")
    assert await office.search("allocated", family_name="Berg", postcode="WX1 1AA") == [child]


async def test_an_etag_is_of_what_is_shown_to_this_asker_and_needs_the_key(office, child):
    before = await office.read("worker", child)
    await office.say("education.exclusion-recorded.v1", A, exclusion_id="x", school=SCHOOL, start_date="2026-10-01")
    answer = await office.read("worker", child)
    assert before.body == answer.body and before.etag == answer.etag, "an exclusion that is not shown changed the ETag"
    assert (await office.read("other", child)).etag != answer.etag
    office.reading = replace(office.reading, settings=replace(office.reading.settings, digest_key=b"another" * 5))
    assert (await office.read("worker", child)).etag != answer.etag


async def test_what_was_made_ready_for_one_asker_is_never_sent_to_another(office, child):
    await office.say("education.involvement-recorded.v1", A, involvement_id="i", involvement_kind="allocated", professional_id="sw-1", start_date="2026-01-01")
    await office.say("education.exclusion-recorded.v1", A, exclusion_id="x", school=SCHOOL, start_date="2026-10-01")
    bodies = [(await office.read(person, child)).body for person in ("allocated", "worker", "allocated")]
    assert bodies[0] == bodies[2] != bodies[1]
    office.reading = replace(office.reading, kept=Kept())
    assert (await office.read("worker", child)).body == bodies[1]


async def test_an_id_that_was_merged_away_leads_on_those_alone_who_find_the_child_it_became(office):
    await office.world.person(B, ADDA)
    both = {await office.world.child(A), await office.world.child(B)}
    await office.world.decide(A, B, "same")
    became = await office.world.child(A)
    gone = (both - {became}).pop()
    with pytest.raises(Moved) as moved:
        await office.read("worker", gone)
    assert moved.value.child == became and (await office.records())[-1]["action"] == "moved"
    hidden, unknown = await refusal(office.read("teacher", gone)), await refusal(office.read("teacher", UNKNOWN))
    assert (hidden.status, hidden.body) == (unknown.status, unknown.body)
