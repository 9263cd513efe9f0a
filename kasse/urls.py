"""The cash desk's pages, below /kasse/."""

from __future__ import annotations

from django.urls import re_path

from kasse import views

urlpatterns = [
    re_path(r"^transaktionen/?\Z", views.transactions, name="transactions-page"),
    re_path(r"^tagestotale/?\Z", views.transactions, name="day-totals"),
]
