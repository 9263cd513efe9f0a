#!/usr/bin/env python3
"""The doors for whoever has just arrived; standard library only.

    python3 dev.py run [--port 8000] [--no-serve]   the service here, with a demo campground
    python3 dev.py manage COMMAND …                 one of Django's commands on that service
    python3 dev.py test [pytest arguments]          every test, on SQLite and on a real PostgreSQL
    python3 dev.py browser [pytest arguments]       the pages, in a real browser
    python3 dev.py bench [--quick]                  speed, beside what else a team would pick
    python3 dev.py faults [--sales N …]             whether anything is lost while everything is killed
    python3 dev.py upgrade [--from REVISION …]      whether tills feel it that tables change and code is replaced
    python3 dev.py check                            style, types, walls, migrations, deployment
    python3 dev.py gate [--record]                  how many instructions a sale costs, against the figure
    python3 dev.py malformed [--cases N …]          whether any call, however odd, is answered by a fault of ours
    python3 dev.py supply [--strict]                known holes in what is installed; a list of it for others (SBOM)
    python3 dev.py lock [--upgrade]                 requirements/*.lock again, from pyproject.toml

What they need goes into .venv/, what they keep into var/; removing both is a clean start.

An old Python must get far enough to say that it is old. So this file keeps to a grammar and to imports
that Python 3.6 knows, and writes newer annotations in quotes.
"""

import argparse
import errno
import hashlib
import importlib.util
import io
import json
import os
import queue
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote

OLDEST_PYTHON = (3, 11)
OLDEST_NAME = "3.11"
ROOT = Path(__file__).resolve().parent
VAR = ROOT / "var"
VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(PROGRAMS / "python")

LOCKS = {
    "runtime": (),
    "tracing": ("runtime",),
    "test": ("runtime", "tracing"),
    "browser": ("runtime", "tracing", "test"),
    "bench": ("runtime",),
    "attack": ("runtime", "tracing", "test"),
    "supply": ("runtime",),
    "lint": ("runtime", "tracing", "test", "browser", "bench", "attack"),
}
"""Every lock, and the smaller ones that it contains."""

DEVELOPMENT = {
    "DEVELOPMENT": "1",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,.localhost",
    "TENANT_DOMAIN": "localhost",
    "PUBLIC_URL": "http://127.0.0.1:8000",
}
PRODUCTION = {
    "DEVELOPMENT": "0",
    "ALLOWED_HOSTS": "api.campone.example,.campone.example",
    "TENANT_DOMAIN": "campone.example",
    "PUBLIC_URL": "https://api.campone.example",
    "DATABASE_URL": "postgres://campone:not-used@127.0.0.1:9/campone",
}
"""As an operator would set it; nothing listens at that database, so a check that connected would fail."""


COMPOSE = (["docker", "compose"], ["docker-compose"])
"""Either reads the file without an engine; where neither is, the tests still read it."""


class Stop(Exception):
    """Something is in the way; the message is one sentence that says what to do."""


class Engine(NamedTuple):
    """One run of pytest: what it is called, how it is started, what it is told."""

    name: str
    command: "list[str]"
    environment: "dict[str, str]"


class Started(NamedTuple):
    """A run under way, and what it has printed so far; None after the last line."""

    process: "subprocess.Popen[str]"
    lines: "queue.Queue[str | None]"


class Outcome(NamedTuple):
    """What one run of pytest came to; ``status`` is its exit status."""

    status: int
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def ran_nothing(self) -> bool:
        return self.status == 5

    def is_good(self) -> bool:
        return self.status == 0 and not self.skipped

    def total_failed(self) -> int:
        """Failures for the closing line, which must not look green after a run that broke off or skipped."""
        counted = self.failed + self.skipped
        return counted if self.is_good() else max(counted, 1)


# The calls ------------------------------------------------------------------------------------------


def run(arguments: "list[str]") -> int:
    """From a bare clone to a running service; the second time only what has changed."""
    asked = parse_run(arguments)
    if asked.serve:
        require_free_port(asked.port)
    install("runtime")
    environment = describe_service(asked.port)
    manage(environment, "migrate", "--no-input", "-v", "0")
    manage(environment, "collectstatic", "--no-input", "-v", "0")
    manage(environment, "demo", "--print-access", "--url", local_url(asked.port))
    if asked.serve:
        serve(environment, asked.port)
    return 0


