"""What a list of scored pairs is worth against the truth: pairs, clusters, and how much is found before the first wrong link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

Pair = tuple[str, str, float]
"""Two ids and how likely they are one person; any scale, higher is likelier."""


class Clusters:
    """Records joined by links, with how many pairs are joined and how many of them rightly. truth: the person of each record."""

    def __init__(self, truth: Mapping[str, str]) -> None:
        self._parent = {id: id for id in truth}
        self._persons = {id: Counter({person: 1}) for id, person in truth.items()}
        self.pairs = self.right = 0

    def join(self, one: str, other: str) -> None:
        """Link two records, and so their clusters."""
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        larger, smaller = sorted((self._persons[one], self._persons[other]), key=len, reverse=True)
        self.pairs += larger.total() * smaller.total()
        self.right += sum(many * larger[person] for person, many in smaller.items())
        larger.update(smaller)
        self._parent[other] = one
        self._persons[one] = larger
        del self._persons[other]

    def _root(self, id: str) -> str:
        while self._parent[id] != id:
            self._parent[id] = self._parent[self._parent[id]]
            id = self._parent[id]
        return id


def measured(pairs: Iterable[Pair], truth: Mapping[str, str]) -> dict[str, Any]:
    """Figures at the best threshold of each kind. Recall counts every true pair, also those that were never compared. Pairs of
    one score stand or fall together: no threshold lies between them."""
    possible = sum(many * (many - 1) // 2 for many in Counter(truth.values()).values())
    steps = list(_steps(pairs, truth))
    best = max(steps, key=lambda step: _f1(step["right"], step["pairs"], possible), default=_NOTHING)
    clustered = max(steps, key=lambda step: _f1(step["clustered_right"], step["clustered"], possible), default=_NOTHING)
    clean = max((step["right"] for step in steps if step["right"] == step["pairs"]), default=0)
    clean_clusters = max((step["clustered_right"] for step in steps if step["clustered_right"] == step["clustered"]), default=0)
    return {
        "records": len(truth), "persons": len(set(truth.values())), "true_pairs": possible,
        "pair_precision": _share(best["right"], best["pairs"]), "pair_recall": _share(best["right"], possible),
        "pair_f1": _f1(best["right"], best["pairs"], possible), "clustered_f1": _f1(clustered["clustered_right"], clustered["clustered"], possible),
        "recall_at_zero_wrong": _share(clean, possible), "clustered_recall_at_zero_wrong": _share(clean_clusters, possible),
        "wrong_per_10000_at_recall_0.82": _wrong_at(steps, 0.82 * possible),
    }  # fmt: skip


_NOTHING = {"right": 0, "pairs": 0, "clustered_right": 0, "clustered": 0}


def _steps(pairs: Iterable[Pair], truth: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """What is linked down to each score, from the highest."""
    clusters = Clusters(truth)
    linked = right = 0
    for _, group in groupby(sorted(pairs, key=lambda pair: -pair[2]), key=lambda pair: pair[2]):
        for one, other, _ in group:
            linked += 1
            right += truth[one] == truth[other]
            clusters.join(one, other)
        yield {"right": right, "pairs": linked, "clustered_right": clusters.right, "clustered": clusters.pairs}


def _wrong_at(steps: list[dict[str, int]], wanted: float) -> float | None:
    """Wrong pairs among ten thousand of the clusters that first reach so many true ones; None where none does."""
    reached = next((step for step in steps if step["clustered_right"] >= wanted), None)
    return reached and round(10_000 * (1 - reached["clustered_right"] / reached["clustered"]), 2)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _f1(right: int, linked: int, possible: int) -> float:
    return _share(2 * right, linked + possible)
