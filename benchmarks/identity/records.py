"""What each source wrote down of each child, and when: an education roster first, then other sources and later versions."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from benchmarks.identity import mistakes, names, numbers
from benchmarks.identity.population import Child, Home
from benchmarks.identity.settings import CENSUS, DAILY_DAYS, TODAY, Setting

COLUMNS = (
    "id", "source", "given_name", "middle_names", "family_name", "former_family_name", "birth_date", "sex", "upn", "former_upn", "nhs_number",
    "uln", "local_id", "address", "town", "postcode", "recorded", "contact_names", "entity", "day",
)  # fmt: skip
"""Of the file. entity: the truth. day: 0 of the first load, 1 to 30 of a daily delivery."""
MOST = 5
"""Records of a child."""
YEAR = 365
Row = dict[str, str]
T = TypeVar("T")

_MIDDLE_MISSING = {"school": 0.4, "second_school": 1.0, "social_care": 1.2, "health": 1.0}
"""Times the setting's share."""
_CONTACTS = {"school": 1.3, "second_school": 0.9, "social_care": 1.2, "health": 0.5}
_UPN = {"school": 0.98, "second_school": 0.93, "social_care": 0.55, "health": 0.02}
_NHS = {"school": 0.0, "second_school": 0.0, "social_care": 0.5, "health": 0.97}
_ULN = {"school": 0.85, "second_school": 0.6, "social_care": 0.0, "health": 0.0}
"""Shares of records with the number, of those children that have one."""
_FORMER_UPN, _ATTENDS, _LEARNER = 0.5, int(3.5 * YEAR), 14 * YEAR


@dataclass
class Clerk:
    """Who writes a ward's records down. family: the children of each household; strangers: children of elsewhere."""

    setting: Setting
    rng: random.Random
    family: dict[int, list[Child]]
    strangers: Sequence[Child]
    known_to_care: dict[int, bool] = field(default_factory=dict)

    def happens(self, share: float) -> bool:
        """Whether, of so many, this is one."""
        return self.rng.random() < share

    def day(self, first: date, last: date) -> date:
        """Any day between."""
        return first + timedelta(days=self.rng.randrange(max(1, (last - first).days)))


def clerk(children: Sequence[Child], before: Sequence[Child], *, seed: int, ward: int, setting: Setting) -> Clerk:
    """Of a ward and those of earlier wards who may be mixed up with its children."""
    family: dict[int, list[Child]] = {}
    for child in children:
        family.setdefault(child.household, []).append(child)
    return Clerk(setting, random.Random(f"{setting.name} {seed} records {ward}"), family, [*before, *children])


def records_of(clerk: Clerk, child: Child) -> list[Row]:
    """Up to five, in order of the day they were recorded; no id yet."""
    rows = [row for source, when in _first_visits(clerk, child) for row in _of_source(clerk, child, source, when)]
    rows = sorted(rows, key=lambda row: (row["day"], row["recorded"]))[:MOST]
    if rows and clerk.happens(clerk.setting.daily * len(rows)):
        day = clerk.rng.randrange(1, DAILY_DAYS + 1)
        rows[-1] |= {"day": str(day), "recorded": (TODAY + timedelta(days=day)).isoformat()}
    return rows


def _first_visits(clerk: Clerk, child: Child) -> Iterator[tuple[str, date]]:
    """Which sources know the child, and since when."""
    setting, born = clerk.setting, child.born
    age = (CENSUS - born).days
    if clerk.happens(setting.schooled if age >= _ATTENDS else setting.nursery if age >= 1.5 * YEAR else 0):
        yield "school", CENSUS
    if age >= 5 * YEAR and clerk.happens(setting.second_school):
        yield "second_school", clerk.day(max(_aged(born, 4.2), TODAY - timedelta(days=7 * YEAR)), TODAY)
    known = clerk.known_to_care.setdefault(child.household, clerk.happens(setting.household_in_care_of))
    if known and clerk.happens(setting.in_care_of):
        yield "social_care", clerk.day(max(born, TODAY - timedelta(days=6 * YEAR)), TODAY)
    if clerk.happens(setting.health):
        yield "health", clerk.day(max(born, TODAY - timedelta(days=8 * YEAR)), TODAY)


def _aged(born: date, years: float) -> date:
    return born + timedelta(days=int(years * YEAR))


def _of_source(clerk: Clerk, child: Child, source: str, when: date) -> Iterator[Row]:
    """The first record, perhaps a later version, perhaps one under a second local id."""
    before = source == "social_care" and (when - child.born).days < 3 * YEAR and clerk.happens(clerk.setting.before_birth * 6)
    first = _before_birth(clerk, child) if before else _told(clerk, child, source, when)
    yield first
    if before or clerk.happens(clerk.setting.later_version):
        yield _later(clerk, child, first, clerk.day(when, TODAY) if when < TODAY else TODAY, afresh=before)
    if clerk.happens(clerk.setting.second_local_id):
        again = clerk.day(when, TODAY) if when < TODAY else TODAY
        yield _told(clerk, child, source, again) | {"local_id": numbers.local(source, child.number, second=True)}


