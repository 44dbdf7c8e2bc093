"""The service `education`: a register of what schools report. `python -m services.education.main api|relay`."""

from __future__ import annotations

from services.education import api, importing
from services.plumbing import source
from services.plumbing.source import Kind

KIND = Kind(
    service="education",
    subject="pupil",
    recognise=importing.recognise,
    readers={"*": frozenset({"identity", "projector", "childview"})},
    routers=[api.router],
)

if __name__ == "__main__":
    source.main(KIND)
