"""The children in need census in XML, module by module."""

from __future__ import annotations

import pytest

from tests import importing as desks

SAMPLES = desks.SHARED / "csc-validator-be-cin/fake_data"
real = pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")


def census(*children: str, day: str = "2026-03-31") -> str:
    head = f"<Collection>CIN</Collection><Year>{day[:4]}</Year><ReferenceDate>{day}</ReferenceDate><LEA>999</LEA>"
    return f"<Message><Header>{head}</Header><Children>{''.join(children)}</Children></Message>"


def child(*details: str, who: str = "<Sex>F</Sex>", characteristics: str = "<Ethnicity>WBRI</Ethnicity>", id: str = "1") -> str:
    identifiers = f"<ChildIdentifiers><LAchildID>{id}</LAchildID><PersonBirthDate>2015-03-05</PersonBirthDate>{who}</ChildIdentifiers>"
    return f"<Child>{identifiers}<ChildCharacteristics>{characteristics}</ChildCharacteristics>{''.join(f'<CINdetails>{one}</CINdetails>' for one in details)}</Child>"


def of(name: str, **parts: str) -> str:
    return f"<{name}>{''.join(f'<{part}>{value}</{part}>' for part, value in parts.items())}</{name}>"


REFERRAL = "<CINreferralDate>2026-01-05</CINreferralDate><ReferralSource>1A</ReferralSource><ReferralNFA>0</ReferralNFA>"
FACTORS = "<FactorsIdentifiedAtAssessment><AssessmentFactors>2B</AssessmentFactors><AssessmentFactors>2A</AssessmentFactors></FactorsIdentifiedAtAssessment>"
ASSESSMENT = f"<Assessments><AssessmentActualStartDate>2026-01-06</AssessmentActualStartDate><AssessmentInternalReviewDate>2026-01-20</AssessmentInternalReviewDate>{FACTORS}</Assessments>"
ENQUIRY = of("Section47", S47ActualStartDate="2026-01-10", InitialCPCtarget="2026-01-31", DateOfInitialCPC="2026-01-28", ICPCnotRequired="false")
PLAN = of("ChildProtectionPlans", CPPstartDate="2026-01-28", InitialCategoryOfAbuse="NEG", LatestCategoryOfAbuse="EMO", NumberOfPreviousCPP="1",
          Reviews="<CPPreviewDate>2026-03-01</CPPreviewDate><CPPreviewDate>2026-03-20</CPPreviewDate>")  # fmt: skip


async def test_every_module_comes_out_as_the_entries_that_the_dataset_makes_too(care):
    report = (await care.take({"cin.xml": census(child(REFERRAL + ASSESSMENT + ENQUIRY + PLAN))}))[0]
    assert (report["refused"], report["flagged"]) == (0, 0)
    assessment, enquiry, conference = care.said("assessment")[0], care.said("section-47")[0], care.said("conference")[0]
    assert (assessment["assessment_actual_start_date"], assessment["assessment_internal_review_date"]) == ("2026-01-06", "2026-01-20")
    assert (assessment["assessment_factors"], assessment["assessment_factors_of_others"]) == (["2A"], ["2B"])
    assert (enquiry["s47_actual_start_date"], enquiry["initial_cpc_target"], enquiry["conference_needed"]) == ("2026-01-10", "2026-01-31", True)
    assert (conference["date_of_initial_cpc"], conference["section_47_id"]) == ("2026-01-28", enquiry["section_47_id"])
    assert [one["review_date"] for one in care.said("plan-review")] == ["2026-03-01", "2026-03-20"]
    assert all(one["plan_id"] == care.said("plan-recorded")[0]["plan_id"] for one in care.said("plan-review"))


@pytest.mark.parametrize(("text", "needed"), [("true", False), ("1", False), ("false", True), ("0", True)])
async def test_a_conference_that_is_not_required_is_the_word_upside_down(care, text, needed):
    await care.take({"cin.xml": census(child(REFERRAL + of("Section47", S47ActualStartDate="2026-01-10", ICPCnotRequired=text)))})
    assert care.said("section-47")[0]["conference_needed"] is needed and care.said("conference") == []


