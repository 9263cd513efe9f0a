from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.strict_json import Literal, Malformed, read_json
from pos_bridge.wire import MOST_BYTES
from tests.contract.bare_wsgi import Chunks, call
from tests.contract.sales import faults_of, gas_bottle, new_sale, nothing_is_stored, on_one_campground, warnings_of
from tests.till import Till, body_of

SALE = json.dumps(new_sale()).encode()
REQUIRED = {"external_ref", "payment_method", "total_amount", "items", "occurred_at"}

UNREADABLE = {
    "not_json": [
        b"{", b"{}{}", b"{} {}", b"{},", b"[1,]", b'{"a":1,}', b"{'a':1}", b"{a:1}", b'{"a"}', b'{"a":}', b'"a',
        b"tru", b"True", b"None",
        b"// comment\n{}", b"{} // comment", b"/* */{}", b'{"a":1_0}', b'{"a":+1}', b'{"a":01}', b'{"a":0x1}',
        b'{"a":.5}', b'{"a":"\\x41"}',
        b'{"a":"\\u12"}', b"a=1&b=2", b"<sale/>", b"\xef\xbb\xbf" + SALE, b"\xc2\xa0" + SALE,
        b"\x0c" + SALE, b"\x00" + SALE, SALE + b"\x00",
        "{\u201ca\u201d:1}".encode(), '{"a":１}'.encode(), b" ", b"\n",
    ],
    "not_utf8": [SALE.decode().encode("utf-16"), b"\xff\xfe" + SALE, b"\xff", SALE + b"\x80"],
    "not_finite": [b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b"NaN", b"[NaN]"],
    "not_an_object": [b"[]", b"[{}]", b'"text"', b"5", b"true", b"null", b"[" + SALE + b"]"],
    "duplicate_key": [
        b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"a":{"b":1,"b":2}}', b'[{"a":1,"a":1}]', b'{"":1,"":1}',
        SALE[:-1] + b',"total_amount":"0.01"}',
        json.dumps(new_sale(items=[gas_bottle()])).encode().replace(b'"quantity": 1', b'"quantity": 1, "quantity": 2'),
        json.dumps(new_sale(metadata={})).encode().replace(b'"metadata": {}', b'"metadata": {"a": [{"b": 1, "b": 1}]}'),
    ],
    "too_deep": [
        b"[" * 9 + b"]" * 9, b'{"a":' * 9 + b"1" + b"}" * 9, b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000,
        b"[" * 400 + b"]" * 400, b"[" * 9 + b"1" + b"]" * 9,
    ],
}  # fmt: skip


