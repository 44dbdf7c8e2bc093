"""A model is learned, run beside the live one, and live only then."""

from __future__ import annotations

import pytest

from services.childview.identity import models, shadow
from services.childview.identity.model import Model, from_json, to_json
from services.childview.identity.shadow import NotRehearsed
from services.plumbing import database as databases
from tests.childview.identity.world import ADA, World, record, upn


@pytest.fixture
async def world(database: str):
    made = await World(database, projects=False).start()
    yield made
    await made.stop()


def silent(done: int, whole: int) -> None:
    """Nobody waits."""


async def population(world: World) -> None:
    """Twelve children, each known twice, and one pair that waits for people."""
    for n in range(12):
        fields = {**ADA, "given_name": f"Child{chr(97 + n) * 3}", "birth_date": f"2015-03-{n + 1:02d}", "identifiers": [upn(f"A{n}")]}
        await world.person(record(100 + n), fields)
        await world.person(record(200 + n), fields, "socialcare")
    await world.person(record(300), ADA)
    await world.person(record(301), ADA, "socialcare")


async def test_no_model_is_live_that_was_not_run_over_the_population(world: World):
    await population(world)
    async with databases.transaction(world.pool) as conn:
        model = await shadow.learn_anew(conn, expected=0, made="test")
        assert await models.live_version(conn) is None
        with pytest.raises(NotRehearsed):
            await shadow.go_live(conn, model.version)
        found = await shadow.rehearse(conn, model.version, say=silent)
        assert found.records == 26 and found.live == Model().version
        await shadow.go_live(conn, model.version)
        assert (await models.live(conn)).version == model.version


async def test_a_rehearsal_says_which_children_would_merge(world: World):
    await population(world)
    async with databases.transaction(world.pool) as conn:
        first = Model()
        same = {kind: {name: dict(levels) for name, levels in fields.items()} for kind, fields in first.chances.items()}
        same["stranger"]["given_name"]["equal"] /= 1000
        eager = Model(chances=same, twins=0.0, siblings=0.0, expected=30, made="eager")
        await models.keep(conn, eager)
        found = await shadow.rehearse(conn, eager.version, say=silent)
        assert [record(300), record(301)] in [list(group) for group in found.merges] or found.released
        assert not found.splits
        with pytest.raises(NotRehearsed):
            await shadow.rehearse(conn, "nothing", say=silent)


async def test_decisions_name_the_model_that_was_live(world: World):
    await population(world)
    async with databases.transaction(world.pool) as conn:
        model = await shadow.learn_anew(conn, expected=0, made="test")
        await shadow.rehearse(conn, model.version, say=silent)
        await shadow.go_live(conn, model.version)
    await world.person(record(400), {**ADA, "given_name": "Childaaa", "birth_date": "2015-03-01", "identifiers": [upn("A0")]})
    body = await world.pool.fetchval("select body from identity.decisions order by number desc limit 1")
    assert model.version in body


def test_a_model_is_the_same_after_it_was_stored():
    model = Model(places={"ZZ11ZZ": 3}, ignored=frozenset({"upn:X"}), expected=5, made="test")
    assert from_json(to_json(model)) == model and from_json(to_json(model)).version == model.version