async def test_section_47s_date_of_the_conference_stands_where_the_episode_says_another(care):
    report = (await care.take({"cin.xml": census(child(REFERRAL + "<DateOfInitialCPC>2026-02-02</DateOfInitialCPC>" + ENQUIRY))}))[0]
    assert [one["date_of_initial_cpc"] for one in care.said("conference")] == ["2026-01-28"]
    assert care.items(report, "flagged")[0]["column"] == "CINdetails/DateOfInitialCPC"


async def test_the_episodes_date_of_the_conference_counts_where_there_is_no_other(care):
    await care.take({"cin.xml": census(child(REFERRAL + "<DateOfInitialCPC>2026-02-02</DateOfInitialCPC>"))})
    assert care.said("conference")[0]["date_of_initial_cpc"] == "2026-02-02"


async def test_a_newer_census_without_a_closing_date_opens_the_case_and_the_plan_again(care):
    closed = "<CINclosureDate>2025-03-01</CINclosureDate><ReasonForClosure>RC8</ReasonForClosure>"
    plan = of("CINPlanDates", CINPlanStartDate="2026-01-28", CINPlanEndDate="2026-02-28")
    await care.take({"cin.xml": census(child(REFERRAL + closed + plan), day="2025-03-31")})
    await care.take({"cin.xml": census(child(REFERRAL + of("CINPlanDates", CINPlanStartDate="2026-01-28")))})
    assert not {"closure_date", "reason_for_closure"} & care.said("referral")[-1].keys() and "end_date" not in care.said("plan-recorded")[-1]


async def test_an_open_episode_is_no_plan(care):
    await care.take({"cin.xml": census(child(REFERRAL))})
    assert care.said("plan-recorded") == []


async def test_a_case_closed_by_adoption_says_so_apart(care):
    closed = "<CINclosureDate>2026-03-01</CINclosureDate><ReasonForClosure>RC1</ReasonForClosure>"
    await care.take({"cin.xml": census(child(REFERRAL + closed))})
    assert "reason_for_closure" not in care.said("referral")[0]
    assert (care.said("adoption-sign")[0]["sign"], care.said("adoption-sign")[0]["restriction"]) == ("closed", "statute")


async def test_disabilities_are_told_and_a_census_without_them_takes_none_away(care):
    told = "<Ethnicity>WBRI</Ethnicity><Disabilities><Disability>VIS</Disability><Disability>HEAR</Disability></Disabilities>"
    await care.take({"cin.xml": census(child(REFERRAL, characteristics=told), day="2025-03-31")})
    await care.take({"cin.xml": census(child(REFERRAL))})
    assert [one["disabilities"] for one in care.said("disability")] == [["HEAR", "VIS"]]


@pytest.mark.parametrize(("who", "sex"), [("<GenderCurrent>1</GenderCurrent>", "M"), ("<GenderCurrent>9</GenderCurrent>", "U"), ("<Sex>F</Sex>", "F")])
async def test_sex_is_read_as_its_year_writes_it_and_is_never_gender(care, who, sex):
    await care.take({"cin.xml": census(child(REFERRAL, who=who), day="2022-03-31")})
    assert care.said("person")[0]["sex"] == sex and "gender" not in care.said("person")[0]


async def test_who_the_child_is_comes_with_every_number_and_the_reason_why_there_is_none(care):
    who = "<UPN>B801200005001</UPN><FormerUPN>X98765432123B</FormerUPN><UPNunknown>UN7</UPNunknown>PersonBirthDate<Sex>U</Sex><PersonDeathDate>2025-12-24</PersonDeathDate>"
    report = (await care.take({"cin.xml": census(child(REFERRAL, who=who))}))[0]
    now = care.said("person")[0]
    assert (now["upn_unknown"], now["death_date"]) == ("UN7", "2025-12-24")
    assert {one["type"]: one["valid"] for one in now["identifiers"]} == {"local_child_id": True, "upn": True, "former_upn": False}
    assert (report["accepted"], report["flagged"]) == (1, 1)


