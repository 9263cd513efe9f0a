"""dev.py, the throw-away cluster, the locks and the container files: what a newcomer relies on first."""

import ast
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
import yaml

import dev
from tests import cluster

ROOT = Path(dev.__file__).parent
FOR_OTHER_MACHINES = {"tests", "bench", "till_client"}
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in FOR_OTHER_MACHINES)
NEWER_THAN_3_6 = {"contextvars", "dataclasses", "graphlib", "tomllib", "zoneinfo"}


def imports_of(path: Path) -> set[str]:
    """The top-level names of all modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name.partition(".")[0] for name in found}


class TestAnOldPython:
    def test_can_read_the_file(self) -> None:
        ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 6))

    def test_meets_no_module_it_lacks(self) -> None:
        assert imports_of(ROOT / "dev.py") <= sys.stdlib_module_names - NEWER_THAN_3_6

    def test_evaluates_no_annotation_it_cannot_read(self) -> None:
        """Annotations of functions and classes are evaluated on import; newer ones stand in quotes."""
        evaluated: list[ast.expr | None] = []
        for node in ast.walk(ast.parse((ROOT / "dev.py").read_text())):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args.args + node.args.kwonlyargs
                evaluated += [node.returns, *(each.annotation for each in arguments)]
            elif isinstance(node, ast.ClassDef):
                evaluated += [each.annotation for each in node.body if isinstance(each, ast.AnnAssign)]

        newer = [each for each in evaluated if isinstance(each, ast.BinOp | ast.Subscript)]
        assert not [ast.unparse(each) for each in newer]

    def test_is_told_what_to_start_instead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dev, "find_newer_python", lambda: "python3.12")

        with pytest.raises(dev.Stop) as stopped:
            dev.require_python((3, 9))

        assert str(stopped.value) == (
            "This needs Python 3.11 or newer and was started with 3.9: "
            "start it with a newer one, such as `python3.12 dev.py run`."
        )

    def test_of_the_oldest_supported_kind_is_no_old_one(self) -> None:
        dev.require_python((3, 11))


class TestMakeEnvironment:
    @pytest.fixture(autouse=True)
    def no_environment_yet(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
        monkeypatch.setattr(dev, "PYTHON", str(tmp_path / ".venv" / "bin" / "python"))
        monkeypatch.setattr("shutil.which", lambda _name: None)

    def test_names_the_package_that_debian_leaves_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

        with pytest.raises(dev.Stop, match="apt install python3-venv"):
            dev.make_environment()

    def test_makes_an_environment_that_is_then_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[list[str]] = []
        monkeypatch.setattr(dev, "step", lambda _name, command: made.append(command))

        dev.make_environment()
        monkeypatch.setattr(dev, "PYTHON", sys.executable)
        dev.make_environment()

        assert made == [[sys.executable, "-m", "venv", str(dev.VENV)]]


class TestInstall:
    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "requirements").mkdir()
        (tmp_path / ".venv").mkdir()
        for name in dev.LOCKS:
            (tmp_path / "requirements" / f"{name}.lock").write_text(f"{name} today")
        monkeypatch.setattr(dev, "ROOT", tmp_path)
        monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
        monkeypatch.setattr(dev, "make_environment", lambda: None)
        monkeypatch.setattr(dev, "find_installer", lambda: ["pip", "install"])
        return tmp_path

    @pytest.fixture
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The locks that were installed, in order."""
        names: list[str] = []
        monkeypatch.setattr(dev, "step", lambda _name, command: names.append(Path(command[-1]).stem))
        return names

    def test_checks_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commands: list[list[str]] = []
        monkeypatch.setattr(dev, "step", lambda _name, command: commands.append(command))

        dev.install("runtime")

        assert "--require-hashes" in commands[0]

    def test_happens_once_for_an_unchanged_lock(self, installed: list[str]) -> None:
        dev.install("runtime")
        dev.install("runtime")

        assert installed == ["runtime"]

    def test_of_a_larger_lock_brings_the_smaller_one(self, installed: list[str]) -> None:
        dev.install("test")
        dev.install("runtime")

        assert installed == ["test"]

    def test_of_a_smaller_lock_does_not_bring_the_larger_one(self, installed: list[str]) -> None:
        dev.install("runtime")
        dev.install("test")

        assert installed == ["runtime", "test"]

    def test_happens_again_when_the_lock_changes(self, project: Path, installed: list[str]) -> None:
        dev.install("runtime")
        (project / "requirements" / "runtime.lock").write_text("runtime tomorrow")
        dev.install("runtime")

        assert installed == ["runtime", "runtime"]

    def test_trusts_no_stamp_from_before_another_change(self, project: Path, installed: list[str]) -> None:
        """There and back again: the packages under the old test stamp have been replaced meanwhile."""
        dev.install("test")
        for name in dev.LOCKS:
            (project / "requirements" / f"{name}.lock").write_text(f"{name} tomorrow")
        dev.install("runtime")
        for name in dev.LOCKS:
            (project / "requirements" / f"{name}.lock").write_text(f"{name} today")
        dev.install("test")

        assert installed == ["test", "runtime", "test"]

    def test_that_fails_leaves_no_stamp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_name: str, _command: list[str]) -> None:
            raise dev.Stop("no network")

        monkeypatch.setattr(dev, "step", fail)

        with pytest.raises(dev.Stop):
            dev.install("runtime")

        assert not dev.has_stamp("runtime")


