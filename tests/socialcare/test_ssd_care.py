"""The daily extract's tables about children in care and care leavers: the same events as the yearly return's."""

from __future__ import annotations

from random import Random

import pytest

from tests import importing as desks

DAY, LATER = "2026-11-20", "2026-11-21"
PERSONS = "pers_person_id,pers_forename,pers_dob", ["1,Ada,2012-03-05", "2,Bo,2006-03-05", "9,Ina,1985-01-01"]
EPISODES = (
    "clae_cla_episode_id,clae_person_id,clae_cla_id,clae_cla_placement_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date,"
    "clae_cla_episode_start_reason,clae_cla_episode_ceased_reason"
)
PLACEMENTS = (
    "clap_cla_placement_id,clap_person_id,clap_cla_id,clap_cla_placement_start_date,clap_cla_placement_type,clap_cla_placement_urn,"
    "clap_cla_placement_distance,clap_cla_placement_provider,clap_cla_placement_postcode,clap_cla_placement_end_date,clap_cla_placement_change_reason"
)
REVIEWS = "clar_cla_review_id,clar_cla_id,clar_cla_review_due_date,clar_cla_review_date,clar_cla_review_cancelled,clar_cla_review_participation"
EPISODE, PLACEMENT = "e1,1,c1,p1,2026-06-01,,S,", "p1,1,c1,2026-06-01,U4,1234567,12.5,PR1,ZZ9 9ZZ,,"
REVIEW = "v1,c1,2026-07-01,2026-06-28,N,PN1"


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


async def delivered(care, *files: tuple[str, list[str]], day: str = DAY) -> list[dict]:
    """What became of these tables, delivered with the persons."""
    texts = {f"{day}-persons.csv": table(PERSONS[0], *PERSONS[1])}
    texts |= {f"{day}-{number}.csv": table(header, *rows) for number, (header, rows) in enumerate(files)}
    return (await care.take(texts))[1:]


@pytest.mark.parametrize(
    ("header", "row", "event", "wanted"),
    [
        (PLACEMENTS, PLACEMENT, "placement",
         {"placement_id": "p1", "place": "U4", "pl_post": "ZZ9 9ZZ", "urn": "1234567", "place_provider": "PR1", "distance": 12.5, "start_date": "2026-06-01"}),
        (PLACEMENTS, PLACEMENT.replace("U4", "U4 - Foster placement with other foster carer"), "placement", {"place": "U4"}),
        ("clah_health_check_id,clah_person_id,clah_health_check_type,clah_health_check_date,clah_health_check_status", "h1,1,Dental Check,2026-03-01,Completed",
         "health", {"check_type": "Dental Check", "check_date": "2026-03-01", "effective": "2026-03-01", "check_status": "Completed"}),
        ("clai_person_id,clai_immunisations_status,clai_immunisations_status_date", "1,Y,2026-03-01", "health", {"immunisations": "yes", "effective": "2026-03-01"}),
        ("clas_substance_misuse_id,clas_person_id,clas_substance_misuse_date,clas_substance_misused,clas_intervention_received", "s1,1,2026-03-01,Cannabis,Y",
         "health", {"substance_misuse": "yes", "substance": "Cannabis", "intervention_received": "yes"}),
        ("csdq_table_id,csdq_person_id,csdq_sdq_score,csdq_sdq_completed_date,csdq_sdq_reason", "q1,1,18,2026-03-01,PLACEHOLDER_DATA", "sdq",
         {"sdq_score": 18, "effective": "2026-03-01"}),
        ("miss_table_id,miss_person_id,miss_missing_episode_start_date,miss_missing_episode_type,miss_missing_episode_end_date,miss_missing_rhi_offered,miss_missing_rhi_accepted",
         "m1,1,2026-11-01,Absent,2026-11-02,Y,NA", "missing",
         {"missing": "A", "mis_end": "2026-11-02", "return_interview_offered": "yes", "return_interview_accepted": "not applicable"}),
        ("clea_table_id,clea_person_id,clea_care_leaver_eligibility,clea_care_leaver_in_touch,clea_care_leaver_accommodation,clea_care_leaver_accom_suitable,clea_care_leaver_activity",
         "k1,2,Former relevant,YES,U,1,F2", "care-leaving", {"eligibility": "Former Relevant", "in_touch": "YES", "accom": "U", "accom_suitable": "yes", "activ": "F2"}),
        ("immi_immigration_status_id,immi_person_id,immi_immigration_status,immi_immigration_status_end_date", "i1,1,UASC,2030-03-05", "immigration-status",
         {"immigration_status": "UASC", "end_date": "2030-03-05"}),
        ("perm_table_id,perm_person_id,perm_adm_decision_date,perm_matched_date,perm_number_of_adopters,perm_adopter_sex,perm_adopted_by_carer_flag",
         "a1,1,2026-05-01,2026-06-01,2,MF,N", "adoption",
         {"restriction": "statute", "date_int": "2026-05-01", "date_match": "2026-06-01", "nb_adoptr": 2, "sex_adoptr": "MF", "foster_care": "no"}),
        ("lapp_table_id,lapp_person_id,lapp_previous_permanence_option,lapp_previous_permanence_order_date,lapp_previous_permanence_la", "b1,1,P1,zz/05/2020,Hill",
         "previous-permanence", {"restriction": "statute", "prev_perm": "P1", "date_perm": "2020-05", "la_perm": "Hill"}),
    ],
)  # fmt: skip
async def test_each_table_is_told_in_the_event_of_the_yearly_return(care, header, row, event, wanted):
    report = (await delivered(care, (header, [row])))[0]
    now, = care.said(event)
    assert (report["accepted"], report["refused"], report["flagged"], report.get("ignored_columns", 0)) == (1, 0, 0, 0)
    assert wanted.items() <= now.items()


