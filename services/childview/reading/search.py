"""Search: matching, ranking and display by fields that this asker sees in full; at most twenty, and no totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.childview.projection.terms import normal
from services.childview.reading import road, store
from services.childview.reading.disclose import Disclosure
from services.childview.reading.road import Asker, Child, Reading
from services.disclosure.levels import Level
from services.plumbing import access
from services.plumbing.problems import Problem

MOST = 20
ASKED = ("family_name", "given_name", "birth_date", "postcode")
IDENTIFIERS = {"upn": "upn", "nhs_number": "nhs_number", "uln": "uln", "local_child_id": "local_child_id"}
NAMES = {"family_name": ("family_name", "former_family_name"), "given_name": ("given_name", "known_as")}
WEIGHTS = {"family_name": 3, "given_name": 3, "birth_date": 4, "postcode": 2, "identifier": 10}
NEEDED = 4
"""How much must agree: an identifier, a birth date, or both names; a name alone is no search. Where more than a birth
date was typed, a birth date alone is a stranger's."""
_json = msgspec.json.Encoder(order="deterministic")


async def search(reading: Reading, asked: Asker, body: Mapping[str, Any]) -> road.Answer:
    """The children that agree with what was typed. Raises Problem `validation`, `no-lease`, `stale-source`."""
    wanted = _wanted(reading, body)
    async with reading.pool.acquire() as conn:
        now = await store.standing(conn, asked.who.subject)
        lease = await reading.leases.lease(asked.who, asked.purpose, after=now.ended)
        road.check_fresh(reading, asked, now.fresh)
        bundle = await reading.leases.bundle(lease)
        terms = [(field, term) for pairs in wanted.values() for field, term in pairs]
        ids = await store.by_terms(conn, terms)
        held = await store.terms_of(conn, ids)
        needed = NEEDED + (set(wanted) > {"birth_date"})
        near = [child for child in ids if _score(wanted, held[child], None) >= needed]
        ranked: list[tuple[int, str, Child, Disclosure]] = []
        async for child, found in store.many(conn, near, asked.who.subject, now):
            opened = road.stand(found, lease, bundle, asked, child, memo=reading.memo)
            if opened.finds and "socialcare" not in found.parked:
                decided = road.disclosure(reading, asked, opened)
                score = _score(wanted, held[child], _visible(reading, opened, decided))
                if score >= needed:
                    ranked.append((-score, child, opened, decided))
    ranked.sort(key=lambda item: item[:2])
    return await _answer(reading, asked, body, ranked[:MOST], lease, now)


def _wanted(reading: Reading, body: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What was typed, as (field, term) pairs by what they answer."""
    unknown = set(body) - {*ASKED, "identifier"}
    if unknown:
        raise Problem("validation", "The search has a field that is not searched by.", errors=[{"at": sorted(unknown)[0]}])
    wanted: dict[str, list[tuple[str, str]]] = {}
    for name in ASKED:
        text = body.get(name)
        if isinstance(text, str) and text.strip():
            wanted[name] = [(id, normal(reading.catalogue.by_id(id), text)) for id in NAMES.get(name, (name,))]
    identifier = body.get("identifier")
    if isinstance(identifier, dict) and identifier.get("type") in IDENTIFIERS and identifier.get("value"):
        id = IDENTIFIERS[identifier["type"]]
        wanted["identifier"] = [(id, normal(reading.catalogue.by_id(id), str(identifier["value"])))]
    if sum(WEIGHTS[name] for name in wanted) < NEEDED:
        raise Problem("validation", "Give a date of birth, a number, or both names.", errors=[{"at": "family_name"}])
    return wanted


def _score(
    wanted: Mapping[str, Sequence[tuple[str, str]]], held: Mapping[str, set[str]], visible: set[str] | None
) -> int:
    """How much agrees, by the fields that are visible (None: all)."""
    return sum(
        WEIGHTS[name]
        for name, pairs in wanted.items()
        if any(term in held.get(field, ()) and (visible is None or field in visible) for field, term in pairs)
    )


def _visible(reading: Reading, opened: Child, decided: Disclosure) -> set[str]:
    """The searchable fields that this asker sees of this child in full, wherever they stand."""
    seen: dict[str, bool] = {}
    for segment in opened.view.segments:
        for member in segment.members:
            field = reading.catalogue.fields[member.field]
            if field.search:
                full = decided.level(field, segment) is Level.FULL
                seen[field.id] = seen.get(field.id, True) and full
    return {field for field, full in seen.items() if full}


async def _answer(reading: Reading, asked: Asker, body, ranked, lease, now) -> road.Answer:
    items = []
    for _, child, opened, decided in ranked:
        shown = decided.show(opened.view, silent=opened.passed.silent, only=_DISPLAYED)
        items.append(b'{"id":' + _json.encode(child) + b',"fields":{' + b",".join(shown.fields) + b"}}")
    found = b'{"items":[' + b",".join(items) + b"]}"
    query = access.digest(reading.settings.digest_key, _json.encode(body))
    made = road.make_access(
        reading, asked, lease, action="search", status=200, query=query,
        children=[road.child_access(opened, decided) for _, _, opened, decided in ranked],
        answer=access.digest(reading.settings.digest_key, found), fresh=now.fresh,
    )  # fmt: skip
    await reading.writer.write(made)
    return road.Answer(found, "", made.id, road.as_of(now.fresh))


_DISPLAYED = frozenset({"given_name", "family_name", "known_as", "birth_date", "age"})
