"""Whatever is written in a field: nothing fails, nothing is linked wrongly, and whoever it is of is not lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.childview.identity.demographics import of_address, of_person
from services.childview.identity.keys import CROWD
from tests.childview.identity.world import ADA, MEASURE, World, nhs, record, upn

NOBODYS = nhs("9999999999")


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Identity alone."""
    world = await World(database, projects=False).start()
    yield world
    await world.stop()


def somebody(n: int) -> dict[str, Any]:
    """Who is like nobody else."""
    letters = "".join("bdfglmnprt"[int(c)] + "aeiouaeiou"[int(c)] for c in f"{n:03d}")
    return {"given_name": letters, "family_name": letters[::-1], "birth_date": f"20{n % 15 + 5:02d}-{n % 12 + 1:02d}-{n % 27 + 1:02d}"}


async def test_a_number_on_five_hundred_records_joins_none_of_them(world: World):
    events = [
        world.event("socialcare.person-recorded.v1", record(n), {**somebody(n), "identifiers": [NOBODYS]}) for n in range(500)
    ]
    for start in range(0, 500, 100):
        await world.go(*events[start : start + 100])
    rows = await world.pool.fetch("select child_id, status from identity.links")
    assert len({row["child_id"] for row in rows}) == 500 > CROWD
    await world.person(record(900), {**somebody(900), "identifiers": [NOBODYS]})
    assert (await world.link(record(900))).status == "linked"
    text = MEASURE.metrics.render().decode()
    assert re.search(r"^childview_numbers_ignored\b.* 1\.0$", text, re.M) and NOBODYS["value"] not in text


async def test_a_number_that_few_records_bear_is_not_said_to_be_ignored(world: World):
    for n in range(3):
        await world.person(record(n), {**somebody(n), "identifiers": [NOBODYS]}, "socialcare")
    assert re.search(r"^childview_numbers_ignored\b.* 0\.0$", MEASURE.metrics.render().decode(), re.M)


@pytest.mark.parametrize(
    "name", ["x" * 300, "👧🏽👶", "\u202eعائشة\u202c", "علي", "   ", "-", "'", "\u0000".join("ab").replace("\u0000", "\ufffd"), "Ада"]
)
async def test_any_text_may_be_a_name(world: World, name: str):
    await world.person(record(1), {**ADA, "given_name": name, "family_name": name})
    await world.person(record(2), ADA)
    await world.person(record(3), {**ADA, "given_name": name, "family_name": name, "identifiers": [upn("A1")]}, "socialcare")
    assert len({await world.child(record(n)) for n in (1, 2)}) == 2


@pytest.mark.parametrize("day", ["2015-02-30", "0000-00-00", "9999-99-99", "2015", "yesterday", ""])
def test_a_day_that_is_none_is_no_birth_date(day: str):
    assert of_person({**ADA, "birth_date": day}).birth_dates == ()


async def test_one_child_under_two_numbers_of_one_source_is_held(world: World):
    def named(number: str) -> dict[str, Any]:
        local = {"type": "local_child_id", "value": number, "valid": True, "reason": None}
        return {**ADA, "identifiers": [upn("A123456789012"), local]}

    await world.person(record(1), named("7"), "socialcare")
    await world.person(record(2), named("8"), "socialcare")
    assert (await world.link(record(2))).status == "held"
    assert await world.child(record(1)) != await world.child(record(2))


def test_names_in_the_column_of_postcodes_are_no_place():
    assert not of_address({"address_kind": "home", "postcode": "Berg", "lines": ["Ada"]}).postcodes
    assert not of_address({"address_kind": "home", "postcode": "Ada-Berg", "lines": []}).postcodes
