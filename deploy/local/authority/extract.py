"""The daily extract's tables of a child's story outside care: contacts, early help, referrals, assessments, enquiries, conferences,
plans, reviews and visits, the child's voice, disabilities, EHC plans."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from deploy.local.authority.histories import ABUSE, SOURCES, History, history, years
from deploy.local.authority.people import Authority, Case, Child
from deploy.local.authority.sen import needs_of

Row = dict[str, Any]
Table = tuple[str, list[Row]]
Told = tuple[Child, Case, History]
WORDS = {"NEG": "Neglect", "EMO": "Emotional abuse", "PHY": "Physical abuse", "SAB": "Sexual abuse"}
HELPS = ("Parenting support", "School attendance", "Young carer in the family", "Behaviour at home", "Housing")
LEADS = ("School", "Children's centre", "Health", "Education service")
DISABLED, HEARD = 0.13, 0.6
"""Of children in need: with a disability, as the national census has it; whose answers stand in the record."""
DISABILITIES = ("LD", "AUT", "BEH", "MOB", "HEAR", "COMM", "VIS")
assert set(WORDS) == set(ABUSE)


def rows(prefix: str, found: Iterable[dict[str, Any]]) -> list[Row]:
    """Rows whose columns begin with the table's prefix; days as ISO dates, what is not there blank."""
    return [{f"{prefix}_{name}": "" if value is None else str(value) for name, value in one.items()} for one in found]


def yes(told: bool) -> str:
    """As the dataset writes flags."""
    return "Y" if told else "N"


def outcome(*flags: str) -> str:
    """Outcomes as the dataset writes them."""
    return json.dumps({f"{flag}_FLAG": "Y" for flag in flags})


def tables(authority: Authority, known: Sequence[Child]) -> Iterator[Table]:
    """Every table: its name and its rows."""
    told = [(child, child.case, history(authority, child, child.case)) for child in known if child.case]
    lived = [one for one in told if not one[1].in_care or one[1].level == "looked_after"]
    yield "contacts", rows("cont", _contacts(authority, known, lived))
    yield "early_help_episodes", rows("earl", (_help(authority, child) for child in known if child.early_help))
    yield "cin_episodes", rows("cine", (_referral(*one) for one in told))
    yield "cin_assessments", rows("cina", (_assessment(*one) for one in lived))
    yield "assessment_factors", rows("cinf", _factors(lived))
    yield "s47_enquiry", rows("s47e", _enquiries(lived))
    yield "initial_cp_conference", rows("icpc", _conferences(lived))
    yield "cin_plans", rows("cinp", _need_plans(lived))
    yield "cp_plans", rows("cppl", _protection_plans(lived))
    yield "cp_reviews", rows("cppr", _reviews(lived))
    yield "cin_visits", rows("cinv", _visits(lived, "need"))
    yield "cp_visits", rows("cppv", _visits(lived, "protection"))
    yield "voice_of_child", rows("voch", _voices(authority, lived))
    yield "disability", rows("disa", _disabilities(authority, known))
    yield from _send(authority.today, [child for child in known if child.school and child.sen == "E"])


def _luck(authority: Authority, child: Child, what: str) -> random.Random:
    return random.Random(f"{authority.seed} {child.number} {what}")


# -- the front door ----------------------------------------------------------------------------------------------


def _contacts(authority: Authority, known: Sequence[Child], told: Sequence[Told]) -> Iterator[Row]:
    """The contact that a referral came of; and those that led to nothing."""
    for child, case, found in told:
        yield _contact(child, case.referred, found.source, "NEW_REFERRAL")
    for child in known:
        if child.asked:
            luck = _luck(authority, child, "contact")
            day = _since_birth(child, authority.today - timedelta(days=luck.randrange(20, 600)))
            yield _contact(child, day, luck.choice(SOURCES), "ADVICE")


def _contact(child: Child, day: date, source: str, flag: str) -> Row:
    return {
        "contact_id": f"K{child.number}", "person_id": child.local_id, "contact_date": day, "contact_source_code": source,
        "contact_outcome_json": outcome(flag),
    }  # fmt: skip


def _since_birth(child: Child, day: date) -> date:
    return max(day, child.born or day)


