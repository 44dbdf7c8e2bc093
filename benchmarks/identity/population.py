"""The children of an invented authority in their families, with what changed in their lives. Ward by ward, so that a million fit.

A ward is about two thousand children with streets, schools and communities of its own: names of one community are common in
its wards. The same setting and seed give the same children, whatever the hash seed.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate

from benchmarks.identity import names, numbers
from benchmarks.identity.settings import TODAY, Setting
from deploy.local.authority import names as authority_names

WARD = 2_000
SCHOOLS_A_WARD = 8
YEARS = 18
STREETS, OWN_HOUSES, HOUSES, HOUSES_A_POSTCODE = 50, 90, 120, 15
_POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_KINDS = ("Road", "Street", "Close", "Way", "Avenue", "Lane", "Gardens", "Court")
_LOOKALIKES = names.lookalikes()
_TOWNS = ("Wexmoor", "Little Wexmoor", "Fenwick", "Tarnside", "Moorside", "Kingsmead", "Dunmere", "Calder", "Redbank", "Highmoor")


@dataclass(frozen=True, slots=True)
class Home:
    """A place to live. line: house and street."""

    line: str
    town: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Child:
    """One child, and what changed. family, homes, upns: (from when, what), oldest first. prefixed: the given name
    stands before the one the child is called by. twin: the number of the first child of its birth, 0 where it was born alone. half:
    it has the name of another father. planted: it was given the name and birth date of a stranger."""

    number: int
    household: int
    community: names.Community
    given: str
    middle: tuple[str, ...]
    born: date
    sex: str
    family: tuple[tuple[date, str], ...]
    homes: tuple[tuple[date, Home], ...]
    upns: tuple[tuple[date, str], ...]
    nhs: str
    uln: str
    parents: tuple[str, ...]
    prefixed: bool
    twin: int
    alike: bool = False
    half: bool = False
    planted: bool = False

    @property
    def entity(self) -> str:
        """The truth: which child a record is of."""
        return f"C{self.number:07d}"

    @property
    def called(self) -> str:
        """The name it goes by."""
        return self.middle[0] if self.prefixed else self.given

    @property
    def surname(self) -> str:
        """The family name of today."""
        return self.family[-1][1]


@dataclass
class Ward:
    """Where households are being put."""

    number: int
    setting: Setting
    rng: random.Random
    communities: list[float]
    streets: list[str]
    childrens_homes: list[Home] = field(default_factory=list)
    serials: dict[tuple[int, int], int] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    taken: set[Home] = field(default_factory=set)


def wards(count: int, *, seed: int, setting: Setting) -> Iterator[list[Child]]:
    """`count` children, ward by ward, households whole."""
    number = household = 0
    strangers: list[Child] = []
    while number < count:
        place = number // WARD
        ward = _ward(seed, place, setting)
        children: list[Child] = []
        while len(children) < min(WARD, count - number):
            household += 1
            family = _household(ward, household, number + len(children) + 1)
            children += family[: min(WARD, count - number) - len(children)]
        children = _with_equal_strangers(ward, children, strangers)
        strangers = (strangers + ward.rng.sample(children, min(60, len(children))))[-600:]
        number += len(children)
        yield children


def _ward(seed: int, place: int, setting: Setting) -> Ward:
    rng = random.Random(f"{setting.name} {seed} people {place}")
    leaning = [
        community.share * (setting.common_names if community.common else 1) * rng.gammavariate(0.7, 1 / 0.7)
        for community in names.COMMUNITIES
    ]
    leaning[0] = names.COMMUNITIES[0].share * rng.uniform(0.6, 1.4)
    streets = [f"{name} {kind}" for name in authority_names.STREETS for kind in _KINDS]
    ward = Ward(place, setting, rng, list(accumulate(leaning)), rng.sample(streets, STREETS))
    ward.childrens_homes.extend(_home(ward) for _ in range(2))
    return ward


# -- homes ---------------------------------------------------------------------------------------------------------


def _home(ward: Ward) -> Home:
    """A free house of the ward, or one near it. Now and then it is a flat."""
    for _ in range(6):
        home = _house(ward) if ward.rng.random() < 0.7 else _house_near(ward)
        if home not in ward.taken:
            break
    return home


def _house(ward: Ward) -> Home:
    return _at(ward, ward.number, ward.rng.randrange(1, OWN_HOUSES + 1), "")


def _house_near(ward: Ward) -> Home:
    """In one of the next wards, where other houses are let to newcomers than to its own."""
    place = max(0, ward.number + ward.rng.choice((-3, -2, -1, 1, 2, 3)))
    return _at(ward, place, ward.rng.randrange(OWN_HOUSES + 1, HOUSES + 1), ward.rng.choice(("", "", "A", "B", "C")))


def _at(ward: Ward, place: int, house: int, letter: str) -> Home:
    street = ward.rng.randrange(STREETS)
    flat = f"Flat {ward.rng.randrange(1, 13)}, " if ward.rng.random() < 0.12 else ""
    return Home(f"{flat}{house}{letter} {ward.streets[street]}", _TOWNS[place // 3 % len(_TOWNS)], _postcode(place, street, house))


def _postcode(place: int, street: int, house: int) -> str:
    unit = street * (HOUSES // HOUSES_A_POSTCODE) + (house - 1) // HOUSES_A_POSTCODE
    first, second = divmod(unit, len(_POSTCODE_LETTERS))
    return f"WX{place % 99 + 1} {place // 99 % 10}{_POSTCODE_LETTERS[first]}{_POSTCODE_LETTERS[second]}"


def _homes(ward: Ward, born: date) -> tuple[tuple[date, Home], ...]:
    """A household's homes since then. Sometimes it shares with another household by now."""
    found, day = [(born, _home(ward))], born
    while (day := day + timedelta(days=int(ward.rng.expovariate(ward.setting.moves_a_year) * 365) + 60)) < TODAY:
        found.append((day, _home(ward)))
    if ward.homes and ward.rng.random() < ward.setting.shared_homes / 2:
        found[-1] = (found[-1][0], ward.rng.choice(ward.homes))
    ward.homes.append(found[-1][1])
    ward.taken.add(found[-1][1])
    return tuple(found)