def _told(clerk: Clerk, child: Child, source: str, when: date) -> Row:
    """The child as that source wrote it down on that day."""
    return {
        "source": source, **_names(clerk, child, source, when),
        "birth_date": mistakes.birth_date(clerk.rng, clerk.setting, child.born, often_unknown=child.community.first_january),
        "sex": _sex(clerk, child), **_numbers(clerk, child, source, when), "local_id": numbers.local(source, child.number),
        **_address(clerk, child, when), "recorded": when.isoformat(), "contact_names": _contacts(clerk, child, source),
        "entity": child.entity, "day": "0",
    }  # fmt: skip


def _later(clerk: Clerk, child: Child, first: Row, when: date, *, afresh: bool) -> Row:
    """A later version of the same source: written afresh, or the earlier one with what has changed since."""
    fresh = _told(clerk, child, first["source"], when)
    if afresh or clerk.happens(clerk.setting.corrected):
        return fresh
    changed = {"recorded": fresh["recorded"], **{name: fresh[name] for name in ("address", "town", "postcode")}}
    old, new = (held(child.family, date.fromisoformat(day)) for day in (first["recorded"], fresh["recorded"]))
    if old != new:
        changed |= {name: fresh[name] for name in ("family_name", "former_family_name")}
    return first | changed


def _before_birth(clerk: Clerk, child: Child) -> Row:
    """Social care's record of a child that is expected: no name of its own, and the day it was expected."""
    when = child.born - timedelta(days=clerk.rng.randrange(20, 120))
    expected = child.born + timedelta(days=clerk.rng.randrange(-14, 22))
    row = _told(clerk, child, "social_care", when)
    return row | {
        "given_name": clerk.rng.choice(("Unborn", "Baby", "")), "middle_names": "", "family_name": child.parents[0].split(" ", 1)[1],
        "former_family_name": "", "birth_date": expected.isoformat(), "sex": "", "upn": "", "former_upn": "", "nhs_number": "",
    }  # fmt: skip


# -- names -----------------------------------------------------------------------------------------------------------


def held(changes: Sequence[tuple[date, T]], when: date) -> T:
    """What held that day: the last that had begun; else the first."""
    return next((value for since, value in reversed(changes) if since <= when), changes[0][1])


def _names(clerk: Clerk, child: Child, source: str, when: date) -> Row:
    """The four fields of names, with what goes wrong in them."""
    given, middle = _given_and_middle(clerk, child, source)
    family, former = _family_and_former(clerk, child, when)
    if child.community.father and clerk.happens(0.06) and child.middle:
        family, middle = child.middle[-1], []
    setting = clerk.setting
    given = "" if clerk.happens(setting.name_missing) else mistakes.name(clerk.rng, setting, given, given=True)
    family = "" if clerk.happens(setting.name_missing / 2) else mistakes.name(clerk.rng, setting, family, given=False)
    if clerk.happens(setting.turned * child.community.turned):
        given, family = family, given
    second = " ".join(mistakes.name(clerk.rng, setting, one, given=True) for one in middle)
    return {"given_name": given, "middle_names": second, "family_name": family, "former_family_name": former}


def _given_and_middle(clerk: Clerk, child: Child, source: str) -> tuple[str, list[str]]:
    if child.prefixed:
        return _prefixed(clerk, child, source)
    middle = list(child.middle)
    if middle and not child.community.father and clerk.happens(clerk.setting.middle_as_given):
        return middle[0], [child.given] if clerk.happens(0.5) else []
    if clerk.happens(clerk.setting.middle_missing * _MIDDLE_MISSING[source]):
        middle = []
    elif middle and clerk.happens(0.08):
        middle = [middle[0][0]]
    return child.given, middle


def _prefixed(clerk: Clerk, child: Child, source: str) -> tuple[str, list[str]]:
    """A prefix and the name the child goes by, as sources write them: in full, in one field, or one of the two alone."""
    prefix, called, rest = child.given, child.called, list(child.middle[1:])
    prefix = clerk.rng.choice(names.PREFIXES) if clerk.happens(0.12) else prefix
    weights = (50, 26, 10, 10, 4) if source == "school" else (38, 22, 20, 15, 5)
    way = clerk.rng.choices(range(5), weights)[0]
    return (
        (prefix, [called, *rest]), (f"{prefix} {called}", rest), (called, []), (prefix, []), (called, [prefix]),
    )[way]  # fmt: skip


