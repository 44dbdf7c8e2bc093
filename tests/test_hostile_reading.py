"""What a reviewer tried: each stays tried. What is not mended yet is marked."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime

import pytest

from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import open_table
from services.plumbing.files.watch import Folder, Watched
from services.socialcare.importers import ssda903_xml
from tests.education.test_ctf import BASIC, WHO, ctf
from tests.education.test_importers import upn
from tests.socialcare import test_census as cin
from tests.socialcare.test_ssda903 import ADA, EPISODES, HEADER, table


@pytest.mark.parametrize("rec", ["E11", "e11", "E11 - Adopted", "E 11"])
async def test_an_end_by_adoption_is_restricted_however_it_is_written(care, rec):
    await care.take(
        {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f"007,01/04/2024,S,E1,N1,A5,PR1,01/09/2024,{rec},,ZZ1 1ZZ,ZZ9 9ZZ,1")},
        extracted="2025-03-31",
    )
    assert care.said("looked-after")[0].get("rec") is None


@pytest.mark.parametrize("place", ["A5", "a5", "A5 - Placed", "A 5"])
async def test_a_placement_for_adoption_is_restricted_however_it_is_written(care, place):
    await care.take(
        {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f"007,01/04/2024,S,C2,N1,{place},PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1")},
        extracted="2025-03-31",
    )
    assert care.said("placement")[0].get("restriction") == "statute"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("E1", "E1"), ("e1", "E1"), ("E 1", "E1"), ("E1 - Placement order", "E1"), ("Placement order", "E1"), ("D1", "D1"), ("Freeing order", "D1")],
)
async def test_a_placement_order_is_not_told_as_the_legal_status(care, written, meant):
    await care.take(
        {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f"007,01/04/2024,S,{written},N1,U5,PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1")},
        extracted="2025-03-31",
    )
    assert care.said("looked-after")[0].get("ls") is None
    told = next(one for one in care.said("adoption") if one["adoption_id"].startswith("status "))
    assert (told["ls"], told["restriction"]) == (meant, "statute")


@pytest.mark.parametrize("written", ["U5", "u5", "U 5", "U5 - Foster carer, also adopter"])
async def test_a_placement_with_carers_who_also_may_adopt_does_not_say_so(care, written):
    await care.take(
        {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f'007,01/04/2024,S,C2,N1,"{written}",PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1')},
        extracted="2025-03-31",
    )
    placement = care.said("placement")[0]
    assert (placement.get("place"), placement.get("restriction"), placement["pl_post"]) == (None, None, "ZZ9 9ZZ")
    told = next(one for one in care.said("adoption") if one["adoption_id"].startswith("placement "))
    assert (told["place"], told["restriction"]) == ("U5", "statute")


@pytest.mark.parametrize("written", ["E1", "e1 placement order (Adoption and Children Act 2002)", "Placement order of the family court"])
async def test_a_placement_order_of_the_daily_extract_is_not_told_either(care, written):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "l.csv": f"lega_person_id,lega_legal_status,lega_legal_status_start_date\n1,{written},2024-01-01\n",
            "e.csv": "clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date\nE7,1,2024-01-01\n",
            "t.csv": "clap_cla_placement_id,clap_person_id,clap_cla_placement_type\nP7,1,U2 - Relative or friend who also may adopt\n",
        },
        extracted="2025-03-31",
    )
    assert care.said("looked-after")[0].get("ls") is None and care.said("placement")[0].get("place") is None
    assert {(one["adoption_id"], one.get("ls"), one.get("place")) for one in care.said("adoption")} == {
        ("status E7", "E1", None),
        ("placement P7", None, "U2"),
    }


async def test_what_tells_of_adoption_goes_when_a_newer_file_says_otherwise_and_no_older_one_brings_it_back(care):
    for day, ls, place in (("2025-03-31", "E1", "U5"), ("2025-04-30", "C2", "U4"), ("2025-03-30", "E1", "U5")):
        await care.take(
            {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f"007,01/04/2024,S,{ls},N1,{place},PR1,,,,ZZ1 1ZZ,ZZ9 9ZZ,1")},
            extracted=day,
        )
    assert care.said("looked-after")[-1]["ls"] == "C2" and care.said("placement")[-1]["place"] == "U4"
    assert [one.get("withdrawn", False) for one in care.said("adoption")] == [False, False, True, True]


@pytest.mark.parametrize("why", ["RC1", "rc1", "RC1 - Adopted", "RC01"])
async def test_a_case_closed_by_adoption_is_restricted_however_it_is_written(care, why):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "c.csv": f"cine_referral_id,cine_person_id,cine_referral_date,cine_close_date,cine_close_reason\nR1,1,2024-01-01,2024-05-01,{why}\n",
        },
        extracted="2025-03-31",
    )
    assert care.said("referral")[0].get("reason_for_closure") is None


@pytest.mark.parametrize("why", ["rc1"])
async def test_a_case_closed_by_adoption_is_restricted_in_the_census_too(care, why):
    text = cin.census(
        cin.child(
            f"<CINreferralDate>2024-01-01</CINreferralDate><ReferralSource>1A</ReferralSource><CINclosureDate>2025-06-01</CINclosureDate><ReasonForClosure>{why}</ReasonForClosure>"
        )
    )
    await care.take({"c.xml": text})
    assert care.said("referral")[0].get("reason_for_closure") is None


@pytest.mark.parametrize("plaa", ["A", "a", "O"])
async def test_every_adoption_from_care_takes_away_the_names_and_numbers_before(school, plaa):
    await school.take(
        {
            "p.csv": "pupilonrolltableid,sourceid,nativeid,surname,forename,dob,upn,formerupn,formersurname,entrydate,plaa\n"
            f"1,s1,9994001,New,Ada,2015-03-05,{upn(12)},{upn(13)},Before,2022-09-01,{plaa}\n"
        },
        collection="2025-spring",
        authority="999",
    )
    assert "Before" not in json.dumps(school.said("person")) and upn(13) not in json.dumps(school.said("person"))


async def test_a_carers_address_is_no_home(care):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "a.csv": "addr_table_id,addr_person_id,addr_address_type,addr_address_postcode\nA1,1,Foster carer,ZZ9 9ZZ\nA2,1,Residential home,ZZ9 9ZZ\n",
        },
        extracted="2025-03-31",
    )
    assert all(one["address_kind"] != "home" for one in care.said("address"))


async def test_the_adoption_team_is_not_named_as_a_service_involved(care):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "d.csv": "dept_team_id,dept_team_name\nT9,Adoption Team\n",
            "i.csv": "invo_involvements_id,invo_person_id,invo_professional_id,invo_professional_role_id,invo_professional_team,invo_involvement_start_date\nI1,1,W1,Adoption social worker,T9,2024-01-01\n",
        },
        extracted="2025-03-31",
    )
    assert all("team_name" not in one for one in care.said("involvement"))


async def test_an_outcome_that_tells_of_adoption_is_no_part_of_an_assessment(care):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "i.csv": 'cina_assessment_id,cina_person_id,cina_assessment_start_date,cina_assessment_outcome_json\nI1,1,2024-01-01,"{""NON_AGENCY_ADOPTION_FLAG"": ""Y""}"\n',
        },
        extracted="2025-03-31",
    )
    assert "ADOPTION" not in json.dumps(care.said("assessment"))


async def test_another_schools_transfer_file_tells_nothing_from_before_an_adoption(school):
    await school.take(
        {
            "p.csv": "pupilonrolltableid,sourceid,nativeid,surname,forename,dob,upn,formerupn,formersurname,entrydate,plaa\n"
            f"1,s1,9994001,New,Ada,2015-03-05,{upn(12)},B801200005001,Before,2022-09-01,A\n"
        },
        collection="2025-spring",
        authority="999",
    )
    school.published.clear()
    await school.take(
        {
            "x.xml": ctf(WHO.replace("ZWILLING", "New") + BASIC).replace(
                "<Estab>4001</Estab><SchoolName>Hill", "<Estab>4009</Estab><SchoolName>Hill"
            )
        }
    )
    assert "Before" not in json.dumps(school.said("person"))


async def test_late_older_file_does_not_bring_what_was_deleted(school):
    s = {"establishment_number": "4001", "la_code": "999"}
    st = {"id": "7", "surname": "X", "forename": "Ada", "date_of_birth": "2015-03-05"}
    await school.take({"s.json": json.dumps({"school": s, "extracted": "2026-11-01", "students": [st]})})
    await school.take(
        {
            "d.json": json.dumps(
                {"school": s, "extracted": "2026-11-20", "deletions": [{"id": "e1", "type": "exclusion", "student_id": "7"}]}
            )
        }
    )
    await school.take(
        {
            "e.json": json.dumps(
                {
                    "school": s,
                    "extracted": "2026-11-10",
                    "exclusions": [{"id": "e1", "student_id": "7", "start_date": "2026-11-02", "category": "PERM"}],
                }
            )
        }
    )
    assert not [one for one in school.said("exclusion") if not one.get("withdrawn")]


async def test_an_older_file_does_not_bring_back_whom_the_source_deleted(care):
    def p(_, c):
        return {"la_code": "999", "Children": [c]}
    await care.take(
        {
            "a.json": json.dumps(
                p(0, {"la_child_id": "1", "child_details": {"first_name": "Ada", "surname": "X", "date_of_birth": "2015-03-05"}})
            )
        },
        extracted="2026-11-01",
    )
    await care.take({"b.json": json.dumps(p(0, {"la_child_id": "1", "purge": True}))}, extracted="2026-11-20")
    care.published.clear()
    await care.take(
        {
            "c.json": json.dumps(
                p(
                    0,
                    {
                        "la_child_id": "1",
                        "child_details": {"first_name": "Ada", "surname": "X", "date_of_birth": "2015-03-05"},
                        "social_care_episodes": [{"social_care_episode_id": "E", "referral_date": "2026-01-01"}],
                    },
                )
            )
        },
        extracted="2026-11-10",
    )
    assert not care.published


def payload(child: dict) -> str:
    return json.dumps({"la_code": "999", "Children": [child]})


WHOLE = {
    "la_child_id": "1",
    "child_details": {"first_name": "Ada", "surname": "X", "date_of_birth": "2015-03-05"},
    "social_care_episodes": [{"social_care_episode_id": "E", "referral_date": "2026-01-01"}],
}
TABLES = {
    "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
    "c.csv": "cine_referral_id,cine_person_id,cine_referral_date\nR1,1,2026-01-01\n",
    "a.csv": "addr_table_id,addr_person_id,addr_address_type,addr_address_postcode\nA1,1,Home,ZZ9 9ZZ\n",
}


@pytest.mark.parametrize("known", [True, False])
async def test_no_older_file_of_any_family_brings_back_a_purged_child_and_a_newer_one_does(care, known):
    if known:
        await care.take(TABLES, extracted="2026-11-01")
    await care.take({"b.json": payload({"la_child_id": "1", "purge": True})}, extracted="2026-11-20")
    care.published.clear()
    await care.take(TABLES | {"c.json": payload(WHOLE)}, extracted="2026-11-10")
    await care.take({"census.xml": cin.census(cin.child("<CINreferralDate>2024-01-01</CINreferralDate>"))})
    await care.take({"h.csv": table(HEADER, ADA.replace("007", "1")), "m.csv": table(EPISODES, "1,01/04/2024,S,C2,N1,U4,PR1,,,,,,")}, extracted="2025-03-31")
    assert not care.published
    await care.take(TABLES, extracted="2026-11-21")
    assert len(care.said("person")) == len(care.said("referral")) == len(care.said("address")) == 1


async def test_a_purge_of_a_child_who_never_came_waits_longer_than_any_row_and_names_nobody(care, tmp_path):
    await care.take({"b.json": payload({"la_child_id": "1", "purge": True})}, extracted="2026-11-20")
    late = Report("late")
    late.open(tmp_path, name="late")
    await care.register.refuse_overdue(late, since=datetime(2099, 1, 1, tzinfo=UTC))
    assert await care._pool.fetch("select * from subject_keys") == await care._pool.fetch("select * from subjects") == []
    assert len(await care._pool.fetch("select * from waiting_rows where gone")) == 1
    await care.take(TABLES, extracted="2026-11-10")
    assert late.refused == 0 and not care.published
    assert await care._pool.fetch("select * from subject_keys") == await care._pool.fetch("select * from subjects") == [], "nor now"


BEFORE = "B801200005001"
NOW = f"<Sex>F</Sex><UPN>{upn(12)}</UPN><FormerUPN>{BEFORE}</FormerUPN>"
FORMER_UPNS = {
    "census": {"cin.xml": cin.census(cin.child("<CINreferralDate>2026-01-05</CINreferralDate>", who=NOW))},
    "daily payload": {"2026-11-20.json": payload({**WHOLE, "child_details": {**WHOLE["child_details"], "former_unique_pupil_number": BEFORE}})},
    "daily extract": {
        "2026-11-20-p.csv": TABLES["p.csv"],
        "2026-11-20-n.csv": f"link_person_id,link_identifier_type,link_identifier_value\n1,Former unique pupil number,{BEFORE}\n",
    },
}
RC1 = "cine_referral_id,cine_person_id,cine_referral_date,cine_close_reason\nR2,1,2026-01-01,RC1 - Adopted\n"


@pytest.mark.parametrize("files", FORMER_UPNS.values(), ids=FORMER_UPNS)
async def test_the_upn_from_before_of_whom_social_care_knows_as_adopted_reaches_nobody(care, files):
    await care.take(files)
    assert BEFORE in json.dumps(care.said("person")), "before anybody knows"
    await care.take({"2026-11-21-c.csv": RC1})
    assert BEFORE not in json.dumps(care.said("person")[-1])
    care.published.clear()
    await care.take({f"again-{name}": text + "\n" for name, text in files.items()})
    assert BEFORE not in json.dumps(care.published)


@pytest.mark.parametrize("files", FORMER_UPNS.values(), ids=FORMER_UPNS)
async def test_the_upn_from_before_is_never_said_of_whom_an_earlier_file_told_to_be_adopted(care, files):
    await care.take({"2025-01-01-p.csv": TABLES["p.csv"], "2025-01-01-c.csv": RC1})
    await care.take(files)
    assert care.said("adoption-sign") and BEFORE not in json.dumps(care.published)


class _Struck(Exception):
    """The process ended here."""


@pytest.mark.parametrize("moment", range(5))
async def test_ended_at_any_moment_and_once_more_is_one_clean_run_of_purges_and_of_adoptions(care, monkeypatch, moment):
    files = [
        ("2026-11-20", {"b.json": payload({"la_child_id": "1", "purge": True})}),
        ("2026-11-10", TABLES),
        ("2026-11-21", {"p.csv": TABLES["p.csv"], "n.csv": "link_person_id,link_identifier_type,link_identifier_value\n1,Former unique pupil number,B801200005001\n"}),
        ("2026-11-22", {"c.csv": "cine_referral_id,cine_person_id,cine_referral_date,cine_close_reason\nR2,1,2026-01-01,RC1\n"}),
    ]

    async def run() -> None:
        for day, one in files:
            await care.take(one, extracted=day)

    await run()
    clean, published = await care.state(), [one for _, *one in care.published]
    await care.forget()
    append, left = care.register._outbox.append, [moment]

    async def strikes(conn, changes):
        left[0] -= any(events for _, events in changes)
        if left[0] < 0:
            raise _Struck
        return await append(conn, changes)

    monkeypatch.setattr(care.register._outbox, "append", strikes)
    with contextlib.suppress(_Struck):
        await run()
    monkeypatch.undo()
    await run()
    assert await care.state() == clean and [one for _, *one in care.published] == published
    assert "B801200005001" not in json.dumps(care.said("person")[-1]) and len(care.said("person")) == 3


async def test_what_a_school_deleted_by_its_number_alone_is_published_by_no_older_file(school):
    def said(day: str, **lists) -> str:
        return json.dumps({"school": {"establishment_number": "4001", "la_code": "999"}, "extracted": day, **lists})

    student = {"id": "7", "surname": "X", "forename": "Ada", "date_of_birth": "2015-03-05"}
    exclusion = {"id": "e1", "student_id": "7", "start_date": "2026-11-02", "category": "PERM"}
    await school.take({"s.json": said("2026-11-01", students=[student])})
    await school.take({"d.json": said("2026-11-20", deletions=[{"id": "e1", "type": "exclusion"}])})
    await school.take({"e.json": said("2026-11-10", exclusions=[exclusion])})
    assert not school.said("exclusion"), "not even for a moment"
    await school.take({"n.json": said("2026-11-21", exclusions=[exclusion])})
    assert [one["exclusion_id"] for one in school.said("exclusion")] == ["mis 9994001 e1"]


async def test_a_deletion_of_an_exclusion_that_a_file_of_that_day_brings_later_still_takes_it_away(school):
    def said(**lists) -> str:
        return json.dumps({"school": {"establishment_number": "4001", "la_code": "999"}, "extracted": "2026-11-20", **lists})

    student = {"id": "7", "surname": "X", "forename": "Ada", "date_of_birth": "2015-03-05"}
    exclusion = {"id": "e1", "student_id": "7", "start_date": "2026-11-02", "category": "PERM"}
    await school.take({"s.json": said(students=[student])})
    await school.take({"d.json": said(deletions=[{"id": "e1", "type": "exclusion"}])})
    await school.take({"e.json": said(exclusions=[exclusion])})
    assert school.said("exclusion")[-1].get("withdrawn") is True


def test_a_journal_that_somebody_else_planted_moves_nothing_outside(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / ".childview-watch").mkdir(parents=True, mode=0o700)
    outside.mkdir()
    (root / "x.txt").write_text("theirs")
    found = (root / "x.txt").lstat()
    move = {"from": "x.txt", "to": "../outside/authorized_keys", "stamp": [found.st_size, found.st_mtime_ns], "reason": "words"}
    (root / ".childview-watch" / "moves.json").write_text(json.dumps([move]))
    (root / ".childview-watch" / "moves.json").chmod(0o600)
    folder = Folder(root, {"education": root}, 0.0)
    with pytest.raises(Watched), folder.watched():
        folder.go_on()
    assert not list(outside.iterdir())


def test_files_are_put_away_through_no_link(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "taken").symlink_to(outside)
    (root / "a.csv").write_text("a,b")
    folder = Folder(root, {"education": root}, 0.0)
    folder.ready(now=0)
    (arrived,) = folder.ready(now=1)
    with pytest.raises(Watched), folder.watched():
        folder.put_away(arrived, {}, day="2026-11-24")
    assert not list(outside.iterdir())


def test_a_start_tag_without_end_costs_no_more_than_its_first_megabyte(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b'<EXPSSDA903 a="' + b"x" * (60 << 20))
    begun = time.process_time()
    assert not ssda903_xml.is_one(path)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("head", ["a,b\n", ""])
def test_a_row_of_many_lines_is_bounded(tmp_path, head):
    path = tmp_path / "a.csv"
    path.write_text(head + '"\n1",' * 400_000 + "1\n")
    with pytest.raises(FileRefused, match="a row is longer"):
        open_table(path)


def test_thousands_of_columns_take_no_time(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"{n:x}" for n in range(100_000)) + "\n")
    begun = time.process_time()
    open_table(path)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("rec", ["(E11)", "Code E11", "'E11", "E3 E11", "\uff25\uff11\uff11", "E\u00a011"])
async def test_an_end_by_adoption_is_restricted_wherever_its_code_stands(care, rec):
    await care.take(
        {"h.csv": table(HEADER, ADA), "m.csv": table(EPISODES, f"007,01/04/2024,S,C2,N1,U4,PR1,01/09/2024,{rec},,ZZ1 1ZZ,ZZ9 9ZZ,1")},
        extracted="2025-03-31",
    )
    assert care.said("looked-after")[0].get("rec") is None


@pytest.mark.parametrize(
    "kind", ["Children\u2019s Home", "Residential Care", "Care home", "Kinship care", "Connected person", "LAC", "Semi\u2011independent"]
)
async def test_where_a_child_lives_with_others_is_no_home_however_it_is_called(care, kind):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "a.csv": f"addr_table_id,addr_person_id,addr_address_type,addr_address_postcode\nA1,1,{kind},ZZ9 9ZZ\nA2,1,Home,ZZ1 1AA\n",
        },
        extracted="2025-03-31",
    )
    assert sorted(one["address_kind"] for one in care.said("address")) == ["home", "placement"]


async def test_a_placements_address_is_no_other_word_of_a_home(care):
    await care.take(
        {
            "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,X,2015-03-05\n",
            "a.csv": "addr_table_id,addr_person_id,addr_address_type,addr_address_postcode\n"
            "A1,1,Foster placement,ZZ9 9ZZ\nA1,1,Home,ZZ1 1AA\n",
        },
        extracted="2025-03-31",
    )
    told = [one for one in care.said("address") if one["address_kind"] == "home"]
    assert told and "ZZ9" not in json.dumps(told)


async def test_two_pupils_of_one_name_and_birth_date_are_told_nothing_of_one_another(school):
    await school.take(
        {
            "p.csv": "pupilonrolltableid,sourceid,nativeid,surname,forename,dob,upn,middlenames,entrydate\n"
            f"1,s1,9994001,Same,Ada,2015-03-05,{upn(12)},Rose,2022-09-01\n2,s2,9994001,Same,Ada,2015-03-05,{upn(13)},May,2022-09-01\n"
        },
        collection="2025-spring",
        authority="999",
    )
    for one in school.said("person"):
        told = json.dumps(one)
        assert not (upn(12) in told and upn(13) in told) and not one.get("contradictions")


async def test_what_an_older_extract_adds_of_an_adopted_pupil_is_not_told(school):
    header = "pupilonrolltableid,sourceid,nativeid,surname,forename,dob,upn,preferredsurname,middlenames,entrydate"
    await school.take(
        {"p.csv": f"{header},plaa\n1,s1,9994001,New,Ada,2015-03-05,{upn(12)},,,2022-09-01,A\n"}, collection="2025-spring", authority="999"
    )
    await school.take(
        {"q.csv": f"{header}\n1,s1,9994001,Before,Ada,2015-03-05,{upn(12)},Before,Oldname,2022-09-01\n"},
        collection="2024-autumn",
        authority="999",
    )
    assert "Before" not in json.dumps(school.said("person")) and "Oldname" not in json.dumps(school.said("person"))


@pytest.mark.parametrize("child", ["5", "null", "[1]", '"x"'])
async def test_a_child_that_is_none_loses_nothing_of_the_delivery(care, child):
    details = {"la_child_id": "1", "mis_child_id": "1", "child_details": json.loads(child)}
    whole = json.dumps({"la_code": "999", "Children": [details]})
    await care.take(
        {"d.json": whole, "p.csv": "pers_person_id,pers_forename,pers_surname,pers_dob\n9,Eva,Y,2014-03-05\n"}, extracted="2025-03-31"
    )
    assert [one["given_name"] for one in care.said("person")] == ["Eva"]
