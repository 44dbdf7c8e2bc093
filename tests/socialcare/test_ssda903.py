"""The return of children looked after as a set of CSV files."""

from __future__ import annotations

from random import Random

import pytest

from services.plumbing.contracts import code_lists
from services.plumbing.files.delivery import Options
from services.socialcare import importing
from tests import importing as desks

HEADER = "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB"
EPISODES = "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN"
REVIEWS = "CHILD,DOB,REVIEW,REVIEW_CODE"
OC2 = (
    "CHILD,DOB,SDQ_SCORE,SDQ_REASON,CONVICTED,HEALTH_CHECK,IMMUNISATIONS,TEETH_CHECK,HEALTH_ASSESSMENT,SUBSTANCE_MISUSE,"
    "INTERVENTION_RECEIVED,INTERVENTION_OFFERED"
)
OC3 = "CHILD,DOB,IN_TOUCH,ACTIV,ACCOM"
AD1 = "CHILD,DOB,DATE_INT,DATE_MATCH,FOSTER_CARE,NB_ADOPTR,SEX_ADOPTR,LS_ADOPTR"
PLACED = "CHILD,DOB,DATE_PLACED,DATE_PLACED_CEASED,REASON_PLACED_CEASED"
PERMANENCE = "CHILD,DOB,PREV_PERM,LA_PERM,DATE_PERM"
MISSING = "CHILD,DOB,MISSING,MIS_START,MIS_END"
WORKERS = "CHILD,DOB,SW_ID,SW_DECOM,SW_DEC,SW_REASON"
DOLO = "CHILD,DOB,DOLO_START,DOLO_END"
UASC = "CHILD,SEX,DOB,DUC"
ADA = "007,2,05/03/2015,WBRI,W999000000024,,"
FIRST = "007,01/04/2024,S,C1,N1,U4,PR1,01/09/2024,X1,,ZZ1 1ZZ,ZZ9 9ZZ,1234567"
THEN = "007,01/09/2024,L,C2,N1,U4,PR1,,X1,,ZZ1 1ZZ,ZZ9 9ZZ,1234567"
DAY, LATER = "2025-03-31", "2025-06-30"


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


async def returned(care, header: str, *rows: str, day: str = DAY) -> dict:
    """What became of a module that came with the header of one child."""
    reports = await care.take({"header.csv": table(HEADER, ADA), "module.csv": table(header, *rows)}, extracted=day)
    return reports[1]


# -- who the child is --------------------------------------------------------------------------------------------------


async def test_a_child_keeps_its_leading_zeros_and_its_date_is_day_first(care):
    await care.take({"header.csv": table(HEADER, ADA)}, extracted=DAY)
    now = care.said("person")[0]
    assert (now["birth_date"], now["sex"], now["ethnicity"]) == ("2015-03-05", "F", "WBRI")
    assert [(one["type"], one["value"]) for one in now["identifiers"]] == [("local_child_id", "007"), ("upn", "W999000000024")]


async def test_why_there_is_no_upn_stands_in_its_place(care):
    await care.take({"header.csv": table(HEADER, ADA.replace("W999000000024", "UN4"))}, extracted=DAY)
    now = care.said("person")[0]
    assert now["upn_unknown"] == "UN4" and [one["type"] for one in now["identifiers"]] == ["local_child_id"]


async def test_a_wrong_upn_flags_the_number_and_keeps_the_child(care):
    report = (await care.take({"header.csv": table(HEADER, ADA.replace("W999000000024", "B999000000024"))}, extracted=DAY))[0]
    assert (report["accepted"], report["flagged"]) == (1, 1)
    assert care.said("person")[0]["identifiers"][1]["reason"] == "check letter"


@pytest.mark.parametrize(("written", "read"), [("1", "M"), ("2", "F"), ("F", "F"), ("U", "U")])
async def test_sex_is_read_as_every_year_writes_it(care, written, read):
    await care.take({"header.csv": table(HEADER, ADA.replace("007,2,", f"007,{written},"))}, extracted=DAY)
    assert care.said("person")[0]["sex"] == read


