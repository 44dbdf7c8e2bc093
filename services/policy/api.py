"""The service `policy` over HTTP: leases, bundles, people, suspensions, conflicts, break-glass."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from services.disclosure import evaluate, language
from services.disclosure.language import Vocabulary
from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.access import AccessWriter
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.unnamed import Unnamed
from services.plumbing.kafka import envelope
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.problems import Problem
from services.plumbing.settings import Settings
from services.plumbing.tokens import Principal, Verifier
from services.policy import leases, people, store

router = APIRouter()
LONGEST_GLASS, EMERGENCY = 60, "emergency"
DECIDERS = ("childview", "socialcare")
"""The services that ask what policy says of a person, with the token that the person holds for them."""


@dataclass(frozen=True)
class Policy:
    """The running service, as its endpoints use it. users: verifies tokens that people hold for each decider."""

    settings: Settings
    pool: asyncpg.Pool
    outbox: Outbox
    writer: AccessWriter
    vocabulary: Vocabulary
    users: Mapping[str, Verifier]


def policy(request: Request) -> Policy:
    """The running service, for endpoints."""
    return request.app.state.policy


Here = Annotated[Policy, Depends(policy)]
Decider = Annotated[Principal, Depends(wires.service_only(*DECIDERS))]
Cli = Annotated[Principal, Depends(wires.service_only("cli"))]
Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Match = Annotated[str | None, Header(alias="If-Match")]


class Body(BaseModel):
    """A request's body: nothing in it is ignored."""

    model_config = ConfigDict(extra="forbid")


class LeaseAsked(Body):
    """For whom (their own token) and for what."""

    user_token: str
    purpose: str


class Reason(Body):
    """Why."""

    reason: wires.Sentence


class Conflict(Body):
    """A child that a person must not open, or whose reading is flagged."""

    child: uuid.UUID
    kind: Literal["self", "relative", "conflict", "colleague"]


class Glass(Body):
    """An emergency: for whom, which child, why, for how long (minutes)."""

    user_token: str
    child: uuid.UUID
    reason: wires.Sentence
    minutes: int = Field(60, ge=1, le=LONGEST_GLASS)


class Bundle(Body):
    """Policies to put in force."""

    policies: list[dict[str, Any]]


@router.post("/v1/leases", summary="What policy says of a person now, for one purpose, for five seconds")
async def lease(here: Here, who: Decider, body: LeaseAsked) -> Response:
    """The lease. The service's own token and the person's are both asked for: nobody asserts another's post."""
    person = await _person(here, who, body.user_token)
    async with here.pool.acquire() as conn:
        found = await leases.issue(
            conn, person=person.subject, post_id=person.post, purpose=body.purpose, today=datetime.now(UTC).date()
        )
    return Response(msgspec.json.encode(found), media_type="application/json")


async def _person(here: Policy, who: Principal, token: str) -> Principal:
    """Whose token a decider shows. Raises Problem `token`."""
    person = await here.users[who.service or ""].verify(token)
    if person.service is not None:
        raise Problem("token", "A lease is for a person.", status=403)
    return person


@router.get("/v1/bundles/{hash}", summary="A published bundle")
async def bundle(here: Here, who: Decider, hash: str) -> Response:
    """Its policies and vocabulary; the hash names exactly these."""
    async with here.pool.acquire() as conn:
        found = await store.bundle(conn, hash)
    if found is None:
        raise Problem("not-found", "There is no such bundle.")
    body = {"hash": found.hash, "policies": found.policies, "vocabulary": here.vocabulary}
    return Response(msgspec.json.encode(body), media_type="application/json")


@router.post("/v1/bundles", status_code=201, summary="Put policies in force")
async def publish(here: Here, who: Cli, body: Bundle, key: Key = None) -> Response:
    """{"hash"}. Refused, with every place that is wrong, when the linter does not accept one of them."""
    async with (
        here.writer.recorded(who, "publish-bundle", status=201, policies=len(body.policies)) as detail,
        database.transaction(here.pool) as conn,
    ):

        async def work() -> dict[str, Any]:
            return {"hash": await put_in_force(conn, here.outbox, body.policies, here.vocabulary, by=who.subject)}

        made = await _once(conn, who, key, ["bundle", body.policies], work)
        detail |= msgspec.json.decode(made.body)
    return made


