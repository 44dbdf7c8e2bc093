"""One case a line: the sentence, the request, the level wanted. The data say which."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.policy import deciding

CASES = [case for path in sorted(Path(__file__).with_name("cases").glob("*.yaml")) for case in yaml.safe_load(path.read_text())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sentence"])
def test_the_policies_do_what_the_sentence_says(case):
    who = deciding.request(**case["who"])
    assert deciding.level(who, deciding.resource(case["category"], **case.get("what", {}))) == case["wanted"]


FINDS = [
    ("social-worker", (), "enquiry", True), ("social-work-manager", (), "review", True), ("education-welfare-officer", (), "enquiry", True),
    ("health-visitor", (), "enquiry", True), ("virtual-school-officer", (), "review", True), ("teacher", (), "casework", False),
    ("teacher", ("school_staff",), "casework", True), ("school-safeguarding-lead", (), "casework", False),
    ("school-safeguarding-lead", ("school_safeguarding_lead",), "casework", True), ("childrens-centre-worker", ("centre_registered",), "casework", True),
    ("protection-officer", (), "enquiry", True), ("policy-author", (), "casework", False), ("policy-approver", (), "casework", False),
    ("service-manager", (), "casework", False),
]  # fmt: skip


@pytest.mark.parametrize(("who", "kinds", "purpose", "wanted"), FINDS)
def test_who_may_know_that_a_child_is_here(who, kinds, purpose, wanted):
    assert deciding.finds(deciding.request(who, kinds=kinds, purpose=purpose)) is wanted


def test_nobody_without_vetting_finds_anyone():
    assert not deciding.finds(deciding.request("social-worker", kinds=["allocated"], purpose="casework", vetting=False))