async def test_a_mother_is_marked_as_a_spreadsheet_writes_it(care):
    await care.take({"header.csv": table(HEADER, ADA.removesuffix(",,") + ",1.0,27/08/2024")}, extracted=DAY)
    assert (care.said("person")[0]["mother"], care.said("person")[0]["mc_dob"]) == ("yes", "2024-08-27")


async def test_the_number_is_that_of_the_daily_extract(care):
    persons = table("pers_person_id,pers_forename,pers_dob", "007,Ada,2015-03-05")
    await care.take({"2025-03-31-persons.csv": persons, "2025-03-31-header.csv": table(HEADER, ADA)})
    assert len(care.streams("person")) == 1 and care.said("person")[-1]["given_name"] == "Ada"


async def test_the_same_upn_joins_no_two_children(care):
    later = ADA.replace("007", "913")
    await care.take({"header.csv": table(HEADER, ADA, later)}, extracted=DAY)
    assert len(care.streams("person")) == 2


async def test_another_birth_date_beside_a_review_is_said_with_both_places(care):
    report = await returned(care, REVIEWS, "007,03/05/2015,01/07/2024,PN1")
    said = care.items(report, "flagged")[0]
    assert "header.csv row 2 says otherwise (2015-03-05)" in said["why"] and care.said("person")[-1]["birth_date"] == "2015-03-05"


async def test_one_child_with_two_birth_dates_is_said(care):
    report = (await care.take({"header.csv": table(HEADER, ADA, ADA.replace("05/03", "03/05"))}, extracted=DAY))[0]
    assert "row 2 says otherwise" in care.items(report, "flagged")[0]["why"]


# -- episodes and placements -------------------------------------------------------------------------------------------


async def test_episodes_of_one_placement_are_one_placement_while_only_the_legal_status_changes(care):
    await returned(care, EPISODES, THEN, FIRST)
    assert [one["episode_id"] for one in care.said("looked-after")] == ["903 2024-09-01", "903 2024-04-01"]
    placement, = care.said("placement")
    assert (placement["placement_id"], placement["start_date"], placement.get("end_date")) == ("903 2024-04-01", "2024-04-01", None)
    assert (placement["pl_post"], placement["urn"], placement["place"]) == ("ZZ9 9ZZ", "1234567", "U4")


async def test_a_new_placement_ends_the_one_before(care):
    moved = THEN.replace(",L,C2,N1,U4", ",P,C1,N1,K2")
    await returned(care, EPISODES, FIRST, moved)
    assert [(one["start_date"], one.get("end_date"), one["place"]) for one in care.said("placement")] == [
        ("2024-04-01", "2024-09-01", "U4"), ("2024-09-01", None, "K2"),
    ]  # fmt: skip


async def test_a_legal_status_that_changes_in_another_home_is_kept_as_a_placement_of_its_own_and_flagged(care):
    report = await returned(care, EPISODES, FIRST, THEN.replace("ZZ9 9ZZ", "ZZ8 8ZZ"))
    assert len(care.said("placement")) == 2 and "the placement is another" in care.items(report, "flagged")[0]["why"]


async def test_an_end_reason_does_not_close_an_open_episode(care):
    await returned(care, EPISODES, FIRST.replace("01/09/2024,X1", ",E4A"))
    assert "dec" not in care.said("looked-after")[0] and care.said("looked-after")[0]["rec"] == "E4A"
    assert "end_date" not in care.said("placement")[0]


async def test_two_episodes_that_begin_on_one_day_are_both_kept_and_flagged(care):
    report = await returned(care, EPISODES, FIRST, FIRST.replace(",C1,", ",V2,"))
    assert {one["episode_id"] for one in care.said("looked-after")} == {"903 2024-04-01", "903 2024-04-01 2"}
    assert len(care.said("placement")) == 2 and "both are kept" in care.items(report, "flagged")[0]["why"]


