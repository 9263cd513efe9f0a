"""What a till sends and gets back, as structs; amounts are whole Rappen once they have been read."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

Tender = Literal["CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", "OTHER"]
Method = Literal["CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", "OTHER", "MIXED"]
Kind = Literal["SALE", "DISCOUNT", "SERVICE_CHARGE", "VOUCHER_SALE"]
ZERO = Decimal("0.00")
LARGEST = 10**8


class Fault(ValueError):
    """The document breaks the contract."""


class Item(Struct):
    """One line of a sale."""

    description: Annotated[str, Meta(min_length=1, max_length=255)]
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    sku: Annotated[str, Meta(max_length=64)] = ""
    vat_rate: Decimal | None = None
    category: Annotated[str, Meta(max_length=80)] = ""
    kind: Kind = "SALE"


class Payment(Struct):
    """One tender of a sale."""

    method: Tender
    amount: Decimal
    tip_amount: Decimal = ZERO


class NewSale(Struct):
    """A sale as a till sends it."""

    external_ref: Annotated[str, Meta(min_length=1, max_length=255)]
    payment_method: Method
    total_amount: Decimal
    items: Annotated[list[Item], Meta(min_length=1, max_length=500)]
    occurred_at: Annotated[datetime, Meta(tz=True)]
    rounding_amount: Decimal = ZERO
    tip_amount: Decimal = ZERO
    payments: list[Payment] = []
    refund_of: Annotated[str, Meta(max_length=255)] = ""
    metadata: dict[str, Any] = {}


class StoredItem(Struct):
    """A line in whole units, as the statement takes it and gives it back."""

    position: int
    description: str
    quantity: int
    unit_price: int
    line_total: int
    sku: str
    vat_rate: int | None
    category: str
    kind: str


class StoredPayment(Struct):
    """A tender in whole units."""

    position: int
    method: str
    amount: int
    tip_amount: int


class ItemBody(Struct):
    """A line as answers write it."""

    description: str
    quantity: float
    unit_price: str
    line_total: str
    sku: str
    vat_rate: str | None
    category: str
    kind: str


class PaymentBody(Struct):
    """A tender as answers write it."""

    method: str
    amount: str
    tip_amount: str


class SaleBody(Struct):
    """A stored sale as every answer writes it."""

    id: UUID
    external_ref: str
    source: str
    status: str
    payment_method: str
    currency: str
    total_amount: str
    rounding_amount: str
    tip_amount: str
    items: list[ItemBody]
    payments: list[PaymentBody]
    refund_of: str | None
    occurred_at: datetime
    business_date: date
    received_at: datetime
    metadata: Any


class Sale(Struct):
    """A checked sale in whole units."""

    document: NewSale
    total: int
    rounding: int
    tip: int
    items: list[StoredItem]
    payments: list[StoredPayment]
    fingerprint: str


DECODER = msgspec.json.Decoder(NewSale)
ITEMS = msgspec.json.Decoder(list[StoredItem])
PAYMENTS = msgspec.json.Decoder(list[StoredPayment])
ENCODER = msgspec.json.Encoder()


def units(value: Decimal, places: int) -> int:
    """Whole units of the last place, exactly."""
    scaled = value.scaleb(places)
    number = int(scaled)
    if number != scaled or abs(value) >= LARGEST:
        raise Fault("A number has too many places.")
    return number


def text(value: int, places: int = 2) -> str:
    """Whole units as answers write them; further places only where there are some."""
    while places > 2 and value % 10 == 0:
        value, places = value // 10, places - 1
    sign, digits = ("-", str(-value)) if value < 0 else ("", str(value))
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def read_sale(body: bytes, now: datetime) -> Sale:
    """Decode and check; ``Fault`` or msgspec's own error says what is wrong."""
    document = DECODER.decode(body)
    items = [
        StoredItem(
            position,
            item.description,
            units(item.quantity, 3),
            units(item.unit_price, 4),
            units(item.line_total, 2),
            item.sku,
            None if item.vat_rate is None else units(item.vat_rate, 2),
            item.category,
            item.kind,
        )
        for position, item in enumerate(document.items)
    ]
    total, rounding, tip = (
        units(each, 2) for each in (document.total_amount, document.rounding_amount, document.tip_amount)
    )
    payments = [
        StoredPayment(position, each.method, units(each.amount, 2), units(each.tip_amount, 2))
        for position, each in enumerate(document.payments)
    ] or [StoredPayment(0, document.payment_method, total, 0)]
    if sum(item.line_total for item in items) + rounding != total:
        raise Fault("The lines do not add up to the total.")
    if sum(payment.amount for payment in payments) != total:
        raise Fault("The payments do not add up to the total.")
    if (document.occurred_at - now).total_seconds() > 300:
        raise Fault("occurred_at is in the future.")
    sale = Sale(document, total, rounding, tip, items, payments, "")
    sale.fingerprint = fingerprint_of(sale)
    return sale


def fingerprint_of(sale: Sale) -> str:
    """A digest of what is money."""
    lines = sorted((item.quantity, item.line_total) for item in sale.items)
    tenders = sorted((each.method, each.amount, each.tip_amount) for each in sale.payments)
    document = sale.document
    day = document.occurred_at.date().toordinal()
    facts = (document.payment_method, sale.total, sale.rounding, sale.tip, day, lines, tenders)
    return hashlib.sha256(ENCODER.encode(facts)).hexdigest()


def item_bodies(items: list[StoredItem]) -> list[ItemBody]:
    """Stored lines as answers write them."""
    return [
        ItemBody(
            item.description,
            item.quantity / 1000,
            text(item.unit_price, 4),
            text(item.line_total),
            item.sku,
            None if item.vat_rate is None else text(item.vat_rate),
            item.category,
            item.kind,
        )
        for item in items
    ]


def payment_bodies(payments: list[StoredPayment]) -> list[PaymentBody]:
    """Stored tenders as answers write them."""
    return [PaymentBody(each.method, text(each.amount), text(each.tip_amount)) for each in payments]


class StoredProduct(Struct):
    """A product as the statement gives it back."""

    id: int
    sku: str
    name: str
    category: str
    unit_price: int
    vat_rate: int
    active: bool
    updated_at: datetime


STORED_PRODUCTS = msgspec.json.Decoder(list[StoredProduct])


def products_body(row: Any) -> dict[str, Any]:
    """A page of the catalogue."""
    products = STORED_PRODUCTS.decode(row["products"] or "[]")
    return {
        "count": row["total"] or 0,
        "next": "?page=2" if (row["total"] or 0) > len(products) else None,
        "previous": None,
        "results": [
            {
                "id": each.id,
                "sku": each.sku,
                "name": each.name,
                "category": each.category,
                "unit_price": text(each.unit_price),
                "vat_rate": text(each.vat_rate),
                "currency": row["currency"],
                "active": each.active,
                "updated_at": each.updated_at,
            }
            for each in products
        ],
    }
