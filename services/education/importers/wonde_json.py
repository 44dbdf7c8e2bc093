"""Single values as the JSON of MIS integrators writes them (Wonde's shape)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.plumbing.files import values
from services.plumbing.files.report import FileRefused

Json = Mapping[str, Any]


def id_of(value: Any) -> str | None:
    """An id or number as text, however the JSON writes it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return values.code(str(value))


def name_of(item: Json, *parts: str) -> str | None:
    """The first of these that holds text."""
    return next((found for part in parts if isinstance(item.get(part), str) and (found := values.text(item[part]))), None)


def nested(item: Json, name: str) -> Json:
    """`{"student": {"data": {...}}}` or `{"student": {...}}`."""
    found = item.get(name) or {}
    found = found.get("data", found) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def objects(item: Json, name: str) -> list[Json] | None:
    """The objects of `{"contacts": {"data": [...]}}` or `{"contacts": [...]}`; None where there is no such list."""
    found = item.get(name)
    found = found.get("data") if isinstance(found, dict) else found
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def student_of(item: Json) -> str | None:
    """Whose an item is."""
    return id_of(item.get("student_id")) or id_of(nested(item, "student").get("id"))


def texts(item: Json) -> Iterator[str]:
    """Every different text of an object of texts, such as phones and e-mail addresses by kind, in its order."""
    yield from dict.fromkeys(found for one in item.values() if isinstance(one, (str, int)) and (found := id_of(one)))


def day_of(value: Any) -> str | None:
    """A date as text or as an object with a `date`; None when it is neither."""
    found = value.get("date") if isinstance(value, dict) else value
    try:
        return values.day(found) if isinstance(found, str) else None
    except values.Unreadable:
        return None


def file_day(name: str, where: str, value: Any) -> str | None:
    """A day that the file says of itself. Raises FileRefused for one that cannot be read."""
    found = day_of(value)
    if found is None and value not in (None, ""):
        raise FileRefused(name, f'"{where}" is no date such as 2026-11-20')
    return found
