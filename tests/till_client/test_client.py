"""The calls of the bridge, and what the wire does with an answer that is none."""

from __future__ import annotations

import ipaddress
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.till_client.fake import TOKEN, FakeBridge
from tests.till_client.sales import croissants, refused
from till_client import (
    Conflict,
    KeyRefused,
    Misconfigured,
    NoAnswer,
    NotOffered,
    Result,
    SaleRefused,
    TillClient,
    Token,
    TryLater,
    Unproven,
)
from till_client.access import address_from, token_from
from till_client.answers import error_from, results_from, retry_after
from till_client.wire import LARGEST_ANSWER, Answer


class TestAPost:
    def test_is_acknowledged_by_the_sales_own_reference(self, client: TillClient) -> None:
        first, again = client.post(croissants(1)), client.post(croissants(1))

        assert (first.external_ref, first.created, first.business_date) == ("kiosk-1", True, "2026-04-29")
        assert (again.transaction_id, again.created) == (first.transaction_id, False)

    @pytest.mark.parametrize("fault", ["portal", "cut", "empty", "swallow", "drop"])
    def test_proves_nothing_without_it(self, client: TillClient, bridge: FakeBridge, fault: str) -> None:
        bridge.faults = [fault, fault]

        with pytest.raises(NoAnswer):
            client.post(croissants(1))

    def test_raises_what_the_bridge_says(self, client: TillClient, bridge: FakeBridge) -> None:
        client.post(croissants(1))
        with pytest.raises(SaleRefused, match="400 total_mismatch"):
            client.post(refused(1))
        with pytest.raises(Conflict, match="409 external_ref_conflict"):
            client.post(refused(2) | {"external_ref": "kiosk-1", "total_amount": "7.00", "items": [{"line_total": 7}]})
        bridge.faults = [(429, "77"), 401, "proxy"]
        with pytest.raises(TryLater) as later:
            client.post(croissants(2))
        assert later.value.retry_after == 77
        with pytest.raises(KeyRefused):
            client.post(croissants(2))
        with pytest.raises(NotOffered):
            client.post(croissants(2))

    def test_of_a_batch_says_what_became_of_each(self, client: TillClient) -> None:
        client.post(croissants(1))

        results = client.post_batch([croissants(1), refused(2), croissants(3)])

        assert [each.result for each in results.values()] == [Result.REPLAYED, Result.INVALID, Result.CREATED]
        assert results["bad-2"].receipt is None

    def test_on_a_connection_that_was_closed_meanwhile_is_made_again(
        self, client: TillClient, bridge: FakeBridge
    ) -> None:
        client.ping()
        bridge.faults = ["drop"]

        assert client.post(croissants(1)).created


class TestAnAnswerToABatch:
    def test_acknowledges_no_sale_that_it_does_not_prove(self) -> None:
        body = b"""{"results": [
            {"external_ref": "a", "result": "created", "status": 201, "body": {"id": "1", "external_ref": "b"}},
            {"external_ref": "b", "result": "created", "status": 201},
            {"external_ref": "c", "result": "failed", "status": 500, "body": {"retryable": true}},
            {"external_ref": "d", "result": "invalid", "status": 400, "body": {"code": "x", "retryable": true}},
            {"external_ref": null, "result": "invalid", "status": 400, "body": {"code": "x", "retryable": false}},
            "croissant", 7
        ]}"""

        results = results_from(Answer(200, {}, body), references=["a", "b", "c", "d", "e"])

        assert [each.receipt for each in results.values()] == [None] * 5
        assert [each.result for each in results.values()] == [Result.UNKNOWN] * 4 + [Result.INVALID]

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"results": {}}', b'{"results": null}', b"[" * 99_999])
    def test_that_is_none_is_unproven(self, body: bytes) -> None:
        with pytest.raises(Unproven):
            results_from(Answer(200, {}, body), references=["a"])


