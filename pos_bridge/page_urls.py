"""The door's pages, below /einstellungen/."""

from __future__ import annotations

from django.urls import re_path

from pos_bridge import views

urlpatterns = [
    re_path(r"^integrationen/?\Z", views.error_list, name="integrations"),
]
