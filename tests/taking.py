"""A process that takes files as a source service does, and may be killed in the middle: `python -m tests.taking DSN SERVICE MOMENT DAY FILE...`

MOMENT: of which transaction, counted from 1, and whether the process dies before or after it is committed: `7-before`, `7-after`.
`none`: it does not die. DAY: as of when the files speak, '' where they say it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from services.education import importing as education
from services.plumbing import database
from services.plumbing.contracts import Schemas, code_lists
from services.plumbing.files import delivery
from services.plumbing.files.delivery import Options
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.register import register
from services.plumbing.register.register import Register
from services.plumbing.sealing import Keyring
from services.socialcare import importing as socialcare
from tests.importing import CONTRACTS

MASTER = bytes(32)
RECOGNISE = {"education": education.recognise, "socialcare": socialcare.recognise}


def die_at(moment: str) -> list[int]:
    """Let this process kill itself there; how many transactions there were so far."""
    wanted, _, when = moment.partition("-")
    seen, transaction = [0], database.transaction

    @contextlib.asynccontextmanager
    async def counted(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
        seen[0] += 1
        last = str(seen[0]) == wanted
        async with transaction(pool) as conn:
            yield conn
            if last and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    database.transaction = counted
    return seen


async def take(dsn: str, service: str, paths: list[Path], options: Options) -> list[dict]:
    """Take the files; what became of each."""
    await database.migrate(dsn)
    schemas, keyring = Schemas.load(CONTRACTS), Keyring(MASTER)
    pool = await database.connect(dsn, name=service)
    register = Register(pool, Outbox(service, f"{service}.events", schemas, keyring), schemas, kind="test", keyring=keyring)
    with tempfile.TemporaryDirectory() as state:
        found = await delivery.take(register, paths, RECOGNISE[service](code_lists(CONTRACTS)), options, state=Path(state))
    await pool.close()
    return found


def main() -> None:
    """The command line; what became of the files, and how many transactions it took, as JSON."""
    dsn, service, moment, extracted, *files = sys.argv[1:]
    register.BATCH = 10  # so that small files have many moments
    seen = die_at(moment)
    found = asyncio.run(take(dsn, service, [Path(file) for file in files], Options(authority="999", extracted=extracted or None)))
    print(json.dumps({"files": found, "transactions": seen[0]}))


if __name__ == "__main__":
    main()
