"""What is true of what was generated, counted while it is written: the figures that the settings promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.identity import numbers
from benchmarks.identity.population import Child, Home
from benchmarks.identity.records import Row


class Facts:
    """Counts of children and records, ward by ward."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._named: Counter[int] = Counter()
        self._homes: dict[Home, int] = {}

    def add(self, children: Sequence[Child], rows: Iterable[tuple[Child, Row]], strangers: Sequence[Child]) -> None:
        """A ward: its children, their records, and the children of earlier wards whose numbers may be among theirs."""
        count = self._counts
        by_birth = Counter(child.twin for child in children if child.twin)
        several = Counter(child.household for child in children)
        owner = {number: child for child in (*strangers, *children) for number in (child.nhs, *(upn for _, upn in child.upns))}
        for child in children:
            self._add_child(child, several[child.household], by_birth[child.twin])
        recorded: set[int] = set()
        for child, row in rows:
            recorded.add(child.number)
            count["records"] += 1
            count["records_" + row["source"]] += 1
            count["records_daily"] += row["day"] != "0"
            count.update(_wrong(child, row, owner))
        count["children_with_records"] += len(recorded)

    def _add_child(self, child: Child, siblings: int, born_together: int) -> None:
        count = self._counts
        count["children"] += 1
        count["children_with_siblings"] += siblings > 1
        count["twin_children"] += born_together > 1
        count["twin_children_named_alike"] += born_together > 1 and child.alike
        count["children_with_changed_surname"] += len(child.family) > 1
        count["children_with_new_upn"] += len(child.upns) > 1
        count["half_siblings"] += child.half
        count["children_with_prefix_name"] += child.prefixed
        count["children_who_moved"] += len(child.homes) > 1
        self._named[hash_of(child)] += 1
        other = self._homes.setdefault(child.homes[-1][1], child.household)
        count["children_at_an_address_of_another_household"] += other != child.household

    def told(self) -> dict[str, Any]:
        """Everything, as JSON has it. expected_children: how many there are, whether or not a record tells of them."""
        equal = sum(many * (many - 1) // 2 for many in self._named.values())
        return {
            "expected_children": self._counts["children"],
            "pairs_of_equal_name_and_birth_date": equal,
            **dict(sorted(self._counts.items())),
        }


def hash_of(child: Child) -> int:
    """A number for name as called, and birth date: equal for equal ones, in this process."""
    return hash((child.called, child.given, child.surname, child.born))


def _wrong(child: Child, row: Row, owner: dict[str, Child]) -> list[str]:
    """Which of the record's numbers are not the child's, and whose they are."""
    own = {child.nhs, "", *(upn for _, upn in child.upns)}
    found = [_whose(child, row[name], owner) for name in ("upn", "nhs_number") if row[name] not in own]
    another = ["records_with_number_of_another"] if {"number_of_twin", "number_of_sibling", "number_of_stranger"} & set(found) else []
    return found + another


def _whose(child: Child, number: str, owner: dict[str, Child]) -> str:
    if number in (numbers.DEFAULT_NHS, numbers.DEFAULT_UPN):
        return "number_default"
    other = owner.get(number)
    if other is None:
        return "number_mistyped"
    if other.household != child.household:
        return "number_of_stranger"
    return "number_of_twin" if other.twin and other.twin == child.twin else "number_of_sibling"
