"""What only a real server shows: sockets, bodies in parts, connections that live on, and the end of a process."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.models import InboundCall
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.server.calls import Conversation, WireTill
from tests.server.fixtures import wait_for_calls
from tests.server.holding import writers_waiting
from tests.server.process import Server, running_server
from tests.till import croissants_and_coffee

JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture
def till(server: Server, key: Minted, waldrand: Tenant) -> WireTill:
    """Seeblick's till on the wire; the neighbour is in the room."""
    return WireTill(server.port, key.token)


def sale(number: int = 1) -> bytes:
    """A sale as bytes."""
    return json.dumps(croissants_and_coffee(external_ref=f"T-{number}")).encode()


def in_chunks(body: bytes, *, size: int = 100) -> bytes:
    """A body in the chunked transfer coding, its end included."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class TestABody:
    def test_in_chunks_is_read_whole(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, CHUNKED) + in_chunks(sale()))
            talk.listen(until=b'"metadata"')

        assert talk.statuses == [201]
        assert Transaction.objects.get().items.count() == 2

    def test_in_chunks_that_come_one_by_one_is_read_whole(self, till: WireTill) -> None:
        chunks = in_chunks(sale(), size=150)
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, CHUNKED))
            for start in range(0, len(chunks), 40):
                talk.send(chunks[start : start + 40])
                time.sleep(0.01)
            talk.listen(until=b'"metadata"')

        assert talk.statuses == [201]

    def test_in_chunks_and_too_large_is_413(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(
                till.head("POST", "/transactions/", JSON, CHUNKED) + in_chunks(b" " * (MOST_BYTES + 1), size=65536)
            )
            talk.listen(until=b"payload_too_large")

        assert talk.statuses == [413]
        assert Transaction.objects.count() == 0

    def test_of_exactly_the_bound_is_taken(self, till: WireTill) -> None:
        body = sale() + b" " * (MOST_BYTES - len(sale()))

        answer = till.call("POST", "/transactions/", body=body, headers={"Content-Type": "application/json"})

        assert answer.status == 201

    def test_a_little_too_large_is_413_for_an_ordinary_client(self, till: WireTill) -> None:
        body = sale() + b" " * MOST_BYTES

        answer = till.call("POST", "/transactions/", body=body, headers={"Content-Type": "application/json"})

        assert (answer.status, answer.body["code"]) == (413, "payload_too_large")

    def test_of_twelve_megabytes_is_413_before_it_is_read(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, "Content-Length: 12000000") + b" " * 65536)
            talk.listen()

        assert talk.statuses == [413]
        assert b"payload_too_large" in talk.heard
        assert talk.closed_by_server
        assert InboundCall.objects.get().request_bytes == 12_000_000

    def test_that_a_client_announces_is_asked_for(self, till: WireTill) -> None:
        head = till.head("POST", "/transactions/", JSON, "Expect: 100-continue", f"Content-Length: {len(sale())}")
        with Conversation(till.port) as talk:
            talk.send(head)
            talk.listen(until=b"\r\n\r\n")
            talk.send(sale())
            talk.listen(until=b'"metadata"')

        assert talk.statuses == [100, 201]

    def test_that_breaks_off_records_nothing(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, f"Content-Length: {len(sale())}") + sale()[:-20])
        wait_for_calls(1)

        assert InboundCall.objects.get().status == 400
        assert till.read_back("T-1").status == 404
        assert till.post(croissants_and_coffee(external_ref="T-1")).status == 201


class TestAPath:
    @pytest.mark.parametrize("path", ["/transactions", "/transactions/"])
    def test_takes_a_post_with_and_without_its_final_slash(self, till: WireTill, path: str) -> None:
        answer = till.call("POST", path, body=sale(), headers={"Content-Type": "application/json"})

        assert answer.status == 201

    @pytest.mark.parametrize(
        "reference",
        [
            "a/b",
            "a//b",
            "a%2Fb",
            "a%b",
            "kiosk 7/2026",
            "1+1=2",
            "a?b#c",
            "T;1",
            "https://till.example/7",
            "Bäckerei/Ü",
            "🥐/1",
        ],
    )
    def test_carries_any_reference_there_and_back(self, till: WireTill, reference: str) -> None:
        posted = till.post(croissants_and_coffee(external_ref=reference))

        read = till.read_back(reference)

        assert (posted.status, read.status) == (201, 200)
        assert read.body == posted.body
        assert read.body["external_ref"] == reference

    def test_is_decoded_once(self, till: WireTill) -> None:
        till.post(croissants_and_coffee(external_ref="a/b"))

        assert till.get("/transactions/a%2Fb/").status == 200
        assert till.get("/transactions/a%252Fb/").status == 404

    def test_in_capitals_of_another_encoding_is_404_in_json(self, till: WireTill) -> None:
        answer = till.get("/transactions/%ff%fe/")

        assert (answer.status, answer.body["code"]) == (404, "not_found")


class TestAConnection:
    def test_serves_many_calls(self, till: WireTill) -> None:
        shared = till.connect()

        answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}"), on=shared) for number in range(20)]
        shared.close()

        assert {answer.status for answer in answers} == {201}
        assert all("connection" not in answer.headers for answer in answers)

    def test_survives_a_refusal(self, till: WireTill) -> None:
        shared = till.connect()

        statuses = [
            till.call(
                "POST", "/transactions/", body=b"{", headers={"Content-Type": "application/json"}, on=shared
            ).status,
            till.call("DELETE", "/transactions/", on=shared).status,
            till.get("/ping/", on=shared).status,
        ]
        shared.close()

        assert statuses == [400, 405, 200]

    def test_answers_calls_sent_at_once_in_their_order(self, till: WireTill) -> None:
        posting = till.head("POST", "/transactions/", JSON, f"Content-Length: {len(sale())}") + sale()
        with Conversation(till.port) as talk:
            talk.send(posting + posting + till.head("GET", "/ping/", "Connection: close"))
            talk.listen()

        assert talk.statuses == [201, 200, 200]

    def test_gives_head_no_body(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("HEAD", "/ping/", "Connection: close"))
            talk.listen()

        assert talk.statuses == [200]
        assert talk.heard.endswith(b"\r\n\r\n")

    def test_with_half_a_body_holds_nobody_up(self, till: WireTill) -> None:
        with Conversation(till.port) as slow:
            slow.send(till.head("POST", "/transactions/", JSON, f"Content-Length: {len(sale(99))}") + sale(99)[:50])
            time.sleep(0.2)
            answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(8)]
            slow.send(sale(99)[50:])
            slow.listen(until=b'"metadata"')

        assert {answer.status for answer in answers} == {201}
        assert slow.statuses == [201]

    def test_with_half_a_body_holds_nobody_up_even_if_there_are_twenty(self, till: WireTill) -> None:
        with ExitStack() as open_ones:
            for _ in range(20):
                talk = open_ones.enter_context(Conversation(till.port))
                talk.send(till.head("POST", "/transactions/", JSON, "Content-Length: 300") + b"{")
            time.sleep(0.2)
            began = time.monotonic()
            answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(8)]
            took = time.monotonic() - began
        wait_for_calls(8 + 20)

        assert {answer.status for answer in answers} == {201}
        assert took < 5

    def test_with_half_a_head_holds_nobody_up(self, till: WireTill) -> None:
        with ExitStack() as open_ones:
            for _ in range(40):
                talk = open_ones.enter_context(Conversation(till.port))
                talk.send(till.head("POST", "/transactions/", JSON)[:-20])
            answer = till.post(croissants_and_coffee())

        assert answer.status == 201


class TestARequestThatTwoServersCouldReadDifferently:
    """Smuggling: what stands behind such a request on its connection must never be answered as a request."""

    @pytest.mark.parametrize(
        "lines",
        [
            ("Content-Length: 5", "Content-Length: 6"),
            ("Content-Length: 5, 6",),
            ("Content-Length: +5",),
            ("Content-Length: -5",),
            ("Content-Length: 0x5",),
            ("Content-Length: 5 5",),
            ("Content-Length: 99999999999999999999999",),
            ("Content-Length : 5",),
            ("Transfer-Encoding : chunked",),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding: identity", "Content-Length: 5"),
            ("Transfer-Encoding: chunked, identity",),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
            ("Transfer-Encoding:", " chunked"),
            ("Content-Length: 5", "X-Till: one", " two"),
            ("Content-Length: 5", "X-Till: a\rb"),
            ("Content-Length: 5", "X-Till: a\0b"),
        ],
        ids=repr,
    )
    def test_is_400_and_the_connection_closes(self, till: WireTill, lines: tuple[str, ...]) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, *lines) + b"hello" + till.head("GET", "/ping/"))
            talk.listen()

        assert talk.statuses == [400]
        assert talk.closed_by_server

    def test_in_chunks_under_http_1_0_is_400_and_the_connection_closes(self, till: WireTill) -> None:
        head = till.head("POST", "/transactions/", JSON, CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0")
        with Conversation(till.port) as talk:
            talk.send(head + in_chunks(sale()) + till.head("GET", "/ping/"))
            talk.listen()

        assert talk.statuses == [400]
        assert talk.closed_by_server

    @pytest.mark.parametrize("order", [("Content-Length: 4", CHUNKED), (CHUNKED, "Content-Length: 4")], ids=repr)
    def test_with_both_lengths_is_read_in_chunks_and_the_connection_closes(
        self, till: WireTill, order: tuple[str, str]
    ) -> None:
        """RFC 9112, section 6.1: the transfer coding counts, and nothing that follows is a request."""
        with Conversation(till.port) as talk:
            talk.send(
                till.head("POST", "/transactions/", JSON, *order) + in_chunks(sale()) + till.head("GET", "/ping/")
            )
            talk.listen()

        assert talk.statuses == [201]
        assert talk.closed_by_server

    def test_with_a_second_key_is_401(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("GET", "/ping/", "Authorization: Bearer nobody", "Connection: close"))
            talk.listen()

        assert talk.statuses == [401]

    def test_with_a_second_host_is_400_in_json(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("GET", "/ping/", "Host: waldrand.campone.example", "Connection: close"))
            talk.listen()

        assert talk.statuses == [400]
        assert b'"bad_request"' in talk.heard

    def test_in_a_coding_of_its_own_is_415(self, till: WireTill) -> None:
        with Conversation(till.port) as talk:
            talk.send(till.head("POST", "/transactions/", JSON, "Transfer-Encoding: gzip, chunked") + in_chunks(sale()))
            talk.listen(until=b"}")

        assert talk.statuses == [415]
        assert Transaction.objects.count() == 0


class TestStopping:
    def test_answers_every_call_in_flight(self, tmp_path: Path, transactional_db: None, key: Minted) -> None:
        sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(8)]
        with running_server(tmp_path) as server, ThreadPoolExecutor(len(sales)) as tills:
            till = WireTill(server.port, key.token)
            assert till.get("/ping/").status == 200
            with writers_waiting():
                in_flight = [tills.submit(till.post, sale) for sale in sales]
                time.sleep(0.7)
                server.ask_to_stop()
                time.sleep(0.3)
                assert not any(call.done() for call in in_flight)
            answers = [call.result() for call in in_flight]
            status = server.wait_until_stopped()

        assert [answer.status for answer in answers] == [201] * len(sales)
        assert Transaction.objects.count() == len(sales)
        assert status == 0
