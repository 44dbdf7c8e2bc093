"""The clearing house over HTTP's functions: who is shown a pair, who may decide it, and what is recorded of it.

Policy's answers are the starter policies; what stands in for asking it makes sure that nobody holds a connection meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from services.childview.identity import clearing_house
from services.childview.reading import duplicates, unmerging
from services.childview.reading.asking import Asker, Reading
from services.childview.reading.road import CRITICAL
from services.plumbing import database as databases
from services.plumbing.access import AccessWriter
from services.plumbing.kafka import envelope
from services.plumbing.problems import Problem
from services.plumbing.settings import from_environment
from services.plumbing.tokens import Principal
from tests.childview.identity.world import ADA, ADDA, MEASURE, RULES, SCHEMAS, World, record
from tests.childview.reading.test_relationship_and_gates import lease
from tests.policy.deciding import TRAINING, bundle

SETTINGS = {"CHILDVIEW_ISSUER": "http://nowhere", "CHILDVIEW_CLIENT_SECRET": "s"} | {
    f"CHILDVIEW_{name}_KEY": "11" * 32 for name in ("DIGEST", "ADDRESS", "MASTER")
}
A, B, C, D, S = (record(n) for n in range(1, 6))


class House:
    """A world with readers in it. `conflicts`: children whose gate is closed to each person."""

    def __init__(self, world: World, reading: Reading) -> None:
        self.world = world
        self.reading = reading
        self.conflicts: dict[str, dict[str, str]] = {}
        self.roles = {"protector": "protection-officer", "worker": "social-worker", "adopter": "adoption-officer"}

    async def lease(self, who: Principal, purpose: str, *, after: int = 0) -> Any:
        """What policy says of somebody; nobody may hold the pool's one connection while it is asked."""
        async with self.reading.pool.acquire(timeout=2):
            role = self.roles.get(who.subject, "clearing-house-officer")
        return lease(person=who.subject, post=who.post, role=role, organisation_kind="authority", training=list(TRAINING), purpose=purpose,
                     bundle=bundle().hash, conflicts=self.conflicts.get(who.subject, {}), professional_ids=[])  # fmt: skip

    async def bundle(self, _: Any) -> Any:
        """The starter policies."""
        return bundle()

    def asked(self, person: str) -> Asker:
        """Somebody asks now."""
        who = SimpleNamespace(subject=person, post=f"{person}-post", token=person, service=None)
        return Asker(who, "data_quality", "api", datetime.now(UTC))

    async def queue(self, person: str) -> list[dict[str, Any]]:
        """What somebody's queue shows."""
        return msgspec.json.decode((await duplicates.queue(self.reading, self.asked(person))).body)["items"]

    async def claim(self, person: str, pair: str) -> int:
        """Somebody claims a pair."""
        answer = await duplicates.claim(self.reading, self.asked(person), pair)
        await self.world.go()
        return answer.status

    async def decide(self, person: str, pair: str, outcome: str = "same", *, key: str | None = None) -> int:
        """Somebody decides a pair; the decision's number."""
        answer = await duplicates.decide(
            self.reading, self.asked(person), self.world.outbox, pair, outcome=outcome, reason="because", key=key
        )
        await self.world.go()
        return msgspec.json.decode(answer.body)["decision"]

    async def unmerge(self, person: str, child: str, number: int, *, key: str | None = None) -> int:
        """Somebody undoes a merge; the decision's number."""
        answer = await unmerging.unmerge(
            self.reading, self.asked(person), self.world.outbox, child, decision=number, reason="because", key=key
        )
        await self.world.go()
        return msgspec.json.decode(answer.body)["decision"]

    async def refused(self, work: Any) -> str:
        """The kind of problem that something comes to."""
        with pytest.raises(Problem) as raised:
            await work
        return raised.value.kind

    async def recorded(self) -> list[tuple[str, int, set[str]]]:
        """(action, status, children) of every access, the oldest first."""
        rows = await self.world.pool.fetch("select value from outbox where topic = 'childview.access' order by position")
        said = [msgspec.json.decode(bytes(envelope.decode(row["value"]).data)) for row in rows]
        return [(one["action"], one["status"], {child["child"] for child in one["children"]}) for one in said]

    async def pair(self, one: str, other: str) -> str:
        """The id of an open pair."""
        return await self.world._pair_id(one, other)


@pytest.fixture
async def house(database: str):
    world = await World(database).start()
    pool = await databases.connect(database, name="childview-reads", size=1)
    settings = from_environment("childview", "api", SETTINGS | {"CHILDVIEW_DATABASE": database})
    writer = AccessWriter(service="childview", dsn=database, schemas=SCHEMAS, telemetry=MEASURE)
    await writer.start()
    deciding = await databases.connect(database, name="childview", size=1)
    made = House(world, Reading(settings, pool, deciding, RULES.catalogue, None, writer, MEASURE))
    object.__setattr__(made.reading, "leases", made)
    await pool.executemany("insert into projection.freshness (source, as_of) values ($1, now())", [(name,) for name in CRITICAL])
    yield made
    await writer.stop()
    await deciding.close()
    await pool.close()
    await world.stop()


async def children(house: House, *streams: str) -> set[str]:
    return {await house.world.child(one) for one in streams}