def parse_run(arguments: "list[str]") -> argparse.Namespace:
    """Read the arguments of ``run``."""
    parser = argparse.ArgumentParser(prog="dev.py run")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--no-serve", dest="serve", action="store_false", help="prepare everything, then end")
    return parser.parse_args(arguments)


def run_command(arguments: "list[str]") -> int:
    """One of Django's commands, in the environment that ``run`` gives the service; its exit status is ours."""
    install("runtime")
    command = [PYTHON, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=describe_service(8000), check=False).returncode


def test(arguments: "list[str]") -> int:
    """The whole suite twice, at the same time: on SQLite, and on a PostgreSQL made for this run."""
    install("test")
    with tempfile.TemporaryDirectory(prefix="test-", dir=str(make_var())) as folder:
        sqlite = describe_tests("sqlite", sqlite_url(Path(folder) / "campone.sqlite3"))
        postgresql = describe_tests("postgresql", "")
        pytest = [PYTHON, "-m", "pytest"]
        cluster = [PYTHON, "-m", "tests.cluster", "--fast"]
        engines = [
            Engine("SQLite", [*pytest, *keep_apart("sqlite"), "-m", "not postgresql", *arguments], sqlite),
            Engine(
                "PostgreSQL",
                [*cluster, *pytest, *keep_apart("postgresql"), "-m", "not sqlite", *arguments],
                postgresql,
            ),
        ]
        return report_outcomes(engines, run_engines(engines), selected=bool(arguments))


