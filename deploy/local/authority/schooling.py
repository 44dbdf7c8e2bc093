"""What schools deliver: a year's censuses as CSV tables, a few schools a delivery, and the last four weeks' marks as JSON."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.authority import names
from deploy.local.authority.calendar import Term, counted, marked_days
from deploy.local.authority.people import Authority, Child

PUPIL = [
    "pupilonrolltableid", "NativeId", "sourceid", "upn", "surname", "forename", "formersurname", "dob", "sex", "ethnicity",
    "language", "entrydate", "enrolstatus", "ncyearactual", "senprovision",
    "termlysessionspossible", "termlysessionsauthorised", "termlysessionsunauthorised",
]  # fmt: skip
LEAVER = [
    "pupilnolongeronrolltableid", "NativeId", "sourceid", "upn", "surname", "forename", "dob", "sex", "entrydate", "leavingdate",
    "ncyearleaving", "termlysessionspossible", "termlysessionsauthorised", "termlysessionsunauthorised",
]  # fmt: skip
ON, OFF = ("pupilonrolltableid", "onroll"), ("pupilnolongeronrolltableid", "offroll")
CODES = {"/": 1, "\\": 2, "I": 3, "O": 4, "L": 5, "M": 6}
MISSED = {"I": 0.5, "O": 0.2, "M": 0.15, "U": 0.15}
AUTHORISED = {"I", "M"}
DETAILED = 2
"""The newest collections tell sessions missed by reason, older ones in sum on the pupil's own row: half the events to load."""
LATE = 0.02
SUSPENDED, REASONS = 0.02, ("DB", "PP", "VP", "VA", "PA", "BU", "DM", "MT")
SCHOOLS_A_DELIVERY = 6
"""The files of so many schools go in one delivery: what is checked and taken at once stays small, however large the authority."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Spell:
    """One pupil at one school, as its censuses know it. last: the day of leaving, None: still there."""

    child: Child
    table_id: str
    school: str
    family: str
    first: date
    last: date | None


@dataclass(frozen=True)
class Census:
    """What schools count of one term. until: the last day it knows of. newest: it says what is so now, too. detailed: it
    tells sessions missed by reason."""

    term: Term
    until: date
    newest: bool
    detailed: bool

    @property
    def stem(self) -> str:
        """How its files' names begin: the collection, and as of when they speak."""
        return f"{self.term.year}_{self.term.season}_{self.until.isoformat()}"

    def holds(self, spell: Spell) -> bool:
        """Whether the pupil was at the school in this term."""
        return spell.first <= self.until and (spell.last is None or spell.last >= self.term.first)

    def left(self, spell: Spell) -> bool:
        """Whether the pupil had gone by then."""
        return spell.last is not None and spell.last <= self.until

    def days(self, spell: Spell) -> list[date]:
        """The school days of the pupil's there."""
        return self.term.days(spell.first, min(self.until, spell.last or self.until))


def censuses(today: date) -> list[Census]:
    """A year's collections, oldest first. The last ends where the marks begin."""
    until, held = marked_days(today)[0] - timedelta(days=1), counted(today)
    return [Census(term, min(term.last, until), term is held[-1], term in held[-DETAILED:]) for term in held]


def write(folder: Path, authority: Authority, progress: Progress) -> int:
    """All files of the schools, a folder a delivery; how many pupils."""
    pupils = [child for child in authority.children if child.school]
    by_school: dict[str, list[Spell]] = {school: [] for school in authority.schools}
    for spell in (spell for child in pupils for spell in spells(child, authority.today)):
        by_school[spell.school].append(spell)
    for start in range(0, len(by_school), SCHOOLS_A_DELIVERY):
        some = authority.schools[start : start + SCHOOLS_A_DELIVERY]
        _delivery(folder / f"schools-{some[0]}-{some[-1]}", authority, {school: by_school[school] for school in some})
        progress("schools' files", start + len(some), len(by_school))
    return len(pupils)


