"""One trace leads from a command to the moment it is visible, another through a read; no span holds anything of a person."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.journeys import faults
from tests.journeys.installation import Installation, eventually, installed

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP and keeps its traces."""

    kept: list[bytes] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.kept.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Installation]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    extra = {"CHILDVIEW_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    with installed(tmp_path_factory.mktemp("traces") / "state", extra=extra) as running:
        (running.state / "personas.json").write_text(json.dumps(faults.PERSONA))
        running.client.ask("POST", "policy", "/v1/people/import", files={"file": ("staff.csv", faults.STAFF.encode())})
        yield running
    server.shutdown()


def spans() -> list[tuple[str, str, str]]:
    """(trace, process, span's name) of everything collected."""
    found = []
    for body in list(Collector.kept):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            found += [(span.trace_id.hex(), process, span.name) for scope in resource.scope_spans for span in scope.spans]
    return found


def test_a_trace_leads_from_the_command_to_the_moment_it_is_visible(here):
    row = f"TP1,9994001,TS1,,{faults.given(7)}son,{faults.given(7)},2014-07-19,F,2019-09-01"
    files = {"pupilonroll.csv": f"{faults.HEADER}\n{row}\n"}
    sent = [("files", (name, text.encode())) for name, text in files.items()]
    here.client.ask("POST", "education", "/v1/imports", files=sent, data={"collection": "2026-spring"}, headers={"traceparent": PARENT})
    here.wait()
    wanted = {
        ("childview-education", "request"), ("childview-education-relay", "publish"), ("childview-identity", "decide"),
        ("childview-projector", "visible"),
    }  # fmt: skip
    eventually(lambda: wanted <= {(process, name) for trace, process, name in spans() if trace == TRACE})


def test_a_trace_leads_through_a_read_and_no_span_names_anybody(here):
    names = {"family_name": f"{faults.given(7)}son", "given_name": faults.given(7)}
    child = here.search("sw", purpose="enquiry", **names)[0]["id"]
    other = TRACE[::-1]
    answer = here.ask("sw", "GET", f"/v1/children/{child}", purpose="enquiry", headers={"traceparent": f"00-{other}-b7ad6b7169203331-01"})
    assert answer.status_code == 200
    eventually(lambda: {"request", "read"} <= {name for trace, process, name in spans() if trace == other and process == "childview-childview"})
    everything = b"".join(Collector.kept)
    planted = [*names.values(), "2014-07-19", child, "TP1", "TS1", "sw-post"]
    assert [word for word in planted if word.encode() in everything] == []
