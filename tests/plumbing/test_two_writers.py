"""Two who change one subject at the same moment take turns: neither decides by what the other has changed meanwhile."""

from __future__ import annotations

import asyncio

import asyncpg

from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from tests import importing as desks
from tests.plumbing.test_register import person


def said(**fields) -> Said:
    return Said((("local", "1"),), (person(**fields),), Report("f.csv"), Provenance("2026-11-20", "f.csv", str(fields)))


async def test_two_deliveries_of_one_subject_at_the_same_moment_lose_nothing(database, tmp_path):
    desk = await desks.desk(database, "socialcare", None, tmp_path)
    await desk.register.take([said(given_name="Ada")])
    first, second = await asyncpg.connect(database), await asyncpg.connect(database)
    begun = first.transaction()
    await begun.start()
    await desk.register.take_in(first, [said(family_name="Berg")])

    async def other() -> None:
        async with second.transaction():
            await desk.register.take_in(second, [said(sex="F")])

    waiting = asyncio.create_task(other())
    await asyncio.sleep(0.3)
    await begun.commit()
    await waiting
    state = await desk.register.state(second, await desk.register.find(second, ("local", "1")))
    assert next(iter(state.entries.values())).fields == {"given_name": "Ada", "family_name": "Berg", "sex": "F"}
    for conn in (first, second, desk):
        await conn.close()
