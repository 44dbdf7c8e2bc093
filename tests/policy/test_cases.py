"""One case a line: the sentence, who asks about which child, and what is wanted. The data say which."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from services.disclosure import language
from services.policy.leases import PURPOSES
from services.policy.main import starter_policies
from tests.policy import deciding

CASES = [case for path in sorted(Path(__file__).with_name("cases").glob("*.yaml")) for case in yaml.safe_load(path.read_text())]
SENTENCES = {f"S{number:02}" for number in range(1, 51)}
NEVER = {"S03", "S04", "S08", "S11", "S14", "S16", "S18", "S20", "S22", "S23", "S30", "S48"}
"""The sentences that say what must never come out."""
ONLY_NEVER = {"S34"}
"""The sentences that allow nobody anything."""


def name(case: dict) -> str:
    return f"{case.get('sentence') or 'hard case {}'.format(case['hard'])} {case['says']}"


def having(*parts: str) -> list[dict]:
    return [case for case in CASES if all(part in case for part in parts)]


@pytest.mark.parametrize("case", [*having("category"), *having("field")], ids=name)
def test_the_policies_show_what_the_sentence_says(case):
    made = deciding.field(case["field"], **case.get("what", {})) if "field" in case else deciding.resource(case["category"], **case.get("what", {}))
    assert deciding.level(deciding.request(**case["who"]), made) == case["wanted"]


@pytest.mark.parametrize("case", having("action"), ids=name)
def test_the_policies_let_do_what_the_sentence_says(case):
    assert deciding.may(deciding.request(**case["who"]), case["action"]) is case["wanted"]


@pytest.mark.parametrize("case", having("related"), ids=name)
def test_the_child_and_the_post_are_related_as_the_sentence_says(case):
    found = deciding.related(deciding.lease(**case["asker"]), deciding.inputs(**case["child"]))
    assert (sorted(found.kinds), found.phase) == (case["related"], case.get("phase", "current"))


@pytest.mark.parametrize("case", [case for case in having("asker") if "related" not in case], ids=name)
def test_the_gates_open_to_whom_the_sentence_says(case):
    kin = [deciding.inputs(**one) for one in case.get("kin", [])]
    more = {name: case[name] for name in ("withheld", "in_pair") if name in case}
    passed = deciding.passes(deciding.lease(**case["asker"]), deciding.inputs(**case["child"]), kin=kin, **more)
    assert passed.open is (case.get("wanted", "open") == "open")
    assert passed.silent == set(case.get("silent", []))
    assert case.get("flagged") in (None, [flag for flag, raised in passed.flags.items() if raised])


@pytest.mark.parametrize("case", having("purposes"), ids=name)
def test_the_posts_work_for_what_the_sentence_says(case):
    assert dict(PURPOSES) == case["purposes"]


def test_every_case_is_run():
    assert all(any(part in case for part in ("category", "field", "action", "asker", "purposes")) for case in CASES)


def test_every_sentence_has_a_case_and_every_never_one_of_its_own():
    cases = having("sentence")
    assert {case["sentence"] for case in cases} == SENTENCES
    assert {case["sentence"] for case in cases if case.get("never")} >= NEVER
    assert {case["sentence"] for case in cases if not case.get("never")} == SENTENCES - ONLY_NEVER


def test_every_hard_case_has_a_case():
    assert {case["hard"] for case in having("hard")} == set(range(1, 21))


def test_a_lack_of_vetting_denies_every_action():
    vetting = next(one for one in starter_policies() if one["uid"] == "S01-vetting")
    assert set(vetting["targets"]["action_id"]) == set(language.ACTIONS) - {"full", "masked"}


def test_every_policy_says_one_sentence_in_a_file_of_its_name():
    for path in sorted((deciding.ROOT / "services/policy/starter_policies").glob("*.json")):
        document = next(one for one in starter_policies() if one["uid"] == path.stem)
        assert document["uid"][:3] in SENTENCES and document["description"].endswith(".")
