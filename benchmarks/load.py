"""Many requests over kept connections, with as little of the client in the figure as Python allows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any


async def requests(port: int, wanted: Sequence[bytes], *, connections: int) -> tuple[float, list[float]]:
    """Send these requests; (seconds in all, seconds of each). Raises AssertionError for an answer that is not 200."""
    queue = iter(wanted)
    times: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:
            started = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            times.append(time.perf_counter() - started)
            assert status == 200, status
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return time.perf_counter() - started, times


async def at_rate(port: int, wanted: Sequence[bytes], *, rate: float, connections: int, answered: Callable[[bytes], None]) -> float:
    """Send these requests at so many a second, as far as the connections allow; the rate reached. answered: is given each body
    when it is there. Raises AssertionError for an answer that is not 201."""
    queue = iter(enumerate(wanted))
    started = time.perf_counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, request in queue:
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            writer.write(request)
            status, body = await _whole(reader)
            assert status == 201, status
            answered(body)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return len(wanted) / (time.perf_counter() - started)


async def _answer(reader: asyncio.StreamReader) -> int:
    return (await _whole(reader))[0]


async def _whole(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


def get(path: str, headers: dict[str, str]) -> bytes:
    """One GET as bytes."""
    return _request("GET", path, headers)


def post(path: str, body: Any, headers: dict[str, str]) -> bytes:
    """One POST of JSON as bytes."""
    sent = json.dumps(body).encode()
    return _request("POST", path, {**headers, "Content-Type": "application/json", "Content-Length": str(len(sent))}) + sent


def _request(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n".encode()
