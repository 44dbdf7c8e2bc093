"""Derived fields: one pure function each, named in the catalogue. They depend on today, so they are worked out at the read.

Unknown is a value: None, never 0, "no" or "none".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.childview.projection.inputs import UNTIL
from services.childview.projection.view import Inputs, Sessions

FIRST_REVIEW, NEXT_REVIEW = 3, 6
"""Months from the initial conference to the first review of a protection plan, and from one review to the next (Working Together)."""
PERSISTENT = 10.0
"""Percent of possible sessions missed from which a pupil is persistently absent (DfE)."""
SDQ = ((13, "normal"), (16, "borderline"), (40, "cause for concern"))
"""Bands of the total score by their highest."""
AWAY = "A"


def age(inputs: Inputs, today: date) -> int | None:
    """Completed years, counted to the day of death; a birthday on 29 February falls on 1 March otherwise."""
    if not inputs.birth_date:
        return None
    born = date.fromisoformat(inputs.birth_date)
    at = min(today, date.fromisoformat(inputs.death_date)) if inputs.death_date else today
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def age_band(inputs: Inputs, today: date) -> str:
    """The child's age band as policies know it."""
    years = age(inputs, today)
    if years is None:
        return "unborn" if inputs.expected_birth_date else "unknown"
    bands = ((18, "18_and_over"), (16, "16_to_17"), (5, "5_to_15"))
    return next((band for least, band in bands if years >= least), "under_5")


def academic_year(day: date) -> str:
    """1 September to 31 August: 2024-11-07 -> 2024/25."""
    start = day.year if day.month >= 9 else day.year - 1
    return f"{start}/{(start + 1) % 100:02d}"


def attendance_rate(inputs: Inputs, today: date) -> float | None:
    """Percent of possible sessions attended this academic year, to one decimal."""
    sessions = inputs.attendance.get(academic_year(today))
    if sessions is None or sessions.possible == 0:
        return None
    return round(100 * sessions.attended / sessions.possible, 1)


def persistent_absence(inputs: Inputs, today: date) -> str | None:
    """Whether at least 10 % of possible sessions were missed this academic year."""
    sessions: Sessions | None = inputs.attendance.get(academic_year(today))
    if sessions is None or sessions.possible == 0:
        return None
    return "yes" if 100 * sessions.absent / sessions.possible >= PERSISTENT else "no"


def exclusions_this_year(inputs: Inputs, today: date) -> int | None:
    """Suspensions and exclusions that began this academic year; None when no school reports on the child."""
    if not inputs.enrolments:
        return None
    return inputs.exclusions.get(academic_year(today), 0)


def free_meals_now(inputs: Inputs, today: date) -> str | None:
    """Whether a period of free school meals is open today; None where no school said anything of them."""
    day = today.isoformat()
    if not inputs.meals:
        return None
    return "yes" if any((one.start or "") <= day <= (one.end or "9999") for one in inputs.meals) else "no"


def plan_statuses(inputs: Inputs, today: date) -> set[str]:
    """Every kind of help that is open today: they overlap. A blank end leaves open, a blank start opens nothing."""
    day = today.isoformat()
    return {period.kind for period in inputs.periods if period.start and period.start <= day < (period.end or "9999")}


def plan_status(inputs: Inputs, today: date) -> str | None:
    """The first that holds of looked after, protection plan, in need; `none` only where social care knows the child."""
    found = plan_statuses(inputs, today)
    order = ("looked_after", "protection", "care_leaver", "need", "early_help")
    first = next((status for status in order if status in found), None)
    return first or ("none" if inputs.known_to_social_care else None)


def referrals_12_months(inputs: Inputs, today: date) -> dict[str, Any] | None:
    """How many referrals in the last 12 months, and the month of the latest; None where there is none."""
    since = _year_before(today)
    found = [day for day in inputs.referred if since < day <= today.isoformat()]
    return {"count": len(found), "latest": max(found)[:7]} if found else None


def _year_before(today: date) -> str:
    return date(today.year - 1, today.month, min(today.day, 28)).isoformat()


def missing_now(inputs: Inputs, today: date) -> str | None:
    """Whether an episode of being missing is open; None where none was ever told."""
    if not inputs.missing:
        return None
    day = today.isoformat()
    return "yes" if any(m.start and m.start <= day and (m.end is None or m.end > day) for m in inputs.missing) else "no"


def missing_episodes_year(inputs: Inputs, today: date) -> dict[str, int] | None:
    """Episodes that began in the last 12 months, missing and away apart; None where none was ever told. Two sources that tell of
    one kind on one day tell of one episode."""
    if not inputs.missing:
        return None
    since, day = _year_before(today), today.isoformat()
    kinds = [kind for kind, _ in {(m.kind, m.start) for m in inputs.missing if m.start and since < m.start <= day}]
    return {"missing": sum(kind != AWAY for kind in kinds), "away": kinds.count(AWAY)}


