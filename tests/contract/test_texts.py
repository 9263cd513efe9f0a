from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.models import Transaction
from pos_bridge.strict_json import FORBIDDEN
from tests.contract.sales import faults_of, gas_bottle, new_sale, nothing_is_stored, on_one_campground
from tests.till import Till, body_of

CONTROLS = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0)) if chr(number) not in "\t\n\r"]
HALVES = ["\\ud800", "\\udbff", "\\udc00", "\\udfff", "\\ude00\\ud83d"]
TEXTS = ["description", "sku", "category"]


def with_line(**changes: Any) -> dict[str, Any]:
    return new_sale(total_amount="68.00", items=[gas_bottle(**changes)])


class TestAText:
    @pytest.mark.parametrize(
        "text", ["Glacé\tVanille", "Zeile 1\nZeile 2", "Zeile 1\r\nZeile 2", " aussen leer ", "🏕️", "مرحبا"]
    )
    @pytest.mark.parametrize("field", TEXTS)
    def test_is_kept_to_the_character(self, till: Till, field: str, text: str) -> None:
        reference = body_of(till.post(with_line(**{field: text})))["external_ref"]

        assert body_of(till.read_back(reference))["items"][0][field] == text

    def test_holds_no_control_characters(self, till: Till) -> None:
        for character in CONTROLS:
            for sale in (
                with_line(description=f"a{character}b"),
                with_line(sku=character),
                new_sale(external_ref=f"a{character}b"),
                new_sale(metadata={"note": character}),
                new_sale(metadata={character: "note"}),
                new_sale(metadata={"deep": [{"er": character}]}),
                new_sale(**{f"unknown{character}": 1}),
            ):
                assert faults_of(till.post(sale)) == {(None, "forbidden_character")}, repr(character)
        assert nothing_is_stored()

    @pytest.mark.parametrize("half", HALVES)
    def test_holds_no_half_of_a_surrogate_pair(self, till: Till, half: str) -> None:
        for sale in (with_line(description="HERE"), new_sale(external_ref="aHERE"), new_sale(metadata={"HERE": 1})):
            body = json.dumps(sale).replace("HERE", half)
            answer = till.call("POST", "/transactions/", body=body.encode())

            assert faults_of(answer) == {(None, "forbidden_character")}
        assert nothing_is_stored()

    def test_may_hold_a_whole_surrogate_pair(self, till: Till) -> None:
        body = json.dumps(with_line(description="HERE")).replace("HERE", "\\ud83c\\udfd5")

        answer = till.call("POST", "/transactions/", body=body.encode())

        assert body_of(answer)["items"][0]["description"] == "🏕"

    @pytest.mark.parametrize(
        "raw", [b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xc3", "é".encode("latin-1")]
    )
    def test_is_utf_8_in_every_byte(self, till: Till, raw: bytes) -> None:
        body = json.dumps(with_line(description="HERE")).encode().replace(b"HERE", raw)

        assert faults_of(till.call("POST", "/transactions/", body=body)) == {(None, "not_utf8")}
        assert nothing_is_stored()

    @pytest.mark.parametrize("raw", [b"\x00", b"\t", b"\n", b"\x1f"])
    def test_holds_control_characters_only_as_escapes(self, till: Till, raw: bytes) -> None:
        body = json.dumps(with_line(description="HERE")).encode().replace(b"HERE", raw)

        assert faults_of(till.call("POST", "/transactions/", body=body)) == {(None, "not_json")}

    @pytest.mark.parametrize(("field", "most"), [("description", 255), ("sku", 64), ("category", 80)])
    @pytest.mark.parametrize("character", ["a", "é", "ケ", "🏕"])
    def test_is_measured_in_characters(self, till: Till, field: str, most: int, character: str) -> None:
        accepted = till.post(with_line(**{field: character * most}))
        refused = till.post(with_line(**{field: character * (most + 1)}))

        assert body_of(till.read_back(body_of(accepted)["external_ref"]))["items"][0][field] == character * most
        assert faults_of(refused) == {(f"items[0].{field}", "max_length")}

    @pytest.mark.parametrize("value", [5, 12.5, True, [], {}])
    @pytest.mark.parametrize("field", TEXTS)
    def test_is_no_number_boolean_list_or_object(self, till: Till, field: str, value: Any) -> None:
        assert faults_of(till.post(with_line(**{field: value}))) == {(f"items[0].{field}", "invalid")}

    def test_that_describes_a_line_is_not_left_out(self, till: Till) -> None:
        faults = {code: faults_of(till.post(with_line(description=value)))
                  for code, value in {"blank": "", "null": None, "required": ...}.items()}  # fmt: skip

        assert faults == {code: {("items[0].description", code)} for code in faults}

    @pytest.mark.parametrize("field", ["sku", "category"])
    def test_that_is_optional_may_be_empty_or_null(self, till: Till, field: str) -> None:
        for value in ("", None, ...):
            assert body_of(till.post(with_line(**{field: value})))["items"][0][field] == ""

    @given(st.text(min_size=1, max_size=255))
    @on_one_campground
    def test_is_stored_unchanged_or_refused(self, till: Till, text: str) -> None:
        before = Transaction.objects.count()

        answer = till.post(with_line(description=text))

        if FORBIDDEN.search(text):
            assert faults_of(answer) == {(None, "forbidden_character")}
            assert Transaction.objects.count() == before
        else:
            back = till.read_back(body_of(answer)["external_ref"])
            assert body_of(back)["items"][0]["description"] == text


class TestACode:
    @pytest.mark.parametrize(
        "value", ["cash", "CASH ", "Cash", "", "BITCOIN", 5, True, None, [], {}, ["CASH"], "CASH\u200b"]
    )
    def test_is_taken_only_as_published(self, till: Till, value: Any) -> None:
        fault = (
            "null" if value is None else "not_a_string" if isinstance(value, bool | list | dict) else "invalid_choice"
        )

        assert faults_of(till.post(new_sale(payment_method=value))) == {("payment_method", fault)}
        assert nothing_is_stored()

    def test_of_a_payment_is_never_mixed(self, till: Till) -> None:
        payments = [{"method": "MIXED", "amount": "12.50"}]

        answer = till.post(new_sale(payment_method="MIXED", payments=payments))

        assert faults_of(answer) == {("payments[0].method", "invalid_choice")}

    @pytest.mark.parametrize("kind", ["SALE", "DISCOUNT", "SERVICE_CHARGE", "VOUCHER_SALE"])
    def test_of_a_line_is_given_back(self, till: Till, kind: str) -> None:
        assert body_of(till.post(with_line(kind=kind)))["items"][0]["kind"] == kind

    def test_of_a_line_is_sale_unless_said_otherwise(self, till: Till) -> None:
        assert [body_of(till.post(with_line(kind=kind)))["items"][0]["kind"] for kind in (None, ...)] == [
            "SALE",
            "SALE",
        ]

    def test_is_repeated_in_an_answer_only_in_part(self, till: Till) -> None:
        answer = till.post(new_sale(payment_method="BITCOIN" * 10_000))

        assert len(answer.content) < 1000


class TestMetadata:
    def test_is_given_back(self, till: Till) -> None:
        metadata = {
            "shift": "früh",
            "covers": 4,
            "ratio": 0.25,
            "takeaway": False,
            "table": None,
            "tags": [{"a": [1, ""]}],
        }

        reference = body_of(till.post(new_sale(metadata=metadata)))["external_ref"]

        assert body_of(till.read_back(reference))["metadata"] == metadata

    def test_has_at_most_20_keys(self, till: Till) -> None:
        assert till.post(new_sale(metadata={str(key): key for key in range(20)})).status_code == 201
        assert faults_of(till.post(new_sale(metadata={str(key): key for key in range(21)}))) == {
            ("metadata", "too_many_keys")
        }

    @pytest.mark.parametrize("character", ["a", "🏕"])
    def test_has_at_most_2_kib(self, till: Till, character: str) -> None:
        frame, width = len('{"note":""}'), len(character.encode())
        most = (2048 - frame) // width

        assert till.post(new_sale(metadata={"note": character * most})).status_code == 201
        assert faults_of(till.post(new_sale(metadata={"note": character * (most + 1)}))) == {("metadata", "too_large")}

    def test_of_2_kib_may_be_spread_over_many_small_values(self, till: Till) -> None:
        metadata = {"tags": [1] * 1000}
        assert len(json.dumps(metadata, separators=(",", ":"))) < 2048

        assert till.post(new_sale(metadata=metadata)).status_code == 201

    @pytest.mark.parametrize("value", ["text", 5, True, [], [1]])
    def test_is_an_object(self, till: Till, value: Any) -> None:
        assert faults_of(till.post(new_sale(metadata=value))) == {("metadata", "invalid")}

    @pytest.mark.parametrize("literal", ["1e3", "1E-3", "1234567890123456", "0.1234567890123456", "-1e400", "9" * 5000])
    def test_holds_only_numbers_that_every_reader_agrees_on(self, till: Till, literal: str) -> None:
        body = json.dumps(new_sale(metadata={"deep": ["HERE"]})).replace('"HERE"', literal)

        assert faults_of(till.call("POST", "/transactions/", body=body.encode())) == {("metadata", "number")}

    def test_knows_one_zero(self, till: Till) -> None:
        first = till.post(new_sale(metadata={"a": -0.0}))

        assert b"-0.0" not in first.content
        assert b"-0.0" not in till.read_back(body_of(first)["external_ref"]).content

    def test_left_out_null_and_empty_are_the_same(self, till: Till) -> None:
        for nothing in (new_sale(metadata=None), new_sale(metadata={}), new_sale(metadata=...)):
            assert body_of(till.post(nothing))["metadata"] == {}
