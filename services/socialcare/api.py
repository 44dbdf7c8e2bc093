"""Commands of the register `socialcare`: persons, who works with them, what is open, and protection at once.

The authority's own systems may use every address. People may do four things: find a person, make one, and, by their post,
set a protection or the pair of an adopted child. Every request is recorded, and every event names whose request it was.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import httpx
import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.disclosure.lease import Lease
from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.commands import broken, command, find
from services.plumbing.contracts import SchemaRefused
from services.plumbing.files import values
from services.plumbing.problems import Problem
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.source import Here
from services.plumbing.tokens import Principal
from services.socialcare.importers import adopting

router = APIRouter()
Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Match = Annotated[str | None, Header(alias="If-Match")]
SYSTEMS = frozenset({"cli", "socialcare"})
KINDS_OF = {
    "protection-officer": frozenset({"shielded", "risk_linked"}),
    "adoption-officer": frozenset({"adopted"}),
}
"""Which protections the people of a post may set."""


class Body(BaseModel):
    """A request's body: nothing in it is ignored."""

    model_config = ConfigDict(extra="forbid")


class LocalId(Body):
    """The case system's number of a person."""

    local_id: str = Field(min_length=1, max_length=40)


class Protection(Body):
    """A protection as it stands from now on. end_date: the last day it holds, None while it is open."""

    protection_kind: Literal["shielded", "adopted", "risk_linked"]
    start_date: date
    end_date: date | None = None
    named_professional_ids: list[str] = []
    risk_local_id: str | None = None


class AdoptionPair(Body):
    """The other record of an adopted child."""

    other: uuid.UUID


class End(Body):
    """The day something ended."""

    end_date: date


@dataclass(frozen=True)
class Caller:
    """Who is let in. role: the post's, None for a system."""

    who: Principal
    role: str | None


def system_or(*roles: str) -> Any:
    """A dependency that lets in the authority's own systems, and people in these posts whose vetting is current.

    Which post a person has, and whether they may act in it now, policy says by a lease. What a person declared to be in
    conflict with (the lease's `conflicts`) cannot be looked at here: it names children of childview, and this register
    knows its own persons alone.
    """

    async def check(request: Request, who: Annotated[Principal, Depends(wires.principal)]) -> Caller:
        if who.service in SYSTEMS:
            return Caller(who, None)
        lease = await _lease(request, who) if who.service is None and roles else None
        if lease is None or lease.role not in roles or not lease.vetting_current:
            raise _refused()
        return Caller(who, lease.role)

    return Depends(check)


def _refused() -> Problem:
    return Problem("token", "This caller may not use this address.", status=403)


async def _lease(request: Request, who: Principal, purpose: str = "enquiry") -> Lease | None:
    """What policy says of a person now, for a purpose that the post works for; None for who has none to act in."""
    state = request.app.state
    try:
        answer = await state.http.post(
            f"{state.settings.urls['policy']}/v1/leases",
            json={"user_token": who.token, "purpose": purpose},
            headers=await state.tokens.bearer("policy"),
            timeout=5,
        )
    except httpx.HTTPError as error:
        raise Problem("no-lease", "Policy cannot be asked now. Try again soon.") from error
    if answer.status_code == 200:
        return msgspec.json.decode(answer.content, type=Lease)
    if answer.status_code not in (401, 403):
        raise Problem("no-lease", "Policy gave no answer. Try again soon.")
    permitted = answer.json().get("permitted", [])
    return await _lease(request, who, permitted[0]) if permitted and purpose not in permitted else None


System = Annotated[Caller, system_or()]
Protector = Annotated[Caller, system_or(*KINDS_OF)]
AdoptionTeam = Annotated[Caller, system_or("adoption-officer")]


@router.post("/v1/persons", status_code=201, summary="A person, before or after an extract brings them")
async def make_person(here: Here, caller: Protector, body: LocalId, key: Key = None) -> Response:
    """{"id"} of the person with this local id, made now where there is none."""
    who = caller.who
    person = Statement("socialcare.person-recorded.v1", "R-IDENT", {"identifiers": [values.local_id(body.local_id)]})

    async with here.writer.recorded(who, "make-person", status=201) as detail, database.transaction(here.pool) as conn:

        async def work() -> tuple[int, bytes]:
            stream = await here.register.make(conn, ("local", body.local_id))
            await here.register.change(conn, stream, [person], Provenance(values.today(), by=who.subject))
            return 201, msgspec.json.encode({"id": str(stream)})

        asked = msgspec.json.encode(["make-person", body.local_id])
        code, made = await wires.once(conn, principal=who.subject, key=key, request=asked, work=work)
        detail["stream"] = msgspec.json.decode(made)["id"]
    return Response(made, status_code=code, media_type="application/json")


