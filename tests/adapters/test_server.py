"""A vendor's calls to the server as operators run it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from adapters.connections import address_of
from adapters.models import Connection
from apikeys.minting import Minted
from kasse.models import Transaction
from tests.adapters.vendors_tills import fondue
from tests.server.fixtures import server, server_of_this_run
from tests.server.process import Server
from tests.till import HOST

__all__ = ["server", "server_of_this_run"]

pytestmark = pytest.mark.django_db(transaction=True)


def call(server: Server, method: str, path: str, body: bytes | Iterator[bytes] | None = None) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer; a body in parts goes out in chunks."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Host": HOST, "Content-Type": "application/json", "Accept-Language": "fr", "Cookie": "csrf=x"}
    try:
        line.request(method, path, body, headers, encode_chunked=not isinstance(body, bytes | None))
        answer = line.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        line.close()


class TestTheServer:
    def test_takes_a_bill_whole_and_in_chunks(self, server: Server, restaurant: Connection, key: Minted) -> None:
        path = urlsplit(address_of(restaurant) or "").path
        bills = [json.dumps({**fondue(fiscId=f"A1.{number}"), "apiKey": key.token}).encode() for number in range(2)]

        whole = call(server, "POST", f"{path}/charge", bills[0])
        parts = call(server, "POST", f"{path}/charge", iter([bills[1][:100], bills[1][100:]]))

        assert whole == parts == (200, "application/json", b'{"success":true}')
        assert Transaction.objects.count() == 2

    def test_answers_every_mistake_in_the_shape_of_the_till(self, server: Server, restaurant: Connection) -> None:
        path = urlsplit(address_of(restaurant) or "").path
        mistakes = {
            401: call(server, "POST", f"{path}/charge", b"{}"),
            405: call(server, "PUT", f"{path}/charge", b"{}"),
            404: call(server, "POST", "/api/v1/adapters/lightspeed/nobodys/charge", b"{}"),
            400: call(server, "POST", f"{path}/charge", b"{"),
            413: call(server, "POST", f"{path}/charge", b" " * 300_000),
        }

        for status, answer in mistakes.items():
            assert answer[:2] == (status, "application/json")
            assert list(json.loads(answer[2])) == ["customerErrorMessage"]

    def test_writes_neither_key_nor_address_into_its_log(
        self, server: Server, restaurant: Connection, key: Minted
    ) -> None:
        path = urlsplit(address_of(restaurant) or "").path
        call(server, "GET", f"{path}/search?apiKey={key.token}&term=x")
        call(server, "POST", f"{path}/charge", b"{")
        call(server, "POST", f"{path}/nothing?apiKey={key.token}", b"{}")

        assert key.token not in server.log
        assert path.rpartition("/")[2] not in server.log
