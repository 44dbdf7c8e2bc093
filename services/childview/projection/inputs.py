"""What gates, relationships and policies need of a child, collected from the categories that have meaning in code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from services.childview.projection.catalogue import Catalogue
from services.childview.projection.fold import Held
from services.childview.projection.view import (
    Enrolled,
    Home,
    Inputs,
    Involved,
    Period,
    Protected,
    Related,
    Reviewed,
    Scored,
    Sessions,
)
from services.plumbing.register.subjects import plain

ATTENDED = frozenset({"present", "activity"})
ABSENT = frozenset({"authorised", "unauthorised"})
SHORT_BREAKS = frozenset({"V3", "V4"})
NOT_IN_NEED = "N9"
"""The need code of a referral of a child who is not in need."""
SOCIAL_CARE = "socialcare"
TEMPORARY = frozenset({"T0", "T1", "T2", "T3", "T4"})
MOVES = frozenset({"P", "B"})
ENTITLED = frozenset({"Relevant", "Former Relevant", "Qualifying"})
NO_LONGER = frozenset({"DIED", "NREQ", "RHOM"})
UNTIL = 25
"""The birthday on which the entitlement of a care leaver ends."""


def collect(
    held: Held, services: Iterable[str], catalogue: Catalogue, hash_of: Callable[[Iterable[str | None]], str],
    stands: Callable[[str], Any],
) -> Inputs:  # fmt: skip
    """The inputs of one child's entries, in an order that does not depend on theirs. services: those that know the child.
    stands: the value of a field that stands by itself."""
    return Inputs(
        birth_date=stands("birth_date"),
        expected_birth_date=stands("expected_birth_date"),
        death_date=stands("death_date"),
        known_to_social_care=SOCIAL_CARE in services,
        periods=_sorted([*_periods(held, stands("birth_date")), *_declared(held, catalogue)]),
        referred=sorted(r["referral_date"] for r in _all(held, "referrals", "referral") if r.get("referral_date")),
        involved=_sorted(_involved(held)),
        enrolments=_sorted(Enrolled(e["school"], e.get("entry_date"), e.get("leaving_date")) for e in _all(held, "enrolment")),
        protections=_sorted(_protections(held)),
        related=_sorted(_related(held, hash_of)),
        local_ids=sorted(_local_ids(held)),
        names=sorted({name for person in _all(held, "identity") if (name := _named(person, hash_of))}),
        homes=_sorted(set(_homes(held, hash_of))),
        attendance=_attendance(held, catalogue),
        exclusions=_exclusions(held),
        missing=_sorted(Period(m.get("missing") or "", m.get("mis_start"), m.get("mis_end")) for m in _all(held, "missing")),
        care_reviews=_sorted(
            Period("review", r.get("review_due_date"), r.get("review")) for r in _all(held, "looked_after", "review")
        ),
        moves=_moves(held),
        sdq=_sorted(Scored(s["effective"], s.get("sdq_score")) for s in _all(held, "health", "sdq") if s.get("effective")),
        meals=_sorted(Period("free_meals", m.get("start_date"), m.get("end_date")) for m in _all(held, "free_meals")),
        seen=_seen(held, "plans"),
        seen_in_care=_seen(held, "looked_after"),
        plan_reviews=_sorted(Reviewed(r.get("review_due_date"), r.get("review_date")) for r in _all(held, "plans", "review")),
        conferences=sorted(c["date_of_initial_cpc"] for c in _all(held, "plans", "conference") if c.get("date_of_initial_cpc")),
    )


def references(found: Inputs) -> list[str]:
    """What a caseload is found by: `worker:`, `team:` and `school:` with their ids; and gates by: `related:` for the child
    and everyone of the household, `risk:` for who is marked a risk to this child, `guarded:` for a protected child itself. Who
    has a whole name is there by its keyed hash too."""
    named = {f"worker:{item.professional}" for item in found.involved if item.professional}
    named |= {f"team:{item.team}" for item in found.involved if item.team}
    named |= {f"school:{item.school}" for item in found.enrolments}
    named |= {f"risk:{item.risk}" for item in found.protections if item.kind == "risk_linked" and item.risk}
    risks = {item.risk for item in found.protections if item.kind == "risk_linked"}
    named |= {f"risk:~{item.name}" for item in found.related if item.name and item.local_id in risks}
    named |= {f"related:~{item.name}" for item in found.related if item.name}
    named |= {f"related:{id}" for id in (*(item.local_id for item in found.related), *found.local_ids)}
    if any(item.kind != "risk_linked" for item in found.protections):
        named |= {f"guarded:{id}" for id in found.local_ids}
    return sorted(named)


def _all(held: Held, category: str, kind: str | None = None) -> Iterator[Mapping[str, Any]]:
    return (one.data for one in held.get(category, ()) if kind in (None, one.kind))


def _seen(held: Held, category: str) -> list[str]:
    """The days of visits at which the child was seen."""
    return sorted(visit["visit_date"] for visit in _all(held, category, "visit") if visit.get("seen") and visit.get("visit_date"))


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=repr)


def _periods(held: Held, born: str | None) -> Iterator[Period]:
    for plan in _all(held, "plans", "plan"):
        yield Period(plan["plan_kind"], plan.get("start_date"), plan.get("end_date"))
    for referral in _all(held, "referrals", "referral"):
        if not referral.get("referral_nfa") and referral.get("primary_need_code") != NOT_IN_NEED:
            yield Period("need", referral.get("referral_date"), referral.get("closure_date"))
    for episode in _all(held, "looked_after", "episode"):
        kind = "need" if episode.get("ls") in SHORT_BREAKS else "looked_after"
        yield Period(kind, episode.get("decom"), episode.get("dec"))
    yield from _care_leaving(held, born)


def _moves(held: Held) -> list[str] | None:
    """The days on which a child in care moved to another carer; into and out of a temporary placement is no move."""
    episodes = sorted(_all(held, "looked_after", "episode"), key=lambda one: one.get("decom") or "")
    if any(not one.get("rne") for one in episodes):
        return None
    place = {one["placement_id"]: one.get("place") for one in _all(held, "placement")}
    where = [place.get(one.get("placement_id") or "") in TEMPORARY for one in episodes]
    moved = zip(episodes, where, [False, *where], strict=False)
    found = {one["decom"] for one, here, before in moved if one["rne"] in MOVES and one.get("decom") and not here and not before}
    return sorted(found)


def _care_leaving(held: Held, born: str | None) -> Iterator[Period]:
    """A care leaver is one by the status; where a source says none, by being in its list and not out of it again."""
    for item in _all(held, "care_leaving"):
        status = item.get("eligibility")
        if status in ENTITLED or (status is None and item.get("in_touch") not in NO_LONGER):
            yield Period("care_leaver", item.get("effective") or born, born and _last_birthday(born))


def _last_birthday(born: str) -> str:
    """The day the entitlement ends. 25 years after 29 February is never a leap year: then it is 1 March."""
    day = "03-01" if born.endswith("02-29") else born[5:]
    return f"{int(born[:4]) + UNTIL}-{day}"


def _declared(held: Held, catalogue: Catalogue) -> Iterator[Period]:
    """The entries of categories that the catalogue gives a plan status."""
    for category in catalogue.categories.values():
        if category.status:
            yield from (Period(category.status, one.entry.effective, one.entry.end) for one in held.get(category.id, ()))


def _involved(held: Held) -> Iterator[Involved]:
    for item in _all(held, "involvements"):
        yield Involved(
            item.get("involvement_kind") or "other",
            item.get("professional_id"),
            item.get("team_id"),
            item.get("organisation_kind"),
            item.get("start_date"),
            item.get("end_date"),
        )


def _related(held: Held, hash_of: Callable[[Iterable[str | None]], str]) -> Iterator[Related]:
    for item in _all(held, "household", "relation"):
        lives = item.get("lives_with_child")
        yield Related(item["other_local_id"], lives == "yes", lives == "no", _named(item, hash_of), bool(item.get("telephones")))


def _named(person: Mapping[str, Any], hash_of: Callable[[Iterable[str | None]], str]) -> str:
    """The keyed hash of a whole name, however it is written; nothing where a part of it is missing."""
    given, family = plain(person.get("given_name")), plain(person.get("family_name"))
    return hash_of((given, "0", family)) if given and family else ""


def _protections(held: Held) -> Iterator[Protected]:
    for item in _all(held, "protection"):
        yield Protected(
            item["protection_kind"],
            item.get("start_date"),
            item.get("end_date"),
            sorted(item.get("named_professional_ids") or []),
            item.get("risk_local_id"),
        )


def _local_ids(held: Held) -> set[str]:
    return {
        identifier["value"]
        for person in _all(held, "identity")
        for identifier in person.get("identifiers") or []
        if identifier["type"] == "local_child_id"
    }


def _homes(held: Held, hash_of: Callable[[Iterable[str | None]], str]) -> Iterator[Home]:
    for address in _all(held, "contact", "address"):
        place = hash_of([*(address.get("lines") or [])[:1], address.get("postcode")])
        if place and address.get("address_kind") in (None, "home"):
            yield Home(place, address.get("end_date"))


def _year(day: str) -> str:
    found = date.fromisoformat(day)
    start = found.year if found.month >= 9 else found.year - 1
    return f"{start}/{(start + 1) % 100:02d}"


def _attendance(held: Held, catalogue: Catalogue) -> dict[str, Sessions]:
    """Sessions by academic year: terms as summarised, and marks outside the terms that have a summary."""
    groups = catalogue.groups("attendance")
    summaries = [s for s in _all(held, "attendance", "summary") if s.get("term_end")]
    covered = [(s["school"], s.get("term_start") or s["term_end"], s["term_end"]) for s in summaries]
    counts: dict[str, list[int]] = {}
    for summary in summaries:
        _add(counts, summary["term_end"], *_of_summary(summary, groups))
    for mark in _all(held, "attendance", "mark"):
        if not any(mark["school"] == school and start <= mark["date"] <= end for school, start, end in covered):
            group = groups.get(mark.get("attendance_code") or "")
            _add(counts, mark["date"], group in ATTENDED, group in ABSENT, group in ATTENDED | ABSENT)
    return {year: Sessions(*counts[year]) for year in sorted(counts)}


def _of_summary(summary: Mapping[str, Any], groups: Mapping[str, str | None]) -> tuple[int, int, int]:
    """(attended, absent, possible); nothing when sessions possible are blank or reasons exceed them."""
    possible = summary.get("sessions_possible") or 0
    by_reason = summary.get("sessions_by_reason") or {}
    absent = sum(count for code, count in by_reason.items() if groups.get(code) in ABSENT)
    if not by_reason:
        absent = (summary.get("sessions_authorised") or 0) + (summary.get("sessions_unauthorised") or 0)
    return (possible - absent, absent, possible) if possible > 0 and absent <= possible else (0, 0, 0)


def _add(counts: dict[str, list[int]], day: str, *numbers: int) -> None:
    year = counts.setdefault(_year(day), [0, 0, 0])
    for place, number in enumerate(numbers):
        year[place] += int(number)


def _exclusions(held: Held) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in _all(held, "exclusions"):
        if item.get("start_date"):
            year = _year(item["start_date"])
            counts[year] = counts.get(year, 0) + 1
    return dict(sorted(counts.items()))
