"""One child of the children in need census: who it is, and what each of its episodes (`CINdetails`) holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element as Element

from services.plumbing.files import values
from services.plumbing.register.entries import Statement
from services.socialcare.importers import cin_episode, disabilities
from services.socialcare.importers.cin_element import Taker
from services.socialcare.importers.refusal import Refused

GENDER_CURRENT = {"0": "U", "1": "M", "2": "F", "9": "U"}
READ = frozenset({
    "ChildIdentifiers", "ChildCharacteristics", "CINdetails",
    *(f"ChildIdentifiers/{one}" for one in (
        "LAchildID", "UPN", "FormerUPN", "UPNunknown", "PersonBirthDate", "ExpectedPersonBirthDate", "Sex", "GenderCurrent",
        "PersonDeathDate",
    )),
    *(f"ChildCharacteristics/{one}" for one in ("Ethnicity", "Disabilities", "Disabilities/Disability")),
    *(f"CINdetails/{one}" for one in cin_episode.READ),
})  # fmt: skip
"""The elements that are read; others are counted as ignored."""


def ignored(element: Element, within: str = "") -> Iterator[str]:
    """The paths of a child's elements that are not read."""
    for part in element.iterchildren("*"):
        path = f"{within}{part.tag}"
        if path in READ:
            yield from ignored(part, f"{path}/")
        else:
            yield path


@dataclass
class Reading(Taker):
    """One child being read. Every module of an episode is a part of its own: its fault keeps no other out."""

    def child(self, child: Element) -> tuple[str, list[Statement]] | None:
        """The child's local id, and what the census says of it; None when nobody can be told by it."""
        try:
            local = self.local_id(child)
            who = self._person(child, local)
        except Refused as refused:
            self.refuse(refused)
            return None
        statements = [who, *self._disabilities(child)]
        for details in child.iterfind("CINdetails"):
            statements += cin_episode.Episode(self, details).statements()
        return local, statements

    def local_id(self, child: Element) -> str:
        """The case system's number of the child. Raises Refused."""
        local = values.code(child.findtext("ChildIdentifiers/LAchildID"))
        if local is None:
            raise Refused("ChildIdentifiers/LAchildID", None, "a child without its local id cannot be told from others")
        return local

    def _person(self, child: Element, local: str) -> Statement:
        who = child.find("ChildIdentifiers")
        assert who is not None
        fields: dict[str, Any] = {
            "birth_date": self.day(who, "PersonBirthDate"),
            "expected_birth_date": self.other_day(who, "ExpectedPersonBirthDate"),
            "death_date": self.other_day(who, "PersonDeathDate"),
            "sex": self.code(who, "Sex", "sex") or self._gender_current(who),
            "upn_unknown": self.code(who, "UPNunknown", "upn_unknown"),
            "ethnicity": self.code(child, "ChildCharacteristics/Ethnicity", "ethnicity"),
        }
        numbers = [values.upn(who.findtext("UPN")), values.upn(who.findtext("FormerUPN"), type="former_upn")]
        fields["identifiers"] = [values.local_id(local), *[one for one in numbers if one]]
        for one in fields["identifiers"]:
            if not one["valid"]:
                self.report.flag(self.number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
        return Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=self.number)

    def _gender_current(self, who: Element) -> str | None:
        """Sex as censuses before 2025 wrote it: the element named gender held sex."""
        found = values.code(who.findtext("GenderCurrent"))
        if found and found not in GENDER_CURRENT:
            self.report.flag(self.number, "GenderCurrent", found, "not in the code list; left out")
        return GENDER_CURRENT.get(found or "")

    def _disabilities(self, child: Element) -> Iterator[Statement]:
        found = self.codes_of(child, "ChildCharacteristics/Disabilities/Disability", "disability", disabilities.code)
        if found:
            fields = {"disabilities": found}
            yield Statement("socialcare.disability-recorded.v1", "R-CASE", fields, row=self.number, part=self.next_part())
