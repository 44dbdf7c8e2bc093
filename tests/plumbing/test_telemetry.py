"""What leaves a process besides its answers: kinds and counts, never a value, whatever escapes."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from services.plumbing.telemetry import Metrics, Telemetry

CANARY = "Kanarienvogela"
START = f"""
import asyncio, logging, sys, threading
from services.plumbing import telemetry
telemetry.log_to_stderr()
canary = {CANARY!r}
def fall():
    raise ValueError(f"no such child: {{canary}}")
"""
WAYS = {
    "the process dies": "fall()",
    "the process dies of another's exception": "try:\n    fall()\nexcept ValueError as error:\n    raise RuntimeError(canary) from error",
    "a task dies": "asyncio.run((lambda: asyncio.sleep(0) if False else lost())())",
    "a thread dies": "t = threading.Thread(target=fall); t.start(); t.join()",
    "a finaliser dies": "class Gone:\n    def __del__(self):\n        fall()\nGone()",
    "we log it": "try:\n    fall()\nexcept ValueError:\n    telemetry.log('x').exception('It fell.')",
    "another package logs it": "foreign('try:\\n    fall()\\nexcept ValueError as error:\\n    logging.getLogger(\"other\").error(\"it fell: %s\", error)')",
    "another package logs only it": "foreign('try:\\n    fall()\\nexcept ValueError as error:\\n    logging.getLogger(\"other\").error(error)')",
    "uvicorn logs a start that failed": "import uvicorn\nasyncio.run(uvicorn.Server(uvicorn.Config(application(), log_config=None, port=0)).serve())",
    "uvicorn logs a request that failed": "asyncio.run(request())",
    "a log call is wrong itself": "telemetry.log('x').info('%d children', canary)",
}
MORE = """
async def lost():
    async def fail():
        fall()
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
    import gc; gc.collect()
def foreign(code):
    exec(compile(code, "/elsewhere/other.py", "exec"), globals())
def application():
    from contextlib import asynccontextmanager
    from starlette.applications import Starlette
    @asynccontextmanager
    async def lifespan(app):
        fall()
        yield
    return Starlette(lifespan=lifespan)
async def request():
    import uvicorn, httpx
    async def app(scope, receive, send):
        fall()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, port=0, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient() as http:
        await http.get(f"http://127.0.0.1:{port}/")
    server.should_exit = True
    await serving
"""


@pytest.mark.parametrize("way", WAYS)
def test_an_exception_reaches_the_log_by_its_type_and_place_alone(way):
    done = subprocess.run([sys.executable, "-c", START + MORE + WAYS[way]], capture_output=True, text=True, timeout=60)
    assert CANARY not in done.stderr + done.stdout, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    if way == "a log call is wrong itself":
        return
    if way == "another package logs it":
        assert lines[-1]["message"] == "it fell: %s"
        return
    told = [line for line in lines if line.get("exception") in ("ValueError", "RuntimeError")]
    assert told, done.stderr
    assert way == "another package logs only it" or any("fall" in place or "<module>" in place for place in told[-1]["at"])


def test_the_last_line_of_a_dying_process_says_that_it_ends_and_its_exit_code_does():
    done = subprocess.run([sys.executable, "-c", START + "fall()"], capture_output=True, text=True, timeout=60)
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, last["level"], last["message"], last["exception"]) == (1, "critical", "The process ends.", "ValueError")


def test_numbers_are_summed_by_their_labels_in_whatever_order_these_come():
    metrics = Metrics("test")
    metrics.add("refusals", type="token")
    metrics.add("refusals", 2, type="token")
    metrics.add("pairs", a="1", b="2")
    metrics.add("pairs", b="2", a="1")
    metrics.set("waiting", 3)
    metrics.set("waiting", 1)
    metrics.observe("read_seconds", 0.2)
    text = metrics.render().decode()
    lines = {line.split(" ")[0].split("{")[0]: line.rsplit(" ", 1)[1] for line in text.splitlines() if not line.startswith("#")}
    assert (lines["childview_refusals_total"], lines["childview_pairs_total"], lines["childview_waiting"]) == ("3.0", "2.0", "1.0")
    assert lines["childview_read_seconds_count"] == "1.0"
    assert 'type="token"' in text


def test_counting_costs_a_read_less_than_half_of_what_an_instrument_does():
    metrics = Metrics("test")
    counter = metrics._meter.create_counter("bare")
    ours = min(_seconds(lambda: metrics.add("fields_shown", 3, level="full")) for _ in range(5))
    bare = min(_seconds(lambda: counter.add(3, {"level": "full"})) for _ in range(5))
    assert ours < bare / 2, (ours, bare)


def _seconds(count) -> float:
    started = time.perf_counter()
    for _ in range(3000):
        count()
    return time.perf_counter() - started


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP and keeps it by path."""

    kept: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        self.kept.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_metrics_leave_by_otlp_as_spans_do():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    measure = Telemetry("test", otlp_endpoint=f"http://127.0.0.1:{server.server_port}")
    measure.metrics.add("events_published", 7)
    with measure.span("request"):
        pass
    measure.shutdown()
    server.shutdown()
    bodies = dict(Collector.kept)
    sent = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"])
    found = {m.name: m.sum.data_points[0].as_int for r in sent.resource_metrics for s in r.scope_metrics for m in s.metrics}
    assert found == {"childview_events_published": 7} and "/v1/traces" in bodies
