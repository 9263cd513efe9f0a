"""A parked sale beside the stored one, line by line, with the differences marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest

from django.utils import timezone
from django.utils.translation import gettext as _

from kasse.business_day import business_date
from kasse.models import PaymentMethod
from kasse.sales import NewItem, NewPayment, NewSale, StoredSale
from tenants.models import Tenant
from tenants.swiss import day_text, moment_text, money_text, number_text


@dataclass(frozen=True, slots=True)
class Row:
    """One thing about both sales, as texts; empty where a sale has none."""

    name: str
    label: str
    stored: str
    sent: str

    @property
    def differs(self) -> bool:
        return self.stored != self.sent


def compare(stored: StoredSale, sent: NewSale, *, tenant: Tenant) -> list[Row]:
    """Both sales from the total down to what the till added; what neither of them has is left out."""
    rows = [*_facts(stored, sent, tenant), *_payments(stored.sale, sent), *_lines(stored.sale, sent)]
    return [row for row in rows if row.stored or row.sent]


def _facts(stored: StoredSale, sent: NewSale, tenant: Tenant) -> Iterator[Row]:
    one = stored.sale
    day = business_date(sent.occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    yield Row("total_amount", _("Total"), _amount(one, "total_amount"), _amount(sent, "total_amount"))
    yield Row("payment_method", _("Payment method"), _method(one.payment_method), _method(sent.payment_method))
    yield Row("occurred_at", _("Time"), _moment(one.occurred_at), _moment(sent.occurred_at))
    yield Row("business_date", _("Business day"), day_text(stored.business_date), _day(day, stored, sent))
    for name, label in (("tip_amount", _("Tip")), ("rounding_amount", _("Rounding"))):
        yield Row(name, label, _extra(one, name), _extra(sent, name))
    yield Row("refund_of", _("Refund of"), one.refund_of, sent.refund_of)
    yield Row("till_id", _("Device"), one.till_id, sent.till_id)
    yield Row("receipt_seq", _("Receipt number"), _number(one), _number(sent))
    yield Row("metadata", _("Further facts"), _facts_text(one), _facts_text(sent))


def _payments(stored: NewSale, sent: NewSale) -> Iterator[Row]:
    """Of sales paid in one way, the method has said it all."""
    if max(len(stored.payments), len(sent.payments)) > 1:
        for one, other in zip_longest(stored.payments, sent.payments):
            yield Row("payments", _("Payment"), _payment(one), _payment(other))


def _lines(stored: NewSale, sent: NewSale) -> Iterator[Row]:
    for number, (one, other) in enumerate(zip_longest(stored.items, sent.items), start=1):
        yield Row("items", _("Line %(number)d") % {"number": number}, _line(one), _line(other))


def _amount(sale: NewSale, name: str) -> str:
    return f"{sale.currency} {money_text(getattr(sale, name))}"


def _extra(sale: NewSale, name: str) -> str:
    """An amount that most sales do not have."""
    return _amount(sale, name) if getattr(sale, name) else ""


def _number(sale: NewSale) -> str:
    return str(sale.receipt_seq or "")


def _method(method: PaymentMethod) -> str:
    return str(method.label)


def _moment(instant: datetime) -> str:
    return moment_text(timezone.localtime(instant))


def _day(day: date, stored: StoredSale, sent: NewSale) -> str:
    """The same instant is the same day, even if the campground has moved its cut-off hour in between."""
    return day_text(stored.business_date if sent.occurred_at == stored.sale.occurred_at else day)


def _facts_text(sale: NewSale) -> str:
    return ", ".join(f"{name}: {value}" for name, value in sale.metadata.items())


def _payment(payment: NewPayment | None) -> str:
    if payment is None:
        return ""
    tip = f" (+ {money_text(payment.tip_amount)})" if payment.tip_amount else ""
    return f"{payment.method.label} {money_text(payment.amount)}{tip}"


def _line(item: NewItem | None) -> str:
    """``2 × Croissant [BRO-1] · 3.50 · 7.00``. Not its VAT rate: what a till leaves out is found when it is booked."""
    if item is None:
        return ""
    sku = f" [{item.sku}]" if item.sku else ""
    parts = (
        f"{number_text(item.quantity)} × {item.description}{sku}",
        _price(item.unit_price),
        money_text(item.line_total),
    )
    return " · ".join(parts)


def _price(price: Decimal) -> str:
    """With two places, unless it has more."""
    return money_text(price) if price == round(price, 2) else number_text(price)
