"""Values of one child's elements: what cannot be read refuses its part, and says where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element as Element

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Statement
from services.socialcare.importers.refusal import Refused


@dataclass
class Taker:
    """Takes values out of one child's elements. number: which child of the file. parts: how many parts it has had."""

    number: int
    report: Report
    codes: Codes
    parts: int = 0

    def next_part(self) -> int:
        """A number for what is taken or refused together."""
        self.parts += 1
        return self.parts

    def part(self, read: Callable[[Element], Statement | list[Statement]], element: Element) -> Iterator[Statement]:
        """One module's statements, or none when it is refused."""
        try:
            found = read(element)
        except Refused as refused:
            self.refuse(refused)
            return
        yield from found if isinstance(found, list) else [found]

    def refuse(self, refused: Refused) -> None:
        """Say what is not taken."""
        self.report.refuse(self.number, refused.path, refused.value, refused.why)

    def code(self, element: Element, path: str, of: str) -> str | None:
        """A code; one that is odd is kept and flagged."""
        return coded.check(self.codes, self.report, self.number, path, values.code(element.findtext(path)), of)

    def codes_of(self, element: Element, path: str, of: str, reader: Callable[[str | None], str | None] = values.code) -> list[str]:
        """The codes of an element that comes many times, each once and in order; those that are odd are kept and flagged."""
        found = sorted({code for one in element.iterfind(path) if (code := reader(one.text))})
        for code in found:
            coded.check(self.codes, self.report, self.number, path, code, of)
        return found

    def day(self, element: Element, path: str) -> str | None:
        """A date. Raises Refused."""
        return self.read(values.day, element, path)

    def other_day(self, element: Element, path: str) -> str | None:
        """A date that others do not hang on: one that cannot be read is left out and said, and keeps nothing out."""
        try:
            return self.day(element, path)
        except Refused as refused:
            self.report.flag(self.number, refused.path, refused.value, f"{refused.why}; left out")
            return None

    def begun(self, element: Element, path: str, what: str) -> str:
        """The day that tells this module from others of its kind. Raises Refused."""
        found = self.day(element, path)
        if found is None:
            raise Refused(f"{element.tag}/{path}", None, f"{what} without its first day cannot be told from others")
        return found

    def read(self, reader: Callable[[str | None], Any], element: Element, path: str) -> Any:
        """A value by its reader. Raises Refused."""
        text = element.findtext(path)
        try:
            return reader(text)
        except values.Unreadable as error:
            raise Refused(f"{element.tag}/{path}", text, f"expected {error}") from error
