"""What one school's own system delivers beside marks: students with where they live, how they are reached and whose contacts they
have; and later what it deleted. In the shape of the integrators' JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deploy.local.authority import names
from deploy.local.authority.homes import Adult, grandparent_of, home_of, mother_of
from deploy.local.authority.people import Authority, Child

SEXES = {"F": "female", "M": "male"}


def school_of(school: str) -> dict[str, str]:
    """How a file says which school it is from."""
    return {"la_code": school[:3], "establishment_number": school[3:], "name": names.SCHOOLS[int(school) % len(names.SCHOOLS)]}


def write(path: Path, school: str, extracted: date, **lists: Sequence[dict[str, Any]]) -> None:
    """One delivery of a school's system: some of its lists."""
    body = {"school": school_of(school), "extracted": extracted.isoformat(), **lists}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, ensure_ascii=False, indent=None, separators=(",", ":")), encoding="utf-8")


def who(child: Child) -> dict[str, Any]:
    """Names and numbers of a student, as every list has them."""
    assert child.born is not None
    return {
        "id": child.number, "legal_forename": child.given, "legal_surname": child.family,
        "date_of_birth": {"date": child.born.isoformat()}, "education_details": {"data": {"upn": child.upn or ""}},
    }  # fmt: skip


def student(authority: Authority, child: Child, *, entered: date, year: str) -> dict[str, Any]:
    """A student with everything that the school holds beside marks."""
    found, home = who(child), home_of(authority, child.household)
    found["education_details"]["data"] |= {"current_nc_year": year, "admission_date": entered.isoformat()}
    place = {"house_number": home.number, "street": home.street, "town": names.PLACE, "postcode": home.postcode}
    return found | {
        "gender": SEXES[child.sex],
        "contact_details": {"data": {"addresses": {"home": place}, "phones": {"home": home.telephone}, "emails": {"email": home.email}}},
        "contacts": {"data": contacts_of(authority, child)},
    }


def contacts_of(authority: Authority, child: Child) -> list[dict[str, Any]]:
    """The mother, and of some a grandparent whom the school may ring."""
    mother, home = mother_of(authority, child.household), home_of(authority, child.household)
    found = [_contact(child, 1, mother, "Mother", home.telephone, at_home=True)]
    if child.story or child.number % 4 == 0:
        found.append(_contact(child, 2, grandparent_of(authority, child.household), "Grandparent", "01632 960" + home.telephone[-3:], at_home=False))
    return found


def contact_id(child: Child, place: int) -> int:
    """The system's number of a contact."""
    return child.number * 10 + place


def _contact(child: Child, place: int, adult: Adult, how: str, telephone: str, *, at_home: bool) -> dict[str, Any]:
    return {
        "id": contact_id(child, place), "forename": adult.given, "surname": adult.family,
        "relationship": {"data": {"relationship": how, "parental_responsibility": at_home, "lives_with_pupil": at_home}},
        "contact_details": {"data": {"phones": {"data": {"mobile": telephone}}}},
    }  # fmt: skip


def deletion(child: Child, place: int, day: date) -> dict[str, Any]:
    """One of a student's contacts, deleted."""
    return {"id": contact_id(child, place), "type": "contact", "student_id": child.number, "deleted_at": day.isoformat()}
