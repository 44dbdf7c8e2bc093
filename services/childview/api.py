"""childview over HTTP: children for practitioners, and the clearing house. JSON and pages come from the same functions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.childview import parking
from services.childview.identity import store as identities
from services.childview.reading import asking, conflicts, dry_runs, duplicates, lists, recording, road, search, unmerging
from services.childview.reading.asking import Answer, Asker, Reading
from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.problems import Problem
from services.plumbing.tokens import Principal

router = APIRouter()


class Decision(BaseModel):
    """What people decided of a pair, and why."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["same", "different", "cannot-tell"]
    reason: wires.Sentence
    dry_run: bool = False


class Undo(BaseModel):
    """Which merge to undo, and why."""

    model_config = ConfigDict(extra="forbid")
    decision: int = Field(ge=1, le=2**62)
    reason: wires.Sentence


class Choice(BaseModel):
    """Which of the words that contradict each other stands, why, and whether the sources of the others are asked to correct them."""

    model_config = ConfigDict(extra="forbid")
    option: str = Field(max_length=64)
    reason: wires.Sentence
    send_back: bool = False


class Glass(BaseModel):
    """An emergency: why, and for how many minutes."""

    model_config = ConfigDict(extra="forbid")
    reason: wires.Sentence
    minutes: int = Field(60, ge=1, le=60)


def reading(request: Request) -> Reading:
    """What reads use."""
    return request.app.state.reading


def outbox(request: Request) -> Outbox:
    """Where decisions of people go."""
    return request.app.state.outbox


async def asker(
    who: Annotated[Principal, Depends(wires.principal)],
    purpose_of_use: Annotated[str | None, Header()] = None,
) -> Asker:
    """Who asks, for what."""
    return asking.asker(who, purpose_of_use, "api")


Here = Annotated[Reading, Depends(reading)]
Asked = Annotated[Asker, Depends(asker)]
Decisions = Annotated[Outbox, Depends(outbox)]
Key = Annotated[str | None, Header()]


async def moved(request: Request, found: Exception) -> Response:
    """308: the child's records went to another, whom this asker may find."""
    assert isinstance(found, road.Moved)
    parts = [found.child if road.is_id(part) else part for part in request.url.path.split("/")]
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=308, headers={"Location": "/".join(parts) + query, "Access-Id": found.answer.access_id})


def send(answer: Answer) -> Response:
    """An answer with its headers."""
    headers = {"Access-Id": answer.access_id, "As-Of": answer.as_of}
    if answer.etag:
        headers["ETag"] = answer.etag
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)


@router.post("/v1/children/search", summary="Find a child")
async def find_children(here: Here, asked: Asked, body: dict[str, Any]) -> Response:
    """At most twenty children who agree with what was typed, by fields this asker sees in full."""
    return send(await search.search(here, asked, body))


