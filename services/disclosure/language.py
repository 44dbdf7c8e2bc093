"""The policy language: py-abac's JSON, with only what it can mean safely. What cannot be meant safely is refused at load.

A policy: {uid, description, effect, rules {subject, resource, action, context}, targets {action_id}, waivable}. A rule tests
declared attributes at `$.name` (child attributes at `$.child.name` of the resource, relationship attributes at
`$.relationship.name` of the context). Within one element all must hold; a list of elements is an "or".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

DISCLOSURE = ("full", "masked", "noted")
ACTIONS = (*DISCLOSURE, "find", "export", "correct", "merge", "subscribe", "read_access_log")
ELEMENTS = {"subject": "subject", "resource": "resource", "context": "context"}
FIELDS = frozenset({"uid", "description", "effect", "rules", "targets", "waivable"})


class PolicyRefused(Exception):
    """A policy that the linter does not accept: which one, where in it, and a sentence of help."""

    def __init__(self, uid: str, path: str, help: str) -> None:
        super().__init__(f"{uid}: {path}: {help}")
        self.uid, self.path, self.help = uid, path, help


class Truth(Enum):
    """What a test of an attribute comes to. An attribute that is unavailable makes it UNKNOWN."""

    TRUE = 1
    FALSE = 0
    UNKNOWN = -1


@dataclass(frozen=True)
class Condition:
    """One test: an operator with its operands; `Not` has one inner condition."""

    operator: str
    values: tuple[Any, ...] = ()
    inner: Condition | None = None


@dataclass(frozen=True)
class Test:
    """A condition on one declared attribute: its group (subject, relationship, resource, child, context) and name."""

    group: str
    name: str
    condition: Condition


@dataclass(frozen=True)
class Policy:
    """One policy, checked. tests: per element a list of alternatives, each a list of tests that must all hold."""

    uid: str
    description: str
    allows: bool
    waivable: bool
    actions: tuple[str, ...]
    tests: tuple[tuple[tuple[Test, ...], ...], ...]


Vocabulary = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""group -> attribute -> {type, values}: the closed list of `contracts/attributes.yaml`."""

_TEXT = {"Equals": "value", "IsIn": "values"}
_SET = {"AnyIn": "values"}
_NUMBER = {"Eq": "value", "Gte": "value", "Lte": "value", "Gt": "value", "Lt": "value"}
OPERATORS: Mapping[str, Mapping[str, str]] = {
    "string": _TEXT, "enum": _TEXT, "set": _SET, "integer": _NUMBER, "boolean": {"Eq": "value"},
}  # fmt: skip
"""The operators that are safe on each type of attribute, and where each has its operand."""


def read(document: Mapping[str, Any], vocabulary: Vocabulary) -> Policy:
    """A policy from its JSON. Raises PolicyRefused."""
    uid = str(document.get("uid", "(no uid)"))
    _known(uid, document)
    targets = document.get("targets", {})
    actions = targets.get("action_id", [])
    actions = (actions,) if isinstance(actions, str) else tuple(actions)
    if not actions or any(action not in ACTIONS for action in actions):
        raise PolicyRefused(uid, "targets.action_id", f"name at least one action of {', '.join(ACTIONS)}")
    if targets.get("subject_id", "*") != "*" or targets.get("resource_id", "*") != "*":
        raise PolicyRefused(uid, "targets", "no policy names a person or a child: subject_id and resource_id are '*'")
    policy = Policy(
        uid=uid,
        description=document["description"],
        allows=document["effect"] == "allow",
        waivable=bool(document.get("waivable", False)),
        actions=actions,
        tests=tuple(
            _element(uid, name, document["rules"].get(name, {}), vocabulary) for name in ELEMENTS
        ),
    )
    _break_glass(policy)
    return policy


