"""A child's story outside care, as the dataset's tables tell it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from tests import importing as desks

DAY, LATER, EARLIER = "2026-11-20", "2026-11-21", "2026-11-19"
PERSONS = {"pers_person_id": "1", "pers_dob": "2015-03-05", "pers_forename": "Ada"}
Row = dict[str, str]


def table(*rows: Row) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(_cell(row.get(column, "")) for column in rows[0]) for row in rows)]) + "\n"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def delivery(day: str = DAY, **tables: list[Row]) -> dict[str, str]:
    """The files of one day's extract, with the one child."""
    return {f"{day}-{name}.csv": table(*rows) for name, rows in {"persons": [PERSONS], **tables}.items()}


def flags(**told: Any) -> str:
    return json.dumps(told)


CONTACT = {"cont_contact_id": "c1", "cont_person_id": "1", "cont_contact_date": "2026-09-01", "cont_contact_source_code": "2A",
           "cont_contact_source_desc": "Hill Road", "cont_contact_outcome_json": flags(NEW_REFERRAL_FLAG="Y", NFA_FLAG="N", ADVICE_FLAG="")}  # fmt: skip
EARLY = {"earl_episode_id": "e1", "earl_person_id": "1", "earl_episode_start_date": "2026-05-01", "earl_episode_end_date": "", "earl_episode_reason": "Housing",
         "earl_episode_end_reason": "", "earl_episode_organisation": "School", "earl_episode_worker_id": "w1"}  # fmt: skip
REFERRAL = {"cine_referral_id": "r1", "cine_person_id": "1", "cine_referral_date": "2026-09-02", "cine_close_date": "2026-10-30", "cine_close_reason": "RC7",
            "cine_referral_source_desc": "Hill Road", "cine_referral_outcome_json": flags(SINGLE_ASSESSMENT_FLAG="Y"), "cine_referral_team": "t1",
            "cine_referral_worker_id": "w1"}  # fmt: skip
ASSESSMENT = {"cina_assessment_id": "a1", "cina_person_id": "1", "cina_referral_id": "r1", "cina_assessment_start_date": "2026-09-03",
              "cina_assessment_child_seen": "Y", "cina_assessment_auth_date": "2026-10-01", "cina_assessment_outcome_nfa": "N", "cina_assessment_team": "t1",
              "cina_assessment_worker_id": "w1", "cina_assessment_outcome_json": flags(NFA_FLAG="N", PROV_OF_SERVICES_FLAG="Y", TOTAL_NO_OF_OUTCOMES=1, COMMENTS="help at home")}  # fmt: skip
FACTORS = {"cinf_table_id": "f1", "cinf_assessment_id": "a1", "cinf_assessment_factors_json": '["4A", "3B", "20"]'}
ENQUIRY = {"s47e_s47_enquiry_id": "s1", "s47e_person_id": "1", "s47e_referral_id": "r1", "s47e_s47_start_date": "2026-09-05", "s47e_s47_end_date": "2026-09-20",
           "s47e_s47_nfa": "N", "s47e_s47_outcome_json": flags(CP_CONFERENCE_FLAG="Y", OUTCOME_COMMENTS="why"), "s47e_s47_completed_by_worker_id": "w1",
           "s47e_s47_completed_by_team": "t1"}  # fmt: skip
CONFERENCE = {"icpc_icpc_id": "k1", "icpc_person_id": "1", "icpc_icpc_meeting_id": "m1", "icpc_s47_enquiry_id": "s1", "icpc_cp_plan_id": "p1", "icpc_referral_id": "r1",
              "icpc_icpc_transfer_in": "N", "icpc_icpc_target_date": "2026-09-26", "icpc_icpc_date": "2026-09-25", "icpc_icpc_outcome_cp_flag": "Y",
              "icpc_icpc_outcome_json": flags(CP_FLAG="Y"), "icpc_icpc_team": "t1", "icpc_icpc_worker_id": "w1"}  # fmt: skip
