"""The edge: what nobody answered for is a logged fault without detail, and a network's failure is not mistaken for one."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from services.plumbing import app as wires
from services.plumbing import telemetry
from services.plumbing.problems import Problem
from services.plumbing.settings import from_environment

SETTINGS = from_environment("audit", "api", {"CHILDVIEW_DATABASE": "postgresql://nowhere", "CHILDVIEW_ISSUER": "http://nowhere"})


async def answered(error: Exception) -> httpx.Response:
    """What an endpoint that fails in this way answers."""
    router = APIRouter()

    @router.get("/fails")
    async def fails() -> None:
        raise error

    @contextlib.asynccontextmanager
    async def nothing(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = wires.create_app(SETTINGS, routers=[router], lifespan=nothing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get("/fails")


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(errno.ENOENT, "Canary"), PermissionError(errno.EACCES, "Canary"), OSError(errno.ENOSPC, "Canary"), KeyError("Canary")],
)
async def test_a_fault_of_ours_is_a_500_without_detail_and_is_logged_once_by_type_and_place(error, caplog):
    caplog.set_level(logging.ERROR)
    answer = await answered(error)
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert answer.headers["cache-control"] == "no-store"
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    line = json.loads(telemetry._JsonLines().format(record))
    assert line["exception"] == type(error).__name__ and line["at"] and "Canary" not in json.dumps(line)


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), TimeoutError(), OSError(errno.EHOSTUNREACH, "x"), OSError("Multiple exceptions: refused, refused")],
)
async def test_a_part_that_cannot_be_reached_is_said_to_be_so(error):
    answer = await answered(error)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-lease")


@pytest.mark.parametrize(("named", "stands", "fits"), [
    (None, None, True), (None, '"a"', True), ('"a"', '"a"', True), ('"b", "a"', '"a"', True), ("*", '"a"', True),
    ("*", None, False), ('"a"', None, False), ('"b"', '"a"', False), ("", '"a"', False),
])  # fmt: skip
def test_a_change_is_for_what_stands_now(named, stands, fits):
    if fits:
        wires.fits(named, stands)
    else:
        with pytest.raises(Problem, match="version-conflict"):
            wires.fits(named, stands)
