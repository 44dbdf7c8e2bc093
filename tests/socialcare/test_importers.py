"""Social care's files: the daily extract in tables and the census in XML."""

from __future__ import annotations

from random import Random

import pytest

from tests import importing as desks

DAY = "2026-11-20"
PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob,pers_expected_dob,pers_common_child_id,pers_is_mother"
ADA = "1,Ada,Zwilling,F,2015-03-05,,9990000018,"
MOTHER = "9,Ina,Zwilling,F,1985-01-01,,,Y"
UNBORN = "2,,,U,,2027-02-01,,"
INVOLVED = "invo_involvements_id,invo_person_id,invo_professional_id,invo_professional_role_id,invo_professional_team,invo_involvement_start_date,invo_involvement_end_date"


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def extract(name: str = "persons", day: str = DAY) -> str:
    return f"{day}-ssd_{name}.csv"


async def test_a_child_comes_and_an_adult_fills_relations_alone(care):
    files = {
        extract(): table(PERSONS, ADA, MOTHER),
        extract("mother"): table("moth_person_id,moth_childs_person_id", "9,1"),
        extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,"),
    }
    reports = await care.take(files)
    assert all(one["refused"] == 0 for one in reports)
    assert [one["given_name"] for one in care.said("person")] == ["Ada"]
    assert care.said("relation")[0]["relationship"] == "mother" and care.said("relation")[0]["given_name"] == "Ina"
    assert care.said("involvement")[0]["involvement_kind"] == "allocated"


