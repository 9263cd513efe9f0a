"""A till's day against ours: exactly what was lost, changed or invented is found, and kept as evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apikeys.minting import Minted
from apikeys.models import Scope
from apikeys.replacing import replace_key
from kasse.models import Transaction
from pos_bridge.models import InboundCall, Reconciliation
from pos_bridge.telling import MOST_ROWS
from tenants.models import Tenant
from tenants.written_once import WrittenOnce
from tests.factories import mint
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db

DAY = "2026-04-29"
LISTS = ("missing_here", "unknown_to_you", "amount_differs", "other_day", "totals_differ")
EMPTY: dict[str, list[Any]] = {name: [] for name in LISTS}


def sale(number: int, amount: str = "5.50", **changes: Any) -> Body:
    """A coffee."""
    line = {"description": "Kaffee", "quantity": 1, "unit_price": amount, "line_total": amount}
    return croissants_and_coffee(external_ref=f"T-{number}", total_amount=amount, items=[line], **changes)


def told(**amounts: str) -> list[Body]:
    """Sales as a till tells them; ``T_1`` stands for T-1."""
    return [{"external_ref": name.replace("_", "-"), "total_amount": amount} for name, amount in amounts.items()]


def reconcile(till: Till, **day: Any) -> HttpResponse:
    """Tell a day."""
    body = json.dumps({"business_date": DAY, **day}).encode()
    return till.call("POST", "/reconciliations/", body=body)


def lists_of(answer: HttpResponse) -> dict[str, Any]:
    """What differs."""
    assert answer.status_code == 200, answer.content
    return {name: body_of(answer)[name] for name in EMPTY}


class TestADayOnWhichTheKeyWasReplaced:
    """The till has sold under both, and tells of one day."""

    @pytest.fixture
    def new(self, key: Minted, till: Till, waldrand: Tenant) -> Till:
        till.post(sale(1))
        new = Till(replace_key(key.key, at=timezone.now()).token)
        new.post(sale(2))
        Till(mint(key.key.tenant, name="Bistro").token).post(sale(3))
        Till(mint(waldrand).token).post(sale(4))
        return new

    def test_is_complete_whichever_key_tells_of_it(self, new: Till, till: Till) -> None:
        for each in (new, till):
            answer = reconcile(each, transactions=told(T_1="5.50", T_2="5.50"))
            assert (lists_of(answer), body_of(answer)["verdict"]) == (EMPTY, "complete")

    def test_is_complete_by_its_totals(self, new: Till) -> None:
        answer = reconcile(new, totals={"count": 2, "total_amount": "11.00"})

        assert body_of(answer)["verdict"] == "complete"

    def test_is_summed_up_as_one_tills(self, new: Till) -> None:
        body = body_of(new.get(f"/transactions/summary/?business_date={DAY}&mine=true"))

        assert (body["count"], body["total_amount"]) == (2, "11.00")


class TestADayThatIsComplete:
    def test_is_said_to_be_so(self, till: Till) -> None:
        till.post(sale(1))
        till.post(sale(2, "-3.00"))

        answer = reconcile(till, transactions=told(T_1="5.5", T_2="-3.00"))

        assert lists_of(answer) == EMPTY
        body = body_of(answer)
        assert body["verdict"] == "complete"
        assert body["yours"] == body["ours"] == {"count": 2, "total_amount": "2.50"}

    def test_may_be_one_without_a_sale(self, till: Till) -> None:
        assert body_of(reconcile(till, transactions=[]))["verdict"] == "complete"

    def test_may_be_told_as_totals(self, till: Till) -> None:
        till.post(sale(1))
        till.post(sale(2, payment_method="TWINT"))
        payments = [{"method": "CASH", "amount": "5.50"}, {"method": "TWINT", "amount": 5.5}]

        for totals in ({"count": 2, "total_amount": "11.00"}, {"count": "2", "total_amount": 11, "payments": payments}):
            answer = reconcile(till, totals=totals)
            assert body_of(answer)["verdict"] == "complete", answer.content
            assert body_of(answer)["compared"] == "totals"


class TestADayThatIsNot:
    def test_names_what_is_missing_unknown_and_different(self, till: Till) -> None:
        for number in (1, 2, 3):
            till.post(sale(number))

        answer = reconcile(till, transactions=told(T_2="5.50", T_3="6.50", T_4="7.00"))

        assert lists_of(answer) == {
            **EMPTY,
            "missing_here": ["T-4"],
            "unknown_to_you": [{"external_ref": "T-1", "total_amount": "5.50"}],
            "amount_differs": [{"external_ref": "T-3", "yours": "6.50", "ours": "5.50"}],
        }
        body = body_of(answer)
        assert body["verdict"] == "incomplete"
        assert body["counts"] == {"missing_here": 1, "unknown_to_you": 1, "amount_differs": 1, "other_day": 0}
        assert (body["yours"], body["ours"]) == (
            {"count": 3, "total_amount": "19.00"},
            {"count": 3, "total_amount": "16.50"},
        )

    def test_is_complete_once_exactly_the_missing_ones_are_sent(self, till: Till) -> None:
        till.post(sale(1))
        day = told(T_1="5.50", T_2="5.50", T_3="5.50")

        for reference in body_of(reconcile(till, transactions=day))["missing_here"]:
            assert till.post(sale(int(reference[2:]))).status_code == 201

        assert body_of(reconcile(till, transactions=day))["verdict"] == "complete"

    def test_names_what_counts_for_another_day(self, till: Till) -> None:
        till.post(sale(1, occurred_at="2026-04-28T12:00:00Z"))

        answer = reconcile(till, transactions=told(T_1="5.50"))

        assert lists_of(answer) == {**EMPTY, "other_day": [{"external_ref": "T-1", "business_date": "2026-04-28"}]}
        assert body_of(answer)["verdict"] == "incomplete"

    def test_told_as_totals_names_the_figures(self, till: Till) -> None:
        till.post(sale(1))
        payments = [{"method": "CARD", "amount": "6.00"}]

        answer = reconcile(till, totals={"count": 2, "total_amount": "6.00", "payments": payments})

        assert body_of(answer)["totals_differ"] == [
            {"what": "count", "yours": 2, "ours": 1},
            {"what": "total_amount", "yours": "6.00", "ours": "5.50"},
            {"what": "payments.CARD", "yours": "6.00", "ours": "0.00"},
            {"what": "payments.CASH", "yours": "0.00", "ours": "5.50"},
        ]


class TestATillHearsOfItsOwnSales:
    def test_and_never_of_another_tills(self, till: Till, seeblick: Tenant) -> None:
        Till(mint(seeblick, name="Bistro").token).post(sale(1))
        till.post(sale(2))

        assert lists_of(reconcile(till, transactions=told(T_2="5.50"))) == EMPTY
        assert body_of(reconcile(till, totals={"count": 1, "total_amount": "5.50"}))["verdict"] == "complete"

    def test_but_is_not_told_to_send_what_another_key_has_brought(self, till: Till, seeblick: Tenant) -> None:
        Till(mint(seeblick, name="The till's old key").token).post(sale(1))

        answer = reconcile(till, transactions=told(T_1="5.50"))

        assert lists_of(answer) == EMPTY
        assert body_of(answer)["ours"] == {"count": 1, "total_amount": "5.50"}

    def test_and_of_nothing_at_another_campground(self, till: Till, neighbours_till: Till) -> None:
        neighbours_till.post(sale(1))

        assert body_of(reconcile(till, transactions=told(T_1="5.50")))["missing_here"] == ["T-1"]
        assert body_of(reconcile(till, transactions=[]))["verdict"] == "complete"


class TestTheEvidence:
    def test_is_kept_with_its_verdict(self, till: Till, key: Minted, seeblick: Tenant) -> None:
        till.post(sale(1))

        answer = reconcile(till, transactions=told(T_2="7.00"))

        row = Reconciliation.objects.of(seeblick).get()
        assert str(row.pk) == body_of(answer)["id"]
        assert (row.api_key, row.business_date, row.verdict) == (key.key, date(2026, 4, 29), "incomplete")
        assert (row.told_count, row.told_amount, row.stored_count, row.stored_amount) == (
            1,
            Decimal("7.00"),
            1,
            Decimal("5.50"),
        )
        assert (row.missing_count, row.unknown_count, row.differing_count, row.other_day_count) == (1, 1, 0, 0)
        assert row.details["missing_here"] == ["T-2"]

    def test_holds_no_more_than_a_hundred_rows_of_a_list(self, till: Till) -> None:
        day = [{"external_ref": f"T-{number}", "total_amount": "1.00"} for number in range(150)]

        answer = reconcile(till, transactions=day)

        assert len(body_of(answer)["missing_here"]) == 150
        row = Reconciliation.objects.get()
        assert len(row.details["missing_here"]) == 100
        assert row.missing_count == 150

    def test_is_never_changed(self, till: Till) -> None:
        reconcile(till, transactions=[])

        with pytest.raises(WrittenOnce):
            Reconciliation.objects.all().delete()
        for deed in ("UPDATE pos_bridge_reconciliation SET told_count = 7", "DELETE FROM pos_bridge_reconciliation"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(deed)
        assert Reconciliation.objects.count() == 1

    def test_of_a_refused_day_is_none(self, till: Till) -> None:
        assert reconcile(till).status_code == 400
        assert Reconciliation.objects.count() == 0


ROW = {"external_ref": "T-1", "total_amount": "1.00"}
FAULTY = [
    ({}, "transactions", "required"),
    ({"transactions": None, "totals": None}, "transactions", "required"),
    ({"transactions": [], "totals": {"count": 0, "total_amount": "0"}}, "transactions", "both"),
    ({"transactions": {}}, "transactions", "not_a_list"),
    ({"transactions": [1]}, "transactions[0]", "invalid"),
    ({"transactions": [ROW, {**ROW, "total_amount": "x"}]}, "transactions[1].total_amount", "invalid"),
    ({"transactions": [{**ROW, "external_ref": 1}]}, "transactions[0].external_ref", "invalid"),
    ({"transactions": [{"total_amount": "1"}]}, "transactions[0].external_ref", "required"),
    ({"transactions": [ROW, ROW]}, "transactions[1].external_ref", "repeated"),
    ({"transactions": [ROW] * (MOST_ROWS + 1)}, "transactions", "too_many"),
    ({"totals": {"count": -1, "total_amount": "0"}}, "totals.count", "min_value"),
    ({"totals": {"count": "1.5", "total_amount": "0"}}, "totals.count", "max_places"),
    ({"totals": {"count": 0}}, "totals.total_amount", "required"),
    ({"totals": []}, "totals", "invalid"),
    (
        {"totals": {"count": 0, "total_amount": 0, "payments": [{"method": "MIXED", "amount": 0}]}},
        "totals.payments[0].method",
        "invalid_choice",
    ),
    (
        {"totals": {"count": 0, "total_amount": 0, "payments": [{"method": "CASH", "amount": 0}] * 2}},
        "totals.payments[1].method",
        "repeated",
    ),
    ({"transactions": [], "business_date": "29.04.2026"}, "business_date", "invalid"),
    ({"transactions": [], "business_date": None}, "business_date", "null"),
]


class TestAFaultyDay:
    @pytest.mark.parametrize(("day", "field", "code"), FAULTY, ids=range(len(FAULTY)))
    def test_is_refused_with_its_fault(self, till: Till, day: Body, field: str, code: str) -> None:
        answer = reconcile(till, **day)

        assert answer.status_code == 400, answer.content
        assert [(each["field"], each["code"]) for each in body_of(answer)["errors"]] == [(field, code)]

    @pytest.mark.parametrize("body", [b"[]", b"null", b"{", b'{"totals": 1, "totals": 1}', b"\xff"])
    def test_that_cannot_be_read_is_refused(self, till: Till, body: bytes) -> None:
        answer = till.call("POST", "/reconciliations/", body=body)

        assert (answer.status_code, body_of(answer)["code"]) == (400, "parse_error")

    def test_with_a_name_we_do_not_know_is_none(self, till: Till) -> None:
        answer = reconcile(till, transactions=[], cashier="Vreni")

        assert [each["field"] for each in body_of(answer)["warnings"]] == ["cashier"]

    def test_may_have_ten_thousand_sales(self, till: Till) -> None:
        day = [{"external_ref": f"T-{number}", "total_amount": "1.00"} for number in range(MOST_ROWS)]

        assert body_of(reconcile(till, transactions=day))["counts"]["missing_here"] == MOST_ROWS


class TestTheKey:
    def test_needs_to_write_to_reconcile_and_to_read_for_a_summary(self, seeblick: Tenant) -> None:
        reader, writer = (Till(mint(seeblick, scopes=[scope]).token) for scope in (Scope.POS_READ, Scope.POS_WRITE))

        assert reconcile(reader, transactions=[]).status_code == 403
        assert reconcile(writer, transactions=[]).status_code == 200
        assert reader.get(f"/transactions/summary/?business_date={DAY}").status_code == 200
        assert writer.get(f"/transactions/summary/?business_date={DAY}").status_code == 403

    def test_pays_for_each(self, seeblick: Tenant) -> None:
        till = Till(mint(seeblick, budget=2).token)

        answers = [reconcile(till, transactions=[]), till.get(f"/transactions/summary/?business_date={DAY}")]
        answers.append(reconcile(till, transactions=[]))

        assert [each.status_code for each in answers] == [200, 200, 429]
        assert Reconciliation.objects.count() == 1
        assert [call.outcome for call in InboundCall.objects.order_by("pk")] == ["read", "read", "throttled"]


@contextmanager
def rolled_back() -> Iterator[None]:
    """Take back what an example has stored."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


