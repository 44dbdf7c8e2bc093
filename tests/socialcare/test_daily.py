"""The daily payload of children's social care in JSON: what changed, and what the source deletes."""

from __future__ import annotations

import json
from typing import Any

import pytest

DAY, LATER, EARLIER = "2026-11-20", "2026-11-21", "2026-11-19"
ENQUIRY = {"section_47_assessment_id": "s1", "start_date": "2026-09-05", "end_date": None, "icpc_required_flag": True, "icpc_date": "2026-09-25", "purge": False}
ASSESSMENT = {"child_and_family_assessment_id": "a1", "start_date": "2026-09-03", "authorisation_date": None, "factors": ["4A", "1B"], "purge": False}
NEED_PLAN = {"child_in_need_plan_id": "n1", "start_date": "2026-10-01", "end_date": None, "purge": False}
PROTECTION_PLAN = {"child_protection_plan_id": "p1", "start_date": "2026-09-25", "end_date": None, "purge": False}
DETAILS = {"unique_pupil_number": "B801200005001", "former_unique_pupil_number": None, "first_name": "Ada", "surname": "Zwilling", "date_of_birth": "2015-03-05",
           "sex": "F", "ethnicity": "WBRI", "disabilities": ["HEAR"], "purge": False}  # fmt: skip


def episode(**changes: Any) -> dict[str, Any]:
    plain = {
        "social_care_episode_id": "r1", "referral_date": "2026-09-02", "referral_source": "2A", "referral_no_further_action_flag": False,
        "closure_date": None, "closure_reason": None, "care_worker_details": [{"worker_id": "w1", "start_date": "2026-09-02", "end_date": None}],
        "child_and_family_assessments": [ASSESSMENT], "child_in_need_plans": [NEED_PLAN], "section_47_assessments": [ENQUIRY],
        "child_protection_plans": [PROTECTION_PLAN], "purge": False,
    }  # fmt: skip
    return {**plain, **changes}


def payload(*episodes: dict[str, Any], **changes: Any) -> str:
    child = {"la_child_id": "1", "mis_child_id": "m1", "purge": False, "child_details": DETAILS, "social_care_episodes": list(episodes), **changes}
    return json.dumps({"la_code": 999, "Children": child})


async def take(care, text: str, day: str = DAY) -> dict[str, Any]:
    return (await care.take({f"{day}.json": text}))[0]


async def standing(care) -> set[str]:
    """The kinds of entry that stand."""
    state = await care.state()
    return {name.split("\x1f")[1] for held in state.values() for name, (_, withdrawn) in held.items() if not withdrawn}


ALL = {"person", "disability", "referral", "involvement", "assessment", "plan", "section_47", "conference"}


async def test_a_child_comes_with_all_its_parts(care):
    report = await take(care, payload(episode()))
    assert (report["accepted"], report["refused"], report["flagged"]) == (1, 0, 0) and await standing(care) == ALL
    assert care.said("section-47")[0]["conference_needed"] is True and care.said("conference")[0]["date_of_initial_cpc"] == "2026-09-25"
    assert (care.said("assessment")[0]["assessment_factors"], care.said("assessment")[0]["assessment_factors_of_others"]) == (["4A"], ["1B"])
    assert care.said("involvement")[0]["involvement_kind"] == "other"
    assert {one["plan_kind"]: one["plan_id"] for one in care.said("plan-recorded")} == {"need": "n1", "protection": "p1"}


async def test_it_sets_the_entries_that_the_datasets_tables_set(care):
    tables = {
        f"{DAY}-persons.csv": "pers_person_id,pers_dob\n1,2015-03-05\n",
        f"{DAY}-referrals.csv": "cine_referral_id,cine_person_id,cine_referral_date\nr1,1,2026-09-02\n",
        f"{DAY}-plans.csv": "cppl_cp_plan_id,cppl_person_id,cppl_cp_plan_latest_category\np1,1,Neglect\n",
    }
    await care.take(tables)
    await take(care, payload(episode(child_in_need_plans=[])), LATER)
    assert len(care.streams("person")) == 1 and {one["referral_id"] for one in care.said("referral")} == {"r1"}
    assert care.said("plan-recorded")[-1]["latest_category_of_abuse"] == "NEG"


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"child_and_family_assessments": [{"child_and_family_assessment_id": "a1", "purge": True}]}, {"assessment"}),
        ({"section_47_assessments": [{"section_47_assessment_id": "s1", "purge": True}]}, {"section_47", "conference"}),
        ({"child_in_need_plans": [{"child_in_need_plan_id": "n1", "purge": True}], "child_protection_plans": [{"child_protection_plan_id": "p1", "purge": True}]}, {"plan"}),
        ({"purge": True}, {"referral", "involvement", "assessment", "plan", "section_47", "conference"}),
    ],
)
async def test_what_the_source_deletes_is_withdrawn_with_what_hangs_on_it(care, changes, gone):
    await take(care, payload(episode()))
    report = await take(care, payload(episode(**changes)), LATER)
    assert report["refused"] == 0 and await standing(care) == ALL - gone


