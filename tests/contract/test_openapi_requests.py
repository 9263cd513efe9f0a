"""What follows the published schemas is taken by the service; what they refuse, it refuses.

Beside the schemas stand rules that no schema can say; ``as_the_rules_say()`` is all a generator must know of
them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalogue.vat import rates_on
from pos_bridge.fields import fault_in_reference
from tenants.models import Tenant
from tests.contract.drawing import documents
from tests.contract.published import COMPONENTS, DESCRIBED, deviations, faults_in
from tests.till import BASE, Body, Till, body_of, croissants_and_coffee

SALE = {"$ref": "#/components/schemas/SaleRequest"}
LARGEST = Decimal(10**8)

bounded = settings(
    max_examples=60,
    deadline=None,
    database=None,
    # The campground is the same in all examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class TestASaleThatFollowsTheSchema:
    @bounded
    @given(drawn=documents(SALE), choice=st.randoms(use_true_random=False))
    def test_is_taken_and_reads_back(self, drawn: Body, choice: Any, till: Till, seeblick: Tenant) -> None:
        sale = as_the_rules_say(drawn, seeblick, choice)
        assert faults_in(sale, SALE) == []

        with rolled_back():
            answer = till.post(sale)
            read = till.read_back(sale["external_ref"])

        assert answer.status_code == 201, answer.content
        assert deviations("post_transaction", answer) == []
        stored = body_of(answer)
        assert stored["external_ref"] == sale["external_ref"]
        assert Decimal(stored["total_amount"]) == Decimal(sale["total_amount"])
        assert body_of(read) == {name: value for name, value in stored.items() if name != "warnings"}

    def test_may_have_as_many_lines_and_payments_as_it_says(self, till: Till) -> None:
        fields = COMPONENTS["schemas"]["SaleRequest"]["properties"]
        lines, payments = fields["items"]["maxItems"], fields["payments"]["maxItems"]
        sale = croissants_and_coffee(
            total_amount=f"{lines}.00",
            items=[{"description": "Brot", "quantity": 1, "unit_price": "1", "line_total": "1.00"}] * lines,
            payments=[{"method": "CASH", "amount": f"{lines // payments}.00"}] * payments,
        )

        assert faults_in(sale, SALE) == []
        assert till.post(sale).status_code == 201


def queries(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Query parameters of an operation; the first page alone is always there."""
    parameters = [each for each in DESCRIBED[name].operation["parameters"] if each.get("in") == "query"]
    values = {each["name"]: documents(each["schema"]) for each in parameters if each["name"] != "page"}
    return st.fixed_dictionaries({}, optional=values)


QUERIES = {name: queries(name) for name in ("list_transactions", "list_products")}


class TestAFilterThatFollowsTheSchema:
    @bounded
    @given(data=st.data())
    @pytest.mark.parametrize("name", QUERIES)
    def test_is_taken(self, name: str, data: st.DataObject, till: Till) -> None:
        query = data.draw(QUERIES[name])

        answer = till.get(DESCRIBED[name].path.removeprefix(BASE) + "?" + as_query(query))

        assert answer.status_code == 200, answer.content
        assert deviations(name, answer) == []


# One field at a time; ``items.…`` is a field of the first line.
WRONG = [
    ("external_ref", ""),
    ("external_ref", " T-1"),
    ("external_ref", "T-1 "),
    ("external_ref", "/T-1"),
    ("external_ref", "T-1/"),
    ("external_ref", "."),
    ("external_ref", ".."),
    ("external_ref", "T\u202e1"),
    ("external_ref", "T\n1"),
    ("external_ref", "T" * 256),
    ("external_ref", 1234),
    ("payment_method", "cash"),
    ("payment_method", "MIXED"),
    ("total_amount", "1.25e1"),
    ("total_amount", "+12.50"),
    ("total_amount", "12.500"),
    ("total_amount", "12."),
    ("total_amount", "１２.50"),
    ("total_amount", "112345678.00"),
    ("total_amount", True),
    ("items", []),
    ("items.description", ""),
    ("items.description", "Crois\u0007sant"),
    ("items.quantity", 0),
    ("items.quantity", "0.000"),
    ("items.quantity", "0.0001"),
    ("items.unit_price", "3.50001"),
    ("items.vat_rate", "101"),
    ("items.kind", "GIFT"),
    ("items.sku", "S" * 65),
    ("occurred_at", "2026-04-29T08:14:32"),
    ("occurred_at", "2026-04-29"),
    ("occurred_at", "2026-02-29T08:14:32Z"),
    ("occurred_at", "2026-04-31T08:14:32Z"),
    ("occurred_at", "2026-04-29T24:00:00Z"),
    ("occurred_at", "1999-12-31T23:59:59Z"),
    ("occurred_at", 1777450472),
    ("currency", "chf"),
    ("tip_amount", "-1.00"),
    ("payments", []),
    ("metadata", []),
    ("metadata", {str(number): number for number in range(21)}),
]


