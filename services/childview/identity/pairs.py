"""The open pairs as decisions leave them: since when each waits, how it is ranked, why, and what somebody proposed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from services.childview.identity import explain
from services.childview.identity.links import links
from services.childview.identity.phrases import SCHEMA


async def follow(conn: asyncpg.Connection, number: int, body: Mapping[str, Any]) -> None:
    """Let the open pairs follow a decision's event. A linked record has none, a held one those that its `hold` names;
    people's decisions close one at a time."""
    held = body.get("held", [])
    opened = [item for item in held if item["state"] == "open"]
    free = [item["record"] for item in body["sets"] if item["status"] == "linked" or body["kind"] == "hold"]
    await conn.execute(
        f"delete from {SCHEMA}.pairs where pair_id = any($3::uuid[])"
        " or (stream_id = any($1::uuid[]) and pair_id <> all($2::uuid[]))",
        free,
        [item["pair"] for item in opened],
        [item["pair"] for item in held if item["state"] == "decided"],
    )
    if opened:
        await _open(conn, number, body, opened)


async def _open(conn: asyncpg.Connection, number: int, body: Mapping[str, Any], opened: Sequence[Mapping[str, Any]]) -> None:
    """What people set aside comes back to its place when what is known of it ranks it otherwise; what was proposed of it
    stands until somebody cannot tell."""
    whys = await _whys(conn, body, opened)
    aside = number if body["kind"] == "cannot-tell" else None
    proposed = number if body["kind"] == "propose" else None
    await conn.executemany(
        f"""
        insert into {SCHEMA}.pairs as p
            (pair_id, stream_id, candidate, queue, decision, since, risk, why, why_record, aside, proposed)
        values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10)
        on conflict (pair_id) do update set queue = excluded.queue, decision = excluded.decision,
            risk = case when excluded.why is null then p.risk else excluded.risk end,
            why = coalesce(excluded.why, p.why), why_record = coalesce(excluded.why_record, p.why_record),
            aside = case when excluded.aside is null and excluded.why is not null and excluded.risk <> p.risk then null
                else coalesce(excluded.aside, p.aside) end,
            proposed = case when excluded.aside is not null then null else coalesce(excluded.proposed, p.proposed) end
        """,
        [
            (item["pair"], item["record"], item["candidate"], item["queue"], number, *_ranked(body, whys.get(item["pair"]), number),
             aside, proposed)
            for item in opened
        ],
    )  # fmt: skip


def _ranked(body: Mapping[str, Any], why: str | None, number: int) -> tuple[int, int | None, str | None]:
    """(risk, the decision that weighed it, the record by which its evidence names the other child)."""
    if why is None:
        return explain.MIDDLE, None, None
    found = body["evidence"][why]
    return explain.risk(found["fields"], found["vetoes"]), number, why


async def _whys(
    conn: asyncpg.Connection, body: Mapping[str, Any], opened: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """For each pair that this decision weighed, the record that its evidence names the other child by."""
    weighed = {name for name, found in body.get("evidence", {}).items() if isinstance(found, Mapping) and "fields" in found}
    decided = {item["record"] for item in body["sets"]}
    mine = [item for item in opened if item["record"] in decided]
    if not weighed or not mine:
        return {}
    known = await links(conn, weighed | {item["candidate"] for item in mine})
    names = {known[name].child: name for name in sorted(weighed) if name in known}
    children = {item["pair"]: known[item["candidate"]].child for item in mine if item["candidate"] in known}
    return {pair: names[child] for pair, child in children.items() if child in names}
