"""The contracts as code sees them: event schemas with their entry rules, and the channels.

Everything is read from `contracts/` (and, in tests, further roots of the same shape); no event is known by name in code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import fastjsonschema
import yaml

COMMON = "common"


class SchemaRefused(Exception):
    """Data that breaks its contract. Says which type and where, and holds no value."""

    def __init__(self, type: str, where: str, why: str) -> None:
        super().__init__(f"{type}: {where}: {why}")
        self.type, self.where, self.why = type, where, why


@dataclass(frozen=True)
class Again:
    """What a register is told twice, by two systems that name it each by an id of its own (`told_again`).

    named: the natural keys of the one system, the return; those of the other are all else. parts: the fields by which both tell
    of one thing.
    """

    named: re.Pattern[str]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class EntryRule:
    """How an event's data sets or withdraws entries (the schema's `x-entry`).

    items: the array holding many entries, None when the data is the one entry. key: the fields of the natural key.
    effective: the field holding the effective date. lasts: what the entry says stays true until it ends, on the day in the
    field `end` where there is one; otherwise it is of its effective date. organisation: the field naming who reports. apart:
    what makes an entry another kind of thing, of which no other word is told. adopted: by which values an entry says that its subject was
    adopted, True for any value; one of these fields is enough.
    """

    category: str
    kind: str
    key: tuple[str, ...]
    effective: str
    items: str | None
    lasts: bool = False
    end: str | None = None
    organisation: str | None = None
    again: Again | None = None
    adopted: Mapping[str, Any] = field(default_factory=dict)
    apart: tuple[str, ...] = ()

    def tells_of_adoption(self, data: Mapping[str, Any]) -> bool:
        """Whether an entry of these fields says that its subject was adopted."""
        told = ((data.get(name), wanted) for name, wanted in self.adopted.items())
        return any(value is not None and (wanted is True or value in wanted) for value, wanted in told)


@dataclass(frozen=True)
class Contract:
    """One event type: its schema, its entry rule (None: it sets no entry) and its record classes (empty: not sealed)."""

    name: str
    schema: Mapping[str, Any]
    entry: EntryRule | None
    record_classes: tuple[str, ...]

    @cached_property
    def check(self) -> Any:
        """The compiled validator."""
        plain = {key: value for key, value in self.schema.items() if not key.startswith(("x-", "$id", "examples"))}
        dated = {**_with_calendar(plain), "$schema": "http://json-schema.org/draft-07/schema#"}
        return fastjsonschema.compile(dated, formats={"date": _is_day})


DAY = r"^\d{4}-\d{2}-\d{2}$"
"""The pattern by which a contract says that a text is a date."""


def _with_calendar(schema: Any) -> Any:
    """The schema with every date a day of the calendar: the pattern alone lets 2015-02-31 pass."""
    if isinstance(schema, list):
        return [_with_calendar(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _with_calendar(part) for name, part in schema.items()}
    return {**found, "format": "date"} if found.get("pattern") == DAY else found


@lru_cache(maxsize=10_000)
def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@dataclass(frozen=True)
class Schemas:
    """Every event type, by its name without the service for common ones."""

    contracts: Mapping[str, Contract] = field(repr=False)

    @classmethod
    def load(cls, *roots: Path) -> Schemas:
        """Read `events/*/*.json` of every root."""
        found = [_contract(path) for root in roots for path in sorted(root.glob("events/*/*.json"))]
        return cls({contract.name: contract for contract in found})

    def of(self, type: str) -> Contract | None:
        """The contract of an event type; a common one answers for every service. None: unknown."""
        return self.contracts.get(type) or self.contracts.get(_common(type))

    def validate(self, type: str, data: Mapping[str, Any]) -> None:
        """Raises SchemaRefused when there is no such type or the data breaks its contract."""
        contract = self.of(type)
        if contract is None:
            raise SchemaRefused(type, "/", "no such event type")
        try:
            contract.check(data)
        except fastjsonschema.JsonSchemaValueException as error:
            raise SchemaRefused(type, "/".join(map(str, error.path)), str(error.rule)) from None


def _common(type: str) -> str:
    """`health.person-recorded.v1` -> `common.person.v1` or `common.person-recorded.v1`, whichever is written so."""
    name = type.split(".", 1)[-1]
    return f"{COMMON}.{name.replace('-recorded.', '.') if name.split('-')[0] in _SHORT else name}"


_SHORT = frozenset({"person", "address", "relation", "involvement", "protection"})


@lru_cache(maxsize=1000)
def common_name(type: str) -> str:
    """The name under which the catalogue's pointers know an event type."""
    return _common(type) if type.split(".", 1)[-1].split("-")[0] in _SHORT else type


def _contract(path: Path) -> Contract:
    schema = json.loads(path.read_text())
    classes = schema.get("x-record-class") or ()
    return Contract(
        name=f"{path.parent.name}.{path.stem}",
        schema=schema,
        entry=_rule(schema["x-entry"]) if "x-entry" in schema else None,
        record_classes=(classes,) if isinstance(classes, str) else tuple(classes),
    )


def _rule(item: Mapping[str, Any]) -> EntryRule:
    again = item.get("told_again")
    return EntryRule(
        category=item["category"],
        kind=item["kind"],
        key=tuple(item["key"]),
        effective=item["effective"],
        items=item.get("items"),
        lasts="end" in item,
        end=item.get("end"),
        organisation=item.get("organisation"),
        again=None if again is None else Again(re.compile(again["named"]), tuple(again["parts"])),
        adopted=item.get("adopted", {}),
        apart=tuple(item.get("apart", ())),
    )


@dataclass(frozen=True)
class Channel:
    """One topic. kind: events, policy, decisions, access or heartbeats. keys: the service that hands out its keys."""

    topic: str
    kind: str
    service: str | None
    partitions: int
    urgent: bool
    keys: str | None


def channels(*roots: Path) -> list[Channel]:
    """Every channel of `asyncapi.yaml` in these roots."""
    return [_channel(item) for root in roots for item in _read(root / "asyncapi.yaml").get("channels", {}).values()]


def _channel(item: Mapping[str, Any]) -> Channel:
    return Channel(
        item["address"],
        item["x-kind"],
        item.get("x-service"),
        item["x-partitions"],
        item.get("x-urgent", False),
        item.get("x-keys"),
    )


def read_yaml(text: bytes) -> dict[str, Any]:
    """A YAML document, by the loader in C where there is one: in Python it costs every process a second at its start."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _read(path: Path) -> dict[str, Any]:
    return read_yaml(path.read_bytes()) if path.exists() else {}


def owners(found: Iterable[Channel]) -> dict[str, str | None]:
    """Topic name -> the one service that publishes there."""
    return {channel.topic: channel.service for channel in found}


def topics(found: Sequence[Channel]) -> dict[str, int]:
    """Topic name -> partitions."""
    return {channel.topic: channel.partitions for channel in found}


@dataclass(frozen=True)
class Code:
    """One value of a code list: its label, the group that masks show, and its dates of validity."""

    label: str
    group: str | None
    valid_from: date | None
    valid_to: date | None


Codes = Mapping[str, Mapping[str, Code]]
"""List name -> code -> what it means."""


def code_lists(*roots: Path) -> dict[str, dict[str, Code]]:
    """Every list of `codes.yaml` in these roots."""
    return {
        name: {str(code): _code(what) for code, what in values.items()}
        for root in roots
        for name, values in _read(root / "codes.yaml").items()
    }


def _code(what: Any) -> Code:
    if not isinstance(what, dict):
        return Code(str(what), None, None, None)
    return Code(what["label"], what.get("group"), what.get("from"), what.get("to"))