async def test_episodes_that_overlap_are_kept_and_flagged(care):
    report = await returned(care, EPISODES, FIRST, THEN.replace("01/09/2024", "01/08/2024"))
    assert len(care.said("looked-after")) == 2 and "has not ended by then" in care.items(report, "flagged")[0]["why"]


async def test_home_on_entry_and_the_placement_are_no_home_address(care):
    await returned(care, EPISODES, FIRST)
    assert care.said("address") == [] and care.said("looked-after")[0]["home_post"] == "ZZ1 1ZZ"


async def test_an_episode_says_by_which_authority_the_child_is_looked_after(care):
    await care.take({"header.csv": table(HEADER, ADA), "episodes.csv": table(EPISODES, FIRST)}, extracted=DAY, authority="999")
    assert care.said("looked-after")[0]["authority"] == "999"


async def test_an_unknown_ofsted_number_is_none(care):
    await returned(care, EPISODES, FIRST.replace("1234567", "XXXXXXX"))
    assert "urn" not in care.said("placement")[0]


async def test_a_code_that_was_not_in_use_is_kept_and_flagged(care):
    report = await returned(care, EPISODES, FIRST.replace(",U4,", ",H5,"))
    assert care.said("placement")[0]["place"] == "H5" and "not in use" in care.items(report, "flagged")[0]["why"]


# -- adoption ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["E11", "E12"])
async def test_an_end_by_adoption_is_told_to_the_adoption_team_alone(care, code):
    report = await returned(care, EPISODES, FIRST.replace("X1", code))
    episode, adopted = care.said("looked-after")[0], care.said("adoption")[0]
    assert "rec" not in episode and episode["dec"] == "2024-09-01"
    assert (adopted["rec"], adopted["date_adopted"], adopted["restriction"]) == (code, "2024-09-01", "statute")
    assert "needs its protection" in care.items(report, "flagged")[0]["why"]


async def test_an_end_by_adoption_that_was_a_mistake_is_withdrawn(care):
    await returned(care, EPISODES, FIRST.replace("X1", "E11"))
    await returned(care, EPISODES, FIRST.replace("X1", "E4A"), day=LATER)
    assert care.said("adoption")[-1]["withdrawn"] and care.said("looked-after")[-1]["rec"] == "E4A"


@pytest.mark.parametrize("place", ["A3", "A4", "A5", "A6"])
async def test_a_placement_for_adoption_is_restricted_until_it_is_corrected(care, place):
    await returned(care, EPISODES, FIRST.replace(",U4,", f",{place},"))
    assert care.said("placement")[-1]["restriction"] == "statute"
    await returned(care, EPISODES, FIRST, day=LATER)
    assert "restriction" not in care.said("placement")[-1]


@pytest.mark.parametrize(
    ("header", "row", "event", "wanted"),
    [
        (AD1, "007,05/03/2015,01/05/2024,02/06/2024,1,2,MF,L11", "adoption-recorded",
         {"date_int": "2024-05-01", "date_match": "2024-06-02", "foster_care": "yes", "nb_adoptr": 2, "sex_adoptr": "MF", "ls_adoptr": "L11"}),
        (PLACED, "007,05/03/2015,01/07/2024,,", "adoption-recorded", {"adoption_id": "903 2024-07-01", "date_placed": "2024-07-01"}),
        (PLACED, "007,05/03/2015,01/07/2024,01/09/2024,RD4", "adoption-recorded", {"date_placed_ceased": "2024-09-01", "reason_placed_ceased": "RD4"}),
        (PERMANENCE, "007,05/03/2015,P1,999,12/05/2020", "previous-permanence", {"prev_perm": "P1", "la_perm": "999", "date_perm": "2020-05-12"}),
        (PERMANENCE, "007,05/03/2015,P2,,zz/05/2020", "previous-permanence", {"date_perm": "2020-05"}),
        (PERMANENCE, "007,05/03/2015,P2,,zz/zz/2020", "previous-permanence", {"date_perm": "2020"}),
        (PERMANENCE, "007,05/03/2015,Z1,,", "previous-permanence", {"prev_perm": "Z1"}),
    ],
)  # fmt: skip
async def test_what_is_recorded_of_adoption_is_restricted_by_statute(care, header, row, event, wanted):
    report = await returned(care, header, row)
    now, = care.said(event)
    assert report["refused"] == 0 and wanted.items() <= now.items() and now["restriction"] == "statute"


