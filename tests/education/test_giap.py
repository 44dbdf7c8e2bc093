"""Answers of the DfE's pupil search: who a pupil is, and nothing that they do not say."""

from __future__ import annotations

import json

import pytest

from tests import importing as desks

ANSWERS = desks.SHARED / "get-information-about-pupils/DfE.GIAP.All/tests/DfE.GIAP.Core.IntegrationTests/contracts"
ADA = {"@search.score": 0.2, "UPN": "A999000000012", "ULN": "1000000000", "Surname": "Zwilling", "Forename": "Ada", "Sex": "F", "Gender": "F", "DOB": "2015-03-05", "LocalAuthority": "999", "id": "x1"}


async def test_an_answer_says_who_a_pupil_is_and_where_sex_and_its_older_name_differ_it_is_said(school):
    report = (await school.take({"found-2026-11-20.json": json.dumps({"value": [ADA | {"Gender": "M"}]})}))[0]
    who = school.said("person")[0]
    assert (who["family_name"], who["sex"], who["birth_date"]) == ("Zwilling", "F", "2015-03-05") and "gender" not in who
    assert "Sex says otherwise" in " ".join(one["why"] for one in school.items(report, "flagged"))


async def test_an_answer_that_does_not_say_as_of_when_is_refused_whole(school):
    report = (await school.take({"found.json": json.dumps({"value": [ADA]})}))[0]
    assert "--extracted" in report["why"] and school.published == []


@pytest.mark.parametrize("bad", [7, {"UPN": "x"}, ADA | {"DOB": "soon"}, ADA | {"id": None}, ADA | {"Surname": ""}])
async def test_a_pupil_that_cannot_be_taken_is_refused_and_the_others_go_in(school, bad):
    report = (await school.take({"found-2026-11-20.json": json.dumps({"value": [bad, ADA | {"id": "x2"}]})}))[0]
    assert (report["accepted"], report["refused"]) == (1, 1) and len(school.said("person")) == 1


@pytest.mark.skipif(not ANSWERS.exists(), reason="the sector's sample files are not part of a user's clone")
async def test_the_departments_own_examples_are_taken_whole_and_again_say_nothing(school):
    files = sorted(ANSWERS.glob("*.json"))
    reports = await school.take_paths(files, extracted="2026-11-20")
    assert reports and all(one["accepted"] == one["rows"] > 0 for one in reports)
    before = len(school.published)
    await school.take_paths(files[::-1], extracted="2026-11-20")
    assert len(school.published) == before
