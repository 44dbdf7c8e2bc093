"""Where an invented household lives, how it is reached, and what it says of itself: the same to every service."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from deploy.local.authority import names
from deploy.local.authority.people import Authority

ETHNICITIES = {"WBRI": 64, "WOTH": 8, "APKN": 6, "BAFR": 5, "AIND": 4, "MWBC": 3, "MOTH": 3, "ABAN": 3, "WIRI": 1, "REFU": 1, "OOTH": 2}
LANGUAGES = {"ENG": 80, "URD": 5, "POL": 4, "SOM": 3, "RMNR": 3, "PNJ": 3, "CYM": 2}
"""Of a hundred, about as many as in the country."""


@dataclass(frozen=True)
class Home:
    """A household's home. first_line: number and street."""

    number: str
    street: str
    postcode: str
    telephone: str
    email: str

    @property
    def first_line(self) -> str:
        """As letters are addressed."""
        return f"{self.number} {self.street}"


@lru_cache(maxsize=100_000)
def _home(seed: int, household: int) -> Home:
    luck = random.Random(f"{seed} address {household}")
    number, street = luck.randrange(1, 190), luck.choice(names.STREETS)
    road, district = luck.choice(("Road", "Street", "Close", "Way")), f"WX{household % 90 + 1} {luck.randrange(1, 10)}AA"
    return Home(str(number), f"{street} {road}", district, f"07700 900{household % 1000:03d}", f"family{household}@example.org")


def home_of(authority: Authority, household: int) -> Home:
    """A household's home. Its telephone number is of the range kept for drama, its e-mail address of one that nobody has."""
    return _home(authority.seed, household)


@lru_cache(maxsize=100_000)
def origin_of(household: int) -> tuple[str, str]:
    """A household's ethnicity and first language, as the census codes them."""
    luck = random.Random(f"origin {household}")
    ethnicity = luck.choices(list(ETHNICITIES), list(ETHNICITIES.values()))[0]
    language = "ENG" if ethnicity == "WBRI" else luck.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
    return ethnicity, language


@dataclass(frozen=True)
class Adult:
    """Somebody of a household. older: how many years older than its eldest child."""

    given: str
    family: str
    sex: str
    older: int


def mother_of(authority: Authority, household: int) -> Adult:
    """The mother of a household's children, with the name of the eldest."""
    return adults_of(authority, household, 1)[0]


def adults_of(authority: Authority, household: int, count: int) -> list[Adult]:
    """The mother, and if there are two a step-parent with a name of his own."""
    luck, found = random.Random(f"{authority.seed} home {household}"), []
    for sex in "FM"[:count]:
        older, given = luck.randrange(25, 38), luck.choice(names.GIVEN[sex])
        found.append(Adult(given, authority.family_of(household) if sex == "F" else luck.choice(names.FAMILY), sex, older))
    return found


def grandparent_of(authority: Authority, household: int) -> Adult:
    """A grandparent who lives elsewhere."""
    luck = random.Random(f"{authority.seed} grandparent {household}")
    return Adult(luck.choice(names.GIVEN["F"]), authority.family_of(household), "F", 55)
