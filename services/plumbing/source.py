"""A source service: a register that publishes. Its wires and the endpoints every source has: imports and keys."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import msgspec
from fastapi import APIRouter, Depends, FastAPI, Form, Header, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.plumbing import app as wires
from services.plumbing import database, deliveries, keys, telemetry
from services.plumbing.access import AccessWriter
from services.plumbing.contracts import Codes, Schemas, code_lists
from services.plumbing.files import delivery, report
from services.plumbing.files.delivery import Options, Recognise
from services.plumbing.files.unnamed import Unnamed, keep_in
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.kafka.relay import Relay
from services.plumbing.keys import Wanted
from services.plumbing.problems import Problem
from services.plumbing.register import waiting
from services.plumbing.register.register import Register
from services.plumbing.register.said import Said
from services.plumbing.sealing import Keyring
from services.plumbing.settings import Settings, from_environment
from services.plumbing.telemetry import Telemetry
from services.plumbing.tokens import Principal

MOST_FILES = 200
LARGEST_DELIVERY = 4 * 1024**3
"""Bytes of one delivery: its files are written to disk as they come."""
IMPORTERS = ("cli", "education", "socialcare")
ROUND = 60.0
"""Seconds between two looks at what is silent, what waits too long and which reports are old."""
_log = telemetry.log("source")


@dataclass(frozen=True)
class Kind:
    """What tells one source service from another.

    recognise: makes what recognises the files of one delivery. readers: record class -> services that may fetch its keys;
    "*" for every other class.
    """

    service: str
    subject: str
    recognise: Callable[[Codes], Recognise]
    readers: Mapping[str, frozenset[str]]
    routers: Sequence[APIRouter] = ()


@dataclass(frozen=True)
class Source:
    """A running source service, as its endpoints use it."""

    settings: Settings
    pool: asyncpg.Pool
    schemas: Schemas
    outbox: Outbox
    register: Register
    keyring: Keyring
    writer: AccessWriter
    codes: Codes
    kind: Kind


@contextlib.asynccontextmanager
async def opened(kind: Kind, settings: Settings, measure: Telemetry) -> AsyncIterator[Source]:
    """A source service from its database opened to closed."""
    await database.migrate(settings.database)
    schemas = Schemas.load(*settings.contracts)
    keyring = Keyring(settings.master_key)
    outbox = Outbox(kind.service, f"{kind.service}.events", schemas, keyring)
    pool = await database.connect(settings.database, name=kind.service)
    writer = AccessWriter(service=kind.service, dsn=settings.database, schemas=schemas, telemetry=measure)
    await writer.start()
    try:
        yield Source(
            settings, pool, schemas, outbox, Register(pool, outbox, schemas, kind=kind.subject, keyring=keyring), keyring, writer,
            code_lists(*settings.contracts), kind,
        )  # fmt: skip
    finally:
        await writer.stop()
        await pool.close()


def application(kind: Kind, settings: Settings) -> FastAPI:
    """The HTTP service of one source."""
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(kind, settings, measure) as source:
            app.state.source, app.state.pool = source, source.pool
            task = asyncio.create_task(look_after(source, measure))
            task.add_done_callback(_ended)
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return wires.create_app(settings, routers=[_shared, *kind.routers], lifespan=lifespan, measure=measure)


def main(kind: Kind) -> None:
    """Run one process of a source service: `python -m services.<service>.main api|relay`."""
    role = sys.argv[1] if len(sys.argv) > 1 else "api"
    settings = from_environment(kind.service, role)
    if role == "api":
        keep_in(settings.state)
        wires.run(wires.serve(application(kind, settings), settings))
    else:
        wires.run(run_relay(settings))


async def look_after(here: Source, measure: Telemetry) -> None:
    """Look again and again, until cancelled; while the database is away, when it is back."""
    while True:
        try:
            await look(here, measure, now=datetime.now(UTC))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("What is silent or waits cannot be looked at now.", extra=telemetry.fields(error=type(error).__name__))
        await asyncio.sleep(ROUND)


def _ended(task: asyncio.Task[None]) -> None:
    """A fault of ours is said; the service goes on without it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("What is silent or waits is looked at no more.", exc_info=error)