async def test_only_the_deleted_episodes_parts_go(care):
    other = episode(social_care_episode_id="r2", child_in_need_plans=[{**NEED_PLAN, "child_in_need_plan_id": "n2"}], child_protection_plans=[], section_47_assessments=[])
    await take(care, payload(episode(), other))
    await take(care, payload(episode(purge=True)), LATER)
    gone = {one["plan_id"] for one in care.said("plan-recorded") if one.get("withdrawn")}
    assert gone == {"n1", "p1"} and "plan" in await standing(care)


async def test_a_deleted_child_leaves_nothing_and_may_come_back(care):
    await take(care, payload(episode()))
    await care.take({f"{DAY}-voice.csv": "voch_table_id,voch_person_id,voch_plan_safe\nv1,1,Y\n"})
    deleted = json.dumps({"la_code": 999, "Children": [{"la_child_id": "1", "purge": True}]})
    assert (await take(care, deleted, LATER))["refused"] == 0
    assert await standing(care) == set()
    before = len(care.published)
    await take(care, deleted, LATER)
    assert len(care.published) == before
    await take(care, payload(episode()), "2026-11-22")
    assert await standing(care) == ALL


async def test_an_older_deletion_changes_nothing(care):
    await take(care, payload(episode()))
    before = len(care.published)
    await take(care, payload(episode(purge=True)), EARLIER)
    assert len(care.published) == before


async def test_a_child_nobody_knows_is_not_deleted(care):
    report = await take(care, payload(purge=True))
    assert report["waiting"] == 1 and "no person with this id" in care.items(report)[0]["why"] and care.published == []


async def test_a_case_closed_by_adoption_says_so_apart(care):
    await take(care, payload(episode(closure_date="2026-11-01", closure_reason="RC1")))
    assert "reason_for_closure" not in care.said("referral")[0] and care.said("adoption-sign")[0]["restriction"] == "statute"


async def test_a_key_that_is_absent_is_not_spoken_of_and_null_opens_again(care):
    await take(care, payload(episode(closure_date="2026-11-01", closure_reason="RC8")))
    await take(care, payload({"social_care_episode_id": "r1", "referral_source": "2B"}), LATER)
    assert (care.said("referral")[-1]["closure_date"], care.said("referral")[-1]["referral_source"]) == ("2026-11-01", "2B")
    await take(care, payload({"social_care_episode_id": "r1", "closure_date": None}), "2026-11-22")
    assert "closure_date" not in care.said("referral")[-1]


@pytest.mark.parametrize(
    ("changes", "path", "value"),
    [
        ({"child_in_need_plans": [{**NEED_PLAN, "start_date": "soon"}]}, "Children/social_care_episodes/child_in_need_plans/start_date", "soon"),
        ({"child_in_need_plans": [{"start_date": "2026-01-01"}]}, "Children/social_care_episodes/child_in_need_plans/child_in_need_plan_id", None),
        ({"child_in_need_plans": ["n1"]}, "Children/social_care_episodes/child_in_need_plans", "n1"),
        ({"section_47_assessments": "none"}, "Children/social_care_episodes/section_47_assessments", "none"),
        ({"child_in_need_plans": [{**NEED_PLAN, "purge": "maybe"}]}, "Children/social_care_episodes/child_in_need_plans/purge", "maybe"),
        ({"care_worker_details": [{"worker_id": {"a": 1}}]}, "Children/social_care_episodes/care_worker_details/worker_id", None),
    ],
)
async def test_one_bad_part_is_refused_with_its_path_and_the_others_come(care, changes, path, value):
    report = await take(care, payload(episode(**changes)))
    assert [(one["row"], one["column"], one["value"]) for one in care.items(report, "refused")] == [(1, path, value)]
    assert report["accepted"] == 1 and {"person", "referral", "assessment"} <= await standing(care)


async def test_the_same_payload_again_publishes_nothing(care):
    await take(care, payload(episode()))
    before = len(care.published)
    await care.take({f"again-{DAY}.json": payload(episode())})
    assert len(care.published) == before


async def test_what_is_not_read_here_is_counted(care):
    report = await take(care, payload(episode(care_leavers={}, adoption={}), health_and_wellbeing={}, child_details={**DETAILS, "postcode": "ZZ1 1ZZ"}))
    assert report["ignored_columns"] == 4 and care.said("address") == []


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("", {}, "empty"), ('{"la_code": 999, "Children": [', {}, "broken or cut off"), ("[" * 500_000, {}, "nested deeper"), ('{"pupils": []}', {}, "no payload"),
        ('{"la_code": 999, "Children": ["x"]}', {}, "no object"), (payload(), {"authority": "801"}, "--authority says 801"),
        ('{"la_code": 999, "Children": {"la_child_id": "' + "x" * (9 * 1024 * 1024) + '"}}', {}, "larger than 4 MB"),
    ],
    ids=["empty", "cut", "deep", "other", "child", "authority", "large"],
)  # fmt: skip
async def test_a_file_of_the_wrong_kind_is_refused_before_any_child_is_taken(care, text, options, why):
    report = (await care.take({f"{DAY}.json": text}, **options))[0]
    assert why in report["why"] and care.published == []
