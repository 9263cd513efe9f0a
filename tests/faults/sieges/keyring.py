"""The commands that mint and revoke, two hundred times without starting Django each time.

``python -m tests.faults.sieges.keyring`` is the process they run in: a command a line as JSON, its words on a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import django
from django.core.management import call_command

from tests.faults.sales import CAMPGROUNDS
from tests.faults.stage import BOTH_SCOPES, BUDGET
from tests.server.process import PROJECT
from tests.server.service import Service


class Keyring:
    """Mints and revokes keys of Seeblick by the product's own commands."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def mint(self) -> str:
        """The token of another key."""
        return self._do("mint_key", "--tenant", CAMPGROUNDS[0], "--name", "A round", *BOTH_SCOPES, "--budget", BUDGET)

    def revoke(self, token: str) -> None:
        """Returns once the command has returned."""
        self._do("revoke_key", token)

    def _do(self, *command: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "The commands have broken off."
        return str(json.loads(said))


@contextmanager
def keyring(service: Service) -> Iterator[Keyring]:
    """In the environment of a service's commands."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=PROJECT,
        env=service.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Keyring(process)
    finally:
        process.kill()
        process.communicate()


def obey() -> None:
    """Command by command, until nobody asks any more."""
    django.setup()
    for line in sys.stdin:
        said = StringIO()
        call_command(*json.loads(line), stdout=said)
        sys.stdout.write(f"{json.dumps(said.getvalue().strip())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    obey()
