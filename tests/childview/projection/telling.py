"""What one child's events come to, as one digest: `python -m tests.childview.projection.telling` prints it.

Run in processes of different hash seeds and time zones: nothing in the view may depend on them.
"""

from __future__ import annotations

import hashlib
import random

from services.childview.projection import fold
from tests.childview.events import OTHER, event, marks, person, referral
from tests.childview.projection.test_fold_and_compose import bytes_of, folded


def numbers(*found: tuple[str, str]) -> list[dict]:
    """Identifiers by type and value."""
    return [{"type": type, "value": value, "valid": True, "reason": None} for type, value in found]


def rows(field: str, *said: str) -> list[dict]:
    """What rows say against each other."""
    return [{"field": field, "said": [{"value": value, "file": "a.csv", "row": n, "extracted": "2026-11-01"} for n, value in enumerate(said, 2)]}]


def school() -> list:
    """Everything a school says, in its order."""
    terms = [{"term": f"2026-{name}", "spell": "S", "school": "9994001", "term_start": f"2026-{month}-05", "term_end": f"2026-{month}-20"}
             for name, month in (("spring", "01"), ("summer", "05"))]  # fmt: skip
    return [
        person(1, given_name="Ada", family_name="Berg", former_family_name="Corn", known_as="Addie", birth_date="2015-01-02", contradictions=rows("birth_date", "2015-01-02", "2015-01-03"),
               identifiers=numbers(("upn", "A999000000012"), ("uln", "1000000000"))),
        marks(2, *[(f"2026-11-{day:02d}", session, code) for day in range(2, 20) for session, code in (("AM", "/"), ("PM", "I"))]),
        *(event("education.attendance-summarised.v1", 3 + n, {**term, "sessions_possible": 20, "sessions_by_reason": {"M": 1, "I": 3, "O": 2}},
                record_class="R-REGISTER") for n, term in enumerate(terms)),
        *(event("education.enrolment-recorded.v1", 5 + n, {"school": f"999400{n}", "entry_date": f"202{n}-09-01"}) for n in range(1, 4)),
        *(event("education.exclusion-recorded.v1", 8 + n, {"exclusion_id": f"x{n}", "school": "9994001", "start_date": f"202{n + 4}-10-01"}) for n in (1, 2)),
    ]  # fmt: skip


def care() -> list:
    """Everything social care says, in its order; then two of its keys are destroyed."""
    made = [
        person(1, stream=OTHER, service="socialcare", given_name="Adah", family_name="Bergson", birth_date="2015-02-01",
               identifiers=numbers(*(("local_child_id", f"SC-{n}") for n in range(9)))),
        *(referral(2 + n, referral_id=f"r{n}", referral_date=f"2026-0{n}-01", closure_date=f"2026-0{n}-20") for n in range(1, 6)),
    ]
    more = [("involvement", {"involvement_id": f"i{n}", "professional_id": f"sw-{n}", "team_id": f"t{n}", "start_date": "2026-01-01"}, "R-CASE") for n in range(6)]
    more += [("address", {"address_id": f"a{n}", "address_kind": "home", "lines": [f"{n} Elm"], "postcode": "WX1 1AA", "start_date": f"201{n}-01-01"}, "R-IDENT") for n in range(6)]
    more += [("relation", {"other_local_id": f"REL-{n}", "relationship": "sibling", "lives_with_child": "yes",
              "parental_responsibility": "no", "contradictions": rows("parental_responsibility", "yes", "no")}, "R-IDENT") for n in range(6)]
    more += [("protection", {"protection_kind": kind, "start_date": "2026-01-01", "named_professional_ids": ["sw-2", "sw-1"], "risk_local_id": "DAD"}, "R-IDENT")
             for kind in ("shielded", "risk_linked")]  # fmt: skip
    more += [("looked-after", {"episode_id": f"e{n}", "decom": f"202{n}-01-01", "ls": "V3"}, "R-CARE") for n in range(3)]
    more += [("plan", {"plan_kind": "protection", "plan_id": "p", "start_date": "2026-01-01"}, "R-CP")]
    more += [("key-destroyed", {"record_class": one}, "") for one in ("R-CP", "R-CARE", "R-HEALTH", "R-VOICE")]
    made += [event(f"socialcare.{type}{'-recorded' if type != 'key-destroyed' else ''}.v1", 7 + n, data, stream=OTHER, record_class=kind)
             for n, (type, data, kind) in enumerate(more)]  # fmt: skip
    return made


def told(luck: random.Random) -> bytes:
    """The view, content, terms and references, and the records as they are kept; the two streams in any interleaving."""
    left, right, mixed = school(), care(), []
    while left or right:
        side = left if left and (not right or luck.random() < 0.5) else right
        mixed.append(side.pop(0))
    records = folded(mixed)
    return bytes_of(mixed) + b"".join(fold.encode(records[stream]) for stream in sorted(records))


if __name__ == "__main__":
    print(hashlib.sha256(told(random.Random())).hexdigest())
