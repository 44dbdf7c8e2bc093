"""Invented children and their families: who they are, what went wrong in their records, what services know of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from deploy.local.authority import names
from services.plumbing.files.values import CHECK_LETTERS

AUTHORITY = "999"
PER_SCHOOL = 280
IN_NEED, ON_PLANS, LOOKED_AFTER = 0.033, 0.004, 0.007
"""Shares of the children known to a service; plans and looked after are among those in need."""
MOVED, RENAMED, TWINS, KNOWN_BEFORE = 0.03, 0.015, 0.012, 0.08
NO_UPN, BAD_UPN, MISTYPED = 0.01, 0.01, 0.02
NAMED_OTHERWISE, SWAPPED = 0.01, 0.002
"""Of those known to social care: another family name there; a sibling's number, as one number is typed for the other."""


@dataclass(frozen=True)
class Case:
    """What social care knows besides the person. level: need, protection, looked_after, care_leaver or adopted. workers: (role,
    professional, team). ended: the last day of their work, where the case goes on. eventful: all that may happen did."""

    level: str
    referred: date
    need: str
    workers: tuple[tuple[str, str, str], ...] = ()
    ended: date | None = None
    closed: date | None = None
    eventful: bool = False

    @property
    def open(self) -> bool:
        """Whether the child is in need, under protection or in care today."""
        return self.closed is None

    @property
    def in_care(self) -> bool:
        """Whether it is, or was, a case of care."""
        return self.level in ("looked_after", "care_leaver", "adopted")


@dataclass(frozen=True)
class Child:
    """One invented child. social_...: as social care has it; None: the same. past: a case that is over. asked: somebody
    contacted social care, which led to nothing. plaa: how the school's file says that the child left care. story: a child of the
    demonstration."""

    number: int
    given: str
    family: str
    born: date | None
    sex: str
    household: int
    upn: str | None
    nhs: str
    school: str | None = None
    came_from: str | None = None
    case: Case | None = None
    social_care: bool = False
    social_given: str | None = None
    social_family: str | None = None
    social_born: date | None = None
    social_upn: str | None = None
    former_family: str | None = None
    absence: float = 0.05
    falling: bool = False
    sen: str = "N"
    step_parent: bool = False
    expected: date | None = None
    past: Case | None = None
    early_help: bool = False
    asked: bool = False
    plaa: str = ""
    young_carer: str = ""
    story: bool = False

    @property
    def local_id(self) -> str:
        """Social care's number of the child."""
        return f"SC{self.number:06d}"

    @property
    def pupil_id(self) -> str:
        """The census table id, the same over terms."""
        return f"P{self.number:07d}"

    @property
    def leaver_id(self) -> str:
        """The census table id at the school they came from."""
        return f"L{self.number:07d}"

    @property
    def step_parent_id(self) -> str:
        """Social care's number of the step-parent of the household."""
        return adult_id(self.household, 1)

    @property
    def known(self) -> bool:
        """Whether a service knows the child."""
        return bool(self.school) or self.social_care


def adult_id(household: int, place: int) -> str:
    """Social care's number of an adult: the mother comes first, a step-parent second."""
    return f"AD{household:06d}{place}"


@dataclass
class Authority:
    """Everything invented, before it is written."""

    today: date
    seed: int
    schools: list[str]
    children: list[Child] = field(default_factory=list)
    _families: dict[int, str] = field(default_factory=dict, repr=False)

    def family_of(self, household: int) -> str:
        """The family name of a household's first child."""
        if household not in self._families:
            for child in self.children:
                self._families.setdefault(child.household, child.family)
        return self._families[household]


