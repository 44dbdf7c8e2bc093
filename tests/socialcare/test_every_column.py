"""Every column and element that is read comes out as the field it is, and as no other's: each value here is a different one."""

from __future__ import annotations

import pytest

DAY = "2026-11-20"
PERSON = ("persons", {"pers_person_id": "1", "pers_dob": "2015-03-05", "pers_forename": "Ada", "pers_surname": "Zwilling"})


def table(*rows: dict[str, str]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


def delivery(*tables: tuple[str, dict[str, str]]) -> dict[str, str]:
    return {f"{DAY}-ssd_{name}-{number}.csv": table(row) for number, (name, row) in enumerate((PERSON, *tables))}


EXTRACT = [
    ("person", {"given_name": "Bo", "family_name": "Berg", "sex": "M", "gender": "a gender", "ethnicity": "WBRI", "upn_unknown": "UN1",
                "birth_date": "2014-02-03", "expected_birth_date": "2014-02-09", "death_date": "2026-04-05"},
     ("persons", {"pers_person_id": "2", "pers_forename": "Bo", "pers_surname": "Berg", "pers_sex": "M", "pers_gender": "a gender",
                  "pers_ethnicity": "WBRI", "pers_upn_unknown": "UN1", "pers_dob": "2014-02-03", "pers_expected_dob": "2014-02-09",
                  "pers_death_date": "2026-04-05"})),
    *(("address", {"address_id": "a1", "address_kind": kind, "lines": ["1 Hill Road"], "postcode": "ZZ1 1ZZ", "start_date": "2026-01-02", "end_date": "2026-03-04"},
       ("address", {"addr_table_id": "a1", "addr_person_id": "1", "addr_address_type": said, "addr_address_json": "1 Hill Road",
                    "addr_address_postcode": "ZZ1 1ZZ", "addr_address_start_date": "2026-01-02", "addr_address_end_date": "2026-03-04"}))
      for said, kind in (("Home", "home"), ("Placement", "placement"))),
    ("involvement", {"involvement_id": "i1", "professional_id": "sw-1", "team_id": "t1", "referral_id": "r1", "involvement_kind": "reviewing",
                     "role": "Conference Chair", "organisation_kind": "social_care", "start_date": "2026-01-02", "end_date": "2026-03-04"},
     ("involvements", {"invo_involvements_id": "i1", "invo_person_id": "1", "invo_professional_id": "sw-1", "invo_professional_team": "t1",
                       "invo_referral_id": "r1", "invo_professional_role_id": "Conference Chair", "invo_involvement_start_date": "2026-01-02",
                       "invo_involvement_end_date": "2026-03-04"})),
    ("referral", {"referral_id": "r1", "referral_date": "2026-01-02", "closure_date": "2026-03-04", "referral_source": "1A",
                  "primary_need_code": "N2", "referral_nfa": False, "reason_for_closure": "RC7"},
     ("cin_episodes", {"cine_referral_id": "r1", "cine_person_id": "1", "cine_referral_date": "2026-01-02", "cine_close_date": "2026-03-04",
                       "cine_referral_source_code": "1A", "cine_cin_primary_need_code": "N2", "cine_referral_nfa": "N", "cine_close_reason": "RC7"})),
    ("plan", {"plan_kind": "need", "plan_id": "p1", "start_date": "2026-01-02", "end_date": "2026-03-04"},
     ("cin_plans", {"cinp_cin_plan_id": "p1", "cinp_person_id": "1", "cinp_cin_plan_start_date": "2026-01-02", "cinp_cin_plan_end_date": "2026-03-04"})),
    ("plan", {"plan_kind": "protection", "plan_id": "p1", "start_date": "2026-01-02", "end_date": "2026-03-04",
              "initial_category_of_abuse": "PHY", "latest_category_of_abuse": "NEG"},
     ("cp_plans", {"cppl_cp_plan_id": "p1", "cppl_person_id": "1", "cppl_cp_plan_start_date": "2026-01-02", "cppl_cp_plan_end_date": "2026-03-04",
                   "cppl_cp_plan_initial_category": "Physical abuse", "cppl_cp_plan_latest_category": "Neglect"})),
    ("looked-after", {"episode_id": "e1", "decom": "2026-01-02", "dec": "2026-03-04", "rne": "S", "cin": "N2", "rec": "E4A"},
     ("cla_episodes", {"clae_cla_episode_id": "e1", "clae_person_id": "1", "clae_cla_episode_start_date": "2026-01-02",
                       "clae_cla_episode_ceased_date": "2026-03-04", "clae_cla_episode_start_reason": "S", "clae_cla_primary_need_code": "N2",
                       "clae_cla_episode_ceased_reason": "E4A"})),
]  # fmt: skip


@pytest.mark.parametrize(("event", "wanted", "row"), EXTRACT, ids=lambda one: one if isinstance(one, str) else "")
async def test_every_column_of_the_extract_comes_out_as_the_field_it_is(care, event, wanted, row):
    await care.take(delivery(row))
    said = care.said(event)[-1]
    assert {name: said.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("kind", "value", "type"),
    [("Unique Pupil Number", "A999000000012", "upn"), ("UPN", "A999000000012", "upn"), ("Former Unique Pupil Number", "A999000000012", "former_upn"),
     ("NHS Number", "9990000018", "nhs_number"), ("Unique Learner Number", "1000000000", "uln")],
)  # fmt: skip
async def test_a_linked_number_is_of_the_kind_that_its_row_says(care, kind, value, type):
    await care.take(delivery(("linked", {"link_person_id": "1", "link_identifier_type": kind, "link_identifier_value": value})))
    numbers = {(one["type"], one["value"]) for one in care.said("person")[-1]["identifiers"]}
    assert numbers == {("local_child_id", "1"), (type, value)}


async def test_an_involvement_has_the_names_of_its_professional_and_team(care):
    await care.take(delivery(
        ("professionals", {"prof_professional_id": "sw-1", "prof_professional_name": "Ito"}),
        ("departments", {"dept_team_id": "t1", "dept_team_name": "North"}),
        ("involvements", {"invo_involvements_id": "i1", "invo_person_id": "1", "invo_professional_id": "sw-1", "invo_professional_team": "t1"}),
    ))  # fmt: skip
    said = care.said("involvement")[0]
    assert (said["professional_name"], said["team_name"]) == ("Ito", "North")


@pytest.mark.parametrize(
    ("role", "kind"),
    [("Allocated Social Worker", "allocated"), ("Family Support Worker", "case_team"), ("IRO", "reviewing"), ("Health Visitor", "health_named"),
     ("Children's Centre Worker", "centre_registered"), ("Education Welfare Officer", "welfare_officer"), ("Virtual School", "virtual_school"),
     ("Bus driver", "other")],
)  # fmt: skip
async def test_a_role_is_evidence_of_one_relationship(care, role, kind):
    await care.take(delivery(("involvements", {"invo_involvements_id": "i1", "invo_person_id": "1", "invo_professional_role_id": role})))
    assert care.said("involvement")[0]["involvement_kind"] == kind


@pytest.mark.parametrize(("where", "lives"), [("1 Hill Road", "yes"), ("2 Hill Road", "no")])
async def test_a_mother_of_the_same_home_lives_with_the_child(care, where, lives):
    home = {"addr_address_type": "Home", "addr_address_postcode": "ZZ1 1ZZ"}
    await care.take(delivery(
        ("persons", {"pers_person_id": "9", "pers_dob": "1985-01-01", "pers_forename": "Ina", "pers_surname": "Ode"}),
        ("address", {"addr_table_id": "a1", "addr_person_id": "1", **home, "addr_address_json": "1 Hill Road"}),
        ("address", {"addr_table_id": "a9", "addr_person_id": "9", **home, "addr_address_json": where}),
        ("mother", {"moth_person_id": "9", "moth_childs_person_id": "1"}),
    ))  # fmt: skip
    wanted = {"other_local_id": "9", "relationship": "mother", "given_name": "Ina", "family_name": "Ode", "birth_date": "1985-01-01", "lives_with_child": lives}
    assert wanted.items() <= care.said("relation")[0].items()


@pytest.mark.parametrize(("born", "mother", "kept"), [("2006-11-20", "N", True), ("2006-11-20", "Y", False), ("2001-11-20", "N", False), ("2001-11-21", "N", True)])
async def test_a_care_leaver_keeps_the_record_and_a_grown_mother_has_none(care, born, mother, kept):
    await care.take(delivery(("persons", {"pers_person_id": "2", "pers_dob": born, "pers_forename": "Bo", "pers_is_mother": mother})))
    assert ("Bo" in [one.get("given_name") for one in care.said("person")]) is kept


# -- the census in XML -----------------------------------------------------------------------------------------------

CHILD = """<Message><Header><Collection>CIN</Collection><Year>2026</Year><ReferenceDate>2026-03-31</ReferenceDate></Header><Children><Child>
<ChildIdentifiers><LAchildID>1</LAchildID><UPN>A999000000012</UPN><FormerUPN>N999000000024</FormerUPN><UPNunknown>UN1</UPNunknown>
<PersonBirthDate>2014-02-03</PersonBirthDate><ExpectedPersonBirthDate>2014-02-09</ExpectedPersonBirthDate>
<PersonDeathDate>2026-03-06</PersonDeathDate>{sex}</ChildIdentifiers>
<ChildCharacteristics><Ethnicity>WBRI</Ethnicity></ChildCharacteristics>
<CINdetails><CINreferralDate>2026-01-02</CINreferralDate><ReferralSource>1A</ReferralSource><PrimaryNeedCode>N2</PrimaryNeedCode>
<ReferralNFA>false</ReferralNFA><CINclosureDate>2026-03-04</CINclosureDate><ReasonForClosure>RC7</ReasonForClosure>
<CINPlanDates><CINPlanStartDate>2026-01-05</CINPlanStartDate><CINPlanEndDate>2026-02-06</CINPlanEndDate></CINPlanDates>
<ChildProtectionPlans><CPPstartDate>2026-02-07</CPPstartDate><CPPendDate>2026-03-03</CPPendDate>
<InitialCategoryOfAbuse>PHY</InitialCategoryOfAbuse><LatestCategoryOfAbuse>NEG</LatestCategoryOfAbuse>
<NumberOfPreviousCPP>2</NumberOfPreviousCPP><Reviews><CPPreviewDate>2026-02-20</CPPreviewDate><CPPreviewDate>2026-03-01</CPPreviewDate></Reviews>
</ChildProtectionPlans></CINdetails></Child></Children></Message>"""
CENSUS = {
    "person": {"birth_date": "2014-02-03", "expected_birth_date": "2014-02-09", "death_date": "2026-03-06", "sex": "F", "upn_unknown": "UN1", "ethnicity": "WBRI"},
    "referral": {"referral_date": "2026-01-02", "referral_source": "1A", "primary_need_code": "N2", "referral_nfa": False,
                 "closure_date": "2026-03-04", "reason_for_closure": "RC7"},
    "plan-recorded": {"plan_kind": "protection", "start_date": "2026-02-07", "end_date": "2026-03-03", "initial_category_of_abuse": "PHY",
             "latest_category_of_abuse": "NEG", "number_of_previous_cpp": 2},
    "plan-review": {"review_date": "2026-03-01"},
}  # fmt: skip


@pytest.mark.parametrize("event", CENSUS)
async def test_every_element_of_the_census_comes_out_as_the_field_it_is(care, event):
    await care.take({"cin.xml": CHILD.format(sex="<Sex>F</Sex>")})
    said = care.said(event)[-1]
    assert {name: said.get(name) for name in CENSUS[event]} == CENSUS[event]


async def test_a_plan_of_need_and_the_numbers_of_the_census_come_out(care):
    await care.take({"cin.xml": CHILD.format(sex="<Sex>F</Sex>")})
    need = {"plan_kind": "need", "start_date": "2026-01-05", "end_date": "2026-02-06"}
    assert need.items() <= care.said("plan")[0].items()
    numbers = {(one["type"], one["value"]) for one in care.said("person")[0]["identifiers"]}
    assert numbers == {("local_child_id", "1"), ("upn", "A999000000012"), ("former_upn", "N999000000024")}


@pytest.mark.parametrize(("code", "sex"), [("1", "M"), ("2", "F"), ("0", "U"), ("9", "U")])
async def test_a_census_that_says_the_gender_by_number_says_the_sex(care, code, sex):
    await care.take({"cin.xml": CHILD.format(sex=f"<GenderCurrent>{code}</GenderCurrent>")})
    assert care.said("person")[0]["sex"] == sex