CP_PLAN = {"cppl_cp_plan_id": "p1", "cppl_person_id": "1", "cppl_referral_id": "r1", "cppl_icpc_id": "k1", "cppl_cp_plan_start_date": "2026-09-25",
           "cppl_cp_plan_end_date": "", "cppl_cp_plan_ola": "N", "cppl_cp_plan_initial_category": "Multiple: Neglect, Physical abuse", "cppl_cp_plan_latest_category": "Neglect"}  # fmt: skip
CIN_PLAN = {"cinp_cin_plan_id": "n1", "cinp_person_id": "1", "cinp_referral_id": "r1", "cinp_cin_plan_start_date": "2026-10-01", "cinp_cin_plan_end_date": "2026-10-30",
            "cinp_cin_plan_team": "t1", "cinp_cin_plan_worker_id": "w1"}  # fmt: skip
REVIEW = {"cppr_cp_review_id": "v1", "cppr_person_id": "1", "cppr_cp_plan_id": "p1", "cppr_cp_review_due": "2026-12-20", "cppr_cp_review_date": "",
          "cppr_cp_review_meeting_id": "m2", "cppr_cp_review_outcome_continue_cp": "Y", "cppr_cp_review_quorate": "Y", "cppr_cp_review_participation": "PN1"}  # fmt: skip
CIN_VISIT = {"cinv_cin_visit_id": "b1", "cinv_person_id": "1", "cinv_cin_visit_date": "2026-10-05", "cinv_cin_visit_seen": "Y", "cinv_cin_visit_seen_alone": "N",
             "cinv_cin_visit_bedroom": ""}  # fmt: skip
CLA_VISIT = {"clav_cla_visit_id": "b1", "clav_person_id": "1", "clav_cla_id": "c1", "clav_cla_visit_date": "2026-10-07", "clav_cla_visit_seen": "Y",
             "clav_cla_visit_seen_alone": "N"}  # fmt: skip
CP_VISIT = {"cppv_cp_visit_id": "b1", "cppv_person_id": "1", "cppv_cp_plan_id": "p1", "cppv_cp_visit_date": "2026-10-06", "cppv_cp_visit_seen": "Y",
            "cppv_cp_visit_seen_alone": "Y", "cppv_cp_visit_bedroom": "N"}  # fmt: skip
VOICE = {"voch_table_id": "h1", "voch_person_id": "1", "voch_explained_worries": "Y", "voch_story_help_understand": "N", "voch_agree_worker": "",
         "voch_plan_safe": "1", "voch_tablet_help_explain": "0"}  # fmt: skip
DISABILITY = {"disa_table_id": "d1", "disa_person_id": "1", "disa_disability_code": "MOB"}
SEND = {"send_table_id": "x1", "send_person_id": "1", "send_upn": "A999000000012", "send_uln": "1000000000", "send_upn_unknown": ""}
EHC_REQUEST = {"ehcr_ehcp_request_id": "q1", "ehcr_send_table_id": "x1", "ehcr_ehcp_req_date": "2025-01-01", "ehcr_ehcp_req_outcome_date": "2025-02-01", "ehcr_ehcp_req_outcome": "Y"}  # fmt: skip
EHC_ASSESSMENT = {"ehca_ehcp_assessment_id": "u1", "ehca_ehcp_request_id": "q1", "ehca_ehcp_assessment_outcome_date": "2025-04-01", "ehca_ehcp_assessment_outcome": "Y",
                  "ehca_ehcp_assessment_exceptions": "none of them"}  # fmt: skip
EHC_NAMED = {"ehcn_named_plan_id": "g1", "ehcn_ehcp_asmt_id": "u1", "ehcn_named_plan_start_date": "2025-05-01", "ehcn_named_plan_ceased_date": "2026-05-01",
             "ehcn_named_plan_ceased_reason": "5"}  # fmt: skip