# -- the other modules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "event", "wanted"),
    [
        (REVIEWS, "007,05/03/2015,01/07/2024,PN1", "care-review", {"review_id": "903 2024-07-01", "review": "2024-07-01", "review_code": "PN1"}),
        (UASC, "007,2,05/03/2015,05/03/2033", "immigration-status", {"immigration_status": "UASC", "end_date": "2033-03-05"}),
        (OC2, "007,05/03/2015,16,,0,1,1,0,1,0,0,1", "sdq", {"sdq_id": "903 2025", "effective": "2025-03-31", "sdq_score": 16}),
        (OC2, "007,05/03/2015,,SDQ2,0,1,1,0,1,0,0,1", "sdq", {"sdq_reason": "SDQ2"}),
        (OC2, "007,05/03/2015,,,0,1,1,0,,0,0,1", "health",
         {"health_check": "yes", "immunisations": "yes", "teeth_check": "no", "substance_misuse": "no", "intervention_offered": "yes"}),
        (OC3, "007,05/03/2005,YES,F2,K2", "care-leaving", {"in_touch": "YES", "activ": "F2", "accom": "K", "accom_suitable": "no"}),
        (MISSING, "007,05/03/2015,M,01/02/2025,", "missing", {"missing_id": "903 2025-02-01 M", "missing": "M", "mis_start": "2025-02-01"}),
        (WORKERS, "007,05/03/2015,SW12,01/04/2024,01/06/2024,ABSENC", "involvement",
         {"professional_id": "SW12", "start_date": "2024-04-01", "end_date": "2024-06-01", "sw_reason": "ABSENC", "involvement_kind": "other"}),
        (DOLO, "007,05/03/2015,01/01/2025,02/01/2025", "deprivation-of-liberty", {"dolo_start": "2025-01-01", "dolo_end": "2025-01-02"}),
    ],
)  # fmt: skip
async def test_each_module_is_told_in_its_event(care, header, row, event, wanted):
    report = await returned(care, header, row)
    now, = care.said(event)
    assert (report["accepted"], report["refused"]) == (1, 0) and wanted.items() <= now.items()


async def test_a_blank_answer_is_not_no(care):
    await returned(care, OC2, "007,05/03/2015,,,0,,,,,,,")
    assert "immunisations" not in care.said("health")[0] and care.said("sdq") == []


async def test_a_score_that_is_none_keeps_the_checks(care):
    report = await returned(care, OC2, "007,05/03/2015,41,,0,1,1,0,1,0,0,1")
    assert care.said("sdq") == [] and len(care.said("health")) == 1
    refused, = care.items(report, "refused")
    assert (refused["row"], refused["column"], refused["value"]) == (2, "sdq_score", 41)


async def test_two_reviews_of_one_day_are_both_kept_whatever_their_order(care):
    one, two = "007,05/03/2015,01/07/2024,PN1", "007,05/03/2015,01/07/2024,PN5"
    report = await returned(care, REVIEWS, one, two)
    await returned(care, REVIEWS, two, one, day=LATER)
    assert {(o["review_id"], o["review_code"]) for o in care.said("care-review")} == {("903 2024-07-01", "PN1"), ("903 2024-07-01 2", "PN5")}
    assert "another row of this child has this date" in care.items(report, "flagged")[0]["why"] and len(care.said("care-review")) == 2