def post(till: Till, body: bytes, **headers: str) -> Any:
    return till.call("POST", "/transactions/", body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def padded(size: int) -> bytes:
    """A valid sale of exactly so many bytes."""
    return SALE + b" " * (size - len(SALE))


class TestABody:
    @pytest.mark.parametrize("code", UNREADABLE)
    def test_is_one_json_object_read_strictly(self, till: Till, code: str) -> None:
        for body in UNREADABLE[code]:
            before = time.perf_counter()
            answer = post(till, body)

            assert faults_of(answer) == {(None, code)}, body[:80]
            assert (body_of(answer)["code"], body_of(answer)["detail"]) == ("parse_error", "parse_error")
            assert time.perf_counter() - before < 2
        assert nothing_is_stored()

    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_that_is_empty_lacks_every_required_field(self, key: Minted, body: bytes) -> None:
        answer = call(key.token, "POST", "/transactions/", body=body)

        assert {fault["field"] for fault in answer.body["errors"] if fault["code"] == "required"} == REQUIRED

    def test_may_be_nested_8_deep(self, till: Till) -> None:
        deep: Any = []
        for _ in range(5):
            deep = [deep]

        answer = till.post(new_sale(metadata={"a": deep}))
        refused = till.post(new_sale(metadata={"a": [deep]}))

        assert body_of(answer)["metadata"] == {"a": deep}
        assert faults_of(refused) == {(None, "too_deep")}

    def test_may_begin_and_end_with_blanks(self, till: Till) -> None:
        assert post(till, b" \t\r\n" + SALE + b" \t\r\n").status_code == 201

    def test_of_20000_lines_is_refused_in_no_time(self, till: Till) -> None:
        before = time.perf_counter()

        answer = post(till, json.dumps(new_sale(items=[{}] * 20_000)).encode())

        assert faults_of(answer) == {("items", "max_length")}
        assert time.perf_counter() - before < 2

    def test_of_500_lines_is_taken(self, till: Till) -> None:
        lines = [gas_bottle(line_total="0.10", vat_rate="8.1")] * 500

        answer = till.post(new_sale(total_amount="50.00", items=lines))

        assert len(body_of(answer)["items"]) == 500
        assert faults_of(till.post(new_sale(items=[*lines, gas_bottle()]))) == {("items", "max_length")}
        assert faults_of(till.post(new_sale(items=[]))) == {("items", "empty")}

    def test_of_500_lines_asks_for_the_vat_rates_as_one_of_a_single_line(self, till: Till) -> None:
        asked = []
        for lines, total in ((1, "0.10"), (500, "50.00")):
            items = [gas_bottle(line_total="0.10", vat_rate="8.1")] * lines
            with CaptureQueriesContext(connection) as queries:
                answer = till.post(new_sale(external_ref=f"T-{lines}", total_amount=total, items=items))
            assert answer.status_code == 201
            asked.append(sum("vatrate" in query["sql"] for query in queries))

        assert asked[0] == asked[1] <= 2

    def test_of_many_unknown_fields_is_warned_about_in_bounds(self, till: Till) -> None:
        answer = till.post({**{f"a{number}": 1 for number in range(20_000)}, **new_sale(), "x" * 5000: 1})

        assert answer.status_code == 201
        assert len(answer.content) < 10_000
        assert len(warnings_of(answer)) == 21

    @pytest.mark.parametrize("rows", [5, "text", True, {}, {"0": {}}])
    @pytest.mark.parametrize("part", ["items", "payments"])
    def test_has_lists_where_lists_belong(self, till: Till, part: str, rows: Any) -> None:
        answer = till.post(new_sale(**{part: rows}))

        assert faults_of(answer) == {(part, "not_a_list")}
        assert body_of(answer)[part] == ["Expected a list of items."]

    @pytest.mark.parametrize("row", [5, "text", True, [], [[]]])
    @pytest.mark.parametrize("part", ["items", "payments"])
    def test_has_objects_in_its_lists(self, till: Till, part: str, row: Any) -> None:
        assert (f"{part}[0]", "invalid") in faults_of(till.post(new_sale(**{part: [row]})))

    def test_has_no_empty_rows(self, till: Till) -> None:
        for sale in (new_sale(items=[None]), new_sale(payments=[None]), new_sale(items=[gas_bottle(), None])):
            assert "null" in {code for _field, code in faults_of(till.post(sale))}

    @given(data=st.data())
    @on_one_campground
    def test_that_was_damaged_is_answered_in_json_and_stored_only_with_201(
        self, till: Till, data: st.DataObject
    ) -> None:
        sale = json.dumps(new_sale(metadata={"a": [1, "é"]}, sent_at="2026-04-29T08:14:33Z")).encode()
        body = bytearray(sale)
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(body)))
            body[place : place + data.draw(st.integers(0, 3))] = data.draw(
                st.one_of(
                    st.binary(max_size=3),
                    st.sampled_from([b'"', b"{", b"}", b"[", b",", b"\\", b"0", b"9", b"-", b".", b"e"]),
                )
            )
        before = Transaction.objects.count()

        answer = post(till, bytes(body))

        assert answer.status_code in {201, 400, 409, 200}, answer.content
        assert isinstance(body_of(answer), dict)
        assert Transaction.objects.count() - before == (answer.status_code == 201)

    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
            lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        )
    )
    @on_one_campground
    def test_of_any_json_in_any_field_is_answered(self, till: Till, value: Any) -> None:
        for sale in (
            new_sale(items=value),
            new_sale(items=[value]),
            new_sale(payments=value),
            new_sale(metadata=value),
            value,
        ):
            before = Transaction.objects.count()
            answer = till.post(sale)

            assert answer.status_code in {201, 400}
            assert Transaction.objects.count() - before == (answer.status_code == 201)


