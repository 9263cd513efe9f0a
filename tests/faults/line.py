"""The line between the app and PostgreSQL, spoiled: a proxy on a Unix socket that knows no protocol, only pieces.

Each piece that the app sends may meet a fate of its own. A sale is one statement, so what falls on it falls on its
commit as well: a swallowed answer is a commit that the app never hears of.
"""

from __future__ import annotations

import select
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.faults.databases import Database, Postgres, url_of

PIECE = 65536
SOCKET = ".s.PGSQL.5432"


class Harm(StrEnum):
    """What becomes of one piece, and of its connection."""

    REFUSED = "refused"
    CUT_ON_THE_WAY = "cut on the way"
    CUT_ON_THE_WAY_BACK = "cut on the way back"
    SWALLOWED = "answer swallowed"
    DELAYED = "delayed"
    SILENT = "silent"


HARMS = list(Harm)
SECONDS_OF_SILENCE = 6


class Spoiling:
    """Listens in a folder of its own, and passes on to ``upstream``, or not.

    While ``swallows`` is set, PostgreSQL hears everything, and nobody hears PostgreSQL.
    """

    def __init__(self, upstream: Path, folder: Path, *, share: float, seed: int) -> None:
        self._folder = folder
        self.harms: Counter[Harm] = Counter()
        self.swallowed = 0
        self.swallows = threading.Event()
        self._upstream, self._share = upstream, share
        self._rng, self._turn = Random(seed), threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen(64)

    def url_for(self, role: str) -> str:
        """The database behind the line, as DATABASE_URL."""
        return url_of(self._folder, role)

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                app, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(app,), daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _draw(self) -> Harm | None:
        with self._turn:
            harm = self._rng.choice(HARMS) if self._rng.random() < self._share else None
            if harm:
                self.harms[harm] += 1
            return harm

    def _carry(self, app: socket.socket) -> None:
        with app, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self._upstream))
                while self._pass_on(app, server):
                    pass
            except OSError:
                return

    def _pass_on(self, app: socket.socket, server: socket.socket) -> bool:
        """Whatever comes next, from either side; whether the connection goes on."""
        readable, _, _ = select.select([app, server], [], [])
        if app in readable:
            piece = app.recv(PIECE)
            return bool(piece) and self._towards_server(piece, app, server)
        piece = server.recv(PIECE)
        if piece and self.swallows.is_set():
            self.swallowed += 1
            return True
        app.sendall(piece)
        return bool(piece)

    def _towards_server(self, piece: bytes, app: socket.socket, server: socket.socket) -> bool:
        harm = self._draw()
        if harm is Harm.REFUSED:
            return False
        if harm is Harm.CUT_ON_THE_WAY:
            server.sendall(piece[: len(piece) // 2])
            return False
        if harm is Harm.DELAYED:
            time.sleep(0.3)
        server.sendall(piece)
        if harm in {None, Harm.DELAYED}:
            return True
        answer = server.recv(PIECE)
        if harm is Harm.SILENT:
            time.sleep(SECONDS_OF_SILENCE)
        elif harm is Harm.CUT_ON_THE_WAY_BACK:
            app.sendall(answer[: len(answer) // 2])
        return False


@contextmanager
def spoiled_line(database: Database, *, share: float, seed: int) -> Iterator[Spoiling]:
    """A proxy before a PostgreSQL; ended on every way out."""
    assert isinstance(database, Postgres), "There is no line to a file."
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as name:
        spoiling = Spoiling(database.cluster.socket, Path(name), share=share, seed=seed)
        thread = threading.Thread(target=spoiling.serve)
        thread.start()
        try:
            yield spoiling
        finally:
            spoiling.close()
            thread.join()
