"""What the product page promises to whoever posts and reads."""

from __future__ import annotations

import http.client
import json
import socket
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import translation

from apikeys.models import ApiKey
from kasse.models import PaymentMethod, Source, Transaction
from kasse.recording import record_transaction
from kasse.sales import NewPayment, NewSale
from pos_bridge.models import InboundCall
from tenants.models import Tenant
from tests.factories import NOON, ProductFactory
from tests.promises.conftest import Office
from tests.promises.page import EXAMPLE, quotes
from tests.server.calls import Conversation, WireTill
from tests.server.fixtures import wait_for_calls
from tests.till import Till, croissants_and_coffee

JSON = {"Content-Type": "application/json"}
REFERENCE = "lightspeed-2026-04-29-T-1234"


def example(**changes: Any) -> dict[str, Any]:
    """The page's own example."""
    sale: dict[str, Any] = json.loads(EXAMPLE)
    return sale | changes


def sold_at_the_front_desk(tenant: Tenant, amount: str) -> Transaction:
    """A night's stay, paid at the front desk."""
    sale = NewSale(
        external_ref=None,
        payment_method=PaymentMethod.CARD,
        currency="CHF",
        total_amount=Decimal(amount),
        rounding_amount=Decimal(0),
        tip_amount=Decimal(0),
        items=(),
        payments=(NewPayment(method=PaymentMethod.CARD, amount=Decimal(amount), tip_amount=Decimal(0)),),
        occurred_at=NOON,
        sent_at=None,
        refund_of="",
        metadata={},
    )
    recorded = record_transaction(tenant=tenant, sale=sale, source=Source.FRONT_DESK, received_at=NOON)
    return Transaction.objects.get(pk=recorded.stored.id)


