"""Whether one JSON Schema breaks those who rely on another: place by place, in the way that the schema is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """Who relies on a schema: those who write what it describes, those who read it, or both."""

    writers: bool
    readers: bool


EVENT, REQUEST, ANSWER = Way(True, True), Way(True, False), Way(False, True)
ENTRY_KEPT = ("category", "kind", "key", "items", "effective")
"""Of `x-entry`; what else it says may be added, and then stays."""
SPOKEN = frozenset({"title", "description", "examples", "default", "deprecated", "$id", "$schema", "$comment"})
"""Words for people."""
LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
GROUPS = ("properties", "$defs")
READ = SPOKEN | {"type", "enum", "required", "additionalProperties", "items", "pattern", "x-entry", "$ref", *LOWER, *UPPER, *GROUPS}
"""Words that are compared by what they mean. Any other must stay as it is."""


def event(at: str, old: Schema, now: Schema) -> Iterator[str]:
    """An event's schema: producers write by it, and the log is read by it for ever."""
    yield from Comparison(old, now, EVENT).at(at, old, now)


@dataclass
class Comparison:
    """Two documents that schemas refer into, and the way they are used."""

    old: Schema
    now: Schema
    way: Way
    seen: set[tuple[str, str]] = field(default_factory=set)

    def at(self, at: str, old: Any, now: Any) -> Iterator[str]:
        """One place of a schema, and all below it. A place that refers to itself is compared once."""
        if not isinstance(old, Mapping) or not isinstance(now, Mapping):
            if old != now:
                yield f"{at}: was {old!r} and is {now!r}"
            return
        names = (str(old.get("$ref")), str(now.get("$ref")))
        if names != ("None", "None"):
            if names in self.seen:
                return
            self.seen.add(names)
            old, now = _resolved(self.old, old), _resolved(self.now, now)
        yield from self._here(at, old, now)
        yield from self._below(at, old, now)

    def _here(self, at: str, old: Schema, now: Schema) -> Iterator[str]:
        yield from _types(at, old, now)
        yield from _entry(at, old, now)
        yield from self._required(at, old, now)
        if self.way.writers:
            yield from _tightened(at, old, now)
        for word in sorted((old.keys() | now.keys()) - READ):
            if old.get(word) != now.get(word):
                yield f"{at}: {word} was {old.get(word)!r} and is {now.get(word)!r}"

    def _required(self, at: str, old: Schema, now: Schema) -> Iterator[str]:
        before, after = set(old.get("required", [])), set(now.get("required", []))
        if self.way.writers and after - before:
            yield f"{at}: now required: {', '.join(sorted(after - before))}"
        if self.way.readers and before - after:
            yield f"{at}: no longer always there: {', '.join(sorted(before - after))}"

    def _below(self, at: str, old: Schema, now: Schema) -> Iterator[str]:
        for group in GROUPS:
            for name, below in old.get(group, {}).items():
                if name not in now.get(group, {}):
                    yield f"{at}/{name}: the field is gone"
                else:
                    yield from self.at(f"{at}/{name}", below, now[group][name])
        for word, place in (("items", "*"), ("additionalProperties", "+")):
            if isinstance(old.get(word), Mapping):
                yield from self.at(f"{at}/{place}", old[word], now.get(word) or {})


def _resolved(document: Schema, schema: Schema) -> Schema:
    """What a reference within the document points at."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _types(at: str, old: Schema, now: Schema) -> Iterator[str]:
    """The same types: a narrower one refuses what was written, a wider one surprises who reads."""
    before, after = (set(t if isinstance(t, list) else [t]) for t in (old.get("type"), now.get("type")))
    if before != after:
        yield f"{at}: type was {old.get('type')!r} and is {now.get('type')!r}"


def _entry(at: str, old: Schema, now: Schema) -> Iterator[str]:
    """What an event sets or withdraws: the log already holds events by this key."""
    before, after = old.get("x-entry"), now.get("x-entry")
    if (before is None) != (after is None):
        yield f"{at}: x-entry was {before!r} and is {after!r}"
    elif before is not None:
        for word in sorted({*ENTRY_KEPT, *before}):
            if before.get(word) != after.get(word):
                yield f"{at}: x-entry: {word} was {before.get(word)!r} and is {after.get(word)!r}"


def _tightened(at: str, old: Schema, now: Schema) -> Iterator[str]:
    """What was allowed to be written and is not."""
    allowed = now.get("enum")
    lost = [value for value in old.get("enum", []) if allowed is not None and value not in allowed]
    if lost or ("enum" not in old and allowed is not None):
        yield f"{at}: values are no longer allowed: {lost or 'any but ' + repr(allowed)}"
    if now.get("pattern") not in (None, old.get("pattern")):
        yield f"{at}: pattern was {old.get('pattern')!r} and is {now['pattern']!r}"
    for words, tighter in ((LOWER, lambda a, b: b > a), (UPPER, lambda a, b: b < a)):
        for word in words:
            if word in now and (word not in old or tighter(old[word], now[word])):
                yield f"{at}: {word} was {old.get(word)!r} and is {now[word]!r}"
    for word in ("additionalProperties", "items"):
        if word in now and old.get(word, True) is not now[word] and (now[word] is False or word not in old):
            yield f"{at}: {word} were free and are not"
