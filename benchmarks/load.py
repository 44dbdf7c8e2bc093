"""Many requests over kept connections, with as little of the client in the figure as Python allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence


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


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def get(path: str, headers: dict[str, str]) -> bytes:
    """One GET as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n".encode()
