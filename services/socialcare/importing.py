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
        if path.suffix.lower() == ".csv" and ssda903_tables.is_one(path):
            return ssda903_tables.recognise(path, name, options, codes, returned)
        if path.suffix.lower() == ".csv" and ssd_care.is_one(path):
            return ssd_care.recognise(path, name, options, codes, delivery)
        if path.suffix.lower() == ".csv":
            return ssd.recognise(path, name, options, codes, delivery)
        if path.suffix.lower() == ".xml" and ssda903_xml.is_one(path):
            return ssda903_xml.recognise(path, name, options, codes, returned)
        if path.suffix.lower() == ".xml":
            return cin.recognise(path, name, options, codes)
        if path.suffix.lower() == ".json":
            return daily.recognise(path, name, options, codes)
        raise FileRefused(name, READS)

    return one
