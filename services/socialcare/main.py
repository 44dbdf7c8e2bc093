"""The service `socialcare`: what the case system reports, and protection. `python -m services.socialcare.main api|relay`."""

from __future__ import annotations

from services.plumbing import source
from services.plumbing.source import Kind
from services.socialcare import api, importing
from services.socialcare.returns import api as returns

READERS = frozenset({"identity", "projector", "childview"})

KIND = Kind(
    service="socialcare",
    subject="person",
    recognise=importing.recognise,
    readers={"*": READERS, "R-ADOPT-PAIR": frozenset({"identity"})},
    routers=[api.router, returns.router],
)

if __name__ == "__main__":
    source.main(KIND)