def browser(arguments: "list[str]") -> int:
    """The pages in a real browser. Its driver keeps an event loop, beside which Django must allow queries."""
    install("browser")
    with tempfile.TemporaryDirectory(prefix="test-", dir=str(make_var())) as folder:
        environment = describe_tests("browser", sqlite_url(Path(folder) / "campone.sqlite3"))
        environment["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        command = [PYTHON, "-m", "pytest", *keep_apart("browser"), "tests/browser", *arguments]
        engines = [Engine("Browser", command, environment)]
        return report_outcomes(engines, run_engines(engines), selected=False)


def bench(arguments: "list[str]") -> int:
    """Measure the service beside its peers, all of them on this machine and in one run."""
    if shutil.which("wrk") is None:
        raise Stop("The benchmark needs wrk, which is not on PATH: `apt install wrk`, then the same again.")
    install("bench")
    return subprocess.run([PYTHON, "-m", "bench", *arguments], cwd=str(ROOT), check=False).returncode


def faults(arguments: "list[str]") -> int:
    """Sell while processes are killed and lines are cut, then compare every sale; the run's status is ours."""
    install("test")
    return subprocess.run([PYTHON, "-m", "tests.faults", *arguments], cwd=str(ROOT), check=False).returncode


def upgrade(arguments: "list[str]") -> int:
    """Sell while tables change and one version follows another, then compare every sale; the run's status is ours."""
    install("test")
    return subprocess.run([PYTHON, "-m", "tests.upgrading", *arguments], cwd=str(ROOT), check=False).returncode


def check(arguments: "list[str]") -> int:
    """Every check that is not a test; all of them run, then the failed ones are named."""
    refuse_arguments(arguments)
    install("lint")
    failed = [name for name, command, environment in list_checks() if not passes(name, command, environment)]
    if failed:
        raise Stop(f"Failed: {', '.join(failed)}.")
    print("\nEvery check is fine.")
    return 0


def gate(arguments: "list[str]") -> int:
    """The instructions of one sale, counted and compared with the recorded figure; the gate's status is ours."""
    install("test")
    command = [PYTHON, "-m", "bench.instructions", *arguments]
    return subprocess.run(command, cwd=str(ROOT), check=False).returncode


def malformed(arguments: "list[str]") -> int:
    """Send what nobody would, to a real server on either engine."""
    install("attack")
    return subprocess.run([PYTHON, "-m", "tests.malformed", *arguments], cwd=str(ROOT), check=False).returncode


def supply(arguments: "list[str]") -> int:
    """Look up known holes in everything that is shipped, and list it in var/sbom.cdx.json (CycloneDX).

    Where the advisories cannot be reached, this says for how many packages, and ``--strict`` makes it a failure.
    """
    parser = argparse.ArgumentParser(prog="dev.py supply")
    parser.add_argument("--strict", action="store_true", help="fail if a package could not be looked up")
    asked = parser.parse_args(arguments)
    install("supply")
    listing, lock = str(make_var() / "sbom.cdx.json"), str(lock_path("runtime"))
    program = str(PROGRAMS / "cyclonedx-py")
    options = ["--pyproject", "pyproject.toml", "--output-format", "JSON", "--output-reproducible"]
    step("Listing what is shipped", [program, "requirements", lock, *options, "--output-file", listing])
    audit = [
        str(PROGRAMS / "pip-audit"),
        "--requirement",
        lock,
        "--require-hashes",
        "--disable-pip",
        "--format",
        "json",
    ]
    heard = subprocess.run(audit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(ROOT), check=False)
    holes, unknown, known = read_audit(heard.stdout.decode())
    print("\n".join([*holes, f"Listed in {listing}; looked up: {known}, could not be looked up: {unknown}."]))
    return 1 if holes or (asked.strict and unknown) else 0


def read_audit(text: str) -> "tuple[list[str], int, int]":
    """pip-audit's answer: a line for each known hole, how many packages nobody knew, how many somebody did."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, TypeError, KeyError):
        raise Stop("pip-audit has not said what it found.") from None
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'nothing yet'}"
        for each in packages
        for hole in each.get("vulns", ())
    ]
    unknown = sum("skip_reason" in each for each in packages)
    return holes, unknown, len(packages) - unknown


def lock(arguments: "list[str]") -> int:
    """Resolve everything at once, then take each lock out of that, so that no two locks disagree."""
    parser = argparse.ArgumentParser(prog="dev.py lock")
    parser.add_argument("--upgrade", action="store_true", help="newest versions instead of the locked ones")
    asked = parser.parse_args(arguments)
    uv = shutil.which("uv")
    if uv is None:
        raise Stop("Locking needs uv, which is not on PATH: `pip install uv`, then the same again.")
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "everything.lock"
        everything.write_text("".join(path.read_text() for path in map(lock_path, LOCKS) if path.exists()))
        compile_lock(uv, everything, [name for name in LOCKS if name != "runtime"], upgrade=asked.upgrade)
        for name in LOCKS:
            shutil.copyfile(str(everything), str(Path(folder) / name))
            compile_lock(uv, Path(folder) / name, [name] if name != "runtime" else [], upgrade=False)
        for name in LOCKS:
            shutil.copyfile(str(Path(folder) / name), str(lock_path(name)))
    return 0


CALLS = {
    "run": run,
    "manage": run_command,
    "test": test,
    "browser": browser,
    "bench": bench,
    "faults": faults,
    "upgrade": upgrade,
    "check": check,
    "gate": gate,
    "malformed": malformed,
    "supply": supply,
    "lock": lock,
}


# Python and packages --------------------------------------------------------------------------------


def require_python(version: "tuple[int, int]") -> None:
    """Refuse a Python that could read this file, but none of the others."""
    if version < OLDEST_PYTHON:
        raise Stop(
            f"This needs Python {OLDEST_NAME} or newer and was started with {version[0]}.{version[1]}: "
            f"start it with a newer one, such as `{find_newer_python()} dev.py run`."
        )


def find_newer_python() -> str:
    """A newer Python on this machine by name, or the name under which one would be installed."""
    names = [f"python3.{minor}" for minor in range(20, OLDEST_PYTHON[1] - 1, -1)]
    return next((name for name in names if shutil.which(name) and is_usable(name)), f"python{OLDEST_NAME}")


def install(name: str) -> None:
    """Bring .venv to a lock, hashes checked; when its stamp already says so there is nothing to do.

    A stamp is the SHA-256 of the lock that was installed. A stamp that no longer fits its lock is removed
    first, since what is installed now changes the ground it stood on.
    """
    make_environment()
    if has_stamp(name):
        return
    print(f"Installing requirements/{name}.lock (once, and again when it changes) …", file=sys.stderr, flush=True)
    for outdated in [each for each in LOCKS if not has_stamp(each)]:
        stamp_path(outdated).unlink(missing_ok=True)
    options = ["--quiet", "--require-hashes", "--requirement", str(lock_path(name))]
    step(f"Installing requirements/{name}.lock", [*find_installer(), *options])
    for contained in (name, *LOCKS[name]):
        stamp_path(contained).parent.mkdir(exist_ok=True)
        stamp_path(contained).write_text(digest(lock_path(contained)))


def make_environment() -> None:
    """Make .venv unless it works: by uv when there is one, else by Python's own venv."""
    if is_usable(PYTHON):
        return
    uv = shutil.which("uv")
    if uv is None:
        require_venv()
    if VENV.exists():
        shutil.rmtree(str(VENV))
    maker = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    step("Making .venv", [*maker, str(VENV)])


def require_venv() -> None:
    """Debian ships Python without the part that makes environments; say which package brings it."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Stop("This Python cannot make .venv: `apt install python3-venv`, then the same again.")


def is_usable(python: str) -> bool:
    """Whether an interpreter starts and is new enough: one that has moved or is old is made anew."""
    return succeeds([python, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"])


def find_installer() -> "list[str]":
    """The start of an install command: uv's when there is one, else pip's, which uv leaves out of .venv."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", PYTHON]
    if not succeeds([PYTHON, "-c", "import pip"]):
        step("Adding pip to .venv", [PYTHON, "-m", "ensurepip", "--default-pip"])
    return [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]


