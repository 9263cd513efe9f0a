from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ErrorDetail

from apikeys.minting import Minted
from apikeys.models import Scope
from pos_bridge import api
from pos_bridge.activity import begin_call
from pos_bridge.faults import Fault, faults_in, nested
from pos_bridge.kinds import KINDS
from pos_bridge.models import BridgeSettings
from pos_bridge.problems import Problem, problem_body
from tenants.models import Tenant
from tests.contract.sales import gas_bottle, new_sale, on_one_campground
from tests.factories import mint
from tests.till import HOST, Body, Till, body_of, croissants_and_coffee

MEMBERS = {"type", "title", "status", "code", "errors", "retryable", "request_id", "cashier_message"}
OF_THE_INSIDE = [
    "Traceback", 'File "', ".py", "Error(", "Exception", "django", "rest_framework", "psycopg", "sqlite",
    "SELECT", "INSERT",
    "pos_bridge.", "kasse_", "tenants_", "0x", "Literal", "<class", "NoneType", "'str'", '"str', '"dict',
    "secret detail",
]  # fmt: skip

OPTIONAL = [
    "currency", "rounding_amount", "tip_amount", "payments", "refund_of", "till_id", "receipt_seq",
    "sent_at", "metadata",
]  # fmt: skip
WRONG: list[Any] = [None, "", "x", "1e3", 5, True, [], {}, [1], [{}], [{"quantity": 0}, {}], "0.001", "-1", "EUR"]

Asking = Callable[[Till, Till], HttpResponse]


def messages_in(body: Body) -> set[tuple[str | None, str]]:
    """Field and message of all faults, read from the part that Django REST clients read."""

    def walk(inner: Any, path: str) -> Iterator[tuple[str | None, str]]:
        if isinstance(inner, str):
            yield path or None, inner
        elif isinstance(inner, dict):
            for name, deeper in inner.items():
                yield from walk(deeper, path if name == "non_field_errors" else f"{path}.{name}".removeprefix("."))
        else:
            for index, deeper in enumerate(inner):
                yield from walk(deeper, path if isinstance(deeper, str) else f"{path}[{index}]")

    facts = {"server_time", "expected", "actual", "difference", "required_scope", "id"}
    return set(walk({name: inner for name, inner in body.items() if name not in MEMBERS | facts | {"detail"}}, ""))


class TestAKind:
    @pytest.mark.parametrize("code", KINDS)
    def test_has_an_entry_where_its_type_points(self, db: None, code: str) -> None:
        body = problem_body(Problem(code), asked())

        page = Client().get(urlsplit(body["type"]).path, headers={"host": HOST})

        assert body["type"].startswith("https://api.campone.example/errors/")
        assert page.status_code == 200
        assert f"<code>{code}</code>" in page.content.decode()
        assert KINDS[code].title.endswith(".")
        assert KINDS[code].advice.endswith(".")

    @pytest.mark.parametrize("code", KINDS)
    def test_is_retryable_only_if_the_same_bytes_may_succeed_later(self, code: str) -> None:
        body = problem_body(Problem(code), asked())

        assert body["retryable"] == (body["status"] in {408, 429} or body["status"] >= 500)

    @pytest.mark.parametrize("code", KINDS)
    def test_says_everything_a_reader_needs(self, code: str) -> None:
        body = problem_body(Problem(code), asked())

        assert body.keys() == MEMBERS | {"detail"}
        assert (body["detail"], body["code"], body["errors"]) == (code, code, [])
        assert body["status"] == KINDS[code].status in set(HTTPStatus)


def asked() -> Any:
    request: Any = RequestFactory().get("/api/v1/public/pos/ping/")
    request.call = begin_call(request)
    return request


REFUSALS: dict[str, Asking] = {
    "validation_error": lambda till, _reader: till.post(
        new_sale(items=5, payments={}, payment_method=None, occurred_at=1)
    ),
    "total_mismatch": lambda till, _reader: till.post(new_sale(total_amount="1.00")),
    "payments_mismatch": lambda till, _reader: till.post(new_sale(payments=[{"method": "CASH", "amount": 1}])),
    "tip_mismatch": lambda till, _reader: till.post(
        new_sale(tip_amount=1, payments=[{"method": "CASH", "amount": "12.50", "tip_amount": 2}])
    ),
    "occurred_at_in_future": lambda till, _reader: till.post(new_sale(occurred_at="2126-01-01T00:00:00Z")),
    "currency_mismatch": lambda till, _reader: till.post(new_sale(currency="EUR")),
    "unknown_parameter": lambda till, _reader: till.get("/transactions/?day=2026-04-29"),
    "parse_error": lambda till, _reader: till.call("POST", "/transactions/", body=b"{"),
    "bad_request": lambda till, _reader: till.get("/transactions/?" + "a=1&" * 1001),
    "invalid_key": lambda till, _reader: Till(None).get("/ping/"),
    "insufficient_scope": lambda _till, reader: reader.post(new_sale()),
    "not_found": lambda till, _reader: till.get("/transactions/unknown/"),
    "method_not_allowed": lambda till, _reader: till.call("DELETE", "/transactions/"),
    "not_acceptable": lambda till, _reader: till.get("/ping/", accept="text/html"),
    "payload_too_large": lambda till, _reader: till.call("POST", "/transactions/", body=b" " * 300_000),
    "unsupported_media_type": lambda till, _reader: till.post(new_sale(), content_type="text/plain"),
}


