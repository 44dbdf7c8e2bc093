"""XML read as a stream, with nothing in it obeyed: no document type, no entities, bounded depth and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from services.plumbing.files.report import FileRefused

MOST_BYTES = 600 * 1024 * 1024


def elements(path: Path, name: str, *tags: str) -> Iterator[etree._Element]:
    """Each element of these tags, whole, and forgotten afterwards. Raises FileRefused."""
    size = path.stat().st_size
    if size == 0:
        raise FileRefused(name, "the file is empty")
    if size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    _no_doctype(path, name)
    parsing = etree.iterparse(
        str(path), events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        for _, element in parsing:
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise FileRefused(name, "the XML is broken, cut off or nested too deep", row=error.lineno) from error


def _no_doctype(path: Path, name: str) -> None:
    """A document type stands before the root element: look as far as that."""
    with path.open("rb") as data:
        head = data.read(65_536)
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain = head.decode("utf-16" if wide else "latin-1", "replace")
    if "<!DOCTYPE" in plain.upper() or "<!ENTITY" in plain.upper():
        raise FileRefused(name, "a document type or entities are not accepted")


def sha256(path: Path) -> str:
    """The file's sha256."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
