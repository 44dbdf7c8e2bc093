"""Who a person is after a source spoke: each field by the newest extract that speaks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.plumbing.register import otherwise
from services.plumbing.register.adoption import alone, without_before
from services.plumbing.register.entries import NEVER, Held, Provenance, Statement, marks


def said_of(held: Held | None, statement: Statement, provenance: Provenance, *, adopted: bool) -> Held | None:
    """Who a person is after a statement: each field by the newest extract that speaks of it; a blank erases nothing. Of an
    adopted one nothing from before.

    None when this file said it before.
    """
    extracted = provenance.extracted
    spoken = alone(statement.fields) if adopted else statement.fields
    before = Held({}, extracted) if held is None or held.withdrawn else held
    newest = extracted >= before.extracted
    if adopted and not newest:  # what an older extract adds may be from before
        return None
    said = marks(before, statement, provenance) if newest else before.said
    if said is None:
        return None
    now = Held(dict(before.fields), max(extracted, before.extracted), False, said, dict(before.since))
    for name, value in spoken.items():
        if name == "identifiers":
            _identify(now, before, value, extracted, newest=newest)
        elif value is not None and _may(before, name, name in before.fields, extracted, newest=newest):
            now.fields[name], now.since[name] = value, extracted
    if adopted:  # the other row's name may be the one from before
        return without_before(now)
    now.otherwise = otherwise.of_a_person(now, before, statement, extracted, newest=newest)
    return now


def said_since(held: Held, day: str) -> Held:
    """Who a person is, without what nobody said after a withdrawal of that day. What a request said has no day, and stays."""

    def stays(what: str) -> bool:
        since = held.since.get(what, held.extracted)
        return since >= day or since == NEVER

    fields = {name: value for name, value in held.fields.items() if name != "identifiers" and stays(name)}
    numbers = [one for one in held.fields.get("identifiers") or () if stays(_since(one))]
    kept = fields | ({"identifiers": numbers} if numbers else {})
    return Held(kept, held.extracted, held.withdrawn, held.said, held.since)


def _may(held: Held, what: str, present: bool, extracted: str, *, newest: bool) -> bool:
    """Whether an extract may say this. Of an older extract the first row stands: its marks are not remembered."""
    since = held.since.get(what, held.extracted if present else "")
    return since <= extracted if newest else since < extracted


def _identify(now: Held, before: Held, said: Sequence[Mapping[str, Any]], extracted: str, *, newest: bool) -> None:
    """Numbers go by their type, and one number is not current and former at once."""
    held = before.fields.get("identifiers", [])
    types = {item["type"] for item in held}
    taken = [one for one in said if _may(before, _since(one), one["type"] in types, extracted, newest=newest)]
    kept = [item for item in held if not any(_takes_over(one, item) for one in taken)]
    for item in (*taken, *(item for item in held if item not in kept)):
        now.since[_since(item)] = extracted
    if taken:
        now.fields["identifiers"] = sorted([*kept, *taken], key=lambda item: (item["type"], item["value"]))


def _since(identifier: Mapping[str, Any]) -> str:
    return f"identifiers {identifier['type']}"


def _takes_over(said: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    type, other = said["type"], held["type"]
    return type == other or (said["value"] == held["value"] and type.removeprefix("former_") == other.removeprefix("former_"))