async def test_the_files_of_one_delivery_come_in_any_order(care):
    files = {"a-" + extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,"), "z-" + extract(): table(PERSONS, ADA)}
    reports = await care.take(files)
    assert all(one["refused"] == 0 for one in reports)


async def test_an_unborn_child_and_one_without_a_birth_date_are_kept(care):
    report = (await care.take({extract(): table(PERSONS, UNBORN, "3,Bo,Berg,M,,,,")}))[0]
    assert report["accepted"] == 2 and care.said("person")[0]["expected_birth_date"] == "2027-02-01"


async def test_a_bad_nhs_number_flags_the_number_and_keeps_the_child(care):
    report = (await care.take({extract(): table(PERSONS, ADA.replace("9990000018", "9990000019"))}))[0]
    assert (report["accepted"], report["flagged"]) == (1, 1)
    assert any(not one["valid"] for one in care.said("person")[0]["identifiers"])


async def test_a_row_about_nobody_known_waits_and_says_so(care):
    reports = await care.take({extract(): table(PERSONS, ADA), extract("involvements"): table(INVOLVED, "i1,77,sw-1,Allocated Social Worker,t1,2026-01-01,")})
    waits = next(one for one in reports if one.get("waiting"))
    assert waits["refused"] == 0 and "no person with this id" in care.items(waits, "waiting")[0]["why"]


async def test_an_involvement_that_ended_in_a_later_extract_ends(care):
    await care.take({extract(): table(PERSONS, ADA), extract("involvements"): table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,")})
    later = table(INVOLVED, "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,2026-11-21")
    await care.take({extract("involvements", "2026-11-21"): later})
    assert care.said("involvement")[-1]["end_date"] == "2026-11-21"


async def test_the_same_extract_twice_publishes_nothing_new(care):
    files = {extract(): table(PERSONS, ADA, UNBORN)}
    await care.take(files)
    before = len(care.published)
    await care.take(files)
    assert len(care.published) == before


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("persons.csv", table(PERSONS, ADA), "--extracted"),
        (extract(), "", "empty"),
        (extract(), "colour,size\nred,3\n", "no table of the Standard"),
        ("cin.xml", "<Message><Children>", "broken, cut off"),
        ("cin.xml", "<Message><Header><Collection>Workforce</Collection></Header></Message>", "no children in need census"),
        ("cin.xml", '<!DOCTYPE a [<!ENTITY b "c">]><Message/>', "entities"),
    ],
)
async def test_a_file_of_the_wrong_kind_is_refused_before_any_row_is_taken(care, name, text, why):
    report = (await care.take({name: text}))[0]
    assert why in report["why"] and care.published == []


# -- what a file speaks of -----------------------------------------------------------------------------------------

INVOLVEMENT = "i1,1,sw-1,Allocated Social Worker,t1,2026-01-01,2026-11-01"
LATER = "2026-11-21"


async def test_a_column_that_is_absent_does_not_reopen_an_involvement(care):
    await care.take({extract(): table(PERSONS, ADA), extract("involvements"): table(INVOLVED, INVOLVEMENT)})
    await care.take({extract("involvements", LATER): table("invo_involvements_id,invo_person_id,invo_professional_team", "i1,1,t2")})
    now = care.said("involvement")[-1]
    assert (now["team_id"], now["end_date"], now["involvement_kind"]) == ("t2", "2026-11-01", "allocated")


@pytest.mark.parametrize(
    ("name", "full", "row", "short", "event", "kept"),
    [
        ("address", "addr_table_id,addr_person_id,addr_address_type,addr_address_json,addr_address_postcode,addr_address_end_date",
         'a1,1,Placement,"[""1 Hill Road""]",ZZ1 1ZZ,2026-10-01', "addr_table_id,addr_person_id,addr_address_postcode\na1,1,ZZ2 2ZZ", "address",
         {"address_kind": "placement", "lines": ["1 Hill Road"], "end_date": "2026-10-01"}),
        ("cin_episodes", "cine_referral_id,cine_person_id,cine_referral_date,cine_close_date,cine_referral_nfa", "r1,1,2026-01-01,2026-02-01,N",
         "cine_referral_id,cine_person_id,cine_referral_source_code\nr1,1,1A", "referral", {"closure_date": "2026-02-01", "referral_nfa": False}),
        ("cin_plans", "cinp_cin_plan_id,cinp_person_id,cinp_cin_plan_start_date,cinp_cin_plan_end_date", "p1,1,2026-01-01,2026-02-01",
         "cinp_cin_plan_id,cinp_person_id,cinp_cin_plan_start_date\np1,1,2026-01-02", "plan", {"end_date": "2026-02-01"}),
        ("cp_plans", "cppl_cp_plan_id,cppl_person_id,cppl_cp_plan_end_date,cppl_cp_plan_latest_category", "p1,1,2026-02-01,Neglect",
         "cppl_cp_plan_id,cppl_person_id,cppl_cp_plan_start_date\np1,1,2026-01-02", "plan", {"end_date": "2026-02-01", "latest_category_of_abuse": "NEG"}),
        ("cla_episodes", "clae_cla_episode_id,clae_person_id,clae_cla_episode_ceased_date,clae_cla_episode_start_reason", "e1,1,2026-02-01,S",
         "clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date\ne1,1,2026-01-02", "looked-after", {"dec": "2026-02-01", "rne": "S"}),
    ],
)  # fmt: skip
async def test_a_column_that_is_absent_is_not_spoken_of(care, name, full, row, short, event, kept):
    await care.take({extract(): table(PERSONS, ADA), extract(name): table(full, row)})
    await care.take({extract(name, LATER): short + "\n"})
    assert len(care.said(event)) == 2 and kept.items() <= care.said(event)[-1].items()


async def test_an_older_extract_fills_what_a_newer_one_did_not_say_of_a_person(care):
    await care.take({extract(day=LATER): table("pers_person_id,pers_dob,pers_forename", "1,2015-03-05,Ida")})
    await care.take({extract(): table(PERSONS, ADA)})
    now = care.said("person")[-1]
    assert (now["given_name"], now["family_name"], now["provenance"]["extracted"]) == ("Ida", "Zwilling", LATER)


# -- numbers and families ------------------------------------------------------------------------------------------

LINKS = "link_person_id,link_identifier_type,link_identifier_value,link_valid_from_date,link_valid_to_date"
OLD, NEW = "1,Unique Pupil Number,A999000000012,2019-09-01,2024-01-01", "1,Unique Pupil Number,N999000000024,2024-01-02,"


def numbers(care) -> set[tuple[str, str]]:
    return {(one["type"], one["value"]) for one in care.said("person")[-1]["identifiers"] if "upn" in one["type"]}


@pytest.mark.parametrize("rows", [(OLD, NEW), (NEW, OLD)])
async def test_a_number_that_ended_never_replaces_the_current_one(care, rows):
    await care.take({extract(): table(PERSONS, ADA), extract("linked"): table(LINKS, *rows)})
    assert numbers(care) == {("upn", "N999000000024"), ("former_upn", "A999000000012")}


async def test_a_number_that_has_ended_since_is_no_longer_the_current_one(care):
    await care.take({extract(): table(PERSONS, ADA), extract("linked"): table(LINKS, "1,Unique Pupil Number,A999000000012,2019-09-01,")})
    await care.take({extract("linked", LATER): table(LINKS, OLD)})
    assert numbers(care) == {("former_upn", "A999000000012")}


async def test_two_current_numbers_are_said(care):
    reports = await care.take({extract(): table(PERSONS, ADA), extract("linked"): table(LINKS, "1,UPN,A999000000012,,", "1,UPN,N999000000024,,")})
    assert any("row 2 says otherwise (A999000000012)" in one["why"] for one in care.items(reports[1], "flagged"))


async def test_a_blank_family_joins_nobody(care):
    reports = await care.take({extract(): table(PERSONS, ADA, "2,Bo,Berg,M,2014-01-01,,,"), extract("family"): table("fami_family_id,fami_person_id", ",1", "NULL,2")})
    assert reports[1]["refused"] == 2 and care.said("relation") == []


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [("address", "addr_table_id,addr_person_id", ",1"), ("mother", "moth_person_id,moth_childs_person_id", ",1"), ("cine", "cine_referral_id,cine_person_id", "null,1"),
     ("invo", "invo_involvements_id,invo_person_id", ",1"), ("clae", "clae_cla_episode_id,clae_person_id", ",1")],
)  # fmt: skip
async def test_a_blank_id_refuses_its_row_and_names_the_column(care, name, header, row):
    reports = await care.take({extract(): table(PERSONS, ADA), extract(name): table(header, row)})
    assert care.items(reports[1], "refused")[0]["column"] == header.split(",")[0]