@pytest.mark.parametrize("parent", [(EPISODES, [EPISODE]), (PLACEMENTS, [PLACEMENT])])
async def test_a_review_is_of_whoever_was_in_care_then_whichever_table_says_so(care, parent):
    await delivered(care, (REVIEWS, [REVIEW]), parent)
    now, = care.said("care-review")
    assert (now["review"], now["review_due_date"], now["effective"], now["review_code"]) == ("2026-06-28", "2026-07-01", "2026-06-28", "PN1")
    assert care.streams("care-review")[0] in care.streams("person")


async def test_a_review_of_no_known_time_in_care_waits_and_says_so(care):
    report = (await delivered(care, (REVIEWS, [REVIEW])))[0]
    assert "no time in care" in care.items(report, "waiting")[0]["why"]


async def test_a_cancelled_review_is_withdrawn(care):
    await delivered(care, (EPISODES, [EPISODE]), (REVIEWS, [REVIEW]))
    await delivered(care, (REVIEWS, [REVIEW.replace(",N,", ",Y,")]), day=LATER)
    assert care.said("care-review")[-1]["withdrawn"] is True


@pytest.mark.parametrize("code", ["E11", "E12"])
async def test_an_end_by_adoption_is_told_to_the_adoption_team_alone(care, code):
    await delivered(care, (EPISODES, [EPISODE.replace(",,S,", f",2026-10-01,S,{code}")]))
    assert "rec" not in care.said("looked-after")[0] and care.said("looked-after")[0]["dec"] == "2026-10-01"
    assert (care.said("adoption")[0]["rec"], care.said("adoption")[0]["restriction"]) == (code, "statute")


async def test_a_placement_for_adoption_is_restricted_until_it_is_corrected(care):
    await delivered(care, (PLACEMENTS, [PLACEMENT.replace("U4", "A4")]))
    assert care.said("placement")[-1]["restriction"] == "statute"
    await delivered(care, ("clap_cla_placement_id,clap_person_id,clap_cla_placement_end_date", ["p1,1,2026-11-01"]), day=LATER)
    assert care.said("placement")[-1]["restriction"] == "statute"
    await delivered(care, (PLACEMENTS, [PLACEMENT]), day="2026-11-22")
    assert "restriction" not in care.said("placement")[-1]