class TestWhatTheSchemaRefuses:
    @pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: ascii(value)[:30])
    def test_is_refused_by_the_service(self, till: Till, field: str, value: Any) -> None:
        sale = croissants_and_coffee()
        part = sale["items"][0] if field.startswith("items.") else sale
        part[field.removeprefix("items.")] = value

        assert faults_in(sale, SALE) != []
        assert till.post(sale).status_code == 400


PUBLISHED = re.compile(COMPONENTS["schemas"]["Reference"]["pattern"])


class TestThePatternOfReferences:
    def test_lets_no_character_in_that_the_service_refuses(self) -> None:
        characters = [chr(code) for code in range(0x10000)]

        for text in [*characters, *(f"T{character}1" for character in characters)]:
            if PUBLISHED.search(text):
                assert fault_in_reference(text) is None, ascii(text)

    def test_lets_every_letter_of_every_living_script_in(self) -> None:
        letters = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code))[0] in "LNMP"]

        assert [letter for letter in letters if not PUBLISHED.search(f"T{letter}1")] == []


@contextmanager
def rolled_back() -> Iterator[None]:
    """Take back what an example has stored, so that the next may use its reference."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def as_the_rules_say(drawn: Body, tenant: Tenant, choice: Any) -> Body:
    """The same sale with what its schema tells in words alone: the clock, the campground's table, and the sums."""
    sale = drawn | {"occurred_at": in_the_past(drawn["occurred_at"])}
    if sale.get("currency"):
        sale["currency"] = tenant.currency
    assume(len(json.dumps(sale.get("metadata"), ensure_ascii=False).encode()) <= 2048)
    day = datetime.fromisoformat(sale["occurred_at"][:10]).date() - timedelta(days=2)
    rates = sorted(rates_on(tenant, day) & rates_on(tenant, day + timedelta(days=4)))
    sale["items"] = [
        line | ({"vat_rate": str(choice.choice(rates))} if line.get("vat_rate") else {}) for line in sale["items"]
    ]
    return with_sums(sale)


def in_the_past(instant: str) -> str:
    """The same in one of the years 2001 to 2024; a leap year becomes a leap year."""
    return f"20{(int(instant[2:4]) - 1) % 24 + 1:02}{instant[4:]}"


def with_sums(sale: Body) -> Body:
    """The total that the lines make, the last payment that makes the total, and methods and tips that agree."""
    total = sum(Decimal(line["line_total"]) for line in sale["items"]) + Decimal(sale.get("rounding_amount") or 0)
    summed = sale | {"total_amount": str(total)}
    amounts = [total]
    if sale.get("payments"):
        payments = [dict(each) for each in sale["payments"]]
        amounts.append(total - sum(Decimal(each["amount"]) for each in payments[:-1]))
        payments[-1]["amount"] = str(amounts[-1])
        methods = {each["method"] for each in payments}
        tips = sum((Decimal(each.get("tip_amount") or 0) for each in payments), Decimal(0))
        amounts.append(tips)
        summed |= {"payments": payments, "payment_method": methods.pop() if len(methods) == 1 else "MIXED"}
        summed |= {"tip_amount": str(tips)} if tips else {}
    assume(all(abs(amount) < LARGEST for amount in amounts))
    return summed


def as_query(query: dict[str, Any]) -> str:
    """A query string, every character escaped that can be."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
    return "&".join(f"{name}={quote(text, safe='')}" for name, text in texts.items())
