"""What the record of one subject says of another: of one UPN, or a relative."""

from __future__ import annotations

import json

from tests.education.test_importers import ADA, HEADER, table, upn

SCHOOL_A, SCHOOL_B, AGAIN = "2026_spring_a.csv", "2026_spring_b.csv", "2026_summer_b.csv"
BEFORE, UPN_BEFORE = "Birthname", "B801200005001"


def pupil(*, here: bool, **columns: str) -> str:
    """Ada at school A; or at school B, by other numbers of its own."""
    row = ADA.replace("A999000000012", upn(12))
    row = row if here else row.replace("P1", "P77").replace("9994001", "9994002").replace("Ada", "Adah")
    return table(",".join([row, *columns.values()]), header=",".join([HEADER, *columns]))


ADOPTED = {SCHOOL_A: pupil(here=True, plaa="A")}
UNTOLD = {SCHOOL_B: pupil(here=False, formersurname=BEFORE, formerupn=UPN_BEFORE)}


def names_before(school) -> list[bool]:
    """Of each time that somebody was said to be who they are: whether with what is from before."""
    return [BEFORE in json.dumps(one) or UPN_BEFORE in json.dumps(one) for one in school.said("person")]


async def test_what_one_school_says_of_an_adoption_holds_for_another_schools_record_of_the_same_upn(school):
    await school.take(ADOPTED)
    await school.take(UNTOLD)
    assert len(school.streams("person")) == 2 and names_before(school) == [False, False]


async def test_what_another_schools_record_said_from_before_is_taken_back(school):
    await school.take(UNTOLD)
    await school.take(ADOPTED)
    assert names_before(school) == [True, False, False] and len(school.streams("person")) == 2
    school.published.clear()
    await school.take({AGAIN: UNTOLD[SCHOOL_B]})
    assert not any(names_before(school))


async def test_files_of_one_delivery_tell_one_another_of_an_adoption(school):
    await school.take(ADOPTED | UNTOLD)
    await school.take(UNTOLD)
    assert names_before(school)[-1] is False
    assert BEFORE not in str(await school.state())


async def test_a_pupil_who_has_the_number_no_more_is_nobodys_neighbour(school):
    await school.take({SCHOOL_B: pupil(here=False, formersurname=BEFORE)})
    await school.take({AGAIN: UNTOLD[SCHOOL_B].replace(upn(12), upn(13)).replace(UPN_BEFORE, "")})
    school.published.clear()
    await school.take(ADOPTED)
    assert len(school.streams("person")) == 1


# -- relatives ---------------------------------------------------------------------------------------------------------

PERSONS = "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,Invented,2015-03-05\n2,Bo,Invented,2013-01-01\n"
FAMILY = {"p.csv": PERSONS, "f.csv": "fami_family_id,fami_person_id\nf,1\nf,2\n"}
PURGE = {"b.json": json.dumps({"la_code": "999", "Children": [{"la_child_id": "1", "purge": True}]})}


async def names_ada(care) -> bool:
    return "Ada" in str(await care.state())


async def test_no_relatives_record_names_whom_the_source_purged(care):
    await care.take(FAMILY, extracted="2026-11-01")
    assert await names_ada(care)
    await care.take(PURGE, extracted="2026-11-20")
    assert not await names_ada(care)
    assert [one["other_local_id"] for one in care.said("relation") if one.get("withdrawn")].count("1") == 1
    care.published.clear()
    await care.take(PURGE, extracted="2026-11-20")
    await care.take({"again-" + name: text for name, text in FAMILY.items()}, extracted="2026-11-10")
    assert not await names_ada(care) and not care.said("relation")
    await care.take(FAMILY, extracted="2026-11-21")
    assert await names_ada(care), "the source has the child again"


async def test_whom_the_source_purged_before_any_relative_came_is_named_by_none(care):
    await care.take(PURGE, extracted="2026-11-20")
    await care.take(FAMILY, extracted="2026-11-10")
    assert not await names_ada(care) and "Ada" not in json.dumps(care.published) and len(care.said("person")) == 1


async def test_an_older_purge_that_comes_again_lets_no_file_between_the_two_name_the_child(care):
    await care.take(PURGE, extracted="2026-11-20")
    await care.take({"again.json": PURGE["b.json"] + " "}, extracted="2026-11-05")
    await care.take(FAMILY, extracted="2026-11-10")
    assert not await names_ada(care)


async def test_a_purge_takes_nothing_away_that_a_newer_extract_said_of_a_relative(care):
    await care.take(FAMILY, extracted="2026-11-21")
    await care.take(PURGE, extracted="2026-11-20")
    assert await names_ada(care) and not [one for one in care.said("relation") if one.get("withdrawn")]


async def test_a_row_that_waited_when_a_newer_purge_came_is_never_published(care):
    await care.take({"c.csv": "cine_referral_id,cine_person_id,cine_referral_date\nR1,1,2026-01-01\n"}, extracted="2026-11-10")
    await care.take(PURGE, extracted="2026-11-20")
    await care.take({"p.csv": PERSONS}, extracted="2026-11-21")
    assert len(care.said("person")) == 2 and not care.said("referral")
