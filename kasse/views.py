"""Pages of the ledger."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.pages import Here, staff_page


@staff_page
def transactions(request: HttpRequest, here: Here) -> HttpResponse:
    """The ledger's sales."""
    return render(request, "campone/home.html")