@pytest.mark.parametrize(
    ("bad", "path", "value"),
    [
        (of("Assessments", AssessmentActualStartDate="soon"), "Assessments/AssessmentActualStartDate", "soon"),
        (of("Assessments", AssessmentAuthorisationDate="2026-01-01"), "Assessments/AssessmentActualStartDate", None),
        (of("Section47", S47ActualStartDate="2026-01-10", ICPCnotRequired="perhaps"), "Section47/ICPCnotRequired", "perhaps"),
        ("<DateOfInitialCPC>2026-02-30</DateOfInitialCPC>", "CINdetails/DateOfInitialCPC", "2026-02-30"),
        (of("ChildProtectionPlans", CPPstartDate="2026-01-28", NumberOfPreviousCPP="few"), "ChildProtectionPlans/NumberOfPreviousCPP", "few"),
    ],
)
async def test_one_bad_module_is_refused_with_its_element_and_the_others_come(care, bad, path, value):
    report = (await care.take({"cin.xml": census(child(REFERRAL + bad + ASSESSMENT))}))[0]
    refused = care.items(report, "refused")
    assert [(one["row"], one["column"], one["value"]) for one in refused] == [(1, path, value)]
    assert report["accepted"] == 1 and len(care.said("referral")) == 1 and len(care.said("assessment")) == 1


async def test_a_review_whose_date_cannot_be_read_is_said_and_keeps_its_plan(care):
    bad = PLAN.replace("2026-03-20", "later")
    report = (await care.take({"cin.xml": census(child(REFERRAL + bad))}))[0]
    assert len(care.said("plan-review")) == 1 and len(care.said("plan-recorded")) == 1 and report["flagged"] == 1


async def test_a_factor_in_no_list_is_kept_and_flagged(care):
    report = (await care.take({"cin.xml": census(child(REFERRAL + ASSESSMENT.replace("2A", "99Z")))}))[0]
    assert care.said("assessment")[0]["assessment_factors_of_others"] == ["2B", "99Z"] and report["flagged"] == 1


async def test_the_same_census_again_publishes_nothing_and_an_older_one_changes_nothing(care):
    text = census(child(REFERRAL + ASSESSMENT + ENQUIRY + PLAN))
    await care.take({"cin.xml": text})
    before = len(care.published)
    await care.take({"other.xml": text})
    await care.take({"cin.xml": census(child(REFERRAL + ASSESSMENT.replace("2A", "4A") + ENQUIRY.replace("false", "true")), day="2025-03-31")})
    assert len(care.published) == before


async def test_a_corrected_census_publishes_only_the_change(care):
    text = census(child(REFERRAL + ASSESSMENT + ENQUIRY + PLAN))
    await care.take({"cin.xml": text})
    before = len(care.published)
    await care.take({"cin.xml": text.replace("EMO", "PHY")})
    assert len(care.published) == before + 1 and care.said("plan-recorded")[-1]["latest_category_of_abuse"] == "PHY"


@real
async def test_a_real_census_comes_out_as_its_readme_counts_it(care):
    report = (await care.take_paths([SAMPLES / "fake_CIN_data.xml"]))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (332, 332, 0) and "ignored_columns" not in report
    assert len(care.streams("person")) == 332 and len(care.said("disability")) == 74
    assert sum(one["sign"] == "closed" for one in care.said("adoption-sign")) == 28
    before = len(care.published)
    again = (await care.take_paths([SAMPLES / "fake_CIN_data.xml"]))[0]
    assert len(care.published) == before and again["unchanged"] == 332


@real
@pytest.mark.parametrize("name", ["CIN_Census_2021.xml", "CIN_Census_2024.xml", "CIN2rows.xml", "CIN_Census_2021_no_assessment_factors.xml", "CIN_la_issues_2887Q.xml"])
async def test_a_small_real_census_is_read_to_its_last_element(care, name):
    report = (await care.take_paths([SAMPLES / name]))[0]
    assert (report["refused"], report["accepted"]) == (0, report["rows"]) and "ignored_columns" not in report
    assert care.said("section-47") and care.said("conference") and care.said("plan-review") and care.said("assessment")