async def test_a_yearly_figure_is_of_its_year_and_the_year_before_stays(care):
    row = "007,05/03/2015,16,,0,1,1,0,1,0,0,1"
    await returned(care, OC2, row)
    await returned(care, OC2, row.replace(",16,", ",10,"), day="2026-03-31")
    assert {(one["sdq_id"], one["sdq_score"]) for one in care.said("sdq")} == {("903 2025", 16), ("903 2026", 10)}


# -- as of when --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "extracted", "year"),
    [
        ("SSDA903_2020_oc3.csv", {}, "2020-03-31", "903 2020"),
        ("oc3.csv", {"collection": "2020"}, "2020-03-31", "903 2020"),
        ("oc3-2020-06-30.csv", {}, "2020-06-30", "903 2020"),
        ("oc3-2021-03-30.csv", {}, "2021-03-30", "903 2020"),
        ("oc3.csv", {"collection": "2021", "extracted": "2021-01-31"}, "2021-01-31", "903 2021"),
    ],
)
async def test_the_year_of_the_return_is_said_or_follows_from_the_day(care, name, options, extracted, year):
    await care.take({"2019-01-01-header.csv": table(HEADER, ADA)})
    await care.take({name: table(OC3, "007,05/03/2005,YES,F2,K2")}, **options)
    now = care.said("care-leaving")[0]
    assert (now["provenance"]["extracted"], now["care_leaving_id"]) == (extracted, year)


@pytest.mark.parametrize(
    ("name", "text", "options", "why"),
    [
        ("header.csv", table(HEADER, ADA), {}, "--extracted"),
        ("header.csv", table(HEADER, ADA), {"collection": "spring"}, "not the year of a return"),
        ("header.csv", table(HEADER, ADA), {"collection": "2025", "extracted": "2023-01-01"}, "before the year of the return 2025 began"),
        ("header.csv", table(HEADER, ADA[:-2]), {"collection": "2025"}, "cut off"),
        ("header.csv", table(HEADER + ",DOB", ADA + ",05/03/2015"), {"collection": "2025"}, "there twice"),
        ("header.csv", table(HEADER, ADA + '"x'), {"collection": "2025"}, "quote"),
        ("episodes.csv", table("CHILD,DECOM,RNE", "007,01/04/2024,S"), {"collection": "2025"}, "no table of the Standard"),
    ],
)  # fmt: skip
async def test_a_file_that_cannot_be_is_refused_before_any_row_is_taken(care, name, text, options, why):
    report = (await care.take({name: text}, **options))[0]
    assert why in report["why"] and care.published == []


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (EPISODES, FIRST.replace("01/04/2024", "31/02/2024"), "decom"),
        (EPISODES, FIRST.replace("01/04/2024", ""), "decom"),
        (EPISODES, FIRST.replace("007", ""), "child"),
        (EPISODES, FIRST.replace("01/09/2024", "soon"), "dec"),
        (REVIEWS, "007,05/03/2015,,PN1", "review"),
        (OC2, "007,05/03/2015,,,2,,,,,,,", "convicted"),
        (MISSING, "007,05/03/2015,M,2024,", "mis_start"),
        (WORKERS, "007,05/03/2015,,01/04/2024,,", "sw_id"),
        (AD1, "007,05/03/2015,01/05/2024,02/06/2024,1,two,MF,L11", "nb_adoptr"),
        (PERMANENCE, "007,05/03/2015,P2,,zz/13/2020", "date_perm"),
    ],
)
async def test_one_bad_value_refuses_its_row_alone(care, header, row, column):
    good = {EPISODES: FIRST, REVIEWS: "007,05/03/2015,01/07/2024,PN1", MISSING: "007,05/03/2015,M,01/02/2025,"}.get(header)
    report = await returned(care, header, *[one for one in (good, row) if one])
    refused, = care.items(report, "refused")
    assert refused["column"] == column and report["accepted"] == bool(good)


