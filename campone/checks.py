"""Numbered system checks: what would hurt in production is said before it does.

======================  =========================================================================
``campone.W001``        production on SQLite: one machine, one writer
``campone.E001``        PUBLIC_URL's host is not among ALLOWED_HOSTS
``campone.E002``        campgrounds' hosts (``.TENANT_DOMAIN``) are not among ALLOWED_HOSTS
``campone.E003``        SQLite has not granted WAL: the file lies on a network drive
======================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import connections
from django.http.request import validate_host


@checks.register(checks.Tags.security)
def check_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The addresses that the service hands out must be addresses that it answers to."""
    found: list[checks.CheckMessage] = []
    public = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not validate_host(public, settings.ALLOWED_HOSTS):
        found.append(checks.Error(f"PUBLIC_URL names {public}, which ALLOWED_HOSTS does not.", id="campone.E001"))
    if not validate_host(f"some-campground.{settings.TENANT_DOMAIN}", settings.ALLOWED_HOSTS):
        hint = f"Add .{settings.TENANT_DOMAIN} to ALLOWED_HOSTS."
        found.append(checks.Error("The campgrounds' own hosts are not allowed.", hint=hint, id="campone.E002"))
    return found


@checks.register(checks.Tags.database, deploy=True)
def check_engine(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """SQLite serves one machine well; many workers want PostgreSQL."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return [checks.Warning("Production runs on SQLite: one machine, one writer at a time.", id="campone.W001")]
    return []


@checks.register(checks.Tags.database)
def check_wal(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Without write-ahead logging, readers and the writer would block each other."""
    found: list[checks.CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "sqlite" or connection.is_in_memory_db():  # type: ignore[attr-defined]
            continue
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone()[0] != "wal":
                hint = "Keep the file on a local disk."
                found.append(checks.Error("SQLite has not granted WAL.", hint=hint, id="campone.E003"))
    return found