async def look(here: Source, measure: Telemetry, *, now: datetime) -> None:
    """Warn of sources that are silent for too long (once a day), refuse what waits too long, remove old reports."""
    await asyncio.to_thread(report.remove_old, here.settings.state, days=here.settings.report_days)
    await _listen(here, measure, now)
    await _refuse_overdue(here, now)
    async with here.pool.acquire() as conn:
        rows, _ = await waiting.standing(conn)
    measure.metrics.set("rows_waiting", rows)


async def _listen(here: Source, measure: Telemetry, now: datetime) -> None:
    async with here.pool.acquire() as conn:
        for one in deliveries.heard(await deliveries.all_of(conn), here.settings.rhythm, now=now):
            measure.metrics.set("delivery_silent_seconds", (now - one.since).total_seconds(), kind=one.kind)
            if one.silent and await deliveries.warn(conn, one.kind, now=now):
                said = telemetry.fields(kind=one.kind, since=one.since.isoformat(), organisations=len(one.silent))
                _log.warning("A source is silent for longer than its rhythm.", extra=said)


async def _refuse_overdue(here: Source, now: datetime) -> None:
    """Into a report of their own: the files they came in were answered long ago."""
    since = now - timedelta(days=here.settings.waiting_days)
    async with here.pool.acquire() as conn:
        _, first = await waiting.standing(conn)
    if first is None or first >= since:
        return
    found = report.Report("rows that waited too long")
    found.open(here.settings.state, name=uuid.uuid4().hex)
    await here.register.refuse_overdue(found, since=since)
    found.close()
    _log.warning("Rows waited too long and were refused.", extra=telemetry.fields(rows=found.refused, report=str(found.path)))


async def run_relay(settings: Settings, *migrations: Path) -> None:
    """The relay process of any publishing service."""
    telemetry.log_to_stderr()
    measure = Telemetry(settings.process, otlp_endpoint=settings.otlp_endpoint)
    await database.migrate(settings.database, *migrations)
    relay = Relay(service=settings.service, dsn=settings.database, bootstrap=settings.kafka, telemetry=measure)
    health = wires.serve_health(settings, ready=lambda: relay.ready, measure=measure)
    await wires.run_beside(settings, relay.run(), health)


# -- endpoints every source has ----------------------------------------------------------------------------------

_shared = APIRouter()


def source(request: Request) -> Source:
    """The running service, for endpoints."""
    return request.app.state.source


Here = Annotated[Source, Depends(source)]
Reader = Annotated[Principal, Depends(wires.service_only("projector", "identity", "childview"))]
Importer = Annotated[Principal, Depends(wires.service_only(*IMPORTERS))]
Operator = Annotated[Principal, Depends(wires.service_only(*IMPORTERS, *wires.SCRAPERS))]


NOBODY: Mapping[str, frozenset[str]] = {waiting.RECORD_CLASS: frozenset()}
"""What waits is no event: no reader is given its key."""


