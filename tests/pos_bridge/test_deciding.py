"""Decisions about parked sales: once each, recorded, and never a sale twice."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apikeys.minting import Minted
from catalogue.models import VatRate
from kasse.models import Source, Transaction
from kasse.totals import day_totals
from pos_bridge.deciding import (
    AlreadyDecided,
    NoReferenceFree,
    NotBookable,
    ReasonMissing,
    decide,
    parked_sales_of,
    references_for,
)
from pos_bridge.fields import fault_in_reference
from pos_bridge.models import BridgeSettings, Decision, ParkedDecision, ParkedSale
from tenants.models import Role, Tenant, User
from tenants.written_once import WrittenOnce
from tests.factories import NOON, member
from tests.till import Body, Till, body_of, croissants_and_coffee

REFERENCE = "seeblick-2026-04-29-T-1"
DAY = date(2026, 4, 29)
LATER = NOON + timedelta(days=3)
BY_CARD = croissants_and_coffee(payment_method="CARD", metadata={"cashier": "Rosa"})


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)


@pytest.fixture
def rosa(seeblick: Tenant) -> User:
    """An admin of Seeblick."""
    return member(seeblick, Role.TENANT_ADMIN, first_name="Rosa", last_name="Keller")


@pytest.fixture
def parked(till: Till) -> ParkedSale:
    """A card sale under the reference of a cash sale."""
    return park(till, BY_CARD)


def park(till: Till, *bodies: Body) -> ParkedSale:
    """The last of the bodies, parked; the reference is taken by croissants and coffee in cash."""
    till.post(croissants_and_coffee())
    for body in bodies:
        assert till.post(body).status_code == 409
    return ParkedSale.objects.latest("pk")


def make(parked: ParkedSale, decision: Decision, by: User, **fields: Any) -> ParkedDecision:
    """Decide at a later moment."""
    return decide(tenant=parked.tenant, parked=parked.pk, decision=decision, by=by, **{"at": LATER, **fields})


class TestKeeping:
    def test_books_nothing_and_tells_who_when_and_why(self, parked: ParkedSale, rosa: User) -> None:
        made = make(parked, Decision.KEEP, rosa, reason="  The same sale, sent by hand. ")

        made.refresh_from_db()
        assert (made.decided_by, made.decided_by_name, made.decided_at) == (rosa, "Rosa Keller", LATER)
        assert (made.reason, made.booked) == ("The same sale, sent by hand.", None)
        assert ParkedSale.objects.get().decided_at == LATER
        assert Transaction.objects.count() == 1


class TestDiscarding:
    def test_takes_a_reason(self, parked: ParkedSale, rosa: User) -> None:
        with pytest.raises(ReasonMissing):
            make(parked, Decision.DISCARD, rosa, reason=" \n")

        assert ParkedSale.objects.get().decided_at is None
        assert not ParkedDecision.objects.exists()

    def test_for_a_reason_books_nothing(self, parked: ParkedSale, rosa: User) -> None:
        made = make(parked, Decision.DISCARD, rosa, reason="Training")

        assert (made.decision, made.reason) == (Decision.DISCARD, "Training")
        assert Transaction.objects.count() == 1


class TestBooking:
    def test_makes_it_a_sale_like_any_other(self, parked: ParkedSale, rosa: User, key: Minted) -> None:
        booked = make(parked, Decision.BOOK, rosa).booked

        assert booked is not None
        booked.refresh_from_db()
        assert booked.external_ref == f"{REFERENCE}~2"
        assert (booked.source, booked.api_key, booked.payment_method) == (Source.EXTERNAL_POS, key.key, "CARD")
        assert (booked.total_amount, booked.metadata) == (Decimal("12.50"), {"cashier": "Rosa"})
        assert (booked.business_date, booked.received_at) == (DAY, LATER)
        assert booked.occurred_at.isoformat() == "2026-04-29T08:14:32+00:00"
        assert booked.remarks == "booked_from_parking"
        assert booked.items.count() == 2

    def test_counts_in_the_day_on_which_it_was_sold(self, parked: ParkedSale, rosa: User) -> None:
        make(parked, Decision.BOOK, rosa)

        assert day_totals(parked.tenant, DAY).total_amount == Decimal("25.00")

    def test_leaves_the_stored_sale_and_the_neighbour_alone(
        self, parked: ParkedSale, rosa: User, waldrand: Tenant
    ) -> None:
        before = Transaction.objects.filter(external_ref=REFERENCE).values().get()

        make(parked, Decision.BOOK, rosa)

        assert Transaction.objects.filter(external_ref=REFERENCE).values().get() == before
        assert not Transaction.objects.of(waldrand).exists()

    def test_can_be_read_back_by_the_till(self, parked: ParkedSale, rosa: User, till: Till) -> None:
        make(parked, Decision.BOOK, rosa)

        assert body_of(till.read_back(f"{REFERENCE}~2"))["payment_method"] == "CARD"

    def test_keeps_the_remarks_of_the_contract(self, till: Till, rosa: User) -> None:
        rounded = croissants_and_coffee(total_amount="12.45", items=[line("12.47")])

        booked = make(park(till, rounded), Decision.BOOK, rosa).booked

        assert booked is not None
        assert Transaction.objects.get(pk=booked.pk).remarks == "rounding_booked booked_from_parking"

    def test_does_not_ask_whether_the_till_may_still_send(
        self, parked: ParkedSale, rosa: User, key: Minted, seeblick: Tenant
    ) -> None:
        key.key.revoke(at=NOON)
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        booked = make(parked, Decision.BOOK, rosa).booked

        assert booked is not None
        assert booked.api_key == key.key

    def test_of_several_under_one_reference_gives_each_its_own(self, till: Till, rosa: User) -> None:
        park(till, *(BY_CARD | {"payment_method": method} for method in ("CARD", "TWINT", "BANK")))

        numbers = {each.pk: each.number for each in parked_sales_of(rosa.memberships.get().tenant)}
        booked = [make(each, Decision.BOOK, rosa).booked for each in ParkedSale.objects.order_by("-pk")]

        assert sorted(numbers.values()) == [1, 2, 3]
        assert [each.external_ref for each in booked if each] == [f"{REFERENCE}~{end}" for end in (4, 3, 2)]

    @pytest.mark.parametrize("method", ["CASH", "CARD"])
    def test_passes_by_a_reference_that_the_till_has_used_itself(
        self, parked: ParkedSale, rosa: User, till: Till, method: str
    ) -> None:
        """Even by a sale that looks the same: that one came by itself."""
        assert till.post(BY_CARD | {"external_ref": f"{REFERENCE}~2", "payment_method": method}).status_code == 201

        booked = make(parked, Decision.BOOK, rosa).booked

        assert booked is not None
        assert booked.external_ref == f"{REFERENCE}~2.2"
        assert Transaction.objects.count() == 3

    def test_is_not_done_if_all_references_are_taken(self, parked: ParkedSale, rosa: User, till: Till) -> None:
        for reference in references_for(REFERENCE, 1):
            till.post(croissants_and_coffee(external_ref=reference))
        sales = Transaction.objects.count()

        with pytest.raises(NoReferenceFree):
            make(parked, Decision.BOOK, rosa)

        assert ParkedSale.objects.get().decided_at is None
        assert Transaction.objects.count() == sales

    def test_tells_what_the_contract_has_against_it_by_now(self, till: Till, rosa: User, seeblick: Tenant) -> None:
        parked = park(till, croissants_and_coffee(items=[line("12.50", vat_rate="8.1")]))
        VatRate.objects.of(seeblick).filter(rate=Decimal("8.1")).delete()

        with pytest.raises(NotBookable) as refused:
            make(parked, Decision.BOOK, rosa)

        assert [(fault.field, fault.code) for fault in refused.value.faults] == [
            ("items[0].vat_rate", "unknown_vat_rate")
        ]
        assert ParkedSale.objects.get().decided_at is None
        assert not ParkedDecision.objects.exists()

    def test_of_a_campground_that_counts_in_another_currency_by_now_is_refused(
        self, till: Till, rosa: User, seeblick: Tenant
    ) -> None:
        parked = park(till, BY_CARD | {"currency": "CHF"})
        Tenant.objects.filter(pk=seeblick.pk).update(currency="EUR")

        with pytest.raises(NotBookable) as refused:
            make(parked, Decision.BOOK, rosa)

        assert [fault.code for fault in refused.value.faults] == ["currency_mismatch"]


def line(amount: str, **fields: Any) -> Body:
    """A gas bottle."""
    return {"description": "Gasflasche", "quantity": 1, "unit_price": amount, "line_total": amount, **fields}


class TestADecision:
    @pytest.mark.parametrize("second", Decision)
    def test_is_made_once(self, parked: ParkedSale, rosa: User, second: Decision) -> None:
        first = make(parked, Decision.BOOK, rosa)

        with pytest.raises(AlreadyDecided) as refused:
            make(parked, second, rosa, reason="Another view")

        assert refused.value.decision == first
        assert refused.value.decision.booked == first.booked
        assert (ParkedDecision.objects.count(), Transaction.objects.count()) == (1, 2)

    def test_is_the_neighbours_alone(self, parked: ParkedSale, waldrand: Tenant) -> None:
        wanda = member(waldrand, Role.TENANT_ADMIN)

        with pytest.raises(ParkedSale.DoesNotExist):
            decide(tenant=waldrand, parked=parked.pk, decision=Decision.BOOK, by=wanda, at=LATER)

    @pytest.mark.parametrize("decision", Decision)
    def test_stands_when_the_till_repeats_the_sale(
        self, parked: ParkedSale, rosa: User, till: Till, decision: Decision
    ) -> None:
        make(parked, decision, rosa, reason="Decided")
        sales = Transaction.objects.count()

        for _ in range(2):
            assert body_of(till.post(BY_CARD))["code"] == "external_ref_conflict"

        again = ParkedSale.objects.get()
        assert (again.decided_at, again.times_received) == (LATER, 3)
        assert Transaction.objects.count() == sales

    def test_can_neither_be_changed_nor_deleted(self, parked: ParkedSale, rosa: User) -> None:
        made = make(parked, Decision.KEEP, rosa)

        with pytest.raises(WrittenOnce):
            ParkedDecision.objects.update(reason="Other")
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            made.delete()
        for statement in ("UPDATE {} SET reason = 'Other'", "DELETE FROM {}"):
            with (
                pytest.raises(IntegrityError, match="written once"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement.format(ParkedDecision._meta.db_table))

    @pytest.mark.parametrize(
        "broken",
        [
            {"decision": "maybe"},
            {"decision": Decision.BOOK},
            {"decision": Decision.DISCARD, "reason": ""},
            {"decision": Decision.KEEP, "with_sale": True},
        ],
    )
    def test_that_makes_no_sense_is_refused_by_the_database(
        self, parked: ParkedSale, rosa: User, broken: dict[str, Any]
    ) -> None:
        booked = parked.stored if broken.pop("with_sale", False) else None

        with pytest.raises(IntegrityError, match="parked_decision"), transaction.atomic():
            ParkedDecision.objects.create(
                tenant=parked.tenant, parked=parked, decided_at=NOON, decided_by=rosa, booked=booked, **broken
            )

    def test_takes_its_sale_back_if_it_cannot_be_written(
        self, parked: ParkedSale, rosa: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("a mouse in the engine room")

        monkeypatch.setattr("pos_bridge.deciding.trace", fail)

        with pytest.raises(RuntimeError):
            make(parked, Decision.BOOK, rosa)

        assert Transaction.objects.count() == 1
        assert ParkedSale.objects.get().decided_at is None


REFERENCES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=255).filter(
    lambda text: fault_in_reference(text) is None
)


class TestReferencesFor:
    @given(REFERENCES, st.integers(1, 5000))
    def test_keep_the_rules_and_are_all_different(self, reference: str, number: int) -> None:
        found = list(references_for(reference, number))

        assert len(set(found)) == len(found)
        assert all(fault_in_reference(each) is None and 0 < len(each) <= 255 for each in found)
        assert reference not in found

    @given(REFERENCES, st.integers(1, 40), st.integers(1, 40))
    def test_of_two_parked_sales_never_meet(self, reference: str, one: int, other: int) -> None:
        both = {*references_for(reference, one)} & {*references_for(reference, other)}

        assert bool(both) == (one == other)