# -- names ---------------------------------------------------------------------------------------------------------


def _community(ward: Ward) -> names.Community:
    return names.COMMUNITIES[bisect(ward.communities, ward.rng.random() * ward.communities[-1], 0, len(names.COMMUNITIES) - 1)]


def _family_name(ward: Ward, community: names.Community) -> str:
    one = community.family.draw(ward.rng)
    if ward.rng.random() < community.two_family:
        return f"{one}{community.joint}{community.family.draw(ward.rng)}"
    return one


def _of_sex(community: names.Community, family: str, sex: str, divided: dict[str, str]) -> str:
    """The family name as a daughter or a son carries it."""
    if divided:
        return divided[sex]
    if sex == "F":
        for ending, womans in community.woman_of.items():
            if family.endswith(ending):
                return family[: -len(ending)] + womans
    return family


def _divided(ward: Ward, community: names.Community, family: str) -> dict[str, str]:
    """In some households daughters and sons have family names of their own."""
    if ward.rng.random() >= community.by_sex_share:
        return {}
    return {sex: ward.rng.choice(community.by_sex[sex]) if sex in community.by_sex else family for sex in "FM"}


def _given(ward: Ward, community: names.Community, sex: str, taken: set[str]) -> str:
    """A name that no sibling has."""
    for _ in range(20):
        name = community.given[sex].draw(ward.rng)
        if name not in taken:
            return name
    return name


def _alike(ward: Ward, community: names.Community, name: str, sex: str, taken: set[str]) -> str:
    """Like a sibling's: another name of the community that looks like it, seldom a mere spelling; or the same first letters."""
    rng, known = ward.rng, community.given[sex].names
    other = [one for one in _LOOKALIKES.get(name, ()) if one not in taken]
    names_of_their_own, luck = [one for one in other if one in known], rng.random()
    if names_of_their_own and luck < 0.6:
        return rng.choice(names_of_their_own)
    if other and luck > 0.92:
        return rng.choice(other)
    letters = 2 if rng.random() < 0.5 else 1
    same = [one for one in known if one[:letters] == name[:letters] and one not in taken]
    return rng.choice(same) if same else _given(ward, community, sex, taken)


def _middle(ward: Ward, community: names.Community, sex: str, given: str, father: str) -> tuple[str, ...]:
    if community.father:
        return (father,)
    if ward.rng.random() >= community.second:
        return ()
    many = 2 if ward.rng.random() < 0.15 else 1
    found = [community.given[sex].draw(ward.rng) for _ in range(many)]
    return tuple(name for name in found if name != given)