class KeysAsked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /v1/keys."""

    keys: list[Wanted]


@_shared.post("/v1/keys", summary="The keys of streams and record classes, in bulk")
async def ask_keys(request: Request, here: Here, who: Reader) -> JSONResponse:
    """An answer for each key asked for, in order: key, destroyed, not-for-you or nothing. Recorded."""
    try:
        asked = msgspec.json.decode(await request.body(), type=KeysAsked).keys
    except msgspec.DecodeError as error:
        raise Problem("validation", "The body is not a list of keys.") from error
    if len(asked) > keys.MOST:
        raise Problem("too-large", f"Ask for at most {keys.MOST} keys at a time.")
    answers = await keys.hand_out(
        here.pool, here.writer, keyring=here.keyring, principal=who, wanted=asked, readers={**here.kind.readers, **NOBODY}
    )
    return JSONResponse({"keys": answers})


@_shared.post("/v1/imports", summary="Take the files of one delivery", max_body_size=LARGEST_DELIVERY)
async def take_files(
    here: Here,
    who: Importer,
    files: list[UploadFile],
    authority: Annotated[str | None, Form()] = None,
    collection: Annotated[str | None, Form()] = None,
    extracted: Annotated[str | None, Form()] = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    """What became of each file. The same content again changes nothing, so an Idempotency-Key is not needed here.

    A file's summary has `waiting` where rows of it wait for a subject that is not there yet, and `waited` where it brought what
    rows of earlier files waited for.
    """
    if len(files) > MOST_FILES:
        raise Problem("too-many", f"Send at most {MOST_FILES} files at a time.")
    options = Options(authority, collection, extracted)
    async with here.writer.recorded(who, "import", files=len(files)) as detail:
        summaries = await _taken(here, files, options, by=who.subject)
        detail |= {name: sum(one.get(name, 0) for one in summaries) for name in COUNTED}
    refused = any("why" in one for one in summaries)
    return JSONResponse({"files": summaries}, status_code=422 if refused and len(summaries) == 1 else 200)


COUNTED = ("rows", "accepted", "flagged", "refused", "unchanged", "events", "waiting", "waited")


class KindHeard(BaseModel):
    """One kind of file. rhythm_days: None where it has none. silent: whether an organisation is silent for longer."""

    kind: str
    last: datetime
    extracted: str
    rhythm_days: float | None
    organisations: int
    silent: bool
    silent_since: datetime | None
    silent_organisations: list[str]


class RowsWaiting(BaseModel):
    """Rows whose subject is not there yet, and since when the first waits."""

    rows: int
    since: datetime | None


class Deliveries(BaseModel):
    """What came, and what waits."""

    deliveries: list[KindHeard]
    waiting: RowsWaiting


@_shared.get("/v1/deliveries", summary="When each kind of file last came, and what waits")
async def list_deliveries(here: Here, who: Operator) -> Deliveries:
    """No kind is listed that never came. Nothing here is about a child, so it is no access."""
    async with here.pool.acquire() as conn:
        found = await deliveries.all_of(conn)
        rows, since = await waiting.standing(conn)
    heard = deliveries.heard(found, here.settings.rhythm, now=datetime.now(UTC))
    return Deliveries(deliveries=[KindHeard.model_validate(one.data()) for one in heard], waiting=RowsWaiting(rows=rows, since=since))


async def _taken(here: Source, files: Sequence[UploadFile], options: Options, *, by: str) -> list[dict[str, Any]]:
    """Take files as they came in; a summary of each. They have no name on disk and no copy: killed, nothing of them is left."""
    found = [Unnamed(upload.file, Path(upload.filename or f"{number:04d}").name) for number, upload in enumerate(files)]
    return await import_paths(here, found, options, by=by)


async def import_paths(
    here: Source,
    paths: Sequence[Path | Unnamed],
    options: Options,
    *,
    progress: delivery.Progress = lambda file, done, total: None,
    by: str | None = None,
) -> list[dict[str, Any]]:
    """Take files or folders; a summary of each file. by: whose request it is, for the events' provenance."""
    recognise = signed(here.kind.recognise(here.codes), by)
    return await delivery.take(here.register, paths, recognise, options, state=here.settings.state, progress=progress)


def signed(recognise: Recognise, by: str | None) -> Recognise:
    """The same files, and whatever they say is said by this principal."""

    def one(path: Path, name: str, options: Options) -> delivery.Source:
        found = recognise(path, name, options)
        return replace(found, kind=found.family, read=lambda report: (_by(said, by) for said in found.read(report)))

    return one


def _by(said: Said, by: str | None) -> Said:
    return replace(said, provenance=replace(said.provenance, by=by))
