"""Whether the contracts break those who rely on the last release: within v1 only optional fields are added.

`python -m services.plumbing.breaking` compares contracts/ with the last tag and exits 1 on a breaking change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KEPT = ("x-entry", "x-record-class", "type", "format", "const")
"""What a schema says of a place that must stay as it was."""
CHANNEL_KEPT = ("x-partitions", "x-kind", "x-service")
Contracts = Mapping[str, Any]
"""path below contracts/ -> the document"""


def breaks(before: Contracts, now: Contracts) -> Iterator[str]:
    """Every breaking change, as a sentence. before, now: documents by path."""
    for path, old in before.items():
        if path.startswith("events/"):
            if path not in now:
                yield f"{path}: the event is gone"
            else:
                yield from _schema(path, old, now[path])
        elif path == "asyncapi.yaml":
            yield from _channels(old, now.get(path, {}))
        elif path == "fields.yaml":
            yield from _fields(old, now.get(path, {}))


def _schema(at: str, old: Any, now: Any) -> Iterator[str]:
    """One place of a schema, and all below it."""
    for word in KEPT:
        if word in old and old[word] != now.get(word):
            yield f"{at}: {word} was {old[word]!r} and is {now.get(word)!r}"
    lost = [value for value in old.get("enum", []) if value not in now.get("enum", old.get("enum"))]
    if lost:
        yield f"{at}: values are no longer allowed: {lost}"
    grown = sorted(set(now.get("required", [])) - set(old.get("required", [])))
    if grown:
        yield f"{at}: now required: {', '.join(grown)}"
    if now.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{at}: further fields were allowed and are not"
    for group in ("properties", "$defs"):
        for name, below in old.get(group, {}).items():
            if name not in now.get(group, {}):
                yield f"{at}/{name}: the field is gone"
            else:
                yield from _schema(f"{at}/{name}", below, now[group][name])
    if isinstance(old.get("items"), dict):
        yield from _schema(f"{at}/*", old["items"], now.get("items") or {})


def _channels(old: Any, now: Any) -> Iterator[str]:
    """Topics stay, with the partitions they have: a changed count breaks the order within a stream."""
    for name, channel in old.get("channels", {}).items():
        found = now.get("channels", {}).get(name)
        if found is None:
            yield f"asyncapi.yaml: the channel {name} is gone"
            continue
        for word in CHANNEL_KEPT:
            if channel.get(word) != found.get(word):
                yield f"asyncapi.yaml: {name}: {word} was {channel.get(word)!r} and is {found.get(word)!r}"


def _fields(old: Any, now: Any) -> Iterator[str]:
    """Field ids stay: apps and stored access records name them."""
    kept = {field["id"] for field in now.get("fields", [])}
    for field in old.get("fields", []):
        if field["id"] not in kept:
            yield f"fields.yaml: the field {field['id']} is gone"


def read_folder(root: Path) -> dict[str, Any]:
    """The contracts as they stand."""
    return {str(path.relative_to(root)): _parse(path.name, path.read_text()) for path in sorted(root.rglob("*")) if _counts(path.name)}


def read_tag(root: Path, tag: str) -> dict[str, Any]:
    """The contracts as they were at a tag."""
    paths = [path for path in _git(root, "ls-tree", "-r", "--name-only", tag, "contracts/").splitlines() if _counts(path)]
    return {path.removeprefix("contracts/"): _parse(path, _git(root, "show", f"{tag}:{path}")) for path in paths}


def last_tag(root: Path) -> str | None:
    """The newest tag that this history holds, None before the first release."""
    try:
        return _git(root, "describe", "--tags", "--abbrev=0").strip()
    except subprocess.CalledProcessError:
        return None


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout


def _counts(name: str) -> bool:
    return name.endswith((".json", ".yaml"))


def _parse(name: str, text: str) -> Any:
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def main() -> None:
    """Compare with the last tag."""
    tag = last_tag(ROOT)
    if tag is None:
        print("contracts: no release is tagged yet, so there is nothing they could break")
        return
    found = list(breaks(read_tag(ROOT, tag), read_folder(ROOT / "contracts")))
    print("\n".join(found) or f"contracts: nothing breaks those who rely on {tag}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