def invent(count: int, *, seed: int, today: date) -> Authority:
    """Families by families, until schools and social care know `count` children between them. The same for the same
    arguments."""
    rng = random.Random(f"childview {seed}")
    schools = [f"{AUTHORITY}{4001 + number}" for number in range(max(3, count // PER_SCHOOL))]
    found = Authority(today, seed, schools)
    household = known = 0
    while known < count:
        household += 1
        family = list(_family(rng, household, len(found.children) + 1, schools, today))
        found.children += family
        known += sum(child.known for child in family)
    _open_cases(rng, found)
    _confuse(rng, found)
    return found


def _open_cases(rng: random.Random, authority: Authority) -> None:
    """As many cases of each kind as the country has, among the children whom a service knows."""
    known = [place for place, child in enumerate(authority.children) if child.known]
    plans, cared_for, all_cases = (round(share * len(known)) for share in (ON_PLANS, LOOKED_AFTER, IN_NEED))
    weights = [YOUNG if authority.children[place].school is None else 1 for place in known]
    for number, place in enumerate(_drawn(rng, known, weights, all_cases)):
        level = "protection" if number < plans else "looked_after" if number < plans + cared_for else "need"
        referred = authority.today - timedelta(days=rng.randrange(20 if level == "need" else 60, 700))
        child = authority.children[place]
        case = Case(level, max(referred, child.born or referred), rng.choice(("N1", "N2", "N3", "N4", "N5", "N8")))
        child = replace(child, social_care=True, case=case)
        authority.children[place] = child if child.social_upn else _as_social_care_has_it(rng, child)


YOUNG = 7
"""Of the few children under school age whom a service knows, so many times as many are in need as of pupils."""


def _drawn(rng: random.Random, places: list[int], weights: list[int], count: int) -> list[int]:
    """So many different ones, the heavier the likelier."""
    ranked = sorted(zip(places, weights, strict=True), key=lambda one: rng.random() ** (1 / one[1]), reverse=True)
    return [place for place, _ in ranked[:count]]


def _confuse(rng: random.Random, authority: Authority) -> None:
    """What goes wrong between services: another family name at social care, and siblings with each other's number."""
    held = authority.children
    for place, child in enumerate(held):
        if child.social_care and rng.random() < NAMED_OTHERWISE:
            held[place] = replace(child, social_family=rng.choice([name for name in names.FAMILY if name != child.family]))
    pairs = [
        place for place in range(len(held) - 1)
        if held[place].household == held[place + 1].household and held[place].born != held[place + 1].born
        and held[place].upn and held[place + 1].upn and held[place].school and held[place + 1].school
    ]  # fmt: skip
    known = sum(child.social_care for child in held)
    for place in rng.sample(pairs, min(len(pairs), max(1, round(SWAPPED * known)))):
        one, other = held[place : place + 2]
        held[place] = replace(one, social_care=True, social_upn=other.upn)
        held[place + 1] = replace(other, social_care=True, social_upn=one.upn)


def _family(rng: random.Random, household: int, first: int, schools: list[str], today: date) -> Iterator[Child]:
    """One family's children: one to four, now and then twins; siblings share a home, mostly a name and a school."""
    family, step = _family_name(rng), rng.random() < 0.1
    school, born = rng.choice(schools), None
    number = first
    for _ in range(rng.choices((1, 2, 3, 4), (40, 38, 16, 6))[0]):
        born = _born(rng, today)
        twins = 2 if rng.random() < TWINS else 1
        for _ in range(twins):
            name = _family_name(rng) if step and rng.random() < 0.5 else family
            child = _child(rng, number, name, born, household, school if rng.random() < 0.8 else rng.choice(schools), step)
            yield with_services(rng, child, schools, today)
            number += 1


def _family_name(rng: random.Random) -> str:
    one = rng.choice(names.FAMILY)
    return f"{one}-{rng.choice(names.FAMILY)}" if rng.random() < 0.08 else one


def _born(rng: random.Random, today: date) -> date:
    return today - timedelta(days=rng.randrange(30, 17 * 365))


def _child(rng: random.Random, number: int, family: str, born: date, household: int, school: str, step: bool) -> Child:
    sex = rng.choice("FM")
    return Child(
        number=number, given=rng.choice(names.GIVEN[sex]), family=family, born=born, sex=sex, household=household,
        upn=upn(number), nhs=nhs_number(number), school=school, step_parent=step,
        absence=min(0.6, rng.betavariate(1.3, 18)), sen=rng.choices("NKE", (83, 13, 4))[0],
    )  # fmt: skip


def with_services(rng: random.Random, child: Child, schools: list[str], today: date) -> Child:
    """The child with a school or none, the errors that records have, and what social care knows."""
    assert child.born is not None
    age = (today - child.born).days / 365.25
    if age < 4.2:
        child = replace(child, school=None, upn=None)
    elif rng.random() < MOVED:
        child = replace(child, came_from=rng.choice([s for s in schools if s != child.school]))
    if child.school and rng.random() < RENAMED:
        child = replace(child, former_family=rng.choice(names.FAMILY))
    luck = rng.random()
    if child.upn and luck < NO_UPN:
        child = replace(child, upn=None)
    elif child.upn and luck < NO_UPN + BAD_UPN:
        child = replace(child, upn=wrong(child.upn))
    if rng.random() < KNOWN_BEFORE:
        child = _as_social_care_has_it(rng, replace(child, social_care=True))
    return child


def _as_social_care_has_it(rng: random.Random, child: Child) -> Child:
    """Most agree with the school; some numbers are missing or wrong, some names mistyped."""
    luck = rng.random()
    if luck < 0.12:
        return child
    if luck < 0.12 + MISTYPED:
        return replace(child, social_given=_mistyped(rng, child.given), social_upn=child.upn)
    return replace(child, social_upn=child.upn)


def _mistyped(rng: random.Random, name: str) -> str:
    at = rng.randrange(len(name) - 1)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def upn(number: int) -> str:
    """A UPN with a good check letter, in the range of an authority that is not there."""
    rest = f"{AUTHORITY}{number:09d}"
    return CHECK_LETTERS[sum(weight * int(c) for weight, c in enumerate(rest, 2)) % 23] + rest


def wrong(good: str) -> str:
    """The same number with the check letter of another."""
    return CHECK_LETTERS[(CHECK_LETTERS.index(good[0]) + 7) % 23] + good[1:]


def nhs_number(number: int) -> str:
    """An NHS number with a good check digit, from the range kept for tests (999)."""
    while True:
        digits = f"999{number:06d}"
        check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return digits + str(check % 11)
        number += 500_000
