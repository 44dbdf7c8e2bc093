"""Commands of the register `socialcare`: persons, who works with them, what is open, and protection at once."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.contracts import SchemaRefused
from services.plumbing.files import values
from services.plumbing.problems import Problem
from services.plumbing.register import Provenance, Statement
from services.plumbing.source import Here, command
from services.plumbing.tokens import Principal

router = APIRouter()
Key = Annotated[str | None, Header(alias="Idempotency-Key")]
PROTECTORS = frozenset({"protection-officer", "adoption-officer"})


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


async def practitioner(request: Request, who: Annotated[Principal, Depends(wires.principal)]) -> Principal:
    """Who may write here: the authority's own systems, and the posts that protect, which only policy knows."""
    if who.service in ("cli", "socialcare"):
        return who
    if who.service is None and await _role(request, who) in PROTECTORS:
        return who
    raise Problem("token", "This caller may not use this address.", status=403)


async def _role(request: Request, who: Principal, purpose: str = "enquiry") -> str | None:
    """The post's role now, by a lease asked of policy, for a purpose that the post works for."""
    state = request.app.state
    answer = await state.http.post(
        f"{state.settings.urls['policy']}/v1/leases",
        json={"user_token": who.token, "purpose": purpose},
        headers=await state.tokens.bearer("policy"),
        timeout=5,
    )
    if answer.status_code == 200:
        return answer.json()["role"]
    permitted = answer.json().get("permitted", []) if answer.status_code == 403 else []
    return await _role(request, who, permitted[0]) if permitted and purpose not in permitted else None


Caller = Annotated[Principal, Depends(practitioner)]


@router.post("/v1/persons", status_code=201, summary="A person, before or after an extract brings them")
async def make_person(here: Here, who: Caller, body: LocalId) -> dict[str, Any]:
    """{"id"} of the person with this local id, made now where there is none."""
    async with database.transaction(here.pool) as conn:
        stream = await here.register.make(conn, ("local", body.local_id))
        person = Statement("socialcare.person-recorded.v1", "R-IDENT", {"identifiers": [values.local_id(body.local_id)]})
        await here.register.change(conn, stream, [person], Provenance(values.today()))
    return {"id": str(stream)}


@router.post("/v1/persons/find", summary="A person by the case system's number")
async def find_person(here: Here, who: Caller, body: LocalId) -> dict[str, Any]:
    """{"id"}. A number is never in an address."""
    async with here.pool.acquire() as conn:
        stream = await here.register.find(conn, ("local", body.local_id))
    if stream is None:
        raise Problem("not-found", "No person of the register has this number.")
    return {"id": str(stream)}


@router.put("/v1/persons/{id}/protection", summary="Set, change or end a protection; it takes effect at once")
async def protect(here: Here, who: Caller, id: uuid.UUID, body: Protection, key: Key = None) -> Response:
    """The protection of this kind is this one from now on."""
    statement = Statement("socialcare.protection-recorded.v1", "R-IDENT", body.model_dump(mode="json"))
    return await command(here, id, statement, who=who, key=key, status=200)


@router.post("/v1/persons/{id}/adoption-pair", status_code=201, summary="Two records that must never be joined")
async def pair_adopted(here: Here, who: Caller, id: uuid.UUID, body: AdoptionPair, key: Key = None) -> Response:
    """Only identity and the adoption team can ever read the pair."""
    statement = Statement("socialcare.adoption-pair-recorded.v1", "R-ADOPT-PAIR", {"other_stream": str(body.other)})
    return await command(here, id, statement, who=who, key=key)


@router.post("/v1/persons/{id}/involvements/{involvement}/end", summary="An involvement ended")
async def end_involvement(here: Here, who: Caller, id: uuid.UUID, involvement: str, body: End, key: Key = None) -> Response:
    """The relationship it opened is closing from that day."""
    fields = {"involvement_id": involvement, "end_date": body.end_date.isoformat()}
    statement = Statement("socialcare.involvement-recorded.v1", "R-CASE", fields)
    return await command(here, id, statement, who=who, key=key, status=200)


KINDS = {
    "involvements": ("socialcare.involvement-recorded.v1", "R-CASE"),
    "referrals": ("socialcare.referral-recorded.v1", "R-CASE"),
    "plans": ("socialcare.plan-recorded.v1", None),
    "looked-after": ("socialcare.looked-after-recorded.v1", "R-CARE"),
    "relations": ("socialcare.relation-recorded.v1", "R-IDENT"),
}
"""What else one request may record: address -> (event type, record class; a plan's depends on its kind)."""


@router.post("/v1/persons/{id}/{kind}", status_code=201, summary="Record one involvement, referral, plan, episode or relation")
async def record(here: Here, who: Caller, id: uuid.UUID, kind: str, body: dict[str, Any], key: Key = None) -> Response:
    """The entry with this natural key is this one from now on. The body has the fields of the event's contract."""
    if kind not in KINDS:
        raise Problem("not-found", "There is nothing at this address.")
    type, record_class = KINDS[kind]
    record_class = record_class or ("R-CP" if body.get("plan_kind") == "protection" else "R-CASE")
    _check(here, type, body)
    return await command(here, id, Statement(type, record_class, body), who=who, key=key)


def _check(here: Here, type: str, body: dict[str, Any]) -> None:
    """The contract, before anything is done; a refusal says where, never what stood there."""
    try:
        here.schemas.validate(type, {**body, "provenance": {"extracted": values.today()}})
    except SchemaRefused as refused:
        raise Problem("validation", "The body breaks its contract.", errors=[{"at": refused.where, "why": refused.why}]) from None
