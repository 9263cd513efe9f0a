"""What a caller may write into the activity log: prefix, path, request id and address, escaped and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from apikeys.minting import Minted
from pos_bridge.models import InboundCall
from tests.till import Till, body_of


class TestAPrefix:
    @pytest.mark.parametrize(
        "header",
        [
            "Bearer ck_short",
            "Bearer password-of-a-person",
            "ck_" + "a" * 33,
            "Basic YWRtaW46YWRtaW4=",
            "Bearer ck_" + "é" * 32,
        ],
    )
    def test_is_kept_only_of_what_has_a_tokens_shape(self, db: None, header: str) -> None:
        Till(None).get("/ping/", authorization=header.encode().decode("latin-1"))

        assert InboundCall.objects.get().key_prefix == ""

    def test_is_kept_of_a_token_that_nobody_holds(self, db: None) -> None:
        Till("ck_" + "a" * 32).get("/ping/")

        assert InboundCall.objects.get().key_prefix == "ck_aaaaaaaa"


class TestAPath:
    def test_is_escaped(self, till: Till) -> None:
        till.get("/transactions/a%0d%0aForged%1b[31m%E2%80%AE%00/")

        path = InboundCall.objects.get().path
        assert path == r"/api/v1/public/pos/transactions/a\r\nForged\x1b[31m\u202e\x00/"

    def test_is_cut(self, till: Till) -> None:
        till.get("/" + "a" * 5000)
        till.get("/" + "%00" * 5000)

        for path in InboundCall.objects.values_list("path", flat=True):
            assert len(path) == 500
            assert path.startswith("/api/v1/public/pos/")

    @pytest.mark.parametrize("path", ["/{}/", "/transactions/{}/", "/transactions/x{}x", "/{}{}"])
    def test_hides_a_token(self, till: Till, key: Minted, path: str) -> None:
        till.get(path.format(key.token, key.token))

        row = InboundCall.objects.get()
        assert key.token not in row.path + row.external_ref
        assert f"{key.key.prefix}…" in row.path

    def test_leaves_the_query_out(self, till: Till) -> None:
        till.get("/transactions/?access_token=abc")

        assert InboundCall.objects.get().path == "/api/v1/public/pos/transactions/"

    def test_is_kept_with_the_method_escaped_and_cut(self, till: Till) -> None:
        till.call("M" * 40, "/ping/")

        assert InboundCall.objects.get().method == "M" * 16


class TestARequestId:
    @pytest.mark.parametrize("sent", ["till-7", "a" * 64, "9f.8:7_6-5"])
    def test_of_the_till_is_taken_over(self, till: Till, sent: str) -> None:
        answer = till.get("/ping/", x_request_id=sent)

        assert answer["X-Request-Id"] == InboundCall.objects.get().request_id == sent

    @pytest.mark.parametrize("sent", ["", "a" * 65, "-a", "a b", "a\x1bb", "ü", "<b>", "a,b"])
    def test_that_is_not_well_formed_is_replaced(self, till: Till, sent: str) -> None:
        answer = till.get("/ping/", x_request_id=sent)

        assert answer["X-Request-Id"] == InboundCall.objects.get().request_id != sent

    def test_stands_in_the_body_of_a_refusal(self, till: Till) -> None:
        answer = till.get("/nothing/", x_request_id="till-7")

        assert body_of(answer)["request_id"] == "till-7"


class TestAnAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            (0, "", "127.0.0.1"),
            (0, "203.0.113.9", "127.0.0.1"),
            (1, "", "127.0.0.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
            (1, "198.51.100.1,203.0.113.9,", "203.0.113.9"),
            (2, "198.51.100.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
            (2, "192.0.2.1", "127.0.0.1"),
        ],
    )
    def test_is_the_one_that_the_outermost_trusted_proxy_saw(
        self, till: Till, settings: Any, proxies: int, forwarded: str, address: str
    ) -> None:
        settings.PROXY_COUNT = proxies

        till.get("/ping/", **({"x_forwarded_for": forwarded} if forwarded else {}))

        assert InboundCall.objects.get().remote_address == address

    def test_that_is_none_is_cut_and_escaped(self, till: Till, settings: Any) -> None:
        settings.PROXY_COUNT = 1

        till.get("/ping/", x_forwarded_for="\x1b" + "a" * 200)

        assert InboundCall.objects.get().remote_address == (r"\x1b" + "a" * 200)[:64]
