"""Comparing two people field by field: what agrees, how well, and what does not; levels alone, no value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from services.childview.identity.demographics import EVIDENCE, Demographics
from services.childview.identity.names import Spelling, is_prefix, joined

UNKNOWN = "unknown"
LEVELS: dict[str, tuple[str, ...]] = {
    "given_name": ("equal", "variant", "close", "similar", "crossed", "initial", "distinct", "different"),
    "middle_names": ("equal", "initial", "different"),
    "family_name": ("equal", "part", "close", "similar", "different"),
    "birth_date": ("equal", "swapped", "slip", "default", "near", "year", "different"),
    "sex": ("equal", "different"),
    "place": ("equal", "street", "close", "area", "different"),
    "contacts": ("equal", "family", "different"),
    "upn": ("equal", "close", "different"),
    "nhs_number": ("equal", "close", "different"),
    "uln": ("equal", "close", "different"),
    "identifier": ("equal", "close", "different"),
    "local": ("equal", "different"),
}
"""The levels of each field, the strongest first. Besides these, `unknown`: one of the two says nothing."""
_RANK = {name: {level: place for place, level in enumerate(levels)} for name, levels in LEVELS.items()}
NUMBERS = ("upn", "nhs_number", "uln")
EXPECTED_WITHIN = 45
"""Days between an expected and a real birth date."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The level of each field, and the values that agree: how common these are weighs, so they stay in memory alone.

    agreed: field -> value. prefix: the given names agree in nothing but a prefix name. separated: somewhere among all the
    given names of the two stand two that are names of two children, however well others agree.
    """

    levels: dict[str, str]
    agreed: dict[str, str]
    prefix: bool = False
    separated: bool = False

    def __getitem__(self, field: str) -> str:
        return self.levels.get(field, UNKNOWN)

    @property
    def shared(self) -> list[str]:
        """The kinds of strong identifier that agree."""
        return [kind for kind in NUMBERS if self[kind] == "equal"]

    @property
    def conflicts(self) -> list[str]:
        """The kinds of strong identifier that both have, none alike."""
        return [kind for kind in NUMBERS if self[kind] in ("different", "close")]


def compare(one: Demographics, other: Demographics, spelling: Spelling) -> Comparison:
    """What two people agree in. Each may be a child of many records: the best agreement of each field counts."""
    levels: dict[str, str] = {}
    agreed: dict[str, str] = {}
    _names(one, other, spelling, levels, agreed)
    _keep(levels, agreed, "middle_names", _middle(one, other))
    _keep(levels, agreed, "birth_date", _birth(one, other))
    if one.sex and other.sex:
        levels["sex"] = "equal" if one.sex & other.sex else "different"
    _keep(levels, agreed, "place", _place(one, other))
    _keep(levels, agreed, "contacts", _contacts(one, other))
    if one.local and other.local and one.sources & other.sources:
        levels["local"] = "equal" if one.local & other.local else "different"
    if one.identifiers and other.identifiers:
        for kind in NUMBERS:
            _keep(levels, agreed, kind, _numbers(one.numbers(kind), other.numbers(kind)))
        _keep(levels, agreed, "identifier", _evidence(one, other))
    separated = any(spelling.given(a, b) == "distinct" for a, b in product(one.given, other.given))
    return Comparison(levels, agreed, _prefix_alone(levels, agreed), separated)


Found = tuple[str, str]


def _keep(levels: dict[str, str], agreed: dict[str, str], field: str, found: Found | None) -> None:
    if found is not None:
        levels[field] = found[0]
        if found[1]:
            agreed[field] = found[1]


def _strongest(field: str, found: Iterable[Found]) -> Found | None:
    rank = _RANK[field]
    return min(found, key=lambda one: rank[one[0]], default=None)


def _names(
    one: Demographics, other: Demographics, spelling: Spelling, levels: dict[str, str], agreed: dict[str, str]
) -> None:
    given = _strongest("given_name", ((spelling.given(a, b), a) for a, b in product(one.given, other.given)))
    family = _strongest("family_name", ((spelling.family(a, b), a) for a, b in product(one.family, other.family)))
    weak = (given is None or given[0] in _WEAK) and (family is None or family[0] in ("similar", "different"))
    if weak and (turned := _crossed(one, other, spelling)):
        levels["given_name"] = turned
        return
    if given is None or given[0] in _WEAK:
        given = _by_middle(one, other, spelling) or given
    _keep(levels, agreed, "given_name", given)
    _keep(levels, agreed, "family_name", family)


_WEAK = ("similar", "initial", "distinct", "different")


def _crossed(one: Demographics, other: Demographics, spelling: Spelling) -> str | None:
    """crossed where the family name of each is the given name of the other; similar where one of the two is mistyped."""
    there = {spelling.family(a, b) for a, b in product(one.family, other.given)}
    back = {spelling.family(a, b) for a, b in product(one.given, other.family)}
    if "equal" in there and "equal" in back:
        return "crossed"
    return "similar" if "equal" in there | back and "close" in there | back and all(f & {"equal", "close"} for f in (there, back)) else None


def _by_middle(one: Demographics, other: Demographics, spelling: Spelling) -> Found | None:
    """Whether one is called by what is a middle name of the other."""
    for mine, theirs in ((one, other), (other, one)):
        for name, middle in product(mine.given, theirs.middle):
            if not is_prefix(name) and len(name) > 2 and any(spelling.given(name, m) == "equal" for m in (middle, *middle.split())):
                return "variant", name
    return None


def _middle(one: Demographics, other: Demographics) -> Found | None:
    if not one.middle or not other.middle:
        return None
    return _strongest("middle_names", ((_middles(a, b), a) for a, b in product(one.middle, other.middle)))


def _middles(one: str, other: str) -> str:
    if joined(one) == joined(other) or JaroWinkler.similarity(one, other) >= 0.92:
        return "equal"
    if min(len(one), len(other)) == 1 and one[0] == other[0]:
        return "initial"
    return "equal" if {w for w in one.split() if len(w) > 2} & set(other.split()) else "different"


def _birth(one: Demographics, other: Demographics) -> Found | None:
    expected = one.expected or other.expected
    pairs = product(one.birth_dates, other.birth_dates)
    return _strongest("birth_date", ((_days(a, b, expected), "") for a, b in pairs))


def _days(one: date, other: date, expected: bool) -> str:
    if one == other:
        return "equal"
    if expected and abs((one - other).days) <= EXPECTED_WITHIN:
        return "near"
    if swapped(one) == other:
        return "swapped"
    if one.year == other.year and (_is_default(one) or _is_default(other)):
        return "default"
    return _slip(one, other)


def _is_default(day: date) -> bool:
    """1 January is what is typed where only the year is known."""
    return (day.month, day.day) == (1, 1)


def _slip(one: date, other: date) -> str:
    same = (one.year == other.year) + (one.month == other.month) + (one.day == other.day)
    if same == 2 and DamerauLevenshtein.distance(one.isoformat(), other.isoformat(), score_cutoff=1) <= 1:
        return "slip"
    if same == 2:
        return "near"
    if DamerauLevenshtein.distance(f"{one:%Y%m%d}", f"{other:%Y%m%d}", score_cutoff=1) <= 1:
        return "slip"
    return "year" if one.year == other.year else "different"


def swapped(day: date | None) -> date | None:
    """The date with day and month exchanged, where that is a date and another one."""
    if day is None or day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def _place(one: Demographics, other: Demographics) -> Found | None:
    both = one.addresses & other.addresses
    if both:
        return "equal", min(both)
    codes = one.postcodes & other.postcodes
    if codes:
        lines = one.addresses and other.addresses
        near = not lines or any(_same_house(a, b) for a, b in product(one.addresses, other.addresses))
        return ("equal" if near else "street"), min(codes)
    if any(_close_line(a, b) for a, b in product(one.addresses, other.addresses)):
        return "close", ""
    if not one.postcodes or not other.postcodes:
        return None if not (one.addresses and other.addresses) else ("different", "")
    found = [_codes(a, b) for a, b in product(one.postcodes, other.postcodes)]
    return _strongest("place", ((level, "") for level in found))


def _same_house(one: str, other: str) -> bool:
    mine, theirs = one.rpartition("|")[0], other.rpartition("|")[0]
    return _house(mine) == _house(theirs) and JaroWinkler.similarity(mine, theirs) >= 0.85


def _house(line: str) -> str:
    return line[: len(line) - len(line.lstrip("0123456789"))]


def _close_line(one: str, other: str) -> bool:
    mine, _, here = one.rpartition("|")
    theirs, _, there = other.rpartition("|")
    if len(mine) < 6 or len(theirs) < 6:
        return False
    return JaroWinkler.similarity(mine, theirs) >= 0.95 and _house(mine) == _house(theirs) and _one_slip(here, there)


def _one_slip(one: str, other: str) -> bool:
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1


def _codes(one: str, other: str) -> str:
    if min(len(one), len(other)) > 4 and _one_slip(one, other):
        return "close"
    return "area" if len(one) > 4 and one[:-2] == other[:-2] else "different"


def _contacts(one: Demographics, other: Demographics) -> Found | None:
    if not one.contacts or not other.contacts:
        return None
    both = one.contacts & other.contacts
    if both:
        return "equal", min(both)
    own = {*one.family, *other.family}
    found = ((_contact(a, b, own), "") for a, b in product(one.contacts, other.contacts))
    return _strongest("contacts", found)


def _contact(one: str, other: str, own: Collection[str]) -> str:
    """A family name alike says something only where it is not the child's own: that was counted already."""
    if JaroWinkler.similarity(one, other) >= 0.95:
        return "equal"
    last = one.split()[-1]
    return "family" if last == other.split()[-1] and last not in own else "different"


def _numbers(mine: Iterable[str], theirs: Iterable[str]) -> Found | None:
    mine, theirs = set(mine), set(theirs)
    if not mine or not theirs:
        return None
    both = mine & theirs
    if both:
        return "equal", min(both)
    return ("close" if any(_one_slip(a, b) for a, b in product(mine, theirs)) else "different"), ""


def _evidence(one: Demographics, other: Demographics) -> Found | None:
    """Numbers that only speak for: by type, the best."""
    mine, theirs = (_by_type(who.identifiers) for who in (one, other))
    found = [_numbers(mine[kind], theirs[kind]) for kind in mine.keys() & theirs.keys()]
    return _strongest("identifier", [level for level in found if level is not None])


def _by_type(identifiers: Iterable[str]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for name in identifiers:
        if name.startswith(EVIDENCE):
            kinds.setdefault(name.partition(":")[0], set()).add(name)
    return kinds


def _prefix_alone(levels: dict[str, str], agreed: dict[str, str]) -> bool:
    return levels.get("given_name") in ("equal", "variant", "close") and is_prefix(agreed.get("given_name", ""))