async def test_siblings_may_lie_in_two_files_of_one_delivery(care):
    files = {extract(): table(PERSONS, ADA, "2,Bo,Berg,M,2014-01-01,,,"), extract("family-a"): table("fami_family_id,fami_person_id", "f,1"),
             extract("family-b"): table("fami_family_id,fami_person_id", "f,2")}  # fmt: skip
    await care.take(files)
    assert {one["other_local_id"] for one in care.said("relation")} == {"1", "2"}


async def test_the_legal_status_is_told_in_the_episode_it_lies_in(care):
    statuses = table("lega_legal_status_id,lega_person_id,lega_legal_status,lega_legal_status_start_date,lega_legal_status_end_date",
                     "l1,1,V2,2026-01-01,2026-03-01", "l2,1,C2 - Full care order,2026-03-01,")  # fmt: skip
    episodes = table("clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date",
                     "e1,1,2026-01-01,2026-02-28", "e2,1,2026-03-01,")  # fmt: skip
    await care.take({extract(): table(PERSONS, ADA), extract("statuses"): statuses, extract("episodes"): episodes})
    assert {one["episode_id"]: one["ls"] for one in care.said("looked-after")} == {"e1": "V2", "e2": "C2"}


async def test_a_status_that_begins_on_the_day_an_episode_ends_is_the_next_ones(care):
    statuses = table("lega_legal_status_id,lega_person_id,lega_legal_status,lega_legal_status_start_date,lega_legal_status_end_date",
                     "l1,1,C1,2026-01-01,2026-03-01", "l2,1,C2,2026-03-01,")  # fmt: skip
    episodes = table("clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date",
                     "e1,1,2026-01-01,2026-03-01", "e2,1,2026-03-01,")  # fmt: skip
    await care.take({extract(): table(PERSONS, ADA), extract("statuses"): statuses, extract("episodes"): episodes})
    assert {one["episode_id"]: one["ls"] for one in care.said("looked-after")} == {"e1": "C1", "e2": "C2"}


# -- what is refused, and how much -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "header", "row", "column"),
    [
        ("cine", "cine_referral_id,cine_person_id,cine_referral_nfa", "r1,1,maybe", "cine_referral_nfa"),
        ("address", "addr_table_id,addr_person_id,addr_address_json", "a1,1," + "[" * 5000 + "]" * 5000, "addr_address_json"),
        ("address", "addr_table_id,addr_person_id,addr_address_json", 'a1,1,"{""a"": {""b"": 1}}"', "addr_address_json"),
        ("cppl", "cppl_cp_plan_id,cppl_person_id,cppl_cp_plan_start_date", "p1,1,3/5/15", "cppl_cp_plan_start_date"),
        ("cine", "cine_referral_id,cine_person_id,cine_close_reason", "r1,1,RC7 and very much more than a code", "reason_for_closure"),
    ],
)
async def test_one_bad_value_refuses_its_row_alone(care, name, header, row, column):
    good = ",".join(("z9", "1", *[""] * (header.count(",") - 1)))
    reports = await care.take({extract(): table(PERSONS, ADA), extract(name): table(header, row, good)})
    assert (reports[1]["accepted"], reports[1]["refused"]) == (1, 1)
    refused = care.items(reports[1], "refused")[0]
    assert (refused["row"], refused["column"]) == (2, column) and refused["value"]


