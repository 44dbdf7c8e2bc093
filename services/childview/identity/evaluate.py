"""Evaluating the matcher on labelled records: what it links, holds and misses, and what that costs. Ids alone leave it."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.childview.identity.demographics import Demographics
from services.childview.identity.judge import LINK_RISK
from services.childview.identity.learn import learn
from services.childview.identity.memory import Outcome, Population
from services.childview.identity.model import Model

Progress = Callable[[int, int], None]
RISKS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


@dataclass
class Run:
    """One run over labelled records: what each record became, at once and after all had come."""

    records: Sequence[Demographics]
    entities: Sequence[str]
    population: Population
    outcomes: list[Outcome] = field(default_factory=list)
    had_one: list[bool] = field(default_factory=list)
    later: dict[int, Outcome] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    wrong: list[tuple[int, int]] = field(default_factory=list)

    def child_of(self) -> dict[int, int]:
        """The child that each record ends in."""
        kept = ((n, child) for n, child in enumerate(self.population.children) if not child.gone)
        return {record: number for number, child in kept for record in child.records}


def run(
    records: Sequence[Demographics],
    entities: Sequence[str],
    *,
    expected: int = 0,
    model: Model | None = None,
    ends: Sequence[int] = (),
    progress: Progress | None = None,
) -> Run:
    """Let every record arrive in its order. model: learned from the records themselves unless given. ends: after how many
    records a delivery ends: then what is held is decided anew; as it is at the end."""
    model = model or learn(records, expected=expected)
    done = Run(records, entities, Population(model))
    met: set[str] = set()
    for place, who in enumerate(records):
        done.had_one.append(entities[place] in met)
        met.add(entities[place])
        started = time.perf_counter()
        outcome = done.population.arrive(place, who)
        done.times.append(time.perf_counter() - started)
        done.outcomes.append(outcome)
        for left in done.population.left:
            done.later[left.records[0]] = left
            done.wrong = [found for found in done.wrong if found[0] != left.records[0]]
        done.population.left.clear()
        if outcome.kind == "linked":
            _check(done, [place], outcome.child)
        if place + 1 in ends:
            _again(done)
        if progress and place % 1000 == 0:
            progress(place, len(records))
    _again(done, everybody=True)
    return done


def _again(done: Run, *, everybody: bool = False) -> None:
    for outcome in done.population.again(everybody=everybody):
        for record in outcome.records:
            done.later[record] = outcome
        if outcome.kind == "linked":
            _check(done, outcome.records, outcome.child)


def _check(done: Run, moved: Sequence[int], child: int) -> None:
    """A link is wrong where none of the child's earlier records is of the same person."""
    there = [record for record in done.population.children[child].records if record not in moved]
    for record in moved:
        if all(done.entities[record] != done.entities[other] for other in there):
            done.wrong.append((record, there[0]))


def figures(done: Run) -> dict[str, float | int]:
    """The figures of a run, as `childview identity evaluate --json` prints them."""
    final = [done.later.get(place, outcome) for place, outcome in enumerate(done.outcomes)]
    links = sum(outcome.kind == "linked" for outcome in final)
    child_of = done.child_of()
    held = [n for n, outcome in enumerate(final) if outcome.kind == "held"]
    had = [n for n, known in enumerate(done.had_one) if known]
    linked_had = sum(final[n].kind == "linked" for n in had) - sum(done.had_one[record] for record, _ in done.wrong)
    missed = sum(final[n].kind == "new" for n in had)
    pairs = _pairs(child_of, done.entities)
    times = sorted(done.times)
    whole = len(done.records)
    return {
        "records": whole,
        "children": len(set(done.entities)),
        "auto_links": links,
        "wrong_auto_links": len(done.wrong),
        "auto_recall": linked_had / max(len(had), 1),
        "missed": missed,
        "missed_share": missed / max(whole, 1),
        "pair_precision": pairs[0],
        "pair_recall": pairs[1],
        "pair_f1": _f1(*pairs),
        "clustered_f1": _f1(*pairs),
        "held": len(held),
        "held_share": len(held) / max(whole, 1),
        "held_at_first": sum(outcome.kind == "held" for outcome in done.outcomes),
        "held_true_share": sum(_truly(done, n, final[n]) for n in held) / max(len(held), 1),
        "p50_ms": times[len(times) // 2] * 1000 if times else 0.0,
        "p99_ms": times[int(len(times) * 0.99)] * 1000 if times else 0.0,
        "candidates_p99": sorted(o.candidates for o in done.outcomes)[int(whole * 0.99)] if whole else 0,
        "records_per_s": whole / max(sum(times), 1e-9),
        "queue_hours": len(held) * 3 / 60,
    }


def _truly(done: Run, place: int, outcome: Outcome) -> bool:
    """Whether one of those a record is held for is the same person."""
    children = done.population.children
    return any(
        done.entities[place] == done.entities[other]
        for one in outcome.verdict.doubts
        for other in children[int(one.child)].records
        if other != place
    )


def _pairs(child_of: Mapping[int, int], entities: Sequence[str]) -> tuple[float, float]:
    """Precision and recall of pairs of records that ended in one child."""
    together: dict[int, Counter[str]] = defaultdict(Counter)
    for record, child in child_of.items():
        together[child][entities[record]] += 1
    found = sum(_two(sum(group.values())) for group in together.values())
    right = sum(_two(n) for group in together.values() for n in group.values())
    true = sum(_two(n) for n in Counter(entities).values())
    return right / found if found else 1.0, right / true if true else 1.0


def _two(n: int) -> int:
    return n * (n - 1) // 2


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def thresholds(done: Run) -> list[dict[str, float]]:
    """What other thresholds of risk would have linked and held, by the judgements of this run: each record's best child
    that no veto speaks against. What a link would have taught the next record is not worked out again."""
    best = [(outcome.verdict.judged[0], place) for place, outcome in enumerate(done.outcomes) if outcome.verdict.judged]
    had = sum(done.had_one)
    rows = []
    for risk in RISKS:
        limit = risk / LINK_RISK
        links = [(one, place) for one, place in best if not one.vetoes and one.risk <= risk]
        right = sum(_is(done, place, int(one.child)) for one, place in links)
        held = sum(1 for one, _ in best if (one.vetoes or one.risk > risk) and one.share >= 0.5)
        rows.append(
            {
                "risk": risk,
                "times_shipped": limit,
                "links": len(links),
                "precision": right / len(links) if links else 1.0,
                "recall": right / had if had else 1.0,
                "held_share": held / max(len(done.records), 1),
            }
        )
    return rows


def _is(done: Run, place: int, child: int) -> bool:
    mine = done.entities[place]
    return any(done.entities[other] == mine for other in done.population.children[child].records if other < place)
