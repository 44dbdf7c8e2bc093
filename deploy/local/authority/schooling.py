"""What schools deliver: a year's censuses as CSV tables, a few schools a delivery, and the last four weeks' marks as JSON; one of
them its students with their contacts, too."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.authority import mis, names
from deploy.local.authority.calendar import marked_days
from deploy.local.authority.homes import home_of, origin_of
from deploy.local.authority.people import Authority, Child
from deploy.local.authority.sen import needs_of
from deploy.local.authority.spells import Census, Spell, censuses, entered_on, spells, year_of
from deploy.local.authority.tables import write as _table

ON, OFF = ("pupilonrolltableid", "onroll"), ("pupilnolongeronrolltableid", "offroll")
CODES = {"/": 1, "\\": 2, "I": 3, "O": 4, "L": 5, "M": 6}
MISSED = {"I": 0.5, "O": 0.2, "M": 0.15, "U": 0.15}
AUTHORISED = {"I", "M"}
LATE = 0.02
FED, FED_NO_MORE, CARING = 0.246, 0.12, 0.006
"""Shares: eligible for free school meals (the country's), of those who were and are no more; young carers."""
SUSPENDED, REASONS = 0.02, ("DB", "PP", "VP", "VA", "PA", "BU", "DM", "MT")
SCHOOLS_A_DELIVERY = 6
"""The files of so many schools go in one delivery: what is checked and taken at once stays small, however large the authority."""
Progress = Callable[[str, int, int], None]


def write(folder: Path, authority: Authority, progress: Progress) -> int:
    """All files of the schools, a folder a delivery; how many pupils."""
    pupils = [child for child in authority.children if child.school]
    by_school: dict[str, list[Spell]] = {school: [] for school in authority.schools}
    for spell in (spell for child in pupils for spell in spells(child, authority.today)):
        by_school[spell.school].append(spell)
    for start in range(0, len(by_school), SCHOOLS_A_DELIVERY):
        some = authority.schools[start : start + SCHOOLS_A_DELIVERY]
        _delivery(folder_of(folder, authority, some[0]), authority, {school: by_school[school] for school in some})
        progress("schools' files", start + len(some), len(by_school))
    return len(pupils)


def _delivery(folder: Path, authority: Authority, by_school: dict[str, list[Spell]]) -> None:
    folder.mkdir(parents=True)
    every = [spell for spells in by_school.values() for spell in spells]
    for census in censuses(authority.today):
        _census(folder, authority, census, [spell for spell in every if census.holds(spell)])
    for school, found in by_school.items():
        children = [spell.child for spell in found if spell.last is None]
        _marks(folder / f"marks-{school}.json", authority, school, children)
        if school == authority.schools[0]:
            _students(folder / f"students-{school}.json", authority, school, children)


def folder_of(folder: Path, authority: Authority, school: str) -> Path:
    """Where a school's files lie: the folder of the delivery they are in."""
    start = authority.schools.index(school) // SCHOOLS_A_DELIVERY * SCHOOLS_A_DELIVERY
    some = authority.schools[start : start + SCHOOLS_A_DELIVERY]
    return folder / f"schools-{some[0]}-{some[-1]}"


def _census(folder: Path, authority: Authority, census: Census, held: Sequence[Spell]) -> None:
    here, gone = [s for s in held if not census.left(s)], [s for s in held if census.left(s)]
    _table(folder / f"{census.stem}_pupilonroll.csv", (_pupil(authority, census, spell) for spell in here))
    _table(folder / f"{census.stem}_pupilnolongeronroll.csv", (_leaver(authority, census, spell) for spell in gone))
    for (id, roll), some in ((ON, here), (OFF, gone)):
        sessions = (row for spell in some for row in _sessions(authority, census, spell, id) if census.detailed)
        _table(folder / f"{census.stem}_termlysessiondetails{roll}.csv", sessions)
        if census.newest:
            _table(folder / f"{census.stem}_addresses{roll}.csv", (_address(authority, census, spell, id, roll) for spell in some))
            meals = (row for spell in some for row in _meals(authority, census, spell, id, roll))
            _table(folder / f"{census.stem}_fsmperiods{roll}.csv", meals)
    excluded = (row for spell in here for row in _exclusions(authority, census, spell))
    _table(folder / f"{census.stem}_termlyexclusionsonroll.csv", excluded)
    if census.newest:
        needs = (row for spell in here for row in _needs(census, spell))
        _table(folder / f"{census.stem}_senneeds.csv", needs)


def _row(census: Census, spell: Spell, id: str = ON[0]) -> dict[str, Any]:
    """How every row says whose it is."""
    source = f"S{spell.table_id}{census.term.year % 100}{census.term.season[:2]}"
    return {id: spell.table_id, "NativeId": spell.school, "sourceid": source}


def _luck(authority: Authority, child: Child, what: str) -> random.Random:
    return random.Random(f"{authority.seed} {child.number} {what}")


def _pupil(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    child = spell.child
    assert child.born is not None
    ethnicity, language = origin_of(child.household)
    return _row(census, spell) | {
        "upn": child.upn or "", "surname": spell.family, "forename": child.given, "formersurname": child.former_family or "",
        "dob": child.born.isoformat(), "sex": child.sex,
        "ethnicity": ethnicity, "language": language,
        "entrydate": spell.first.isoformat(), "enrolstatus": "C", "ncyearactual": year_of(child, census.until),
        "senprovision": child.sen, **_sums(authority, census, spell), **_asked_in_spring(authority, census, spell),
    }  # fmt: skip


def _leaver(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    child = spell.child
    assert child.born is not None and spell.last is not None
    return _row(census, spell, OFF[0]) | {
        "upn": child.upn or "", "surname": spell.family, "forename": child.given, "dob": child.born.isoformat(), "sex": child.sex,
        "entrydate": spell.first.isoformat(), "leavingdate": spell.last.isoformat(), "ncyearleaving": year_of(child, spell.last),
        **_sums(authority, census, spell),
    }  # fmt: skip


def _possible(census: Census, spell: Spell) -> int:
    """Mornings and afternoons of the pupil's school days there."""
    return 2 * len(census.days(spell))


def _asked_in_spring(authority: Authority, census: Census, spell: Spell) -> dict[str, str]:
    """Young carers, and who left care: asked in spring alone. One school says of everybody that nothing was declared, the others
    leave it blank."""
    if census.term.season != "spring":
        return {}
    luck, child = _luck(authority, spell.child, "young carer"), spell.child
    none = "N" if spell.school == authority.schools[0] else ""
    carer = luck.choice("PS") if luck.random() < CARING else none
    return {"youngcarer": child.young_carer or carer, "plaa": child.plaa}


def _needs(census: Census, spell: Spell) -> Iterator[dict[str, Any]]:
    for rank, need in enumerate(needs_of(spell.child), 1):
        yield _row(census, spell) | {"sentype": need, "sentyperank": rank}


def _address(authority: Authority, census: Census, spell: Spell, id: str, roll: str) -> dict[str, Any]:
    home, row = home_of(authority, spell.child.household), _row(census, spell, id)
    return {f"addresses{roll}tableid": f"AD{row['sourceid']}"} | row | {
        "paon": home.number, "street": home.street, "town": names.PLACE, "postcode": home.postcode,
        "uniquepropertyreferencenumber": 990_000_000_000 + spell.child.household,
    }  # fmt: skip


def meals_of(authority: Authority, spell: Spell) -> tuple[date, date | None] | None:
    """From when to when a household's children are eligible for free school meals; they are at one school as at the next."""
    luck = random.Random(f"{authority.seed} meals {spell.child.household}")
    if luck.random() > FED:
        return None
    start = max(spell.first, authority.today - timedelta(days=luck.randrange(200, 1500)))
    over = luck.random() < FED_NO_MORE
    return start, authority.today - timedelta(days=luck.randrange(60, 190)) if over else None


def _meals(authority: Authority, census: Census, spell: Spell, id: str, roll: str) -> Iterator[dict[str, Any]]:
    period, row = meals_of(authority, spell), _row(census, spell, id)
    if period is None or period[0] > census.until:
        return
    end = min((day for day in (period[1], spell.last) if day), default=None)
    if end is None or end > period[0]:
        yield {f"fsmperiods{roll}tableid": f"FS{row['sourceid']}"} | row | {
            "fsmstartdate": period[0].isoformat(), "fsmenddate": end.isoformat() if end else "", "ukcountry": "ENG",
        }  # fmt: skip


def _sums(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    """Sessions possible, and where the collection does not tell them by reason, those missed."""
    possible = _possible(census, spell)
    told = ("", "") if census.detailed or not possible else _in_sum(_missed(authority, census, spell))
    found = dict(zip(SUMS, (possible or "", *told), strict=True))
    if census.summer is not None:
        days = 2 * len(census.summer_days(spell))
        found |= {f"summerhalfterm2{name.removeprefix('termly')}": value for name, value in
                  zip(SUMS, (days or "", *(_in_sum(_missed_in_summer(authority, census, spell)) if days else ("", ""))), strict=True)}  # fmt: skip
    return found


SUMS = ("termlysessionspossible", "termlysessionsauthorised", "termlysessionsunauthorised")


def _in_sum(missed: dict[str, int]) -> tuple[int, int]:
    """Authorised, and not."""
    authorised = sum(count for code, count in missed.items() if code in AUTHORISED)
    return authorised, sum(missed.values()) - authorised


def _missed(authority: Authority, census: Census, spell: Spell) -> dict[str, int]:
    """Sessions missed in the term by reason."""
    return _shares(authority, spell, census.term.name, _possible(census, spell))


def _missed_in_summer(authority: Authority, census: Census, spell: Spell) -> dict[str, int]:
    """Those of the second half of the summer term."""
    return _shares(authority, spell, f"{census.term.year} half-term 2", 2 * len(census.summer_days(spell)))


def _shares(authority: Authority, spell: Spell, when: str, possible: int) -> dict[str, int]:
    luck = _luck(authority, spell.child, f"{when} {spell.table_id}")
    missed = possible * min(0.9, spell.child.absence * luck.uniform(0.6, 1.4))
    return {code: round(missed * share) for code, share in MISSED.items()}


def sums_of_year(authority: Authority, spell: Spell) -> tuple[int, int, int]:
    """Sessions possible, missed with leave and without, of the school year in which a pupil left; as its censuses have them."""
    assert spell.last is not None
    begin = date(spell.last.year - (spell.last.month < 9), 9, 1)
    possible = authorised = rest = 0
    for census in (one for one in censuses(authority.today) if one.holds(spell)):
        for days, missed in ((census.days(spell), _missed), (census.summer_days(spell), _missed_in_summer)):
            if days and days[0] >= begin:
                more = _in_sum(missed(authority, census, spell))
                possible, authorised, rest = possible + 2 * len(days), authorised + more[0], rest + more[1]
    return possible, authorised, rest


def _sessions(authority: Authority, census: Census, spell: Spell, id: str) -> Iterator[dict[str, Any]]:
    for code, count in _missed(authority, census, spell).items():
        if count:
            yield _row(census, spell, id) | {"attendancereason": code, "sessions": count}


def _exclusions(authority: Authority, census: Census, spell: Spell) -> Iterator[dict[str, Any]]:
    luck, days = _luck(authority, spell.child, f"{census.term.name} suspended"), census.days(spell)
    if days and luck.random() < SUSPENDED:
        row = _row(census, spell)
        yield row | {"termlyexclusionsonrolltableid": f"X{row['sourceid']}", "category": "SUSP", "startdate": luck.choice(days).isoformat(),
                     "sessions": luck.randrange(2, 10), **_reasons(luck)}  # fmt: skip


def _reasons(luck: random.Random) -> dict[str, str]:
    """One to three, as schools tell since 2021."""
    found = luck.sample(REASONS, luck.choices((1, 2, 3), (80, 16, 4))[0])
    return {f"reason{place}": found[place - 1] if place <= len(found) else "" for place in (1, 2, 3)}


# -- marks -------------------------------------------------------------------------------------------------------


def _marks(path: Path, authority: Authority, school: str, children: Sequence[Child]) -> None:
    rows = [row for child in children for row in marks_of(authority, child)]
    write_marks(path, school, children, rows, extracted=authority.today - timedelta(days=1))


def write_marks(path: Path, school: str, children: Sequence[Child], rows: Sequence[dict[str, Any]], *, extracted: date) -> None:
    """One delivery of marks, in the shape of the integrators' JSON."""
    codes = [{"id": id, "code": code} for code, id in CODES.items()]
    data = [{"id": number, **row} for number, row in enumerate(rows, 1)]
    mis.write(path, school, extracted, codes=codes, students=[mis.who(child) for child in children], data=data)


def _students(path: Path, authority: Authority, school: str, children: Sequence[Child]) -> None:
    """The school's students, each with the whole list of its contacts."""
    day = authority.today - timedelta(days=1)
    told = [mis.student(authority, child, entered=entered_on(child, authority.today), year=year_of(child, day)) for child in children]
    mis.write(path, school, day, students=told)


def marks_of(authority: Authority, child: Child) -> Iterator[dict[str, Any]]:
    """Every session of the last four school weeks. A falling child misses more from week to week; one who misses nothing is
    never late either."""
    luck = _luck(authority, child, "marks")
    days = marked_days(authority.today)
    for place, day in enumerate(days):
        missing = child.absence + (0.2 + 0.7 * place / len(days) if child.falling else 0)
        for session, present in (("AM", "/"), ("PM", "\\")):
            code = luck.choice("IIOM") if luck.random() < missing else "L" if luck.random() < (LATE if child.absence else 0) else present
            late = {"minutes_late": luck.randrange(3, 40)} if code == "L" else {}
            yield {"student_id": child.number, "date": day.isoformat(), "session": session, "attendance_code_id": CODES[code], **late}
