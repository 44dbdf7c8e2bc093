"""Learning the weights without labels: expectation maximisation over the pairs that candidate keys bring together. Pure.

Four kinds of pair are told apart: of one child, of twins, of siblings, of strangers. What strangers agree in is measured on
random pairs and stays; how the other three agree is learned, with the first chances as a belief worth some pairs. Each
value's own rarity counts in every step. (Dempster, Laird and Rubin, JRSS B 39, 1977; Winkler 1988 for record linkage.)
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from services.childview.identity import keys
from services.childview.identity.compare import LEVELS, UNKNOWN, Comparison, compare
from services.childview.identity.demographics import EVIDENCE, Demographics
from services.childview.identity.model import KINDS, SAME, SIBLING, STRANGER, TWIN, Model, first_chances
from services.childview.identity.names import Known, Spelling, ordered

PAIRS, RANDOM_PAIRS = 300_000, 100_000
GROUP = 60
"""Keys that more records share teach nothing that narrower ones do not."""
ROUNDS = 12
BELIEF = {SAME: 100.0, TWIN: 400.0, SIBLING: 400.0, STRANGER: 2000.0}
"""How many pairs the first chances of each kind count for."""
MANY = 10
"""A number on so many records of differing people is nobody's."""


def learn(records: Sequence[Demographics], *, expected: int = 0, seed: int = 1, made: str = "learned") -> Model:
    """A model of these records. expected: how many children there are, where known; else found from the records."""
    if len(records) < 2:
        return replace(Model(), expected=expected, made=made)
    ignored = crowded_numbers(records)
    records = [without(who, ignored) for who in records]
    pairs = list(_pairs(records, seed))
    known = _names(records, pairs)
    spelling = Spelling(known)
    model = Model(names=known, places=_places(records), ignored=ignored, made=made)
    strangers = _strangers(records, spelling, seed)
    found = _patterns(((records[a], records[b]) for a, b in pairs), spelling, model, len(records))
    chances, shares = _maximise(found, strangers, len(records))
    each, twins, siblings = _families(shares, len(records))
    expected = expected or round(1.25 * len(records) / each)
    return replace(model, chances=chances, each=each, twins=twins, siblings=siblings, expected=expected)


def crowded_numbers(records: Iterable[Demographics]) -> frozenset[str]:
    """The identifiers that so many people bear that they are nobody's: a default, or a typing habit."""
    bearers: dict[str, set[tuple]] = defaultdict(set)
    for who in records:
        for name in who.identifiers:
            bearers[name].add((who.given[:1], who.birth_dates[:1]))
    return frozenset(name for name, people in bearers.items() if len(people) >= MANY)


def without(who: Demographics, ignored: frozenset[str]) -> Demographics:
    """Somebody without the numbers that are nobody's."""
    return replace(who, identifiers=who.identifiers - ignored) if who.identifiers & ignored else who