def test_the_header_comes_before_what_rests_on_it_whatever_the_collection_is_called(tmp_path):
    recognise, orders = importing.recognise(code_lists(desks.CONTRACTS)), {}
    for name, header in (("header.csv", HEADER), ("episodes.csv", EPISODES)):
        (tmp_path / name).write_text(header + "\n")
        orders[name] = recognise(tmp_path / name, name, Options(collection="2000-autumn", extracted="2000-01-01")).order
    assert orders["header.csv"] < orders["episodes.csv"]


async def test_a_row_of_a_child_without_a_header_waits_and_says_so(care):
    report = await returned(care, MISSING, "913,05/03/2015,M,01/02/2025,")
    assert "no header row of this child" in care.items(report, "waiting")[0]["why"]


async def test_unknown_columns_are_counted_and_absent_ones_erase_nothing(care):
    await returned(care, EPISODES, FIRST)
    short = "CHILD,DECOM,RNE,LS,PLACE,DEC,REC,TEST_COLUMN"
    report = await returned(care, short, "007,01/04/2024,S,C2,U4,01/09/2024,X1,x", day=LATER)
    assert report["ignored_columns"] == 1
    assert (care.said("looked-after")[-1]["cin"], care.said("looked-after")[-1]["ls"]) == ("N1", "C2") and len(care.said("placement")) == 1


# -- again, corrected, older -------------------------------------------------------------------------------------------

SET = {
    "2025-03-31-{}-header": (HEADER, [ADA, "913,M,01/01/2012,WBRI,UN1,,"]),
    "2025-03-31-{}-episodes": (EPISODES, [FIRST, "913,01/05/2024,S,V2,N1,U4,PR1,01/06/2024,E11,,ZZ1 1ZZ,,", "007,01/03/2023,S,V4,N2,U4,PR1,02/03/2023,E4A,,,,"]),
    "2025-03-31-{}-reviews": (REVIEWS, ["007,05/03/2015,01/07/2024,PN1", "007,05/03/2015,01/12/2024,PN5", "913,01/01/2012,01/07/2024,PN0"]),
    "2025-03-31-{}-oc2": (OC2, ["007,05/03/2015,16,,0,1,1,0,1,0,0,1", "913,01/01/2012,,SDQ1,0,,,,,,,"]),
    "2025-03-31-{}-missing": (MISSING, ["007,05/03/2015,M,01/02/2025,", "007,05/03/2015,A,01/01/2025,02/01/2025"]),
    "2025-03-31-{}-permanence": (PERMANENCE, ["007,05/03/2015,Z1,,", "913,01/01/2012,P1,999,zz/05/2020"]),
}  # fmt: skip


async def test_any_split_of_the_same_rows_in_any_order_is_the_same_register_and_again_no_event(care):
    states = []
    for seed in range(4):
        files = desks.split(Random(seed), SET, suffix=".csv")
        reports = await care.take(files)
        assert all(one["rows"] == one["accepted"] for one in reports)
        before, state = len(care.published), await care.state()
        await care.take({f"2025-03-31-other-{n}.csv": files[name] for n, name in enumerate(reversed(files))})
        assert len(care.published) == before and await care.state() == state
        states.append(state)
        await care.forget()
    assert len(states[0]) == 2 and all(state == states[0] for state in states)


async def test_a_corrected_file_publishes_only_what_changed(care):
    rows = ["007,05/03/2015,01/07/2024,PN1", "007,05/03/2015,01/12/2024,PN5"]
    await returned(care, REVIEWS, *rows)
    before = len(care.published)
    await returned(care, REVIEWS, rows[0], rows[1].replace("PN5", "PN6"), day=LATER)
    assert [data["review_code"] for _, _, data in care.published[before:]] == ["PN6"]


