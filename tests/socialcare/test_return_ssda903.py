"""The return of children looked after of a year, made of the register."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.socialcare import importing
from services.socialcare.returns.ssda903 import TABLES
from tests import importing as desks
from tests.socialcare import returning
from tests.socialcare.returning import rows
from tests.socialcare.test_ssda903 import (
    AD1,
    ADA,
    DOLO,
    EPISODES,
    FIRST,
    HEADER,
    MISSING,
    OC2,
    OC3,
    PERMANENCE,
    PLACED,
    REVIEWS,
    THEN,
    UASC,
    WORKERS,
    table,
)  # fmt: skip

SAMPLES = desks.SHARED / "csc-validator-be-903/tests/fake_data"
real = pytest.mark.skipif(not SAMPLES.exists(), reason="the sector's sample files are not part of a user's clone")
DAY = "2025-03-31"


@pytest.fixture
def out(tmp_path):
    """The tables of a year out of modules that came with the header of one child; and the account of it."""

    def made(*modules: tuple[str, ...], header: str = ADA, year: int = 2025, day: str = DAY):
        files = {"header.csv": table(HEADER, header)} | {f"{n}.csv": table(*module) for n, module in enumerate(modules)}
        return returning.care_return(returning.states(tmp_path, files, extracted=day).values(), year)

    return made


def test_every_module_goes_out_as_it_came(out):
    modules = {
        "Episodes": (EPISODES, FIRST.replace(",X1,,ZZ1", ",X1,,ZZ1"), THEN.replace(",,X1,,", ",01/03/2025,E11,CHILD,")),
        "Reviews": (REVIEWS, "007,05/03/2015,01/07/2024,PN1"), "UASC": (UASC, "007,2,05/03/2015,05/03/2033"),
        "OC2": (OC2, "007,05/03/2015,12,,0,1,1,1,0,1,0,1"), "OC3": (OC3, "007,05/03/2015,YES,F1,K1"),
        "AD1": (AD1, "007,05/03/2015,01/06/2024,02/07/2024,0,2,MF,L11"), "PlacedAdoption": (PLACED, "007,05/03/2015,03/08/2024,04/09/2024,RD1"),
        "PrevPerm": (PERMANENCE, "007,05/03/2015,P2,301,zz/05/2020"), "Missing": (MISSING, "007,05/03/2015,M,01/05/2024,03/05/2024"),
        "SWEpisodes": (WORKERS, "007,05/03/2015,SW1,01/04/2024,01/10/2024,MANAGE"), "DoLo": (DOLO, "007,05/03/2015,01/11/2024,"),
    }  # fmt: skip
    tables, account = out(*modules.values(), header=ADA.replace("007,2,", "007,F,"))
    assert rows(tables, "Header") == [dict(zip(HEADER.split(","), ADA.replace("007,2,", "007,F,").split(","), strict=True))]
    for name, (header, *lines) in modules.items():
        expected = [line.replace("007,2,", "007,F,") for line in lines]
        assert [",".join(row.values()) for row in rows(tables, name)] == expected, name
        assert header == ",".join(TABLES[name])
    assert (account.children, account.left) == (1, {}) and account.rows["Episodes"] == 2


def test_what_tells_of_the_way_to_adoption_goes_out_as_it_came(out):
    came = [FIRST.replace(",C1,", ",D1,").replace(",U4,", ",U2,"), THEN.replace(",C2,", ",E1,").replace(",U4,", ",U5,").replace(",S,", ",P,").replace(",L,", ",P,")]
    tables, _ = out((EPISODES, *came))
    assert [",".join(row.values()) for row in rows(tables, "Episodes")] == came


def test_the_zip_holds_twelve_tables_each_with_its_columns_and_a_name_that_says_the_year(out):
    tables, _ = out((EPISODES, FIRST))
    assert sorted(tables) == sorted(f"SSDA903_2025_{name}.csv" for name in TABLES)
    assert {name: next(iter(text.splitlines())) for name, text in tables.items()} == {f"SSDA903_2025_{name}.csv": ",".join(columns) for name, columns in TABLES.items()}


@pytest.mark.parametrize(("decom", "dec", "there"), [
    ("01/04/2020", "", True), ("01/04/2020", "01/04/2024", True), ("01/04/2020", "31/03/2024", False), ("31/03/2025", "", True), ("01/04/2025", "", False),
])  # fmt: skip
def test_a_child_is_in_the_return_who_was_in_care_on_a_day_of_the_year(out, decom, dec, there):
    episode = FIRST.replace("01/04/2024", decom).replace("01/09/2024", dec)
    assert out((EPISODES, episode), (PERMANENCE, "007,05/03/2015,P2,301,"), day="2025-06-30")[1].children == there


def test_what_came_after_the_year_had_not_happened(out):
    tables, _ = out((EPISODES, FIRST.replace("01/09/2024,X1,", "01/05/2025,E4A,CARPL")), (MISSING, "007,05/03/2015,M,01/03/2025,03/05/2025"), day="2025-06-30")
    row, = rows(tables, "Episodes")
    assert (row["DEC"], row["REC"], row["REASON_PLACE_CHANGE"], rows(tables, "Missing")[0]["MIS_END"]) == ("", "", "", "")


@pytest.mark.parametrize(("year", "sexes"), [(2024, ["1", "2", ""]), (2025, ["M", "F", "U"])])
def test_sex_is_written_as_the_year_has_it(tmp_path, year, sexes):
    headers = [ADA.replace("007,2,", f"{sex},{sex},") for sex in "MFU"]
    episodes = [FIRST.replace("007", sex).replace("01/09/2024", "") for sex in "MFU"]
    states = returning.states(tmp_path, {"h.csv": table(HEADER, *headers), "e.csv": table(EPISODES, *[one.replace("01/04/2024", "01/04/2023") for one in episodes])}, extracted=DAY)
    tables, account = returning.care_return(states.values(), year)
    assert [row["SEX"] for row in rows(tables, "Header")] == sexes and ("Header/SEX" in returning.left(account)) == (year == 2024)


def test_why_there_is_no_upn_stands_in_its_place(out):
    assert rows(out((EPISODES, FIRST), header=ADA.replace("W999000000024", "UN4"))[0], "Header")[0]["UPN"] == "UN4"


def test_what_is_not_known_of_a_child_is_blank_and_said(out):
    tables, account = out((EPISODES, FIRST), header="007,,,,,,")
    assert rows(tables, "Header")[0]["DOB"] == "" and set(returning.left(account)) == {"Header/SEX", "Header/DOB", "Header/ETHNIC", "Header/UPN"}


def test_workers_have_no_table_before_2024(out):
    worker = (WORKERS, "007,05/03/2015,SW1,01/04/2022,,MANAGE")
    tables, account = out((EPISODES, FIRST.replace("2024", "2022")), worker, year=2023)
    assert rows(tables, "SWEpisodes") == [] and "no such table" in returning.left(account)["SWEpisodes"]


DAILY = {
    "persons": "pers_person_id,pers_forename,pers_dob,pers_sex,pers_ethnicity\n007,Ada,2015-03-05,F,WBRI\n008,Bo,2016-03-05,M,WBRI\n",
    "episodes": "clae_cla_episode_id,clae_person_id,clae_cla_episode_start_date,clae_cla_episode_ceased_date,clae_cla_placement_id,clae_cla_episode_start_reason,clae_cla_id\nE1,007,2024-05-01,,P1,S,C1\n",
    "placements": "clap_cla_placement_id,clap_person_id,clap_cla_placement_start_date,clap_cla_placement_type,clap_cla_placement_postcode,clap_cla_id\nP1,007,2024-05-01,U4,ZZ9 9ZZ,C1\n",
    "missing": "miss_table_id,miss_person_id,miss_missing_episode_start_date,miss_missing_episode_end_date,miss_missing_episode_type\nM1,007,2024-06-01,2024-06-02,Missing\nM2,007,2024-04-10,2024-04-11,Missing\nM3,008,2024-06-01,,Missing\n",
    "scores": "csdq_table_id,csdq_person_id,csdq_sdq_completed_date,csdq_sdq_score\nS1,007,2024-06-01,12\n",
}


def daily(folder: Path, states=None):
    return returning.states(folder, {f"{name}.csv": text for name, text in DAILY.items()}, states, extracted="2025-05-01")


def test_what_the_daily_extract_tells_of_a_child_in_care_goes_out_too(tmp_path):
    tables, account = returning.care_return(daily(tmp_path).values(), 2025)
    row, = rows(tables, "Episodes")
    assert (row["CHILD"], row["DECOM"], row["RNE"], row["PLACE"], row["PL_POST"]) == ("007", "01/05/2024", "S", "U4", "ZZ9 9ZZ")
    assert [row["MIS_START"] for row in rows(tables, "Missing")] == ["01/06/2024"], "and of nobody else, and of no other time"
    assert "not in care" in returning.left(account)["Missing"] and "single checks" in returning.left(account)["OC2"]


def test_an_episode_that_both_told_goes_out_once_as_it_was_heard_last(tmp_path):
    episode = "007,01/05/2024,S,C2,N1,K2,PR1,,,,,,"
    states = returning.states(tmp_path, {"h.csv": table(HEADER, ADA), "e.csv": table(EPISODES, episode)}, extracted=DAY)
    tables, account = returning.care_return(daily(tmp_path, states).values(), 2025)
    assert [row["PLACE"] for row in rows(tables, "Episodes")] == ["U4"] and "another file" in returning.left(account)["Episodes"]


# -- there and back --------------------------------------------------------------------------------------------------------

YEAR = 2026
OF_YEAR = st.dates(date(2025, 4, 1), date(2026, 3, 31))
CODE = {name: st.sampled_from(sorted(codes)) for name, codes in returning.CODES.items() if codes}
BLANK, FLAG = st.just(""), st.sampled_from(["", "0", "1"])


def or_blank(values) -> st.SearchStrategy[str]:
    return st.one_of(BLANK, values)


def uk(day: date | None) -> str:
    return "" if day is None else day.strftime("%d/%m/%Y")


def periods(*, unique: bool = True, most: int = 3):
    """Two days in order, the second perhaps blank, written as the return writes them."""
    one = st.tuples(OF_YEAR, st.none() | OF_YEAR).map(lambda found: found if found[1] is None else (min(found), max(found)))
    return st.lists(one, max_size=most, unique_by=(lambda found: found[0]) if unique else None).map(lambda found: [(uk(a), uk(b)) for a, b in found])


@st.composite
def modules(draw, child: str) -> dict[str, list[str]]:
    """The rows of one child in each table, as the files have them."""
    born = draw(or_blank(st.dates(date(2008, 1, 1), date(2020, 1, 1)).map(uk)))
    sex, upn = draw(CODE["sex"]), draw(st.sampled_from(["", "W999000000024", "A123456789123", "odd", "UN1", "UN5"]))
    who = f"{child},{born}"
    post = or_blank(st.sampled_from(["ZZ1 1ZZ", "ZZ2 2ZZ"]))
    found = {"Header": [f"{child},{sex},{born},{draw(CODE['ethnicity'])},{upn},{draw(FLAG)},{draw(or_blank(OF_YEAR.map(uk)))}"]}
    found["Episodes"] = [
        ",".join([child, begun, draw(CODE["rne"]), draw(CODE["legal_status"]), draw(CODE["need"]), draw(st.sampled_from(["U4", "K2", "A3", ""])), draw(or_blank(CODE["place_provider"])),
                  ended, draw(or_blank(CODE["rec"])), draw(or_blank(CODE["place_change"])), draw(post), draw(post), draw(or_blank(st.just("1234567")))])
        for begun, ended in draw(periods(unique=False, most=4).filter(bool))
    ]  # fmt: skip
    if len(found["Episodes"]) > 1 and draw(st.booleans()):
        found["Episodes"].append(draw(_goes_on(found["Episodes"][0])))
    found["Reviews"] = [f"{who},{uk(day)},{draw(CODE['review_code'])}" for day in draw(st.lists(OF_YEAR, max_size=3))]
    found["UASC"] = draw(st.lists(or_blank(OF_YEAR.map(uk)).map(lambda duc: f"{child},{sex},{born},{duc}"), max_size=1))
    checks = draw(st.lists(FLAG, min_size=8, max_size=8))
    found["OC2"] = [",".join([who, draw(or_blank(st.integers(0, 40).map(str))), draw(or_blank(CODE["sdq_reason"])), *checks])]
    accommodation = or_blank(st.tuples(CODE["accommodation"], st.sampled_from(["", "1", "2"])).map("".join))
    found["OC3"] = draw(st.lists(st.tuples(or_blank(CODE["in_touch"]), or_blank(CODE["activity"]), accommodation).map(lambda found: f"{who},{','.join(found)}"), max_size=1))
    found["AD1"] = [",".join([who, draw(OF_YEAR.map(uk)), draw(or_blank(OF_YEAR.map(uk))), draw(FLAG), draw(or_blank(st.sampled_from("12"))), draw(or_blank(CODE["adopter_sex"])), draw(or_blank(CODE["adopter_status"]))])]
    found["PlacedAdoption"] = [f"{who},{begun},{ended},{draw(or_blank(CODE['placed_ceased']))}" for begun, ended in draw(periods(unique=False))]
    when = st.sampled_from(["", "12/05/2020", "zz/05/2020", "zz/zz/2020"])
    found["PrevPerm"] = draw(st.lists(st.tuples(or_blank(CODE["prev_perm"]), or_blank(st.just("301")), when).map(lambda found: f"{who},{','.join(found)}"), max_size=1))
    found["Missing"] = [f"{who},{draw(CODE['missing'])},{begun},{ended}" for begun, ended in draw(periods())]
    found["SWEpisodes"] = [f"{who},SW{draw(st.integers(1, 2))},{begun},{ended},{draw(or_blank(CODE['sw_reason']))}" for begun, ended in draw(periods())]
    found["DoLo"] = [f"{who},{begun},{ended}" for begun, ended in draw(periods(unique=False))]
    return found


def _goes_on(episode: str) -> st.SearchStrategy[str]:
    """An episode in the same placement, of another legal status, that begins as this one ends."""
    cells = episode.split(",")
    cells[1], cells[2], cells[7] = cells[7] or cells[1], "L", ""
    return CODE["legal_status"].map(lambda status: ",".join([*cells[:3], status, *cells[4:]]))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_what_came_in_goes_out_and_comes_in_again_the_same(data):
    children = [data.draw(modules(child)) for child in ("007", "x 2")]
    tables = {f"{name}.csv": table(",".join(TABLES[name]), *(row for child in children for row in child[name])) for name in TABLES}
    with tempfile.TemporaryDirectory() as folder:
        before = returning.states(Path(folder), tables, collection=str(YEAR))
        again, account = returning.care_return(before.values(), YEAR)
        after = returning.states(Path(folder), again)
    assert returning.entries(after) == returning.entries(before)
    assert all(where.startswith("Header/") for where, _ in account.left)


# -- real samples ----------------------------------------------------------------------------------------------------------


@real
async def test_the_real_return_goes_out_and_comes_in_again_as_it_was_at_the_end_of_the_year(database, make_database, tmp_path):
    (tmp_path / "one").mkdir(), (tmp_path / "two").mkdir()
    desk = await desks.desk(database, "socialcare", importing.recognise, tmp_path / "one")
    fresh = await desks.desk(await make_database(), "socialcare", importing.recognise, tmp_path / "two")
    await desk.take_paths([path for path in SAMPLES.glob("*.csv") if "errors" not in path.name], collection="2018", extracted="2018-03-31")
    states = [state async for page in desk.register.pages() for state in page]
    tables, account = returning.care_return(states, 2018)
    assert account.left == {} and account.rows == {
        "Header": 2675, "Episodes": 5050, "Reviews": 2276, "OC2": 2675, "PrevPerm": 2675, "UASC": 132, "OC3": 53, "Missing": 43, "PlacedAdoption": 29,
        "AD1": 29,
    }  # fmt: skip
    assert {name: tuple(text.splitlines()[0].split(",")) for name, text in tables.items()} == {f"SSDA903_2018_{name}.csv": TABLES[name] for name in TABLES}
    before, first = await desk.state(), len(desk.published)
    for one in (fresh, desk):
        assert all(report["refused"] == 0 for report in await one.take(tables))
    after, published = await fresh.state(), [data for _, _, data in desk.published[first:]]
    await desk.close(), await fresh.close()
    different = [before[child][name][0] for child, held in after.items() for name, entry in held.items() if before[child].get(name) != entry and not entry[1]]
    changed = [data for data in published if not data.get("withdrawn")]
    assert len(different) == len(changed) == 24 and [one["adoption_id"][:7] for one in published if one not in changed] == ["adopted"]
    assert all((fields.get("dec") or fields.get("end_date")) == "2018-04-01" for fields in different), "what ended after the year alone is another"
