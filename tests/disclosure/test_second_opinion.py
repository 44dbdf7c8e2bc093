"""py-abac 0.4.1 decides the same of every starter policy, when no attribute is missing (where it is known to differ)."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from py_abac.context import EvaluationContext
from py_abac.policy import Policy
from py_abac.request import AccessRequest

from services.disclosure import evaluate
from services.disclosure.evaluate import Request
from services.disclosure.levels import NAMES, decided
from services.policy.main import starter_policies, vocabulary
from tests.policy import deciding

WORDS = vocabulary(deciding.ROOT / "contracts")
DOCUMENTS = sorted(starter_policies(), key=lambda one: one["uid"])
FITTING = [(Policy.from_json({k: v for k, v in one.items() if k != "waivable"}), one) for one in DOCUMENTS]
CATEGORIES = ("identity", "contact", "household", "enrolment", "attendance", "exclusions", "sen", "involvements", "referrals", "plans", "looked_after")


def attributes(group: str, **fixed: Any):
    """A value for every declared attribute of a group."""
    def one(name: str, declared: dict):
        if name in fixed:
            return fixed[name]
        match declared["type"]:
            case "enum":
                return st.sampled_from(declared["values"])
            case "set":
                return st.lists(st.sampled_from(declared.get("values") or ["t1", "t2"]), unique=True, max_size=4)
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(0, 3)
            case _:
                return st.just("any")

    return st.fixed_dictionaries({name: one(name, declared) for name, declared in WORDS[group].items() if name != "action"})


requests = st.builds(Request, subject=attributes("subject"), relationship=attributes("relationship"), child=attributes("child"), context=attributes("context"))
resources = attributes("resource", category=st.sampled_from(CATEGORIES), source_service=st.sampled_from(["education", "socialcare"]))


def second(who: Request, what: dict[str, Any], action: str) -> list[dict]:
    """The policies that py-abac says fit."""
    asked = {
        "subject": {"id": "s", "attributes": _numbers(who.subject)},
        "resource": {"id": "r", "attributes": {**_numbers(what), "child": _numbers(who.child)}},
        "action": {"id": action, "attributes": {}},
        "context": {**_numbers(who.context), "relationship": _numbers(who.relationship)},
    }
    context = EvaluationContext(AccessRequest.from_json(json.loads(json.dumps(asked))))
    return [document for policy, document in FITTING if policy.fits(context)]


def _numbers(found: dict) -> dict:
    return {name: int(value) if isinstance(value, bool) else value for name, value in found.items()}


def _waived(document: dict, who: Request) -> bool:
    return bool(document.get("waivable")) and who.context["break_glass"]


@settings(max_examples=60, deadline=None)
@given(requests, resources)
def test_the_level_is_what_py_abac_would_make_it(who, what):
    allowed, denied = [], []
    for action in ("full", "masked", "noted"):
        for document in second(who, what, action):
            if not _waived(document, who):
                (allowed if document["effect"] == "allow" else denied).append(NAMES[action])
    assert evaluate.level(deciding.bundle(), who, what).level is decided(allowed, denied)


@settings(max_examples=40, deadline=None)
@given(requests)
def test_finding_is_what_py_abac_would_make_it(who):
    found = [document for document in second(who, {}, "find") if not _waived(document, who)]
    wanted = any(one["effect"] == "allow" for one in found) and not any(one["effect"] == "deny" for one in found)
    assert evaluate.allowed(deciding.bundle(), who, "find")[0] is wanted