async def _once(
    conn: asyncpg.Connection,
    who: Principal,
    key: str | None,
    asked: list[Any],
    work: Callable[[], Awaitable[Mapping[str, Any]]],
    *,
    status: int = 201,
) -> Response:
    """What `work` gives, done once for this principal's Idempotency-Key, in the caller's transaction."""

    async def done() -> tuple[int, bytes]:
        return status, msgspec.json.encode(await work())

    code, body = await wires.once(conn, principal=who.subject, key=key, request=msgspec.json.encode(asked), work=done)
    return Response(body, status_code=code, media_type="application/json")


async def put_in_force(
    conn: asyncpg.Connection, outbox: Outbox, documents: list[dict[str, Any]], vocabulary: Vocabulary, *, by: str
) -> str:
    """Lint, hash, store and publish; the bundle's hash. Raises Problem `validation`."""
    wrong = language.lint(documents, vocabulary)
    if wrong:
        places = [{"policy": one.uid, "at": one.path, "why": one.help} for one in wrong]
        raise Problem("validation", "These policies cannot be put in force.", errors=places)
    hash = evaluate.content_hash(documents, vocabulary)
    await store.save_bundle(conn, outbox, hash=hash, policies=documents, by=by)
    return hash


@router.put("/v1/people/{id}", summary="A joiner, mover or leaver: one post of one person")
async def put_person(
    here: Here, who: Cli, id: str, row: dict[str, str], response: Response, if_match: Match = None
) -> dict[str, Any]:
    """The post is this one from now on. The fields are the columns of the staff file. The answer has the post's ETag."""
    async with here.writer.recorded(who, "put-post", of=id, post=row.get("post_id")) as detail:
        found = _post(here, id, row)
        async with database.transaction(here.pool) as conn:
            await store.lock(conn)
            wires.fits(if_match, await _etag(here, conn, found.post_id))
            detail["changed"] = await store.save_post(conn, here.outbox, found)
            response.headers["ETag"] = await _etag(here, conn, found.post_id) or ""
    return {"changed": detail["changed"]}


def _post(here: Policy, id: str, row: Mapping[str, str]) -> store.Post:
    try:
        return people.post({"name": "", **row, "person_id": id}, address_key=here.settings.address_key)
    except (ValueError, KeyError) as error:
        raise Problem("validation", f"The post cannot be read: {error}.") from None


async def _etag(here: Policy, conn: asyncpg.Connection, post_id: str) -> str | None:
    stands = await store.held(conn, post_id)
    return None if stands is None else wires.etag(here.settings.digest_key, b"post", stands)


@router.post("/v1/people/import", summary="The joiner, mover and leaver file", max_body_size=50_000_000)
async def import_people(here: Here, who: Cli, file: UploadFile) -> dict[str, Any]:
    """What became of the file."""
    async with here.writer.recorded(who, "import-people") as detail:
        report = await _taken(here, file)
        detail |= {"rows": report.rows, "accepted": report.accepted, "refused": report.refused, "changed": report.events}
    return {"files": [report.summary()]}


async def _taken(here: Policy, file: UploadFile) -> Report:
    """Take a staff file: each post in a transaction of its own. Raises Problem `file-refused`."""
    found = Unnamed(file.file, Path(file.filename or "staff.csv").name)
    report = Report(found.name)
    report.open(here.settings.state, name=uuid.uuid4().hex)
    try:
        posts = list(people.read(found, report.file, report, address_key=here.settings.address_key))
    except FileRefused as refused:
        report.whole_file_refused = str(refused)
        report.close()
        raise Problem("file-refused", str(refused)) from None
    for post in posts:
        async with database.transaction(here.pool) as conn:
            changed = await store.save_post(conn, here.outbox, post)
        report.events += changed
        report.unchanged += not changed
    report.close()
    return report