async def test_a_code_that_is_in_no_list_is_kept_and_flagged(care):
    report = (await care.take({extract(): table(PERSONS, ADA.replace(",F,", ",Q,"))}))[0]
    assert care.said("person")[0]["sex"] == "Q" and care.items(report, "flagged")[0]["column"] == "pers_sex"


TABLES = {
    "2026-11-20-{}-persons": (PERSONS, [ADA, MOTHER, UNBORN, "3,Bo,Berg,M,2013-01-01,,,"]),
    "2026-11-20-{}-address": ("addr_table_id,addr_person_id,addr_address_json,addr_address_postcode,addr_address_type,addr_address_end_date", [f"a{n},{n},1 Hill Road,ZZ1 1ZZ,Home," for n in (1, 3)]),
    "2026-11-20-{}-linked": (LINKS, [OLD, NEW, "1,UPN,B999000000099,2018-01-01,2019-01-01", "3,ULN,1000000000,,"]),
    "2026-11-20-{}-professionals": ("prof_professional_id,prof_professional_name", ["sw-1,Ito", "sw-2,Ode"]),
    "2026-11-20-{}-involvements": (INVOLVED, [INVOLVEMENT, "i2,3,sw-2,Allocated Social Worker,t1,2026-01-01,"]),
    "2026-11-20-{}-family": ("fami_family_id,fami_person_id", ["f,1", "f,2", "f,3", "f,9", "g,3"]),
    "2026-11-20-{}-mother": ("moth_person_id,moth_childs_person_id", ["9,1", "9,2"]),
    "2026-11-20-{}-statuses": ("lega_person_id,lega_legal_status,lega_legal_status_start_date,lega_legal_status_end_date", ["1,V2,2026-01-01,2026-03-01", "1,C2,2026-03-01,"]),
    "2026-11-20-{}-episodes": ("clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date", ["e1,1,2026-01-01,2026-02-28", "e2,1,2026-03-01,"]),
}  # fmt: skip


async def test_any_split_of_the_same_rows_in_any_order_is_the_same_register_and_again_no_event(care):
    states = []
    for seed in range(6):
        files = desks.split(Random(seed), TABLES, suffix=".csv")
        reports = await care.take(files)
        assert not any("why" in one or one["refused"] for one in reports)
        assert all(one["rows"] == one["accepted"] for one in reports)
        before, state = len(care.published), await care.state()
        await care.take({name: files[name] for name in reversed(files)})
        assert len(care.published) == before and await care.state() == state
        states.append(state)
        await care.forget()
    assert len(states[0]) == 3 and all(state == states[0] for state in states)


# -- the census in XML -----------------------------------------------------------------------------------------------

HEAD = {"Collection": "CIN", "Year": "2026", "ReferenceDate": "2026-03-31", "LEA": "999"}


def census(*children: str, **head: str | None) -> str:
    said = "".join(f"<{name}>{value}</{name}>" for name, value in (HEAD | head).items() if value)
    return f"<Message><Header>{said}</Header><Children>{''.join(children)}</Children></Message>"


def child(details: str, id: str = "1") -> str:
    return f"<Child><ChildIdentifiers><LAchildID>{id}</LAchildID><PersonBirthDate>2015-03-05</PersonBirthDate></ChildIdentifiers>{details}</Child>"


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        (census(Collection=None), {}, "no children in need census"),
        (census(ReferenceDate="yesterday"), {}, "ReferenceDate"),
        (census(ReferenceDate="2024-03-31"), {}, "does not lie in the census year 2026"),
        (census(Year="2999"), {}, "2999 is not a year"),
        (census(), {"authority": "801"}, "--authority says 801, but the file says 999"),
        (census(), {"extracted": "2026-04-01"}, "--extracted says 2026-04-01, but the file says 2026-03-31"),
        ("<!--" + "x" * 70_000 + "-->" + '<!DOCTYPE a [<!ENTITY b "c">]>' + census(), {}, "entities"),
        (('<!DOCTYPE a [<!ENTITY b "c">]>' + census()).encode("utf-16-le"), {}, "entities"),
    ],
)
async def test_a_census_whose_header_cannot_be_is_refused(care, text, options, why):
    report = (await care.take({"cin.xml": text}, **options))[0]
    assert why in report["why"] and care.published == []


