"""Pages of the door. For now: what each error code means, where its ``type`` address points."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from pos_bridge.problems import KINDS, RETRYABLE


def error_list(request: HttpRequest) -> HttpResponse:
    """All published codes."""
    return render(request, "pos_bridge/errors.html", {"kinds": KINDS.items(), "retryable": RETRYABLE})


def error_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One code: what it says, and what to do."""
    if code not in KINDS:
        raise Http404
    return render(request, "pos_bridge/errors.html", {"kinds": [(code, KINDS[code])], "retryable": RETRYABLE})
