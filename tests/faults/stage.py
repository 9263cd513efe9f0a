"""Everything a run needs, made for it and gone after it: a database, the bridge, keys, and lines between them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from bench.shop import TILLS_PER_CAMPGROUND
from tests.faults.databases import Database, Postgres, postgres, sqlite_file
from tests.faults.line import Spoiling, spoiled_line
from tests.faults.sales import CAMPGROUNDS
from tests.faults.tills import Keys
from tests.server.service import Service, running
from tests.till_client.spoiling import EVERY_HARM, SpoiledNetwork, spoiled_network

BOTH_SCOPES = ("--scope", "pos:read", "--scope", "pos:write")
BUDGET = "10000000"
"""Far more than a run can use, yet a number: every call is counted."""


TRIES_ON_A_SPOILED_LINE = 8
SERVING = "campone_app"
"""The role that the service has: it owns no table, and row level security holds it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How a stage is set. ``spoil`` is the share of tills' calls that the network spoils, ``spoil_database`` that of
    what the app says to PostgreSQL; ``megabytes`` is the size of a disk that will be full; ``environment`` is added to
    the server's, ``statements`` are put to PostgreSQL before anything is sold; without ``workers`` there are two of
    them, and one on SQLite; ``under`` is the program that starts the server with less than it is used to.
    """

    engine: str
    seed: int
    spoil: float = 0.0
    spoil_database: float | None = None
    megabytes: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    statements: Sequence[str] = ()
    workers: int = 0
    under: Sequence[str] = ()

    def database(self, folder: Path) -> AbstractContextManager[Database]:
        """A fresh one."""
        if self.engine == "sqlite":
            return sqlite_file(folder, megabytes=self.megabytes)
        return postgres(megabytes=self.megabytes)


@dataclass(frozen=True, slots=True)
class Stage:
    """A bridge under way. ``port`` is where tills call: the server's own, or the spoiled network's."""

    service: Service
    database: Database
    keys: Keys
    port: int
    network: SpoiledNetwork | None
    line: Spoiling | None

    @property
    def postgres(self) -> Postgres:
        """Its database, where that can be nothing else."""
        assert isinstance(self.database, Postgres)
        return self.database

    def mint(self) -> str:
        """Another key of the first campground."""
        both = ("--tenant", CAMPGROUNDS[0], "--name", "Second till", *BOTH_SCOPES, "--budget", BUDGET)
        return self.service.manage("mint_key", *both)


@contextmanager
def set_stage(scene: Scene, folder: Path) -> Iterator[Stage]:
    """Two campgrounds, two tills each, production settings, two workers (one on SQLite).

    In a place of its own below ``folder``: another stage has calls of the same numbers, in the log of its server.
    """
    folder = Path(mkdtemp(prefix="stage", dir=folder))
    with ExitStack() as stack:
        database = stack.enter_context(scene.database(folder))
        environment = {
            **production(database.url),
            "STATIC_ROOT": str(folder / "static"),
            **scene.environment,
        }
        workers = scene.workers or (1 if scene.engine == "sqlite" else 2)
        service = Service(environment, log=folder / "server.log", workers=workers, under=scene.under)
        service.manage("migrate", "--no-input", "-v", "0")
        keys = open_campgrounds(service)
        if isinstance(database, Postgres):
            service.manage("create_roles", "--app", SERVING)
            database.execute(*scene.statements)
            service.environment["DATABASE_URL"] = database.url_for(SERVING)
        line = None
        if scene.spoil_database is not None:
            line = stack.enter_context(spoiled_line(database, share=scene.spoil_database, seed=scene.seed))
            service.serving["DATABASE_URL"] = line.url_for(SERVING)
            service.tries = TRIES_ON_A_SPOILED_LINE
        stack.enter_context(running(service))
        network = None
        if scene.spoil:
            network = stack.enter_context(
                spoiled_network(service.port, share=scene.spoil, seed=scene.seed, harms=EVERY_HARM)
            )
        yield Stage(service, database, keys, network.port if network else service.port, network, line)


def production(database_url: str) -> dict[str, str]:
    """What an operator sets. Of the caller's environment nothing may speak along but where programs lie."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "DJANGO_SETTINGS_MODULE": "campone.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "api.campone.example,.campone.example,localhost",
        "TENANT_DOMAIN": "campone.example",
        "PUBLIC_URL": "https://api.campone.example",
        "DATABASE_URL": database_url,
    }


def open_campgrounds(service: Service) -> Keys:
    """The first two of the shop, as the benchmark opens them: products, VAT rates, and a key for each till."""
    tokens = json.loads(service.run("-m", "bench.seeding"))["tills"]
    each = TILLS_PER_CAMPGROUND
    return Keys({slug: tokens[place * each : place * each + each] for place, slug in enumerate(CAMPGROUNDS)})
