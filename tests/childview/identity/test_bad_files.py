"""Files that are wrong as a whole, through the real importers into identity: nothing fails, nothing is linked wrongly, and the report says it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.socialcare import importing
from tests.childview.identity.world import World, pair
from tests.importing import Desk, desk

PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob,pers_common_child_id"
ADDRESSES = "addr_table_id,addr_person_id,addr_address_type,addr_address_json,addr_address_postcode"
FAMILIES = [("Ada", "Berg", "F", "2015-03-05"), ("Ida", "Berg", "F", "2015-03-05"), ("Tom", "Corn", "M", "2012-01-20")]


@pytest.fixture
async def care(make_database, tmp_path) -> AsyncIterator[Desk]:
    made = await desk(await make_database(), "socialcare", importing.recognise, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def world(make_database) -> AsyncIterator[World]:
    made = await World(await make_database(), projects=False).start()
    yield made
    await made.stop()


def extract(name: str, header: str, *rows: str) -> dict[str, str]:
    return {f"2026-11-20-ssd_{name}.csv": "\n".join([header, *rows]) + "\n"}


async def read(world: World, desk: Desk) -> list[str]:
    """Identity reads what was published; the children's streams."""
    for stream, type, data in desk.published:
        await world.go(world.event(type, stream, data))
    return desk.streams("person")


async def test_one_child_under_two_numbers_of_one_source_is_two_children_held_for_each_other(care, world):
    rows = ["1,Ada,Berg,F,2015-03-05,9990000018", "2,Ada,Berg,F,2015-03-05,9990000018"]
    report = (await care.take(extract("persons", PERSONS, *rows)))[0]
    one, other = await read(world, care)
    assert (report["accepted"], report["refused"]) == (2, 0)
    assert await world.child(one) != await world.child(other) and (await world.link(other)).status == "held"
    assert await world.pairs() == {pair(one, other, "ordinary")}


async def test_names_in_the_column_of_postcodes_are_flagged_and_join_nobody(care, world):
    people = [f"{n},{given},{family},{sex},{birth}," for n, (given, family, sex, birth) in enumerate(FAMILIES, 1)]
    homes = [f"a{n},{n},Home,ZZ1 1ZZ,{given} {family}" for n, (given, family, _, _) in enumerate(FAMILIES, 1)]
    reports = await care.take({**extract("persons", PERSONS, *people), **extract("address", ADDRESSES, *homes)})
    found = care.items(next(one for one in reports if "address" in one["file"]), "flagged")
    assert [(one["row"], one["column"], one["value"]) for one in found] == [(n, "addr_address_postcode", f"{given} {family}") for n, (given, family, *_) in enumerate(FAMILIES, 2)]
    children = [await world.child(one) for one in await read(world, care)]
    assert len(set(children)) == 3 and await world.pairs() == set()


async def test_names_in_the_column_of_birth_dates_are_refused_with_their_place_and_nobody_comes(care, world):
    swapped = [f"{n},{birth},{given},{sex},{family}," for n, (given, family, sex, birth) in enumerate(FAMILIES, 1)]
    report = (await care.take(extract("persons", PERSONS, *swapped)))[0]
    assert (report["accepted"], report["refused"]) == (0, 3) and await read(world, care) == []
    assert [(one["row"], one["column"]) for one in care.items(report, "refused")] == [(n, "pers_dob") for n in (2, 3, 4)]
