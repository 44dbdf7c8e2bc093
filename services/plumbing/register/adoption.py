"""What is told of a subject who was adopted: nothing of the names and numbers from before.

A register alone decides this, for every reader (decision 0009).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.plumbing.contracts import Schemas
from services.plumbing.kafka.outbox import NewEvent
from services.plumbing.register.entries import FOREVER, FORMER, PERSON, WHO, Held, Provenance, State, Statement, rule_of

LEADS_BACK = ("known_as", "middle_names", "mother", "mc_dob")
"""What a blank in a later extract does not erase: said before the adoption was told of, it may be from before it."""


def is_told(state: State, statements: Sequence[Statement], schemas: Schemas) -> bool:
    """Whether anything says that the subject was adopted, however old it is; a later word takes it away no more."""
    told = any(one.adopted or (not one.withdrawn and rule_of(schemas, one).tells_of_adoption(one.fields)) for one in statements)
    return told or (WHO in state.entries and FOREVER in state.entries[WHO].since.values())  # said so before there was a mark


def alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Who somebody is, without the names and numbers from before."""
    numbers = [one for one in fields.get("identifiers") or () if not one["type"].startswith(FORMER)]
    kept = {name: value for name, value in fields.items() if not name.startswith(FORMER) and name != "identifiers"}
    return kept | ({"identifiers": numbers} if numbers else {})


def taken_back(state: State, told: str, provenance: Provenance, schemas: Schemas) -> Iterator[NewEvent]:
    """Who an adopted subject is, said again without what is from before. It names no file: that one tells of the adoption.

    told: the type of what told of it. provenance: as of when; what leads back and was said before that day goes.
    """
    held = state.entries.get(WHO)
    if held is None or held.withdrawn:
        return
    now = without_before(held, told_on=provenance.extracted)
    if now.fields == held.fields and not held.otherwise:
        return
    state.entries[WHO] = now
    type = f"{told.partition('.')[0]}.{PERSON}"
    data = {**now.fields, "provenance": Provenance(held.extracted, authority=provenance.authority).data(None)}
    yield NewEvent(type, data, schemas.of(type).record_classes[0])  # type: ignore[union-attr]


def without_before(held: Held, *, told_on: str = "") -> Held:
    """An entry of who somebody is without the names and numbers from before, and without what leads back and was not said since."""
    fields = alone(held.fields)
    older = {name for name in LEADS_BACK if name in fields and held.since.get(name, held.extracted) < told_on}
    return Held({name: value for name, value in fields.items() if name not in older}, held.extracted, held.withdrawn, held.said, held.since)