amounts = st.integers(-50_000, 50_000).map(lambda cents: f"{Decimal(cents).scaleb(-2):.2f}")
# By number: what the till sold it for, and what became of it on its way.
days = st.dictionaries(
    st.integers(1, 60), st.tuples(amounts, st.sampled_from(["stored", "lost", "changed", "invented"])), max_size=25
)


class TestARandomDay:
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(day=days)
    def test_gives_back_exactly_what_was_removed_changed_and_invented(self, till: Till, day: dict[int, Any]) -> None:
        """*Removed* on its way here, *changed* there or here, *invented*: here without the till's knowing."""

        def of(fate: str) -> set[str]:
            return {f"T-{number}" for number, (_amount, became) in day.items() if became == fate}

        with rolled_back():
            here = [number for number in day if f"T-{number}" not in of("lost")]
            if here:
                batch = {"transactions": [sale(number, day[number][0]) for number in here]}
                till.call("POST", "/transactions/batch/", body=json.dumps(batch).encode())
            journal = {
                f"T-{number}": str(Decimal(amount) + 1) if became == "changed" else amount
                for number, (amount, became) in day.items()
                if became != "invented"
            }
            answer = reconcile(
                till, transactions=[{"external_ref": each, "total_amount": told} for each, told in journal.items()]
            )
            stored = Transaction.objects.count()

        body = body_of(answer)
        assert set(body["missing_here"]) == of("lost")
        assert {each["external_ref"] for each in body["unknown_to_you"]} == of("invented")
        assert {each["external_ref"] for each in body["amount_differs"]} == of("changed")
        assert (body["verdict"] == "complete") == (of("stored") == {f"T-{number}" for number in day})
        assert body["ours"]["count"] == stored == len(here)
        assert Decimal(body["yours"]["total_amount"]) == sum(map(Decimal, journal.values()))
