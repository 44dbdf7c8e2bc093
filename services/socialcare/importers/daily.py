"""The daily payload of children's social care (JSON, the DfE's specification 0.7): what changed, and what is deleted (`purge`).

Recognised by `la_code` and `Children`, one child or a list. A key that is absent is not spoken of. Ids are the case system's, so
that the payload and the dataset's tables set the same entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import json_rows
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import daily_child
from services.socialcare.importers.dataset import UNKNOWN_PERSON

ORDER = 6


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """One payload, checked whole. Raises FileRefused."""
    found, mark = json_rows.opened(path, name, deep=1)
    authority, children = _payload(name, found, options)
    provenance = Provenance(as_of(name, options), name, mark, authority)
    ignored = tuple(sorted({path for child in children for path in daily_child.ignored(child)}))
    return Source(ORDER, len(children), lambda report: _children(children, provenance, codes, report), ignored, mark)


def _payload(name: str, found: Any, options: Options) -> tuple[str | None, Sequence[Any]]:
    """The authority and the children. Raises FileRefused."""
    if not isinstance(found, dict) or not {"la_code", "Children"} <= found.keys():
        raise FileRefused(name, "this is no payload of children's social care (la_code and Children)")
    children = found["Children"] if isinstance(found["Children"], json_rows.Rows) else [found["Children"]]
    if not all(isinstance(child, dict) for child in children):
        raise FileRefused(name, "a child that is no object", column="Children")
    authority = str(found["la_code"] or "") or None
    if options.authority and authority and options.authority != authority:
        raise FileRefused(name, f"--authority says {options.authority}, but the file says {authority}", column="la_code")
    return options.authority or authority, children


def _children(children: Sequence[Any], provenance: Provenance, codes: Codes, report: Report) -> Iterator[Said]:
    for number, child in enumerate(children, 1):
        found = daily_child.Reading(number, report, codes).child(child)
        if found is not None:
            local, statements = found
            gone = all(one.withdrawn for one in statements)
            yield Said(
                (key("local", local),), tuple(statements), report, provenance, must_exist=gone, otherwise=UNKNOWN_PERSON
            )
