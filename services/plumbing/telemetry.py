"""Spans, metrics and logs, all by hand (automatic tracing costs 61 to 71 % of the throughput, measured).

Nothing here may hold a name, a birth date, an identifier, or the id of a child or stream: spans carry kinds and
counts, metrics carry kinds, logs carry sentences and kinds.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, Tracer

Value = str | int | float | bool
Labels = tuple[tuple[str, Value], ...]
OURS = tuple(f"{Path(__file__).parents[2] / folder}/" for folder in ("services", "deploy"))
"""Where our own code lies: only its log calls are known to hold sentences and kinds."""


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
        self.taken = bool(taken)
        self._provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(sample if taken else 0.0)))
        for processor in taken:
            self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer("childview")
        self.metrics = Metrics(process, readers=_metric_readers(otlp_endpoint))

    @contextmanager
    def span(self, name: str, *, parent: str | None = None, **attributes: Value) -> Iterator[trace.Span]:
        """A span under `parent` (a traceparent header) or under the current span; where nobody takes spans, the current one."""
        if parent is None and not self.taken and trace.get_current_span().get_span_context().is_valid:
            yield trace.INVALID_SPAN
            return
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
        self.metrics.shutdown()


class Metrics:
    """Numbers by name and labels, made at first use and rendered as Prometheus text.

    A read counts some dozens of things: counting is one addition in a dict, and OpenTelemetry asks when it collects.
    """

    def __init__(self, process: str, *, readers: Iterable[MetricReader] = ()) -> None:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import CollectorRegistry

        self._registry = CollectorRegistry()
        taken = [PrometheusMetricReader(registry=self._registry), *readers]
        self._provider = MeterProvider(metric_readers=taken, resource=Resource({"service.name": f"childview-{process}"}))
        self._meter = self._provider.get_meter("childview")
        self._held: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, Any] = {}

    def add(self, name: str, amount: float = 1, **labels: Value) -> None:
        """Count something that happened."""
        held = self._held.get(name) or self._make(name, self._meter.create_observable_counter)
        key = tuple(labels.items())
        held[key] = held.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: Value) -> None:
        """How much of something there is now."""
        held = self._held.get(name) or self._make(name, self._meter.create_observable_gauge)
        held[tuple(sorted(labels.items()))] = value

    def observe(self, name: str, value: float, **labels: Value) -> None:
        """One measured duration (seconds) or size."""
        if name not in self._histograms:
            self._histograms[name] = self._meter.create_histogram(f"childview_{name}")
        self._histograms[name].record(value, labels)

    def render(self) -> bytes:
        """The text of `/metrics`."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def shutdown(self) -> None:
        """Send what is waiting."""
        self._provider.shutdown()

    def _make(self, name: str, instrument: Callable[..., Any]) -> dict[Labels, float]:
        held = self._held.setdefault(name, {})

        def collected(_: CallbackOptions) -> list[Observation]:
            sums: dict[Labels, float] = {}
            for labels, number in held.copy().items():
                key = tuple(sorted(labels))
                sums[key] = sums.get(key, 0) + number
            return [Observation(number, dict(labels)) for labels, number in sums.items()]

        if not held:
            instrument(f"childview_{name}", callbacks=[collected])
        return held


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


def _metric_readers(endpoint: str | None) -> tuple[MetricReader, ...]:
    if endpoint is None:
        return ()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return (PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{endpoint.rstrip('/')}/v1/metrics")),)


# -- logs --------------------------------------------------------------------------------------------------------


class _JsonLines(logging.Formatter):
    """One JSON object a line. An exception is given by its type and places alone: its text may hold a value.

    Of what other packages log only the first line stands, without what they put into it: uvicorn logs whole tracebacks as
    messages, asyncio the exceptions of lost tasks.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **_message(record),
        }
        line |= getattr(record, "fields", {})
        current = traceparent()
        if current is not None:
            line["trace_id"] = current.split("-")[1]
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _places(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=_kind)


def _ours(path: str) -> bool:
    """Whether a line of ours wrote it: the environment may lie in the project's own folder."""
    return path.startswith(OURS)


def _kind(value: Any) -> str:
    """What stands for a value that is no text and no number."""
    return type(value).__name__


def _message(record: logging.LogRecord) -> dict[str, Any]:
    """Our own sentence; of others the pattern of theirs, or what a traceback says of type and places."""
    if _ours(record.pathname) and isinstance(record.msg, str):
        return {"message": record.getMessage()}
    if isinstance(record.msg, BaseException):
        return {"message": ESCAPED, "exception": type(record.msg).__name__}
    text = str(record.msg)
    if "Traceback (most recent call last)" not in text:
        return {"message": text.strip().split("\n")[0]}
    kinds = re.findall(r"^([A-Za-z_][\w.]*)(?::|$)", text, re.MULTILINE)
    places = re.findall(r'^ *File "([^"]+)", line (\d+), in (\w+)', text, re.MULTILINE)
    return {"message": ESCAPED, "exception": (kinds or ["Exception"])[-1].split(".")[-1], "at": [_place(*one) for one in places][-6:]}


ESCAPED = "An exception escaped."


def _places(exc_info: Any) -> list[str]:
    """Where it was raised, innermost last, without any value."""
    places, frame = [], exc_info[2]
    while frame is not None:
        code = frame.tb_frame.f_code
        places.append(_place(code.co_filename, frame.tb_lineno, code.co_name))
        frame = frame.tb_next
    return places[-6:]


def _place(file: str, number: int | str, function: str) -> str:
    return f"{file.rsplit('/services/', 1)[-1]}:{number} {function}"


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every logger of the process to standard error as JSON lines, and the exceptions that nobody answers, too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    sys.excepthook = _end
    sys.unraisablehook = lambda lost: _lost(lost.exc_type, lost.exc_traceback)
    threading.excepthook = lambda lost: _lost(lost.exc_type, lost.exc_traceback)


def _end(kind: type[BaseException], error: BaseException, places: Any) -> None:
    """The last line of a dying process."""
    logging.getLogger("process").critical("The process ends.", exc_info=(kind, error, places))


def _lost(kind: type[BaseException] | None, places: Any) -> None:
    if kind is not None:
        logging.getLogger("process").error(ESCAPED, exc_info=(kind, kind.__new__(kind), places))


def log(name: str) -> logging.Logger:
    """The logger of one module."""
    return logging.getLogger(name)


def fields(**values: Value) -> Mapping[str, Any]:
    """`extra` of a log call: `log.info("Applied a batch.", extra=fields(events=12))`."""
    return {"fields": values}
