"""What is sent, and how the load generators' words are read."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from bench import shop
from bench.floor import percentile, read_log, summarize
from bench.load import LoadFailed, forged, get_call, read_output, sale_call

TOKEN = "ck_Se3bL1ck" + "0123456789abcdefghijkl" + "Xy"
AT = datetime(2026, 4, 29, 8, 14, 32, tzinfo=timezone.utc)
TOLD = '{"requests":900,"microseconds":3000000,"refused":100,"broken":2,"p50":5000,"p95":9000,"p99":12500}'


class TestACall:
    def test_crosses_the_wire_whole(self) -> None:
        head, _, body = sale_call(TOKEN, "r1-00-@@@@@@@@", AT).raw().partition(b"\r\n\r\n")

        assert head.startswith(b"POST /api/v1/public/pos/transactions/ HTTP/1.1\r\nHost: api.campone.example\r\n")
        assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in head
        assert f"\r\nContent-Length: {len(body)}".encode() in head
        assert json.loads(body)["occurred_at"] == "2026-04-29T08:14:32Z"

    def test_of_a_sale_has_about_500_bytes(self) -> None:
        assert 450 <= len(sale_call(TOKEN, "r1-00-@@@@@@@@", AT).body) <= 600

    def test_that_reads_has_no_body(self) -> None:
        raw = get_call(TOKEN, "products/", if_none_match='"abc"').raw()

        assert raw.endswith(b'\r\nIf-None-Match: "abc"\r\n\r\n')
        assert b"Content-Length" not in raw

    def test_that_is_forged_keeps_the_prefix_and_has_a_tokens_length(self) -> None:
        token = forged(sale_call(TOKEN, "r1", AT)).token

        assert token.startswith("ck_Se3bL1ck")
        assert token.endswith(shop.PLACE)
        assert len(token) == len(TOKEN)


class TestTheSale:
    def test_adds_up(self) -> None:
        sale = shop.sale("r1", AT)

        assert sum(round(float(item["line_total"]) * 100) for item in sale["items"]) == 3590
        assert sale["total_amount"] == sale["payments"][0]["amount"] == "35.90"

    def test_with_other_money_adds_up_too(self) -> None:
        sale = shop.other_money(shop.sale("r1", AT))

        assert sum(round(float(item["line_total"]) * 100) for item in sale["items"]) == 4590
        assert sale["total_amount"] == sale["payments"][0]["amount"] == "45.90"


class TestReadOutput:
    def test_counts_no_refused_call_as_accepted(self) -> None:
        sent = read_output(f"Running 3s test\n  16 threads\n\n{TOLD}\n")

        assert (sent.accepted, sent.broken) == (800, 2)
        assert sent.per_second == pytest.approx(800 / 3)
        assert (sent.p50, sent.p95, sent.p99) == (5.0, 9.0, 12.5)

    @pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
    def test_says_what_the_generator_said_when_it_broke_off(self, output: str) -> None:
        with pytest.raises(LoadFailed, match="said"):
            read_output(output)


class TestPgbench:
    OUTPUT = (
        "number of transactions actually processed: 200\nnumber of failed transactions: 0 (0.000%)\ntps = 100.0 (…)\n"
    )

    def test_is_read_in_the_same_terms(self) -> None:
        sent = summarize([float(number) for number in range(1, 101)], seconds=2, output=self.OUTPUT)

        assert (sent.accepted, sent.per_second) == (200, 100.0)
        assert (sent.p50, sent.p95, sent.p99) == (51.0, 96.0, 100.0)

    def test_logs_microseconds(self) -> None:
        assert read_log("0 1 1500 0 1761123456 1\n3 1 900 0 1761123456 2\n") == [1.5, 0.9]

    def test_that_did_nothing_is_no_floor(self) -> None:
        with pytest.raises(LoadFailed):
            summarize([], seconds=2, output=self.OUTPUT)

    def test_percentile_of_one_value_is_that_value(self) -> None:
        assert percentile([7.0], 99) == 7.0
