"""Whether the contracts break those who rely on the last release: within v1 only optional things are added.

`python -m services.plumbing.breaking` compares contracts/ with the last tag, before the first tag with the last commit on
main that changed them, and exits 1 on a breaking change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from services.plumbing import breaking_schemas as schemas

ROOT = Path(__file__).parents[2]
CHANNEL_KEPT = ("address", "x-kind", "x-service", "x-keys", "x-partitions", "x-retention-ms", "x-urgent")
FIELD_KEPT = ("category", "kind", "type", "codes", "mask", "about", "derived")
METHODS = ("get", "put", "post", "delete", "patch")
Contracts = Mapping[str, Any]
"""path below contracts/ -> the document"""
Breaks = Iterator[str]


def breaks(before: Contracts, now: Contracts) -> Breaks:
    """Every breaking change, as a sentence. before, now: documents by path."""
    for path, old in before.items():
        check = _check_of(path)
        if check is not None and path not in now:
            yield f"{path}: the document is gone"
        elif check is not None:
            yield from check(path, old, now[path])


def _check_of(path: str) -> Callable[[str, Any, Any], Breaks] | None:
    if path.startswith("events/"):
        return schemas.event
    if path.startswith("http/"):
        return _http
    return {"asyncapi.yaml": _channels, "fields.yaml": _catalogue, "codes.yaml": _codes, "attributes.yaml": _attributes}.get(path)


def _changed(at: str, old: Mapping[str, Any], now: Mapping[str, Any], words: tuple[str, ...]) -> Breaks:
    """The named members that are not what they were."""
    for word in words:
        if old.get(word) != now.get(word):
            yield f"{at}: {word} was {old.get(word)!r} and is {now.get(word)!r}"


def _lost(at: str, what: str, old: Any, now: Any) -> Breaks:
    """What stood in a list and does no longer."""
    for value in old or ():
        if value not in (now or ()):
            yield f"{at}: {what} {value!r} is gone"


# -- channels ----------------------------------------------------------------------------------------------------


def _channels(path: str, old: Any, now: Any) -> Breaks:
    """Topics stay as they are: a changed count of partitions breaks the order within a stream, a retention loses events."""
    for name, channel in old.get("channels", {}).items():
        found = now.get("channels", {}).get(name)
        if found is None:
            yield f"{path}: the channel {name} is gone"
            continue
        yield from _changed(f"{path}: {name}", channel, found, CHANNEL_KEPT)
        if "x-key-address" in channel:
            yield from _changed(f"{path}: {name}", channel, found, ("x-key-address",))
        yield from _lost(f"{path}: {name}", "the message", channel.get("messages"), found.get("messages"))


# -- the field catalogue -----------------------------------------------------------------------------------------


def _catalogue(path: str, old: Any, now: Any) -> Breaks:
    """Fields keep their id, place, type and sources: apps, policies and stored access records name them."""
    yield from _order(path, "category", list(old.get("categories", {})), list(now.get("categories", {})))
    before, after = ({field["id"]: field for field in one.get("fields", [])} for one in (old, now))
    yield from _order(path, "field", list(before), list(after))
    for id, field in before.items():
        if id in after:
            yield from _field(f"{path}: {id}", field, after[id])


def _order(path: str, what: str, old: list[str], now: list[str]) -> Breaks:
    """Nothing is gone, and what stays keeps its order: a view is written in it."""
    yield from _lost(path, f"the {what}", old, now)
    if [name for name in now if name in old] != [name for name in old if name in now]:
        yield f"{path}: the order of {what} is another"


def _field(at: str, old: Any, now: Any) -> Breaks:
    yield from _changed(at, old, now, FIELD_KEPT)
    yield from _lost(at, "the level", old.get("levels"), now.get("levels"))
    yield from _lost(at, "the source", old.get("sources"), now.get("sources"))
    parts = now.get("parts") or {}
    for name, source in (old.get("parts") or {}).items():
        if parts.get(name) != source:
            yield f"{at}: the source {name} was {source!r} and is {parts.get(name)!r}"


# -- codes, attributes -------------------------------------------------------------------------------------------


def _codes(path: str, old: Any, now: Any) -> Breaks:
    """Codes stay, in the group that masks show. Labels may change, and a code may end."""
    yield from _lost(path, "the list", old, now)
    for name, codes in old.items():
        after = now.get(name) or {}
        yield from _lost(f"{path}: {name}", "the code", codes, after)
        for code, what in codes.items():
            if code in after and _group(what) != _group(after[code]):
                yield f"{path}: {name}: {code} was of the group {_group(what)!r} and is of {_group(after[code])!r}"


def _group(what: Any) -> Any:
    return what.get("group") if isinstance(what, dict) else None


def _attributes(path: str, old: Any, now: Any) -> Breaks:
    """What a stored policy tests stays: attributes, their types and values."""
    for part, attributes in old.items():
        if not isinstance(attributes, dict):
            continue
        after = now.get(part) or {}
        yield from _lost(f"{path}: {part}", "the attribute", attributes, after)
        for name, attribute in attributes.items():
            if name in after:
                yield from _changed(f"{path}: {part}.{name}", attribute, after[name], ("type",))
                yield from _lost(f"{path}: {part}.{name}", "the value", attribute.get("values"), after[name].get("values"))


# -- HTTP --------------------------------------------------------------------------------------------------------


def _http(path: str, old: Any, now: Any) -> Breaks:
    """Addresses, what a request must hold, and what an answer holds."""
    for address, methods in old.get("paths", {}).items():
        after = now.get("paths", {}).get(address)
        if after is None:
            yield f"{path}: the path {address} is gone"
            continue
        for method in METHODS:
            at = f"{path}: {method.upper()} {address}"
            if method in methods and method not in after:
                yield f"{at}: the method is gone"
            elif method in methods:
                yield from _operation(at, (old, methods[method]), (now, after[method]))


def _operation(at: str, old: tuple[Any, Any], now: tuple[Any, Any]) -> Breaks:
    """One operation. old, now: the whole document, for references, and the operation."""
    before, after = ({(p["in"], p["name"]): p for p in one.get("parameters", [])} for _, one in (old, now))
    yield from _lost(at, "the parameter", before, after)
    for name, parameter in after.items():
        if parameter.get("required") and not before.get(name, {}).get("required"):
            yield f"{at}: the parameter {name} is required now"
    body, body_now = old[1].get("requestBody"), now[1].get("requestBody") or {}
    if body_now.get("required") and not (body or {}).get("required"):
        yield f"{at}: a body is required now"
    yield from _contents(f"{at}: request", (old[0], body or {}), (now[0], body_now), schemas.REQUEST)
    for status, answer in old[1].get("responses", {}).items():
        if status not in now[1].get("responses", {}):
            yield f"{at}: the answer {status} is gone"
        else:
            yield from _contents(f"{at}: {status}", (old[0], answer), (now[0], now[1]["responses"][status]), schemas.ANSWER)


def _contents(at: str, old: tuple[Any, Any], now: tuple[Any, Any], way: schemas.Way) -> Breaks:
    for media, content in old[1].get("content", {}).items():
        found = now[1].get("content", {}).get(media)
        if found is None:
            yield f"{at}: the media type {media} is gone"
        else:
            yield from schemas.Comparison(old[0], now[0], way).at(at, content.get("schema", {}), found.get("schema", {}))


# -- where from --------------------------------------------------------------------------------------------------


def read_folder(root: Path) -> dict[str, Any]:
    """The contracts as they stand."""
    return {str(path.relative_to(root)): _parse(path.name, path.read_text()) for path in sorted(root.rglob("*")) if _counts(path.name)}


def read_commit(root: Path, commit: str) -> dict[str, Any]:
    """The contracts as they were at a tag or commit."""
    paths = [path for path in _git(root, "ls-tree", "-r", "--name-only", commit, "contracts/").splitlines() if _counts(path)]
    return {path.removeprefix("contracts/"): _parse(path, _git(root, "show", f"{commit}:{path}")) for path in paths}


def baseline(root: Path) -> tuple[str, str] | None:
    """What to compare with, a commit and in words: the newest tag of this history, else the last commit that changed the
    contracts on main, as far as this history holds it (where there is no main: here). None where there is no history."""
    tag = _asked(root, "describe", "--tags", "--abbrev=0")
    if tag:
        return tag, f"the release {tag}"
    for branch in ("main", "origin/main", "HEAD"):
        shared = _asked(root, "merge-base", "HEAD", branch)
        commit = shared and _asked(root, "log", "-1", "--format=%H", shared, "--", "contracts")
        if commit:
            return commit, f"commit {commit[:7]}, the last on {branch} that changed them (no release is tagged yet)"
    return None


def _asked(root: Path, *arguments: str) -> str | None:
    """What git answers; None where it has no answer, or is not there."""
    try:
        return _git(root, *arguments).strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout


def _counts(name: str) -> bool:
    return name.endswith((".json", ".yaml"))


def _parse(name: str, text: str) -> Any:
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def main() -> None:
    """Compare and say what was found."""
    found = baseline(ROOT)
    if found is None:
        print("contracts: NOT COMPARED: there is no release and no history here to compare with")
        return
    commit, words = found
    broken = list(breaks(read_commit(ROOT, commit), read_folder(ROOT / "contracts")))
    print("\n".join(broken) or f"contracts: nothing breaks those who rely on {words}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