def _help(authority: Authority, child: Child) -> Row:
    """About half of early help goes on."""
    luck = _luck(authority, child, "early help")
    start = _since_birth(child, authority.today - timedelta(days=luck.randrange(30, 400)))
    end = start + timedelta(days=luck.randrange(90, 300))
    over = end < authority.today and not child.story
    return {
        "episode_id": f"H{child.number}", "person_id": child.local_id, "episode_start_date": start,
        "episode_end_date": end if over else None, "episode_reason": luck.choice(HELPS),
        "episode_end_reason": "Needs met" if over else None, "episode_organisation": luck.choice(LEADS),
    }  # fmt: skip


def _referral(child: Child, case: Case, found: History) -> Row:
    return {
        "referral_id": f"R{child.number}", "person_id": child.local_id, "referral_date": case.referred,
        "referral_source_code": found.source, "cin_primary_need_code": case.need, "referral_nfa": "N",
        "close_date": case.closed, "close_reason": ("RC1" if case.level == "adopted" else "RC7") if case.closed else None,
        "referral_outcome_json": outcome("SINGLE_ASSESSMENT", *(("STRATEGY_DISCUSSION",) if found.enquiry else ())),
    }  # fmt: skip


# -- assessments and enquiries -----------------------------------------------------------------------------------


def _assessment(child: Child, case: Case, found: History) -> Row:
    begun, authorised = found.assessed
    return {
        "assessment_id": f"A{child.number}", "person_id": child.local_id, "referral_id": f"R{child.number}",
        "assessment_start_date": begun, "assessment_auth_date": authorised, "assessment_child_seen": yes(child.born is not None),
        "assessment_outcome_json": outcome("PROV_OF_SERVICES") if authorised else None,
        "assessment_outcome_nfa": "N" if authorised else None,
    }  # fmt: skip


