"""Levels, denies that cannot be evaluated, the glass; and that more denies never show more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.disclosure import evaluate, language
from services.disclosure.evaluate import Request
from services.disclosure.levels import Level, clamp, decided
from services.policy.main import vocabulary
from tests.policy import deciding

WORDS = vocabulary(deciding.ROOT / "contracts")
levels = st.sampled_from([Level.NOTED, Level.MASKED, Level.FULL])


def policy(uid: str, effect: str, action, *, subject=None, resource=None, context=None, **more) -> dict:
    rules = {"subject": subject or {}, "resource": resource or {}, "context": context or {}, "action": {}}
    return {"uid": uid, "description": "A test.", "effect": effect, "rules": rules,
            "targets": {"subject_id": "*", "resource_id": "*", "action_id": action}, **more}  # fmt: skip


def level(*policies: dict, **missing) -> Level:
    who = deciding.request("teacher", kinds=["school_staff"], purpose="casework")
    what = deciding.resource("attendance")
    groups = {name: {k: v for k, v in getattr(who, name).items() if k not in missing.get(name, ())} for name in vars(who)}
    what = {k: v for k, v in what.items() if k not in missing.get("resource", ())}
    return evaluate.level(evaluate.load(list(policies), WORDS), Request(**groups), what).level


@given(st.lists(levels), st.lists(levels))
def test_the_level_is_the_lower_of_the_highest_allowed_and_one_below_the_lowest_denied(allowed, denied):
    found = decided(allowed, denied)
    assert found <= max(allowed, default=Level.HIDDEN)
    assert all(found < one for one in denied)


@given(st.lists(levels), st.lists(levels), levels)
def test_a_further_deny_never_shows_more_and_a_further_allow_never_less(allowed, denied, one):
    assert decided(allowed, [*denied, one]) <= decided(allowed, denied) <= decided([*allowed, one], denied)


@given(levels, st.sets(st.sampled_from(["full", "masked", "noted"])))
def test_a_level_falls_to_the_next_that_is_legal(found, legal):
    shown = clamp(found, legal)
    assert shown <= found and (shown is Level.HIDDEN or shown.name.lower() in legal)


def test_nothing_said_is_hidden():
    assert level() is Level.HIDDEN


def test_a_deny_whose_attribute_is_unavailable_denies():
    allow = policy("a", "allow", "full")
    deny = policy("d", "deny", "full", resource={"$.link": {"condition": "Equals", "value": "automatic"}})
    assert level(allow, deny) is Level.FULL
    assert level(allow, deny, resource=("link",)) is Level.MASKED


def test_an_allow_whose_attribute_is_unavailable_does_not_allow():
    allow = policy("a", "allow", "full", subject={"$.vetting_current": {"condition": "Eq", "value": 1}})
    assert level(allow) is Level.FULL
    assert level(allow, subject=("vetting_current",)) is Level.HIDDEN


def test_not_of_something_unavailable_is_unavailable():
    allow = policy("a", "allow", "full", resource={"$.link": {"condition": "Not", "value": {"condition": "Equals", "value": "automatic"}}})
    assert level(allow) is Level.FULL
    assert level(allow, resource=("link",)) is Level.HIDDEN


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(range(100)), st.sampled_from(["identity", "contact", "attendance", "plans"]), st.integers(1, 3))
def test_leaving_out_any_starter_allow_never_shows_more_and_any_deny_never_less(number, category, sensitivity):
    from services.policy.main import starter_policies

    documents = starter_policies()
    gone = documents[number % len(documents)]
    rest = evaluate.load([one for one in documents if one is not gone], WORDS)
    what = deciding.resource(category, sensitivity=sensitivity)
    for who in (deciding.request("social-worker", kinds=["allocated"], purpose="casework"),
                deciding.request("teacher", kinds=["school_staff"], purpose="casework", training=[])):  # fmt: skip
        full, less = evaluate.level(deciding.bundle(), who, what).level, evaluate.level(rest, who, what).level
        assert less <= full if gone["effect"] == "allow" else less >= full


def test_the_glass_lifts_waivable_denies_alone():
    allow = policy("a", "allow", "full")
    for waivable, wanted in ((True, Level.FULL), (False, Level.HIDDEN)):
        bundle = evaluate.load([allow, policy("d", "deny", "noted", waivable=waivable)], WORDS)
        who = deciding.request("social-worker", purpose="emergency", glass=True)
        assert evaluate.level(bundle, who, deciding.resource("plans")).level is wanted


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (policy("p", "allow", "full", priority=3), "no such part"),
        (policy("p", "allow", "full", subject={"$.post_rolle": {"condition": "Equals", "value": "teacher"}}), "did you mean post_role"),
        (policy("p", "allow", "full", subject={"$.post_role": {"condition": "Equals", "value": "wizard"}}), "does not fit"),
        (policy("p", "allow", "full", subject={"$.post_role": {"condition": "EqualsAttribute", "ace": "resource", "path": "$.x"}}), "not safe"),
        (policy("p", "allow", "full", subject={"$.post_role": {"condition": "RegexMatch", "value": "t.*"}}), "not safe"),
        (policy("p", "allow", "full", subject={"$..post_role": {"condition": "Equals", "value": "teacher"}}), "a path is"),
        (policy("p", "allow", "everything"), "at least one action"),
        (policy("p", "allow", "full", context={"$.break_glass": {"condition": "Eq", "value": 1}}), "only a waivable deny"),
        (policy("p", "allow", "full", waivable=True), "only a deny"),
        ({**policy("p", "allow", "full"), "targets": {"subject_id": "person-1", "resource_id": "*", "action_id": "full"}}, "names a person"),
        ({**policy("p", "permit", "full")}, "allow or deny"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_safely_is_refused_with_a_place_and_a_sentence(document, said):
    wrong = language.lint([document], WORDS)
    assert wrong and said in wrong[0].help and wrong[0].path


def test_an_empty_list_of_alternatives_is_refused_because_it_never_matches():
    document = policy("p", "allow", "full")
    document["rules"]["subject"] = []
    assert language.lint([document], WORDS)
