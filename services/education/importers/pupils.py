"""How a school's systems name one pupil, and what the files of one delivery tell each other of schools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.plumbing.files.shelf import Shelf
from services.plumbing.register.subjects import Key, key, plain, valid_upns

ENROLMENT, EXCLUSION, MARK = (f"education.{name}-recorded.v1" for name in ("enrolment", "exclusion", "attendance"))
ADDRESS, RELATION, POINT = (f"education.{name}-recorded.v1" for name in ("address", "relation", "contact-point"))
"""Event types that several formats fill."""
Row = Mapping[str, str]
Spell = tuple[str, str, str]
"""(school, sourceid, pupil's own id)"""


@dataclass
class Delivery:
    """What the files of one delivery tell each other.

    shelf: rows by (kind of table, collection, spell) in the files read so far, and sessions possible by (term, school,
    sourceid). schools: number -> name. adopted: the own keys of pupils who left care by adoption.
    """

    shelf: Shelf = field(default_factory=Shelf)
    schools: dict[str, str] = field(default_factory=dict)
    adopted: set[Key] = field(default_factory=set)


def school_keys(school: str, person: Mapping[str, Any]) -> tuple[Key, ...]:
    """By what another system of this school may name the same pupil, the surer first.

    A valid UPN with birth date and first name (a UPN is mistyped for a twin's); or birth date and both names.
    """
    born, given, family = person.get("birth_date"), plain(person.get("given_name")), plain(person.get("family_name"))
    if not born or not given:
        return ()
    upns = [key("pupil", school, upn, born, given) for upn in sorted(valid_upns([person]))]
    return (*upns, key("name", school, born, given, family)) if family else tuple(upns)
