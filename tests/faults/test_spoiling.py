"""The lines that are spoiled: each harm does what it says, and does it to somebody."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random

import pytest

from tests.faults import line
from tests.faults.line import Harm, Spoiling

ASKED, SAID = b"SELECT 'croissant'", b"croissant, croissant"


class Echo:
    """A server that answers each piece alike, and keeps what it has heard."""

    def __init__(self, path: Path) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                app, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(app,), daemon=True).start()

    def _answer(self, app: socket.socket) -> None:
        with app, suppress(ConnectionError):
            while piece := app.recv(1024):
                self.heard.append(piece)
                app.sendall(SAID)

    def hears(self, asked: list[bytes]) -> bool:
        """Whether it has heard this and no more, sooner or later."""
        deadline = time.monotonic() + 2
        while self.heard != asked and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard == asked

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def spoiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Spoiling, Echo, Path]]:
    """A line whose every piece is spoiled, by the one harm that a test chooses."""
    monkeypatch.setattr(line, "SECONDS_OF_SILENCE", 0.05)
    (tmp_path / "app").mkdir()
    with ExitStack() as stack:
        echo = Echo(tmp_path / "server")
        stack.callback(echo.close)
        spoiling = Spoiling(tmp_path / "server", tmp_path / "app", share=1.0, seed=1)
        thread = threading.Thread(target=spoiling.serve)
        thread.start()
        stack.callback(thread.join)
        stack.callback(spoiling.close)
        yield spoiling, echo, tmp_path / "app" / line.SOCKET


def ask(path: Path) -> bytes:
    """Everything that comes back until the line falls silent or is cut."""
    heard = b""
    with socket.socket(socket.AF_UNIX) as app:
        app.settimeout(2)
        app.connect(str(path))
        app.sendall(ASKED)
        try:
            while len(heard) < len(SAID) and (piece := app.recv(1024)):
                heard += piece
        except (TimeoutError, ConnectionError):
            pass
    return heard


class TestASpoiledLine:
    @pytest.mark.parametrize(
        ("harm", "asked", "heard"),
        [
            (Harm.REFUSED, [], b""),
            (Harm.CUT_ON_THE_WAY, [ASKED[: len(ASKED) // 2]], b""),
            (Harm.CUT_ON_THE_WAY_BACK, [ASKED], SAID[: len(SAID) // 2]),
            (Harm.SWALLOWED, [ASKED], b""),
            (Harm.SILENT, [ASKED], b""),
            (Harm.DELAYED, [ASKED], SAID),
        ],
    )
    def test_harms_as_it_says(
        self,
        spoiled: tuple[Spoiling, Echo, Path],
        harm: Harm,
        asked: list[bytes],
        heard: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        spoiling, echo, path = spoiled
        monkeypatch.setattr(line, "HARMS", [harm])

        assert ask(path) == heard
        assert echo.hears(asked)
        assert spoiling.harms == {harm: 1}

    def test_draws_every_harm(self, spoiled: tuple[Spoiling, Echo, Path]) -> None:
        spoiling, _, _ = spoiled
        spoiling._rng = Random(3)

        for _ in range(60):
            spoiling._draw()

        assert set(spoiling.harms) == set(Harm)

    def test_that_swallows_lets_nobody_hear_what_was_done(self, spoiled: tuple[Spoiling, Echo, Path]) -> None:
        spoiling, echo, path = spoiled
        spoiling._share = 0
        assert ask(path) == SAID

        spoiling.swallows.set()

        with socket.socket(socket.AF_UNIX) as app:
            app.settimeout(0.2)
            app.connect(str(path))
            app.sendall(ASKED)
            with pytest.raises(TimeoutError):
                app.recv(1024)
        assert echo.heard == [ASKED, ASKED]
        assert spoiling.swallowed == 1
