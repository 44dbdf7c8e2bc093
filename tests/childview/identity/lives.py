"""Random lives of a few records in one real database: what comes, what people decide, what is undone, what starts again.

What people decided is remembered here, from what they were told and from the log, never from identity's own tables.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from services.childview.identity.clearing_house import CannotUndo, NoSuchPair, ToldApart
from services.childview.projection import store as projections
from services.childview.projection import view as views
from services.childview.projection.apply import Projection
from services.plumbing import database
from services.plumbing.kafka.consumer import Record
from tests.childview.identity.world import CHANNELS, RULES, World, former_upn, nhs, record, upn

AT_A_TIME = 12
"""So many records are spoken of at a time: with every 15 operations one leaves and another comes."""
NUMBERS = [upn("A1"), upn("B1"), former_upn("A1"), nhs("N1"), nhs("N2")]
DAYS = ["2026-01-01", "2026-02-01", "2026-03-01"]
"""Of the extracts that speak: a later one corrects, an older one changes nothing."""
DECISIONS = "childview.identity"
Rows = dict[str, list[tuple[Any, ...]]]


class Child(msgspec.Struct, frozen=True):
    """A child as it is stored for reads: the version of each of its records, and all bytes but the numbers of decisions and what
    is asked about it."""

    streams: Mapping[str, int]
    shown: bytes
    rows: tuple[Any, ...]


class Life:
    """Operations drawn by `luck`, and what must hold whatever they are.

    apart: pairs of records that people told apart, or parted by undoing a merge. joined: pairs that people said are one child,
    while no merge that did so is undone. merges: those that may be undone yet.
    """

    def __init__(self, world: World, luck: random.Random) -> None:
        self.world, self.luck = world, luck
        self.apart: set[frozenset[str]] = set()
        self.joined: set[frozenset[str]] = set()
        self.merges: list[int] = []
        self.done: Counter[str] = Counter()
        self.count = 0
        self._log: list[tuple[int, dict[str, Any]]] = []
        self._laid = self._read = 0

    async def happen(self) -> None:
        """One operation."""
        self.count += 1
        name = self.luck.choices(list(_OPERATIONS), weights=[weight for weight, _ in _OPERATIONS.values()])[0]
        await _OPERATIONS[name][1](self)
        self.done[name] += 1

    def stream(self, service: str) -> str:
        """A record of this service's, of those that are spoken of now."""
        first = self.count // 15 + 1
        return record(self.luck.choice([n for n in range(first, first + AT_A_TIME) if n % 2 == (service == "education")]))

    # -- what comes ----------------------------------------------------------------------------------------------

    def _said(self, entry: str, data: dict[str, Any]) -> Record:
        service = self.luck.choice(["education", "socialcare"])
        return self.world.event(f"{service}.{entry}-recorded.v1", self.stream(service), data, extracted=self.luck.choice(DAYS))

    def person_event(self) -> Record:
        """Who somebody is, of few names and dates: much looks alike."""
        return self._said("person", {
            "given_name": self.luck.choice(["Ada", "Adda", "Ida"]), "family_name": self.luck.choice(["Berg", "Corn"]),
            "birth_date": self.luck.choice(["2015-03-05", "2015-05-03"]), "identifiers": self.luck.sample(NUMBERS, self.luck.choice([0, 0, 1])),
        })  # fmt: skip

    async def person(self) -> None:
        """A record comes, has a new version, is corrected, or an older extract says something else."""
        await self.world.go(self.person_event())

    async def address(self) -> None:
        """A record says where the child lives, or no more so."""
        postcode = self.luck.choice(["ZZ1 1AA", "ZZ2 2BB"])
        said = {"address_kind": "home", "postcode": postcode, "lines": [self.luck.choice(["1 Elm", "2 Oak"])]}
        await self.world.go(self._said("address", {"address_id": self.luck.choice("ab"), **self._or_withdrawn(said)}))

    async def relation(self) -> None:
        """A record says who the mother is, or no more so."""
        said = {"given_name": self.luck.choice(["Ina", "Una"]), "family_name": "Berg"}
        await self.world.go(self._said("relation", {"other_local_id": "M", "relationship": "mother", **self._or_withdrawn(said)}))

    def _or_withdrawn(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"withdrawn": True} if self.luck.random() < 0.2 else said

    async def protect(self) -> None:
        """A protection is set or, mostly, withdrawn."""
        await self.world.protect(self.stream("socialcare"), withdrawn=self.luck.random() < 0.7)

    # -- what people decide --------------------------------------------------------------------------------------

    async def _pair(self) -> list[str] | None:
        pairs = sorted(sorted(both) for both, _ in await self.world.pairs())
        return self.luck.choice(pairs) if pairs else None

    async def decide(self) -> None:
        """People say something of an open pair, if there is one."""
        pair, outcome = await self._pair(), self.luck.choice(["different", "different", "cannot-tell", "same", "same"])
        if pair is None:
            return
        try:
            number = await self.world.decide(*pair, outcome)
        except (NoSuchPair, ToldApart):
            return
        if outcome == "different":
            self.apart.add(frozenset(pair))
        if outcome == "same":
            self.joined.add(frozenset(pair))
            self.merges.append(number)

    async def undo(self) -> None:
        """A merge of some time ago is undone, whatever has come since; records that nothing else moved are where they were."""
        if not self.merges:
            return
        number = self.merges.pop(self.luck.randrange(len(self.merges)))
        merged, before = await self._merge(number)
        untouched = await self._untouched_since(number, before)
        try:
            await self.world.unmerge(number, merged)
        except CannotUndo:
            return
        self.done["undone later"] += 1
        children = await self._children()
        for one, child in untouched.items():
            assert children[one] == child, "an undone merge leaves a record where it was not"
        self.joined = {pair for pair in self.joined if len({children[one] for one in pair}) == 1}

    async def _merge(self, number: int) -> tuple[str, dict[str, str]]:
        """(the child that a merge made, the child that each of its records had before it), by the log."""
        child: dict[str, str] = {}
        for at, body in self._decisions():
            if at == number:
                return body["sets"][0]["child"], {item["record"]: child[item["record"]] for item in body["sets"]}
            child |= {item["record"]: item["child"] for item in body["sets"]}
        raise AssertionError("the merge is not in the log")

    async def _untouched_since(self, number: int, before: Mapping[str, str]) -> dict[str, str]:
        """Of these records, those that no later decision put into another child; and the child each had."""
        now: dict[str, str] = {}
        moved: set[str] = set()
        for at, body in self._decisions():
            for item in body["sets"]:
                if at > number and item["child"] != now.get(item["record"]):
                    moved.add(item["record"])
                now[item["record"]] = item["child"]
        return {one: child for one, child in before.items() if one not in moved}

    def _decisions(self) -> list[tuple[int, dict[str, Any]]]:
        """(number, body) of every decision in the log."""
        log, self._laid = self.world.log[self._laid :], len(self.world.log)
        found = [msgspec.json.decode(one.value) for one in log if one.topic == DECISIONS]
        self._log += [(one["streamversion"], one["data"]) for one in found]
        return self._log

    async def merge_and_undo(self) -> None:
        """Up to three merges with whatever comes between them, undone from the last to the first: after each every child is as
        it was, byte for byte, but for what came. Identity reads on only then: what else it decides is not a merge's to undo."""
        with self.world.identity_waiting():
            await self._nested(self.luck.randint(1, 3))
        await self.world.catch_up()

    async def _nested(self, deep: int) -> None:
        pair = await self._pair()
        if pair is None or not deep:
            return
        before = await self.views()
        try:
            number = await self.world.decide(*pair, "same")
        except (NoSuchPair, ToldApart):
            return
        assert await self.views() != before
        for _ in range(self.luck.choice([0, 0, 1, 2])):
            await self.world.go(self.person_event())
        await self._nested(deep - 1)
        await self.world.unmerge(number, await self.world.child(pair[0]))
        self.apart.add(frozenset(pair))
        self.done["undone at once"] += 1
        _the_same_but_for_what_came(before, await self.views())

    # -- what starts again ---------------------------------------------------------------------------------------

    async def restart(self) -> None:
        """Both processes end and start."""
        await self.world.new_identity()
        self.world.projection = Projection(self.world.pool, self.world.keys, RULES, schema=projections.LIVE)
        await self.world.projection.open(self.world.places)

    async def rebuild(self) -> None:
        """Identity's tables are lost and made anew from the log, and the projection is made anew beside the live one, in other
        batches: both are as they were. What is decided comes back from the decisions alone. Then whoever said something of
        which no decision tells is decided anew (nothing tells whether it was looked at), and what people decided holds."""
        before, log = await self.identity(), list(self.world.log)
        await self.world.lose_identity()
        self.world.identity._following = True  # as the process does while it reads its own topic
        await self.world.identity.apply([one for one in log if one.topic == DECISIONS])
        self.world.identity._following = False
        _the_same(before, await self.identity(), _DECIDED)
        await self.world.identity.apply([one for one in log if one.topic != DECISIONS])
        _the_same(before, await self.identity(), _KNOWN)
        await self.world.identity.look_everywhere()
        self.done["decided anew"] += len(await self.world.drain_and_read())
        await self._project_anew(list(self.world.log))
        self.done["rebuild"] += 1

    async def _project_anew(self, log: list[Record]) -> None:
        pool, size = self.world.pool, self.luck.choice([7, 100, 500])
        await pool.execute(f"drop schema if exists {projections.BESIDE} cascade")
        beside = Projection(pool, self.world.keys, RULES, schema=projections.BESIDE)
        await beside.open(self.world.places)
        for start in range(0, len(log), size):
            await beside.apply(sorted(log[start : start + size], key=lambda one: not CHANNELS[one.topic].urgent))
        async with pool.acquire() as conn:
            digests = [await projections.digests(conn, schema) for schema in (projections.LIVE, projections.BESIDE)]
        assert digests[0] == digests[1], "the projection made anew is another"

    # -- what must hold ------------------------------------------------------------------------------------------

    async def _children(self) -> dict[str, str]:
        rows = await self.world.pool.fetch("select stream_id::text as record, child_id::text as child from identity.links")
        return {row["record"]: row["child"] for row in rows}

    async def holds(self) -> None:
        """What people told apart is apart, what they joined is one child, and views say of both what identity says."""
        for _, body in self._decisions()[self._read :]:
            self._read += 1
            self.apart |= {frozenset(pair) for pair in body["not_same"]}
        children = await self._children()
        for one, other in self.apart:
            assert children[one] != children[other], f"people told these apart: {self._history(one, other)}"
        for one, other in self.joined:
            assert children[one] == children[other], f"people said that these are one child: {self._history(one, other)}"
        shown = {stream: child for child, found in (await self.views()).items() for stream in found.streams}
        assert shown == {stream: child for stream, child in children.items() if stream in shown}

    def _history(self, *records: str) -> list[tuple[Any, ...]]:
        """Every decision about these records: its number, kind, what it undoes, and what it set."""
        return [(number, body["kind"], body["undoes"], item["record"][:8], item["child"][:4], item["basis"], item["status"])
                for number, body in self._log for item in body["sets"] if item["record"] in records]  # fmt: skip

    def summary(self) -> str:
        """How often what happened, and what people decided."""
        done = ", ".join(f"{name} {times}" for name, times in sorted(self.done.items()))
        return f"{done}; {len(self.apart)} pairs apart, {len(self.joined)} joined, {self._read} decisions, {len(self.world.log)} events"

    async def views(self) -> dict[str, Child]:
        """Every child as it is stored for reads."""
        pool = self.world.pool
        more: dict[str, list[tuple[Any, ...]]] = {}
        for row in await pool.fetch(_BESIDES):
            more.setdefault(row["child"], []).append(tuple(row)[1:])
        found = {}
        for row in await pool.fetch("select child_id::text as child, view, content from projection.children"):
            made = views.decode(row["view"])
            asked = msgspec.structs.replace(made, decision=0, held=False, withheld=False)
            found[row["child"]] = Child(made.streams, views.encode(asked) + bytes(row["content"]), tuple(more.get(row["child"], ())))
        for row in await pool.fetch("select child_id::text as child, became::text as became from projection.aliases"):
            found[f"alias {row['child']}"] = Child({}, row["became"].encode(), ())
        return found

    async def identity(self) -> Rows:
        """What identity's tables say: every row of what is decided, and of whom it knows."""
        async with database.transaction(self.world.pool) as conn:
            return {name: [tuple(row) for row in await conn.fetch(f"select {columns} from identity.{name} order by 1, 2")]
                    for name, columns in {**_DECIDED, **_KNOWN}.items()}  # fmt: skip


