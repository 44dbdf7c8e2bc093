"""audit over HTTP, first form: how much is kept, and whether an access record is missing. Proofs are a later issue."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from services.audit import ledger
from services.plumbing import app as wires
from services.plumbing.tokens import Principal

router = APIRouter()
Operator = Annotated[Principal, Depends(wires.service_only("cli"))]


@router.get("/v1/ledger", summary="How much is kept, and what is missing")
async def read_ledger(request: Request, who: Operator) -> dict[str, Any]:
    """{"next": {topic: {partition: offset}}, "accesses": {service: n}, "holes": {service: [number]}}. Counts alone."""
    async with request.app.state.pool.acquire() as conn:
        rows = await conn.fetch("select service, count(*) as n from accesses group by 1 order by 1")
        missing = await ledger.holes(conn)
    following: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in request.app.state.ledger.next.items():
        following.setdefault(topic, {})[str(partition)] = offset
    return {"next": following, "accesses": {row["service"]: row["n"] for row in rows}, "holes": missing}