EHC_ACTIVE = {"ehcp_active_ehcp_id": "z1", "ehcp_ehcp_request_id": "q1", "ehcp_active_ehcp_last_review_date": "2026-06-01"}
NEED = {"senn_table_id": "y1", "senn_active_ehcp_id": "z1", "senn_active_ehcp_need_type": "SLCN", "senn_active_ehcp_need_rank": "1"}
SEND_TABLES = {"a-needs": [NEED], "b-active": [EHC_ACTIVE], "c-named": [EHC_NAMED], "d-assessment": [EHC_ASSESSMENT], "e-request": [EHC_REQUEST], "f-send": [SEND]}
"""Named so that children come before their parents."""

STORY = {
    "contacts": ([CONTACT], "contact", {"contact_id": "c1", "contact_date": "2026-09-01", "contact_source": "2A", "contact_source_description": "Hill Road", "contact_outcomes": ["NEW_REFERRAL"]}),
    "early_help": ([EARLY], "early-help", {"early_help_id": "e1", "start_date": "2026-05-01", "reason": "Housing", "lead_organisation": "School", "lead_agency": "school", "worker_id": "w1"}),
    "cin_episodes": ([REFERRAL], "referral", {"referral_id": "r1", "referral_date": "2026-09-02", "closure_date": "2026-10-30", "reason_for_closure": "RC7",
                     "referral_source_description": "Hill Road", "referral_outcomes": ["SINGLE_ASSESSMENT"], "team_id": "t1", "worker_id": "w1"}),
    "assessments": ([ASSESSMENT], "assessment", {"assessment_id": "a1", "referral_id": "r1", "assessment_actual_start_date": "2026-09-03", "assessment_authorisation_date": "2026-10-01",
                    "child_seen": True, "assessment_nfa": False, "assessment_outcomes": ["PROV_OF_SERVICES"], "assessment_comments": "help at home", "team_id": "t1", "worker_id": "w1"}),
    "s47": ([ENQUIRY], "section-47", {"section_47_id": "s1", "referral_id": "r1", "s47_actual_start_date": "2026-09-05", "s47_end_date": "2026-09-20", "s47_nfa": False,
            "conference_needed": True, "s47_outcomes": ["CP_CONFERENCE"], "s47_comments": "why", "team_id": "t1", "worker_id": "w1"}),
    "icpc": ([CONFERENCE], "conference", {"conference_id": "k1", "meeting_id": "m1", "section_47_id": "s1", "plan_id": "p1", "referral_id": "r1", "transfer_in": False,
             "initial_cpc_target": "2026-09-26", "date_of_initial_cpc": "2026-09-25", "plan_made": True, "conference_outcomes": ["CP"], "team_id": "t1", "worker_id": "w1"}),
    "cp_plans": ([CP_PLAN], "plan", {"plan_kind": "protection", "plan_id": "p1", "referral_id": "r1", "conference_id": "k1", "start_date": "2026-09-25", "other_authority": False,
                 "initial_category_of_abuse": "MUL", "latest_category_of_abuse": "NEG"}),
    "cin_plans": ([CIN_PLAN], "plan", {"plan_kind": "need", "plan_id": "n1", "referral_id": "r1", "start_date": "2026-10-01", "end_date": "2026-10-30", "team_id": "t1", "worker_id": "w1"}),
    "reviews": ([REVIEW], "plan-review", {"review_id": "v1", "plan_id": "p1", "review_due_date": "2026-12-20", "effective": "2026-12-20", "meeting_id": "m2", "plan_continues": True,
                "quorate": True, "participation": "PN1"}),
    "cin_visits": ([CIN_VISIT], "visit", {"visit_kind": "need", "visit_id": "b1", "visit_date": "2026-10-05", "seen": True, "seen_alone": False}),
    "cla_visits": ([CLA_VISIT], "care-visit", {"visit_id": "b1", "cla_id": "c1", "visit_date": "2026-10-07", "seen": True, "seen_alone": False}),
    "cp_visits": ([CP_VISIT], "visit", {"visit_kind": "protection", "visit_id": "b1", "plan_id": "p1", "visit_date": "2026-10-06", "seen": True, "seen_alone": True, "bedroom_seen": False}),
    "voice": ([VOICE], "voice", {"voice_id": "h1", "explained_worries": True, "story_help_understand": False, "plan_safe": True, "tablet_help_explain": False}),
}  # fmt: skip


