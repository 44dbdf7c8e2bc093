"""XML read as a stream, with nothing in it obeyed: no document type, no entities, bounded depth and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

from lxml import etree

from services.plumbing.files.report import FileRefused

MOST_BYTES = 600 * 1024 * 1024
PIECE = 64 * 1024
MOST_ELEMENT = 4 * 1024 * 1024
"""Bytes of one element, or of anything else that is held in memory until it ends, where a byte may take thirty."""
MOST_PROLOG = 1024 * 1024


def elements(path: Path, name: str, *tags: str) -> Iterator[etree._Element]:
    """Each element of these tags, whole, and forgotten afterwards, as everything around them is. Raises FileRefused."""
    size = path.stat().st_size
    if size == 0:
        raise FileRefused(name, "the file is empty")
    if size > MOST_BYTES:
        raise FileRefused(name, f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
    root = _root(path, name)
    try:
        yield from _elements(path, name, root, frozenset(tags))
    except etree.XMLSyntaxError as error:
        raise FileRefused(name, "the XML is broken, cut off or nested too deep", row=error.lineno) from error


def _elements(path: Path, name: str, root: str, tags: frozenset[str]) -> Iterator[etree._Element]:
    """Bytes go in piece by piece, and after each what is done is forgotten. A wanted element that is open stays: so it may
    not go on for ever."""
    parser = etree.XMLPullParser(
        events=("start", "end"), tag=(root, *tags), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    top: etree._Element | None = None
    inside = held = 0
    with path.open("rb") as data:
        while piece := data.read(PIECE):
            parser.feed(piece)
            held += len(piece)
            for event, element in parser.read_events():
                top = element.getroottree().getroot() if top is None else top
                if element.tag not in tags:
                    continue
                inside += 1 if event == "start" else -1
                if event == "end":
                    held = held if inside else 0
                    yield element
            if top is not None and _forget(top, tags) and not inside:
                held = 0
            if held > MOST_ELEMENT:
                raise FileRefused(name, f"one element is larger than {MOST_ELEMENT // 1024 // 1024} MB")
    parser.close()


def _forget(top: etree._Element, tags: frozenset[str]) -> bool:
    """Everything that stands before what was read last, down to a wanted element that may still be open; whether there was
    anything."""
    last, gone = top, False
    while len(last) and last.tag not in tags:
        gone = gone or len(last) > 1
        del last[:-1]
        last = last[-1]
    return gone


class _Obeyed(Exception):
    """The prolog holds something that would be obeyed."""


class _Begun(Exception):
    """The root element began: no document type can come any more."""


def _root(path: Path, name: str) -> str:
    """The root element's name. A document type would stand before it: read as far as that, in whatever encoding."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _raise(_Obeyed)
    parser.StartElementHandler = _raise(_Begun)
    try:
        with path.open("rb") as data:
            parser.Parse(data.read(MOST_PROLOG), False)
    except _Begun as begun:
        return str(begun.args[0])
    except _Obeyed:
        raise FileRefused(name, "a document type or entities are not accepted") from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FileRefused(name, "the XML is broken, cut off or in an unknown encoding", row=parser.CurrentLineNumber) from error
    raise FileRefused(name, "the XML is broken, cut off, or begins with more than a megabyte before its root element")


def _raise(what: type[Exception]) -> Callable[..., None]:
    def handler(*found: object) -> None:
        raise what(*found[:1])

    return handler


def sha256(path: Path) -> str:
    """The file's sha256."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