def _pairs(records: Sequence[Demographics], seed: int) -> Iterator[tuple[int, int]]:
    """Pairs that share a key, each once; at random where there are more than can be learned from."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, who in enumerate(records):
        for key in keys.stored(who):
            groups[keys.hashed(key)].append(place)
    chosen = [group for group in groups.values() if 2 <= len(group) <= GROUP]
    random.Random(seed).shuffle(chosen)
    seen: set[tuple[int, int]] = set()
    for group in chosen:
        for pair in combinations(group, 2):
            if pair not in seen:
                seen.add(pair)
                yield pair
        if len(seen) >= PAIRS:
            return


def _places(records: Iterable[Demographics]) -> Mapping[str, int]:
    """How many records live where: of postcodes and addresses that more than one does."""
    counts = Counter(value for who in records for value in (*who.postcodes, *who.addresses, *_evidence(who)))
    return {place: n for place, n in counts.items() if n > 1}


def _evidence(who: Demographics) -> Iterator[str]:
    return (name for name in who.identifiers if name.startswith(EVIDENCE))


def _names(records: Sequence[Demographics], pairs: Sequence[tuple[int, int]]) -> Known:
    given = Counter(name for who in records for name in who.given)
    family = Counter(name for who in records for name in who.family)
    plain = Known(len(records), given, family)
    spelling = Spelling(plain)
    learned, separating = Counter(), Counter()
    for a, b in pairs:
        one, other = records[a], records[b]
        if one.birth_dates != other.birth_dates or not one.birth_dates or not one.given or not other.given:
            continue
        names = ordered(one.given[0], other.given[0])
        if spelling.given(*names) not in ("close", "similar", "distinct", "different"):
            continue
        found = compare(one, other, spelling)
        if found["family_name"] != "equal":
            continue
        if found.shared and not found.conflicts and found["sex"] != "different":
            learned[names] += 1
        elif found.conflicts and not found.shared and found["place"] == "equal":
            separating[names] += 1
    apart = frozenset(n for n in separating if min(given[n[0]], given[n[1]]) >= 3 and spelling.given(*n) != "different")
    same = {n for n, times in learned.items() if times >= (3 if spelling.given(*n) != "different" else 8)}
    return Known(len(records), dict(given), dict(family), frozenset(same - apart), apart)


def _strangers(records: Sequence[Demographics], spelling: Spelling, seed: int) -> dict[str, dict[str, float]]:
    """What two people chosen at random agree in."""
    chance = random.Random(seed)
    first = first_chances()[STRANGER]
    counts = {name: Counter() for name in LEVELS}
    for _ in range(min(RANDOM_PAIRS, len(records) * 20)):
        one, other = chance.choice(records), chance.choice(records)
        if one is not other:
            for name, level in compare(one, other, spelling).levels.items():
                counts[name][level] += 1
    return {name: _posterior(counts[name], first[name], BELIEF[STRANGER]) for name in LEVELS}


def _posterior(counts: Mapping[str, float], belief: Mapping[str, float], worth: float) -> dict[str, float]:
    whole = sum(counts.values()) + worth
    return {level: (counts.get(level, 0.0) + worth * chance) / whole for level, chance in belief.items()}


Pattern = tuple[tuple[str, str], ...]


def _patterns(
    pairs: Iterable[tuple[Demographics, Demographics]], spelling: Spelling, model: Model, records: int
) -> Counter[tuple[Pattern, int]]:
    """How often each combination of levels was found, with how rare what agreed was (in powers of two)."""
    found: Counter[tuple[Pattern, int]] = Counter()
    for one, other in pairs:
        comparison = compare(one, other, spelling)
        found[(tuple(comparison.levels.items()), _rarity(comparison, model, records))] += 1
    return found


def _rarity(found: Comparison, model: Model, records: int) -> int:
    scale = 1.0
    for name, level in found.levels.items():
        scale *= model.rarity(name, level, found.agreed.get(name, ""), records)
    return round(math.log2(max(scale, 1e-12)))


def _maximise(
    found: Counter[tuple[Pattern, int]], strangers: dict[str, dict[str, float]], records: int
) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, float]]:
    """The chances, and how many of the pairs each kind has."""
    first = first_chances()
    chances = {**first, STRANGER: strangers}
    everybody = records * (records - 1) / 2
    shares = {SAME: records * 1.0, TWIN: records * 0.03, SIBLING: records * 0.9, STRANGER: everybody}
    for _ in range(ROUNDS):
        sums = {kind: {name: Counter() for name in LEVELS} for kind in (SAME, TWIN, SIBLING)}
        totals = dict.fromkeys(KINDS, 0.0)
        for (levels, rarity), times in found.items():
            likely = _likely(levels, 2.0**rarity, chances, shares)
            whole = sum(likely.values())
            for kind, weight in likely.items():
                totals[kind] += times * weight / whole
            for kind in sums:
                part = times * likely[kind] / whole
                if part > 1e-9:
                    for name, level in levels:
                        sums[kind][name][level] += part
        shares = {**{kind: max(totals[kind], 0.5) for kind in sums}, STRANGER: everybody}
        for kind, fields in sums.items():
            chances[kind] = {name: _posterior(fields[name], first[kind][name], BELIEF[kind]) for name in LEVELS}
    return chances, shares


def _likely(levels: Pattern, scale: float, chances: Mapping, shares: Mapping[str, float]) -> dict[str, float]:
    likely = dict(shares)
    for kind in (SAME, TWIN, SIBLING):
        likely[kind] *= scale
    for name, level in levels:
        if level != UNKNOWN:
            for kind in KINDS:
                likely[kind] *= chances[kind][name][level]
    return likely


def _families(shares: Mapping[str, float], records: int) -> tuple[float, float, float]:
    """From pairs to children: how many records each has, how many twins, and how many siblings."""
    each = 1 + 2 * shares[SAME] / records
    twins = 2 * shares[TWIN] / (records * each)
    siblings = 2 * shares[SIBLING] / (records * each)
    return each, min(max(twins, 0.0005), 0.2), min(max(siblings, 0.01), 4.0)
