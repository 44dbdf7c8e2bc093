"""Values of a census as its schema takes them: what it does not take is left out and said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.socialcare.returns.account import Account
from services.socialcare.returns.year import Year

COUNTED = ("CINdetails", "Assessments", "CINPlanDates", "Section47", "ChildProtectionPlans", "CPPreviewDate")

NO_CODE = "a code that the schema does not have"
NOT_HELD = "the schema demands it, and the register does not hold it"


class Unfit(Exception):
    """A part that does not go out: where, and why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


@dataclass(frozen=True)
class Parts:
    """Puts values of one child into elements. local: the case system's number of it."""

    year: Year
    codes: Codes
    account: Account
    local: str

    def leave(self, where: str, why: str) -> None:
        """Something does not go out."""
        self.account.leave(self.local, where, why)

    def put(self, element: Element, name: str, text: str | None) -> None:
        """An element of this text; none where there is none."""
        if text is not None:
            etree.SubElement(element, name).text = text

    def day(self, fields: Mapping[str, Any], name: str) -> str | None:
        """A date as it was known when the year ended."""
        return self.year.by_its_end(fields.get(name))

    def code(self, fields: Mapping[str, Any], name: str, list: str, where: str) -> str | None:
        """A code that the schema has; another is left out and said."""
        found = fields.get(name)
        if found is None or found in self.codes[list]:
            return found
        return self.leave(where, NO_CODE)

    def demanded_code(self, fields: Mapping[str, Any], name: str, list: str, where: str) -> str:
        """A code that the schema has and demands. Raises Unfit."""
        found = self.demanded(fields.get(name), where)
        if found not in self.codes[list]:
            raise Unfit(where, NO_CODE)
        return found

    def demanded(self, found: str | None, where: str) -> str:
        """A value that the schema demands. Raises Unfit."""
        if found is None:
            raise Unfit(where, NOT_HELD)
        return found

    def list(self, element: Element, name: str, each: str, found: Iterable[str] | None, codes: str, where: str) -> None:
        """An element of codes, each once and in order; none where there are none."""
        fit = [code for code in sorted(set(found or ())) if self.code({"code": code}, "code", codes, where)]
        if fit:
            group = etree.SubElement(element, name)
            for code in fit:
                self.put(group, each, code)

    def count(self, child: Element) -> None:
        """Count a child that goes out, and its modules."""
        self.account.children += 1
        for name in COUNTED:
            self.account.rows[name] += sum(1 for _ in child.iter(name))
