"""Rows that come before what they belong to wait for it, sealed, and are taken by themselves when it comes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said

PERSONS = "pers_person_id,pers_forename,pers_surname,pers_sex,pers_dob"
ADA = "1,Ada,Zwilling,F,2015-03-05"
REFERRALS = "cine_referral_id,cine_person_id,cine_referral_date,cine_referral_source_code"
R1 = "r1,1,2026-01-06,1A"


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def persons(day: str = "2026-11-20") -> dict[str, str]:
    return {f"{day}-persons.csv": table(PERSONS, ADA)}


def referrals(*rows: str, day: str = "2026-11-20", name: str = "referrals") -> dict[str, str]:
    return {f"{day}-{name}.csv": table(REFERRALS, *rows)}


async def waiting_rows(care) -> list:
    return await care._pool.fetch("select * from waiting_rows order by position")


def counts(report: dict, *names: str) -> tuple[int, ...]:
    return tuple(report.get(name, 0) for name in names)


async def test_a_row_that_comes_before_its_person_is_taken_when_the_person_comes_and_both_reports_say_so(care):
    (first,) = await care.take(referrals(R1))
    assert counts(first, "rows", "accepted", "refused", "waiting", "events") == (1, 0, 0, 1, 0) and care.published == []
    (second,) = await care.take(persons())
    assert counts(second, "rows", "accepted", "refused", "waiting", "waited", "events") == (1, 1, 0, 0, 1, 2)
    (taken,) = care.items(second, "taken")
    assert (taken["file"], taken["row"]) == ("2026-11-20-referrals.csv", 2) and taken["value"] is None
    assert care.said("referral")[0]["provenance"]["row"] == 2 and await waiting_rows(care) == []


async def test_deliveries_in_either_order_end_in_the_same_register(care):
    states = []
    for files in ((persons(), referrals(R1)), (referrals(R1), persons())):
        for one in files:
            await care.take(one)
        states.append(await care.state())
        await care.forget()
    assert states[0] == states[1] and len(states[0]) == 1


async def test_a_row_sent_again_waits_once_under_whatever_name_and_as_long_as_it_did(care):
    await care.take(referrals(R1))
    since = (await waiting_rows(care))[0]["since"]
    (again,) = await care.take(referrals(R1, name="other"))
    await care.take(referrals(R1, day="2026-11-21"))
    assert counts(again, "waiting", "accepted") == (1, 0)
    assert [row["since"] for row in await waiting_rows(care)] == [since]
    await care.take(persons())
    assert len(care.said("referral")) == 1
    before = len(care.published)
    for files in (referrals(R1), referrals(R1, day="2026-11-21"), persons()):
        await care.take(files)
    assert len(care.published) == before


async def test_an_older_row_that_waited_changes_nothing_that_a_newer_one_said(care):
    await care.take(referrals(R1.replace("1A", "1B"), day="2026-11-21"))
    await care.take(referrals(R1, day="2026-11-20"))
    await care.take(persons())
    assert (await care.state())["local 1"][next(name for name in (await care.state())["local 1"] if "r1" in name)][0]["referral_source"] == "1B"


async def test_the_last_word_of_a_day_stands_whatever_was_sent_again_after_it(care):
    one, other = referrals(R1, name="a"), referrals(R1.replace("1A", "1B"), name="b")
    for files in (one, other, one):
        await care.take(files)
    await care.take(persons())
    assert care.said("referral")[-1]["referral_source"] == "1B"


async def test_nothing_that_waits_stands_in_clear(care):
    await care.take(referrals("Zwilling-7,CANARY-1,2026-01-06,1A", name="kept"))
    found = [*await waiting_rows(care), *await care._pool.fetch("select * from waiting_for")]
    text = b" ".join(value if isinstance(value, bytes) else str(value).encode() for row in found for value in row.values())
    assert len(found) == 2 and not any(part in text for part in (b"CANARY", b"Zwilling", b"kept", b"2026-01-06"))


async def test_only_the_rows_of_who_came_are_taken(care):
    await care.take(referrals(R1, "r2,2,2026-01-06,1A"))
    (report,) = await care.take(persons())
    assert counts(report, "waited") == (1,) and len(await waiting_rows(care)) == 1


async def test_a_row_that_cannot_be_stored_is_refused_at_once(care):
    (report,) = await care.take(referrals("r1,1,2026-01-06,A\0"))
    assert "not text" in report["why"]
    said = Said((("local", "1"),), (Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": "\ud800"}, row=2),), Report("f.csv"), Provenance("2026-11-20"), must_exist=True, otherwise="nobody")
    await care.register.take([said])
    assert counts(vars(said.report), "refused", "waiting") == (1, 0) and await waiting_rows(care) == []


async def test_a_row_that_breaks_its_contract_is_refused_under_its_own_file_when_its_person_comes(care):
    await care.take(referrals("r1,1,2026-01-06," + "x" * 300))
    (report,) = await care.take(persons())
    (refused,) = care.items(report, "refused")
    assert (refused["file"], refused["row"]) == ("2026-11-20-referrals.csv", 2) and counts(report, "refused", "waited") == (1, 0)
    assert await waiting_rows(care) == []


async def test_what_waited_too_long_is_refused_into_a_report_with_its_file_and_row(care, tmp_path):
    await care.take(referrals(R1, "r2,2,2026-01-06,1A"))
    await care._pool.execute("update waiting_rows set since = now() - interval '61 days' where position = (select min(position) from waiting_rows)")
    report = Report("rows that waited too long")
    report.open(tmp_path, name="overdue")
    await care.register.refuse_overdue(report, since=datetime.now(UTC) - timedelta(days=60))
    report.close()
    (item,) = care.items(report.summary())
    assert (item["outcome"], item["file"], item["row"]) == ("refused", "2026-11-20-referrals.csv", 2) and "no person with this id" in item["why"]
    assert report.refused == 1 and len(await waiting_rows(care)) == 1


async def test_what_waits_for_a_name_that_a_waiting_row_brings_comes_with_it(care):
    def said(*, keys=(), joins=(), aliases=(), id: str) -> Said:
        statement = Statement("socialcare.referral-recorded.v1", "R-CASE", {"referral_id": id, "referral_date": "2026-01-06"}, row=2)
        return Said(keys, (statement,), Report("f.csv"), Provenance("2026-11-20"), must_exist=True, otherwise="nobody", joins=joins, aliases=aliases)

    await care.register.take([said(joins=(("episode", "e1"),), id="second")])
    await care.register.take([said(keys=(("local", "1"),), aliases=(("episode", "e1"),), id="first")])
    await care.take(persons())
    assert [one["referral_id"] for one in care.said("referral")] == ["first", "second"]


async def test_a_person_of_a_later_file_of_the_same_delivery_leaves_nothing_waiting(care):
    census = "<Message><Header><Collection>CIN</Collection><ReferenceDate>2026-03-31</ReferenceDate><LEA>999</LEA></Header><Children><Child><ChildIdentifiers><LAchildID>1</LAchildID><PersonBirthDate>2015-03-05</PersonBirthDate></ChildIdentifiers></Child></Children></Message>"
    reports = await care.take({**referrals(R1), "cin.xml": census})
    assert counts(reports[0], "rows", "accepted", "waiting") == (1, 1, 0) and counts(reports[1], "waited") == (1,)


async def test_a_row_and_its_person_at_the_same_moment_never_miss_each_other(care):
    for number in range(12):
        await asyncio.gather(
            care.take({"2026-11-20-persons.csv": table(PERSONS, ADA.replace("1,Ada", f"{number},Ada"))}),
            care.take(referrals(f"r{number},{number},2026-01-06,1A")),
        )
    assert await waiting_rows(care) == [] and len(care.said("referral")) == 12


async def test_killed_after_a_person_came_and_before_their_rows_were_taken_once_more_ends_as_a_clean_run(care):
    await care.take(referrals(R1))
    statement = Statement("socialcare.person-recorded.v1", "R-IDENT", {"given_name": "Ada"}, row=2)
    async with care._pool.acquire() as conn, conn.transaction():
        await care.register.take_in(conn, [Said((("local", "1"),), (statement,), Report("f.csv"), Provenance("2026-11-19"))])
    (report,) = await care.take(persons())
    assert counts(report, "waited") == (1,) and len(care.said("referral")) == 1