REFERRAL = "<CINreferralDate>2026-01-05</CINreferralDate><ReferralSource>1A</ReferralSource>"


@pytest.mark.parametrize(
    ("bad", "path", "value"),
    [
        ("<CINPlanDates><CINPlanStartDate>soon</CINPlanStartDate></CINPlanDates>", "CINPlanDates/CINPlanStartDate", "soon"),
        ("<CINPlanDates><CINPlanEndDate>2026-02-01</CINPlanEndDate></CINPlanDates>", "CINPlanDates/CINPlanStartDate", None),
        ("<ChildProtectionPlans><CPPstartDate>2026-02-01</CPPstartDate><CPPendDate>99</CPPendDate></ChildProtectionPlans>", "ChildProtectionPlans/CPPendDate", "99"),
    ],
)
async def test_one_bad_plan_is_refused_with_its_element_and_the_child_comes(care, bad, path, value):
    report = (await care.take({"cin.xml": census(child(f"<CINdetails>{REFERRAL}{bad}</CINdetails>"))}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and care.said("plan") == []
    assert care.said("referral")[0]["referral_id"] == "CIN 2026-01-05 1A"
    refused = care.items(report, "refused")[0]
    assert (refused["row"], refused["column"], refused["value"]) == (1, path, value)


async def test_a_referral_without_its_date_is_refused_and_its_plans_come(care):
    plan = "<CINPlanDates><CINPlanStartDate>2026-02-01</CINPlanStartDate></CINPlanDates>"
    report = (await care.take({"cin.xml": census(child(f"<CINdetails>{plan}</CINdetails>"))}))[0]
    assert care.items(report, "refused")[0]["column"] == "CINdetails/CINreferralDate" and len(care.said("plan")) == 1


async def test_what_breaks_the_contract_in_one_referral_keeps_no_other_out(care):
    two = f"<CINdetails>{REFERRAL}<PrimaryNeedCode>{'N' * 30}</PrimaryNeedCode></CINdetails><CINdetails><CINreferralDate>2026-01-06</CINreferralDate></CINdetails>"
    report = (await care.take({"cin.xml": census(child(two))}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and care.said("referral")[0]["referral_date"] == "2026-01-06"


async def test_an_expected_birth_date_that_is_none_keeps_the_child(care):
    bad = child("").replace("</ChildIdentifiers>", "<ExpectedPersonBirthDate>1066-04-13</ExpectedPersonBirthDate></ChildIdentifiers>")
    report = (await care.take({"cin.xml": census(bad)}))[0]
    assert (report["accepted"], report["flagged"]) == (1, 1) and "expected_birth_date" not in care.said("person")[0]


async def test_the_year_of_a_census_may_be_named_by_its_first_half(care):
    report = (await care.take({"cin.xml": census(child(""), Year="2025")}))[0]
    assert report["accepted"] == 1


async def test_modules_that_are_not_read_are_counted(care):
    details = f"<CINdetails>{REFERRAL}<Assessments><Weather/></Assessments></CINdetails><Pets/>"
    report = (await care.take({"cin.xml": census(child(details))}))[0]
    assert report["ignored_columns"] == 2


async def test_a_child_twice_in_a_census_with_two_birth_dates_is_said(care):
    report = (await care.take({"cin.xml": census(child(""), child("").replace("2015-03-05", "2015-05-03"))}))[0]
    assert "row 1 says otherwise" in care.items(report, "flagged")[0]["why"] and care.said("person")[-1]["birth_date"] == "2015-05-03"


SAMPLE = desks.SHARED / "csc-validator-be-cin/fake_data/fake_CIN_data.xml"


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_a_real_census_is_taken_whole(care):
    report = (await care.take_paths([SAMPLE]))[0]
    assert (report["rows"], report["accepted"], report["refused"]) == (332, 332, 0)