def sdq_band(inputs: Inputs, today: date) -> str | None:
    """The band of the latest score between the fourth and the seventeenth birthday; None for a reason only, and outside."""
    years = age(inputs, today)
    latest = max((one for one in inputs.sdq if one.day <= today.isoformat()), key=lambda one: one.day, default=None)
    if latest is None or latest.score is None or years is None or not 4 <= years <= 16:
        return None
    return next(band for most, band in SDQ if latest.score <= most)


def placement_moves_year(inputs: Inputs, today: date) -> int | None:
    """Moves to another carer in the last 12 months; None for who is not in care, or where an episode does not say why it began."""
    if inputs.moves is None or "looked_after" not in plan_statuses(inputs, today):
        return None
    return sum(_year_before(today) < day <= today.isoformat() for day in inputs.moves)


def care_review_overdue(inputs: Inputs, today: date) -> str | None:
    """Whether the next review of a child in care is past due. The source's date wins; else 20 working days from the first day in
    care (four weeks, bank holidays not counted), then three months, then every six. None for who is not in care."""
    since, day = _in_care_since(inputs, today), today.isoformat()
    if since is None:
        return None
    held = sorted(r.end for r in inputs.care_reviews if r.end and since <= r.end <= day)
    last = held[-1] if held else since
    due = [r.start for r in inputs.care_reviews if r.start and not r.end and r.start >= last]
    counted = _later(last, days=28) if not held else _later(last, months=3 if len(held) == 1 else 6)
    return "yes" if (min(due) if due else counted) < day else "no"


def _in_care_since(inputs: Inputs, today: date) -> str | None:
    """The first day of the time in care that lasts today, over all episodes that follow one another."""
    day = today.isoformat()
    since = None
    for period in sorted(inputs.periods, key=lambda one: one.start or "", reverse=True):
        if period.kind == "looked_after" and period.start and period.start <= day < (period.end or "9999"):
            since = min(since or period.start, period.start)
        elif period.kind == "looked_after" and since and period.start and (period.end or "") >= since:
            since = period.start
    return since


def _later(day: str, *, days: int = 0, months: int = 0) -> str:
    """Days, or months, after a day: the same day of the month, or its 28th."""
    found = date.fromisoformat(day) + timedelta(days=days)
    years, month = divmod(found.month - 1 + months, 12)
    return date(found.year + years, month + 1, found.day if not months else min(found.day, 28)).isoformat()


def care_leaver_until(inputs: Inputs, today: date) -> dict[str, int] | None:
    """Until which age a care leaver is entitled to support; None for who is none today."""
    return {"until_age": UNTIL} if "care_leaver" in plan_statuses(inputs, today) else None


def days_since_contact(inputs: Inputs, today: date) -> int | None:
    """Days since the last visit at which the child was seen; None where none is recorded."""
    return _days_since(inputs.seen, today)


def days_since_care_visit(inputs: Inputs, today: date) -> int | None:
    """Days since the last visit in care at which the child was seen; None where none is recorded."""
    return _days_since(inputs.seen_in_care, today)


def _days_since(days: Sequence[str], today: date) -> int | None:
    latest = max((day for day in days if day <= today.isoformat()), default=None)
    return None if latest is None else (today - date.fromisoformat(latest)).days


def plan_review_overdue(inputs: Inputs, today: date) -> str | None:
    """Whether the next review of the open protection plan is past due; the source's date wins, else three months from the
    initial conference and six from a review. None where there is no such plan, or nothing to count from."""
    day = today.isoformat()
    begun = [p.start for p in inputs.periods if p.kind == "protection" and p.start and p.start <= day < (p.end or "9999")]
    if not begun:
        return None
    held = max((r.held for r in inputs.plan_reviews if r.held and min(begun) <= r.held <= day), default=None)
    due = [r.due for r in inputs.plan_reviews if r.due and not r.held and r.due >= (held or min(begun))]
    next_due = min(due) if due else _next_review(held, inputs.conferences, day)
    return None if next_due is None else "yes" if next_due < day else "no"


def _next_review(held: str | None, conferences: Sequence[str], day: str) -> str | None:
    conference = max((one for one in conferences if one <= day), default=None)
    if held is not None:
        return _later(held, months=NEXT_REVIEW)
    return None if conference is None else _later(conference, months=FIRST_REVIEW)


DERIVED: Mapping[str, Callable[[Inputs, date], Any]] = {
    function.__name__: function
    for function in (age, attendance_rate, persistent_absence, exclusions_this_year, free_meals_now, plan_status,
                     referrals_12_months, days_since_contact, days_since_care_visit, plan_review_overdue, missing_now,
                     missing_episodes_year, sdq_band, placement_moves_year, care_review_overdue, care_leaver_until)
}
