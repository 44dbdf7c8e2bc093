"""The matcher over children held in memory: for evaluation, for shadow runs, and for learning. The rules are the live ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.childview.identity import keys
from services.childview.identity.demographics import Demographics, combine
from services.childview.identity.judge import Other, Verdict, joins, judge, still_belongs, twin_like
from services.childview.identity.learn import without
from services.childview.identity.model import Model


@dataclass
class Child:
    """A child in memory: its records, and for whom it is held, if it is."""

    records: list[int]
    who: Demographics
    held_for: frozenset[str] = frozenset()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided of some records: linked, held or new; the child they are in; what was weighed."""

    records: tuple[int, ...]
    kind: str
    child: int
    verdict: Verdict
    candidates: int


@dataclass
class Population:
    """Children as they become known, one record after another. left: records that a twin's coming took out of a child."""

    model: Model
    children: list[Child] = field(default_factory=list)
    seen: int = 0
    records: dict[int, Demographics] = field(default_factory=dict)
    left: list[Outcome] = field(default_factory=list)
    _touched: set[int] = field(default_factory=set)
    _found_by: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def arrive(self, place: int, who: Demographics) -> Outcome:
        """Decide what a record is. place: its number, by which outcomes name it."""
        who = self.records[place] = without(who, self.model.ignored)
        verdict, candidates = self._judge(who)
        if verdict.link is not None:
            child = int(verdict.link)
            self._join(child, [place], who)
            return Outcome((place,), "linked", child, verdict, candidates)
        child = self._new(place, who, verdict)
        self._reexamine(verdict)
        return Outcome((place,), "held" if verdict.doubts else "new", child, verdict, candidates)

    def _reexamine(self, verdict: Verdict) -> None:
        """A child came that may be a twin: hold what was linked to the other and may be this one's."""
        for one in verdict.judged:
            child = self.children[int(one.child)]
            if twin_like(one.found):
                for record in child.records[1:]:
                    self._leave(int(one.child), child, record)

    def _leave(self, number: int, child: Child, record: int) -> None:
        rest = [name for name in child.records if name != record]
        who, stays = self.records[record], combine(self.records[name] for name in rest)
        others = [self._other(n) for n in sorted(set(self._near(who)) - {number}) if not self.children[n].gone]
        rested = Other(str(number), stays, records=tuple(self.records[name] for name in rest))
        verdict = judge(who, [*others, rested], self.model, seen=self.seen)
        if not still_belongs(verdict, str(number)):
            child.records, child.who = rest, stays
            self._new(record, who, verdict)
            self.left.append(Outcome((record,), "held" if verdict.doubts else "new", len(self.children) - 1, verdict, len(others)))

    def again(self, *, everybody: bool = False) -> list[Outcome]:
        """Decide anew what is held for children that more has come to be known of (or everybody), and these children: two
        may by now be seen to be one. What that changes."""
        changed = []
        while everybody or self._touched:
            found = list(self._once_more(everybody))
            changed += found
            everybody = False
        return changed

    def _once_more(self, everybody: bool) -> Iterator[Outcome]:
        touched, self._touched = self._touched, set()
        held = [n for n, child in enumerate(self.children) if child.held_for and not child.gone]
        waiting = {n for n in held if everybody or n in touched or not self.children[n].held_for.isdisjoint(map(str, touched))}
        named = {int(name) for n in waiting for name in self.children[n].held_for}
        for number in sorted(waiting | named):
            child = self.children[number]
            if not child.gone:
                outcome = self._reconsider(number, child)
                if outcome is not None:
                    yield outcome

    def _reconsider(self, number: int, child: Child) -> Outcome | None:
        verdict, candidates = self._judge(child.who, besides=number)
        if verdict.link is not None and (child.held_for or joins(verdict.judged, verdict.link)):
            target = int(verdict.link)
            if self.children[target].held_for and not child.held_for:
                return self._moved(target, number, verdict, candidates)
            return self._moved(number, target, verdict, candidates)
        if not child.held_for:
            return None
        if not verdict.doubts:
            child.held_for = frozenset()
            self.seen += 1
            return Outcome(tuple(child.records), "new", number, verdict, candidates)
        self._hold(child, verdict)
        return None

    def _moved(self, number: int, target: int, verdict: Verdict, candidates: int) -> Outcome:
        """One child's records go to another."""
        child = self.children[number]
        child.gone = True
        self.seen -= not child.held_for
        child.held_for = frozenset()
        self._join(target, child.records, child.who)
        return Outcome(tuple(child.records), "linked", target, verdict, candidates)

    def _judge(self, who: Demographics, *, besides: int = -1) -> tuple[Verdict, int]:
        found = {n for n in self._near(who) if n != besides and not self.children[n].gone}
        others = [self._other(n) for n in sorted(found)]
        mine = [self.records[name] for name in self.children[besides].records] if besides >= 0 else []
        return judge(who, others, self.model, seen=self.seen, records=mine), len(others)

    def _other(self, number: int) -> Other:
        child = self.children[number]
        return Other(str(number), child.who, child.held_for, tuple(self.records[name] for name in child.records))

    def _near(self, who: Demographics) -> Iterable[int]:
        for key in keys.wanted(who):
            group = self._found_by.get(keys.hashed(key), ())
            if len(group) <= keys.limit(key):
                yield from group

    def _new(self, place: int, who: Demographics, verdict: Verdict) -> int:
        number = len(self.children)
        child = Child([place], who)
        self.children.append(child)
        self._index(number, who)
        if verdict.doubts:
            self._hold(child, verdict)
        else:
            self.seen += 1
        return number

    def _hold(self, child: Child, verdict: Verdict) -> None:
        child.held_for = frozenset(one.child for one in verdict.doubts)

    def _join(self, number: int, records: list[int], who: Demographics) -> None:
        child = self.children[number]
        child.records = [*child.records, *records]
        child.who = combine([child.who, who])
        self._touched.add(number)
        self._index(number, who)

    def _index(self, number: int, who: Demographics) -> None:
        for key in keys.stored(who):
            group = self._found_by[keys.hashed(key)]
            if number not in group[-keys.CROWD :]:
                group.append(number)
