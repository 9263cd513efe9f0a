"""What each field that a till may send is, in a sentence for its maker."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from pos_bridge.contract import ItemSerializer, PaymentSerializer, SaleSerializer
from pos_bridge.gaps_api import GapsQuery
from pos_bridge.queries import ProductQuery, TransactionQuery
from pos_bridge.reconciling_api import SummaryQuery
from pos_bridge.splitting import MOST_SALES
from pos_bridge.telling import DaySerializer, ToldPaymentSerializer, ToldSaleSerializer, ToldTotalsSerializer


class BatchSerializer(serializers.Serializer[Any]):
    """Several sales. ``splitting`` takes them apart, and each is checked by itself: this says how that looks."""

    transactions: Any = serializers.ListSerializer(child=SaleSerializer(), allow_empty=False, max_length=MOST_SALES)


SALE_IN_WORDS = """One finished sale or refund, as a till sends it.

What these rules cannot say, and the service checks all the same:

- Σ `items[].line_total` + `rounding_amount` = `total_amount` = Σ `payments[].amount`, exactly. One kindness: in \
`CASH`, where no `rounding_amount` is sent, the total is a multiple of 0.05 and no more than 0.02 is missing or over, \
the difference is booked as rounding.
- Payments that name another method than `payment_method` need `MIXED`. Their tips add up to `tip_amount`, or are \
left out.
- `occurred_at` is at most 5 minutes ahead of the service's clock.
- `currency` is the campground's; `vat_rate` is one of its rates on that day.
- `metadata` is no larger than 2 KiB, the whole body no larger than 256 KiB.

Amounts are also taken as JSON numbers, with at most the same places and never with an exponent; they are read as \
exact decimals. Text is safer: many programs write 0.1 + 0.2 as 0.30000000000000004. Unknown fields are ignored and \
named in `warnings`. `null` is the same as leaving out."""


WORDS: dict[type[serializers.Serializer[Any]], dict[str, str]] = {
    SaleSerializer: {
        "external_ref": "The till's own reference, case-sensitive, unique at the campground for ever: by it a retry is "
        "recognised.",
        "payment_method": "How it was paid; `MIXED` with `payments`.",
        "total_amount": "What the guest owed, VAT included, without the tip; negative for a refund.",
        "items": "The lines.",
        "occurred_at": "When it was sold, by the till's clock.",
        "currency": "Only as a check: it must be the campground's.",
        "rounding_amount": "Cash rounding to 5 Rappen: total minus lines. Booked on its own.",
        "tip_amount": "Outside `total_amount`; never revenue.",
        "payments": "How it was paid, where that was in several ways. Amounts net of change.",
        "refund_of": "The till's reference of the original sale. Kept and shown; it links nothing, and may point "
        "nowhere.",
        "till_id": "Which device sold it, where several share a key. Kept and shown; numbers are counted for each.",
        "receipt_seq": "The device's own running receipt number. Kept and shown; by it missing sales are found. A "
        "counter may start over.",
        "sent_at": "The till's clock when it sends: shows how far it is off.",
        "metadata": "Kept and given back. Objects and lists as values are taken too; numbers have at most 15 digits.",
    },
    ItemSerializer: {
        "description": "What was sold.",
        "quantity": "Up to 3 places, not 0; negative for what was returned.",
        "unit_price": "VAT included.",
        "line_total": "VAT included. This counts; it may differ from quantity times price, by a discount.",
        "sku": "The article's number; with it the catalogue gives a VAT rate that is not sent.",
        "vat_rate": "In percent: one of the campground's rates on that day. Left out, it is the product's, else the "
        "campground's default.",
        "category": "The till's own group of goods.",
        "kind": "`SALE` unless said otherwise.",
    },
    PaymentSerializer: {
        "method": "How this part was paid.",
        "amount": "Net of change, without the tip.",
        "tip_amount": "The part of the tip that was paid so.",
    },
    BatchSerializer: {
        "transactions": "The sales. Each is checked by itself, and what is wrong with it told in its place.",
    },
    DaySerializer: {
        "business_date": "The day, as in the answers to its sales.",
        "transactions": "Every sale and refund of the day, none twice. Instead of `totals`.",
        "totals": "What the till's Z-report says. Instead of `transactions`.",
    },
    ToldSaleSerializer: {
        "external_ref": "The till's own reference.",
        "total_amount": "As the till has it.",
    },
    ToldTotalsSerializer: {
        "count": "Sales and refunds together.",
        "total_amount": "Sales less refunds, without tips.",
        "payments": "How that was paid; methods with nothing in them may be left out. Without it, methods are not "
        "compared.",
    },
    ToldPaymentSerializer: {
        "method": "How it was paid.",
        "amount": "What was taken so, net of change, without tips.",
    },
    SummaryQuery: {
        "business_date": "The day for which the sales count.",
        "mine": "`true`: only what this till has brought, with this key or the one before it.",
    },
    GapsQuery: {
        "till_id": "Of this device alone.",
        "since": "Noticed at this instant or later, by the service's clock; a `+` is written `%2B`.",
        "mine": "`false`: of the campground's other keys, too.",
    },
    TransactionQuery: {
        "business_date": "The day for which a sale counts.",
        "occurred_from": "Sold at this instant or later, by the till's clock; a `+` is written `%2B`.",
        "occurred_to": "Sold at this instant or earlier, by the till's clock.",
        "received_since": "Arrived at this instant or later, by the service's clock.",
        "payment_method": "Paid in this way.",
        "external_ref": "The one sale with this reference.",
    },
    ProductQuery: {
        "include_inactive": "`true` adds those that are switched off.",
        "updated_since": "What was changed at this instant or later, with those switched off since.",
    },
}
