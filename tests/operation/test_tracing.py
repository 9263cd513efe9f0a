"""A span for each call, for whoever collects them."""

from __future__ import annotations

from collections import deque

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from campone.operation.ears import begin_listening
from campone.operation.hearing import Listener
from campone.operation.tracing import Spans
from pos_bridge import answered
from tests.till import Till, croissants_and_coffee


class TestASpan:
    def test_tells_of_a_call_and_nothing_of_its_sale(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answered, "LISTENING", deque())
        kept = InMemorySpanExporter()
        listener = Listener([Spans(SimpleSpanProcessor(kept)).hear])

        answer = till.post(croissants_and_coffee(external_ref="T-private"))
        listener.hear()

        [span] = kept.get_finished_spans()
        assert (span.name, span.kind) == ("POST transactions", SpanKind.SERVER)
        assert dict(span.attributes or {}) == {
            "http.request.method": "POST",
            "http.route": "transactions",
            "http.response.status_code": 201,
            "bridge.outcome": "created",
            "bridge.request_id": answer["X-Request-Id"],
        }
        assert span.resource.attributes["service.name"] == "external-pos-bridge"
        assert 0 < (span.end_time or 0) - (span.start_time or 0) < 60_000_000_000
        assert span.status.status_code is StatusCode.UNSET

    def test_of_a_call_that_failed_says_so(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("out of flour")

        monkeypatch.setattr("pos_bridge.api.take_in", fail)
        monkeypatch.setattr(answered, "LISTENING", deque())
        kept = InMemorySpanExporter()
        listener = Listener([Spans(SimpleSpanProcessor(kept)).hear])

        till.post(croissants_and_coffee())
        listener.hear()

        [span] = kept.get_finished_spans()
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "server_error")


class TestListening:
    def test_is_begun_by_nobody_who_was_not_asked_for_anything(self) -> None:
        assert begin_listening() is None
        assert answered.LISTENING is None
