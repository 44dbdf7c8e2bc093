"""The daily payload of children's social care (JSON, the DfE's specification 0.7): what changed, and what is deleted (`purge`).

Recognised by `la_code` and `Children`, one child or a list. A key that is absent is not spoken of. Ids are the case system's, so
that the payload and the dataset's tables set the same entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.plumbing.contracts import Codes
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register import Provenance, Said
from services.plumbing.subjects import key
from services.socialcare.importers import daily_child
from services.socialcare.importers.dataset import UNKNOWN_PERSON

ORDER = 6
MOST_BYTES = 8 * 1024 * 1024
"""JSON is held in memory whole, where a byte may take thirty; larger days come in parts."""


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """One payload, checked whole. Raises FileRefused."""
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB: send the payload in parts")
    data = path.read_bytes()
    authority, children = _payload(name, data, options)
    mark = hashlib.sha256(data).hexdigest()
    provenance = Provenance(as_of(name, options), name, mark, authority)
    ignored = tuple(sorted({path for child in children for path in daily_child.ignored(child)}))
    return Source(ORDER, len(children), lambda report: _children(children, provenance, codes, report), ignored, mark)


def _payload(name: str, data: bytes, options: Options) -> tuple[str | None, list[Mapping[str, Any]]]:
    """The authority and the children. Raises FileRefused."""
    if not data.strip():
        raise FileRefused(name, "the file is empty")
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileRefused(name, "the JSON is broken, cut off or nested too deep") from error
    if not isinstance(found, dict) or not {"la_code", "Children"} <= found.keys():
        raise FileRefused(name, "this is no payload of children's social care (la_code and Children)")
    children = found["Children"] if isinstance(found["Children"], list) else [found["Children"]]
    if not all(isinstance(child, dict) for child in children):
        raise FileRefused(name, "a child that is no object", column="Children")
    authority = str(found["la_code"] or "") or None
    if options.authority and authority and options.authority != authority:
        raise FileRefused(name, f"--authority says {options.authority}, but the file says {authority}", column="la_code")
    return options.authority or authority, children


def _children(children: list[Mapping[str, Any]], provenance: Provenance, codes: Codes, report: Report) -> Iterator[Said]:
    for number, child in enumerate(children, 1):
        found = daily_child.Reading(number, report, codes).child(child)
        if found is not None:
            local, statements = found
            gone = all(one.withdrawn for one in statements)
            yield Said(
                (key("local", local),), tuple(statements), report, provenance, must_exist=gone, otherwise=UNKNOWN_PERSON
            )
