"""Search: matching, ranking and display by fields that this asker sees in full; at most twenty, and no totals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from services.childview.projection.terms import normal
from services.childview.reading import asking, recording, road, store
from services.childview.reading.asking import Asker, Child, Reading
from services.childview.reading.disclose import Disclosure
from services.childview.reading.store import Standing
from services.disclosure.lease import Lease
from services.disclosure.levels import Level
from services.plumbing import access
from services.plumbing.files import values
from services.plumbing.problems import Problem

MOST = 20
LONGEST = 200
ASKED = ("family_name", "given_name", "birth_date", "postcode")
IDENTIFIERS = {"upn": "upn", "nhs_number": "nhs_number", "uln": "uln", "local_child_id": "local_child_id"}
NAMES = {"family_name": ("family_name", "former_family_name"), "given_name": ("given_name", "known_as")}
WEIGHTS = {"family_name": 3, "given_name": 3, "birth_date": 4, "postcode": 2, "identifier": 10}
NEEDED = 4
"""How much must agree: an identifier, a birth date, or both names; a name alone is no search. Where more than a birth
date was typed, a birth date alone is a stranger's."""
SEARCHES_NOTHING = frozenset({"auditor"})
"""Posts that come to a child by the id in an access record, never by a search."""
_json = msgspec.json.Encoder(order="deterministic")


async def search(reading: Reading, asked: Asker, body: Mapping[str, Any]) -> asking.Answer:
    """The children that agree with what was typed. Raises Problem `validation`, `no-lease`, `stale-source`."""
    wanted = _wanted(reading, body)
    needed = NEEDED + (set(wanted) > {"birth_date"})
    ranked: list[tuple[int, str, Child]] = []
    async with reading.pool.acquire() as conn:
        now = await store.standing(conn, asked.who.subject)
        lease = await reading.leases.lease(asked.who, asked.purpose, after=now.ended)
        road.check_fresh(reading, asked, now.fresh)
        bundle = await reading.leases.bundle(lease)
        held = await store.by_terms(conn, [pair for pairs in wanted.values() for pair in pairs])
        near = [child for child, terms in held.items() if _score(wanted, terms) >= needed]
        async for child, found in store.many(conn, near, asked.who, now):
            opened = road.stand(found, lease, bundle, asked, child, memo=reading.memo)
            if opened.finds and lease.role not in SEARCHES_NOTHING and "socialcare" not in found.parked:
                score = _score(wanted, _visible(reading, opened, road.disclosure(reading, asked, opened)))
                if score >= needed:
                    ranked.append((-score, child, opened))
    ranked.sort(key=lambda item: item[:2])
    return await _answer(reading, asked, body, [child for _, _, child in ranked[:MOST]], lease, now)


def _wanted(reading: Reading, body: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What was typed, as (field, term) pairs by what they answer."""
    unknown = set(body) - {*ASKED, "identifier"}
    if unknown:
        raise Problem("validation", "The search has a field that is not searched by.", errors=[{"at": sorted(unknown)[0]}])
    wanted: dict[str, list[tuple[str, str]]] = {}
    for name in ASKED:
        text = _text(body.get(name), name)
        if text:
            said = _day(text) if name == "birth_date" else text
            wanted[name] = [(id, normal(reading.catalogue.by_id(id), said)) for id in NAMES.get(name, (name,))]
    identifier = body.get("identifier")
    if identifier is not None:
        if not isinstance(identifier, dict) or _text(identifier.get("type"), "identifier") not in IDENTIFIERS:
            at = [{"at": "identifier", "one_of": sorted(IDENTIFIERS)}]
            raise Problem("validation", "There is no number of that kind to search by.", errors=at)
        id, number = IDENTIFIERS[identifier["type"]], _text(identifier.get("value"), "identifier")
        wanted |= {"identifier": [(id, normal(reading.catalogue.by_id(id), number))]} if number else {}
    if sum(WEIGHTS[name] for name in wanted) < NEEDED:
        raise Problem("validation", "Give a date of birth, a number, or both names.", errors=[{"at": "family_name"}])
    return wanted


def _text(value: Any, name: str) -> str:
    """What was typed, without space around it; nothing for nothing. Raises Problem `validation` for what is no text of a name's
    length: a criterion that is left out would widen the search."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise Problem("validation", "What is searched by is text, of at most 200 characters.", errors=[{"at": name}])
    return value.strip()


def _day(text: str) -> str:
    """A birth date as it is compared. Raises Problem `validation` for what is no date."""
    try:
        return values.day(text) or ""
    except values.Unreadable as error:
        raise Problem("validation", f"The date of birth cannot be read: write {error}.", errors=[{"at": "birth_date"}]) from None


def _score(wanted: Mapping[str, Sequence[tuple[str, str]]], terms: Collection[tuple[str, str]]) -> int:
    """How much agrees with these (field, term)."""
    return sum(WEIGHTS[name] for name, pairs in wanted.items() if any(pair in terms for pair in pairs))


def _visible(reading: Reading, opened: Child, decided: Disclosure) -> set[tuple[str, str]]:
    """What this asker sees of this child in full, as search terms: no other word of any register is matched."""
    seen: set[tuple[str, str]] = set()
    for segment in opened.content.segments:
        if segment.terms and segment.refers not in opened.passed.silent:
            judged = decided.judge(opened.content.shapes[segment.shape], decided.band(segment))
            full = {key[0] for key, level in zip(judged.keys, judged.levels, strict=True) if level is Level.FULL}
            seen |= {(reading.catalogue.fields[n].id, term) for n, term in segment.terms if n in full}
    return seen


async def _answer(reading: Reading, asked: Asker, body, found: Sequence[Child], lease: Lease, now: Standing) -> asking.Answer:
    items, children = [], []
    for opened in found:
        decided = road.disclosure(reading, asked, opened)
        shown = decided.show(opened.view, opened.content, silent=opened.passed.silent, fields=_DISPLAYED)
        items.append(b'{"id":' + _json.encode(opened.view.child) + b',"fields":{' + b",".join(shown.fields) + b"}}")
        children.append(recording.child_access(opened, decided))
    answer = b'{"items":[' + b",".join(items) + b"]}"
    made = recording.make_access(
        reading, asked, lease, action="search", status=200, children=children, fresh=now.fresh,
        query=access.digest(reading.settings.digest_key, _json.encode(body)),
        answer=access.digest(reading.settings.digest_key, answer),
    )  # fmt: skip
    await reading.writer.write(made)
    return asking.Answer(answer, "", made.id, asking.as_of(now.fresh))


_DISPLAYED = frozenset({"given_name", "family_name", "known_as", "birth_date", "age"})
