"""Spans, metrics and logs, all by hand (automatic tracing costs most of the throughput, see DESIGN 11).

Nothing here may hold a name, a birth date, an identifier, or the id of a child or stream: spans carry kinds and
counts, metrics carry kinds, logs carry sentences and kinds.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, Tracer

Value = str | int | float | bool


class Telemetry:
    """One process's tracer and meter. Where nobody takes spans none is recorded; trace ids go on all the same."""

    def __init__(
        self,
        process: str,
        *,
        otlp_endpoint: str | None = None,
        sample: float = 1.0,
        processors: tuple[SpanProcessor, ...] = (),
    ) -> None:
        resource = Resource({"service.name": f"childview-{process}"})
        taken = (*processors, *_exporters(otlp_endpoint))
        self._provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(sample if taken else 0.0)))
        for processor in taken:
            self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer("childview")
        self.metrics = Metrics(process)

    @contextmanager
    def span(self, name: str, *, parent: str | None = None, **attributes: Value) -> Iterator[trace.Span]:
        """A span under `parent` (a traceparent header) or under the current span."""
        context = None if parent is None else trace.set_span_in_context(_remote(parent))
        with self.tracer.start_as_current_span(
            name, context=context, attributes=attributes, kind=SpanKind.INTERNAL, record_exception=False
        ) as span:
            yield span

    def mark(self, name: str, *, parent: str) -> None:
        """A moment of a trace that came from elsewhere."""
        with self.span(name, parent=parent):
            return

    def shutdown(self) -> None:
        """Send what is waiting."""
        self._provider.shutdown()


class Metrics:
    """Instruments by name, made at first use and rendered as Prometheus text."""

    def __init__(self, process: str) -> None:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import CollectorRegistry

        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(registry=self._registry)
        provider: MeterProvider | NoOpMeterProvider = MeterProvider(
            metric_readers=[reader], resource=Resource({"service.name": f"childview-{process}"})
        )
        self._meter = provider.get_meter("childview")
        self._made: dict[str, Any] = {}

    def add(self, name: str, amount: float = 1, **labels: Value) -> None:
        """Count something that happened."""
        self._get(name, self._meter.create_counter).add(amount, labels)

    def observe(self, name: str, value: float, **labels: Value) -> None:
        """One measured duration (seconds) or size."""
        self._get(name, self._meter.create_histogram).record(value, labels)

    def set(self, name: str, value: float, **labels: Value) -> None:
        """How much of something there is now."""
        self._get(name, self._meter.create_gauge).set(value, labels)

    def render(self) -> bytes:
        """The text of `/metrics`."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def _get(self, name: str, make: Any) -> Any:
        if name not in self._made:
            self._made[name] = make(f"childview_{name}")
        return self._made[name]


def traceparent() -> str | None:
    """The current span as a W3C traceparent header, None outside any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _remote(header: str) -> trace.Span:
    """The span a traceparent header names; an invalid header names none."""
    parts = header.split("-")
    try:
        trace_id, span_id, flags = int(parts[1], 16), int(parts[2], 16), int(parts[3], 16)
    except (ValueError, IndexError):
        return trace.INVALID_SPAN
    return trace.NonRecordingSpan(
        SpanContext(trace_id=trace_id, span_id=span_id, is_remote=True, trace_flags=TraceFlags(flags))
    )


def _exporters(endpoint: str | None) -> tuple[SpanProcessor, ...]:
    if endpoint is None:
        return ()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return (BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")),)


class _JsonLines(logging.Formatter):
    """One JSON object a line. An exception is given by its type alone: its text may hold a value."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        current = traceparent()
        if current is not None:
            line["trace_id"] = current.split("-")[1]
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _places(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(exc_info: Any) -> list[str]:
    """Where it was raised, innermost last, without any value."""
    places, frame = [], exc_info[2]
    while frame is not None:
        code = frame.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/services/', 1)[-1]}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    return places[-6:]


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every logger of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def log(name: str) -> logging.Logger:
    """The logger of one module."""
    return logging.getLogger(name)


def fields(**values: Value) -> Mapping[str, Any]:
    """`extra` of a log call: `log.info("Applied a batch.", extra=fields(events=12))`."""
    return {"fields": values}
