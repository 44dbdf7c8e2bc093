"""A new model beside the live one: learned from the population, run over all of it, and live only when that was looked at.

Both models decide every record again, in memory, in one order, so that what differs is the models' doing. What people
decided is no part of it: it stands whatever the model says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import asyncpg
import msgspec

from services.childview.identity import index, models
from services.childview.identity.demographics import Demographics
from services.childview.identity.learn import learn
from services.childview.identity.memory import Population
from services.childview.identity.model import Model

Say = Callable[[int, int], None]


class NotRehearsed(Exception):
    """There is no such model, or nobody has seen yet what it would change."""


@dataclass(frozen=True)
class Changes:
    """What a model would change against the live one. merges, splits: of children as they stand, the ids of the records
    concerned. held, released: how many records would wait for people, or wait no more."""

    model: str
    live: str
    records: int
    merges: Sequence[Sequence[str]]
    splits: Sequence[Sequence[str]]
    held: int
    released: int


async def learn_anew(conn: asyncpg.Connection, *, expected: int, made: str) -> Model:
    """A model of everybody who is indexed, kept beside the live one."""
    people = await index.everybody(conn)
    model = learn(list(people.values()), expected=expected, made=made)
    await models.keep(conn, model)
    return model


async def rehearse(conn: asyncpg.Connection, version: str, *, say: Say) -> Changes:
    """Run a kept model over the whole population beside the live one, and keep that this was done. Raises NotRehearsed."""
    model = await models.find(conn, version)
    if model is None:
        raise NotRehearsed("there is no model of this version")
    live = await models.live(conn)
    people = await index.everybody(conn)
    before, after = (_decide(people, one, say) for one in (live, model))
    found = _compare(before, after, model=version, live=live.version)
    await models.keep_rehearsal(conn, version, msgspec.json.encode(asdict(found)))
    return found


async def go_live(conn: asyncpg.Connection, version: str) -> None:
    """Let a rehearsed model decide from now on. Raises NotRehearsed."""
    if await models.find(conn, version) is None:
        raise NotRehearsed("there is no model of this version: `identity models`")
    if not await models.was_rehearsed(conn, version):
        raise NotRehearsed("run it over the population first: `identity rehearse`")
    await models.make_live(conn, version)


@dataclass(frozen=True)
class _Decided:
    child: Mapping[str, int]
    held: frozenset[str]


def _decide(people: Mapping[str, Demographics], model: Model, say: Say) -> _Decided:
    population, names = Population(model), list(people)
    for place, who in enumerate(people.values()):
        population.arrive(place, who)
        if place % 1000 == 0:
            say(place, len(names))
    population.again(everybody=True)
    child = {
        names[record]: number for number, one in enumerate(population.children) if not one.gone for record in one.records
    }
    held = {names[record] for one in population.children if one.held_for and not one.gone for record in one.records}
    return _Decided(child, frozenset(held))


def _compare(before: _Decided, after: _Decided, *, model: str, live: str) -> Changes:
    return Changes(
        model=model,
        live=live,
        records=len(after.child),
        merges=_joined(before.child, after.child),
        splits=_joined(after.child, before.child),
        held=len(after.held - before.held),
        released=len(before.held - after.held),
    )


def _joined(apart: Mapping[str, int], together: Mapping[str, int]) -> list[list[str]]:
    """The records of each child of `together` that `apart` has in several."""
    groups: dict[int, list[str]] = defaultdict(list)
    for record, child in together.items():
        groups[child].append(record)
    return [sorted(group) for group in groups.values() if len({apart[record] for record in group}) > 1]