class TestTheSize:
    def test_of_256_kib_is_taken(self, till: Till) -> None:
        assert post(till, padded(MOST_BYTES)).status_code == 201

    @pytest.mark.parametrize("size", [MOST_BYTES + 1, 10 * MOST_BYTES])
    def test_beyond_is_refused_unread(self, till: Till, size: int) -> None:
        answer = post(till, padded(size))

        assert (answer.status_code, body_of(answer)["code"]) == (413, "payload_too_large")
        assert nothing_is_stored()

    @pytest.mark.parametrize("length", ["9" * 5000, "²", "1_0", "+5", "-1", " 5", "5 ", "１０", "0x10", "abc"])
    def test_that_is_no_number_is_refused(self, key: Minted, length: str) -> None:
        answer = call(key.token, "POST", "/transactions/", body=SALE, CONTENT_LENGTH=length)

        assert 400 <= answer.status_code < 500
        assert answer.body["status"] == answer.status_code


class TestAChunkedBody:
    def test_is_read_whole(self, key: Minted) -> None:
        lines = [gas_bottle(line_total="0.10")] * 500
        sale = json.dumps(new_sale(total_amount="50.00", items=lines)).encode()

        answer = chunked(key, sale)

        assert (answer.status_code, len(answer.body["items"])) == (201, 500)

    def test_has_the_same_bound_as_any(self, key: Minted) -> None:
        assert chunked(key, padded(MOST_BYTES)).status_code == 201
        assert chunked(key, padded(MOST_BYTES + 1)).status_code == 413
        assert chunked(key, padded(20 * MOST_BYTES)).status_code == 413

    def test_is_not_read_beyond_the_bound(self, key: Minted) -> None:
        body = Chunks(padded(20 * MOST_BYTES), size=65536)

        chunked(key, b"", **{"wsgi.input": body})

        assert body.tell() == MOST_BYTES + 1

    def test_counts_more_than_a_length_that_contradicts_it(self, key: Minted) -> None:
        assert chunked(key, SALE, CONTENT_LENGTH="2").status_code == 201

    def test_that_is_empty_lacks_every_required_field(self, key: Minted) -> None:
        assert {fault["field"] for fault in chunked(key, b"").body["errors"]} == REQUIRED


def chunked(key: Minted, body: bytes, **environ: Any) -> Any:
    variables = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input": Chunks(body), **environ}
    return call(key.token, "POST", "/transactions/", **variables)


class TestABodyWhereNoneBelongs:
    @pytest.mark.parametrize("path", ["/transactions/", "/transactions/unknown/", "/products/", "/ping/"])
    @pytest.mark.parametrize("body", [b"{}", b"{", b"\xff\x00", SALE])
    def test_is_not_looked_at(self, till: Till, path: str, body: bytes) -> None:
        with_body, without = till.call("GET", path, body=body), till.get(path)

        assert with_body.status_code == without.status_code
        assert nothing_is_stored()


class TestReadJson:
    def test_leaves_numbers_as_they_were_written(self) -> None:
        document = read_json(b'{"a":[1.10,-0,1E5,12345678901234567890.5]}')

        assert document == {"a": ["1.10", "-0", "1E5", "12345678901234567890.5"]}
        assert all(isinstance(number, Literal) for number in document["a"])

    @pytest.mark.parametrize("depth", range(1, 12))
    @pytest.mark.parametrize("opening", [b"[", b'{"a":'])
    @pytest.mark.parametrize("innermost", [b"1", b"[]", b"{}"])
    def test_counts_every_bracket(self, depth: int, opening: bytes, innermost: bytes) -> None:
        closing = {b"[": b"]", b'{"a":': b"}"}[opening]
        body = opening * depth + innermost + closing * depth

        if depth + (innermost != b"1") <= 8:
            assert read_json(body)
        else:
            with pytest.raises(Malformed, match="nested"):
                read_json(body)

    @given(st.binary(max_size=200))
    def test_reads_or_refuses_any_bytes(self, body: bytes) -> None:
        with suppress(Malformed):
            read_json(body)
