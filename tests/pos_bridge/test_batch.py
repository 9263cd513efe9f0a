"""Many sales in one call: each stands for itself, and is answered as if it had come by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.http import HttpResponse

from apikeys.models import Scope
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge import batch, contract
from pos_bridge.models import InboundBatch, InboundCall, Outcome, ParkedSale
from pos_bridge.throttling import calls_in_last_hour
from pos_bridge.wire import MOST_BYTES, MOST_BYTES_OF_MANY
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import AWAY, assert_unavailable, statements_failing
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db

CHANGING = {"id", "received_at", "request_id"}
NONE = {"created": 0, "replayed": 0, "conflict": 0, "invalid": 0, "failed": 0}


def sale(number: int, **changes: Any) -> Body:
    """The sale of a reference of its own."""
    return croissants_and_coffee(external_ref=f"T-{number}", **changes)


def post(till: Till, *sales: Any) -> HttpResponse:
    """Post a batch."""
    return post_text(till, json.dumps({"transactions": sales}).encode())


def post_text(till: Till, body: bytes) -> HttpResponse:
    """Post a batch as it is written."""
    return till.call("POST", "/transactions/batch/", body=body)


def results_of(answer: HttpResponse) -> list[tuple[str | None, str, int]]:
    """Reference, result and status of each."""
    assert answer.status_code == 200, answer.content
    return [(each["external_ref"], each["result"], each["status"]) for each in body_of(answer)["results"]]


def without_ids(value: Any) -> Any:
    """The same without what is another one each time."""
    if isinstance(value, dict):
        return {
            name: without_ids(each) for name, each in value.items() if name not in {"id", "received_at", "request_id"}
        }
    return [without_ids(each) for each in value] if isinstance(value, list) else value


class TestABatch:
    def test_is_stored_sale_by_sale(self, till: Till) -> None:
        answer = post(till, sale(1), sale(2), sale(3))

        assert results_of(answer) == [(f"T-{number}", "created", 201) for number in (1, 2, 3)]
        assert body_of(answer)["counts"] == {**NONE, "created": 3}
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [3, 6, 3]

    def test_sent_again_is_replayed_with_the_same_bodies(self, till: Till) -> None:
        first = body_of(post(till, sale(1), sale(2)))

        again = post(till, sale(1), sale(2))

        assert results_of(again) == [("T-1", "replayed", 200), ("T-2", "replayed", 200)]
        assert [each["body"] for each in body_of(again)["results"]] == [each["body"] for each in first["results"]]
        assert Transaction.objects.count() == 2

    def test_answers_each_sale_as_a_single_post_would(self, till: Till, neighbours_till: Till) -> None:
        sales = [
            sale(1),
            sale(2, total_amount="13.50"),
            sale(3, cashier="Vreni"),
            sale(1, items=[{**sale(1)["items"][0], "description": "Gipfeli"}, sale(1)["items"][1]]),
            sale(1, payment_method="CARD"),
            [],
        ]
        alone = [neighbours_till.post(each) for each in sales]

        results = body_of(post(till, *sales))["results"]

        assert [each["status"] for each in results] == [each.status_code for each in alone]
        assert [without_ids(each["body"]) for each in results] == [without_ids(body_of(each)) for each in alone]

    def test_reads_back_sale_by_sale(self, till: Till) -> None:
        answer = body_of(post(till, sale(1), sale(2)))

        assert [body_of(till.read_back(f"T-{number}")) for number in (1, 2)] == [
            each["body"] for each in answer["results"]
        ]

    def test_takes_a_hundred_and_no_more(self, till: Till) -> None:
        assert body_of(post(till, *map(sale, range(100))))["counts"] == {**NONE, "created": 100}

        answer = post(till, *map(sale, range(101)))

        assert answer.status_code == 400
        assert body_of(answer)["code"] == "too_many"
        assert body_of(answer)["most"] == 100

    def test_may_be_larger_than_a_single_sale(self, till: Till) -> None:
        long = [{**sale(1)["items"][0], "description": "Gasflasche " * 20}] * 100
        total = "700.00"
        sales = [sale(number, items=long, total_amount=total) for number in range(20)]
        body = json.dumps({"transactions": sales}).encode()
        assert MOST_BYTES < len(body) < MOST_BYTES_OF_MANY

        assert body_of(post_text(till, body))["counts"] == {**NONE, "created": 20}

    def test_is_bounded_all_the_same(self, till: Till) -> None:
        answer = post_text(till, b'{"transactions": []}'.ljust(MOST_BYTES_OF_MANY + 1))

        assert answer.status_code == 413
        assert (
            post_text(till, json.dumps({"transactions": [sale(1)]}).encode().ljust(MOST_BYTES_OF_MANY)).status_code
            == 200
        )

    def test_of_another_campground_is_another_matter(self, till: Till, neighbours_till: Till) -> None:
        post(neighbours_till, sale(1, payment_method="CARD"))

        assert results_of(post(till, sale(1))) == [("T-1", "created", 201)]


POISON: list[tuple[str, bytes]] = [
    ("invalid", b'{"external_ref": "P", "external_ref": "P"}'),
    ("invalid", b'{"external_ref": "P", "total_amount": NaN}'),
    ("invalid", b'{"external_ref": "\\ud800"}'),
    ("invalid", b'{"external_ref": "a\x01b"}'),
    ("invalid", b'{"external_ref": 1e400}'),
    ("invalid", b'{"external_ref": ' + b"9" * 5000 + b"}"),
    ("invalid", b"[" * 50 + b"]" * 50),
    ("invalid", b"{}"),
    ("invalid", b"null"),
    ("invalid", b'"transactions"'),
    ("invalid", json.dumps(croissants_and_coffee(external_ref=" P")).encode()),
    ("invalid", json.dumps(croissants_and_coffee(external_ref="P", occurred_at="2062-01-01T00:00:00Z")).encode()),
    ("invalid", json.dumps(croissants_and_coffee(external_ref="P", currency="EUR")).encode()),
    ("conflict", json.dumps(croissants_and_coffee(external_ref="T-0", payment_method="CARD")).encode()),
]


class TestAPoisonedSale:
    @pytest.mark.parametrize(("result", "poison"), POISON, ids=range(len(POISON)))
    def test_keeps_no_other_out(self, till: Till, result: str, poison: bytes) -> None:
        till.post(sale(0))
        good = [json.dumps(sale(number)).encode() for number in (1, 2)]
        body = b'{"transactions": [' + b" , ".join([good[0], poison, good[1]]) + b"]}"

        answer = post_text(till, body)

        assert [each[1] for each in results_of(answer)] == ["created", result, "created"]
        assert Transaction.objects.count() == 3

    def test_is_answered_in_its_place_with_its_faults(self, till: Till) -> None:
        results = body_of(post(till, sale(1), sale(2, total_amount="13.50"), sale(3)))["results"]

        assert results[1]["external_ref"] == "T-2"
        assert results[1]["body"]["code"] == "total_mismatch"
        assert results[1]["body"]["difference"] == "1.00"

    def test_that_the_database_refuses_fails_alone(self, till: Till) -> None:
        with refusing("T-2"):
            answer = post(till, sale(1), sale(2), sale(3))

        assert results_of(answer) == [("T-1", "created", 201), ("T-2", "failed", 500), ("T-3", "created", 201)]
        assert body_of(answer)["results"][1]["body"]["retryable"]
        assert set(Transaction.objects.values_list("external_ref", flat=True)) == {"T-1", "T-3"}
        assert results_of(post(till, sale(1), sale(2), sale(3)))[1] == ("T-2", "created", 201)

    def test_on_which_we_stumble_fails_alone(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:

        def stumble(body: bytes, terms: Any) -> Any:
            if b"T-2" in body:
                raise RuntimeError("a mouse in the engine room")
            return contract.read_sale(body, terms)

        monkeypatch.setattr(batch, "read_sale", stumble)

        assert [each[1] for each in results_of(post(till, sale(1), sale(2), sale(3)))] == [
            "created",
            "failed",
            "created",
        ]


@contextmanager
def refusing(reference: str) -> Iterator[None]:
    """The database refuses the row of one reference."""

    def stop(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO kasse_transaction " in sql and reference in str(params):
            raise IntegrityError("on purpose")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(stop):
        yield


class TestTwinsInABatch:
    def test_are_one_sale(self, till: Till) -> None:
        answer = post(till, sale(1), sale(2), sale(1))

        assert results_of(answer) == [("T-1", "created", 201), ("T-2", "created", 201), ("T-1", "replayed", 200)]
        bodies = [each["body"] for each in body_of(answer)["results"]]
        assert bodies[0] == bodies[2]

    def test_with_other_money_are_parked(self, till: Till) -> None:
        answer = post(till, sale(1), sale(1, payment_method="CARD"))

        assert results_of(answer) == [("T-1", "created", 201), ("T-1", "conflict", 409)]
        assert Transaction.objects.get().payment_method == "CASH"
        assert ParkedSale.objects.get().times_received == 1


class TestAConflictInABatch:
    def test_is_parked_once_however_often_it_comes(self, till: Till) -> None:
        till.post(sale(1))
        rival = sale(1, payment_method="CARD", note="ck_" + "a" * 32)
        till.post(rival)

        answer = post(till, rival, rival)

        assert [each[1] for each in results_of(answer)] == ["conflict", "conflict"]
        parked = ParkedSale.objects.get()
        assert parked.times_received == 3
        assert "a" * 32 not in parked.payload
        assert {each["body"]["id"] for each in body_of(answer)["results"]} == {str(Transaction.objects.get().pk)}

    def test_is_replayed_where_the_policy_says_so(self, till: Till, settings: Any) -> None:
        settings.POS_CONFLICT_POLICY = "replay"
        till.post(sale(1))

        answer = post(till, sale(1, payment_method="CARD"))

        assert results_of(answer) == [("T-1", "replayed", 200)]
        assert body_of(answer)["results"][0]["body"]["warnings"][0]["code"] == "differs_from_stored"
        assert ParkedSale.objects.count() == 1
        assert InboundBatch.objects.get().conflicts == 1


MALFORMED = [
    (b"{}", "validation_error", "required"),
    (b'{"transactions": null}', "validation_error", "null"),
    (b'{"transactions": {}}', "validation_error", "not_a_list"),
    (b'{"transactions": "T-1"}', "validation_error", "not_a_list"),
    (b'{"transactions": []}', "validation_error", "empty"),
    (b"[]", "parse_error", "not_an_object"),
    (b"null", "parse_error", "not_an_object"),
    (b"{", "parse_error", "not_json"),
    (b" ", "parse_error", "not_json"),
    (b'{"transactions": [{}', "parse_error", "not_json"),
    (b'{"transactions": [{}]} x', "parse_error", "not_json"),
    (b'{"transactions": [{},]}', "parse_error", "not_json"),
    (b'{"transactions": [{"a": "\xff"}]}', "parse_error", "not_utf8"),
    (b'{"transactions": [{}], "transactions": [{}]}', "parse_error", "duplicate_key"),
    (b'{"transactions": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "parse_error", "too_deep"),
]


class TestAMalformedBatch:
    @pytest.mark.parametrize(("body", "code", "fault"), MALFORMED, ids=range(len(MALFORMED)))
    def test_is_refused_as_a_whole(self, till: Till, body: bytes, code: str, fault: str) -> None:
        answer = post_text(till, body)

        assert answer.status_code == 400
        assert body_of(answer)["code"] == code
        assert [each["code"] for each in body_of(answer)["errors"]] == [fault]
        assert Transaction.objects.count() == 0

    def test_with_a_name_we_do_not_know_is_none(self, till: Till) -> None:
        answer = post_text(till, json.dumps({"till": {"id": 1}, "transactions": [sale(1)], "x:y": 3}).encode())

        assert results_of(answer) == [("T-1", "created", 201)]
        assert [each["field"] for each in body_of(answer)["warnings"]] == ["till", "x:y"]


class TestTheKeyOfABatch:
    def test_needs_to_write(self, seeblick: Tenant) -> None:
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)

        assert post(reader, sale(1)).status_code == 403
        assert Transaction.objects.count() == 0

    def test_pays_for_one_call(self, seeblick: Tenant) -> None:
        minted = mint(seeblick, budget=2)
        till = Till(minted.token)

        answers = [post(till, *map(sale, range(first, first + 10))) for first in (0, 10, 20)]

        assert [each.status_code for each in answers] == [200, 200, 429]
        assert Transaction.objects.count() == 20

    def test_pays_for_a_malformed_one_too(self, seeblick: Tenant) -> None:
        minted = mint(seeblick, budget=5)
        post_text(Till(minted.token), b"{")

        assert calls_in_last_hour(minted.key, at=InboundCall.objects.get().at) == 1


class TestTheLogOfABatch:
    def test_is_one_row_with_how_many_of_each(self, till: Till, seeblick: Tenant) -> None:
        post(till, sale(1))

        answer = post(till, sale(1), sale(2), sale(3), sale(1, payment_method="CARD"), sale(4, total_amount="1.00"))

        call = InboundCall.objects.order_by("-pk")[0]
        assert (call.status, call.outcome, call.path) == (
            200,
            Outcome.CREATED,
            "/api/v1/public/pos/transactions/batch/",
        )
        row = InboundBatch.objects.order_by("-pk")[0]
        assert (row.at, row.request_id, row.tenant) == (call.at, answer["X-Request-Id"], seeblick)
        assert (row.created, row.replayed, row.conflicts, row.invalid, row.failed) == (2, 1, 1, 1, 0)
        assert InboundCall.objects.count() == 2

    @pytest.mark.parametrize(
        ("sales", "outcome"),
        [
            ([sale(0), sale(1)], Outcome.CREATED),
            ([sale(0), sale(0, total_amount="1.00")], Outcome.REPLAYED),
            ([sale(0), sale(0, payment_method="CARD")], Outcome.CONFLICT),
            ([sale(0, total_amount="1.00")], Outcome.REFUSED),
        ],
    )
    def test_says_the_best_of_it(self, till: Till, sales: Sequence[Body], outcome: Outcome) -> None:
        till.post(sale(0))

        post(till, *sales)

        assert InboundCall.objects.order_by("-pk")[0].outcome == outcome

    def test_that_fails_keeps_no_sale_out(self, till: Till) -> None:
        with statements_failing(IntegrityError("on purpose"), touching="INSERT INTO pos_bridge_inboundcall"):
            answer = post(till, sale(1), sale(2))

        assert body_of(answer)["counts"] == {**NONE, "created": 2}
        assert InboundBatch.objects.count() == 0


class TestADatabaseThatIsAway:
    @pytest.mark.parametrize("error", AWAY, ids=["operational", "interface"])
    def test_stores_nothing_and_is_told(self, till: Till, error: Exception) -> None:
        post(till, sale(0))
        with statements_failing(error, touching="INSERT INTO kasse_transaction "):
            answer = post(till, sale(1), sale(2))

        assert_unavailable(answer)
        assert Transaction.objects.count() == 1
        assert body_of(post(till, sale(1), sale(2)))["counts"] == {**NONE, "created": 2}


class TestASaleCalledBatch:
    def test_is_read_back_by_its_path(self, till: Till) -> None:
        assert till.read_back("batch").status_code == 404
        stored = till.post(croissants_and_coffee(external_ref="batch"))

        assert body_of(till.read_back("batch")) == body_of(stored)
        assert till.get("/transactions/batch/x/").status_code == 404