async def test_nobody_decides_or_claims_a_pair_of_a_child_they_do_not_find(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    pair, both = await house.pair(A, B), await children(house, A, B)
    house.conflicts["near"] = {await house.world.child(A): "relative"}
    assert await house.queue("near") == []
    assert await house.refused(house.claim("near", pair)) == "not-found"
    assert await house.refused(house.decide("near", pair)) == "not-found"
    assert (await house.recorded())[-2:] == [("duplicate-claimed", 404, both), ("duplicate-decided", 404, both)]
    assert len(await children(house, A, B)) == 2


async def test_what_is_hidden_takes_no_place_in_the_queue(house: House, monkeypatch):
    for n, family in enumerate(("Berg", "Corn", "Ek")):
        await house.world.person(record(10 + 2 * n), ADA, family_name=family, birth_date=f"2015-03-{15 + n}")
        await house.world.person(record(11 + 2 * n), ADDA, family_name=family, birth_date=f"2015-03-{15 + n}")
    house.conflicts["near"] = {await house.world.child(record(n)): "relative" for n in (10, 13)}
    monkeypatch.setattr(duplicates, "MOST", 1)
    monkeypatch.setattr(clearing_house, "AT_ONCE", 1)
    shown = await house.queue("near")
    assert [{one["id"] for one in item["children"]} for item in shown] == [await children(house, record(14), record(15))]


async def test_a_claim_is_mine_alone_when_i_made_it(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    pair = await house.pair(A, B)
    assert [(one["claimed"], one["claimed_by_me"]) for one in await house.queue("first")] == [(False, False)]
    assert await house.claim("first", pair) == 204
    assert [(one["claimed"], one["claimed_by_me"]) for one in await house.queue("first")] == [(True, True)]
    assert [(one["claimed"], one["claimed_by_me"]) for one in await house.queue("second")] == [(True, False)]
    assert await house.refused(house.claim("second", pair)) == "held"
    assert await house.refused(house.decide("second", pair)) == "held"
    await house.decide("first", pair)


async def test_a_parked_social_care_stream_takes_its_pairs_out_of_everyones_hands(house: House):
    await house.world.person(A, ADA, "socialcare")
    await house.world.person(B, ADDA)
    pair = await house.pair(A, B)
    await house.world.pool.execute('insert into projection.parked (stream_id, topic, partition, "offset", reason) values ($1, $2, 0, 9, $3)', A, "socialcare.events", "x")
    assert await house.queue("officer") == []
    assert await house.refused(house.decide("officer", pair)) == "stale-source"
    assert (await house.recorded())[-1][:2] == ("duplicate-decided", 503)


async def test_a_decision_is_recorded_with_both_children_and_a_retry_gets_the_same_answer(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    pair, both = await house.pair(A, B), await children(house, A, B)
    number = await house.decide("officer", pair, key="k")
    assert (await house.recorded())[-1] == ("duplicate-decided", 201, both)
    assert await house.decide("officer", pair, key="k") == number
    assert await house.refused(house.decide("officer", pair, "different", key="k")) == "idempotency-mismatch"
    assert await house.refused(house.decide("officer", pair)) == "not-found"
    assert [status for action, status, _ in await house.recorded() if action == "duplicate-decided"] == [201, 201, 422, 404]


async def test_an_unmerge_is_recorded_with_the_children_it_makes_and_a_retry_gets_the_same_answer(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    both, merge = await children(house, A, B), await house.decide("officer", await house.pair(A, B))
    child = await house.world.child(A)
    number = await house.unmerge("officer", child, merge, key="k")
    assert (await house.recorded())[-1] == ("unmerge", 201, both)
    assert await house.unmerge("officer", child, merge, key="k") == number
    assert await house.refused(house.unmerge("officer", child, merge)) == "not-found", "it is no child of the clearing house's now"
    house.conflicts["near"] = {child: "relative"}
    assert await house.refused(house.unmerge("near", child, merge)) == "not-found"
    assert [one[:2] for one in (await house.recorded())[-2:]] == [("unmerge", 404), ("unmerge", 404)]


async def test_a_post_that_may_not_merge_is_refused_and_that_is_recorded(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    assert await house.refused(house.decide("worker", await house.pair(A, B))) == "not-found"
    assert (await house.recorded())[-1] == ("duplicate-decided", 404, set())


async def test_a_pair_with_a_shielded_child_is_the_protection_teams_alone(house: House):
    await house.world.shielded(S, ADA)
    await house.world.person(B, ADDA)
    pair = await house.pair(S, B)
    assert await house.queue("officer") == [] and await house.refused(house.decide("officer", pair)) == "not-found"
    assert [one["queue"] for one in await house.queue("protector")] == ["protection"]
    await house.decide("protector", pair, "different")
    assert await house.world.visible(B)


async def test_people_told_apart_are_not_joined(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADA, given_name="Adaa")
    await house.world.person(C, ADDA)
    third = await house.pair(C, B)
    await house.decide("officer", await house.pair(C, A), "different")
    await duplicates.decide(
        house.reading, house.asked("officer"), house.world.outbox, await house.pair(B, A), outcome="same", reason="because"
    )
    assert await house.refused(house.decide("officer", third)) == "held"


async def test_nobody_decides_while_identity_has_not_read_its_own_topic(house: House):
    await house.world.person(A, ADA)
    await house.world.person(B, ADDA)
    await house.world.pool.execute("delete from identity.followed")
    assert await house.refused(house.decide("officer", await house.pair(A, B))) == "stale-source"