def _family_and_former(clerk: Clerk, child: Child, when: date) -> tuple[str, str]:
    """The family name of the day, or one that is no longer, or another of the family's; and the one before, where it is told."""
    name, first = held(child.family, when), child.family[0][1]
    if name != first and clerk.happens(clerk.setting.late_surname):
        name = first
    if clerk.happens(clerk.setting.wrong_surname):
        name = clerk.rng.choice(child.parents).split(" ", 1)[1]
    former = first if name != first and clerk.happens(clerk.setting.former_told) else ""
    return name, former


def _contacts(clerk: Clerk, child: Child, source: str) -> str:
    """The parents, each perhaps, as that source writes them."""
    told = []
    for parent in child.parents:
        if clerk.happens(clerk.setting.contacts * _CONTACTS[source]):
            given, family = parent.split(" ", 1)
            told.append(f"{mistakes.name(clerk.rng, clerk.setting, given, given=True)} {family}")
    return "; ".join(told)


# -- the rest --------------------------------------------------------------------------------------------------------


def _sex(clerk: Clerk, child: Child) -> str:
    if clerk.happens(clerk.setting.sex_missing):
        return clerk.rng.choice(("", "U"))
    return "FM"[child.sex == "F"] if clerk.happens(clerk.setting.sex_wrong) else child.sex


def _address(clerk: Clerk, child: Child, when: date) -> Row:
    """Where the child lived that day, or before, or with somebody else."""
    setting, rng = clerk.setting, clerk.rng
    home = held(child.homes, when)
    if clerk.happens(setting.old_address):
        home = held(child.homes, when - timedelta(days=rng.randrange(200, 2000)))
    elif clerk.happens(setting.elsewhere):
        home = rng.choice(clerk.strangers).homes[-1][1]
    if clerk.happens(setting.address_missing):
        return {"address": "", "town": "", "postcode": ""}
    return {"address": mistakes.address(rng, setting, home.line), "town": home.town, "postcode": _postcode(clerk, home)}


def _postcode(clerk: Clerk, home: Home) -> str:
    if clerk.happens(clerk.setting.postcode_missing):
        return ""
    return mistakes.postcode(clerk.rng, home.postcode) if clerk.happens(clerk.setting.postcode_typed) else home.postcode


def _numbers(clerk: Clerk, child: Child, source: str, when: date) -> Row:
    """The numbers that source has of the child; a few are another child's, a default, mistyped, or no longer in use."""
    row = _own_numbers(clerk, child, source, when)
    present = [name for name in ("upn", "nhs_number") if row[name]]
    often = clerk.setting.twins_mixed_up if child.twin else 1
    if present and clerk.happens(clerk.setting.wrong_number * often / 0.9):
        name = clerk.rng.choice(present)
        row[name] = _number_of(_mixed_up_with(clerk, child), name, when)
    elif present and clerk.happens(clerk.setting.number_typed):
        name = clerk.rng.choice(present)
        row[name] = mistakes.number(clerk.rng, row[name])
    if clerk.happens(clerk.setting.default_number):
        row |= {"nhs_number": numbers.DEFAULT_NHS} if source in ("health", "social_care") else {"upn": numbers.DEFAULT_UPN}
    return row


def _own_numbers(clerk: Clerk, child: Child, source: str, when: date) -> Row:
    age = (when - child.born).days
    upn, first = held(child.upns, when), child.upns[0][1]
    if upn != first and clerk.happens(clerk.setting.old_upn):
        upn = first
    told = clerk.happens(_UPN[source] * (1 if age >= _ATTENDS else 0.3))
    former = told and upn != first and clerk.happens(_FORMER_UPN)
    return {
        "upn": upn if told else "", "former_upn": first if former else "", "nhs_number": child.nhs if clerk.happens(_NHS[source]) else "",
        "uln": child.uln if age >= _LEARNER and clerk.happens(_ULN[source]) else "",
    }  # fmt: skip


def _mixed_up_with(clerk: Clerk, child: Child) -> Child:
    """Whose number was written: a twin's mostly, where there is one; a sibling's; or that of anybody."""
    siblings = [one for one in clerk.family[child.household] if one.number != child.number]
    twins = [one for one in siblings if one.twin and one.twin == child.twin]
    if twins and clerk.happens(0.75):
        return clerk.rng.choice(twins)
    if siblings and clerk.happens(0.6):
        return clerk.rng.choice(siblings)
    return clerk.rng.choice([one for one in clerk.rng.choices(clerk.strangers, k=4) if one.number != child.number])


def _number_of(child: Child, name: str, when: date) -> str:
    return held(child.upns, when) if name == "upn" else child.nhs
