"""XML read as a stream, with nothing in it obeyed: no document type, no entities, bounded depth and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

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


class _Obeyed(Exception):
    """The prolog holds something that would be obeyed."""


class _Begun(Exception):
    """The root element began: no document type can come any more."""


def _no_doctype(path: Path, name: str) -> None:
    """A document type stands before the root element: read as far as that, in whatever encoding and however far it is."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _raise(_Obeyed)
    parser.StartElementHandler = _raise(_Begun)
    try:
        with path.open("rb") as data:
            parser.ParseFile(data)
    except _Begun:
        return
    except _Obeyed:
        raise FileRefused(name, "a document type or entities are not accepted") from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FileRefused(name, "the XML is broken, cut off or in an unknown encoding", row=parser.CurrentLineNumber) from error


def _raise(what: type[Exception]) -> Callable[..., None]:
    def handler(*_: object) -> None:
        raise what

    return handler


def sha256(path: Path) -> str:
    """The file's sha256."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
