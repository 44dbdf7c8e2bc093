"""The returns that the sector asks for, made of the register. They hold what is restricted (an end by adoption, what tells of
one): so only the authority's own systems may fetch them, and each is recorded with its counts before its first byte leaves."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.plumbing import app as wires
from services.plumbing.files import values
from services.plumbing.files.report import Report
from services.plumbing.problems import Problem
from services.plumbing.source import Here, Source
from services.plumbing.tokens import Principal
from services.socialcare.returns import files
from services.socialcare.returns.account import Account
from services.socialcare.returns.holding import Holding
from services.socialcare.returns.year import Year, years

router = APIRouter()
System = Annotated[Principal, Depends(wires.service_only("cli", "socialcare"))]
Authority = Annotated[str | None, Query(pattern=r"^[0-9]{3}$", description="The local authority's code")]
REPORT = "Childview-Report"
"""The header of an answer that says what is in it and what is not: counts, and the place of the report file."""
Made = files.Census | files.CareReturn


@router.get("/v1/returns/cin", summary="The children in need census of a year (XML)", response_class=StreamingResponse)
async def cin(here: Here, who: System, year: int, authority: Authority = None) -> StreamingResponse:
    """The children with an episode open between 1 April and 31 March, as the schema of that year has them."""
    account = _account(year, f"CIN {year}")
    made = files.Census(Year(year), here.codes, account, authority=authority, made=datetime.now(UTC))
    return await _answer(here, who, "return-cin", year, made, account)


@router.get("/v1/returns/ssda903", summary="The return of children looked after of a year (a zip of CSV)", response_class=StreamingResponse)
async def care(here: Here, who: System, year: int, authority: Authority = None) -> StreamingResponse:
    """The twelve tables of the year from 1 April to 31 March. The authority is in their names alone."""
    account = _account(year, f"SSDA903 {year}")
    return await _answer(here, who, "return-ssda903", year, files.CareReturn(Year(year), account, authority=authority), account)


def _account(year: int, name: str) -> Account:
    if year not in years(values.today()):
        raise Problem("validation", "There is no return of that year.", errors=[{"at": "query/year", "why": "not a year of a return"}])
    return Account(Report(name))


async def _answer(here: Source, who: Principal, action: str, year: int, made: Made, account: Account) -> StreamingResponse:
    """The whole return, made and recorded, then sent. Raises Problem `not-found` where no child is in it."""
    account.report.open(here.settings.state, name=uuid.uuid4().hex)
    async with here.writer.recorded(who, action, year=year) as detail:
        async for page in here.register.pages():
            for state in page:
                made.take(Holding(state, here.schemas))
        file = await asyncio.to_thread(made.finish)
        account.report.close()
        summary = account.summary()
        detail |= {"children": account.children, "rows": summary["rows"], "left_out": sum(account.left.values())}
        if not account.children:
            raise Problem("not-found", "No child of the register is in the return of that year.", report=summary)
    return StreamingResponse(files.chunks(file), media_type=made.media_type, headers=_headers(made, summary))


def _headers(made: Made, summary: dict[str, Any]) -> dict[str, str]:
    said = msgspec.json.encode(summary).decode("ascii")
    return {REPORT: said, "Content-Disposition": f'attachment; filename="{made.name}"'}
