"""The stack of ``docs/how-to/run-behind-nginx.md``, put up as the page says: its SQL, its environment, its commands.

Only what belongs to a whole machine is changed: addresses, ports and folders; nothing is installed, and instead of
systemd the tests themselves start what its units start.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from tests.cluster import throwaway_cluster
from tests.house.documents import ROOT, blocks_of
from tests.server.process import free_port
from tests.server.service import Service

GUIDE = ROOT / "docs" / "how-to" / "run-behind-nginx.md"
UNITS = ROOT / "deploy" / "systemd"
START_SECONDS = 20
WATCHED = {"METRICS_TOKEN": "figures-for-the-operator"}


@dataclass(frozen=True, slots=True)
class Stack:
    """What has been put up; ``dead`` is a proxy of the same configuration before a service that is stopped."""

    environment: Mapping[str, str]
    owner: Mapping[str, str]
    service: Service
    token: str
    plain: int
    tls: int
    dead: int

    def run_unit(self, name: str, *, owner: bool = False) -> str:
        """Do what a unit of systemd does; what it has said."""
        return "".join(run(command, self.owner if owner else self.environment) for command in commands_of(name))


@contextmanager
def stack_of_the_guide(folder: Path) -> Iterator[Stack]:
    """Do what the page says, in its order; everything is stopped on every way out."""
    blocks = {language: texts_of(language) for language in ("sql", "text", "sh")}
    with throwaway_cluster(durable=False) as dsn:
        for statement in statements_of(blocks["sql"][0]):
            ask_postgresql(dsn, statement)
        known, owners = (moved(read_environment(text), dsn) for text in blocks["text"])
        ours = {"SECRET_KEY": "of-this-stack-alone-" * 3, "STATIC_ROOT": str(folder / "static"), **WATCHED}
        environment = {**machine(), **known, **ours}
        owner = {**environment, **owners}
        for command in manage_commands("\n".join(blocks["sh"])):
            run(command, owner)
        for statement in statements_of(blocks["sql"][1]):
            ask_postgresql(dsn, statement)
        mint = "mint_key --tenant seeblick --name Till --scope pos:read --scope pos:write --budget none"
        token = run(mint, environment).strip()
        service = Service(environment, log=folder / "service.log")
        service.start()
        try:
            with proxy(folder / "alive", service.port) as alive, proxy(folder / "dead", free_port()) as dead:
                yield Stack(environment, owner, service, token, *alive, dead[1])
        finally:
            service.stop()


def texts_of(language: str) -> list[str]:
    """The page's blocks in a language, in order."""
    return [block.text for block in blocks_of(GUIDE.read_text()) if block.language == language]


def statements_of(text: str) -> list[str]:
    """The statements of a block of SQL."""
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def manage_commands(text: str) -> list[str]:
    """What is asked of ``manage.py`` in the page's own shell, in order."""
    return re.findall(r"^\.venv/bin/python manage\.py (.+)$", text, re.MULTILINE)


def commands_of(unit: str) -> list[str]:
    """What a unit asks of ``manage.py``."""
    read = ConfigParser(interpolation=None, strict=False)
    text = (UNITS / unit).read_text()
    read.read_string(text)
    assert read["Service"]["User"] == "bridge"
    return re.findall(r"^ExecStart=/srv/bridge/\.venv/bin/python manage\.py (.+)$", text, re.MULTILINE)


def ask_postgresql(dsn: str, statement: str) -> None:
    """As PostgreSQL's administrator."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def read_environment(text: str) -> dict[str, str]:
    """A file of systemd's ``EnvironmentFile``."""
    return dict(line.split("=", 1) for line in text.splitlines())


def moved(environment: dict[str, str], dsn: str) -> dict[str, str]:
    """The same, with the database where this run has it."""
    here = urlsplit(dsn).netloc.partition("@")[2]
    return {name: value.replace("127.0.0.1:5432", here) for name, value in environment.items()}


def machine() -> dict[str, str]:
    """What every process has; nothing of the tests' own settings."""
    account = {"USERNAME": "anna", "EMAIL": "anna@campone.example", "PASSWORD": "a-long-word-for-anna"}
    superuser = {f"DJANGO_SUPERUSER_{name}": value for name, value in account.items()}
    return {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "campone.settings", **superuser}


def run(command: str, environment: Mapping[str, str]) -> str:
    """One of Django's commands, without anybody to answer its questions."""
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
    asks_nothing = ["--no-input"] if words[0] == "createsuperuser" else []
    done = subprocess.run(
        [sys.executable, "manage.py", *words, *asks_nothing],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@contextmanager
def proxy(folder: Path, upstream: int) -> Iterator[tuple[int, int]]:
    """nginx, configured by the page's own command; its ports for plain HTTP and for TLS."""
    plain, tls = free_port(), free_port()
    folder.mkdir()
    certify(folder)
    configure(folder, {"127.0.0.1:8000": f"127.0.0.1:{upstream}", "|80|": f"|{plain}|", "|443|": f"|{tls}|"})
    command = [nginx(), "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    subprocess.run([*command, "-t", "-q"], check=True)
    with (folder / "said").open("wb") as said:
        started = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        wait_for(tls)
        yield plain, tls
    finally:
        started.terminate()
        started.wait()


def configure(folder: Path, changes: Mapping[str, str]) -> None:
    """Fill the template in, and stand in for Debian's ``nginx.conf``."""
    [block] = [text for text in texts_of("sh") if "bridge.conf.template" in text]
    command = block.partition("nginx -t")[0].replace("/etc/bridge/certificates", str(folder))
    for here, there in {**changes, "/etc/nginx/conf.d": str(folder)}.items():
        assert here in command
        command = command.replace(here, there)
    subprocess.run(["sh", "-e", "-c", command], cwd=ROOT, check=True)
    account = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; {account} pid {folder}/pid; error_log stderr; events {{ worker_connections 8192; }}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;\n"
        f"include {folder}/bridge.conf; }}\n"
    )


def nginx() -> str:
    """Debian keeps it where only root looks."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert found, "nginx is not installed: apt-get install nginx-light"
    return found


def certify(folder: Path) -> None:
    """A certificate that nobody trusts, under the names that the page gives."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.campone.example")])
    now: datetime = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)


def wait_for(port: int) -> None:
    """Until somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"Nobody listens on {port}."
            time.sleep(0.05)
        else:
            return
