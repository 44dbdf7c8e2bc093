"""What schools deliver: three censuses as CSV tables, and the last four weeks' marks as JSON, a file a school."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.local.authority import names
from deploy.local.authority.people import Authority, Child

DAYS = {"autumn": (10, 5), "spring": (1, 18), "summer": (5, 18)}
PUPIL = [
    "pupilonrolltableid", "NativeId", "sourceid", "upn", "surname", "forename", "formersurname", "dob", "sex", "ethnicity",
    "language", "entrydate", "enrolstatus", "ncyearactual", "senprovision", "termlysessionspossible",
]  # fmt: skip
LEAVER = [
    "pupilnolongeronrolltableid", "NativeId", "sourceid", "upn", "surname", "forename", "dob", "sex", "entrydate", "leavingdate",
    "ncyearleaving", "termlysessionspossible",
]  # fmt: skip
CODES = {"/": 1, "\\": 2, "I": 3, "O": 4, "L": 5, "M": 6}
WEEKS = 4
SESSIONS_A_TERM = 120
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Census:
    """One collection. earlier: it counts sessions; the newest one does not, because marks follow."""

    year: int
    season: str
    earlier: bool

    @property
    def day(self) -> date:
        """The census day."""
        return date(self.year, *DAYS[self.season])

    @property
    def stem(self) -> str:
        """How its files' names begin."""
        return f"{self.year}_{self.season}"


def censuses(today: date) -> list[Census]:
    """The last three collections, oldest first."""
    held = [Census(year, season, True) for year in (today.year - 1, today.year) for season in DAYS]
    past = sorted((one for one in held if one.day <= today), key=lambda one: one.day)[-3:]
    return [*past[:-1], replace(past[-1], earlier=False)]


def write(folder: Path, authority: Authority, progress: Progress) -> int:
    """All files of the schools; how many pupils."""
    folder.mkdir(parents=True)
    pupils = [child for child in authority.children if child.school]
    for census in censuses(authority.today):
        progress("school census", census.day.toordinal(), authority.today.toordinal())
        _census(folder, authority, census, pupils)
    by_school: dict[str, list[Child]] = {}
    for child in pupils:
        by_school.setdefault(child.school or "", []).append(child)
    for done, (school, children) in enumerate(sorted(by_school.items()), 1):
        progress("session marks", done, len(by_school))
        _marks(folder / f"marks-{school}.json", authority, school, children)
    progress("school census", 1, 1)
    return len(pupils)


def _table(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)


def _census(folder: Path, authority: Authority, census: Census, pupils: Sequence[Child]) -> None:
    here = [c for c in pupils if not c.came_from or not census.earlier]
    leaving = [c for c in pupils if c.came_from and census.earlier]
    _table(folder / f"{census.stem}_pupilonroll.csv", PUPIL, (_pupil(authority, census, c) for c in here))
    if leaving:
        _table(folder / f"{census.stem}_pupilnolongeronroll.csv", LEAVER, (_leaver(authority, census, c) for c in leaving))
    if not census.earlier:
        needs = (row for c in here if c.sen != "N" for row in _needs(c, census))
        _table(folder / f"{census.stem}_senneeds.csv", ["pupilonrolltableid", "NativeId", "sourceid", "sentype", "sentyperank"], needs)
    else:
        sessions = (row for c in here for row in _sessions(authority, census, c))
        columns = ["pupilonrolltableid", "NativeId", "sourceid", "attendancereason", "sessions"]
        _table(folder / f"{census.stem}_termlysessiondetailsonroll.csv", columns, sessions)
        columns = ["termlyexclusionsonrolltableid", "pupilonrolltableid", "NativeId", "sourceid", "category", "startdate", "sessions", "reason"]
        excluded = (row for c in here for row in _exclusions(authority, census, c))
        _table(folder / f"{census.stem}_termlyexclusionsonroll.csv", columns, excluded)


def _spell(child: Child, census: Census) -> str:
    return f"S{child.number:07d}{census.year % 100}{census.season[:2]}"


def _luck(authority: Authority, child: Child, what: str) -> random.Random:
    return random.Random(f"{authority.seed} {child.number} {what}")


def _entered(child: Child, today: date) -> date:
    """The September after the fourth birthday, or after the move."""
    assert child.born is not None
    start = date(child.born.year + 4 + (child.born.month >= 9), 9, 3)
    return max(start, today - timedelta(days=150)) if child.came_from else min(start, today - timedelta(days=30))


def _year(child: Child, day: date) -> str:
    assert child.born is not None
    starts = child.born.year + 4 + (child.born.month >= 9)
    year = day.year - (day.month < 9) - starts
    return "R" if year <= 0 else str(min(year, 13))


