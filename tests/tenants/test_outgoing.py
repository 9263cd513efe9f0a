"""Calls to other machines: where they may go, what they believe, how long they wait."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from tenants import outgoing
from tenants.outgoing import AnswerLost, BadAddress, NotSent, Outgoing, require_callable

INSIDE = [
    "https://127.0.0.1/",
    "https://127.8.9.10:8443/b1s/v1",
    "https://localhost/",
    "https://sap.localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://0.0.0.0/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/",
    "https://224.0.0.1/",
]


class Answers(BaseHTTPRequestHandler):
    """Answers as its path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/nothing":
            self.close_connection = True
            return
        if self.path == "/slow":
            threading.Event().wait(3)
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "/there")
        body = b"x" * (outgoing.LARGEST_ANSWER + 1 if self.path == "/endless" else 2)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a server on the loopback; its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(wrap: Callable[[socket.socket], socket.socket] | None = None) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if wrap:
            server.socket = wrap(server.socket)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"{'https' if wrap else 'http'}://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def here(settings: Settings) -> None:
    """Calls may lead to this machine."""
    settings.ALLOW_LOOPBACK_CALLS = True


def call(url: str) -> outgoing.Answer:
    with Outgoing() as out:
        return out.call("GET", url)


class TestAnAddress:
    @pytest.mark.parametrize("url", INSIDE)
    def test_of_this_machine_is_not_called(self, url: str) -> None:
        with pytest.raises(BadAddress):
            require_callable(url)
        with pytest.raises(NotSent):
            call(url)

    @pytest.mark.parametrize(
        "url", ["http://sap.example/", "ftp://sap.example/", "sap.example", "", "https://", "https://a:b@sap.example/"]
    )
    def test_that_is_none_is_not_called(self, url: str) -> None:
        with pytest.raises(BadAddress):
            require_callable(url)

    @pytest.mark.parametrize("url", ["https://sap.example:50000/b1s/v1/", "https://10.0.0.7/", "https://192.168.1.4/"])
    def test_in_the_house_or_outside_is_called(self, url: str) -> None:
        require_callable(url)

    def test_whose_name_leads_here_is_not_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever owns a name may let it point anywhere, also between a check and a call."""
        inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)

        with pytest.raises(NotSent):
            call("https://sap.example/")

    def test_whose_name_nobody_knows_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        with pytest.raises(NotSent):
            call("https://sap.example/")


@pytest.mark.usefixtures("here")
class TestACall:
    def test_gives_back_the_answer_whatever_its_status(self, serve: Callable[..., str]) -> None:
        assert call(serve() + "/").body == b"xx"

    def test_follows_no_redirect(self, serve: Callable[..., str]) -> None:
        assert call(serve() + "/elsewhere").status == 302

    def test_that_reached_nobody_was_not_sent(self) -> None:
        with pytest.raises(NotSent):
            call("http://127.0.0.1:1/")

    @pytest.mark.parametrize("path", ["/nothing", "/slow", "/endless"])
    def test_whose_answer_does_not_come_whole_is_lost(
        self, serve: Callable[..., str], path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outgoing, "ANSWER_SECONDS", 0.2 if path == "/slow" else 10)

        with pytest.raises(AnswerLost):
            call(serve() + path)

    def test_ignores_proxies_of_the_environment(
        self, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

        assert call(serve() + "/").status == 200

    def test_believes_no_certificate_that_nobody_vouches_for(self, serve: Callable[..., str], tmp_path: Path) -> None:
        with pytest.raises(NotSent):
            call(serve(self_signed(tmp_path)) + "/")


def self_signed(folder: Path) -> Callable[[socket.socket], socket.socket]:
    """TLS with a certificate for 127.0.0.1 that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*kind) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return lambda listening: context.wrap_socket(listening, server_side=True)