@router.post("/v1/persons/find", summary="A person by the case system's number")
async def find_person(here: Here, caller: Protector, body: LocalId) -> dict[str, Any]:
    """{"id"}. A number is never in an address. Recorded, found or not."""
    return await find(here, ("local", body.local_id), who=caller.who, action="find-person")


@router.put("/v1/persons/{id}/protection", summary="Set, change or end a protection; it takes effect at once")
async def protect(
    here: Here, caller: Protector, id: uuid.UUID, body: Protection, key: Key = None, if_match: Match = None
) -> Response:
    """The protection of this kind is this one from now on. The answer's ETag is this protection's alone."""
    if caller.role is not None and body.protection_kind not in KINDS_OF[caller.role]:
        async with here.writer.recorded(caller.who, "protect", stream=str(id)):
            raise _refused()
    if body.protection_kind == "risk_linked" and not body.risk_local_id:
        raise Problem("validation", "Say who the risk is.", errors=[{"at": "body/risk_local_id", "why": "missing"}])
    statement = Statement("socialcare.protection-recorded.v1", "R-IDENT", body.model_dump(mode="json"))
    return await command(here, id, statement, who=caller.who, action="protect", key=key, status=200, if_match=if_match)


@router.post("/v1/persons/{id}/adoption-pair", status_code=201, summary="Two records that must never be joined")
async def pair_adopted(here: Here, caller: AdoptionTeam, id: uuid.UUID, body: AdoptionPair, key: Key = None) -> Response:
    """Only identity and the adoption team can ever read the pair."""
    statement = Statement("socialcare.adoption-pair-recorded.v1", "R-ADOPT-PAIR", {"other_stream": str(body.other)})
    return await command(here, id, statement, who=caller.who, action="pair-adopted", key=key)


@router.post("/v1/persons/{id}/involvements/{involvement}/end", summary="An involvement ended")
async def end_involvement(
    here: Here, caller: System, id: uuid.UUID, involvement: str, body: End, key: Key = None
) -> Response:
    """The relationship it opened is closing from that day."""
    fields = {"involvement_id": involvement, "end_date": body.end_date.isoformat()}
    statement = Statement("socialcare.involvement-recorded.v1", "R-CASE", fields)
    return await command(here, id, statement, who=caller.who, action="end-involvement", key=key, status=200)


KINDS = {
    "involvements": ("socialcare.involvement-recorded.v1", "R-CASE"),
    "referrals": ("socialcare.referral-recorded.v1", "R-CASE"),
    "plans": ("socialcare.plan-recorded.v1", None),
    "looked-after": ("socialcare.looked-after-recorded.v1", "R-CARE"),
    "relations": ("socialcare.relation-recorded.v1", "R-IDENT"),
}
"""What else one request may record: address -> (event type, record class; a plan's depends on its kind)."""


@router.post("/v1/persons/{id}/{kind}", status_code=201, summary="Record one involvement, referral, plan, episode or relation")
async def record(here: Here, caller: System, id: uuid.UUID, kind: str, body: dict[str, Any], key: Key = None) -> Response:
    """The entry with this natural key is this one from now on. The body has the fields of the event's contract."""
    if kind not in KINDS:
        raise Problem("not-found", "There is nothing at this address.")
    type, record_class = KINDS[kind]
    record_class = record_class or ("R-CP" if body.get("plan_kind") == "protection" else "R-CASE")
    _check(here, type, body)
    if field := adopting.told_in(body):
        raise Problem(
            "validation", f"{field} tells of adoption: that stands apart, and comes with a delivery or from the adoption team."
        )
    return await command(here, id, Statement(type, record_class, body), who=caller.who, action=f"record-{kind}", key=key)


def _check(here: Here, type: str, body: dict[str, Any]) -> None:
    """The contract, before anything is done; a refusal says where, never what stood there."""
    try:
        here.schemas.validate(type, {**body, "provenance": {"extracted": values.today()}})
    except SchemaRefused as refused:
        raise broken(refused) from None
