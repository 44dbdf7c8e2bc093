"""Other ways to look at what a read shows: pages of entries, the chronology, who else is involved, a caseload."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from services.childview.reading import asking, ready, recording, road, store
from services.childview.reading.asking import Answer, Asker, Child, Reading
from services.childview.reading.disclose import Disclosure, Shown
from services.disclosure.lease import Lease
from services.plumbing import access

MOST_CASES = 200
INVOLVEMENTS = "involvements"
_LISTED = frozenset({"given_name", "family_name", "birth_date", "expected_birth_date", "plan_status"})
_json = msgspec.json.Encoder(order="deterministic")


async def entries(reading: Reading, asked: Asker, child: str, category: str, cursor: str | None) -> Answer:
    """A page of one category's entries. A category that is not there and one that is not shown are the same: empty."""
    start = _start(cursor)

    def body(shown: Shown) -> bytes:
        items, following = ready.page(shown.entries.get(category, []), start=start)
        return b'{"items":%s,"next":%s}' % (items, _json.encode(following))

    detail = {"category": category, "start": start}
    return await _of_child(reading, asked, child, "entries", body, categories=(category,), detail=detail)


def _start(cursor: str | None) -> int:
    return int(cursor) if cursor and cursor.isdecimal() and len(cursor) < 9 else 0


async def chronology(reading: Reading, asked: Asker, child: str) -> Answer:
    """Every entry of which something is shown in full, newest first, over all categories."""

    def body(shown: Shown) -> bytes:
        dated = [
            (piece.segment.effective, name, piece.segment.id, piece.body)
            for name, found in shown.entries.items()
            for piece in found
            if piece.segment.effective and piece.dated
        ]
        dated.sort(key=lambda item: item[:3], reverse=True)
        items = [b'{"date":%s,"category":%s,"entry":%s}' % (_json.encode(d), _json.encode(c), e) for d, c, _, e in dated]
        return b'{"items":[' + b",".join(items) + b"]}"

    return await _of_child(reading, asked, child, "chronology", body)


async def involved(reading: Reading, asked: Asker, child: str) -> Answer:
    """Who else works with the child, and whom to ask of those whose work is only noted."""

    def body(shown: Shown) -> bytes:
        items = [piece.body for piece in shown.entries.get(INVOLVEMENTS, [])]
        noted = ready.noted(shown, reading.catalogue, only=INVOLVEMENTS)
        return b'{"items":[' + b",".join(items) + b'],"noted":' + _json.encode(noted) + b"}"

    return await _of_child(reading, asked, child, "involved", body, categories=(INVOLVEMENTS,))


async def _of_child(
    reading: Reading, asked: Asker, child: str, action: str, body: Callable[[Shown], bytes],
    *, categories: Collection[str] | None = None, detail: dict[str, Any] | None = None,
) -> Answer:  # fmt: skip
    opened = await road.find_or_refuse(reading, asked, child)
    decided = road.disclosure(reading, asked, opened)
    shown = decided.show(opened.view, opened.content, silent=opened.passed.silent, categories=categories)
    return await recording.settle(reading, asked, [(opened, decided)], body(shown), action=action, detail=detail)


async def caseload(reading: Reading, asked: Asker, cursor: str | None = None) -> Answer:
    """A page of the children this post works with now, by name; each passes gates, `find` and levels like any read."""
    async with reading.pool.acquire() as conn:
        now = await store.standing(conn, asked.who.subject)
        lease = await reading.leases.lease(asked.who, asked.purpose, after=now.ended)
        road.check_fresh(reading, asked, now.fresh)
        bundle = await reading.leases.bundle(lease)
        cases = []
        for_now = await store.by_references(conn, _references(lease))
        async for child, found in store.many(conn, for_now, asked.who, now):
            opened = road.stand(found, lease, bundle, asked, child, memo=reading.memo)
            if opened.finds and opened.relationship.kinds and "socialcare" not in found.parked:
                cases.append(_case(reading, asked, opened))
    start = _start(cursor)
    cases = sorted(cases, key=lambda case: case[0])
    shown = cases[start : start + MOST_CASES]
    following = str(start + MOST_CASES) if len(cases) > start + MOST_CASES else None
    body = b'{"items":[%s],"next":%s}' % (b",".join(item for _, item, _ in shown), _json.encode(following))
    made = recording.make_access(
        reading, asked, lease, action="caseload", status=200, query=None, fresh=now.fresh,
        children=[recording.child_access(*one) for _, _, one in shown],
        answer=access.digest(reading.settings.digest_key, body),
    )  # fmt: skip
    await reading.writer.write(made)
    return Answer(body, "", made.id, asking.as_of(now.fresh))


def _references(lease: Lease) -> list[str]:
    """What leads to the children of a post: its professional ids, those it supervises or covers, schools assigned to it; the
    centre of who works in one."""
    workers = (*lease.professional_ids, *lease.supervises, *(cover.professional_id for cover in lease.covers))
    centres = (*lease.team_ids, *lease.organisations) if lease.role == "childrens-centre-worker" else ()
    named = {"worker": workers, "school": lease.assigned_schools, "team": centres}
    return [f"{kind}:{id}" for kind, ids in named.items() for id in ids]


def _case(reading: Reading, asked: Asker, opened: Child) -> tuple[tuple[str, ...], bytes, tuple[Child, Disclosure]]:
    """(what it is sorted by, the item, what is recorded of it)."""
    decided = road.disclosure(reading, asked, opened)
    fields = decided.show(opened.view, opened.content, silent=opened.passed.silent, fields=_LISTED).fields
    names = b",".join(fields)
    how = {"kinds": sorted(opened.relationship.kinds), "phase": opened.relationship.phase}
    item = b'{"id":%s,"relationship":%s,"fields":{%s}}' % (_json.encode(opened.view.child), _json.encode(how), names)
    said = msgspec.json.decode(b"{" + names + b"}")
    by = [str(said[name]["value"]).casefold() if name in said else "~" for name in ("family_name", "given_name")]
    return (*by, opened.view.child), item, (opened, decided)
