"""The chronology's words: a line says its day and its heading once, and loses nothing else."""

from __future__ import annotations

from pathlib import Path

from services.childview.pages.chronology import Moment, chronology
from services.childview.projection.catalogue import Catalogue

CATALOGUE = Catalogue.load(Path(__file__).parents[3] / "contracts")


def item(category: str, kind: str, date: str, **fields) -> dict:
    told = {name: {"level": "full", "value": value, "source": "socialcare"} for name, value in fields.items()}
    return {"date": date, "category": category, "entry": {"id": date, "kind": kind, "effective": date, "fields": told}}


def line(*items: dict) -> Moment:
    (found,) = chronology(CATALOGUE, items)
    return found


def test_a_line_whose_kind_says_its_category_repeats_neither_nor_its_day():
    found = line(item("referrals", "referral", "2026-11-09", referral_period={"start": "2026-11-09"}, primary_need="N1"))
    assert (found.when, found.label, found.said) == ("since 9 November 2026", "Referral", "Main need: Abuse or neglect")


def test_the_period_that_begins_on_its_day_is_a_lines_time():
    found = line(item("missing", "missing", "2026-10-20", missing_kind="M", missing_period={"start": "2026-10-20", "end": "2026-10-22"}))
    assert (found.when, found.said) == ("from 20 October 2026 to 22 October 2026", "Missing or away: Missing")
    other = line(item("missing", "missing", "2026-10-21", missing_period={"start": "2026-10-20", "end": "2026-10-22"}))
    assert (other.when, other.said) == ("21 October 2026", "Missing: from 20 October 2026 to 22 October 2026")


def test_a_kind_that_does_not_say_its_category_keeps_it():
    assert line(item("attendance", "mark", "2026-11-09", attendance_code="I")).label == "Attendance: Mark"
    assert line(item("looked_after", "review", "2026-11-09", review_code="PN1")).label == "Looked after: Review"


def test_a_label_that_says_the_heading_again_is_left_out_and_abbreviations_keep_their_letters():
    assert line(item("exclusions", "exclusion", "2026-04-15", exclusion_category="SUSP", exclusion_sessions=2)).said == "Suspension. Length in sessions: 2"
    assert line(item("health", "sdq", "2026-09-01", sdq_score=17)).said == "SDQ score: 17"


def test_a_review_that_is_due_and_one_that_was_held_are_told_apart():
    due = line(item("looked_after", "review", "2027-04-10", review_due="2027-04-10"))
    assert (due.when, due.said) == ("10 April 2027", "Review due")
    held = line(item("looked_after", "review", "2026-10-10", review_date="2026-10-10", review_due="2026-10-12"))
    assert held.said == "Review held. Review due: 12 October 2026"


def test_a_week_of_marks_is_one_line_that_counts_them():
    days = ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12")
    found = line(*(item("attendance", "mark", day, attendance_code="I" if day > "2026-11-09" else "/") for day in days))
    assert (found.last, found.when) == ("2026-11-12", "from 9 November 2026 to 12 November 2026")
    assert (found.label, found.said) == ("Attendance: Mark (4 times)", "Illness 3, Present (morning) 1")


def test_three_different_things_of_one_week_stay_three_lines():
    people = (("allocated", "social_care"), ("reviewing", "social_care"), ("virtual_school", "education"))
    items = [item("involvements", "involvement", "2025-06-23", involved_role=role, involved_agency=agency, involved_person=role) for role, agency in people]
    found = chronology(CATALOGUE, items)
    assert len(found) == 3 and all("Practitioner: " in one.said for one in found)
    assert len(chronology(CATALOGUE, [item("health", "sdq", f"2026-09-0{day}", sdq_score=17) for day in (1, 2, 3)])) == 3
