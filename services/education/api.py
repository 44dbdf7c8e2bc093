"""Commands of the register `education`: one mark recorded or corrected."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, Field

from services.plumbing import app as wires
from services.plumbing.commands import command, find
from services.plumbing.register.entries import Statement
from services.plumbing.source import Here
from services.plumbing.tokens import Principal

router = APIRouter()
Caller = Annotated[Principal, Depends(wires.service_only("cli", "education"))]


class Mark(BaseModel):
    """One session's mark of a pupil, by the DfE's attendance codes."""

    school: str = Field(min_length=1, max_length=20)
    day: date = Field(alias="date")
    session: Literal["AM", "PM"]
    attendance_code: str = Field(min_length=1, max_length=3)
    minutes_late: int | None = Field(None, ge=0, le=600)


@router.post("/v1/pupils/find", summary="A pupil by the school's own number")
async def find_pupil(here: Here, who: Caller, body: dict[str, str]) -> dict[str, Any]:
    """{"kind": "census" | "mis", "value"} -> {"id"}. A number is never in an address. Recorded, found or not."""
    return await find(here, (body.get("kind", ""), body.get("value", "")), who=who, action="find-pupil")


@router.post("/v1/pupils/{id}/attendance", status_code=201, summary="Record or correct one mark")
async def record_attendance(
    here: Here, who: Caller, id: uuid.UUID, mark: Mark, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """The mark of this pupil, school, date and session is this one from now on."""
    fields = mark.model_dump(mode="json", by_alias=True, exclude_none=True)
    statement = Statement("education.attendance-recorded.v1", "R-REGISTER", fields)
    return await command(here, id, statement, who=who, action="record-attendance", key=idempotency_key)