@pytest.mark.parametrize("name", STORY)
async def test_every_column_of_a_table_comes_out_as_the_field_it_is(care, name):
    rows, event, wanted = STORY[name]
    reports = await care.take(delivery(**{name: rows}))
    assert not any("why" in one or one["refused"] or one["flagged"] or "ignored_columns" in one for one in reports)
    assert [{field: value for field, value in one.items() if field != "provenance"} for one in care.said(event)] == [wanted]


async def test_what_is_about_the_child_and_what_is_about_others_stand_apart(care):
    await care.take(delivery(assessments=[ASSESSMENT], factors=[FACTORS]))
    now = care.said("assessment")[-1]
    assert (now["assessment_factors"], now["assessment_factors_of_others"]) == (["4A"], ["20", "3B"])
    assert now["child_seen"] is True


async def test_a_factor_that_is_in_no_list_may_be_about_anybody(care):
    reports = await care.take(delivery(assessments=[ASSESSMENT], factors=[{**FACTORS, "cinf_assessment_factors_json": '{"99Z": "Yes", "1A": "No"}'}]))
    assert care.said("assessment")[-1]["assessment_factors_of_others"] == ["99Z"] and reports[2]["flagged"] == 1


async def test_factors_find_their_assessment_in_an_earlier_delivery_and_without_one_wait(care):
    await care.take(delivery(assessments=[ASSESSMENT]))
    reports = await care.take({f"{LATER}-factors.csv": table(FACTORS, {**FACTORS, "cinf_assessment_id": "a9"})})
    assert (reports[0]["accepted"], reports[0]["refused"], reports[0]["waiting"]) == (1, 0, 1)
    assert "no assessment with this id" in care.items(reports[0], "waiting")[0]["why"]
    assert care.said("assessment")[-1]["assessment_factors"] == ["4A"] and len(care.streams("assessment")) == 1


@pytest.mark.parametrize(("outcome", "wanted"), [(flags(CP_CONFERENCE_FLAG="N", NFA_FLAG="Y"), False), ("", None)])
async def test_a_blank_outcome_of_an_enquiry_does_not_say_that_no_conference_is_needed(care, outcome, wanted):
    await care.take(delivery(s47=[{**ENQUIRY, "s47e_s47_outcome_json": outcome}]))
    assert care.said("section-47")[0].get("conference_needed") is wanted


async def test_a_referral_closed_by_adoption_says_so_apart_and_takes_it_back_when_it_was_a_mistake(care):
    reports = await care.take(delivery(episodes=[{**REFERRAL, "cine_close_reason": "RC1"}]))
    assert "needs its protection" in care.items(reports[1], "flagged")[0]["why"]
    assert "reason_for_closure" not in care.said("referral")[0]
    sign = care.said("adoption-sign")[0]
    assert (sign["sign"], sign["sign_date"], sign["restriction"]) == ("closed", "2026-10-30", "statute")
    await care.take(delivery(LATER, episodes=[REFERRAL]))
    assert care.said("adoption-sign")[-1]["withdrawn"] and care.said("referral")[-1]["reason_for_closure"] == "RC7"


async def test_a_non_agency_adoption_is_said_apart(care):
    told = flags(NON_AGENCY_ADOPTION_FLAG="Y", ADVICE_FLAG="Y")
    await care.take(delivery(contacts=[{**CONTACT, "cont_contact_outcome_json": told}], episodes=[{**REFERRAL, "cine_referral_outcome_json": told}]))
    assert care.said("contact")[0]["contact_outcomes"] == care.said("referral")[0]["referral_outcomes"] == ["ADVICE"]
    assert {one["sign_id"] for one in care.said("adoption-sign")} == {"non_agency contact c1", "non_agency referral r1"}


async def test_an_organisation_that_is_not_named_by_its_kind_is_some_other_agency(care):
    await care.take(delivery(early=[{**EARLY, "earl_episode_organisation": "Hill Road Family Hub"}]))
    assert care.said("early-help")[0]["lead_agency"] == "other"


