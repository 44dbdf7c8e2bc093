"""A register on a fresh database, and deliveries to it: what importers do, without a service around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import msgspec

from services.plumbing import database
from services.plumbing.contracts import Schemas, code_lists
from services.plumbing.files import delivery
from services.plumbing.files.delivery import Options
from services.plumbing.kafka.outbox import Outbox
from services.plumbing.register.entries import State
from services.plumbing.register.register import Register
from services.plumbing.sealing import Keyring

CONTRACTS = Path(__file__).parents[1] / "contracts"
SHARED = Path(__file__).parents[2] / "shared" / "inputs"
"""Real samples of the sector beside the project; a clone elsewhere does not have them."""


class Desk:
    """Takes deliveries for one service and remembers what was published, unsealed."""

    def __init__(self, pool: asyncpg.Pool, service: str, recognise, folder: Path) -> None:
        self.published: list[tuple[str, str, dict[str, Any]]] = []
        schemas = Schemas.load(CONTRACTS)
        outbox = Outbox(service, f"{service}.events", schemas)
        self.register = Register(pool, _Open(outbox, self.published, schemas), schemas, kind="test", keyring=Keyring(bytes(32)))
        self._recognise, self._folder, self._pool = recognise, folder, pool

    async def take(self, files: Mapping[str, str | bytes], **options: str) -> list[dict[str, Any]]:
        """What became of files of these names and texts."""
        folder = self._folder / f"delivery{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return await self.take_paths([folder / name for name in files], **options)

    async def take_paths(self, paths, **options: str) -> list[dict[str, Any]]:
        """What became of these files."""
        found = self._recognise(code_lists(CONTRACTS))
        return await delivery.take(self.register, paths, found, Options(**options), state=self._folder)

    async def close(self) -> None:
        """End its connections."""
        await self._pool.close()

    async def forget(self) -> None:
        """Begin again with an empty register."""
        await self._pool.execute("truncate subjects, subject_keys, streams, waiting_rows, subject_numbers, subject_relatives, purged_subjects cascade")
        self.published.clear()

    def said(self, type: str) -> list[dict[str, Any]]:
        """The data of every event of this type."""
        return [data for _, name, data in self.published if name.split(".", 1)[1].startswith(type)]

    def streams(self, type: str) -> list[str]:
        """The streams with an event of this type, each once, in the order they came."""
        return list(dict.fromkeys(stream for stream, name, _ in self.published if name.split(".", 1)[1].startswith(type)))

    def items(self, report: dict[str, Any], outcome: str | None = None) -> list[dict[str, Any]]:
        """The report file's rows, of one outcome or all."""
        found = msgspec.json.decode(Path(report["report"]).read_bytes())["items"]
        return [one for one in found if outcome in (None, one["outcome"])]

    async def state(self) -> dict[str, dict[str, tuple[dict[str, Any], bool]]]:
        """What the register holds, by the subject's first key: entry -> (fields, withdrawn)."""
        rows = await self._pool.fetch(
            "select min(k.kind || ' ' || k.value) as name, s.state from subjects s join subject_keys k using (stream_id) group by stream_id"
        )
        held = {row["name"]: msgspec.msgpack.decode(row["state"], type=State).entries for row in rows}
        return {name: {entry: (one.fields, one.withdrawn) for entry, one in sorted(found.items())} for name, found in held.items()}


class _Open:
    """An outbox that checks events against their contracts and keeps them, instead of sealing them."""

    def __init__(self, outbox: Outbox, kept: list, schemas: Schemas) -> None:
        self._kept, self._schemas, self.service = kept, schemas, outbox.service

    async def append(self, conn, changes) -> dict:
        for stream, events in changes:
            for event in events:
                self._schemas.validate(event.type, dict(event.data))
                self._kept.append((str(stream), event.type, dict(event.data)))
        return {}


async def desk(dsn: str, service: str, recognise, folder: Path) -> Desk:
    """A desk on a fresh database."""
    await database.migrate(dsn)
    return Desk(await database.connect(dsn, name=service), service, recognise, folder)


def split(random: Random, tables: Mapping[str, tuple[str, list[str]]], *, suffix: str) -> dict[str, str]:
    """The rows of each table (stem -> header and rows) in any order in one to three files of it."""
    files: dict[str, str] = {}
    for stem, (header, rows) in tables.items():
        shuffled = random.sample(rows, len(rows))
        cuts = sorted(random.choices(range(len(rows) + 1), k=random.randint(0, 2)))
        for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            name = stem.format(random.randrange(10**6))
            files[name + suffix] = "\n".join([header, *shuffled[first:last]]) + "\n"
    names = random.sample(sorted(files), len(files))
    return {name: files[name] for name in names}
