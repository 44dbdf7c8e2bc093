"""The daily extract's tables of children in care and care leavers.

What a return of the last year tells (care that ended in it) is in no table of the extract: two sources of one episode show it twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta

from deploy.local.authority.care import Care, care_of
from deploy.local.authority.earlier import year_began, year_ended
from deploy.local.authority.extract import Row, Table, rows, yes
from deploy.local.authority.histories import years
from deploy.local.authority.people import Authority, Case, Child

Told = tuple[Child, Case, Care]
ON_THE_WAY = 0.3
"""Of those in care under five for whom adoption is the plan."""
ACTIVITIES, ACCOMMODATIONS = ("F1", "F2", "F2", "F4", "F5", "P5", "G5", "G5"), ("K", "U", "U", "D", "E", "B", "Z")


def in_care(authority: Authority, known: Sequence[Child]) -> list[Told]:
    """Everybody who is or was in care, with that time."""
    return [(child, child.case, care_of(authority, child, child.case)) for child in known if child.case and child.case.in_care]


def told_by_return(authority: Authority, care: Care) -> bool:
    """Whether care ended in the last return's year."""
    return care.end is not None and year_began(authority.today) <= care.end <= year_ended(authority.today)


def tables(authority: Authority, known: Sequence[Child]) -> Iterator[Table]:
    """Every table: its name and its rows."""
    every = in_care(authority, known)
    told = [one for one in every if not told_by_return(authority, one[2])]
    now = [one for one in told if one[1].level == "looked_after"]
    yield "legal_status", rows("lega", _statuses(told))
    yield "cla_episodes", rows("clae", _episodes(told))
    yield "cla_placement", rows("clap", _placements(told))
    yield "cla_reviews", rows("clar", _reviews(told))
    yield "cla_health", rows("clah", _checks(now))
    yield "cla_immunisations", rows("clai", _immunisations(authority, now))
    yield "cla_substance_misuse", rows("clas", _substances(now))
    yield "sdq_scores", rows("csdq", _scores(now))
    yield "missing", rows("miss", _missing(now))
    yield "immigration_status", rows("immi", _alone(now))
    yield "permanence", rows("perm", _permanence(authority, now))
    yield "care_leavers", rows("clea", _leavers(authority, every))


def _statuses(told: Sequence[Told]) -> Iterator[Row]:
    """A status lasts over the episodes that share it."""
    for child, _, care in told:
        first = care.episodes[0]
        for one, following in zip(care.episodes, [*care.episodes[1:], None], strict=True):
            if following is None or following.status != one.status:
                yield {
                    "legal_status_id": f"LS{child.number}-{one.number}", "person_id": child.local_id, "legal_status": one.status,
                    "legal_status_start_date": first.start, "legal_status_end_date": one.end,
                }  # fmt: skip
                first = following or one


def _episodes(told: Sequence[Told]) -> Iterator[Row]:
    for child, case, care in told:
        for one in care.episodes:
            yield {
                "cla_episode_id": f"E{child.number}-{one.number}", "person_id": child.local_id, "cla_id": f"CLA{child.number}",
                "cla_placement_id": f"P{child.number}-{one.placement}", "referral_id": f"R{child.number}",
                "cla_episode_start_date": one.start, "cla_episode_start_reason": one.began, "cla_primary_need_code": case.need,
                "cla_episode_ceased_date": one.end, "cla_episode_ceased_reason": one.ended, "entered_care_date": care.start,
            }  # fmt: skip


def _placements(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        for one in care.placements:
            yield {
                "cla_placement_id": f"P{child.number}-{one.number}", "person_id": child.local_id, "cla_id": f"CLA{child.number}",
                "cla_placement_start_date": one.start, "cla_placement_end_date": one.end, "cla_placement_type": one.kind,
                "cla_placement_provider": one.provider, "cla_placement_change_reason": one.reason,
                "cla_placement_postcode": one.postcode, "cla_placement_urn": one.urn, "cla_placement_distance": one.miles,
            }  # fmt: skip


def _reviews(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        for place, one in enumerate(care.reviews, 1):
            yield {
                "cla_review_id": f"CV{child.number}-{place}", "cla_id": f"CLA{child.number}", "cla_review_due_date": one.due,
                "cla_review_date": one.held, "cla_review_participation": one.participation, "cla_review_cancelled": "N",
            }  # fmt: skip


def _checks(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        for place, one in enumerate(care.checks, 1):
            yield {
                "health_check_id": f"HC{child.number}-{place}", "person_id": child.local_id, "health_check_date": one.day,
                "health_check_type": one.kind, "health_check_status": "Completed",
            }  # fmt: skip


def _immunisations(authority: Authority, told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        day = min(care.start + timedelta(days=60), authority.today)
        yield {"person_id": child.local_id, "immunisations_status": yes(child.number % 6 != 0), "immunisations_status_date": day}


def _substances(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        if care.substance:
            yield {
                "substance_misuse_id": f"SM{child.number}", "person_id": child.local_id, "substance_misused": care.substance,
                "substance_misuse_date": care.start + timedelta(days=20), "intervention_received": yes(child.number % 3 > 0),
            }  # fmt: skip


def _scores(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        for place, (day, score) in enumerate(care.scores, 1):
            yield {
                "table_id": f"Z{child.number}-{place}", "person_id": child.local_id, "sdq_completed_date": day, "sdq_score": score,
                "sdq_reason": "SDQ2" if score is None else None,
            }  # fmt: skip


def _missing(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        for place, one in enumerate(care.missing, 1):
            yield {
                "table_id": f"X{child.number}-{place}", "person_id": child.local_id, "missing_episode_start_date": one.start,
                "missing_episode_end_date": one.end, "missing_episode_type": one.kind, "missing_rhi_offered": "Y",
                "missing_rhi_accepted": yes(one.interview),
            }  # fmt: skip


def _alone(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, care in told:
        if care.unaccompanied:
            yield {
                "immigration_status_id": f"IM{child.number}", "person_id": child.local_id, "immigration_status": "UASC",
                "immigration_status_start_date": care.start,
            }  # fmt: skip


def _permanence(authority: Authority, told: Sequence[Told]) -> Iterator[Row]:
    """Who is on the way to adoption, and has come as far as the decision."""
    for child, _, care in told:
        luck = random.Random(f"{authority.seed} {child.number} permanence")
        decided = care.start + timedelta(days=luck.randrange(120, 240))
        if years(child, authority.today) < 5 and decided < authority.today and luck.random() < ON_THE_WAY:
            yield {"table_id": f"PM{child.number}", "person_id": child.local_id, "cla_id": f"CLA{child.number}", "adm_decision_date": decided}


def _leavers(authority: Authority, told: Sequence[Told]) -> Iterator[Row]:
    for child, case, _ in told:
        if case.level == "care_leaver":
            luck = random.Random(f"{authority.seed} {child.number} leaver")
            yield {
                "table_id": f"CL{child.number}", "person_id": child.local_id, "care_leaver_eligibility": "Former Relevant",
                "care_leaver_in_touch": "YES" if luck.random() < 0.92 or case.eventful else "NO",
                "care_leaver_latest_contact": authority.today - timedelta(days=luck.randrange(5, 90)),
                "care_leaver_activity": luck.choice(ACTIVITIES), "care_leaver_accommodation": luck.choice(ACCOMMODATIONS),
                "care_leaver_accom_suitable": "1" if luck.random() < 0.88 else "2",
                "pathway_plan_review_date": authority.today - timedelta(days=luck.randrange(10, 170)),
                "care_leaver_personal_advisor": case.workers[0][1] if case.workers else None,
            }  # fmt: skip
