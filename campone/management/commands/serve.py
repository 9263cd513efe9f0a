"""``serve``: the production server, and the one place for its flags.

Used by ``dev.py run``, by the tests that need a real server, and by the container image.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from campone.footing import Unsound, look_at_footing
from campone.operation.ears import figures_are_wanted
from pos_bridge.partitions import ensure_partitions

LOGGER = logging.getLogger(__name__)

# A caller that sends its body slowly holds a thread, but no database connection: threads are many, the pool is small.
THREADS = 32
# Long enough for a call in flight to end, shorter than the patience of whoever stops us.
KILL_AFTER_SECONDS = 20
# On SIGHUP each worker lives on for so long beside the one that follows it: as long as that may need to begin.
RELOAD_SECONDS = 4
RESTARTS = 10
RESTARTS_WITHIN_SECONDS = 60


class Command(BaseCommand):
    help = "Serve the bridge by HTTP. SIGTERM or Ctrl-C stops it once the calls in flight are answered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, help="processes; one on SQLite, else one for each core")
        parser.add_argument("--threads", type=int, default=THREADS, help=f"in each process; {THREADS} unless said")

    def handle(self, *args: Any, host: str, port: int, workers: int | None, threads: int, **options: Any) -> None:
        """Serve until told to stop."""
        count = workers or default_workers()
        if count < 1 or threads < 1:
            raise CommandError("Workers and threads are at least one each.")
        require_free_address(host, port)
        require_migrated_database()
        require_sound_database(count, threads)
        ensure_partitions(now=timezone.now())
        release_database()
        address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
        said = f"Serving {settings.PUBLIC_URL} on {host}:{port} with {count} × {threads} threads; Ctrl-C stops it."
        let_workers_end_while_they_begin()
        with counting_together(), announcing(address, port, said):
            serve_on(lambda: make_server(address, port, count, threads))


def make_server(address: str, port: int, workers: int, threads: int) -> AbstractServer[Any]:
    """A server that has not begun."""
    return Granian(
        "campone.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        # HTTP/1 alone: what a till, a proxy and the smuggling tests speak.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        websockets=False,
        # Below that it warns, at each start, of the many threads we want.
        log_level=LogLevels.error,
        log_dictconfig={**settings.LOGGING, "loggers": {"_granian": {"handlers": ["console"], "propagate": False}}},
        # A worker that dies is born again at once; a till's retry finds the next one.
        respawn_failed_workers=True,
        respawn_interval=RELOAD_SECONDS,
        workers_kill_timeout=KILL_AFTER_SECONDS,
    )


def let_workers_end_while_they_begin() -> None:
    """A worker that is told to stop before it serves has nothing to answer, and ends at once.

    A forked one begins with its master's way of hearing the word, which only notes it: it would serve on, be waited for
    in vain, and be killed in the midst of its calls.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


def serve_on(make: Callable[[], AbstractServer[Any]]) -> None:
    """Serve until told to stop. A server that gives up is followed by another, unless it keeps giving up.

    It does so when one worker dies twice within seconds, as under an out-of-memory killer; the shop is open
    all the same.

    Raises:
        SystemExit: it has given up too often.
    """
    given_up: deque[float] = deque(maxlen=RESTARTS)
    while True:
        try:
            make().serve()
        except SystemExit as stop:
            now = time.monotonic()
            too_often = len(given_up) == RESTARTS and now - given_up[0] < RESTARTS_WITHIN_SECONDS
            if not stop.code or too_often:
                raise
            given_up.append(now)
        else:
            return


@contextmanager
def counting_together() -> Iterator[None]:
    """A folder in which the workers keep their counts for each other, if anybody wants to see them; empty at first."""
    if not figures_are_wanted() or settings.METRICS_FOLDER:
        for old in settings.METRICS_FOLDER.glob("*.json") if settings.METRICS_FOLDER else ():
            old.unlink()
        yield
        return
    with tempfile.TemporaryDirectory(prefix="bridge-figures-") as folder:
        # Forked workers have the settings as they are now, others read them anew.
        settings.METRICS_FOLDER, os.environ["METRICS_FOLDER"] = Path(folder), folder
        yield


@contextmanager
def announcing(address: str, port: int, said: str) -> Iterator[None]:
    """Say that the service serves, once it does. From a process of its own: workers are forked off this one, which
    must not have threads.
    """
    asking = multiprocessing.Process(target=announce, args=(address, port, said, os.getpid()), daemon=True)
    asking.start()
    try:
        yield
    finally:
        asking.kill()
        asking.join()


def announce(address: str, port: int, said: str, server: int) -> None:
    """Ask until there is an answer, or nobody left to ask for."""
    while os.getppid() == server:
        try:
            asking = HTTPConnection(address, port, timeout=5)
            asking.request("GET", "/healthz")
            if asking.getresponse().status == HTTPStatus.OK:
                break
        except (OSError, HTTPException):
            pass  # not yet
        time.sleep(0.05)
    else:
        return
    if settings.LOG_FORMAT == "json":
        LOGGER.info(said)
    else:
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


def require_migrated_database() -> None:
    """Better said at the start than to the first till.

    Raises:
        CommandError: the database does not answer, or its tables are not those of this version.
    """
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(f"The database of DATABASE_URL does not answer: {reason}") from None
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not migrated: `manage.py migrate`, then the same again.")


def require_sound_database(workers: int, threads: int) -> None:
    """Say loudly what may lose sales.

    Raises:
        CommandError: the service must not begin on this database.
    """
    pool = settings.DATABASES["default"]["OPTIONS"].get("pool", {})
    try:
        for sentence in look_at_footing(connections=workers * pool.get("max_size", threads)):
            LOGGER.critical(sentence)
    except (Unsound, DatabaseError) as reason:
        raise CommandError(str(reason).strip()) from None


def release_database() -> None:
    """A connection opened here must not be shared with the workers, nor the pool's threads."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]


def require_free_address(host: str, port: int) -> None:
    """The workers share their port, and would share it with a stranger too: two services answering by turns.

    Raises:
        CommandError: somebody listens there, or the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error}") from None


def default_workers() -> int:
    """SQLite has one writer at a time, and two processes wait for it by polling; PostgreSQL uses every core."""
    return 1 if connection.vendor == "sqlite" else os.cpu_count() or 1
