"""A JSON file as a whole, decoded once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from services.plumbing.files.report import FileRefused

MOST_BYTES = 64 * 1024 * 1024


def decoded(path: Path, name: str) -> tuple[Any, str]:
    """What the file holds, and its sha256. Raises FileRefused: empty, too large, broken or cut off."""
    raw = _read(path, name)
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf")), hashlib.sha256(raw).hexdigest()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FileRefused(name, f"the JSON is broken or cut off ({type(error).__name__})") from error


def _read(path: Path, name: str) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    raw = path.read_bytes()
    if not raw.strip():
        raise FileRefused(name, "the file is empty")
    return raw