def _factors(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        if found.factors:
            yield {"assessment_id": f"A{child.number}", "assessment_factors_json": json.dumps(found.factors)}


def _enquiries(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        if found.enquiry:
            start, end = found.enquiry
            yield {
                "s47_enquiry_id": f"Q{child.number}", "person_id": child.local_id, "referral_id": f"R{child.number}",
                "s47_start_date": start, "s47_end_date": end, "s47_nfa": yes(not found.conference),
                "s47_outcome_json": outcome("CP_CONFERENCE" if found.conference else "MONITOR"),
            }  # fmt: skip


def _conferences(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        if found.conference:
            held, due = found.conference
            yield {
                "icpc_id": f"M{child.number}", "person_id": child.local_id, "referral_id": f"R{child.number}",
                "s47_enquiry_id": f"Q{child.number}", "cp_plan_id": f"C{child.number}", "icpc_date": held, "icpc_target_date": due,
                "icpc_transfer_in": "N", "icpc_outcome_cp_flag": "Y", "icpc_outcome_json": outcome("CP"),
            }  # fmt: skip


# -- plans -------------------------------------------------------------------------------------------------------


def _need_plans(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        if found.plan and found.plan.kind == "need":
            yield {
                "cin_plan_id": f"N{child.number}", "person_id": child.local_id, "referral_id": f"R{child.number}",
                "cin_plan_start_date": found.plan.start, "cin_plan_end_date": found.plan.end,
            }  # fmt: skip


def _protection_plans(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        if found.plan and found.plan.kind == "protection":
            first, latest = (WORDS[code] for code in found.plan.abuse)
            yield {
                "cp_plan_id": f"C{child.number}", "person_id": child.local_id, "referral_id": f"R{child.number}",
                "icpc_id": f"M{child.number}", "cp_plan_start_date": found.plan.start, "cp_plan_end_date": found.plan.end,
                "cp_plan_ola": "N", "cp_plan_initial_category": first, "cp_plan_latest_category": latest,
            }  # fmt: skip


def _reviews(told: Sequence[Told]) -> Iterator[Row]:
    for child, _, found in told:
        for place, one in enumerate(found.reviews, 1):
            yield {
                "cp_review_id": f"V{child.number}-{place}", "person_id": child.local_id, "cp_plan_id": f"C{child.number}",
                "cp_review_due": one.due, "cp_review_date": one.held, "cp_review_participation": one.participation,
                "cp_review_outcome_continue_cp": "Y" if one.held else None, "cp_review_quorate": "Y" if one.held else None,
            }  # fmt: skip


def _visits(told: Sequence[Told], kind: str) -> Iterator[Row]:
    name = {"need": "cin", "protection": "cp"}[kind]
    for child, case, found in told:
        for place, (day, alone) in enumerate(found.visits if case.level == kind else (), 1):
            id = f"W{child.number}-{place}"
            plan = {"cp_plan_id": f"C{child.number}"} if kind == "protection" else {}
            yield {f"{name}_visit_id": id, "person_id": child.local_id, **plan, f"{name}_visit_date": day,
                   f"{name}_visit_seen": "Y", f"{name}_visit_seen_alone": yes(alone), f"{name}_visit_bedroom": yes(place % 3 == 0)}  # fmt: skip


# -- the child ---------------------------------------------------------------------------------------------------


def _voices(authority: Authority, told: Sequence[Told]) -> Iterator[Row]:
    for child, _, _ in told:
        luck = _luck(authority, child, "voice")
        if years(child, authority.today) >= 5 and (luck.random() < HEARD or child.story):
            answers = ("explained_worries", "story_help_understand", "agree_worker", "plan_safe", "tablet_help_explain")
            yield {"table_id": f"O{child.number}", "person_id": child.local_id} | {one: yes(luck.random() < 0.75) for one in answers}


def disabilities_of(authority: Authority, child: Child) -> tuple[str, ...]:
    """The disabilities of a child in need, as every file codes them; NONE is said, too."""
    luck = _luck(authority, child, "disability")
    likely = 1.0 if child.case and child.case.need == "N2" else DISABLED
    return (luck.choice(DISABILITIES),) if luck.random() < likely else ("NONE",)


def _disabilities(authority: Authority, known: Sequence[Child]) -> Iterator[Row]:
    for child in known:
        if child.case and child.born and child.case.level != "adopted":
            for place, code in enumerate(disabilities_of(authority, child)):
                yield {"table_id": f"D{child.number}-{place}", "person_id": child.local_id, "disability_code": code}


def _send(today: date, planned: Sequence[Child]) -> Iterator[Table]:
    """EHC plans of those whose school says so: asked for, agreed, named, reviewed, with the needs that the school has."""
    asked = {c.number: _asked(c, today) for c in planned}
    named = {number: day + timedelta(days=140) for number, day in asked.items()}
    yield "send", rows("send", ({"table_id": f"SE{c.number}", "person_id": c.local_id, "upn": c.social_upn or c.upn} for c in planned))
    yield "ehcp_requests", rows("ehcr", (
        {"ehcp_request_id": f"ER{c.number}", "send_table_id": f"SE{c.number}", "ehcp_req_date": asked[c.number],
         "ehcp_req_outcome_date": asked[c.number] + timedelta(days=40), "ehcp_req_outcome": "Y"} for c in planned
    ))  # fmt: skip
    yield "ehcp_assessment", rows("ehca", (
        {"ehcp_assessment_id": f"EA{c.number}", "ehcp_request_id": f"ER{c.number}", "ehcp_assessment_outcome": "Y",
         "ehcp_assessment_outcome_date": asked[c.number] + timedelta(days=110)} for c in planned
    ))  # fmt: skip
    yield "ehcp_named_plan", rows("ehcn", (
        {"named_plan_id": f"EN{c.number}", "ehcp_asmt_id": f"EA{c.number}", "named_plan_start_date": named[c.number]}
        for c in planned
    ))  # fmt: skip
    yield "ehcp_active_plans", rows("ehcp", (
        {"active_ehcp_id": f"EP{c.number}", "ehcp_request_id": f"ER{c.number}",
         "active_ehcp_last_review_date": _reviewed(named[c.number], today)} for c in planned
    ))  # fmt: skip
    yield "sen_need", rows("senn", (
        {"table_id": f"EX{c.number}-{rank}", "active_ehcp_id": f"EP{c.number}", "active_ehcp_need_type": need, "active_ehcp_need_rank": rank}
        for c in planned for rank, need in enumerate(needs_of(c), 1)
    ))  # fmt: skip


def _asked(child: Child, today: date) -> date:
    """An EHC plan is asked for about when school begins, long enough ago for a review."""
    assert child.born is not None
    return min(date(child.born.year + 4 + child.number % 3, 10, 12), today - timedelta(days=530 + child.number % 40))


def _reviewed(named: date, today: date) -> date:
    """Every 350 days; the last time before today."""
    return named + timedelta(days=(today - named).days // 350 * 350)