def crashing(error: Exception) -> Asking:
    def post(till: Till, _reader: Till) -> HttpResponse:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "take_in", raising(error))
            return till.post(new_sale())

    return post


def raising(error: Exception) -> Callable[..., Any]:
    def fail(**_arguments: Any) -> Any:
        raise error

    return fail


CRASHES: dict[str, Asking] = {
    "server_error": crashing(RuntimeError("secret detail: SELECT * FROM kasse_transaction")),
    "unavailable": crashing(OperationalError("secret detail: connection to server at db failed")),
    "unavailable too": crashing(InterfaceError("secret detail")),
}


class TestARefusal:
    @pytest.mark.parametrize("code", REFUSALS | CRASHES)
    def test_has_one_shape_and_says_nothing_of_the_inside(self, till: Till, seeblick: Tenant, code: str) -> None:
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)

        answer = (REFUSALS | CRASHES)[code](till, reader)

        body = body_of(answer)
        assert body["code"] == code.removesuffix(" too")
        assert body.keys() >= MEMBERS
        assert body["status"] == answer.status_code == KINDS[body["code"]].status
        assert body["title"] == KINDS[body["code"]].title
        assert body["request_id"] == answer["X-Request-Id"]
        assert not [word for word in OF_THE_INSIDE if word in answer.content.decode()]

    @pytest.mark.parametrize("code", CRASHES)
    def test_that_is_our_fault_says_when_to_come_back(self, till: Till, code: str) -> None:
        answer = CRASHES[code](till, till)

        assert body_of(answer)["retryable"] is True
        assert ("Retry-After" in answer) == (answer.status_code == 503)

    def test_of_a_bridge_that_is_switched_off_has_the_same_shape(self, till: Till, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        for answer in (till.post(new_sale()), till.get("/products/"), till.get("/transactions/nix/")):
            assert (answer.status_code, body_of(answer)["code"]) == (403, "pos_bridge_disabled")

    def test_repeats_little_of_what_was_sent(self, till: Till) -> None:
        long = "x" * 50_000
        sales = [
            new_sale(**{field: long})
            for field in ("payment_method", "total_amount", "occurred_at", "currency", "external_ref")
        ]
        sales += [new_sale(items=[gas_bottle(**{field: long})]) for field in ("description", "kind", "sku", "vat_rate")]

        assert all(len(till.post(sale).content) < 2000 for sale in sales)
        assert len(till.get(f"/transactions/?{'x' * 5000}=1").content) < 2000


class TestTheTwoShapes:
    def test_stand_side_by_side_as_published(self, till: Till) -> None:
        lines = [gas_bottle(line_total="0.00"), gas_bottle(quantity=0, line_total="12.50")]

        body = body_of(till.post(new_sale(items=lines)))

        assert body["items"] == [{}, {"quantity": ["Must not be 0."]}]
        assert body["errors"] == [{"field": "items[1].quantity", "code": "zero", "message": "Must not be 0."}]
        assert body["cashier_message"] == "Beleg abgelehnt: Menge darf nicht 0 sein"
        assert "detail" not in body

    def test_tell_all_faults_at_once(self, till: Till) -> None:
        body = body_of(
            till.post(
                {
                    "external_ref": " a",
                    "payment_method": "cash",
                    "total_amount": "1e3",
                    "items": [gas_bottle(sku=5), 7, gas_bottle(description=...)],
                    "currency": "EUR",
                    "rounding_amount": "0.001",
                    "tip_amount": "-1",
                    "payments": [{"method": "MIXED"}],
                    "refund_of": "..",
                    "till_id": "Kiosk ",
                    "receipt_seq": 0,
                    "sent_at": "now",
                    "metadata": [],
                }
            )
        )

        assert {fault["field"] for fault in body["errors"]} == {
            "external_ref", "payment_method", "total_amount", "items[0].sku", "items[1]", "items[2].description",
            "occurred_at", "currency", "rounding_amount", "tip_amount", "payments[0].method", "payments[0].amount",
            "refund_of", "till_id", "receipt_seq", "sent_at", "metadata",
        }  # fmt: skip

    @given(st.data())
    @on_one_campground
    def test_agree_on_every_fault(self, till: Till, data: st.DataObject) -> None:
        names = [*croissants_and_coffee(), *OPTIONAL]
        changes = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(WRONG), min_size=1))

        answer = till.post(new_sale(**changes))

        if answer.status_code == 400:
            body = body_of(answer)
            told = {(fault["field"], fault["message"]) for fault in body["errors"]}
            if any(field for field, _message in told):
                assert messages_in(body) == told
                assert "detail" not in body
            else:
                assert body["detail"] == body["code"]
            assert len(body["errors"]) == len({(fault["field"], fault["code"]) for fault in body["errors"]})

    @given(
        st.lists(
            st.builds(
                Fault,
                st.one_of(
                    st.just(()),
                    st.tuples(st.sampled_from(["total_amount", "occurred_at"])),
                    st.tuples(st.sampled_from(["items", "payments"]), st.integers(0, 9)),
                    st.tuples(
                        st.sampled_from(["items", "payments"]), st.integers(0, 9), st.sampled_from(["amount", "sku"])
                    ),
                ),
                st.just("code"),
                st.text(min_size=1),
            ),
            min_size=1,
        )
    )
    def test_of_any_faults_can_be_read_back_from_each_other(self, faults: list[Fault]) -> None:
        assert messages_in(nested(faults)) == {(fault.field, fault.message) for fault in faults}

    def test_carry_facts_at_the_top_only_where_one_code_says_it_all(self, till: Till) -> None:
        sale = new_sale(total_amount="1.00", payments=[{"method": "CASH", "amount": "2.00"}])

        body = body_of(till.post(sale))

        assert body["code"] == "validation_error"
        assert "difference" not in body
        assert [fault["difference"] for fault in body["errors"]] == ["-11.50", "-1.00"]


