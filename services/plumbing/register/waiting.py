"""Rows that came before what they belong to: kept sealed until it comes, or until they have waited too long.

Nothing of them stands in clear. One key of the register, that no reader is ever given, seals what they say and turns the names
of those they wait for into digests that can be looked up and not read.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from services.plumbing import sealing
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key
from services.plumbing.sealing import Keyring

STREAM = str(uuid.uuid5(uuid.UUID("5b0f7a0e-6f57-5c0e-9a5e-4c7a1d2f3b60"), "waiting"))
RECORD_CLASS = "R-WAITING"
"""The key of everything that waits in one register is that of this stream and class."""


class Row(msgspec.Struct, frozen=True):
    """What one delivery says of a subject that is not there yet; `rows` are those of its file."""

    keys: tuple[Key, ...]
    joins: tuple[Key, ...]
    aliases: tuple[Key, ...]
    statements: tuple[Statement, ...]
    otherwise: str
    provenance: Provenance
    rows: tuple[int, ...]

    @property
    def gone(self) -> bool:
        """Whether it only withdraws. Then it waits without end: an older file may bring what it takes away."""
        return all(one.withdrawn for one in self.statements)

    @property
    def names(self) -> tuple[Key, ...]:
        """Whom it waits for, under every name."""
        return (*self.keys, *self.joins)


@dataclass(frozen=True)
class Held:
    """A row that waits: since when, and under which report it was counted (how many rows of the file)."""

    mark: bytes
    position: int
    since: datetime
    report: str
    count: int
    row: Row


def row_of(said: Said) -> Row:
    """What is kept of what was said."""
    rows = tuple(row for _, row in said.places)
    return Row(said.keys, said.joins, said.aliases, said.statements, said.otherwise, said.provenance, rows)


def said_again(row: Row) -> Said:
    """What was said then, its rows told under the name of their own file."""
    told = Report(row.provenance.file or "", named=True)
    places = tuple((told, number) for number in row.rows)
    return Said(
        row.keys, row.statements, told, row.provenance, must_exist=True, otherwise=row.otherwise,
        joins=row.joins, aliases=row.aliases, rows=places,
    )  # fmt: skip


_encoder = msgspec.msgpack.Encoder(order="sorted")
_decoder = msgspec.msgpack.Decoder(Row)


class _Columns(NamedTuple):
    mark: bytes
    sealed: bytes
    extracted: str
    file: str
    report: str
    rows: int
    gone: bool


@dataclass(frozen=True)
class Waiting:
    """The rows of one register that wait, opened with its key."""

    key: bytes = field(repr=False)

    async def hold(self, conn: asyncpg.Connection, rows: Sequence[tuple[Row, str]]) -> None:
        """Keep each row with the report it is counted in. What waits already waits once, however often it is sent.

        Of the same words in a newer file, or in another of the same day, the last stands at the end of the queue.
        """
        columns: dict[bytes, _Columns] = {}
        for row, report in rows:
            mark = self._mark(row)
            before = columns.get(mark)
            count = len(row.rows) + (before.rows if before and before.report == report else 0)
            sealed = sealing.seal(self.key, plain=_encoder.encode(row), bound_to=mark)
            columns[mark] = _Columns(mark, sealed, row.provenance.extracted, row.provenance.sha256 or "", report, count, row.gone)
        held = await _said_anew(conn, list(columns.values()))
        await _insert(conn, list(columns.values()), held)
        await self._name(conn, [row for row, _ in rows])

    async def due(self, conn: asyncpg.Connection, names: Iterable[Key], *, after: int, most: int) -> list[Held]:
        """Rows behind this position that wait for a subject of one of these names, in the order they came; locked."""
        found = await conn.fetch(
            "select * from waiting_rows where position > $2 and mark in (select mark from waiting_for where name = any($1::bytea[]))"
            " order by position limit $3 for update",
            [self._digest(*name) for name in names],
            after,
            most,
        )
        return [self._open(one) for one in found]

    async def gone(self, conn: asyncpg.Connection, names: Iterable[Key]) -> list[Row]:
        """The withdrawals that wait for a subject of one of these names, in the order they came."""
        found = await conn.fetch(
            "select * from waiting_rows where gone and mark in (select mark from waiting_for where name = any($1::bytea[]))"
            " order by position",
            [self._digest(*name) for name in names],
        )
        return [self._open(one).row for one in found]

    async def overdue(self, conn: asyncpg.Connection, before: datetime, *, most: int) -> list[Held]:
        """Rows that have waited since before then, but for withdrawals; locked, those that somebody takes at this moment left
        out."""
        found = await conn.fetch(
            "select * from waiting_rows where since < $1 and not gone order by since limit $2 for update skip locked", before, most
        )
        return [self._open(one) for one in found]

    def _open(self, found: asyncpg.Record) -> Held:
        plain = sealing.open_seal(self.key, sealed=found["sealed"], bound_to=found["mark"])
        return Held(found["mark"], found["position"], found["since"], found["report"], found["rows"], _decoder.decode(plain))

    async def _name(self, conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
        pairs = sorted({(self._digest(*name), mark) for row in rows for mark in [self._mark(row)] for name in row.names})
        await conn.execute(
            "insert into waiting_for select * from unnest($1::bytea[], $2::bytea[]) on conflict do nothing",
            [name for name, _ in pairs],
            [mark for _, mark in pairs],
        )

    def _mark(self, row: Row) -> bytes:
        """The same for the same words about the same subject, whatever file and row they stand in."""
        said = [replace(one, row=None) for one in row.statements]
        return hmac.digest(self.key, _encoder.encode([row.keys, row.joins, row.aliases, said]), "sha256")

    def _digest(self, *name: str) -> bytes:
        return hmac.digest(self.key, _encoder.encode(name), "sha256")


async def opened(conn: asyncpg.Connection, keyring: Keyring) -> Waiting:
    """What waits in this register, its key made now where there is none."""
    name = (STREAM, RECORD_CLASS)
    return Waiting((await keyring.keys(conn, [name]))[name])


async def anything(conn: asyncpg.Connection, *, gone: bool = False) -> bool:
    """Whether any row waits; or any withdrawal."""
    return await conn.fetchval("select exists (select from waiting_rows where gone or not $1)", gone)


async def standing(conn: asyncpg.Connection) -> tuple[int, datetime | None]:
    """How many rows of files wait for something that should come (a withdrawal does not), and since when the first."""
    found = await conn.fetchrow(
        "select coalesce(sum(rows), 0)::bigint as rows, min(since) as since from waiting_rows where not gone"
    )
    return found["rows"], found["since"]


async def forget(conn: asyncpg.Connection, marks: Sequence[bytes]) -> None:
    """These wait no longer."""
    await conn.execute("delete from waiting_rows where mark = any($1::bytea[])", list(marks))


async def _said_anew(conn: asyncpg.Connection, columns: Sequence[_Columns]) -> dict[bytes, asyncpg.Record]:
    """Take out what these say again in a file that has not said it yet: it goes in again, at the end, as old as it was."""
    rows = await conn.fetch(
        "delete from waiting_rows w using unnest($1::bytea[], $2::text[], $3::text[]) as n(mark, extracted, file)"
        " where w.mark = n.mark and n.extracted >= w.extracted and position(n.file in w.files) = 0"
        " returning w.mark, w.files, w.since",
        [one.mark for one in columns],
        [one.extracted for one in columns],
        [one.file for one in columns],
    )
    return {row["mark"]: row for row in rows}


async def _insert(conn: asyncpg.Connection, columns: Sequence[_Columns], held: dict[bytes, asyncpg.Record]) -> None:
    """The rows in order; of one that is there already, only in which report it is counted now."""
    files = [f"{held[one.mark]['files']} {one.file}" if one.mark in held else one.file for one in columns]
    await conn.execute(
        "insert into waiting_rows (mark, sealed, extracted, files, report, rows, since, gone)"
        " select m, s, e, f, r, c, coalesce(t, now()), g"
        " from unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::bool[])"
        " with ordinality as n(m, s, e, f, r, c, t, g, o) order by o on conflict (mark) do update set report = excluded.report,"
        " rows = case when waiting_rows.report = excluded.report then waiting_rows.rows else 0 end + excluded.rows",
        [one.mark for one in columns],
        [one.sealed for one in columns],
        [one.extracted for one in columns],
        files,
        [one.report for one in columns],
        [one.rows for one in columns],
        [held[one.mark]["since"] if one.mark in held else None for one in columns],
        [one.gone for one in columns],
    )