def _pupil(authority: Authority, census: Census, child: Child) -> dict[str, Any]:
    assert child.born is not None
    luck = _luck(authority, child, "who")
    return {
        "pupilonrolltableid": child.pupil_id, "NativeId": child.school, "sourceid": _spell(child, census), "upn": child.upn or "",
        "surname": child.family, "forename": child.given, "formersurname": child.former_family or "", "dob": child.born.isoformat(),
        "sex": child.sex, "ethnicity": luck.choice(("WBRI", "WOTH", "APKN", "BAFR", "MOTH", "AIND", "WIRI")),
        "language": luck.choice(("ENG", "ENG", "ENG", "URD", "POL", "CYM", "SOM", "RON")),
        "entrydate": _entered(child, authority.today).isoformat(), "enrolstatus": "C", "ncyearactual": _year(child, census.day),
        "senprovision": child.sen, "termlysessionspossible": SESSIONS_A_TERM if census.earlier else "",
    }  # fmt: skip


def _leaver(authority: Authority, census: Census, child: Child) -> dict[str, Any]:
    """A pupil who moved: this year's earlier censuses know them at the school they came from, under another table id."""
    assert child.born is not None
    left = min(_entered(child, authority.today), authority.today) - timedelta(days=5)
    return {
        "pupilnolongeronrolltableid": f"L{child.number:07d}", "NativeId": child.came_from, "sourceid": f"L{_spell(child, census)}",
        "upn": child.upn or "", "surname": child.former_family or child.family, "forename": child.given, "dob": child.born.isoformat(),
        "sex": child.sex, "entrydate": (left - timedelta(days=700)).isoformat(), "leavingdate": left.isoformat(),
        "ncyearleaving": _year(child, census.day), "termlysessionspossible": SESSIONS_A_TERM,
    }  # fmt: skip


def _needs(child: Child, census: Census) -> Iterator[dict[str, Any]]:
    types = ("SPLD", "MLD", "SEMH", "SLCN", "ASD", "HI")
    for rank in range(1, 2 + child.number % 2):
        yield {"pupilonrolltableid": child.pupil_id, "NativeId": child.school, "sourceid": _spell(child, census),
               "sentype": types[(child.number + rank) % len(types)], "sentyperank": rank}  # fmt: skip


def _sessions(authority: Authority, census: Census, child: Child) -> Iterator[dict[str, Any]]:
    luck = _luck(authority, child, census.stem)
    missed = round(SESSIONS_A_TERM * min(0.9, child.absence * luck.uniform(0.6, 1.4)))
    for code, share in (("I", 0.5), ("O", 0.2), ("M", 0.15), ("U", 0.15)):
        count = round(missed * share)
        if count:
            yield {"pupilonrolltableid": child.pupil_id, "NativeId": child.school, "sourceid": _spell(child, census),
                   "attendancereason": code, "sessions": count}  # fmt: skip


def _exclusions(authority: Authority, census: Census, child: Child) -> Iterator[dict[str, Any]]:
    luck = _luck(authority, child, census.stem + "x")
    if luck.random() < 0.02:
        day = census.day - timedelta(days=luck.randrange(5, 60))
        yield {"termlyexclusionsonrolltableid": f"X{_spell(child, census)}", "pupilonrolltableid": child.pupil_id,
               "NativeId": child.school, "sourceid": _spell(child, census), "category": "SUSP", "startdate": day.isoformat(),
               "sessions": luck.randrange(2, 10), "reason": luck.choice(("PB", "DB", "PP", "VP"))}  # fmt: skip


# -- marks -------------------------------------------------------------------------------------------------------


def school_days(today: date) -> list[date]:
    """The weekdays of the last four weeks, up to yesterday."""
    days = [today - timedelta(days=back) for back in range(7 * WEEKS, 0, -1)]
    return [day for day in days if day.weekday() < 5]


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
    """Every session of the last four weeks. A falling child misses more from week to week."""
    luck = _luck(authority, child, "marks")
    days = school_days(authority.today)
    for place, day in enumerate(days):
        missing = child.absence + (0.2 + 0.7 * place / len(days) if child.falling else 0)
        for session, present in (("AM", "/"), ("PM", "\\")):
            code = luck.choice("IIOM") if luck.random() < missing else "L" if luck.random() < 0.02 else present
            late = {"minutes_late": luck.randrange(3, 40)} if code == "L" else {}
            yield {"student_id": child.number, "date": day.isoformat(), "session": session, "attendance_code_id": CODES[code], **late}
