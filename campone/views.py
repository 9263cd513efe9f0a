"""The start page, and the page on which the API can be tried."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.views import SpectacularSwaggerSplitView

from tenants.pages import Here, staff_page

# Swagger UI draws with style elements of its own; its script comes from a file all the same.
api_docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))


@staff_page
def home(request: HttpRequest, here: Here) -> HttpResponse:
    """The whole at a glance."""
    return render(request, "campone/home.html")