_DECIDED = {
    "links": "*", "not_same": "*", "considered": "*", "decisions": "number, kind, body, before",
    "pairs": "stream_id, candidate, pair_id, queue, decision, since, risk, why, why_record, aside, proposed",
}  # fmt: skip
"""What decisions alone must bring back. Claims are no decisions; nor is the time at which one was followed."""
_KNOWN = {"said": "stream_id, entry, extracted, who", "persons": "stream_id, service, who", "match_keys": "stream_id, key", "protected": "*"}
"""What the sources must bring back."""
_BESIDES = """
    select child_id::text as child, field, term, ''::bytea as body from projection.terms
    union all select child_id::text, 'reference', reference, '' from projection.caseload
    union all select child_id::text, 'conflict', conflict_id::text, body from projection.conflicts order by 1, 2, 3"""
_OPERATIONS: Mapping[str, tuple[int, Callable[[Life], Coroutine[Any, Any, None]]]] = {
    "person": (8, Life.person), "address": (2, Life.address), "relation": (1, Life.relation), "protect": (2, Life.protect),
    "decide": (6, Life.decide), "undo": (2, Life.undo), "merge and undo": (3, Life.merge_and_undo), "restart": (1, Life.restart),
}  # fmt: skip
"""Name -> (how often, what)."""


def _the_same(before: Rows, after: Rows, tables: Iterable[str]) -> None:
    for name in tables:
        assert after[name] == before[name], f"made anew from the log, {name} is another: {_difference(before[name], after[name])}"


def _difference(before: Sequence[tuple[Any, ...]], after: Sequence[tuple[Any, ...]]) -> tuple[list, list]:
    """(rows that went, rows that came)."""
    return [row for row in before if row not in after], [row for row in after if row not in before]


def _the_same_but_for_what_came(before: Mapping[str, Child], after: Mapping[str, Child]) -> None:
    """The same children of the same records; and where no record has a new version, the same bytes."""
    assert {child: sorted(one.streams) for child, one in before.items()} == {child: sorted(one.streams) for child, one in after.items()}
    for child, was in before.items():
        if after[child].streams == was.streams:
            assert after[child] == was, "a merge and its undoing leave something behind"
