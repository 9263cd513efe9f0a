"""The start page, and the page on which the API can be tried."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from campone.glance import glance_at
from kasse.models import Source
from tenants.pages import Here, asks_for_a_part, staff_page

# Swagger UI draws with style elements of its own; its script comes from a file all the same.
api_docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))


@require_safe
@staff_page
def home(request: HttpRequest, here: Here) -> HttpResponse:
    """The whole at a glance; its figures alone, for the page that renews them."""
    glance = glance_at(here.tenant, at=timezone.now())
    sources = [(number, source, glance.by_source[source]) for number, source in enumerate(Source, start=1)]
    template = "campone/glance.html" if asks_for_a_part(request) else "campone/home.html"
    return render(request, template, {"glance": glance, "sources": sources})
