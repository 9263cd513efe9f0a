"""The journal's pages, below /buchhaltung/."""

from __future__ import annotations

from django.urls import re_path

from journal import pages

ONE = r"^journal/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<supplement>[0-9]{1,6})"

urlpatterns = [
    re_path(r"^journal/?\Z", pages.journals, name="journals"),
    re_path(rf"{ONE}/?\Z", pages.journal, name="journal"),
    re_path(rf"{ONE}/buchen/?\Z", pages.post_now, name="post-journal"),
    re_path(rf"{ONE}/stornieren/?\Z", pages.reverse_now, name="reverse-journal"),
    re_path(rf"{ONE}/erneut/?\Z", pages.again, name="journal-again"),
    re_path(rf"{ONE}/klaeren/?\Z", pages.settle, name="settle-journal"),
    re_path(rf"{ONE}/(?P<file>[0-9]{{1,4}}[a-z-]*\.(?:csv|xlsx))\Z", pages.download, name="journal-file"),
]
