"""The settings of the books, below /einstellungen/."""

from __future__ import annotations

from django.urls import re_path

from journal import settings_pages

urlpatterns = [
    re_path(r"^sap/?\Z", settings_pages.sap_settings, name="sap-settings"),
    re_path(r"^sap/konten/?\Z", settings_pages.accounts, name="sap-accounts"),
    re_path(r"^sap/testen/?\Z", settings_pages.test_connection, name="test-sap"),
]
