"""The subjects of a register in its database: by which keys they are known, and what is held of each."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

import asyncpg
import msgspec

from services.plumbing.register.entries import WHO, State
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import TWICE, Directory, Key, Naming, valid_upns

JOINING = 7_305_120
"""Whoever touches what waits, or brings a new name, takes turns."""
encode = msgspec.msgpack.Encoder(order="sorted").encode
decode = msgspec.msgpack.Decoder(State).decode


async def resolve(
    conn: asyncpg.Connection, said: Sequence[Said]
) -> tuple[list[uuid.UUID | None], set[uuid.UUID]]:
    """The stream of each, made now where there is none and it may be; and those made. All keys are remembered."""
    namings = [one.naming() for one in said]
    directory = await _directory(conn, namings)
    streams: list[uuid.UUID | None] = []
    for one, naming in zip(said, namings, strict=True):
        stream, kept_apart = directory.settle(naming, must_exist=one.must_exist)
        if kept_apart is not None:
            one.report.flag(one.statements[0].row or 0, None, None, kept_apart)
        streams.append(stream)
    if directory.fresh:
        await remember(conn, directory.fresh)
        settled = await known(conn, sorted(directory.fresh))
        streams = [
            stream if stream is None else next((settled[key] for key in naming.own if key in settled), stream)
            for naming, stream in zip(namings, streams, strict=True)
        ]
    return streams, directory.made


async def _directory(conn: asyncpg.Connection, namings: Sequence[Naming]) -> Directory:
    """What is known of the keys, and of the subjects that a key of another system may join.

    Joining looks at a subject's other keys before it adds one, and what waits must not begin to while its subject comes:
    batches with a new name take turns.
    """
    keys = sorted({key for one in namings for key in _asked(one)})
    found = await known(conn, keys)
    if any(key not in found for one in namings for key in one.all):
        await conn.execute("select pg_advisory_xact_lock($1)", JOINING)
        found = await known(conn, keys)
    likely = sorted({found[key] for one in namings for key in one.joins if key in found})
    held: dict[uuid.UUID, set[Key]] = {}
    for row in await conn.fetch("select * from subject_keys where stream_id = any($1::uuid[])", likely):
        held.setdefault(row["stream_id"], set()).add((row["kind"], row["value"]))
    upns = {stream: upns_of(state) for stream, state in (await states(conn, likely)).items()}
    return Directory(found, held, upns)


async def known(conn: asyncpg.Connection, keys: Sequence[Key]) -> dict[Key, uuid.UUID]:
    """The subjects that these keys name; of a key that names none nothing."""
    rows = await conn.fetch(
        "select k.* from subject_keys k join unnest($1::text[], $2::text[]) as w(kind, value)"
        " on k.kind = w.kind and k.value = w.value",
        [kind for kind, _ in keys],
        [value for _, value in keys],
    )
    return {(row["kind"], row["value"]): row["stream_id"] for row in rows}


async def in_scope(conn: asyncpg.Connection, scope: str) -> list[uuid.UUID]:
    """The subjects with a key that begins so."""
    rows = await conn.fetch("select distinct stream_id from subject_keys where starts_with(value, $1)", scope)
    return sorted(row["stream_id"] for row in rows)


async def remember(conn: asyncpg.Connection, keys: Mapping[Key, uuid.UUID]) -> None:
    """Whoever comes first with a key names the subject; a writer at the same moment gives way."""
    ordered = sorted(keys.items())
    await conn.execute(
        "insert into subject_keys select * from unnest($1::text[], $2::text[], $3::uuid[]) on conflict do nothing",
        [kind for (kind, _), _ in ordered],
        [value for (_, value), _ in ordered],
        [stream for _, stream in ordered],
    )


async def forget(conn: asyncpg.Connection, streams: Sequence[uuid.UUID]) -> None:
    """A subject made for a row that was then refused was never there."""
    if streams:
        await conn.execute("delete from subject_keys where stream_id = any($1::uuid[])", list(streams))


async def states(conn: asyncpg.Connection, streams: Iterable[uuid.UUID]) -> dict[uuid.UUID, State]:
    """What is held of these subjects; an empty state of one that is not there."""
    rows = await conn.fetch("select * from subjects where stream_id = any($1::uuid[])", list(streams))
    found = {row["stream_id"]: decode(row["state"]) for row in rows}
    return {stream: found.get(stream) or State() for stream in streams}


async def save(conn: asyncpg.Connection, states: Mapping[uuid.UUID, State]) -> None:
    """Keep these states."""
    await conn.execute(
        "insert into subjects select * from unnest($1::uuid[], $2::bytea[])"
        " on conflict (stream_id) do update set state = excluded.state",
        list(states),
        [encode(state) for state in states.values()],
    )


def upns_of(state: State) -> frozenset[str]:
    """The valid current UPNs of a subject."""
    who = state.entries.get(WHO)
    return frozenset() if who is None else valid_upns([who.fields])


def _asked(naming: Naming) -> Iterator[Key]:
    """Every key to look up: also whether a joining key has come to name several."""
    yield from naming.all
    yield from ((TWICE + kind, value) for kind, value in naming.joins)