async def test_an_older_return_changes_nothing_that_a_newer_one_said(care):
    await returned(care, EPISODES, FIRST, day=LATER)
    before = len(care.published)
    await returned(care, EPISODES, FIRST.replace("01/09/2024,X1", ","))
    assert len(care.published) == before


async def test_a_header_alone_is_no_rows_and_nobody_leaves(care):
    await returned(care, EPISODES, FIRST)
    before = len(care.published)
    report = (await care.take({"episodes.csv": EPISODES + "\n"}, extracted=LATER))[0]
    assert (report["rows"], len(care.published)) == (0, before)


# -- the sector's own files --------------------------------------------------------------------------------------------

SAMPLES = desks.SHARED / "csc-validator-be-903/tests/fake_data"
COUNTS = {
    "header.csv": 2675, "episodes.csv": 5050, "reviews.csv": 12582, "oc2.csv": 2675, "oc3.csv": 53, "ad1.csv": 29, "uasc.csv": 132,
    "missing.csv": 43, "placed_for_adoption.csv": 29, "previous_permanence.csv": 2675,
}  # fmt: skip


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_return_is_taken_whole_and_its_traps_are_said(care):
    names = [*COUNTS, "sw_episodes.csv", "DoLo.csv"]
    reports = {one["file"]: one for one in await care.take_paths([SAMPLES / name for name in names], extracted="2018-03-31")}
    assert {name: (reports[name]["rows"], reports[name]["accepted"]) for name in COUNTS} == {name: (n, n) for name, n in COUNTS.items()}
    assert len(care.streams("person")) == 2675 and sum("dec" not in one for one in care.said("looked-after")) == 1413
    assert reports["reviews.csv"]["flagged"] == 14 and reports["header.csv"]["flagged"] == 2568
    flagged = [one["row"] for one in care.items(reports["episodes.csv"]) if one["column"] == "decom"]
    lines = (SAMPLES / "episodes.csv").read_text().splitlines()
    assert len({lines[row - 1].split(",")[0] for row in flagged}) == 62
    for name in ("sw_episodes.csv", "DoLo.csv"):
        assert (reports[name]["accepted"], reports[name]["waiting"]) == (0, 1), "CHILD10 is in no header"


async def test_two_rows_that_contradict_each_other_about_one_child_are_published_with_both_places_and_a_corrected_file_ends_it(care):
    other = ADA.replace("05/03/2015", "06/03/2015")
    await care.take({"header.csv": table(HEADER, ADA, other)}, extracted=DAY)
    now = care.said("person")[-1]
    (told,) = now["contradictions"]
    assert now["birth_date"] == "2015-03-06" and told["field"] == "birth_date"
    assert [(one["value"], one["file"], one["row"]) for one in told["said"]] == [("2015-03-05", "header.csv", 2), ("2015-03-06", "header.csv", 3)]
    before = len(care.published)
    await care.take({"again.csv": table(HEADER, ADA, other)}, extracted=DAY)
    assert len(care.published) == before
    await care.take({"header.csv": table(HEADER, other)}, extracted=LATER)
    assert "contradictions" not in care.said("person")[-1] and len(care.published) == before + 1


OF_2020 = desks.SHARED / "liia-tools-pipeline/liiatools/ssda903_pipeline/spec/samples"


