"""The return of children looked after as XML: the same events as from its CSV files."""

from __future__ import annotations

import pytest

from tests.socialcare import test_ssda903 as tables

WHO = "<CHILDID>007</CHILDID><UPN>W999000000024</UPN><SEX>2</SEX><DOB>05/03/2015</DOB><ETHNIC>WBRI</ETHNIC>"
EPISODE = (
    "<EPISODE><DECOM>01/04/2024</DECOM><RNE>S</RNE><LS>C1</LS><CIN>N1</CIN><PL>U4</PL><PL_POST>ZZ9 9ZZ</PL_POST><HOME_POST>ZZ1 1ZZ</HOME_POST>"
    "<URN>1234567</URN><PLACE_PROVIDER>PR1</PLACE_PROVIDER><DEC>01/09/2024</DEC><REC>X1</REC><REASON_PLACE_CHANGE/></EPISODE>"
)
NEXT = EPISODE.replace("01/04/2024", "01/09/2024", 1).replace("<RNE>S", "<RNE>L").replace("C1", "C2").replace("<DEC>01/09/2024</DEC>", "<DEC/>")
REVIEW = "<AREVIEW><REVIEW>01/07/2024</REVIEW><REVIEW_CODE>PN1</REVIEW_CODE></AREVIEW>"
OC2 = "<OC2><SDQ_SCORE>16</SDQ_SCORE><CONVICTED>0</CONVICTED><IMMUNISATIONS>1</IMMUNISATIONS></OC2>"
OTHERS = (
    "<UASC>1</UASC><DUC>05/03/2033</DUC><IN_TOUCH>YES</IN_TOUCH><ACTIV>F2</ACTIV><ACCOM>K2</ACCOM><DATE_INT>01/05/2024</DATE_INT>"
    "<DATE_MATCH>02/06/2024</DATE_MATCH><NB_ADOPTR>2</NB_ADOPTR><MISSING><MISSING>M</MISSING><MIS_START>01/02/2025</MIS_START></MISSING>"
    "<AD_PLACED><DATE_PLACED>01/07/2024</DATE_PLACED></AD_PLACED><PERMANENCE><PREV_PERM>Z1</PREV_PERM></PERMANENCE>"
    "<SWEPISODE><SW_ID>SW12</SW_ID><SW_DECOM>01/04/2024</SW_DECOM></SWEPISODE><DOLO><DOLO_START>01/01/2025</DOLO_START></DOLO>"
)
DAY = "2025-03-31"


def child(inside: str = REVIEW, episodes: str = EPISODE, who: str = WHO) -> str:
    return f"<CHILD><HEADER>{who}{inside}</HEADER>{episodes}</CHILD>"


def export(*children: str) -> str:
    return f"<?xml version='1.0'?><EXPSSDA903>{''.join(children)}</EXPSSDA903>"


async def take(care, *children: str, day: str = DAY) -> dict:
    return (await care.take({"903.xml": export(*children)}, extracted=day))[0]


async def test_the_same_child_by_csv_and_by_xml_is_the_same_register(care):
    await take(care, child(REVIEW + OC2, EPISODE + NEXT))
    by_xml = await care.state()
    await care.forget()
    files = {
        "header.csv": (tables.HEADER, [tables.ADA]),
        "episodes.csv": (tables.EPISODES, [tables.FIRST, tables.THEN]),
        "reviews.csv": (tables.REVIEWS, ["007,05/03/2015,01/07/2024,PN1"]),
        "oc2.csv": (tables.OC2, ["007,05/03/2015,16,,0,,1,,,,,"]),
    }
    await care.take({name: tables.table(header, *rows) for name, (header, rows) in files.items()}, extracted=DAY)
    assert await care.state() == by_xml and len(by_xml) == 1


async def test_every_module_is_read_wherever_its_elements_stand(care):
    report = await take(care, child(OTHERS))
    assert (report["accepted"], report["refused"], report.get("ignored_columns", 0)) == (1, 0, 0)
    told = {name.split(".")[1].removesuffix("-recorded") for _, name, _ in care.published}
    assert told == {"person", "looked-after", "placement", "immigration-status", "care-leaving", "adoption", "missing", "previous-permanence",
                    "involvement", "deprivation-of-liberty"}  # fmt: skip
    assert {one["adoption_id"] for one in care.said("adoption")} == {"903", "903 2024-07-01"}


async def test_the_same_export_twice_publishes_nothing_new(care):
    await take(care, child(OTHERS + REVIEW))
    before = len(care.published)
    await care.take({"again.xml": export(child(OTHERS + REVIEW))}, extracted=DAY)
    assert len(care.published) == before


@pytest.mark.parametrize(
    ("inside", "episodes", "column"),
    [(REVIEW.replace("01/07", "31/02") + OC2, EPISODE, "review"), (OC2, EPISODE.replace("01/04", "31/04") + NEXT, "decom"), (OC2 + OTHERS.replace("01/02/2025", "soon"), EPISODE, "mis_start")],
)  # fmt: skip
async def test_one_bad_part_is_refused_and_the_child_and_the_rest_come(care, inside, episodes, column):
    report = await take(care, child(inside, episodes))
    assert (report["accepted"], report["refused"]) == (1, 1) and care.items(report, "refused")[0]["column"] == column
    assert care.said("sdq") and care.said("looked-after")


async def test_a_child_without_its_number_is_refused_and_the_next_one_comes(care):
    report = await take(care, child(who="<SEX>2</SEX><DOB>05/03/2015</DOB>"), child())
    assert (report["rows"], report["accepted"], report["refused"]) == (2, 1, 1)
    assert (care.items(report, "refused")[0]["row"], care.items(report, "refused")[0]["column"]) == (1, "child")


async def test_an_element_that_is_left_out_of_an_episode_is_blank(care):
    await take(care, child())
    await take(care, child(episodes=EPISODE.replace("<DEC>01/09/2024</DEC>", "")), day="2025-06-30")
    assert "dec" not in care.said("looked-after")[-1]


async def test_elements_that_nobody_knows_are_counted(care):
    assert (await take(care, child("<!-- made by hand -->" + REVIEW + "<NEWS>1</NEWS>")))["ignored_columns"] == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<EXPSSDA903><CHILD><HEADER>", "broken, cut off"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + export(child()).split("?>")[1], "entities"),
        (export(child()).replace("EXPSSDA903", "Message"), "no children in need census"),
        ("<EXPSSDA903>" + "<a>" * 5000, "nested too deep"),
    ],
)
async def test_a_file_that_cannot_be_is_refused_before_any_row_is_taken(care, text, why):
    report = (await care.take({"903.xml": text}, extracted=DAY))[0]
    assert why in report["why"] and care.published == []


async def test_an_export_that_does_not_say_its_day_is_refused(care):
    assert "--extracted" in (await care.take({"903.xml": export(child())}))[0]["why"]
