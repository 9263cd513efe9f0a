"""Where vendors call, below /api/v1/adapters/. Whatever else stands there is answered by the same view, with 404."""

from __future__ import annotations

from django.urls import re_path

from adapters.doorway import answer_vendor

urlpatterns = [
    re_path(
        r"^(?P<vendor>[a-z0-9_]+)/(?P<token>[A-Za-z0-9]+)(?:/(?P<path>[a-z]*))?/?\Z", answer_vendor, name="vendor-call"
    ),
    re_path(r"^(?:(?P<vendor>[a-z0-9_]+)(?:/[\s\S]*)?|[\s\S]*)\Z", answer_vendor, name="no-vendor-call"),
]
