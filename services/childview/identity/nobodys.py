"""Numbers on so many records that they are nobody's: a default, a placeholder. Which there are, by hashes alone."""

from __future__ import annotations

import asyncpg

from services.childview.identity import keys
from services.childview.identity.demographics import Demographics
from services.childview.identity.model import Model
from services.childview.identity.phrases import SCHEMA


def learned(model: Model) -> frozenset[int]:
    """The numbers that a model was learned to ignore."""
    return frozenset(keys.hashed(f"n|{number}") for number in model.ignored)


async def crowded(conn: asyncpg.Connection, who: Demographics) -> frozenset[int]:
    """Of somebody's numbers, those that more records bear than are compared: nothing is judged by them."""
    numbers = [keys.hashed(key) for key in keys.stored(who) if keys.is_number(key)]
    if not numbers:
        return frozenset()
    rows = await conn.fetch(_CROWDED, numbers)
    return frozenset(row["key"] for row in rows)


_CROWDED = f"""
    select k.key from unnest($1::bigint[]) k(key)
    where (select count(*) from (select from {SCHEMA}.match_keys m where m.key = k.key limit {keys.CROWD + 1}) m) > {keys.CROWD}"""