# -- lists ---------------------------------------------------------------------------------------------------------


async def test_a_childs_disabilities_are_one_list_and_a_later_extract_corrects_it(care):
    rows = [DISABILITY, {**DISABILITY, "disa_table_id": "d2", "disa_disability_code": "AUT"}]
    reports = await care.take(delivery(disability=rows))
    assert reports[1]["accepted"] == 2 and [one["disabilities"] for one in care.said("disability")] == [["AUT", "MOB"]]
    await care.take(delivery(LATER, disability=rows[1:]))
    assert care.said("disability")[-1]["disabilities"] == ["AUT"]


async def test_no_disability_is_a_code_and_no_blank(care):
    reports = await care.take(delivery(disability=[{**DISABILITY, "disa_disability_code": "NONE"}, {**DISABILITY, "disa_disability_code": ""}]))
    assert care.said("disability")[0]["disabilities"] == ["NONE"]
    assert (reports[1]["accepted"], reports[1]["refused"]) == (1, 1)


async def test_sen_is_followed_from_the_child_to_its_needs_whatever_the_order_of_the_files(care):
    second = {**NEED, "senn_table_id": "y2", "senn_active_ehcp_need_type": "SEMH", "senn_active_ehcp_need_rank": "2"}
    reports = await care.take(delivery(**{**SEND_TABLES, "a-needs": [second, NEED]}))
    assert not any("why" in one or one["refused"] for one in reports)
    plans = {one["plan_id"]: one for one in care.said("ehc-plan")}
    assert plans["active z1"]["needs"] == [{"sen_type": "SLCN", "rank": 1}, {"sen_type": "SEMH", "rank": 2}]
    assert (plans["named g1"]["start_date"], plans["named g1"]["ceased_date"], plans["named g1"]["ceased_reason"]) == ("2025-05-01", "2026-05-01", "5")
    request = care.said("ehc-request")[-1]
    assert (request["request_outcome"], request["assessment_outcome"], request["assessment_id"]) == ("Y", "Y", "u1")
    assert {(one["type"], one["value"]) for one in care.said("person")[-1]["identifiers"]} >= {("upn", "A999000000012"), ("uln", "1000000000")}


async def test_a_row_of_sen_whose_parent_has_not_come_waits(care):
    reports = await care.take(delivery(needs=[NEED]))
    assert "no active plan with this id" in care.items(reports[1], "waiting")[0]["why"]


async def test_placeholders_join_nobody(care):
    placeholder = {**SEND, "send_table_id": "PLACEHOLDER_DATA"}
    reports = await care.take(delivery(send=[placeholder, {**placeholder, "send_person_id": "2"}]))
    assert reports[1]["refused"] == 2 and care.items(reports[1], "refused")[0]["column"] == "send_table_id"


@pytest.mark.parametrize(("text", "held"), [("Y", 1), ("0", 1), ("N", 0), ("1", 0), ("", 0)])
async def test_the_flag_of_a_plan_is_read_in_both_of_its_codings_and_blank_is_not_no(care, text, held):
    await care.take({f"{DAY}-persons.csv": table({**PERSONS, "pers_send_flag": text})})
    assert [one["sen_provision"] for one in care.said("ehc-plan")] == ["E"] * held


# -- what is refused, and what changes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (CONTACT, "cont_contact_outcome_json", "{NFA_FLAG: Y}"), (CONTACT, "cont_contact_outcome_json", flags(NFA_FLAG="perhaps")), (CONTACT, "cont_contact_date", "soon"),
        (EARLY, "earl_episode_start_date", "31/31/2026"), (REFERRAL, "cine_referral_outcome_json", '["NFA"]'), (ASSESSMENT, "cina_assessment_child_seen", "maybe"),
        (ENQUIRY, "s47e_s47_outcome_json", "[" * 5000 + "]" * 5000), (CONFERENCE, "icpc_icpc_date", "99"), (REVIEW, "cppr_cp_review_quorate", "nearly"),
        (CP_VISIT, "cppv_cp_visit_date", "2026-02-30"), (CLA_VISIT, "clav_cla_visit_date", "2026-02-30"), (VOICE, "voch_plan_safe", "sometimes"),
    ],
    ids=lambda one: one if isinstance(one, str) and len(one) < 40 else "",
)  # fmt: skip
async def test_one_bad_value_refuses_its_row_alone_and_says_where(care, row, column, value):
    first = next(iter(row))
    reports = await care.take(delivery(bad=[{**row, column: value}, {**row, first: "other"}]))
    assert (reports[1]["accepted"], reports[1]["refused"]) == (1, 1)
    refused = care.items(reports[1], "refused")[0]
    assert (refused["row"], refused["column"], refused["value"]) == (2, column, value) and refused["why"]


