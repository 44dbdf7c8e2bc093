"""Whatever comes, in whatever order: what people decided stays decided, a merge undone leaves no trace, a rebuild is the same.

As many operations as CHILDVIEW_OPERATIONS says (`make sticky` runs 10,000), a few without it; drawn by CHILDVIEW_SEED.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator

import pytest

from tests.childview.identity.lives import Life
from tests.childview.identity.test_any_order import nothing_is_shown_that_must_not_be
from tests.childview.identity.world import World

OPERATIONS = int(os.environ.get("CHILDVIEW_OPERATIONS", "180"))
SEED = int(os.environ.get("CHILDVIEW_SEED", "1"))
LIVES = max(3, OPERATIONS // 2500)
REBUILDS = 3


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    made = await World(database).start()
    yield made
    await made.stop()


@pytest.mark.timeout(180 + OPERATIONS)
@pytest.mark.parametrize("seed", range(SEED, SEED + LIVES))
async def test_what_people_decided_stays_a_merge_undone_leaves_no_trace_and_a_rebuild_is_the_same(world: World, seed: int):
    life, whole, started = Life(world, random.Random(seed)), OPERATIONS // LIVES, time.monotonic()
    for n in range(1, whole + 1):
        await life.happen()
        if n % 10 == 0:
            await life.holds()
        if n % (whole // REBUILDS) == 0:
            await life.rebuild()
    await life.holds()
    await nothing_is_shown_that_must_not_be(world)
    assert life.apart and life.done["undone at once"] and (life.joined or OPERATIONS < 1000)
    print(f"\nseed {seed}: {whole} operations in {time.monotonic() - started:.0f} s; {life.summary()}")