class TestTheBridge:
    @quotes("If your campground shop runs on its own till")
    def test_adds_the_tills_revenue_to_the_front_desks(self, till: WireTill, seeblick: Tenant) -> None:
        sold_at_the_front_desk(seeblick, "84.00")

        till.post(example())

        day = Transaction.objects.of(seeblick).filter(business_date=date(2026, 4, 29))
        assert day.aggregate(Sum("total_amount"))["total_amount__sum"] == Decimal("96.50")
        by_source = dict(day.values_list("source", "total_amount"))
        assert by_source == {Source.FRONT_DESK: Decimal("84.00"), Source.EXTERNAL_POS: Decimal("12.50")}

    @quotes("Unlike the other integrations, this one is inbound")
    def test_calls_nobody(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        """In this process, where every connection that Python opens can be seen."""
        till = Till(office.mint())

        def refuse(self: socket.socket, address: object) -> None:
            raise AssertionError(f"The bridge calls {address}.")

        monkeypatch.setattr(socket.socket, "connect", refuse)

        assert till.post(example()).status_code == 201
        assert till.read_back(REFERENCE).status_code == 200

    @quotes(
        "You don’t have a vendor account to configure here",
        "None on the vendor side",
        "You configure CampOne, then point your external system at it.",
        "An external POS system that can make HTTP requests with a Bearer token",
        "Auth: Authorization: Bearer <the-token-you-just-copied>",
    )
    def test_needs_a_minted_token_and_nothing_else(self, office: Office) -> None:
        token = office.mint()

        plain = http.client.HTTPConnection("127.0.0.1", office.server.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}", **JSON, "Host": "seeblick.campone.example"}
        plain.request("POST", "/api/v1/public/pos/transactions/", EXAMPLE, headers)
        answer = plain.getresponse()
        answer.read()
        plain.close()

        assert answer.status == 201

    @quotes("API URL: https://your-tenant.campone.ch/api/v1/public/pos/transactions/")
    def test_lives_at_the_campgrounds_own_address(self, office: Office) -> None:
        token = office.mint()

        own = office.till(token).post(example())
        neighbours = WireTill(office.server.port, token, host="waldrand.campone.example").post(example())

        assert own.status == 201
        assert (neighbours.status, neighbours.body["detail"]) == (401, "invalid_key")


class TestPosting:
    @quotes("A public API at /api/v1/public/pos/transactions/ that accepts external transactions")
    def test_accepts_the_pages_example_to_the_letter(self, till: WireTill) -> None:
        answer = till.call("POST", "/transactions/", body=EXAMPLE.encode(), headers=JSON)

        body = answer.body
        assert answer.status == 201
        assert (body["external_ref"], body["total_amount"], body["payment_method"]) == (REFERENCE, "12.50", "CASH")
        assert [item["line_total"] for item in body["items"]] == ["7.00", "5.50"]
        assert "warnings" not in body

    @quotes("Live integrations against specific external POS vendors")
    def test_needs_no_more_than_the_pages_five_fields(self, till: WireTill) -> None:
        assert set(example()) == {"external_ref", "payment_method", "total_amount", "items", "occurred_at"}
        for field in example():
            less = {name: value for name, value in example().items() if name != field}
            refused = till.post(less)
            assert refused.status == 400
            assert refused.body[field] == ["This field is required."]

        assert till.post(example()).status == 201

    @quotes("Idempotent on external_ref — retrying after a network blip never creates duplicates")
    def test_again_after_a_network_blip_makes_no_duplicate(self, till: WireTill) -> None:
        """The till sends its sale and never hears the answer, three times over."""
        sent = till.head("POST", "/transactions/", "Content-Type: application/json", f"Content-Length: {len(EXAMPLE)}")
        for blip in range(3):
            with Conversation(till.port) as line:
                line.send(sent + EXAMPLE.encode())
                wait_for_calls(blip + 1)

        assert till.post(example()).status == 200
        assert Transaction.objects.count() == 1

    @quotes("CampOne enforces uniqueness per tenant, so retrying the same transaction returns a 200")
    def test_again_returns_200_with_the_existing_record(self, office: Office, till: WireTill) -> None:
        first = till.post(example())

        retry = till.post(example())
        neighbours = WireTill(office.server.port, office.mint("waldrand")).post(example())

        assert (first.status, retry.status) == (201, 200)
        assert retry.content == first.content
        assert neighbours.status == 201
        assert neighbours.body["id"] != first.body["id"]
        assert Transaction.objects.count() == 2

    @quotes("The external_ref is your idempotency key")
    def test_another_transaction_under_the_same_reference_is_refused(self, till: WireTill) -> None:
        first = till.post(example())

        other = till.post(example(total_amount="7.00", items=example()["items"][:1]))

        assert (other.status, other.body["detail"]) == (409, "external_ref_conflict")
        assert till.read_back(REFERENCE).content == first.content
        assert till.post(example(external_ref="lightspeed-2026-04-29-T-1235")).status == 201

    @quotes("Refunds posted from the external POS appear in CampOne as separate transactions")
    def test_a_refund_makes_a_transaction_of_its_own_that_is_linked_to_none(self, till: WireTill) -> None:
        sale = till.post(example())
        line = {"description": "Croissant", "quantity": -2, "unit_price": "3.50", "line_total": "-7.00"}

        refund = till.post(example(external_ref="R-1", total_amount="-7.00", items=[line], refund_of=REFERENCE))
        orphan = till.post(example(external_ref="R-2", total_amount="-7.00", items=[line], refund_of="never heard of"))

        assert (refund.status, orphan.status) == (201, 201)
        assert till.read_back(REFERENCE).content == sale.content
        stored = Transaction.objects.get(external_ref="R-1")
        assert stored.is_refund
        links = [field.name for field in Transaction._meta.get_fields() if field.related_model is Transaction]
        assert links == []


class TestReading:
    @quotes(
        "A read-back endpoint for end-of-day reconciliation",
        "End-of-day, the external system can GET /api/v1/public/pos/transactions/<external_ref>/",
    )
    def test_back_confirms_what_is_there_and_what_is_not(self, till: WireTill) -> None:
        posted = till.post(example())

        assert till.get(f"/transactions/{REFERENCE}/").body == posted.body
        assert till.get("/transactions/lightspeed-2026-04-29-T-9999/").status == 404

    @quotes("A read-back endpoint for end-of-day reconciliation")
    def test_the_evening_adds_up_to_what_the_till_has_sold(self, till: WireTill) -> None:
        for number in range(60):
            till.post(croissants_and_coffee(external_ref=f"T-{number}"))

        seen: list[Any] = []
        page: int | None = 1
        while page:
            body = till.get(f"/transactions/?business_date=2026-04-29&page={page}").body
            seen += body["results"]
            page = page + 1 if body["next"] else None

        assert body["count"] == len(seen) == 60
        assert {sale["external_ref"] for sale in seen} == {f"T-{number}" for number in range(60)}
        assert sum(Decimal(sale["total_amount"]) for sale in seen) == 60 * Decimal("12.50")

    @quotes(
        "A products endpoint so the external POS can sync the catalogue",
        "Or GET /api/v1/public/pos/products/ to refresh its catalogue.",
    )
    def test_the_products_gives_the_catalogue_and_says_when_nothing_is_new(
        self, till: WireTill, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        ProductFactory.create(tenant=seeblick, sku="G11", name="Gasflasche 11 kg", unit_price="49.90", vat_rate="8.1")
        ProductFactory.create(tenant=waldrand, sku="G11", name="Propane", unit_price="45.00")

        first = till.get("/products/")
        again = till.call("GET", "/products/", headers={"If-None-Match": first.headers["etag"]})

        [product] = first.body["results"]
        assert (product["sku"], product["name"], product["unit_price"]) == ("G11", "Gasflasche 11 kg", "49.90")
        assert (again.status, again.content) == (304, b"")

    @quotes("Inside CampOne, transactions from external sources show in /kasse/transaktionen")
    def test_inside_finds_them_in_the_one_ledger_with_their_source(self, till: WireTill, seeblick: Tenant) -> None:
        sold_at_the_front_desk(seeblick, "84.00")
        till.post(example())

        external = Transaction.objects.of(seeblick).get(source=Source.EXTERNAL_POS)

        assert external.external_ref == REFERENCE
        with translation.override("en"):
            assert external.get_source_display() == "External POS"
        assert Transaction.objects.of(seeblick).count() == 2

    @quotes("Inbound activity log on the settings card")
    def test_the_log_shows_a_campground_its_own_calls(self, office: Office, till: WireTill, seeblick: Tenant) -> None:
        till.post(example())
        WireTill(office.server.port, office.mint("waldrand")).get("/ping/")

        [call] = InboundCall.objects.filter(tenant=seeblick)
        assert (call.method, call.status, call.external_ref) == ("POST", 201, REFERENCE)
        assert call.api_key == ApiKey.objects.of(seeblick).get()