class TestTheRequestId:
    @pytest.mark.parametrize("sent", ["a", "7f3c9a52-0b1e-4d7a-9f55-6a1f0e2b8c11", "till-1:2026.04_29", "A" * 64])
    def test_is_taken_over_if_it_is_well_formed(self, till: Till, sent: str) -> None:
        for answer in (till.get("/ping/", x_request_id=sent), till.get("/nowhere/", x_request_id=sent)):
            assert answer["X-Request-Id"] == sent
        assert body_of(till.get("/nowhere/", x_request_id=sent))["request_id"] == sent

    @pytest.mark.parametrize("sent", ["", " ", "-a", "a b", "a\tb", "é", "a" * 65, "<b>", "a;b", '"', "٣"])
    def test_is_made_by_us_otherwise(self, till: Till, sent: str) -> None:
        given = {till.get("/nowhere/", x_request_id=sent)["X-Request-Id"] for _ in range(2)}

        assert len(given) == 2
        assert all(len(each) == 32 and each.isalnum() for each in given)


class TestFaultsIn:
    def test_reads_lists_and_dicts_of_rows_alike(self) -> None:
        zero = [ErrorDetail("Must not be 0.", "zero")]

        as_dict = list(faults_in({"items": {1: {"quantity": zero}}}))
        as_list = list(faults_in({"items": [{}, {"quantity": zero}]}))

        assert as_dict == as_list == [Fault(("items", 1, "quantity"), "zero", "Must not be 0.")]
        assert json.dumps(nested(as_list)) == '{"items": [{}, {"quantity": ["Must not be 0."]}]}'


class TestTheDoor:
    def test_names_the_scope_that_is_missing(self, seeblick: Tenant) -> None:
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)

        body = body_of(reader.post(new_sale()))

        assert (body["status"], body["required_scope"]) == (403, "pos:write")

    def test_names_the_methods_a_path_takes(self, till: Till, key: Minted) -> None:
        allowed = {
            path: till.call("PATCH", path)["Allow"]
            for path in ("/transactions/", "/transactions/1/", "/products/", "/ping/")
        }

        assert {path: set(methods.split(", ")) for path, methods in allowed.items()} == {
            "/transactions/": {"GET", "HEAD", "POST"},
            "/transactions/1/": {"GET", "HEAD"},
            "/products/": {"GET", "HEAD"},
            "/ping/": {"GET", "HEAD"},
        }
