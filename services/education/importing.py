"""Everything a school delivers, recognised by what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.education.importers import census, ctf, giap, wonde
from services.education.importers.pupils import Delivery
from services.plumbing.contracts import Codes
from services.plumbing.files import json_rows
from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import FileRefused


def recognise(codes: Codes) -> Callable[[Path, str, Options], Source]:
    """What recognises and checks the files of one delivery. Raises FileRefused."""
    delivery = Delivery()

    def one(path: Path, name: str, options: Options) -> Source:
        if not path.exists():
            raise FileRefused(name, "there is no such file")
        kind = Path(name).suffix.lower()
        if kind == ".csv":
            return census.recognise(path, name, options, codes, delivery)
        if kind == ".json":
            body, mark = json_rows.opened(path, name, deep=2)
            if giap.fits(body):
                return giap.recognise(body, mark, name, options, codes)
            return wonde.recognise(body, mark, name, options, codes, delivery)
        if kind == ".xml":
            return ctf.recognise(path, name, options, codes, delivery)
        raise FileRefused(name, "this service reads school census tables (CSV), what a MIS delivers (JSON) and transfer files (XML)")

    return one
