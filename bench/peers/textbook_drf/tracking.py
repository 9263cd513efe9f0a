"""A row for each call, written before the answer leaves."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal

from django.utils import timezone

from bench.peers.textbook_drf.models import InboundCall

OUTCOMES = {200: "read", 201: "created", 409: "conflict", 429: "throttled"}


class TrackingMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        at, started = timezone.now(), time.perf_counter()
        response = self.get_response(request)
        key = getattr(request, "till_key", None)
        request_id = uuid.uuid4().hex
        InboundCall.objects.create(
            at=at,
            tenant=key.tenant if key else None,
            api_key=key,
            key_prefix=key.prefix if key else "",
            method=request.method,
            path=request.path[:500],
            status=response.status_code,
            latency_ms=Decimal(round((time.perf_counter() - started) * 100_000)).scaleb(-2),
            request_id=request_id,
            outcome=OUTCOMES.get(response.status_code, "refused"),
            external_ref=getattr(request, "external_ref", ""),
            remote_address=request.META.get("REMOTE_ADDR", ""),
            request_bytes=int(request.META.get("CONTENT_LENGTH") or 0),
        )
        response["X-Request-Id"] = request_id
        return response
