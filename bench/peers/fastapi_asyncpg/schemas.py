"""What a till sends and gets back, as pydantic models."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

Money = Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
Tender = Literal["CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", "OTHER"]


class Item(BaseModel):
    """One line of a sale."""

    description: Annotated[str, Field(min_length=1, max_length=255)]
    quantity: Annotated[Decimal, Field(max_digits=11, decimal_places=3)]
    unit_price: Annotated[Decimal, Field(max_digits=12, decimal_places=4)]
    line_total: Money
    sku: Annotated[str, Field(max_length=64)] = ""
    vat_rate: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] | None = None
    category: Annotated[str, Field(max_length=80)] = ""
    kind: Literal["SALE", "DISCOUNT", "SERVICE_CHARGE", "VOUCHER_SALE"] = "SALE"


class Payment(BaseModel):
    """One tender of a sale."""

    method: Tender
    amount: Money
    tip_amount: Annotated[Money, Field(ge=0)] = Decimal("0.00")


class NewSale(BaseModel):
    """A sale as a till sends it."""

    external_ref: Annotated[str, Field(min_length=1, max_length=255)]
    payment_method: Tender | Literal["MIXED"]
    total_amount: Money
    rounding_amount: Money = Decimal("0.00")
    tip_amount: Annotated[Money, Field(ge=0)] = Decimal("0.00")
    items: Annotated[list[Item], Field(min_length=1, max_length=500)]
    payments: list[Payment] = []
    occurred_at: AwareDatetime
    refund_of: Annotated[str, Field(max_length=255)] = ""
    metadata: dict[str, Any] = {}

    @model_validator(mode="after")
    def add_up(self) -> Self:
        """Sums and clock."""
        if sum((item.line_total for item in self.items), self.rounding_amount) != self.total_amount:
            raise ValueError("The lines do not add up to the total.")
        if not self.payments and self.payment_method != "MIXED":
            self.payments = [Payment(method=self.payment_method, amount=self.total_amount)]
        if sum(payment.amount for payment in self.payments) != self.total_amount:
            raise ValueError("The payments do not add up to the total.")
        if self.occurred_at > datetime.now(timezone.utc) + timedelta(minutes=5):  # noqa: TID251 (its edge is here)
            raise ValueError("occurred_at is in the future.")
        return self


class Sale(BaseModel):
    """A stored sale as every answer writes it."""

    id: UUID
    external_ref: str
    source: str
    status: str
    payment_method: str
    currency: str
    total_amount: Decimal
    rounding_amount: Decimal
    tip_amount: Decimal
    items: list[Item]
    payments: list[Payment]
    refund_of: str
    occurred_at: datetime
    business_date: date
    received_at: datetime
    metadata: dict[str, Any]


class Product(BaseModel):
    """Something a till can sell."""

    id: int
    sku: str
    name: str
    category: str
    unit_price: Decimal
    vat_rate: Decimal
    currency: str
    active: bool
    updated_at: datetime


class Products(BaseModel):
    """A page of the catalogue."""

    count: int
    next: str | None
    previous: str | None
    results: list[Product]