def spells(child: Child, today: date) -> list[Spell]:
    """Where a pupil is and, if they moved this year, where they were: under another table id and the name of then."""
    assert child.school
    entered = _entered(child, today)
    now = Spell(child, child.pupil_id, child.school, child.family, entered, None)
    if not child.came_from:
        return [now]
    left = entered - timedelta(days=5)
    return [Spell(child, child.leaver_id, child.came_from, child.former_family or child.family, left - timedelta(days=700), left), now]


def _entered(child: Child, today: date) -> date:
    """The September after the fourth birthday, or after the move; always before the marks begin."""
    assert child.born is not None
    start = date(child.born.year + 4 + (child.born.month >= 9), 9, 2)
    latest = marked_days(today)[0] - timedelta(days=7)
    return min(latest, max(start, today - timedelta(days=150)) if child.came_from else start)


def _delivery(folder: Path, authority: Authority, by_school: dict[str, list[Spell]]) -> None:
    folder.mkdir(parents=True)
    every = [spell for spells in by_school.values() for spell in spells]
    for census in censuses(authority.today):
        _census(folder, authority, census, [spell for spell in every if census.holds(spell)])
    for school, found in by_school.items():
        _marks(folder / f"marks-{school}.json", authority, school, [spell.child for spell in found if spell.last is None])


