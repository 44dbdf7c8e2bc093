"""Deciding in one transaction: asks the tables, lets the pure rules decide, records. For the process and for people alike.

The decisions' stream must be locked by `store.lock_decisions` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import asyncpg

from services.childview.identity import decide, holds, index, links, models, people, store
from services.childview.identity.compare import compare
from services.childview.identity.decide import Decision, Linked, Matching
from services.childview.identity.demographics import Demographics
from services.childview.identity.judge import twin_like
from services.childview.identity.learn import without
from services.childview.identity.model import Model
from services.childview.identity.resembles import resembles
from services.plumbing.kafka.outbox import Outbox

ECHOES = 50
"""So many held records are decided anew for one that came; the rest when they or another changes."""


@dataclass
class Settling:
    """The decisions of one transaction. `made`: (number, kind) of each. `seen`: the version of each record that the
    event being read brought; its decisions say so, and are never made again from that version. model: by which is judged;
    the live one where it is not given. nobodys: numbers that were met on so many records that they were left out."""

    conn: asyncpg.Connection
    outbox: Outbox
    made: list[tuple[int, str]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    model: Model | None = None
    nobodys: set[str] = field(default_factory=set)
    _known: int | None = None
    _echoes: bool = False

    async def matching(self, *, crowded: bool = False) -> Matching:
        """The live model, and about how many children are known."""
        model = await self.live()
        if self._known is None:
            self._known = await index.known_children(self.conn, model)
        return Matching(model, self._known, crowded)

    async def live(self) -> Model:
        """The model by which is judged."""
        if self.model is None:
            self.model = await models.live(self.conn)
        return self.model

    async def record(self, decision: Decision) -> int:
        """Make a decision; its number."""
        number = await store.record_decision(self.conn, self.outbox, decision, considered=self.seen)
        await index.watch(self.conn, decision.sets)
        self.made.append((number, decision.kind))
        return number

    async def arrive(self, record: str, who: Demographics) -> None:
        """A record's demographics are new: decide what it is, and what that changes for others."""
        now = await links.link(self.conn, record)
        fellows = set(await links.records_of(self.conn, now.child)) - {record} if now else set()
        partners = await links.partners(self.conn, record) if now else set()
        to = await self.decide(record, who, now, fellows)
        await self._echo(record, who, now, to)
        moved = now is not None and to is not None and now.child != to.child
        if await index.reaches_others(self.conn, record):
            await self.around([record, *(fellows if moved else ())])
        elif now is not None:
            await self.review(record)
            if moved:
                await self.around(fellows)
        for partner in sorted(partners - {record}):
            await self.review(partner)

    async def _echo(self, record: str, who: Demographics, was: Linked | None, to: Linked | None) -> None:
        """What a record's own decision changes for others: more is known of the child it was linked to, so what is held for
        that one may be decided; a child that came may be a twin, so what was linked to the other is looked at again."""
        if to is None or to == was or self._echoes:
            return
        self._echoes = True
        if to.basis == "automatic":
            await self.held_for({to.child})
        elif was is None or was.child != to.child:
            await self._twins(record, who, to.child)
        self._echoes = False

    async def held_for(self, children: Iterable[str]) -> None:
        """Decide anew what is held for these children: more is known of them now."""
        for child in sorted(children):
            await self.again(sorted(await links.held_for(self.conn, child))[:ECHOES])

    async def _twins(self, record: str, who: Demographics, child: str) -> None:
        spelling = (await self.live()).spelling
        near = (await index.candidates(self.conn, record, who)).candidates
        families = {c.child for c in near if c.child != child and twin_like(compare(who, c.who, spelling))}
        for family in sorted(families):
            members = await links.records_of(self.conn, family)
            for name, (linked, _) in members.items():
                other = await index.person(self.conn, name)
                if len(members) > 1 and linked.basis == "automatic" and other is not None:
                    await self.decide(name, other, linked, set(members) - {name}, twin=True)

    async def decide(
        self, record: str, who: Demographics, now: Linked | None, fellows: set[str], *, twin: bool = False
    ) -> Linked | None:
        """Decide where a record belongs by what is known of it today; how it is linked then."""
        pairs = await links.pairs_of(self.conn, record) if now else []
        known = fellows | {name for pair in pairs for name in (pair.record, pair.candidate)}
        near = await index.candidates(self.conn, record, who)
        self.nobodys |= near.nobodys
        model = await self.live()
        decision = decide.decide(
            record,
            without(who, model.ignored | near.nobodys),
            candidates=near.candidates,
            now=now,
            fellows=fellows,
            apart=await index.apart_from(self.conn, record) if now else (),
            shielded=now is not None and await index.protected(self.conn, now.child),
            pairs=pairs,
            unknown=await index.without_demographics(self.conn, known - {record}),
            matching=await self.matching(crowded=near.crowded),
            twin=twin,
        )
        if decision is None:
            return now
        await self.record(decision)
        return decision.sets[record]

    async def again(self, records: Iterable[str]) -> None:
        """People, or an adoption, took away what these records were held for: decide anew where each belongs."""
        for record in sorted(records):
            who = await index.person(self.conn, record)
            if who is not None:
                await self.arrive(record, who)

    async def around(self, records: Iterable[str], *, ending: bool = False) -> None:
        """Find anew how these records' children stand, and everybody who is in a pair with them or, where they are
        protected, resembles them. ending: what somebody was withheld for may have ended."""
        children = {linked.child for linked in (await links.links(self.conn, records)).values()}
        touched: set[str] = set()
        for child in sorted(children):
            touched |= set(await links.records_of(self.conn, child))
            touched |= {name for one in await links.pairs_about(self.conn, [child]) for name in one.records}
            if await index.protected(self.conn, child):
                touched |= await self._lookalikes(child)
        for record in sorted(touched):
            await self.review(record, ending=ending)

    async def _lookalikes(self, child: str) -> set[str]:
        """The records of other children that resemble one of this child's."""
        found: set[str] = set()
        spelling = (await self.live()).spelling
        for own in await links.records_of(self.conn, child):
            who = await index.person(self.conn, own)
            if who is not None:
                near = (await index.candidates(self.conn, own, who, mistaken=True)).candidates
                found |= {c.record for c in near if resembles(who, c.who, spelling)}
        return found

    async def review(self, record: str, *, ending: bool = False) -> None:
        """Withhold a record that resembles a protected child; show it again when nothing is left to withhold it for."""
        now = await links.link(self.conn, record)
        if now is None:
            return
        fellows = await links.records_of(self.conn, now.child)
        decision = holds.review(
            record,
            now,
            pairs=await links.pairs_about(self.conn, [now.child]),
            shields=await self.shields(record, child=now.child),
            shielded=await index.protected(self.conn, now.child),
            fellow_withheld=any(to.withheld for name, (to, _) in fellows.items() if name != record),
            ending=ending,
        )
        if decision is not None:
            await self.record(decision)

    async def shields(self, record: str, *, child: str | None) -> list[str]:
        """The records of other, protected children that this one resembles. child: its own; None when it is parted from
        that: then what people said of its fellows does not count, and its fellows do."""
        who = await index.person(self.conn, record)
        if who is None:
            return []
        near = (await index.candidates(self.conn, record, who)).candidates
        apart = await index.apart_from(self.conn, record, alone=child is None)
        found = decide.lookalikes(who, near, apart=apart, child=child, model=await self.live())
        return [c.record for c in found]

    async def part(self, record: str, other: str) -> None:
        """An adoption keeps these two apart: if they are one child, the second leaves with its side; nothing that is open
        lies between them, and whoever was held for that is decided anew."""
        found = await links.links(self.conn, [record, other])
        held = await links.partners(self.conn, record) | await links.partners(self.conn, other)
        if len(found) == 2 and found[record].child == found[other].child:
            await self._part(record, other, found[record].child)
        await self.around([record, other], ending=True)
        await self.again(held)

    async def _part(self, record: str, other: str, child: str) -> None:
        members = await links.records_of(self.conn, child)
        who = {name: known for name in members if (known := await index.person(self.conn, name)) is not None}
        going, unclear = people.sides(record, other, members, who, (await self.live()).spelling)
        protected = await index.protected_records(self.conn, members)
        stay = set(members) - set(going) - set(unclear)
        decision = people.part(
            record,
            {name: members[name][0] for name in going},
            {name: members[name][0] for name in unclear},
            pairs=await links.pairs_about(self.conn, [child]),
            shields=await self._shields_of([*going, *unclear], child),
            protected=protected,
            former_protected=bool(stay & protected),
        )
        await self.record(decision)

    async def _shields_of(self, records: Iterable[str], child: str) -> Mapping[str, list[str]]:
        return {record: await self.shields(record, child=child) for record in records}