@pytest.mark.skipif(not OF_2020.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_the_small_sample_of_2020_is_taken_whole_and_its_contradicting_rows_are_carried(care):
    names = ["SSDA903_2020_header.csv", "SSDA903_2020_episodes.csv"]
    header, episodes = await care.take_paths([OF_2020 / name for name in names])
    assert [(one["rows"], one["accepted"], one["flagged"], one["refused"]) for one in (header, episodes)] == [(5, 5, 5, 0), (5, 5, 3, 0)]
    assert len(care.streams("person")) == 2 and len(care.said("looked-after")) == 5 and episodes["ignored_columns"] == 1
    told = {one["field"]: [(said["value"], said["row"]) for said in one["said"]] for one in care.said("person")[2]["contradictions"]}
    assert told["birth_date"] == [("2015-07-11", 2), ("2012-03-21", 3), ("2017-08-16", 4)] and told["sex"] == [("M", 3), ("F", 4)]
    before = len(care.published)
    await care.take_paths([OF_2020 / name for name in names])
    assert len(care.published) == before


# -- a start that was corrected ----------------------------------------------------------------------------------------

CORRECTED = FIRST.replace("01/04/2024", "08/04/2024", 1)


async def standing(care, kind: str) -> list[str]:
    """The entries of a kind that the register holds, by name."""
    (held,) = (await care.state()).values()
    return [name.rsplit("\x1f", 1)[1] for name, (_, withdrawn) in held.items() if name.split("\x1f")[1] == kind and not withdrawn]


async def test_a_newer_return_that_gives_an_episode_another_start_withdraws_the_old_one_and_its_placement(care):
    await returned(care, EPISODES, FIRST, THEN)
    await returned(care, EPISODES, CORRECTED, THEN, day=LATER)
    assert await standing(care, "episode") == ["903 2024-04-08", "903 2024-09-01"] and await standing(care, "placement") == ["903 2024-04-08"]
    assert [one["episode_id"] for one in care.said("looked-after") if one.get("withdrawn")] == ["903 2024-04-01"]
    before = len(care.published)
    await returned(care, EPISODES, CORRECTED, THEN, day=LATER)
    assert len(care.published) == before
    await returned(care, EPISODES, FIRST, THEN)
    assert len(care.published) == before, "the older return does not bring it back"


async def test_an_episode_that_a_newer_return_leaves_out_stays_where_no_other_takes_its_time(care):
    await returned(care, EPISODES, FIRST, THEN)
    await returned(care, EPISODES, THEN, day=LATER)
    assert await standing(care, "episode") == ["903 2024-04-01", "903 2024-09-01"]


async def test_what_ended_before_the_returns_year_is_not_expected_in_it(care):
    await returned(care, EPISODES, FIRST)
    later = "007,01/08/2024,S,C2,N1,U4,PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1234567"
    await care.take({"header.csv": table(HEADER, ADA), "episodes.csv": table(EPISODES, later)}, extracted="2026-03-31", collection="2026")
    assert await standing(care, "episode") == ["903 2024-04-01", "903 2024-08-01"]


async def test_the_daily_extracts_episodes_and_other_children_are_not_touched_by_a_corrected_start(care):
    persons = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob\n007,Ada,Berg,F,2015-03-05\n"
    daily = "clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date\nE1,007,2024-04-01,2024-09-01\n"
    await care.take({"2025-03-01-ssd_persons.csv": persons, "2025-03-01-ssd_cla_episodes.csv": daily})
    await returned(care, EPISODES, FIRST)
    await returned(care, EPISODES, CORRECTED, day=LATER)
    assert await standing(care, "episode") == ["903 2024-04-08", "E1"]


async def test_a_return_of_which_rows_were_refused_withdraws_nothing(care):
    await returned(care, EPISODES, FIRST)
    report = await returned(care, EPISODES, CORRECTED, CORRECTED.replace("08/04/2024", "31/02/2024"), day=LATER)
    assert report["refused"] == 1 and await standing(care, "episode") == ["903 2024-04-01", "903 2024-04-08"]


async def test_two_files_of_one_return_withdraw_nothing_of_one_another(care):
    second = "007,01/05/2024,S,C2,N1,U5,PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1234567"
    files = {"header.csv": table(HEADER, ADA), "a.csv": table(EPISODES, FIRST), "b.csv": table(EPISODES, second)}
    await care.take(files, extracted=DAY)
    assert await standing(care, "episode") == ["903 2024-04-01", "903 2024-05-01"]
