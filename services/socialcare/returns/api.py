"""The returns that the sector asks for, made of the register. They hold what is restricted (an end by adoption, and the way
there): so only the authority's own systems may fetch them, and each is recorded with its counts before its first byte leaves."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from typing import IO, Annotated, Any

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
from services.socialcare.returns.files import Take
from services.socialcare.returns.holding import Holding
from services.socialcare.returns.year import Year, years

router = APIRouter()
System = Annotated[Principal, Depends(wires.service_only("cli", "socialcare"))]
Authority = Annotated[str | None, Query(pattern=r"^[0-9]{3}$", description="The local authority's code")]
AT_ONCE = 25
"""Children written before other requests have their turn."""
REPORT = "Childview-Report"
"""The header of an answer that says what is in it and what is not: counts, and where the report file is."""


@router.get("/v1/returns/cin", summary="The children in need census of a year (XML)", response_class=StreamingResponse)
async def cin(here: Here, who: System, year: int, authority: Authority = None) -> StreamingResponse:
    """The children with an episode open between 1 April and 31 March, as the schema of that year has them."""
    account = _account(here, year, f"CIN {year}")
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        written = files.census(file, Year(year), here.codes, account, authority=authority, made=datetime.now(UTC))
        await _made(here, written, account, who=who, action="return-cin", year=year)
        return _sent(file, stack.pop_all(), account, media_type="application/xml", name=f"CIN_{year}.xml")


@router.get("/v1/returns/ssda903", summary="The return of children looked after of a year (a zip of CSV)", response_class=StreamingResponse)
async def care(here: Here, who: System, year: int, authority: Authority = None) -> StreamingResponse:
    """The twelve tables of the year from 1 April to 31 March. The authority stands in their names alone."""
    account = _account(here, year, f"SSDA903 {year}")
    named = "_".join(["SSDA903", str(year), *([authority] if authority else [])])
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        written = files.care_return(file, Year(year), account, named=named)
        await _made(here, written, account, who=who, action="return-ssda903", year=year)
        return _sent(file, stack.pop_all(), account, media_type="application/zip", name=f"{named}.zip")


def _account(here: Source, year: int, name: str) -> Account:
    if year not in years(values.today()):
        raise Problem("validation", "There is no return of that year.", errors=[{"at": "query/year", "why": "no year of a return"}])
    account = Account(Report(name))
    account.report.open(here.settings.state, name=uuid.uuid4().hex)
    return account


async def _made(
    here: Source, written: AbstractContextManager[Take], account: Account, *, who: Principal, action: str, year: int
) -> None:
    """Write the whole return, and record it with its counts. Raises Problem `not-found` where no child is in it."""
    async with here.writer.recorded(who, action, year=year) as detail:
        with written as take:
            async for page in here.register.pages(AT_ONCE):
                for state in page:
                    take(Holding(state, here.schemas))
        account.close()
        detail |= {"children": account.children, "rows": dict(account.rows), "left_out": sum(account.left.values())}
        if not account.children:
            raise Problem("not-found", "No child of the register is in the return of that year.", report=account.summary())


def _sent(file: IO[bytes], held: ExitStack, account: Account, *, media_type: str, name: str) -> StreamingResponse:
    said: dict[str, Any] = account.summary()
    headers = {REPORT: msgspec.json.encode(said).decode("ascii"), "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(files.chunks(file, held), media_type=media_type, headers=headers)
