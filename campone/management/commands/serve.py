"""``serve``: the production server, and the one place for its flags.

Used by ``dev.py run``, by the tests that need a real server, and by the container image.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

# A caller that sends its body slowly holds a thread, but no database connection: threads are many, the pool is small.
THREADS = 32
# Long enough for a call in flight to end, shorter than the patience of whoever stops us.
KILL_AFTER_SECONDS = 20


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
        # A connection opened here must not be shared with the workers.
        connections.close_all()
        self.stdout.write(f"Serving on http://{host}:{port} with {count} × {threads} threads; {settings.PUBLIC_URL}")
        Granian(
            "campone.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=count,
            blocking_threads=threads,
            # HTTP/1 alone: what a till, a proxy and the smuggling tests speak.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
            websockets=False,
            # Below that it warns, at each start, of the many threads we want.
            log_level=LogLevels.error,
            # Workers that die are born again at once; a till's retry finds the next one.
            respawn_failed_workers=True,
            respawn_interval=0.1,
            workers_kill_timeout=KILL_AFTER_SECONDS,
        ).serve()


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