async def test_an_end_that_a_file_does_not_speak_of_stays_adopted(care):
    await delivered(care, (EPISODES, [EPISODE.replace(",,S,", ",2026-10-01,S,E11")]))
    await delivered(care, ("clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date", ["e1,1,2026-06-02"]), day=LATER)
    assert not any(one.get("withdrawn") for one in care.said("adoption"))


async def test_an_adult_fills_no_table(care):
    report = (await delivered(care, ("miss_table_id,miss_person_id", ["m1,9"])))[0]
    assert report["accepted"] == 1 and care.said("missing") == []


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (PLACEMENTS, PLACEMENT.replace("12.5", "far"), "clap_cla_placement_distance"),
        (PLACEMENTS, PLACEMENT.replace("2026-06-01", "06/31/2026"), "clap_cla_placement_start_date"),
        (PLACEMENTS, PLACEMENT.replace("p1,", ","), "clap_cla_placement_id"),
        (REVIEWS, "v1,,2026-07-01,2026-06-28,N,PN1", "clar_cla_id"),
        ("miss_table_id,miss_person_id,miss_missing_rhi_offered", "m1,1,perhaps", "miss_missing_rhi_offered"),
        ("clea_table_id,clea_person_id,clea_care_leaver_accom_suitable", "k1,2,3", "clea_care_leaver_accom_suitable"),
        ("csdq_table_id,csdq_person_id,csdq_sdq_score", "q1,1,many", "csdq_sdq_score"),
        ("csdq_table_id,csdq_person_id,csdq_sdq_score", "q1,1,41", "sdq_score"),
    ],
)
async def test_one_bad_value_refuses_its_row_alone(care, header, row, column):
    report = (await delivered(care, (header, [row])))[0]
    assert (report["accepted"], care.items(report, "refused")[0]["column"]) == (0, column)


async def test_words_where_a_code_is_expected_are_flagged_and_left_out(care):
    report = (await delivered(care, (PLACEMENTS, [PLACEMENT.replace("U4", "With a very kind family in the hills")])))[0]
    assert report["accepted"] == 1 and "place" not in care.said("placement")[0] and "left out" in care.items(report, "flagged")[0]["why"]


async def test_the_yearly_return_and_the_daily_extract_speak_of_one_child(care):
    await delivered(care, (EPISODES, [EPISODE]))
    header = "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n1,2,05/03/2012,WBRI,UN4,,\n"
    await care.take({"header.csv": header, "uasc.csv": "CHILD,SEX,DOB,DUC\n1,2,05/03/2012,05/03/2030\n"}, extracted="2026-03-31")
    assert set(care.streams("immigration-status")) <= set(care.streams("looked-after"))


TABLES = {
    "2026-11-20-{}-persons": PERSONS,
    "2026-11-20-{}-episodes": (EPISODES, [EPISODE, "e0,1,c0,p0,2025-01-01,2025-02-01,S,E4A"]),
    "2026-11-20-{}-placements": (PLACEMENTS, [PLACEMENT, "p0,1,c0,2025-01-01,A4,,,PR1,ZZ1 1ZZ,2025-02-01,CARPL"]),
    "2026-11-20-{}-reviews": (REVIEWS, [REVIEW, "v0,c0,2025-01-20,,N,"]),
    "2026-11-20-{}-sdq": ("csdq_table_id,csdq_person_id,csdq_sdq_score,csdq_sdq_completed_date", ["q1,1,18,2026-03-01", "q2,1,10,2025-03-01"]),
}


async def test_any_split_of_the_same_rows_in_any_order_is_the_same_register_and_again_no_event(care):
    states = []
    for seed in range(4):
        files = desks.split(Random(seed), TABLES, suffix=".csv")
        reports = await care.take(files)
        assert all(one["rows"] == one["accepted"] for one in reports)
        before, state = len(care.published), await care.state()
        await care.take({name: files[name] for name in reversed(files)})
        assert len(care.published) == before and await care.state() == state
        states.append(state)
        await care.forget()
    assert all(state == states[0] for state in states)