def _table(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Nothing is written where there is no row."""
    rows = list(rows)
    if not rows:
        return
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)


def _census(folder: Path, authority: Authority, census: Census, held: Sequence[Spell]) -> None:
    here, gone = [s for s in held if not census.left(s)], [s for s in held if census.left(s)]
    _table(folder / f"{census.stem}_pupilonroll.csv", PUPIL, (_pupil(authority, census, spell) for spell in here))
    _table(folder / f"{census.stem}_pupilnolongeronroll.csv", LEAVER, (_leaver(authority, census, spell) for spell in gone))
    for (id, roll), some in ((ON, here), (OFF, gone)):
        sessions = (row for spell in some for row in _sessions(authority, census, spell, id) if census.detailed)
        _table(folder / f"{census.stem}_termlysessiondetails{roll}.csv", [id, *_ROW, "attendancereason", "sessions"], sessions)
    excluded = (row for spell in here for row in _exclusions(authority, census, spell))
    columns = ["termlyexclusionsonrolltableid", ON[0], *_ROW, "category", "startdate", "sessions", "reason"]
    _table(folder / f"{census.stem}_termlyexclusionsonroll.csv", columns, excluded)
    if census.newest:
        needs = (row for spell in here if spell.child.sen != "N" for row in _needs(census, spell))
        _table(folder / f"{census.stem}_senneeds.csv", [ON[0], *_ROW, "sentype", "sentyperank"], needs)


_ROW = ("NativeId", "sourceid")


def _row(census: Census, spell: Spell, id: str = ON[0]) -> dict[str, Any]:
    """How every row says whose it is."""
    source = f"S{spell.table_id}{census.term.year % 100}{census.term.season[:2]}"
    return {id: spell.table_id, "NativeId": spell.school, "sourceid": source}


def _luck(authority: Authority, child: Child, what: str) -> random.Random:
    return random.Random(f"{authority.seed} {child.number} {what}")


def _year(child: Child, day: date) -> str:
    assert child.born is not None
    starts = child.born.year + 4 + (child.born.month >= 9)
    year = day.year - (day.month < 9) - starts
    return "R" if year <= 0 else str(min(year, 13))


def _pupil(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    child = spell.child
    assert child.born is not None
    luck = _luck(authority, child, "who")
    return _row(census, spell) | {
        "upn": child.upn or "", "surname": spell.family, "forename": child.given, "formersurname": child.former_family or "",
        "dob": child.born.isoformat(), "sex": child.sex,
        "ethnicity": luck.choice(("WBRI", "WOTH", "APKN", "BAFR", "MOTH", "AIND", "WIRI")),
        "language": luck.choice(("ENG", "ENG", "ENG", "URD", "POL", "CYM", "SOM", "RON")),
        "entrydate": spell.first.isoformat(), "enrolstatus": "C", "ncyearactual": _year(child, census.until),
        "senprovision": child.sen, **_sums(authority, census, spell),
    }  # fmt: skip


def _leaver(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    child = spell.child
    assert child.born is not None and spell.last is not None
    return _row(census, spell, OFF[0]) | {
        "upn": child.upn or "", "surname": spell.family, "forename": child.given, "dob": child.born.isoformat(), "sex": child.sex,
        "entrydate": spell.first.isoformat(), "leavingdate": spell.last.isoformat(), "ncyearleaving": _year(child, spell.last),
        **_sums(authority, census, spell),
    }  # fmt: skip


def _possible(census: Census, spell: Spell) -> int:
    """Mornings and afternoons of the pupil's school days there."""
    return 2 * len(census.days(spell))


def _needs(census: Census, spell: Spell) -> Iterator[dict[str, Any]]:
    types = ("SPLD", "MLD", "SEMH", "SLCN", "ASD", "HI")
    for rank in range(1, 2 + spell.child.number % 2):
        yield _row(census, spell) | {"sentype": types[(spell.child.number + rank) % len(types)], "sentyperank": rank}


def _sums(authority: Authority, census: Census, spell: Spell) -> dict[str, Any]:
    """Sessions possible, and where the collection does not tell them by reason, those missed."""
    possible = _possible(census, spell)
    if census.detailed or not possible:
        return {"termlysessionspossible": possible or "", "termlysessionsauthorised": "", "termlysessionsunauthorised": ""}
    missed = _missed(authority, census, spell)
    authorised = sum(count for code, count in missed.items() if code in AUTHORISED)
    rest = sum(missed.values()) - authorised
    return {"termlysessionspossible": possible, "termlysessionsauthorised": authorised, "termlysessionsunauthorised": rest}


def _missed(authority: Authority, census: Census, spell: Spell) -> dict[str, int]:
    """Sessions missed in the term by reason."""
    luck = _luck(authority, spell.child, f"{census.term.name} {spell.table_id}")
    missed = _possible(census, spell) * min(0.9, spell.child.absence * luck.uniform(0.6, 1.4))
    return {code: round(missed * share) for code, share in MISSED.items()}


def _sessions(authority: Authority, census: Census, spell: Spell, id: str) -> Iterator[dict[str, Any]]:
    for code, count in _missed(authority, census, spell).items():
        if count:
            yield _row(census, spell, id) | {"attendancereason": code, "sessions": count}


def _exclusions(authority: Authority, census: Census, spell: Spell) -> Iterator[dict[str, Any]]:
    luck, days = _luck(authority, spell.child, f"{census.term.name} suspended"), census.days(spell)
    if days and luck.random() < SUSPENDED:
        row = _row(census, spell)
        yield row | {"termlyexclusionsonrolltableid": f"X{row['sourceid']}", "category": "SUSP", "startdate": luck.choice(days).isoformat(),
                     "sessions": luck.randrange(2, 10), "reason": luck.choice(REASONS)}  # fmt: skip


# -- marks -------------------------------------------------------------------------------------------------------


def _marks(path: Path, authority: Authority, school: str, children: Sequence[Child]) -> None:
    rows = [row for child in children for row in marks_of(authority, child)]
    write_marks(path, school, children, rows, extracted=authority.today - timedelta(days=1))


def write_marks(path: Path, school: str, children: Sequence[Child], rows: Sequence[dict[str, Any]], *, extracted: date) -> None:
    """One delivery of marks, in the shape of the integrators' JSON."""
    body = {
        "school": {"la_code": school[:3], "establishment_number": school[3:], "name": names.SCHOOLS[int(school) % len(names.SCHOOLS)]},
        "extracted": extracted.isoformat(),
        "codes": [{"id": id, "code": code} for code, id in CODES.items()],
        "students": [_student(child) for child in children],
        "data": [{"id": number, **row} for number, row in enumerate(rows, 1)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, ensure_ascii=False, indent=None, separators=(",", ":")), encoding="utf-8")


def _student(child: Child) -> dict[str, Any]:
    assert child.born is not None
    return {
        "id": child.number, "legal_forename": child.given, "legal_surname": child.family,
        "date_of_birth": {"date": child.born.isoformat()}, "education_details": {"data": {"upn": child.upn or ""}},
    }  # fmt: skip


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