def compile_lock(uv: str, output: Path, groups: "list[str]", *, upgrade: bool) -> None:
    """Resolve pyproject.toml for every platform. uv keeps the versions it finds in the output already."""
    command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header"]
    chosen = [part for group in groups for part in ("--group", group)]
    aim = ["--python-version", OLDEST_NAME, "--output-file", str(output)]
    step("Locking", [*command, *(["--upgrade"] if upgrade else []), "pyproject.toml", *chosen, *aim])


def lock_path(name: str) -> Path:
    """Where a lock lies; it is committed."""
    return ROOT / "requirements" / f"{name}.lock"


def stamp_path(name: str) -> Path:
    """Where it is written which state of a lock .venv has; it goes when .venv goes."""
    return VENV / "locks" / name


def has_stamp(name: str) -> bool:
    """Whether .venv has the lock as it stands now."""
    return stamp_path(name).exists() and stamp_path(name).read_text() == digest(lock_path(name))


def digest(path: Path) -> str:
    """A file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Running the service --------------------------------------------------------------------------------


def describe_service(port: int) -> "dict[str, str]":
    """The service's environment: this machine's, and what it leaves open filled in for development."""
    var = make_var()
    filled = dict(DEVELOPMENT, PUBLIC_URL=local_url(port), DATABASE_URL=sqlite_url(var / "campone.sqlite3"))
    if "SECRET_KEY" not in os.environ:
        filled["SECRET_KEY"] = read_secret_key(var / "secret_key")
    return dict(filled, **os.environ)


def make_var() -> Path:
    """The folder for what stays: database, secret key, collected files; closed to other accounts."""
    VAR.mkdir(exist_ok=True)
    VAR.chmod(0o700)
    return VAR


def read_secret_key(path: Path) -> str:
    """The key of this installation, made on first use: sessions outlive a restart, and no two share one."""
    if not path.exists():
        descriptor = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text().strip()


def local_url(port: int) -> str:
    """The service as a browser on this machine reaches it."""
    return f"http://127.0.0.1:{port}"


def sqlite_url(path: Path) -> str:
    """A DATABASE_URL for a file; a blank or a plus in its path stays what it is."""
    return "sqlite:///" + quote(str(path))


def require_free_port(port: int) -> None:
    """Better said before the work than after it. An address still in TIME_WAIT does not count as taken."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "is taken" if taken else f"cannot be used ({error})"
            raise Stop(f"Port {port} {reason}: choose another one, such as --port 8001.") from error


