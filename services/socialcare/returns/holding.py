"""What the register holds of one child, as a return asks for it: the entries of a kind that stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.plumbing.contracts import Schemas
from services.plumbing.register.entries import Held, State, standing

TOLD_TWICE = "another file tells of the same, and was heard from later"


@dataclass(frozen=True)
class Holding:
    """One child's entries."""

    state: State
    schemas: Schemas

    def of(self, name: str) -> list[Held]:
        """The entries that stand of `socialcare.<name>-recorded.v1`, in no order."""
        contract = self.schemas.of(f"socialcare.{name}-recorded.v1")
        assert contract is not None and contract.entry is not None, name
        return standing(self.state, contract.entry)

    @cached_property
    def person(self) -> dict[str, Any]:
        """Who the child is; empty where nothing is held."""
        return next((one.fields for one in self.of("person")), {})

    def number(self, type: str) -> str | None:
        """Who the child is by one type of number, valid or not."""
        return next((one["value"] for one in self.person.get("identifiers", []) if one["type"] == type), None)


def once(
    found: Iterable[Held], *, same: Callable[[Held], Any], own: Callable[[Held], bool], left: Callable[[Held, str], None]
) -> list[Held]:
    """Entries without those that tell again what others tell.

    A return names its entries by their dates (`own`), the daily extract by ids: one thing that both told is held twice. Of what
    is the `same` those stand whose file was heard from last, the return's on the same day; of the others `left` is told.
    """
    groups: dict[Any, tuple[list[Held], list[Held]]] = {}
    for one in found:
        groups.setdefault(same(one), ([], []))[own(one)].append(one)
    kept: list[Held] = []
    for others, owned in groups.values():
        newer, older = (owned, others) if _heard(owned) >= _heard(others) else (others, owned)
        kept += newer
        for one in older:
            left(one, TOLD_TWICE)
    return kept


def _heard(found: list[Held]) -> str:
    return max((one.extracted for one in found), default="")