async def test_a_code_in_no_list_is_kept_and_flagged(care):
    reports = await care.take(delivery(contacts=[{**CONTACT, "cont_contact_source_code": "SCHOOL", "cont_contact_outcome_json": flags(ODD_FLAG="Y")}]))
    assert (care.said("contact")[0]["contact_source"], care.said("contact")[0]["contact_outcomes"]) == ("SCHOOL", ["ODD"])
    assert {one["column"] for one in care.items(reports[1], "flagged")} == {"cont_contact_source_code", "cont_contact_outcome_json"}


EVERYTHING = {name: rows for name, (rows, _, _) in STORY.items()} | {"factors": [FACTORS], "disability": [DISABILITY]} | SEND_TABLES


async def test_the_same_extract_again_publishes_nothing_and_a_corrected_one_only_the_change(care):
    await care.take(delivery(**EVERYTHING))
    before = len(care.published)
    await care.take({f"again-{name}": text for name, text in delivery(**EVERYTHING).items()})
    assert len(care.published) == before
    await care.take(delivery(LATER, **{**EVERYTHING, "early_help": [{**EARLY, "earl_episode_end_date": "2026-11-20"}]}))
    assert len(care.published) == before + 1 and care.said("early-help")[-1]["end_date"] == "2026-11-20"


async def test_an_older_extract_changes_nothing_and_an_absent_column_erases_nothing(care):
    await care.take(delivery(**EVERYTHING))
    before = len(care.published)
    old = {**EVERYTHING, "s47": [{**ENQUIRY, "s47e_s47_nfa": "Y"}], "disability": [{**DISABILITY, "disa_disability_code": "AUT"}]}
    await care.take(delivery(EARLIER, **old))
    short = {name: [{column: value for column, value in row.items() if "_id" in column or "disability_code" in column or column.startswith(("cinf", "senn"))} for row in rows]
             for name, rows in EVERYTHING.items()}  # fmt: skip
    reports = await care.take(delivery(LATER, **short))
    assert len(care.published) == before and not any(one["refused"] for one in reports)


async def test_any_split_of_the_rows_in_any_order_is_the_same_register(care):
    more = {"disability": [DISABILITY, {**DISABILITY, "disa_disability_code": "AUT"}, {**DISABILITY, "disa_disability_code": "HEAR"}]}
    tables = {f"{DAY}-{{}}-{name}": (table(*rows).splitlines()[0], table(*rows).splitlines()[1:]) for name, rows in {"persons": [PERSONS], **EVERYTHING, **more}.items()}
    states = []
    for seed in range(4):
        files = desks.split(Random(seed), tables, suffix=".csv")
        reports = await care.take(files)
        assert not any("why" in one or one["refused"] for one in reports)
        before = len(care.published)
        await care.take({name: files[name] for name in reversed(files)})
        assert len(care.published) == before
        states.append(await care.state())
        await care.forget()
    assert all(state == states[0] for state in states)


async def test_a_table_with_a_header_alone_is_no_rows_and_nobody_leaves(care):
    await care.take(delivery(**EVERYTHING))
    before = len(care.published)
    reports = await care.take({f"{LATER}-{name}.csv": table(*rows).splitlines()[0] + "\n" for name, rows in EVERYTHING.items()})
    assert len(care.published) == before and all(one["rows"] == 0 for one in reports)
