"""Typed readers of the environment: a missing or wrong value stops the start with one clear sentence.

Every variable the service knows is read here, and only here; ``.env.example`` and
``docs/reference/settings.md`` list them all, and a test compares the three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, validate

from campone.mail import MailServer, read_mail_server, read_sender

PROJECT = Path(__file__).resolve().parent.parent
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
SECRET_KEY_LENGTH = 50

METRICS_TOKEN_LENGTH = 20

Network: TypeAlias = "IPv4Network | IPv6Network"
LogFormat: TypeAlias = Literal["text", "json"]
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
    log_format: LogFormat
    log_calls: bool
    metrics_token: str = field(repr=False)
    metrics_addresses: list[Network]
    metrics_tenants: bool
    metrics_folder: Path | None
    traces_endpoint: str
    proxy_count: int
    conflict_policy: ConflictPolicy
    activity_retention_days: int
    allow_loopback_calls: bool
    mail_server: MailServer
    mail_sender: str


def read_environment() -> Environment:
    """Read all settings from the process environment.

    Raises:
        ImproperlyConfigured: a variable is missing or wrong; its message is one sentence that names it.
    """
    env = Env()
    try:
        development = env.bool("DEVELOPMENT", False)
        mail_server = read_mail_server(env.str("EMAIL_URL", ""), development=development)
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
            log_format=cast(LogFormat, env.str("LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))),
            log_calls=env.bool("LOG_CALLS", False),
            metrics_token=_metrics_token(env.str("METRICS_TOKEN", "")),
            metrics_addresses=_networks(_list(env, "METRICS_ADDRESSES")),
            metrics_tenants=env.bool("METRICS_TENANTS", False),
            metrics_folder=_metrics_folder(env.str("METRICS_FOLDER", "")),
            traces_endpoint=_traces_endpoint(env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "")),
            proxy_count=env.int("PROXY_COUNT", 0, validate=validate.Range(min=0, max=9)),
            conflict_policy=cast(
                ConflictPolicy,
                env.str("POS_CONFLICT_POLICY", "refuse", validate=validate.OneOf(["refuse", "replay"])),
            ),
            activity_retention_days=env.int("ACTIVITY_RETENTION_DAYS", 90, validate=validate.Range(min=0, max=36_500)),
            allow_loopback_calls=_in_development_alone(env.bool("ALLOW_LOOPBACK_CALLS", False), development),
            mail_server=mail_server,
            mail_sender=read_sender(env.str("EMAIL_FROM", ""), mail_server),
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


def _metrics_token(value: str) -> str:
    if value and len(value) < METRICS_TOKEN_LENGTH:
        raise ImproperlyConfigured(f"METRICS_TOKEN is too short: give at least {METRICS_TOKEN_LENGTH} characters.")
    return value


def _networks(values: list[str]) -> list[Network]:
    try:
        return [ip_network(value) for value in values]
    except ValueError:
        raise ImproperlyConfigured(
            "METRICS_ADDRESSES must be addresses or networks such as 10.0.0.0/8, parted by commas."
        ) from None


def _metrics_folder(value: str) -> Path | None:
    if value and not Path(value).is_dir():
        raise ImproperlyConfigured("METRICS_FOLDER must be a folder; leave it out for one among the temporary files.")
    return Path(value) if value else None


def _traces_endpoint(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://.")
    return value


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
        return sqlite_settings(settings["NAME"])
    if settings.get("ENGINE") == "django.db.backends.postgresql":
        options = {**POSTGRESQL_OPTIONS, **settings.get("OPTIONS", {})}
        if not pool_size:
            return {**settings, "OPTIONS": options, "CONN_MAX_AGE": None}
        options["pool"] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": POOL_PATIENCE,
            "reconnect_timeout": RECONNECTING_SECONDS,
        }
        return {**settings, "OPTIONS": options}
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")


def sqlite_settings(path: str) -> dict[str, Any]:
    """Settings of a SQLite file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": SQLITE_OPTIONS,
        "TEST": {"NAME": f"{path}.test"},
        # Kept open: whoever closes the last connection folds the whole log into the file, and it would be on each call.
        "CONN_MAX_AGE": None,
    }


SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the write lock at BEGIN: a transaction that reads and then writes cannot fail half-way.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: an answered sale survives a power cut.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; "
        "PRAGMA temp_store=MEMORY; "
        # KiB for each thread. What another writes empties it, so the usual 2 MiB, times many, are held for little.
        "PRAGMA cache_size=-512; "
        # A damaged page is told, and not read. (trusted_schema=OFF would refuse json_valid() in our own constraints.)
        "PRAGMA cell_size_check=ON; "
        # Otherwise INSERT OR REPLACE would delete a sale without asking the triggers that refuse it.
        "PRAGMA recursive_triggers=ON"
    ),
}

# Seconds that a call waits for a connection before it is answered 503 "busy".
POOL_PATIENCE = 3.0
# For so long the pool tries by itself, and then at each call. Its own way is to try ever more seldom: after a minute
# without a database, it would be another minute before anybody noticed that it is back.
RECONNECTING_SECONDS = 0.5

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
