"""The baseline of a read: FastAPI and `pool.fetchval` of one 8 KB row, and nothing else. `python -m benchmarks.bare PORT DSN`."""

from __future__ import annotations

import contextlib
import sys

import asyncpg
import uvicorn
from fastapi import FastAPI, Response


def application(dsn: str) -> FastAPI:
    """One endpoint."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI):
        app.state.pool = await asyncpg.create_pool(dsn, min_size=8, max_size=8)
        await app.state.pool.execute("create table if not exists bare (id int primary key, body bytea)")
        await app.state.pool.execute("insert into bare select 1, convert_to(repeat('x', 8192), 'utf8') on conflict do nothing")
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/bare")
    async def bare() -> Response:
        return Response(await app.state.pool.fetchval("select body from bare where id = $1", 1), media_type="application/json")

    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
