"""Who is measured: the product, and what a team would pick instead. Two processes each, one database server."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import shop
from bench.audit import Tables
from bench.database import Database
from bench.servers import ROOT

WORKERS = 2
PRODUCT, TEXTBOOK, FASTAPI, STARLETTE, FLOOR = "product", "textbook", "fastapi", "starlette", "floor"
TITLES = {
    FLOOR: "floor: pgbench, the same SQL",
    STARLETTE: "Starlette + msgspec + asyncpg, tuned",
    PRODUCT: "**this service**, Django + DRF",
    FASTAPI: "FastAPI + pydantic + asyncpg",
    TEXTBOOK: "textbook DRF on gunicorn",
}
# The asyncpg peers count calls by key and minute; old minutes would go by night.
BUDGET_TABLE = """
    CREATE TABLE bench_budget (
        api_key_id bigint NOT NULL, minute bigint NOT NULL, calls integer NOT NULL, PRIMARY KEY (api_key_id, minute)
    )
"""
PEER_BUDGET = "SELECT sum(calls) FROM bench_budget"
PRODUCT_BUDGET = "SELECT sum(calls) FROM pos_bridge_budgetslot"


@dataclass(frozen=True, slots=True)
class Target:
    """One contender: how its server starts, its keys, and where its rows are."""

    name: str
    database: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    keys: shop.Keys = field(repr=False)
    tables: Tables

    @property
    def title(self) -> str:
        """As the report names it."""
        return TITLES[self.name]


def product_environment(database_url: str, folder: Path) -> dict[str, str]:
    """The product's settings as an operator would choose them."""
    return {
        "DEVELOPMENT": "0",
        "DJANGO_SETTINGS_MODULE": "campone.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "api.campone.example,.campone.example",
        "TENANT_DOMAIN": "campone.example",
        "PUBLIC_URL": "https://api.campone.example",
        "STATIC_ROOT": str(folder),
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "ERROR",
    }


def prepare_product(environment: Mapping[str, str]) -> shop.Keys:
    """Migrate the product's database and open the shop's campgrounds in it."""
    call([sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"], environment)
    return shop.Keys(**json.loads(call([sys.executable, "-m", "bench.seeding"], environment)))


def product_command(port: int, *, workers: int = WORKERS) -> list[str]:
    """The product's own server, as it ships."""
    serve = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    return [*serve, "--workers", str(workers)]


def prepare_targets(database: Database, ports: Mapping[str, int], folder: Path) -> list[Target]:
    """Lay out every database; the asyncpg peers and the floor start from a copy of the product's.

    The floor needs no server; see ``bench.floor``.
    """
    for name in (PRODUCT, TEXTBOOK):
        database.create(name)
    environment = product_environment(database.url(PRODUCT), folder)
    keys = prepare_product(environment)
    for name in (FLOOR, FASTAPI, STARLETTE):
        database.create(name, template=PRODUCT)
    command = product_command(ports[PRODUCT])
    product = Target(PRODUCT, PRODUCT, command, environment, keys, Tables(budget=PRODUCT_BUDGET))
    peers = [prepare_asyncpg_peer(name, database, ports[name], keys) for name in (FASTAPI, STARLETTE)]
    return [prepare_textbook(database, ports[TEXTBOOK]), *peers, product]


def prepare_asyncpg_peer(name: str, database: Database, port: int, keys: shop.Keys) -> Target:
    """A peer on the product's tables; its keys are kept as SHA-256."""
    database.execute(name, BUDGET_TABLE)
    hashes = [(hashlib.sha256(token.encode()).hexdigest(), token[: shop.PREFIX_LENGTH]) for token in all_tokens(keys)]
    with psycopg.connect(database.url(name)) as connection:
        connection.cursor().executemany("UPDATE apikeys_apikey SET token_hash = %s WHERE prefix = %s", hashes)
    app = {FASTAPI: "bench.peers.fastapi_asyncpg.app:app", STARLETTE: "bench.peers.starlette_msgspec.app:app"}[name]
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]
    return Target(name, name, command, database.environment(name), keys, Tables(budget=PEER_BUDGET))


def prepare_textbook(database: Database, port: int) -> Target:
    """The textbook's own tables and keys. Its budget is in the memory of each process; no table can be asked."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "bench.peers.textbook_drf.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": database.url(TEXTBOOK),
    }
    keys = shop.Keys(**json.loads(call([sys.executable, "-m", "bench.peers.textbook_drf.seeding"], environment)))
    command = [sys.executable, "-m", "gunicorn", "bench.peers.textbook_drf.wsgi:application"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--worker-class", "gthread"]
    command += ["--threads", "4", "--keep-alive", "30", "--log-level", "warning"]
    tables = Tables(
        sales="textbook_drf_transaction",
        items="textbook_drf_transactionitem",
        payments="textbook_drf_payment",
        calls="textbook_drf_inboundcall",
    )
    return Target(TEXTBOOK, TEXTBOOK, command, environment, keys, tables)


def all_tokens(keys: shop.Keys) -> list[str]:
    """Every token of a target."""
    return [*keys.tills, keys.read_only, keys.revoked]


def call(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run to the end and hand over what it printed; its complaints go to our own standard error."""
    done = subprocess.run(  # noqa: S603 (our own steps)
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise PreparationFailed(f"{' '.join(command[1:])} ended with status {done.returncode}.")
    return done.stdout


class PreparationFailed(Exception):
    """A target could not be laid out."""