_READ = [
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
    {"name": "Purpose-Of-Use", "in": "header", "required": True, "schema": {"type": "string", "enum": list(asking.PURPOSES)}},
    {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
]


@router.get("/v1/children/{id}", summary="One child, filtered field by field", openapi_extra={"parameters": _READ})
async def read_child(request: Request) -> Response:
    """What this asker may see. Unknown, not yours, protected and adopted are one answer: not found.

    The one endpoint that asks for nothing but the request: it is served as a plain route (see `main`), so that nothing is spent
    on resolving dependencies.
    """
    headers = request.headers
    who = await wires.principal(request, headers.get("authorization"))
    asked = asking.asker(who, headers.get("purpose-of-use"), "api")
    here: Reading = request.app.state.reading
    return send(await road.read_child(here, asked, request.path_params["id"], if_none_match=headers.get("if-none-match")))


@router.get("/v1/children/{id}/entries/{category}", summary="A page of one category's entries")
async def read_entries(here: Here, asked: Asked, id: str, category: str, cursor: str | None = None) -> Response:
    """Entries this asker sees, newest first."""
    return send(await lists.entries(here, asked, id, category, cursor))


@router.get("/v1/children/{id}/chronology", summary="Everything dated, newest first")
async def read_chronology(here: Here, asked: Asked, id: str) -> Response:
    """Entries of every category of which something is shown in full."""
    return send(await lists.chronology(here, asked, id))


@router.get("/v1/children/{id}/involved", summary="Who else works with the child")
async def read_involved(here: Here, asked: Asked, id: str) -> Response:
    """Involvements this asker sees."""
    return send(await lists.involved(here, asked, id))


@router.post("/v1/children/{id}/break-glass", status_code=201, summary="Open a child's view in an emergency")
async def break_glass(
    here: Here, asked: Asked, id: str, body: Glass, idempotency_key: Annotated[str | None, Header()] = None
) -> JSONResponse:
    """Lifts waivable denies for this person, post and child. The owner is told, a review is due; no gate opens."""
    opened = await road.find_or_refuse(here, asked, id)
    await recording.record(here, asked, opened, action="break-glass", status=201, detail={"minutes": body.minutes})
    asked_for = {"child": opened.view.child, **body.model_dump()}
    found = await here.leases.break_glass(asked.who, asked_for, key=idempotency_key)
    return JSONResponse(found, status_code=201)


@router.get("/v1/caseload", summary="The children this post works with")
async def read_caseload(here: Here, asked: Asked, cursor: str | None = None) -> Response:
    """Names and the relationship, a page at a time."""
    return send(await lists.caseload(here, asked, cursor))


@router.get("/v1/me", summary="Who I am here")
async def read_me(here: Here, asked: Asked) -> dict[str, Any]:
    """The post acted in, its purposes and valid training."""
    lease = await here.leases.lease(asked.who, asked.purpose)
    kept = ("person", "post", "name", "role", "organisation_kind", "organisations", "team_ids", "training", "purposes")
    return {name: getattr(lease, name) for name in kept}


@router.get("/v1/duplicates", summary="Pairs that are held")
async def read_duplicates(here: Here, asked: Asked) -> Response:
    """The pairs this officer may decide, by risk and age: side by side, in words how well they agree, and why each is held."""
    return send(await duplicates.queue(here, asked))


@router.post("/v1/duplicates/{id}/claim", status_code=204, summary="Work on a pair")
async def claim_duplicate(here: Here, asked: Asked, id: str, idempotency_key: Key = None) -> Response:
    """Nobody else decides it for half an hour."""
    return send(await duplicates.claim(here, asked, id, key=idempotency_key))


@router.post(
    "/v1/duplicates/{id}/decision",
    status_code=201,
    summary="Decide a pair",
    responses={200: {"description": "What it would move"}, 202: {"description": "Proposed: another person has to confirm it"}},
)
async def decide_duplicate(
    here: Here, asked: Asked, decisions: Decisions, id: str, body: Decision, idempotency_key: Key = None
) -> Response:
    """{"decision": its number}, by which it can be undone. Where a protected or looked-after child is touched, `same` is
    {"proposal": its number} until another person says so, too, within a week. A dry run decides nothing and says what would
    move."""
    if body.dry_run:
        return send(await dry_runs.rehearse(here, asked, decisions, id, outcome=body.outcome, reason=body.reason))
    found = await duplicates.decide(
        here, asked, decisions, id, outcome=body.outcome, reason=body.reason, key=idempotency_key
    )
    return send(found)


@router.get("/v1/conflicts", summary="Values that contradict each other")
async def read_conflicts(here: Here, asked: Asked) -> Response:
    """Of the fields that something depends on: the words this officer may choose among, each with its source and dates."""
    return send(await conflicts.queue(here, asked))


@router.post("/v1/conflicts/{id}/decision", status_code=201, summary="Settle on a value")
async def decide_conflict(
    here: Here, asked: Asked, decisions: Decisions, id: str, body: Choice, idempotency_key: Key = None
) -> Response:
    """{"decision": its number}. The word stands until its source says something else."""
    found = await conflicts.decide(
        here, asked, decisions, id, option=body.option, reason=body.reason, send_back=body.send_back, key=idempotency_key
    )
    return send(found)


@router.post(
    "/v1/children/{id}/unmerge",
    status_code=201,
    summary="Undo a merge",
    responses={202: {"description": "Proposed: another person has to confirm it"}},
)
async def unmerge_child(
    here: Here, asked: Asked, decisions: Decisions, id: str, body: Undo, idempotency_key: Key = None
) -> Response:
    """{"decision": its number, "seen": how many people saw what was mixed}. Records go back to the children they had; what
    came later is held. Where a protected or looked-after child is touched, another person confirms it, as a merge."""
    found = await unmerging.unmerge(
        here, asked, decisions, id, decision=body.decision, reason=body.reason, key=idempotency_key
    )
    return send(found)


@router.get("/v1/unmerges/{decision}/seen", summary="Who saw a child that was two")
async def read_seen(here: Here, asked: Asked, decision: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """For those who read the access log: who read the mixed child from the merge to its undoing, in which post and when."""
    return send(await unmerging.who_saw(here, asked, decision))


@router.get("/v1/status", summary="Numbers about the whole, for operators")
async def read_status(
    request: Request, here: Here, who: Annotated[Principal, Depends(wires.service_only("cli"))]
) -> dict[str, Any]:
    """Children, freshness and parked streams: counts and times alone."""
    return await request.app.state.status(here.pool)


class Release(BaseModel):
    """Where a stream is parked, what to do with the record there, and why."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["retry", "skip"]
    topic: str
    partition: int
    offset: int
    reason: wires.Sentence


Operator = Annotated[Principal, Depends(wires.service_only("cli"))]


@router.get("/v1/parked", summary="Streams that wait")
async def read_parked(here: Here, who: Operator) -> dict[str, Any]:
    """Places and reasons; no stream is named."""
    async with here.pool.acquire() as conn:
        return {"items": await parking.waiting_places(conn)}


@router.post("/v1/parked", status_code=201, summary="Let a stream go on")
async def release_parked(here: Here, decisions: Decisions, who: Operator, body: Release) -> dict[str, Any]:
    """An event made by a person: understand the record again, or go on as if it were not there. {"release": its number}"""
    async with database.transaction(here.deciding) as conn:
        if not await identities.followed(conn):
            raise Problem("stale-source", "Decisions made before are still being read. Try again soon.")
        number = await parking.say_released(conn, decisions, {**body.model_dump(), "by": who.subject})
    return {"release": number}
