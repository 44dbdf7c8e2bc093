"""Attendance by year in a Common Transfer File: totals, and marks as one text from a first day on.

`AttendanceMarks` holds one code for each session, morning and afternoon in turn. The codes of 2024 have a digit after their
letter and no code is a digit, so a text is read in one way. Whether weekends are in it the text itself shows: where each of
them would fall on a closed session they are; otherwise the days are those from Monday to Friday. (The specification of this
element was not read: what does not fit its dates is left out and said, never moved.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from lxml.etree import _Element as Element

from services.education.importers.pupils import MARK
from services.plumbing.files import values
from services.plumbing.register.entries import Statement

SUMMARY, CLASS = "education.attendance-summarised.v1", "R-REGISTER"
CLOSED, NO_MARK = frozenset("#-. "), frozenset("-. ")
MOST_SESSIONS = 2 * 366
TOTALS = (
    ("sessions_possible", "SessionsPossible"), ("sessions_attended", "SessionsAttended"),
    ("sessions_authorised", "SessionsAuthorised"), ("sessions_unauthorised", "SessionsUnauthorised"),
)  # fmt: skip


class Refused(Exception):
    """An element that cannot be taken."""

    def __init__(self, path: str, value: str | None, why: str) -> None:
        super().__init__(why)
        self.path, self.value, self.why = path, value, why


def year(
    part: Element, *, school: str, extracted: str, statement: Callable[[str, str, Mapping[str, Any]], Statement],
    oddity: Callable[[str, str], str | None], flag: Callable[[str, str | None, str], None],
) -> Iterator[Statement]:  # fmt: skip
    """The totals of a year, which count nothing twice (they have no term: the census has the same sessions), and its marks.

    oddity: what is odd about a code on a day. flag: says what is odd. Raises Refused.
    """
    named = f"{(part.findtext('LEA') or '').strip()}{(part.findtext('Estab') or '').strip()}" or school
    said = values.code(part.findtext("Year"))
    if said is None or not re.fullmatch(r"\d{4}", said, re.ASCII):
        raise Refused("Attendance/YearData/Year", said, "expected a year such as 2025")
    totals = {name: _total(part, path) for name, path in TOTALS if part.find(path) is not None}
    if any(value is not None for value in totals.values()):
        fields = {"school": named, "spell": f"ctf {said}", "term": said, "effective": f"{said}-07-22", **totals}
        yield statement(SUMMARY, CLASS, fields)
    for sessions in part.iterfind("AttendSessions"):
        yield from _marks(sessions, named, extracted, statement, oddity, flag)


def _total(part: Element, path: str) -> int | None:
    try:
        return values.integer(part.findtext(path))
    except values.Unreadable as error:
        raise Refused(f"Attendance/YearData/{path}", part.findtext(path), f"expected {error}") from error


def _marks(
    sessions: Element, school: str, extracted: str, statement: Callable[[str, str, Mapping[str, Any]], Statement],
    oddity: Callable[[str, str], str | None], flag: Callable[[str, str | None, str], None],
) -> Iterator[Statement]:  # fmt: skip
    where = "AttendSessions/AttendanceStartDate"
    try:
        first = values.day(sessions.findtext("AttendanceStartDate"))
    except values.Unreadable as error:
        raise Refused(where, sessions.findtext("AttendanceStartDate"), f"expected {error}") from error
    text = (sessions.findtext("AttendanceMarks") or "").strip("\r\n\t")
    if first is None:
        raise Refused(where, None, "marks without their first day cannot be told from others")
    for day, session, code in decoded(first, text, extracted):
        found = {"school": school, "date": day, "session": session, "attendance_code": code, "flag": oddity(code, day)}
        if found["flag"]:
            flag("AttendSessions/AttendanceMarks", code, f"{found['flag']} ({day}); kept as it is")
        yield statement(MARK, CLASS, found)


def decoded(first: str, text: str, extracted: str) -> list[tuple[str, str, str]]:
    """(date, session, code) of each mark; sessions without one are left out. Raises Refused where the marks do not fit."""
    codes = re.findall(r"[A-Z]\d|.", text)
    if len(codes) > MOST_SESSIONS or any(code.isdigit() for code in codes):
        raise Refused("AttendSessions/AttendanceMarks", text[:40], "expected the codes of at most a year's sessions")
    days = _days(date.fromisoformat(first), codes)
    if days and days[-1].isoformat() > extracted:
        raise Refused("AttendSessions/AttendanceMarks", text[:40], f"the marks reach beyond the day of the file: {days[-1]}")
    return [
        (days[place // 2].isoformat(), "PM" if place % 2 else "AM", code) for place, code in enumerate(codes) if code not in NO_MARK
    ]  # fmt: skip


def _days(first: date, codes: list[str]) -> list[date]:
    """The days of these sessions, two a day: every day of the week, or Monday to Friday."""
    count = (len(codes) + 1) // 2
    every = [first + timedelta(days=number) for number in range(count)]
    if first.weekday() > 4 or all(set(codes[2 * n : 2 * n + 2]) <= CLOSED for n, day in enumerate(every) if day.weekday() > 4):
        return every
    weekdays = (first + timedelta(days=number) for number in range(2 * count + 7))
    return [day for day in weekdays if day.weekday() < 5][:count]
