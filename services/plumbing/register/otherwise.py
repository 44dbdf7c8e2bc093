"""What rows of one extract said otherwise of an entry that stands: it is kept beside it until the entry is said anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.plumbing.contracts import EntryRule
from services.plumbing.register.entries import Held, Statement

Otherwise = dict[str, list[dict[str, Any]]]
"""field (or identifiers/ and the type of a number) -> what was said of it, each with its place"""


def standing(before: Held | None, statement: Statement) -> Otherwise:
    """What stands contradicted after a statement: whoever speaks of a field again says whether it still is."""
    spoken = {*statement.fields, *(f"identifiers/{one['type']}" for one in statement.fields.get("identifiers") or ())}
    kept = {} if before is None else {name: said for name, said in before.otherwise.items() if name not in spoken}
    return kept | {name: [dict(one) for one in said] for name, said in statement.otherwise.items()}


def of_a_person(now: Held, before: Held, statement: Statement, extracted: str, *, newest: bool) -> Otherwise:
    """The same of who a person is: only the extract that a field is of says whether it stands contradicted, a blank never. An
    extract that is not the newest ends nothing: its rows are not remembered, and may be the same ones again."""
    spoken = replace(statement, fields={name: value for name, value in statement.fields.items() if value is not None})
    said, found = standing(before, spoken), {}
    for name in sorted({*said, *before.otherwise}):
        since = now.since.get(name.replace("/", " "))
        told = said.get(name) if since == extracted else None
        if since != extracted or not (told or newest):
            told = before.otherwise.get(name)
        if told:
            found[name] = told
    return found


def of_its_kind(held: Held | None, statement: Statement, rule: EntryRule) -> Held | None:
    """An entry without what rows said otherwise, where a statement makes it another kind of thing: a placement's address is no
    other word of a home's."""
    kept = held is None or all(held.fields.get(name) == statement.fields.get(name) for name in rule.apart)
    return held if kept else Held(held.fields, held.extracted, held.withdrawn, held.said, held.since)


def published(now: Held) -> dict[str, Any]:
    """What rows said otherwise, as an event carries it."""
    found = [{"field": name, "said": said} for name, said in sorted(now.otherwise.items())]
    return {"contradictions": found} if found else {}