def _known(uid: str, document: Mapping[str, Any]) -> None:
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        raise PolicyRefused(uid, unknown[0], "no such part of a policy; priorities and the like have no place here")
    for name in ("uid", "description", "effect", "rules"):
        if not document.get(name) and name != "rules":
            raise PolicyRefused(uid, name, "must be given")
    if document["effect"] not in ("allow", "deny"):
        raise PolicyRefused(uid, "effect", "is allow or deny")
    if not isinstance(document.get("rules"), dict) or set(document["rules"]) - {*ELEMENTS, "action"}:
        raise PolicyRefused(uid, "rules", "has the elements subject, resource and context")


def _break_glass(policy: Policy) -> None:
    """Only a waivable deny may depend on the glass: breaking it allows nothing by itself."""
    asks = any(test.name == "break_glass" for element in policy.tests for one in element for test in one)
    if asks and (policy.allows or not policy.waivable):
        raise PolicyRefused(policy.uid, "$.break_glass", "only a waivable deny may test it")
    if policy.allows and policy.waivable:
        raise PolicyRefused(policy.uid, "waivable", "only a deny can be waived")


def _element(uid: str, element: str, rules: Any, vocabulary: Vocabulary) -> tuple[tuple[Test, ...], ...]:
    if isinstance(rules, list) and not rules:
        raise PolicyRefused(uid, element, "an empty list never matches; leave it out")
    alternatives = rules if isinstance(rules, list) else [rules]
    return tuple(
        tuple(_test(uid, element, path, found, vocabulary) for path, found in one.items()) for one in alternatives
    )


def _test(uid: str, element: str, path: str, found: Any, vocabulary: Vocabulary) -> Test:
    parts = path.split(".")
    where = f"rules.{element}.{path}"
    nested = {"resource": "child", "context": "relationship"}.get(element)
    if len(parts) == 2 and parts[0] == "$":
        group, name = element, parts[1]
    elif len(parts) == 3 and parts[0] == "$" and parts[1] == nested:
        group, name = parts[1], parts[2]
    else:
        raise PolicyRefused(uid, where, "a path is $.attribute, $.child.attribute or $.relationship.attribute")
    declared = vocabulary[group].get(name)
    if declared is None:
        near = _nearest(name, vocabulary[group])
        raise PolicyRefused(uid, where, f"there is no such attribute of the {group}{near}")
    return Test(group, name, _condition(uid, where, found, declared))


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _condition(uid: str, where: str, found: Any, declared: Mapping[str, Any]) -> Condition:
    if not isinstance(found, dict) or "condition" not in found:
        raise PolicyRefused(uid, where, "a condition is an object with the key condition")
    operator = found["condition"]
    if operator == "Not":
        inner = _condition(uid, where, found.get("value"), declared)
        if inner.inner is not None:
            raise PolicyRefused(uid, where, "not of a not: say it straight")
        return Condition("Not", inner=inner)
    operand = OPERATORS[declared["type"]].get(operator)
    if operand is None:
        allowed = ", ".join(OPERATORS[declared["type"]])
        raise PolicyRefused(uid, where, f"{operator} is not safe on a {declared['type']}; use Not, {allowed}")
    given = found.get(operand)
    values = tuple(given) if isinstance(given, list) else (given,)
    if not values or any(not _fits(value, declared) for value in values):
        raise PolicyRefused(uid, where, f"the {operand} does not fit a {declared['type']}{_choice(declared)}")
    return Condition(operator, values)


def _fits(value: Any, declared: Mapping[str, Any]) -> bool:
    if declared["type"] in ("integer", "boolean"):
        return isinstance(value, int)
    return isinstance(value, str) and ("values" not in declared or value in declared["values"])


def _choice(declared: Mapping[str, Any]) -> str:
    return f" (one of {', '.join(declared['values'])})" if "values" in declared else ""


def lint(documents: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> list[PolicyRefused]:
    """Everything that is wrong with these policies; empty when they may be published."""
    wrong: list[PolicyRefused] = []
    seen: set[str] = set()
    for document in documents:
        try:
            policy = read(document, vocabulary)
        except PolicyRefused as refused:
            wrong.append(refused)
            continue
        if policy.uid in seen:
            wrong.append(PolicyRefused(policy.uid, "uid", "another policy has the same uid"))
        seen.add(policy.uid)
    return wrong
