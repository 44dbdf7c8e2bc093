"""Whether this database is a demonstration's. A mark in the database decides it, and with it whose keys a service trusts.

The local issuer lets anybody be anyone, and says of itself that it is a demonstration's. A service whose database is not
marked refuses its keys (`tokens.Verifier`) and does not start beside it, whatever its environment says.
"""

from __future__ import annotations

import asyncpg
import httpx

from services.plumbing import database, telemetry
from services.plumbing.settings import Settings
from services.plumbing.tokens import DEMONSTRATION

_log = telemetry.log("demonstration")


class Disagreement(Exception):
    """The database, the settings and the issuer do not agree on whether this is a demonstration; the message says how."""


async def mark(dsn: str) -> None:
    """From now on this database is a demonstration's. Called by the local installation, as the database's owner."""
    await database.migrate(dsn)
    conn = await database.connect_one(dsn, name="mark")
    try:
        await conn.execute(
            "insert into installation (demonstration) values (true) on conflict (one) do update set demonstration = true"
        )
    finally:
        await conn.close()


async def marked(conn: asyncpg.Connection) -> bool:
    """Whether the database is a demonstration's."""
    return bool(await conn.fetchval("select demonstration from installation"))


async def agree(settings: Settings) -> None:
    """Before a process serves anything. Raises Disagreement.

    An issuer that cannot be asked now is asked by the verifier, which refuses its keys all the same.
    """
    await database.migrate(settings.database)
    conn = await database.connect_one(settings.database, name="start")
    try:
        found = await marked(conn)
    finally:
        await conn.close()
    if found != settings.demonstration:
        said = "a demonstration's" if found else "not a demonstration's"
        raise Disagreement(f"the database is {said}, and CHILDVIEW_DEMONSTRATION says otherwise")
    if not found and await _local(settings.issuer):
        raise Disagreement("the issuer is a demonstration's, and the database is not")


async def _local(issuer: str) -> bool:
    """Whether the issuer says that it is a demonstration's."""
    try:
        async with httpx.AsyncClient(timeout=5) as http:
            answer = await http.get(f"{issuer}/jwks")
            answer.raise_for_status()
            return bool(answer.json().get(DEMONSTRATION))
    except (httpx.HTTPError, ValueError) as error:
        _log.warning("The issuer cannot be asked yet.", extra=telemetry.fields(error=type(error).__name__))
        return False