class TestARefusal:
    @pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 301, 302, 418])
    def test_in_somebody_elses_words_is_unproven(self, status: int) -> None:
        assert type(error_from(Answer(status, {}, b"<h1>Blocked by Example Wi-Fi</h1>"))) is Unproven

    def test_is_told_without_control_characters_and_in_short(self) -> None:
        body = b'{"code": "validation_error", "errors": [{"field": "a", "message": "\\u001b[31m' + b"x" * 999 + b'"}]}'

        said = str(error_from(Answer(400, {}, body)))

        assert said.isprintable()
        assert len(said) == 300


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("text", "date", "seconds"),
        [
            ("30", "", 30),
            ("999999999999", "", 3600),
            ("Wed, 29 Apr 2026 10:01:00 GMT", "Wed, 29 Apr 2026 10:00:00 GMT", 60),
            ("Wed, 29 Apr 2026 09:01:00 GMT", "Wed, 29 Apr 2026 10:00:00 GMT", 0),
            ("Wed, 29 Apr 2026 10:01:00 GMT", "", 0),
            ("soon", "", 0),
            ("-5", "", 0),
            ("٣", "", 0),
            ("", "", 0),
        ],
    )
    def test_is_read_within_reason(self, text: str, date: str, seconds: float) -> None:
        assert retry_after(Answer(503, {"retry-after": text, "date": date}, b"")) == seconds


class TestReading:
    def test_back_tells_what_has_arrived_from_what_has_not(self, client: TillClient, bridge: FakeBridge) -> None:
        client.post(croissants(1, external_ref="shop/1 ä+%"))

        assert (client.read_back("shop/1 ä+%") or {})["total_amount"] == "3.55"
        assert client.read_back("kiosk-1") is None
        bridge.faults = ["proxy"]
        with pytest.raises(NotOffered):
            client.read_back("kiosk-1")

    def test_products_asks_for_no_page_again_that_has_not_changed(self, client: TillClient, bridge: FakeBridge) -> None:
        first = client.products()
        bridge.products[1] = {"sku": "GAS", "name": "Gas 11 kg"}

        second = client.products()

        assert [each["name"] for each in first] == ["Croissant", "Gas"]
        assert [each["name"] for each in second] == ["Croissant", "Gas 11 kg"]
        assert bridge.calls[:2] == ["GET products/?page_size=200", "GET products/?page=2"]

    def test_pings(self, client: TillClient) -> None:
        assert client.ping()["tenant"]["slug"] == "seeblick"


class TestTheToken:
    def test_shows_no_more_than_its_prefix(self, client: TillClient) -> None:
        shown = repr([Token(TOKEN), client, client._wire, vars(client), vars(client._wire)])

        assert "Token(ck_K10skaaa…)" in shown
        assert TOKEN not in shown

    def test_is_not_pickled(self) -> None:
        with pytest.raises(TypeError):
            pickle.dumps(Token(TOKEN))

    @pytest.mark.parametrize("raw", ["", "ck_short", TOKEN + "\r\nX-Evil: 1", TOKEN + "ä"])
    def test_that_is_none_is_refused_and_not_repeated(self, raw: str) -> None:
        with pytest.raises(Misconfigured) as refused:
            Token(raw)

        assert not raw or raw not in str(refused.value)

    def test_comes_from_the_environment_or_a_file(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.mktemp("key") / "token"
        path.write_text(TOKEN + "\n")

        assert repr(token_from({"TILL_TOKEN": TOKEN})) == repr(token_from({"TILL_TOKEN_FILE": str(path)}))
        for wrong in ({}, {"TILL_TOKEN": TOKEN, "TILL_TOKEN_FILE": str(path)}, {"TILL_TOKEN_FILE": "/nowhere"}):
            with pytest.raises(Misconfigured):
                token_from(wrong)


class TestAnAddress:
    @pytest.mark.parametrize("tail", ["", "/", "/api/v1/public/pos", "/api/v1/public/pos/transactions/"])
    def test_may_be_any_that_the_settings_card_shows(self, tail: str) -> None:
        address = address_from(f"https://api.campone.example{tail}")

        assert str(address) == "https://api.campone.example/api/v1/public/pos/"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "api.campone.example",
            "ftp://api.campone.example",
            "http://api.campone.example",
            "https://user:secret@api.campone.example",
            "https://api.campone.example/?a=1",
            "https://api.campone.example:99999",
            "https://[",
        ],
    )
    def test_is_refused_that_is_none_or_shows_the_token_on_the_way(self, url: str) -> None:
        with pytest.raises(Misconfigured):
            address_from(url)

    def test_may_do_without_tls_where_somebody_vouches_for_the_way(self) -> None:
        assert not address_from("http://bridge.internal.example", allow_http=True).secure


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bridge")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    builder = builder.not_valid_before(begins).not_valid_after(begins.replace(year=2099))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    paths = folder / "bridge.crt", folder / "bridge.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@contextmanager
def socket_that_says(*pieces: bytes, pause: float = 0, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """An address where everybody who asks hears these bytes, one after the other, and then nothing."""
    listener = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        while True:
            try:
                asking, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), tls.wrap_socket(asking, server_side=True) if tls else asking as speaking:
                speaking.recv(65536)
                for piece in pieces:
                    time.sleep(pause)
                    speaking.sendall(piece)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