def manage(environment: "dict[str, str]", *arguments: str) -> None:
    """Run one of Django's commands."""
    step(f"manage.py {arguments[0]}", [PYTHON, "manage.py", *arguments], environment)


def serve(environment: "dict[str, str]", port: int) -> None:
    """Become the server, so that Ctrl-C and every other signal reach it and nobody else."""
    command = [PYTHON, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    sys.stdout.flush()
    if os.name == "nt":  # exec there returns to the prompt at once and leaves the server behind
        step("The server", command, environment)
    else:
        os.chdir(str(ROOT))
        os.execve(PYTHON, command, environment)  # noqa: S606  no shell is what is wanted


def step(name: str, command: "list[str]", environment: "dict[str, str] | None" = None) -> None:
    """Run one step. Its own words stay on the screen; ours add only which step it was."""
    try:
        status = subprocess.run(command, cwd=str(ROOT), env=environment, check=False).returncode
    except OSError as error:
        raise Stop(f"{name} could not start: {error}.") from error
    if status != 0:
        raise Stop(f"{name} failed with status {status}; the lines above say why.")


def succeeds(command: "list[str]") -> bool:
    """Ask a program a question that its exit status answers; a program that is not there says no."""
    silent = subprocess.DEVNULL
    try:
        return subprocess.run(command, stdout=silent, stderr=silent, check=False).returncode == 0
    except OSError:
        return False


# Tests and checks -----------------------------------------------------------------------------------


def describe_tests(engine: str, database_url: str) -> "dict[str, str]":
    """A run's environment: the database is ours; the rest is left to ``tests/settings.py``, not to a shell."""
    settled = {"SECRET_KEY", "DJANGO_SETTINGS_MODULE", *DEVELOPMENT}
    environment = {name: value for name, value in os.environ.items() if name not in settled}
    storage = str(VAR / f"hypothesis-{engine}")
    return dict(environment, DATABASE_URL=database_url, HYPOTHESIS_STORAGE_DIRECTORY=storage)


def keep_apart(engine: str) -> "list[str]":
    """Each run remembers its failures (``--lf``) in its own folder; two at once would overwrite one."""
    return ["-o", f"cache_dir=var/pytest-{engine}"]


def run_engines(engines: "list[Engine]") -> "list[Outcome]":
    """Run all at once and show one after the other, each live as soon as its turn has come.

    SIGTERM becomes an exception meanwhile, so that the runs end with us.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    started = [start_engine(engine) for engine in engines]
    try:
        return [show_engine(*pair) for pair in zip(engines, started, strict=True)]
    finally:
        for each in started:
            end_engine(each.process)
        signal.signal(signal.SIGTERM, before)


def start_engine(engine: Engine) -> "Started":
    """Start a run and read it from a thread: a pipe that nobody empties would stop the tests."""
    process = subprocess.Popen(
        engine.command,
        cwd=str(ROOT),
        env=engine.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=collect_lines, args=(process.stdout, lines), daemon=True).start()
    return Started(process, lines)


def collect_lines(output: "IO[str]", lines: "queue.Queue[str | None]") -> None:
    """Hand on every line as it comes, then None."""
    with output:
        for line in output:
            lines.put(line)
    lines.put(None)


def show_engine(engine: Engine, started: Started) -> Outcome:
    """Print a run as it goes, or what it has printed until its turn came; then count."""
    print_heading(engine.name)
    shown = []
    for line in iter(started.lines.get, None):
        print(line, end="", flush=True)
        shown.append(line)
    return read_outcome("".join(shown), started.process.wait())


def end_engine(process: "subprocess.Popen[str]") -> None:
    """After Ctrl-C the run ends by itself, and its server with it; after anything else it is told to."""
    if process.poll() is None and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
        process.terminate()
    process.wait()


def read_outcome(output: str, status: int) -> Outcome:
    """Count from pytest's last summary line, such as ``= 1 failed, 9 passed, 1 error in 0.5s =``."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    summaries = re.findall(r"^=* ?(\d+ [a-z].*) in [\d.]+s", plain, re.MULTILINE)
    counts = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    last = summaries[-1] if summaries else ""
    for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", last):
        counts[word] += int(number)
    return Outcome(status, counts["passed"], counts["failed"] + counts["error"], counts["skipped"])


def report_outcomes(engines: "list[Engine]", outcomes: "list[Outcome]", *, selected: bool) -> int:
    """A line for each run, the total last. A skipped test is a promise that nobody looked at: it fails.

    When the caller has selected tests, a run that held none of them is fine beside one that did.
    """
    excused = selected and any(outcome.is_good() for outcome in outcomes)
    counted = [each._replace(status=0) if excused and each.ran_nothing() else each for each in outcomes]
    print()
    for engine, outcome in zip(engines, counted, strict=True):
        print(f"{engine.name}: {describe_outcome(outcome)}")
    passed, failed = sum(each.passed for each in counted), sum(each.total_failed() for each in counted)
    print(f"{passed} passed, {failed} failed")
    return 0 if all(outcome.is_good() for outcome in counted) else 1


def describe_outcome(outcome: Outcome) -> str:
    """One run in words; the counts are commented on when they do not say why it is not good."""
    said = f"passed {outcome.passed}, failed {outcome.failed}"
    if outcome.ran_nothing():
        return "no test ran, which counts as failed"
    if outcome.skipped:
        return f"{said}, skipped {outcome.skipped}; nothing may be skipped"
    if outcome.status and not outcome.failed:
        return f"{said}, and the run ended with status {outcome.status}"
    return said


def list_checks() -> "list[tuple[str, list[str], dict[str, str]]]":
    """Name, command and environment of every check."""
    anywhere = dict(os.environ, SECRET_KEY=secrets.token_urlsafe(64))
    anywhere.pop("DJANGO_SETTINGS_MODULE", None)  # the project's own settings are checked, not a shell's
    development = dict(anywhere, DATABASE_URL="sqlite://:memory:", **DEVELOPMENT)
    production = dict(anywhere, **PRODUCTION)
    manage = [PYTHON, "manage.py"]
    checks = [
        ("ruff check", [PYTHON, "-m", "ruff", "check", "."], development),
        ("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."], development),
        ("mypy", [PYTHON, "-m", "mypy", "."], development),
        ("lint-imports", [str(PROGRAMS / "lint-imports")], development),
        ("makemigrations", [*manage, "makemigrations", "--check", "--dry-run"], development),
        ("check --deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], production),
    ]
    for compose in COMPOSE:
        if succeeds([*compose, "version"]):
            secret = {name: secrets.token_urlsafe(32) for name in ("POSTGRES_PASSWORD", "APP_PASSWORD")}
            checks.append((" ".join(compose), [*compose, "config", "-q"], dict(production, **secret)))
            break
    return checks


def passes(name: str, command: "list[str]", environment: "dict[str, str]") -> bool:
    """Run one check under its heading, and say why when it fails."""
    print_heading(name)
    try:
        step(name, command, environment)
    except Stop as stop:
        print(stop)
        return False
    return True


def print_heading(name: str) -> None:
    """What follows, set apart from what came before."""
    print(f"\n{name} {'-' * 60}", flush=True)


# Start ----------------------------------------------------------------------------------------------


def accept_any_console() -> None:
    """A console that cannot show a character shows a question mark, instead of ending the call."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def refuse_arguments(arguments: "list[str]") -> None:
    """A misspelt option must not pass for a check that was made."""
    if arguments:
        raise Stop("This call takes no arguments.")


def main(arguments: "list[str]") -> int:
    """Choose the call; whatever is in its way ends in one sentence on standard error."""
    try:
        require_python(sys.version_info[:2])
        accept_any_console()
        if not arguments or arguments[0] not in CALLS:
            print(__doc__)
            return 0 if arguments in (["-h"], ["--help"]) else 2
        return CALLS[arguments[0]](arguments[1:])
    except Stop as stop:
        print(f"\ndev.py: {stop}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\ndev.py: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
