"""Which census a table is of, and which sessions it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.plumbing.files import values
from services.plumbing.files.delivery import Options
from services.plumbing.files.report import FileRefused

_TERM_ENDS = {"autumn": (9, 1, 12, 20), "spring": (1, 5, 4, 5), "summer": (4, 20, 7, 22)}
_CENSUS_DAYS = {"autumn": "10-05", "spring": "01-18", "summer": "05-18"}
FIRST_YEAR = 2000
PREFIXES = ("termly", "summerhalfterm2", "annual")
"""How the columns and tables of the three periods begin."""
Period = Mapping[str, str]
"""`term` (its name), `term_start` and `term_end` (ISO dates)"""


def collection_of(name: str, options: Options) -> str:
    """`2025-spring`, from the option or from a file name such as 2025_spring_pupilonroll.csv. Raises FileRefused."""
    named = re.search(r"(20\d{2})[_-](autumn|spring|summer)", name.lower())
    in_name = f"{named.group(1)}-{named.group(2)}" if named else None
    option = options.collection.strip().lower() if options.collection else None
    if option and in_name and option != in_name:
        raise FileRefused(name, f"--collection says {option}, but its name says {in_name}")
    found = option or in_name
    if not found:
        raise FileRefused(name, "neither the file nor its name says which census this is", option="--collection 2025-spring")
    year, _, season = found.partition("-")
    if season not in _TERM_ENDS or not re.fullmatch(r"\d{4}", year, re.ASCII):
        raise FileRefused(name, f"the collection {found} is not a year and a term", option="--collection 2025-spring")
    if not FIRST_YEAR <= int(year) <= int(values.today()[:4]) + 1:
        raise FileRefused(name, f"the collection {found} is not from {FIRST_YEAR} to next year")
    return found


def census_day(collection: str) -> str:
    """About when a census is taken: as of when it speaks, where nothing says it better."""
    year, _, season = collection.partition("-")
    return f"{year}-{_CENSUS_DAYS[season]}"


def periods(collection: str, extracted: str) -> dict[str, Period]:
    """The periods that a census counts sessions of, by how their columns begin: its own term; the second half of the last
    summer term, and the school year, that were over by then."""
    year, _, season = collection.partition("-")
    month, day, to_month, to_day = _TERM_ENDS[season]
    summer = int(year) if season == "autumn" else int(year) - 1
    return {
        "termly": {
            "term": collection,
            "term_start": f"{year}-{month:02d}-{day:02d}",
            "term_end": min(f"{year}-{to_month:02d}-{to_day:02d}", extracted),
        },
        "summerhalfterm2": {"term": f"{summer}-summer-half-term-2", "term_start": f"{summer}-06-01", "term_end": f"{summer}-07-22"},
        "annual": {"term": f"{summer - 1}/{summer % 100:02d}", "term_start": f"{summer - 1}-09-01", "term_end": f"{summer}-07-22"},
    }
