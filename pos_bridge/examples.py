"""Sales, products and answers as the API description shows them.

Each answer is built by the code that answers tills: what a sale becomes is not written down a second time.
Tests send every request shown here and compare.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from apikeys.models import ApiKey, Scope
from catalogue.models import Product
from catalogue.vat import SWISS_RATES
from kasse.business_day import business_date
from kasse.models import Source
from kasse.sales import NewSale, StoredSale
from pos_bridge.answers import product_body, remark_body, sale_body
from pos_bridge.api import ping_body
from pos_bridge.contract import Terms, check_sale
from pos_bridge.remarks import Remark
from pos_bridge.strict_json import read_json
from tenants.models import Tenant

Body = dict[str, Any]

PUBLIC_URL = "https://api.campone.example"
NOW = datetime(2026, 4, 29, 8, 14, 35, 120_000, tzinfo=timezone.utc)
SALE_ID = UUID("019dd827-1b60-7c3e-9a41-5d2f60c8b7a4")
SEEBLICK = Tenant(pk=1, slug="seeblick", name="Camping Seeblick")
ZONE = ZoneInfo(SEEBLICK.zone)

FIVE_FIELDS: Body = {
    "external_ref": "seeblick-2026-04-29-T-1",
    "payment_method": "CASH",
    "total_amount": "12.50",
    "items": [
        {"description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00"},
        {"description": "Kaffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"},
    ],
    "occurred_at": "2026-04-29T08:14:32Z",
}

SALES: dict[str, Body] = {
    "five_fields": FIVE_FIELDS,
    "cash_rounding": {
        **FIVE_FIELDS,
        "external_ref": "seeblick-2026-04-29-T-2",
        "total_amount": "8.35",
        "items": [{"description": "Käse", "quantity": "0.418", "unit_price": "19.95", "line_total": "8.34"}],
    },
    "split_payment_with_tip": {
        "external_ref": "seeblick-2026-04-29-T-3",
        "payment_method": "MIXED",
        "total_amount": "73.00",
        "tip_amount": "3.00",
        "items": [
            {
                "description": "Gasflasche 5 kg",
                "quantity": 1,
                "unit_price": "68.00",
                "line_total": "68.00",
                "sku": "GAS-5",
                "vat_rate": "8.1",
                "category": "Camping",
            },
            {"description": "Brot", "quantity": 1, "unit_price": "5.00", "line_total": "5.00", "vat_rate": "2.6"},
        ],
        "payments": [
            {"method": "CASH", "amount": "50.00"},
            {"method": "TWINT", "amount": "23.00", "tip_amount": "3.00"},
        ],
        "occurred_at": "2026-04-29T10:14:32+02:00",
        "sent_at": "2026-04-29T10:14:34+02:00",
        "currency": "CHF",
        "metadata": {"register": "Kiosk 2", "shift": 4},
    },
    "refund": {
        "external_ref": "seeblick-2026-04-29-R-1",
        "payment_method": "CARD",
        "total_amount": "-68.00",
        "items": [
            {
                "description": "Gasflasche 5 kg",
                "quantity": -1,
                "unit_price": "68.00",
                "line_total": "-68.00",
                "sku": "GAS-5",
            }
        ],
        "occurred_at": "2026-04-29T08:14:32Z",
        "refund_of": "seeblick-2026-04-28-T-17",
    },
}

SALE_TITLES = {
    "five_fields": "The five fields every sale has",
    "cash_rounding": "In cash, rounded to 5 Rappen, without `rounding_amount`",
    "split_payment_with_tip": "Paid in two ways, with a tip, and with what else can be sent",
    "refund": "A refund: a transaction of its own, negative",
}

PRODUCTS = tuple(
    Product(pk=place, updated_at=NOW, sku=sku, name=name, category=category, unit_price=price, vat_rate=rate)
    for place, (sku, name, category, price, rate) in enumerate(
        (
            ("CROI", "Croissant", "Backwaren", Decimal("3.50"), Decimal("2.6")),
            ("GAS-5", "Gasflasche 5 kg", "Camping", Decimal("68.00"), Decimal("8.1")),
        ),
        start=1,
    )
)


def example_terms() -> Terms:
    """Camping Seeblick on the morning of the examples."""
    return Terms(
        currency=SEEBLICK.currency,
        now=NOW,
        day_of=lambda instant: business_date(instant, zone=ZONE, cutoff_hour=SEEBLICK.cutoff_hour),
        rates_on=lambda day: [rate for rate, first, last, _label in SWISS_RATES if first <= day <= (last or day)],
    )


def as_sent(document: Body) -> Any:
    """A document as it comes off the wire."""
    return read_json(json.dumps(document).encode())


def answer_to(document: Body) -> Body:
    """What is answered to a new sale."""
    checked = check_sale(as_sent(document), example_terms())
    body = sale_body(_as_stored(checked.sale))
    return body | ({"warnings": [remark_body(each) for each in checked.remarks]} if checked.remarks else {})


def _as_stored(sale: NewSale) -> StoredSale:
    """A sale as it reads once it is stored; lines keep the VAT rate that was sent."""
    return StoredSale(
        id=example_id(sale.external_ref),
        tenant_id=1,
        source=Source.EXTERNAL_POS,
        fingerprint="",
        api_key_id=1,
        business_date=example_terms().day_of(sale.occurred_at),
        received_at=NOW,
        sale=sale,
    )


def example_id(external_ref: str | None) -> UUID:
    """One for each of the sales shown."""
    return UUID(int=SALE_ID.int + [sale["external_ref"] for sale in SALES.values()].index(external_ref))


def taken_answers() -> dict[str, Body]:
    """201, by the name of the sale."""
    return {name: answer_to(document) for name, document in SALES.items()}


OTHER_TEXT: Body = {
    **FIVE_FIELDS,
    "items": [{**FIVE_FIELDS["items"][0], "description": "Gipfeli"}, FIVE_FIELDS["items"][1]],
}


def replayed_answers() -> dict[str, Body]:
    """200: the same sale again, and the same again with another text."""
    stored = answer_to(FIVE_FIELDS)
    remark = Remark(
        "differs_from_stored",
        "items[0].description",
        "Sent again with another value; the stored one stays.",
        stored="Croissant",
        sent="Gipfeli",
    )
    return {"retry": stored, "retry_with_another_text": {**stored, "warnings": [remark_body(remark)]}}


def page_answer(results: list[Body]) -> Body:
    """One page that holds everything."""
    return {"count": len(results), "next": None, "previous": None, "results": results}


def sales_answer() -> Body:
    """An evening with two sales."""
    return page_answer([answer_to(SALES[name]) for name in ("five_fields", "refund")])


def products_answer() -> Body:
    """A small catalogue."""
    return page_answer([product_body(product, SEEBLICK.currency) for product in PRODUCTS])


def pong() -> Body:
    """What a key with both scopes hears."""
    key = ApiKey(tenant=SEEBLICK, prefix="ck_4fJq9ZxA", scopes=list(Scope.values))
    return ping_body(key, NOW)
