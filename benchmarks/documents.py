"""Files of the families that are no tables, written child by child: each child another one, with every part a system fills."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deploy.local.authority.people import upn
from tests.education import test_ctf as ctf
from tests.journeys.faults import born, given
from tests.socialcare import test_census as cin
from tests.socialcare import test_daily as daily
from tests.socialcare import test_ssda903_xml as care

A_SCHOOL = 1000
"""Children of one school, which is one file where schools speak for themselves."""
SPLIT = "\x00"
"""Where the children stand in a document."""
Write = Callable[[Path, int], list[Path]]


def write(out: Path, service: str, family: str, *, count: int) -> list[Path]:
    """The files of so many children."""
    return FAMILIES[service][family](out, count)


def _streamed(path: Path, whole: str, children: Iterator[str], *, between: str = "") -> Path:
    """A document with these children where its text is split."""
    before, after = whole.split(SPLIT)
    with path.open("w") as out:
        out.write(before)
        for number, one in enumerate(children):
            out.write((between if number else "") + one)
        out.write(after)
    return path


def _ctf(out: Path, count: int) -> list[Path]:
    parts = ctf.BASIC + ctf.HISTORY + ctf.contacts(ctf.CONTACT, ctf.OTHER) + ctf.ADDRESS
    return [
        _streamed(
            out / f"{school}_CTF_1.xml",
            ctf.ctf(SPLIT).replace("<Estab>4001</Estab><SchoolName>", f"<Estab>{school}</Estab><SchoolName>").replace(f"<Pupil>{SPLIT}</Pupil>", SPLIT),
            (f"<Pupil>{_named(number)}{parts.replace('4001', str(school))}</Pupil>" for number in numbers),
        )
        for school, numbers in _schools(count)
    ]  # fmt: skip


def _named(number: int) -> str:
    return (
        f"<UPN>{upn(number)}</UPN><Surname>{given(number)}son</Surname><Forename>{given(number)}</Forename><DOB>{born(number)}</DOB><Sex>F</Sex>"
    )


def _schools(count: int) -> Iterator[tuple[int, range]]:
    """(establishment number, its children) of as many schools as it takes."""
    for school, first in enumerate(range(0, count, A_SCHOOL)):
        yield 4001 + school, range(first, min(count, first + A_SCHOOL))


def _students(out: Path, count: int) -> list[Path]:
    return [
        _streamed(
            out / f"students-{school}.json",
            json.dumps({"school": {"la_code": "999", "establishment_number": str(school), "name": "Hill"}, "extracted": "2026-11-20", "students": [0]}).replace("[0]", f"[{SPLIT}]"),
            (json.dumps(_student(number)) for number in numbers), between=",",
        )
        for school, numbers in _schools(count)
    ]  # fmt: skip


def _student(number: int) -> dict[str, object]:
    name = given(number)
    relationship = {"relationship": "Mother", "parental_responsibility": True, "lives_with_pupil": True}
    contact = {"id": f"C{number}", "forename": "Rosa", "surname": f"{name}son", "relationship": {"data": relationship}}
    return {
        "id": f"S{number}", "legal_forename": name, "legal_surname": f"{name}son", "date_of_birth": {"date": born(number)}, "gender": "female",
        "education_details": {"data": {"upn": upn(number), "admission_date": {"date": "2020-09-01"}, "current_nc_year": "5"}},
        "contacts": {"data": [contact]},
    }  # fmt: skip


def _search(out: Path, count: int) -> list[Path]:
    found = (
        {"id": str(n), "UPN": upn(n), "Surname": f"{given(n)}son", "Forename": given(n), "DOB": born(n), "Sex": "F", "LocalAuthority": "999"}
        for n in range(count)
    )
    return [_streamed(out / "search-2026-11-20.json", f'{{"value": [{SPLIT}]}}', map(json.dumps, found), between=",")]


def _cin(out: Path, count: int) -> list[Path]:
    details = cin.REFERRAL + cin.ASSESSMENT + cin.ENQUIRY + cin.PLAN
    return [_streamed(out / "cin.xml", cin.census(SPLIT), (cin.child(details, id=f"C{number}") for number in range(count)))]


def _daily(out: Path, count: int) -> list[Path]:
    whole = json.dumps({"la_code": 999, "Children": [0]}).replace("[0]", f"[{SPLIT}]")
    children = (
        json.dumps({
            "la_child_id": f"C{n}", "child_details": {**daily.DETAILS, "first_name": given(n), "unique_pupil_number": upn(n), "date_of_birth": born(n)},
            "social_care_episodes": [daily.episode(social_care_episode_id=f"r{n}")],
        })
        for n in range(count)
    )  # fmt: skip
    return [_streamed(out / "2026-11-20.json", whole, children, between=",")]


def _care(out: Path, count: int) -> list[Path]:
    parts, episodes = care.REVIEW + care.OC2 + care.OTHERS, care.EPISODE + care.NEXT
    children = (care.child(parts, episodes, care.WHO.replace("007", f"C{n}").replace("W999000000024", upn(n))) for n in range(count))
    return [_streamed(out / "903-2025-03-31.xml", care.export(SPLIT), itertools.islice(children, count))]


FAMILIES: Mapping[str, Mapping[str, Write]] = {
    "education": {"ctf": _ctf, "students": _students, "search": _search},
    "socialcare": {"cin": _cin, "daily": _daily, "ssda903-xml": _care},
}
