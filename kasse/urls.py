"""The cash desk's pages, below /kasse/."""

from __future__ import annotations

from django.urls import re_path

from kasse import close_pages, day_pages, views

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

urlpatterns = [
    re_path(r"^transaktionen/?\Z", views.transactions, name="transactions-page"),
    re_path(r"^transaktionen/summen/?\Z", views.transaction_sums, name="transaction-sums"),
    re_path(r"^transaktionen\.(?P<form>csv|xlsx)/?\Z", views.export, name="transactions-export"),
    re_path(rf"^transaktionen/(?P<pk>{UUID})/?\Z", views.transaction, name="transaction-page"),
    re_path(r"^tagestotale/?\Z", day_pages.day_totals_page, name="day-totals"),
    re_path(r"^abschluss/?\Z", close_pages.closes, name="closes"),
    re_path(r"^abschluss/einstellungen/?\Z", close_pages.cash_desk_settings, name="cash-desk-settings"),
    re_path(r"^abschluss/woche/?\Z", close_pages.week_close, name="week-now"),
    re_path(r"^abschluss/woche/(?P<week>[0-9]{4}-W[0-9]{2})/?\Z", close_pages.week_close, name="week-close"),
    re_path(r"^abschluss/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/?\Z", close_pages.close_page, name="close-day"),
    re_path(r"^abschluss/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.pdf\Z", close_pages.z_report_pdf, name="z-report-pdf"),
]
