"""The ledger, to look things up in. Nothing is written here, not even by a superuser."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from kasse.closing_models import DailyClose
from kasse.models import Transaction
from kasse.money import plain
from tenants.admin import ReadOnlyAdmin, TenantFilter, fence_of, local_time


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin[Transaction]):
    list_display = [
        "time",
        "external_ref",
        "source",
        "payment_method",
        "amount",
        "tip",
        "business_date",
        "tenant",
    ]
    list_display_links = ["time", "external_ref"]
    list_filter = [("tenant", TenantFilter), "source", "payment_method", "business_date"]
    list_select_related = ["tenant"]
    search_fields = ["external_ref"]
    fieldsets = [
        (None, {"fields": ["tenant", "external_ref", "source", "status", "refund_of", "api_key"]}),
        (_("Money"), {"fields": ["payment_method", "amount", "rounding", "tip", "lines", "tenders"]}),
        (_("Time"), {"fields": ["time", "business_date", "received", "sent"]}),
        (_("From the till"), {"fields": ["id", "till_id", "receipt_seq", "metadata"]}),
    ]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first, along an index: of one campground by time, of all by id, which is made from time."""
        return ("-id",) if fence_of(request).everything else ("-occurred_at", "-id")

    @admin.display(description=_("time"), ordering="occurred_at")
    def time(self, sale: Transaction) -> str:
        return local_time(sale.occurred_at, sale.tenant)

    @admin.display(description=_("received"))
    def received(self, sale: Transaction) -> str:
        return local_time(sale.received_at, sale.tenant)

    @admin.display(description=_("sent"))
    def sent(self, sale: Transaction) -> str:
        return local_time(sale.sent_at, sale.tenant)

    @admin.display(description=_("amount"), ordering="total_amount")
    def amount(self, sale: Transaction) -> SafeString:
        return right(f"{money(sale.total_amount)}\N{NO-BREAK SPACE}{sale.currency}")

    @admin.display(description=_("rounding"))
    def rounding(self, sale: Transaction) -> str:
        return money(sale.rounding_amount)

    @admin.display(description=_("tip"), ordering="tip_amount")
    def tip(self, sale: Transaction) -> SafeString:
        return right(money(sale.tip_amount) if sale.tip_amount else "")

    @admin.display(description=_("lines"))
    def lines(self, sale: Transaction) -> SafeString:
        headings = [_t("Article"), _t("SKU"), _t("Kind"), _t("Quantity"), _t("Unit price"), _t("VAT %"), _t("Total")]
        return table_of(
            headings,
            [
                [
                    item.description,
                    item.sku,
                    item.get_kind_display(),
                    right(number(item.quantity)),
                    right(number(item.unit_price, places=2)),
                    right("?" if item.vat_rate is None else number(item.vat_rate)),
                    right(money(item.line_total)),
                ]
                for item in sale.items.filter(tenant=sale.tenant_id).order_by("position")
            ],
        )

    @admin.display(description=_("payments"))
    def tenders(self, sale: Transaction) -> SafeString:
        return table_of(
            [_t("Method"), _t("Amount"), _t("Tip")],
            [
                [payment.get_method_display(), right(money(payment.amount)), right(money(payment.tip_amount))]
                for payment in sale.payments.filter(tenant=sale.tenant_id).order_by("position")
            ],
        )


@admin.register(DailyClose)
class DailyCloseAdmin(ReadOnlyAdmin[DailyClose]):
    list_display = ["z_number", "business_date", "sale_count", "to_pay", "difference", "closed_by_name", "tenant"]
    list_display_links = ["z_number", "business_date"]
    list_filter = [("tenant", TenantFilter), "business_date"]
    list_select_related = ["tenant"]
    fieldsets = [
        (None, {"fields": ["tenant", "z_number", "business_date", "closed", "closed_by_name"]}),
        (_("Money"), {"fields": ["to_pay", "float", "awaited", "found", "difference", "variance_reason", "left"]}),
        (_("As stored"), {"fields": ["sale_count", "counted", "totals", "vat"]}),
    ]
    ordering = ["-business_date", "-id"]

    @admin.display(description=_("closed at"), ordering="closed_at")
    def closed(self, close: DailyClose) -> str:
        return local_time(close.closed_at, close.tenant)

    @admin.display(description=_("to pay"))
    def to_pay(self, close: DailyClose) -> SafeString:
        return right(f"{money(close.day_totals.total_amount)}\N{NO-BREAK SPACE}{close.currency}")

    @admin.display(description=_("opening float"))
    def float(self, close: DailyClose) -> str:
        return money(close.opening_float)

    @admin.display(description=_("expected"))
    def awaited(self, close: DailyClose) -> str:
        return money(close.expected_amount)

    @admin.display(description=_("counted"))
    def found(self, close: DailyClose) -> str:
        return money(close.counted_amount)

    @admin.display(description=_("variance"), ordering="variance")
    def difference(self, close: DailyClose) -> SafeString:
        return right(money(close.variance))

    @admin.display(description=_("float left"))
    def left(self, close: DailyClose) -> str:
        return money(close.float_left)


def number(value: Decimal, *, places: int = 0) -> str:
    """A decimal with its trailing zeros cut to ``places``, as the page's language writes it."""
    return str(formats.number_format(plain(value, places=places), force_grouping=True))


def money(amount: Decimal) -> str:
    """An amount with two places."""
    return number(amount, places=2)


def right(text: str) -> SafeString:
    """A number in a column of numbers."""
    return format_html('<div style="text-align: right">{}</div>', text)


def table_of(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> SafeString:
    """A plain table. Cells are escaped: what a till writes is text, never markup."""
    head = format_html_join("", '<th scope="col">{}</th>', ([heading] for heading in headings))
    body = format_html_join(
        "", "<tr>{}</tr>", ([format_html_join("", "<td>{}</td>", ([cell] for cell in row))] for row in rows)
    )
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)