class TestTheWire:
    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"HTTP/1.1 201 Created\r\n",
            b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n{}",
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 999 + b"\r\n",
        ],
    )
    def test_hears_no_answer_in_half_of_one(self, answer: bytes) -> None:
        with socket_that_says(answer) as url, TillClient(url, TOKEN, timeout=5) as client, pytest.raises(NoAnswer):
            client.ping()

    def test_waits_for_no_answer_that_comes_drop_by_drop(self) -> None:
        drops = [b"HTTP/1.1 200 OK\r\n", *[b"X-Drop: 1\r\n"] * 50]
        began = time.monotonic()

        with (
            socket_that_says(*drops, pause=0.1) as url,
            TillClient(url, TOKEN, timeout=0.5) as client,
            pytest.raises(NoAnswer, match="TimeoutError"),
        ):
            client.ping()

        assert time.monotonic() - began < 8

    def test_keeps_no_answer_without_end(self) -> None:
        endless = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 1024 * 1024] * (LARGEST_ANSWER // 1024 // 1024 + 2)]

        with (
            socket_that_says(*endless) as url,
            TillClient(url, TOKEN, timeout=10) as client,
            pytest.raises(NoAnswer),
        ):
            client.ping()

    def test_follows_no_redirect_with_the_token(self) -> None:
        moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"

        with socket_that_says(moved) as url, TillClient(url, TOKEN, timeout=5) as client, pytest.raises(Unproven):
            client.ping()

    def test_tells_nothing_to_whom_it_cannot_verify(self, tmp_path: Path) -> None:
        certificate, key = self_signed(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with socket_that_says(ANSWER, tls=context) as url:
            with TillClient(url.replace("http:", "https:"), TOKEN) as stranger, pytest.raises(NoAnswer) as refused:
                stranger.ping()
            assert "certificate verify failed" in str(refused.value)

            trusting = ssl.create_default_context(cafile=certificate)
            with TillClient(url.replace("http:", "https:"), TOKEN, tls=trusting) as client:
                assert client.ping() == {}

    def test_says_nothing_of_itself_to_whom_does_not_speak_tls(self) -> None:
        heard = []
        listener = socket.create_server(("127.0.0.1", 0))

        def listen() -> None:
            asking, _ = listener.accept()
            with asking:
                heard.append(asking.recv(65536))

        thread = threading.Thread(target=listen)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with listener, TillClient(url, TOKEN, timeout=5) as client, pytest.raises(NoAnswer):
            client.ping()
        thread.join()

        assert b"ck_" not in heard[0]