@router.post("/v1/people/{id}/suspension", summary="Suspend a person's access at once")
async def suspend(here: Here, who: Cli, id: str, body: Reason, key: Key = None) -> Response:
    """Every lease of the person ends now."""
    async with here.writer.recorded(who, "suspend", of=id), database.transaction(here.pool) as conn:

        async def work() -> dict[str, Any]:
            await store.suspend(conn, here.outbox, person=id, reason=body.reason)
            return {"suspended": True}

        return await _once(conn, who, key, ["suspension", id, body.reason], work, status=200)


@router.delete("/v1/people/{id}/suspension", summary="Give a person's access back")
async def unsuspend(here: Here, who: Cli, id: str) -> dict[str, Any]:
    """The person may act in their posts again."""
    async with here.writer.recorded(who, "end-suspension", of=id), database.transaction(here.pool) as conn:
        await store.suspend(conn, here.outbox, person=id, reason=None)
    return {"suspended": False}


@router.post("/v1/people/{id}/conflicts", status_code=201, summary="A child that a person must not open")
async def declare(here: Here, who: Cli, id: str, body: Conflict, key: Key = None) -> Response:
    """The gate is closed from now on (a colleague's child: readings are flagged)."""
    child = str(body.child)
    recorded = here.writer.recorded(who, "declare-conflict", status=201, of=id, child=child, kind=body.kind)
    async with recorded, database.transaction(here.pool) as conn:

        async def work() -> dict[str, Any]:
            await store.declare(conn, here.outbox, person=id, child=child, kind=body.kind)
            return {"declared": body.kind}

        return await _once(conn, who, key, ["conflict", id, child, body.kind], work)


@router.post("/v1/break-glass", status_code=201, summary="Open one child's view in an emergency")
async def break_glass(here: Here, who: Decider, body: Glass, key: Key = None) -> Response:
    """{"id", "until"}. It lifts waivable denies for this person and child; it opens no gate and allows nothing by itself.

    The Idempotency-Key is the person's. Whoever may not act now (no post, suspended, vetting that has lapsed) opens nothing,
    not even by asking again.
    """
    person = await _person(here, who, body.user_token)
    child = str(body.child)
    recorded = here.writer.recorded(person, "break-glass", status=201, purpose=EMERGENCY, child=child, asked_by=who.subject)
    async with recorded as detail, database.transaction(here.pool) as conn:
        await _may_break(conn, person)

        async def work() -> dict[str, Any]:
            return await _open_glass(conn, here, person, body)

        opened = await _once(conn, person, key, ["glass", child, body.reason, body.minutes], work)
        detail["glass"] = msgspec.json.decode(opened.body)["id"]
    return opened


async def _may_break(conn: asyncpg.Connection, person: Principal) -> None:
    """Raises Problem for a person who may not act in an emergency now: a suspension of this moment comes first."""
    await store.lock(conn)
    today = datetime.now(UTC).date()
    found = await leases.issue(conn, person=person.subject, post_id=person.post, purpose=EMERGENCY, today=today)
    if not found.vetting_current:
        raise Problem("no-lease", "Your vetting is not current. Ask your manager.", status=403)


async def _open_glass(conn: asyncpg.Connection, here: Policy, person: Principal, body: Glass) -> dict[str, Any]:
    """One opening, as an event that tells the owner what it is for and when it is looked at again."""
    now = datetime.now(UTC)
    id, until = str(uuid.uuid4()), envelope.timestamp(now + timedelta(minutes=body.minutes))
    data = _glass(id, person, body, until, now.date() + timedelta(days=1))
    await store.publish(
        conn, here.outbox, stream=person.subject, type="policy.break-glass-opened.v1", ends=person.subject, data=data
    )
    return {"id": id, "until": until}


def _glass(id: str, person: Principal, body: Glass, until: str, review_due: date) -> Mapping[str, Any]:
    return {
        "id": id,
        "person": person.subject,
        "post": person.post,
        "child": str(body.child),
        "purpose": EMERGENCY,
        "reason": body.reason,
        "until": until,
        "review_due": review_due.isoformat(),
    }
