"""The plain evaluator: obviously right rather than fast. It stays as the oracle for whatever is faster.

An attribute that is unavailable is not one that is absent: an allow that cannot be evaluated does not allow, a deny that
cannot be evaluated denies.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.disclosure import language
from services.disclosure.language import Condition, Policy, Truth, Vocabulary
from services.disclosure.levels import NAMES, Level, decided

Attributes = Mapping[str, Any]
REMEMBERED = 2_000
NUMBER = "number"


@dataclass(frozen=True)
class Bundle:
    """The policies in force together. hash: their content and the vocabulary's; every decision names it."""

    hash: str
    policies: tuple[Policy, ...]
    vocabulary: Vocabulary = field(repr=False, compare=False)


@dataclass(frozen=True)
class Request:
    """Who asks about which child for what: exactly the declared attributes, but for `action`, which is being decided. A
    missing one is unavailable."""

    subject: Attributes
    relationship: Attributes
    child: Attributes
    context: Attributes


@dataclass(frozen=True)
class Decision:
    """A level, and which policies held: bit n of `sat` for policy n of the bundle. With the bundle it explains and replays."""

    level: Level
    sat: int


def load(documents: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> Bundle:
    """A bundle of these policies, in the order of their uids. Raises PolicyRefused for the first that is wrong."""
    ordered = sorted(documents, key=lambda document: document["uid"])
    wrong = language.lint(ordered, vocabulary)
    if wrong:
        raise wrong[0]
    return Bundle(
        content_hash(ordered, vocabulary), tuple(language.read(document, vocabulary) for document in ordered), vocabulary
    )


def content_hash(documents: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> str:
    """The sha256 of policies and vocabulary in canonical JSON."""
    ordered = sorted(documents, key=lambda document: document["uid"])
    body = json.dumps([ordered, vocabulary], sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(body.encode()).hexdigest()


def level(bundle: Bundle, request: Request, resource: Attributes) -> Decision:
    """How much of one field or entry may be shown."""
    allowed, denied, sat = [], [], 0
    for bit, policy in enumerate(bundle.policies):
        named = [NAMES[action] for action in policy.actions if action in NAMES and _fires(policy, request, resource, action)]
        if named:
            sat |= 1 << bit
            (allowed if policy.allows else denied).extend(named)
    return Decision(decided(allowed, denied), sat)


def allowed(bundle: Bundle, request: Request, action: str) -> tuple[bool, int]:
    """Whether an unlevelled action (find, export, ...) is allowed: some allow fires, no deny does; and `sat`."""
    good = bad = False
    sat = 0
    for bit, policy in enumerate(bundle.policies):
        if action in policy.actions and _fires(policy, request, {}, action):
            sat |= 1 << bit
            good, bad = good or policy.allows, bad or not policy.allows
    return good and not bad, sat


def _fires(policy: Policy, request: Request, resource: Attributes, action: str) -> bool:
    """Whether a policy counts for an action: an allow when all it asks is true, a deny unless something it asks is false."""
    if policy.waivable and request.context.get("break_glass") is True:
        return False
    groups = {**vars(request), "resource": resource, "context": {**request.context, "action": action}}
    truth = _all(_any(_all(_test(t, groups) for t in one) for one in element) for element in policy.tests)
    return truth is Truth.TRUE or (truth is Truth.UNKNOWN and not policy.allows)


def _all(found: Iterable[Truth]) -> Truth:
    """True when all are; the first that is false settles it."""
    whole = Truth.TRUE
    for one in found:
        if one is Truth.FALSE:
            return one
        if one is Truth.UNKNOWN:
            whole = one
    return whole


def _any(found: Iterable[Truth]) -> Truth:
    """True when one is; the first that is true settles it."""
    whole = Truth.FALSE
    for one in found:
        if one is Truth.TRUE:
            return one
        if one is Truth.UNKNOWN:
            whole = one
    return whole


def _test(test: language.Test, groups: Mapping[str, Attributes]) -> Truth:
    value = groups[test.group].get(test.name)
    return Truth.UNKNOWN if value is None else _holds(test.condition, value)


def _holds(condition: Condition, value: Any) -> Truth:
    if condition.inner is not None:
        held = _holds(condition.inner, value)
        return Truth.TRUE if held is Truth.FALSE else Truth.FALSE
    first = condition.values[0]
    match condition.operator:
        case "Equals" | "Eq":
            held = value == first
        case "IsIn":
            held = value in condition.values
        case "AnyIn":
            held = any(one in condition.values for one in value)
        case "Gte":
            held = value >= first
        case "Lte":
            held = value <= first
        case "Gt":
            held = value > first
        case _:
            held = value < first
    return Truth.TRUE if held else Truth.FALSE


class Memo:
    """Remembers decisions by everything they depend on. A decision is a pure function of these, so this changes none."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._numbers = itertools.count(1)
        self._scopes: OrderedDict[tuple, dict] = OrderedDict()

    def scope(self, bundle: Bundle, request: Request) -> dict:
        """Where decisions of this bundle for exactly these attributes are kept, by resource. Under NUMBER it has a number that
        no other scope ever has."""
        key = (bundle.hash, *(vector(group) for group in vars(request).values()))
        found = self._scopes.get(key)
        if found is None:
            found = self._scopes[key] = {NUMBER: next(self._numbers)}
            if len(self._scopes) > self._size:
                self._scopes.popitem(last=False)
        else:
            self._scopes.move_to_end(key)
        return found


def vector(attributes: Attributes) -> tuple:
    """Attributes as something that can be compared and kept, whatever order they come in."""
    return tuple(
        (name, tuple(sorted(value)) if isinstance(value, list | set | frozenset | tuple) else value)
        for name, value in sorted(attributes.items())
    )
