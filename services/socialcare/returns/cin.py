"""The children in need census of a year: what the register holds of a child as its element, named and ordered as the schema of
that year has it. What the schema demands and the register does not hold leaves the part out, and is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.plumbing.register.entries import Held
from services.socialcare.returns.account import Account
from services.socialcare.returns.cin_modules import Modules, Unfit
from services.socialcare.returns.cin_parts import Parts
from services.socialcare.returns.holding import Holding, once
from services.socialcare.returns.year import Year

SEX_SINCE = 2025
GENDER_CURRENT = {"M": "1", "F": "2", "U": "0"}
"""Sex as censuses before 2025 wrote it. 0 is not recorded, 9 indeterminate: the register knows of no 9."""
MODULES = {
    "assessment": ("Assessments", "assessment_actual_start_date", "assessment_authorisation_date"),
    "section-47": ("Section47", "s47_actual_start_date", "s47_end_date"),
    "conference": ("DateOfInitialCPC", "date_of_initial_cpc", "date_of_initial_cpc"),
    "plan": ("CINPlanDates, ChildProtectionPlans", "start_date", "end_date"),
}
"""Event -> where it stands in the census, and the fields of its first and last day."""
_UPN = re.compile(r"[A-Za-z]\d{11}[\dA-Za-z]", re.ASCII)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def child(held: Holding, year: Year, codes: Codes, account: Account) -> Element | None:
    """A child with an episode that was open in the year; None for every other, and where something is missing without which
    the census takes no child."""
    _without_episode(held, year, account)
    referrals = [one for one in held.of("referral") if _in(one, year)]
    if not referrals:
        return None
    local = held.number("local_child_id")
    try:
        if local is None or _NO_XML.search(local):
            raise Unfit("ChildIdentifiers/LAchildID", "no number of the case system that XML can hold")
        return _Child(held, Parts(year, codes, account, local)).element(referrals)
    except Unfit as unfit:
        account.leave_child(local, unfit.where, unfit.why)
        return None


def _in(referral: Held, year: Year) -> bool:
    """An episode open in the year; one without its first day may be, and is told apart later."""
    return year.meets(referral.fields.get("referral_date") or year.first, referral.fields.get("closure_date"))


def _without_episode(held: Holding, year: Year, account: Account) -> None:
    """Modules of the year that name no episode of the child: the census has no place for them."""
    known = {one.fields["referral_id"] for one in held.of("referral")}
    for name, (where, begun, ended) in MODULES.items():
        for one in held.of(name):
            first = one.fields.get(begun)
            if one.fields.get("referral_id") not in known and first and year.meets(first, one.fields.get(ended)):
                account.leave(held.number("local_child_id"), where, "the register knows of no episode that it belongs to")


@dataclass
class _Child:
    """One child being written. Its rows count when it is whole."""

    held: Holding
    parts: Parts

    def element(self, referrals: list[Held]) -> Element:
        """The child. Raises Unfit."""
        found = etree.Element("Child")
        found.append(self._identifiers())
        found.append(self._characteristics())
        details = [one for referral in self._once(referrals) if (one := self._details(referral)) is not None]
        if not details:
            raise Unfit("CINdetails", "no episode of the child is whole enough for the census")
        found.extend(details)
        self.parts.count(found)
        return found

    def _once(self, referrals: list[Held]) -> list[Held]:
        found = once(
            referrals,
            same=lambda one: (one.fields.get("referral_date"), one.fields.get("referral_source")),
            own=lambda one: one.fields["referral_id"].startswith("CIN "),
            left=lambda _, why: self.parts.leave("CINdetails", why),
        )
        return sorted(found, key=lambda one: (one.fields.get("referral_date") or "", one.fields["referral_id"]))

    def _identifiers(self) -> Element:
        who, parts = self.held.person, self.parts
        found = etree.Element("ChildIdentifiers")
        parts.put(found, "LAchildID", parts.local)
        parts.put(found, "UPN", self._upn("upn", "UPN"))
        parts.put(found, "FormerUPN", self._upn("former_upn", "FormerUPN"))
        if found.find("UPN") is None:
            parts.put(found, "UPNunknown", parts.code(who, "upn_unknown", "upn_unknown", "ChildIdentifiers/UPNunknown"))
        parts.put(found, "PersonBirthDate", parts.day(who, "birth_date"))
        parts.put(found, "ExpectedPersonBirthDate", who.get("expected_birth_date"))
        self._sex(found, who)
        parts.put(found, "PersonDeathDate", parts.day(who, "death_date"))
        return found

    def _upn(self, type: str, name: str) -> str | None:
        found = self.held.number(type)
        if found is None or _UPN.fullmatch(found):
            return found
        return self.parts.leave(f"ChildIdentifiers/{name}", "a number of another form than the schema takes")

    def _sex(self, found: Element, who: Mapping[str, Any]) -> None:
        new = self.parts.year.number >= SEX_SINCE
        name = "Sex" if new else "GenderCurrent"
        sex = self.parts.demanded_code(who, "sex", "sex", f"ChildIdentifiers/{name}")
        self.parts.put(found, name, sex if new else GENDER_CURRENT[sex])

    def _characteristics(self) -> Element:
        found, parts, within = etree.Element("ChildCharacteristics"), self.parts, "ChildCharacteristics"
        parts.put(found, "Ethnicity", parts.demanded_code(self.held.person, "ethnicity", "ethnicity", f"{within}/Ethnicity"))
        for one in self.held.of("disability"):
            parts.list(found, "Disabilities", "Disability", one.fields.get("disabilities"), "disability", f"{within}/Disabilities")
        return found

    def _details(self, referral: Held) -> Element | None:
        """One episode; None, and said, where something is missing that the census demands."""
        try:
            return Modules(self.held, self.parts, referral.fields).element()
        except Unfit as unfit:
            self.parts.leave(unfit.where, unfit.why)
            return None
