"""The door's public pages: what each error code means, where its ``type`` address points."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from pos_bridge.kinds import KINDS, RETRYABLE, Kind


def error_list(request: HttpRequest) -> HttpResponse:
    """All published codes."""
    return _explain(request, KINDS)


def error_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One code: what it says, and what to do."""
    if code not in KINDS:
        raise Http404
    return _explain(request, {code: KINDS[code]})


def _explain(request: HttpRequest, kinds: Mapping[str, Kind]) -> HttpResponse:
    """In English, as the API speaks; every second piece of a sentence, between back quotes, is a word of the wire."""
    rows = [(code, kind, f"{kind.title} {kind.advice}".split("`")) for code, kind in kinds.items()]
    with translation.override("en"):
        return render(request, "pos_bridge/errors.html", {"kinds": rows, "retryable": RETRYABLE})