class TestRun:
    def test_says_that_the_port_is_taken_before_any_work(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        worked: list[str] = []
        monkeypatch.setattr(dev, "install", worked.append)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            status = dev.main(["run", "--port", str(port)])

        assert status == 1
        assert f"Port {port} is taken" in capsys.readouterr().err
        assert not worked

    def test_ends_a_failed_step_with_one_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "manage.py").write_text("raise SystemExit(3)")
        monkeypatch.setattr(dev, "ROOT", tmp_path)
        monkeypatch.setattr(dev, "VAR", tmp_path / "var")
        monkeypatch.setattr(dev, "PYTHON", sys.executable)
        monkeypatch.setattr(dev, "install", lambda _name: None)

        status = dev.main(["run", "--no-serve"])

        assert status == 1
        assert capsys.readouterr().err.splitlines() == [
            "",
            "dev.py: manage.py migrate failed with status 3; the lines above say why.",
        ]

    def test_lets_the_caller_decide(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dev, "VAR", tmp_path / "var")
        monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/campone")
        monkeypatch.delenv("PUBLIC_URL", raising=False)
        monkeypatch.delenv("SECRET_KEY", raising=False)

        told = dev.describe_service(8010)

        assert told["DATABASE_URL"] == "postgres://elsewhere/campone"
        assert told["PUBLIC_URL"] == "http://127.0.0.1:8010"
        assert told["SECRET_KEY"] == (tmp_path / "var" / "secret_key").read_text()

    def test_keeps_its_folder_and_its_key_from_other_accounts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dev, "VAR", tmp_path / "var")

        dev.read_secret_key(dev.make_var() / "secret_key")

        assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600

    def test_makes_the_key_once(self, tmp_path: Path) -> None:
        first = dev.read_secret_key(tmp_path / "secret_key")

        assert len(first) >= 50
        assert dev.read_secret_key(tmp_path / "secret_key") == first
        assert dev.read_secret_key(tmp_path / "another_key") != first