# -- families ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parents:
    """What the children of a household share."""

    household: int
    community: names.Community
    family: str
    other_family: str
    divided: dict[str, str]
    mother: str
    father: str
    step_father: str
    step: bool
    schools: tuple[int, int]
    prefix: str
    homes: tuple[tuple[date, Home], ...]


def _parents(ward: Ward, household: int, eldest: date) -> _Parents:
    community, rng = _community(ward), ward.rng
    family = _family_name(ward, community)
    other = _family_name(ward, community if rng.random() < 0.7 else _community(ward))
    hers = family if rng.random() < 0.65 else _family_name(ward, community)
    mother, father, step_father = (community.given[sex].draw(rng) for sex in "FMM")
    return _Parents(
        household, community, family, other, _divided(ward, community, family), f"{mother} {hers}", f"{father} {family}", f"{step_father} {other}",
        rng.random() < ward.setting.step_families, (rng.randrange(SCHOOLS_A_WARD), rng.randrange(SCHOOLS_A_WARD)),
        rng.choices(names.PREFIXES, (40, 30, 15, 10, 5))[0] if rng.random() < community.prefix * 1.4 else "", _homes(ward, eldest),
    )  # fmt: skip


def _births(ward: Ward) -> list[tuple[date, int]]:
    """Birth dates of a household's children, and how many were born at once."""
    rng, first = ward.rng, ward.rng.randrange(1, YEARS * 365)
    ages, direction = [first], rng.choice((-1, 1))
    for _ in range(rng.choices((0, 1, 2, 3, 4), (36, 37, 17, 7, 3))[0]):
        ages.append(ages[-1] + direction * int(330 + rng.expovariate(1 / 650)))
    kept = [age for age in ages if 0 < age < YEARS * 365]
    return [(TODAY - timedelta(days=age), _at_once(ward)) for age in sorted(kept, reverse=True)]


def _at_once(ward: Ward) -> int:
    if ward.rng.random() >= ward.setting.twins:
        return 1
    return 3 if ward.rng.random() < 0.02 else 2


def _household(ward: Ward, household: int, first: int) -> list[Child]:
    """Its children, the eldest first. first: the number of the first."""
    births = _births(ward)
    parents, found = _parents(ward, household, births[0][0]), []
    for born, together in births:
        twin = first + len(found) if together > 1 else 0
        for _ in range(together):
            found.append(_child(ward, parents, first + len(found), born, twin, found))
    return found


def _child(ward: Ward, parents: _Parents, number: int, born: date, twin: int, siblings: list[Child]) -> Child:
    """The next child of a household. twin: the number of the first of its birth, 0 where it was born alone."""
    rng, model = ward.rng, _model(ward, siblings, twin)
    sex = model.sex if model and rng.random() < 0.9 else rng.choices("FM", (488, 512))[0]
    taken = {one.called for one in siblings}
    alike = model is not None and model.sex == sex
    called = _alike(ward, parents.community, model.called, sex, taken) if alike and model else _given(ward, parents.community, sex, taken)
    middle = _middle(ward, parents.community, sex, called, parents.father.split()[0])
    prefixed = sex == "M" and called not in names.PREFIXES and bool(parents.prefix) and rng.random() < 0.7
    half = parents.step and (siblings[-1].half if twin and twin != number else rng.random() < 0.5)
    family = _of_sex(parents.community, parents.other_family if half else parents.family, sex, {} if half else parents.divided)
    return Child(
        number, parents.household, parents.community, parents.prefix if prefixed else called, (called, *middle[:1]) if prefixed else middle, born,
        sex, _family_names(ward, parents, family, born, siblings), _with_childrens_home(ward, parents.homes, born), _upns(ward, parents, born),
        numbers.nhs(number), numbers.uln(number), (parents.mother, parents.step_father if half else parents.father), prefixed, twin, alike, half,
    )  # fmt: skip


def _model(ward: Ward, siblings: list[Child], twin: int) -> Child | None:
    """The sibling after whom a child is named alike."""
    rng = ward.rng
    if twin and siblings and siblings[-1].twin == twin:
        return siblings[-1] if rng.random() < ward.setting.alike_twins else None
    return rng.choice(siblings) if siblings and rng.random() < ward.setting.sisters_alike else None


