"""The way in on the wire: past what only pages need, chunked bodies included."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.connections import address_of
from adapters.handler import VendorDoor
from adapters.models import Connection
from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.handler import TillHandler
from pos_bridge.wire import MOST_BYTES
from tests.adapters.vendors_tills import fondue

# The handler gives connections back at the end of a call, as it does on a server.
pytestmark = pytest.mark.django_db(transaction=True)


def answer_to(path: str, body: bytes, **environ: str) -> str:
    """The status of a call to the service as a server makes it; ``elsewhere`` where others would answer."""
    heard: list[str] = []

    def others(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("elsewhere", [])
        return []

    door = VendorDoor(vendors=TillHandler(), others=others)
    call = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "api.campone.example",
        "SERVER_PORT": "443",
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "https",
        **environ,
    }
    list(door(call, lambda status, headers: heard.append(status)))
    return heard[0]


@pytest.fixture
def path(restaurant: Connection) -> str:
    return urlsplit(address_of(restaurant) or "").path + "/charge"


class TestAVendorsCall:
    def test_in_chunks_is_read_whole(self, path: str, key: Minted) -> None:
        body = json.dumps({**fondue(), "apiKey": key.token}).encode()

        assert answer_to(path, body, HTTP_TRANSFER_ENCODING="chunked") == "200 OK"
        assert Transaction.objects.count() == 1

    def test_in_chunks_without_end_is_refused(self, path: str) -> None:
        body = b" " * (MOST_BYTES + 10)

        assert answer_to(path, body, HTTP_TRANSFER_ENCODING="chunked").startswith("413")

    def test_with_its_length_is_read_whole(self, path: str, key: Minted) -> None:
        body = json.dumps({**fondue(), "apiKey": key.token}).encode()

        assert answer_to(path, body, CONTENT_LENGTH=str(len(body)), HTTP_COOKIE="language=fr") == "200 OK"

    @pytest.mark.parametrize("elsewhere", ["/", "/api/v1/public/pos/transactions/", "/api/v1/adapters", "/kasse"])
    def test_elsewhere_is_none(self, elsewhere: str) -> None:
        assert answer_to(elsewhere, b"") == "elsewhere"