class TestReadOutcome:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("===== 9 passed in 1.75s =====", (9, 0, 0)),
            ("===== 1 failed, 8 passed, 1 deselected in 1.75s =====", (8, 1, 0)),
            ("== 2 failed, 3 passed, 4 skipped, 1 warning, 5 errors in 99.10s (0:01:39) ==", (3, 7, 4)),
            ("==== 1 error in 0.10s ====", (0, 1, 0)),
            ("7 passed, 1 xfailed, 2 xpassed in 0.10s", (7, 0, 0)),
            ("7 passed, 3 subtests passed in 0.10s", (7, 0, 0)),
            ("\x1b[32m==== \x1b[1m12 passed\x1b[0m\x1b[32m in 0.10s\x1b[0m ====", (12, 0, 0)),
            ("==== no tests ran in 0.01s ====", (0, 0, 0)),
            ("ERROR: usage: 3 failed", (0, 0, 0)),
        ],
    )
    def test_reads_every_form_of_the_summary(self, line: str, expected: tuple[int, int, int]) -> None:
        outcome = dev.read_outcome(f"collected 9 items\n\n{line}\n", 0)

        assert (outcome.passed, outcome.failed, outcome.skipped) == expected

    def test_believes_the_last_summary_only(self) -> None:
        """A test may run pytest itself and print what that said."""
        assert dev.read_outcome("1 failed in 0.10s\n==== 2 passed in 0.20s ====\n", 0) == (0, 2, 0, 0)


