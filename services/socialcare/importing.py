"""Everything a case system delivers, recognised by what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.plumbing.contracts import Codes
from services.plumbing.files.delivery import Options, Source
from services.plumbing.files.report import FileRefused
from services.socialcare.importers import cin, daily, ssd, ssd_care, ssda903, ssda903_tables, ssda903_xml
from services.socialcare.importers.dataset import Delivery

READS = (
    "this service reads Standard Safeguarding Dataset tables (CSV), SSDA903 returns (CSV or XML), CIN census files (XML) and daily"
    " payloads (JSON)"
)


def recognise(codes: Codes) -> Callable[[Path, str, Options], Source]:
    """What recognises and checks the files of one delivery. Raises FileRefused."""
    delivery, returned = Delivery(), ssda903.Delivery()

    def one(path: Path, name: str, options: Options) -> Source:
        if not path.exists():
            raise FileRefused(name, "there is no such file")
        kind = Path(name).suffix.lower()
        if kind == ".csv" and ssda903_tables.is_one(path):
            return ssda903_tables.recognise(path, name, options, codes, returned)
        if kind == ".csv" and ssd_care.is_one(path):
            return ssd_care.recognise(path, name, options, codes, delivery)
        if kind == ".csv":
            return ssd.recognise(path, name, options, codes, delivery)
        if kind == ".xml" and ssda903_xml.is_one(path):
            return ssda903_xml.recognise(path, name, options, codes, returned)
        if kind == ".xml":
            return cin.recognise(path, name, options, codes)
        if kind == ".json":
            return daily.recognise(path, name, options, codes)
        raise FileRefused(name, READS)

    return one
