"""One object of the daily payload, and its values: what cannot be read refuses the object, and says where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.socialcare.importers.refusal import Refused


@dataclass(frozen=True)
class Part:
    """path: where it stands in the payload. number: which child of the file it belongs to."""

    path: str
    data: Mapping[str, Any]
    number: int
    report: Report
    codes: Codes

    @property
    def purged(self) -> bool:
        """Whether the source deletes it. Raises Refused."""
        return bool(self.read(values.boolean, "purge"))

    def id(self, key: str) -> str:
        """What tells it from others. Raises Refused."""
        found = self.read(values.code, key)
        if found is None:
            raise Refused(f"{self.path}/{key}", None, "the part does not say which it is")
        return found

    def days(self, **keys: str) -> dict[str, Any]:
        """The dates of those keys (field=key) that are there."""
        return self._spoken(values.day, keys)

    def yes_no(self, **keys: str) -> dict[str, Any]:
        """The answers of those keys that are there; blank is unknown, never no."""
        return self._spoken(values.boolean, keys)

    def texts(self, **keys: str) -> dict[str, Any]:
        """The texts of those keys that are there."""
        return self._spoken(values.text, keys)

    def codes_of(self, **keys: tuple[str, str]) -> dict[str, Any]:
        """The codes of those keys (field=(key, list)) that are there; what is odd about a code is flagged."""
        found = self._spoken(values.code, {field: key for field, (key, _) in keys.items()})
        return {field: self.checked(keys[field][0], code, keys[field][1]) for field, code in found.items()}

    def checked(self, key: str, code: str | None, of: str) -> str | None:
        """The code as it is, flagged where it is odd."""
        return coded.check(self.codes, self.report, self.number, f"{self.path}/{key}", code, of)

    def members(self, key: str) -> list[Any]:
        """A list; empty where there is none. Raises Refused."""
        found = self.data.get(key) or []
        if not isinstance(found, list):
            raise Refused(f"{self.path}/{key}", str(found), "expected a list")
        return found

    def parts(self, key: str) -> Iterator[Part]:
        """The objects of a list, or the one object. Raises Refused."""
        found = self.data.get(key)
        for one in [found] if isinstance(found, Mapping) else self.members(key):
            if not isinstance(one, Mapping):
                raise Refused(f"{self.path}/{key}", str(one), "expected an object")
            yield Part(f"{self.path}/{key}", one, self.number, self.report, self.codes)

    def read(self, reader: Callable[[str | None], Any], key: str) -> Any:
        """A value by its reader; None where there is none. Raises Refused."""
        found = self.data.get(key)
        if isinstance(found, (Mapping, list)):
            raise Refused(f"{self.path}/{key}", None, "expected a single value")
        text = None if found is None else str(found)
        try:
            return reader(text)
        except values.Unreadable as error:
            raise Refused(f"{self.path}/{key}", text, f"expected {error}") from error

    def _spoken(self, reader: Callable[[str | None], Any], keys: Mapping[str, str]) -> dict[str, Any]:
        return {field: self.read(reader, key) for field, key in keys.items() if key in self.data}