class TestReportOutcomes:
    ENGINES = (dev.Engine("SQLite", [], {}), dev.Engine("PostgreSQL", [], {}))

    def report(self, sqlite: dev.Outcome, postgresql: dev.Outcome, *, selected: bool = False) -> int:
        return dev.report_outcomes(list(self.ENGINES), [sqlite, postgresql], selected=selected)

    def test_ends_with_the_total_of_both_engines(self, capsys: pytest.CaptureFixture[str]) -> None:
        status = self.report(dev.Outcome(0, passed=9), dev.Outcome(0, passed=11))

        assert status == 0
        assert capsys.readouterr().out.splitlines()[-3:] == [
            "SQLite: passed 9, failed 0",
            "PostgreSQL: passed 11, failed 0",
            "20 passed, 0 failed",
        ]

    @pytest.mark.parametrize(
        ("outcome", "last"),
        [
            (dev.Outcome(1, passed=8, failed=3), "17 passed, 3 failed"),
            (dev.Outcome(0, passed=8, skipped=2), "17 passed, 2 failed"),
            (dev.Outcome(2, passed=8), "17 passed, 1 failed"),
            (dev.Outcome(5), "9 passed, 1 failed"),
            (dev.Outcome(-9), "9 passed, 1 failed"),
        ],
        ids=["failed", "skipped", "broken off", "no test", "killed"],
    )
    def test_is_not_green_when_one_engine_is_not(
        self, outcome: dev.Outcome, last: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status = self.report(dev.Outcome(0, passed=9), outcome)

        assert status == 1
        assert capsys.readouterr().out.splitlines()[-1] == last

    def test_says_that_nothing_may_be_skipped(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.report(dev.Outcome(0, passed=9), dev.Outcome(0, passed=8, skipped=1))

        assert "PostgreSQL: passed 8, failed 0, skipped 1; nothing may be skipped" in capsys.readouterr().out

    def test_excuses_an_engine_that_has_none_of_the_tests_asked_for(self) -> None:
        assert self.report(dev.Outcome(5), dev.Outcome(0, passed=1), selected=True) == 0
        assert self.report(dev.Outcome(5), dev.Outcome(5), selected=True) == 1


class TestDescribeTests:
    def test_lets_no_setting_of_the_shell_decide_a_test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("SECRET_KEY", "TENANT_DOMAIN", "DEVELOPMENT", "DATABASE_URL"):
            monkeypatch.setenv(name, "from the shell")

        told = dev.describe_tests("sqlite", "sqlite:///ours")

        assert told["DATABASE_URL"] == "sqlite:///ours"
        assert "from the shell" not in told.values()

    def test_gives_each_engine_its_own_examples(self) -> None:
        places = {dev.describe_tests(engine, "")["HYPOTHESIS_STORAGE_DIRECTORY"] for engine in ("one", "two")}

        assert len(places) == 2


WORD = "import os, pathlib; word = pathlib.Path(os.environ['WORD'])"


class TestRunEngines:
    def test_shows_one_after_the_other_though_both_run_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first waits for a word from the second: run in turn, they would never end."""
        monkeypatch.setenv("WORD", str(tmp_path / "word"))
        waits = "while not word.exists(): pass\nprint('1 passed in 0.1s')"
        gives = "word.touch(); print('2 passed in 0.1s')"
        first, second = (
            dev.Engine(name, [sys.executable, "-c", f"{WORD}\n{does}"], dict(os.environ))
            for name, does in (("First", waits), ("Second", gives))
        )

        outcomes = dev.run_engines([first, second])

        assert [outcome.passed for outcome in outcomes] == [1, 2]
        assert re.findall(r"First|1 passed|Second|2 passed", capsys.readouterr().out) == [
            "First",
            "1 passed",
            "Second",
            "2 passed",
        ]


class TestLocks:
    @pytest.mark.parametrize("name", dev.LOCKS)
    def test_name_no_host(self, name: str) -> None:
        assert not re.search(r"://|--(extra-)?index-url|--find-links", dev.lock_path(name).read_text())

    @pytest.mark.parametrize("name", dev.LOCKS)
    def test_give_every_package_a_hash(self, name: str) -> None:
        blocks = re.split(r"\n(?=[a-z])", dev.lock_path(name).read_text())

        assert blocks
        assert not [block for block in blocks if "--hash=sha256:" not in block]

    @pytest.mark.parametrize("name", dev.LOCKS)
    def test_contain_the_smaller_ones(self, name: str) -> None:
        for contained in dev.LOCKS[name]:
            assert self.pins(contained) <= self.pins(name)

    def test_disagree_on_no_version(self) -> None:
        pins = [pin.split(" ")[0] for pin in set.union(*(self.pins(name) for name in dev.LOCKS))]

        assert len({pin.partition("==")[0] for pin in pins}) == len(set(pins))

    @pytest.mark.parametrize("name", dev.LOCKS)
    def test_hold_what_the_project_asks_for(self, name: str) -> None:
        """A forgotten ``python3 dev.py lock`` shows here, not on a newcomer's machine."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        groups = project["dependency-groups"] | {"runtime": []}
        wanted = project["project"]["dependencies"] + [each for each in groups[name] if isinstance(each, str)]
        names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ;]", each)[0]).lower() for each in wanted}
        locked = {pin.partition("==")[0] for pin in self.pins(name)}

        assert names <= locked

    def pins(self, name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9][^\\\n]*==[^\\\n]*", dev.lock_path(name).read_text(), re.MULTILINE))


def pretend_postgres(folder: Path, version: str) -> Path:
    """Programs that say no more than their version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


class TestFindPrograms:
    @pytest.fixture(autouse=True)
    def bare_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PG_BIN", raising=False)
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr(cluster, "INSTALLED", ())

    def test_takes_the_folder_that_was_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        named = pretend_postgres(tmp_path / "bin", "17.2")
        monkeypatch.setenv("PG_BIN", str(named))

        assert cluster.find_programs() == named

    def test_takes_nothing_else_when_the_named_folder_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PG_BIN", str(tmp_path))

        with pytest.raises(cluster.PostgresMissing, match="holds no PostgreSQL 15 or newer"):
            cluster.find_programs()

    def test_follows_the_link_on_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = pretend_postgres(tmp_path / "real", "16.4 (Debian 16.4-1)")
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "pg_ctl").symlink_to(real / "postgres")
        monkeypatch.setenv("PATH", str(tmp_path / "links"))

        assert cluster.find_programs() == real

    def test_takes_the_newest_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for version in ("9.6.24", "15.18", "17beta1", "16.4"):
            pretend_postgres(tmp_path / version / "bin", version)
        monkeypatch.setattr(cluster, "INSTALLED", (f"{tmp_path}/*/bin",))

        assert cluster.find_programs() == tmp_path / "17beta1" / "bin"

    def test_falls_back_on_the_wheel_when_all_others_are_too_old(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pretend_postgres(tmp_path / "14" / "bin", "14.13")
        monkeypatch.setattr(cluster, "INSTALLED", (f"{tmp_path}/*/bin",))

        assert cluster.find_programs() == cluster.wheel_programs()[0]

    def test_says_what_to_install_when_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "WHEEL", "a_wheel_that_is_not_here")

        with pytest.raises(cluster.PostgresMissing, match="apt install postgresql"):
            cluster.find_programs()


@pytest.mark.postgresql
class TestThrowawayCluster:
    """Marked, so that it runs once: it starts its own servers and asks nothing of Django's database."""

    @pytest.mark.parametrize("programs", ["", "wheel"])
    def test_is_an_empty_database_of_its_own(self, programs: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PG_BIN", programs)

        with cluster.throwaway_cluster(durable=False) as dsn, psycopg.connect(dsn) as connection:
            assert ask(connection, "SELECT current_user || '@' || current_database()") == "campone@campone"
            assert ask(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
            assert ask(connection, "SELECT upper('crème')") == "CRÈME"
            assert ask(connection, "SHOW listen_addresses") == ""

    @pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
    def test_waits_for_the_disk_only_when_asked_to(self, durable: bool, expected: str) -> None:
        with cluster.throwaway_cluster(durable=durable) as dsn, psycopg.connect(dsn) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert ask(connection, f"SHOW {setting}") == expected

    def test_is_gone_after_an_exception(self) -> None:
        with pytest.raises(ZeroDivisionError), cluster.throwaway_cluster(durable=False) as dsn:
            raise ZeroDivisionError

        assert not folder_of(dsn).exists()

    def test_goes_even_with_a_connection_open(self) -> None:
        with cluster.throwaway_cluster(durable=False) as dsn:
            connection = psycopg.connect(dsn)
            connection.execute("BEGIN")

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
        assert not folder_of(dsn).exists()

    def test_says_in_the_servers_words_why_it_did_not_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        folders: list[Path] = []

        def misspell(self: cluster.Cluster, *, durable: bool) -> list[str]:
            folders.append(self.folder)
            return ["-c", f"no_such_setting={durable}"]

        monkeypatch.setattr(cluster.Cluster, "_settings", misspell)

        with pytest.raises(cluster.ClusterFailed, match="no_such_setting"), cluster.throwaway_cluster():
            pass

        assert not folders[0].exists()


@pytest.mark.postgresql
class TestTheClustersCommand:
    """``python -m tests.cluster``; marked for the same reason."""

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """As from a terminal: whoever was started by ``nohup`` hands on that SIGHUP is not heard."""
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.cluster", "--fast", *command],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_tells_its_command_where_the_database_is(self) -> None:
        with self.start("sh", "-c", "echo $DATABASE_URL") as process:
            assert process.communicate()[0].startswith("postgres://campone@%2Ftmp%2Fpg")

    @pytest.mark.parametrize(("command", "expected"), [("true", 0), ("exit 7", 7), ("kill -9 $$", 137)])
    def test_passes_on_the_exit_status(self, command: str, expected: int) -> None:
        with self.start("sh", "-c", command) as process:
            assert process.wait(60) == expected

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_takes_the_server_along_when_told_to_end(self, number: signal.Signals) -> None:
        with self.start("sh", "-c", "echo $DATABASE_URL; exec sleep 60") as process:
            assert process.stdout
            dsn = process.stdout.readline().strip()
            process.send_signal(number)
            assert process.wait(60) == 128 + number

        assert not folder_of(dsn).exists()


def folder_of(dsn: str) -> Path:
    """The server's folder, which its DSN names as host."""
    return Path(unquote(dsn.partition("@")[2].rpartition("/")[0]))


def ask(connection: "psycopg.Connection[tuple[Any, ...]]", question: str) -> Any:
    """The single value that a query answers."""
    row = connection.execute(question.encode()).fetchone()
    assert row
    return row[0]


class TestTheContainer:
    @pytest.fixture
    def compose(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        return loaded

    @pytest.mark.parametrize("package", PACKAGES)
    def test_image_holds_every_package(self, package: str) -> None:
        assert f"COPY {package} {package}/\n" in (ROOT / "Dockerfile").read_text()
        assert f"\n!{package}\n" in (ROOT / ".dockerignore").read_text()

    def test_image_does_not_run_as_root(self) -> None:
        users = re.findall(r"^USER (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

        assert users == ["10001"]

    def test_image_installs_with_hashes(self) -> None:
        assert "--require-hashes --requirement requirements/runtime.lock" in (ROOT / "Dockerfile").read_text()

    def test_no_secret_has_a_default(self) -> None:
        """``${NAME:?why}`` stops the start; ``${NAME:-value}`` would be the same secret everywhere."""
        file = (ROOT / "docker-compose.yml").read_text()

        defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", file))
        assert not {name: value for name, value in defaults.items() if "SECRET" in name or "PASSWORD" in name if value}
        assert {"SECRET_KEY", "POSTGRES_PASSWORD", "APP_PASSWORD"} <= set(re.findall(r"\$\{(\w+):\?", file))

    def test_web_waits_for_the_database_and_its_migrations(self, compose: dict[str, Any]) -> None:
        assert compose["services"]["web"]["depends_on"] == {
            "database": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }

    def test_nothing_is_open_but_the_proxy(self, compose: dict[str, Any]) -> None:
        assert [name for name, service in compose["services"].items() if service.get("ports")] == ["proxy"]

    def test_nothing_but_the_database_can_write_where_it_lasts(self, compose: dict[str, Any]) -> None:
        services = compose["services"]

        assert [name for name, service in services.items() if not service.get("read_only")] == ["database"]
        assert [
            volume
            for service in services.values()
            for volume in service.get("volumes", [])
            if not volume.endswith(":ro")
        ] == ["database:/var/lib/postgresql/data"]

    def test_the_service_can_gain_no_right(self, compose: dict[str, Any]) -> None:
        for name in ("web", "scheduler", "migrate"):
            assert compose["services"][name]["cap_drop"] == ["ALL"]
            assert compose["services"][name]["security_opt"] == ["no-new-privileges:true"]

    def test_the_proxy_is_told_all_that_its_configuration_asks_for(self, compose: dict[str, Any]) -> None:
        asked = set(re.findall(r"\$\{(\w+)\}", (ROOT / "deploy" / "nginx" / "bridge.conf.template").read_text()))

        assert set(compose["services"]["proxy"]["environment"]) == asked

    def test_tells_web_what_the_service_needs(self, compose: dict[str, Any]) -> None:
        assert set(dev.PRODUCTION) - {"DEVELOPMENT"} | {"SECRET_KEY"} <= set(compose["services"]["web"]["environment"])


class TestTheRunBeforeAChangeIsTaken:
    SCRIPT = ROOT / ".ci" / "run"

    def test_can_be_started(self) -> None:
        assert os.access(self.SCRIPT, os.X_OK)
        subprocess.run(["bash", "-n", str(self.SCRIPT)], check=True)

    def test_goes_through_every_door_that_checks_more_than_times(self) -> None:
        (line,) = [each for each in self.SCRIPT.read_text().splitlines() if each.startswith("for call in ")]
        named = {call.split()[0] for call in shlex.split(line.removeprefix("for call in ").removesuffix("; do"))}

        assert named == set(dev.CALLS) - {"run", "manage", "bench", "upgrade", "lock"}
