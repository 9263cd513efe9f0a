"""A span of OpenTelemetry for each call. Where it goes, and under which name, its own variables say.

Imported where OTEL_EXPORTER_OTLP_ENDPOINT is set and nowhere else; spans are made beside the calls, which pay nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

    from campone.operation.hearing import Heard

NANOSECONDS = 1_000_000_000


class Spans:
    """Makes spans of calls; whoever processes them sends them on."""

    def __init__(self, processor: SpanProcessor) -> None:
        provider = TracerProvider(resource=who_we_are())
        provider.add_span_processor(processor)
        self.tracer = provider.get_tracer("campone")

    def hear(self, calls: list[Heard]) -> None:
        """A span for each call, from when it came to when it was answered."""
        for call in calls:
            begun = round(call.at.timestamp() * NANOSECONDS)
            span = self.tracer.start_span(
                f"{call.method} {call.route}",
                kind=SpanKind.SERVER,
                start_time=begun,
                attributes={
                    "http.request.method": call.method,
                    "http.route": call.route,
                    "http.response.status_code": call.status,
                    "bridge.outcome": call.outcome,
                    "bridge.request_id": call.request_id,
                },
            )
            if call.status >= 500:
                span.set_status(Status(StatusCode.ERROR, call.code))
            span.end(end_time=begun + round(call.seconds * NANOSECONDS))


def who_we_are() -> Resource:
    """What OpenTelemetry's own variables say; where they give no name, ours."""
    found = Resource.create()
    if not str(found.attributes["service.name"]).startswith("unknown_service"):
        return found
    return found.merge(Resource({"service.name": "external-pos-bridge"}))


def sent_spans() -> Spans:
    """Spans that are sent to OTEL_EXPORTER_OTLP_ENDPOINT, many at once.

    Raises:
        ImportError: what is needed for it is not installed: ``requirements/tracing.lock``.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return Spans(BatchSpanProcessor(OTLPSpanExporter()))