def _family_names(ward: Ward, parents: _Parents, family: str, born: date, siblings: list[Child]) -> tuple[tuple[date, str], ...]:
    """The family name from birth, and the one it was changed to; siblings change it together, mostly."""
    rng, days = ward.rng, (TODAY - born).days - 400
    if days < 100:
        return ((born, family),)
    with_sibling = [one.family[1] for one in siblings if len(one.family) > 1 and one.family[0][1] == family and one.family[1][0] > born]
    if with_sibling and rng.random() < 0.7:
        return ((born, family), with_sibling[-1])
    if rng.random() >= ward.setting.renamed:
        return ((born, family),)
    other = rng.choice((parents.other_family, parents.mother.split()[-1], f"{family}-{parents.other_family}"))
    changed = born + timedelta(days=400 + rng.randrange(days))
    return ((born, family), (changed, other)) if other != family else ((born, family),)


def _with_childrens_home(ward: Ward, homes: tuple[tuple[date, Home], ...], born: date) -> tuple[tuple[date, Home], ...]:
    """A few live in one of the ward's two children's homes by now."""
    if ward.rng.random() >= ward.setting.childrens_homes or (TODAY - born).days < 900:
        return homes
    since = TODAY - timedelta(days=ward.rng.randrange(60, 800))
    return (*(one for one in homes if one[0] < since), (since, ward.rng.choice(ward.childrens_homes)))


def _upns(ward: Ward, parents: _Parents, born: date) -> tuple[tuple[date, str], ...]:
    """The UPN of the first school, and of a few a second that another school gave."""
    rng, year = ward.rng, born.year + 4
    found = [(born, _upn(ward, rng.choice(parents.schools), year))]
    days = (TODAY - born).days - 5 * 365
    if days > 100 and rng.random() < ward.setting.new_upn:
        changed = TODAY - timedelta(days=rng.randrange(days))
        found.append((changed, _upn(ward, rng.randrange(SCHOOLS_A_WARD), changed.year)))
    return tuple(found)


def _upn(ward: Ward, school: int, year: int) -> str:
    serial = ward.serials.get((school, year), 0) + 1
    ward.serials[school, year] = serial
    return numbers.upn(ward.number * SCHOOLS_A_WARD + school + 1, year, serial)


# -- strangers of equal name and birth date -------------------------------------------------------------------------


def _with_equal_strangers(ward: Ward, children: list[Child], elsewhere: list[Child]) -> list[Child]:
    """Some only children get the name and the birth date of a stranger; a few of these live near by."""
    rng, alone = ward.rng, _only_children(children)
    many = min(len(alone), int(ward.setting.equal_strangers * len(children) + rng.random()))
    for place in rng.sample(alone, many):
        model = rng.choice(children + elsewhere)
        if model.household != children[place].household:
            children[place] = _equal(ward, children[place], model)
    return children


def _only_children(children: list[Child]) -> list[int]:
    many: dict[int, int] = {}
    for child in children:
        many[child.household] = many.get(child.household, 0) + 1
    return [place for place, child in enumerate(children) if many[child.household] == 1]


def _equal(ward: Ward, child: Child, model: Child) -> Child:
    father = model.community.given["M"].draw(ward.rng)
    middle = _middle(ward, model.community, model.sex, model.called, father)
    mother = f"{model.community.given['F'].draw(ward.rng)} {model.surname}"
    near = ward.rng.random() < ward.setting.equal_neighbours
    return replace(
        child, community=model.community, given=model.given, middle=(model.called, *middle[:1]) if model.prefixed else middle,
        born=model.born, sex=model.sex, family=((model.born, model.surname),), prefixed=model.prefixed, planted=True, half=False,
        parents=(mother, f"{father} {model.surname}"), homes=_near(ward, model) if near else child.homes,
        upns=((model.born, _upn(ward, ward.rng.randrange(SCHOOLS_A_WARD), model.born.year + 4)),),
    )  # fmt: skip


def _near(ward: Ward, model: Child) -> tuple[tuple[date, Home], ...]:
    """Another house of the same postcode."""
    home = model.homes[-1][1]
    return ((model.born, replace(home, line=f"{ward.rng.randrange(1, 91)} {home.line.split(' ', 1)[1]}")),)
