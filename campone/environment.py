"""Typed readers of the environment: a missing or wrong value stops the start with one clear sentence.

Every variable the service knows is read here, and only here; ``.env.example`` and
``docs/reference/settings.md`` list them all, and a test compares the three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, validate

PROJECT = Path(__file__).resolve().parent.parent
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
SECRET_KEY_LENGTH = 50

ConflictPolicy: TypeAlias = Literal["refuse", "replay"]


@dataclass(frozen=True, slots=True)
class Environment:
    """What the operator has set, checked."""

    development: bool
    secret_key: str = field(repr=False)
    secret_key_fallbacks: list[str] = field(repr=False)
    allowed_hosts: list[str]
    tenant_domain: str
    public_url: str
    database: dict[str, Any] = field(repr=False)
    static_root: Path
    log_level: str
    proxy_count: int
    conflict_policy: ConflictPolicy
    activity_retention_days: int
    allow_loopback_calls: bool


def read_environment() -> Environment:
    """Read all settings from the process environment.

    Raises:
        ImproperlyConfigured: a variable is missing or wrong; its message is one sentence that names it.
    """
    env = Env()
    try:
        development = env.bool("DEVELOPMENT", False)
        return Environment(
            development=development,
            secret_key=_secret(env.str("SECRET_KEY", ""), "SECRET_KEY"),
            secret_key_fallbacks=[_secret(key, "SECRET_KEY_FALLBACKS") for key in _list(env, "SECRET_KEY_FALLBACKS")],
            allowed_hosts=_needed(_list(env, "ALLOWED_HOSTS"), "ALLOWED_HOSTS", "host names, parted by commas"),
            tenant_domain=_domain(env.str("TENANT_DOMAIN", "")),
            public_url=_public_url(env.str("PUBLIC_URL", ""), development),
            database=_database(
                env.str("DATABASE_URL", f"sqlite:///{PROJECT}/var/campone.sqlite3"),
                pool_size=env.int("DATABASE_POOL_SIZE", 8, validate=validate.Range(min=0, max=500)),
            ),
            static_root=_folder(env.path("STATIC_ROOT", PROJECT / "var" / "static")),
            log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
            proxy_count=env.int("PROXY_COUNT", 0, validate=validate.Range(min=0, max=9)),
            conflict_policy=cast(
                ConflictPolicy,
                env.str("POS_CONFLICT_POLICY", "refuse", validate=validate.OneOf(["refuse", "replay"])),
            ),
            activity_retention_days=env.int("ACTIVITY_RETENTION_DAYS", 90, validate=validate.Range(min=0, max=36_500)),
            allow_loopback_calls=_in_development_alone(env.bool("ALLOW_LOOPBACK_CALLS", False), development),
        )
    except EnvError as error:
        raise ImproperlyConfigured(str(error)) from None


def _list(env: Env, name: str) -> list[str]:
    return [part.strip() for part in env.str(name, "").split(",") if part.strip()]


def _needed(values: list[str], name: str, what: str) -> list[str]:
    if not values:
        raise ImproperlyConfigured(f"{name} is not set: give {what}.")
    return values


def _secret(value: str, name: str) -> str:
    """A short or default secret lets anyone forge sessions; the value itself never enters the sentence."""
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: give at least {SECRET_KEY_LENGTH} random characters.")
    if len(value) < SECRET_KEY_LENGTH or len(set(value)) < 10:
        raise ImproperlyConfigured(f"{name} is too weak: give at least {SECRET_KEY_LENGTH} random characters.")
    return value


def _domain(value: str) -> str:
    if not HOST_NAME.fullmatch(value):
        raise ImproperlyConfigured(
            "TENANT_DOMAIN must be a plain lower-case domain such as campone.example; campgrounds live below it."
        )
    return value


def _public_url(value: str, development: bool) -> str:
    schemes = ("https", "http") if development else ("https",)
    if not _is_root(value) or not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ImproperlyConfigured(
            "PUBLIC_URL must be the service's own address without a path, such as https://api.campone.example."
        )
    return value.rstrip("/")


def _is_root(url: str) -> bool:
    """Whether a URL is a host, perhaps with its port, and nothing else: no person, path, query or fragment."""
    try:
        parts = urlsplit(url)
        alone = url.rstrip("/") == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
        return alone and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _in_development_alone(allowed: bool, development: bool) -> bool:
    """Whoever may type an address must not reach this machine's own services through it."""
    if allowed and not development:
        raise ImproperlyConfigured(
            "ALLOW_LOOPBACK_CALLS is for development: leave it out where DEVELOPMENT is not set."
        )
    return allowed


def _folder(path: Path) -> Path:
    if path == Path():
        raise ImproperlyConfigured("STATIC_ROOT must be a folder of its own; leave it out for var/static.")
    return path


def _database(url: str, *, pool_size: int) -> dict[str, Any]:
    """Settings of one database from its URL; the URL may hold a password and is never repeated in an error.

    ``pool_size`` bounds the connections of one process to PostgreSQL; 0 means none is shared, each thread
    keeps its own.
    """
    try:
        settings = cast(dict[str, Any], dj_database_url.parse(url))
    except ValueError:
        settings = {}
    if settings.get("ENGINE") == "django.db.backends.sqlite3":
        tests = {"NAME": settings["NAME"] + ".test"}
        # Kept open: whoever closes the last connection folds the whole log into the file, and it would be on each call.
        return {**settings, "OPTIONS": SQLITE_OPTIONS, "TEST": tests, "CONN_MAX_AGE": None}
    if settings.get("ENGINE") == "django.db.backends.postgresql":
        options = {**POSTGRESQL_OPTIONS, **settings.get("OPTIONS", {})}
        if not pool_size:
            return {**settings, "OPTIONS": options, "CONN_MAX_AGE": None}
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": POOL_PATIENCE}
        return {**settings, "OPTIONS": options}
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")


SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the write lock at BEGIN: a transaction that reads and then writes cannot fail half-way.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: an answered sale survives a power cut.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY"
    ),
}

# Seconds that a call waits for a connection before it is answered 503 "busy".
POOL_PATIENCE = 3.0

POSTGRESQL_OPTIONS: dict[str, Any] = {
    "application_name": "external-pos-bridge",
    "connect_timeout": 3,
    # A dead peer is noticed in seconds, not in the kernel's quarter of an hour.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # The server plans a statement once for each connection, and not for each call.
    "server_side_binding": True,
    "prepare_threshold": 2,
}
