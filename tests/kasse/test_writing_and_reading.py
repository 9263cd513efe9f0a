"""What is written by hand is what is read by hand, and what the ORM reads: to the last digit and character."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kasse.models import LARGEST_RECEIPT, TENDERS, LineKind, PaymentMethod, Source, Transaction
from kasse.reading import sales_under
from kasse.recording import ExternalRefConflict, record_transaction
from kasse.sales import NewItem, NewPayment, NewSale, StoredSale
from tenants.models import Tenant
from tests.contract.sales import new_reference, on_one_campground
from tests.kasse.sales import MORNING, NOON, breakfast, coffee, croissant, paid
from tests.kasse.stored import as_stored

LARGEST = Decimal("99999999.99")


def amounts(places: int, *, least: int = -(10**8) + 1) -> st.SearchStrategy[Decimal]:
    """All that fit, spelt with as many places as there may be, or with fewer; the extremes often, −0 too."""
    extremes = [LARGEST, Decimal(least), Decimal(0), Decimal("-0"), Decimal("-0.00"), Decimal(1).scaleb(-places)]
    exact = st.decimals(least, 10**8 - 1, places=places)
    return st.sampled_from(extremes) | exact | st.integers(least, 10**8 - 1).map(Decimal)


LINE_ENDS_AND_TABS = "\t\n\r"
ORDINARY = ["焼き鳥 🥐", "Zoë's «Käse»", 'a"b\\c', "%s %(name)s", "'; --", "{}", "null", "\u2028\ufeff", "1", "01"]
TEXTS = st.sampled_from(ORDINARY) | st.text(
    st.characters(exclude_categories=["Cc", "Cs"], include_characters=LINE_ENDS_AND_TABS), max_size=30
)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (their zone is added)
IN_METADATA = st.recursive(
    st.none()
    | st.booleans()
    | TEXTS
    | st.integers(-(10**15) + 1, 10**15 - 1)
    | st.sampled_from([0.0, 0.1, -2.5, 1e-14, 0.30000000000001, 123456789012.5, 1.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ITEMS = st.builds(
    NewItem,
    description=TEXTS.filter(bool),
    quantity=amounts(3).filter(bool),
    unit_price=amounts(4),
    line_total=amounts(2),
    sku=TEXTS,
    vat_rate=st.none() | st.decimals(0, 100, places=2),
    category=TEXTS,
    kind=st.sampled_from(LineKind),
)
PAYMENTS = st.builds(NewPayment, method=st.sampled_from(TENDERS), amount=amounts(2), tip_amount=amounts(2, least=0))
SALES = st.builds(
    NewSale,
    external_ref=TEXTS,
    payment_method=st.sampled_from(PaymentMethod),
    currency=st.sampled_from(["CHF", "EUR"]),
    total_amount=amounts(2),
    rounding_amount=amounts(2),
    tip_amount=amounts(2, least=0),
    items=st.lists(ITEMS, min_size=1, max_size=12).map(tuple),
    payments=st.lists(PAYMENTS, max_size=12).map(tuple),
    occurred_at=INSTANTS,
    sent_at=st.none() | INSTANTS,
    refund_of=TEXTS,
    till_id=TEXTS.map(lambda text: text[:64]),
    receipt_seq=st.none() | st.integers(1, LARGEST_RECEIPT),
    metadata=st.dictionaries(TEXTS, IN_METADATA, max_size=4),
    remarks=st.sampled_from(["", "rounding_booked", "rounding_booked unknown_field"]),
)


def under_a_new_reference(sale: NewSale) -> NewSale:
    """The campground is the same in all examples, and no two of them may be one sale."""
    return replace(sale, external_ref=f"{new_reference()}:{sale.external_ref}")


def by_hand(tenant: Tenant, sale: NewSale) -> StoredSale:
    return sales_under(tenant, [sale.external_ref or ""])[sale.external_ref or ""]


def by_the_orm(tenant: Tenant, sale: NewSale) -> StoredSale:
    rows = Transaction.objects.of(tenant).prefetch_related("items", "payments")
    return as_stored(rows.get(external_ref=sale.external_ref))


def record(tenant: Tenant, sale: NewSale) -> StoredSale:
    recorded = record_transaction(tenant=tenant, sale=sale, source=Source.EXTERNAL_POS, received_at=NOON)
    assert recorded.created
    return recorded.stored


class TestASale:
    @on_one_campground
    @given(sale=SALES)
    def test_is_read_as_it_was_written(self, seeblick: Tenant, waldrand: Tenant, sale: NewSale) -> None:
        sale = under_a_new_reference(sale)

        recorded = record(seeblick, sale)

        assert by_hand(seeblick, sale) == recorded
        assert by_the_orm(seeblick, sale) == recorded
        assert replace(recorded.sale, items=sale.items) == sale
        assert sales_under(waldrand, [sale.external_ref or ""]) == {}

    @on_one_campground
    @given(sale=SALES)
    def test_that_is_sent_again_is_the_same_in_all(self, seeblick: Tenant, sale: NewSale) -> None:
        sale = under_a_new_reference(sale)
        first = record(seeblick, sale)

        retry = record_transaction(tenant=seeblick, sale=sale, source=Source.EXTERNAL_POS, received_at=MORNING)

        assert (retry.created, retry.stored, retry.differences) == (False, first, ())

    @on_one_campground
    @given(sale=SALES)
    def test_reads_in_the_same_digits_both_ways(self, seeblick: Tenant, sale: NewSale) -> None:
        """1.50 is equal to 1.5, and looks otherwise in an answer."""
        sale = under_a_new_reference(sale)
        record(seeblick, sale)
        hand, orm = by_hand(seeblick, sale), by_the_orm(seeblick, sale)

        assert repr(hand) == repr(orm)

    @pytest.mark.parametrize(
        "changes",
        [
            {"total_amount": LARGEST, "payments": (paid("99999999.99"),)},
            {"total_amount": -LARGEST, "payments": (paid("-99999999.99"),)},
            {"items": (croissant(unit_price=Decimal("99999999.9999"), quantity=Decimal("-99999999.999")),)},
            {"items": (croissant(unit_price=Decimal("-0.0001"), quantity=Decimal("0.001")),)},
            {"occurred_at": datetime(2026, 4, 29, 8, 14, 32, 1, tzinfo=UTC)},
            {"occurred_at": datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))},
            {"sent_at": datetime(2026, 4, 29, 8, 14, 32, 999_999, tzinfo=UTC)},
            {"sent_at": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
            {"external_ref": "🥐" * 255},
            {"items": tuple(coffee(description=f"Kaffee {number}") for number in range(500))},
            {"payments": ()},
            {"metadata": {"a": {"b": [{"c": [None, True, 1, 1.5, "é"]}]}, "": "", "null": None}},
        ],
        ids="-".join,
    )
    def test_of_the_extremes_is_read_as_it_was_written(self, seeblick: Tenant, changes: dict[str, Any]) -> None:
        sale = breakfast(**changes)

        recorded = record(seeblick, sale)

        assert by_hand(seeblick, sale) == by_the_orm(seeblick, sale) == recorded
        assert replace(recorded.sale, items=sale.items) == sale

    def test_of_minus_nothing_is_one_of_nothing(self, seeblick: Tenant) -> None:
        minus = Decimal("-0.00")
        sale = breakfast(total_amount=minus, rounding_amount=minus, payments=(paid("-0.00"),))

        record(seeblick, sale)

        for stored in (by_hand(seeblick, sale), by_the_orm(seeblick, sale)):
            values = [stored.sale.total_amount, stored.sale.rounding_amount, stored.sale.payments[0].amount]
            assert [str(value) for value in values] == ["0.00"] * 3

    def test_of_the_front_desk_is_no_outside_sale(self, seeblick: Tenant) -> None:
        desk = breakfast(external_ref=None)
        record_transaction(tenant=seeblick, sale=desk, source=Source.FRONT_DESK, received_at=NOON)

        assert sales_under(seeblick, ["", "None"]) == {}

    def test_is_found_by_its_own_reference_alone(self, seeblick: Tenant) -> None:
        references = ["T-1", "t-1", "T-1 ", "T%1", "T_1", "É", "E\u0301", "1", "1.0", "01", "null", "[]"]
        for reference in references:
            record(seeblick, breakfast(external_ref=reference))

        found = sales_under(seeblick, references)

        assert {name: stored.sale.external_ref for name, stored in found.items()} == {name: name for name in references}
        assert sales_under(seeblick, ["T-2", "T", "NULL"]) == {}


class TestAnotherSaleUnderTheReference:
    def test_is_compared_with_what_is_read_by_hand(self, seeblick: Tenant) -> None:
        first = record(seeblick, breakfast())

        with pytest.raises(ExternalRefConflict) as refused:
            record(seeblick, breakfast(total_amount=Decimal("13.00")))

        assert refused.value.stored == first == by_the_orm(seeblick, breakfast())
