"""What a request does to one subject of a register: it is found, or an entry of it is changed; committed and recorded before the
answer leaves."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
from fastapi import Response

from services.plumbing import app as wires
from services.plumbing import database
from services.plumbing.access import digest
from services.plumbing.contracts import SchemaRefused
from services.plumbing.problems import Problem
from services.plumbing.register.entries import Provenance, State, Statement
from services.plumbing.register.subjects import Key
from services.plumbing.source import Source
from services.plumbing.tokens import Principal


async def find(here: Source, key: Key, *, who: Principal, action: str) -> dict[str, str]:
    """{"id"} of a subject by a natural key, recorded either way. Raises Problem `not-found`."""
    query = digest(here.settings.digest_key, *(part.encode() for part in key))
    async with here.writer.recorded(who, action, query=query) as detail:
        async with here.pool.acquire() as conn:
            stream = await here.register.find(conn, key)
        if stream is None:
            raise Problem("not-found", f"No {here.kind.subject} of the register has this number.")
        detail["stream"] = str(stream)
    return {"id": str(stream)}


async def command(
    here: Source,
    id: uuid.UUID,
    statement: Statement,
    *,
    who: Principal,
    action: str,
    key: str | None,
    status: int = 201,
    if_match: str | None = None,
) -> Response:
    """Let one subject's entry be what a request says, from now on; committed and recorded before the answer leaves.

    key: the caller's Idempotency-Key. if_match: the ETag of the entry the caller wants to change. The answer has the entry's
    ETag. Raises Problem: `not-found` for a subject the register does not have, `version-conflict`.
    """
    provenance = Provenance(datetime.now(UTC).date().isoformat(), by=who.subject)
    asked = msgspec.json.encode([str(id), statement.type, dict(statement.fields), statement.withdrawn])

    async with here.writer.recorded(who, action, status=status, stream=str(id)), database.transaction(here.pool) as conn:

        async def work() -> tuple[int, bytes]:
            state = await here.register.hold(conn, id)
            if state is None:
                raise Problem("not-found", "The register has no such record.")
            wires.fits(if_match, _etag(here, id, state, statement))
            try:
                outcome = await here.register.change_held(conn, id, state, [statement], provenance)
            except SchemaRefused as refused:
                raise broken(refused) from None
            body = {"id": str(id), "events": len(outcome.events), "etag": _etag(here, id, state, statement)}
            return status, msgspec.json.encode(body)

        code, body = await wires.once(conn, principal=who.subject, key=key, request=asked, work=work)
    found = msgspec.json.decode(body)
    headers = {"ETag": found["etag"]} if found.get("etag") else {}
    return Response(body, status_code=code, media_type="application/json", headers=headers)


def broken(refused: SchemaRefused) -> Problem:
    """A body that breaks its contract: where, never what stood there."""
    return Problem("validation", "The body breaks its contract.", errors=[{"at": refused.where, "why": refused.why}])


def _etag(here: Source, id: uuid.UUID, state: State, statement: Statement) -> str | None:
    """Of the one entry that a statement speaks of: of the subject's others it tells nothing."""
    entry = here.register.entry(state, statement)
    return None if entry is None else wires.etag(here.settings.digest_key, id.bytes, statement.type.encode(), entry)
