"""The daily close, the sales that make it up, and how a campground counts its cash.

A close and its sales are written together, by ``closing.close_day()``, and never again: neither changed nor deleted, in
the application and in the database (ADR 0015). All that its Z-report shows stands in the row, names too.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalogue.exact_decimals import MoneyField
from kasse.cash import CountedCash, Drawer
from kasse.models import LineKind, PaymentMethod, Source, Transaction
from kasse.money import ZERO, plain
from kasse.net import NetLine
from kasse.totals import DayTotals
from tenants.models import Tenant, TenantOwned, User
from tenants.written_once import WrittenOnceManager


class CashDeskSettings(models.Model):
    """How a campground counts its cash; one without a row counts what its own front desk took."""

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, primary_key=True, related_name="+")
    external_cash_in_drawer = models.BooleanField(
        _("cash of outside tills comes into the front desk's drawer"),
        default=False,
        help_text=_("Counted with the drawer in the evening. Otherwise it has a block of its own in the Z-report."),
    )

    class Meta:
        verbose_name = verbose_name_plural = "cash desk settings"

    def __str__(self) -> str:
        return str(self.tenant)


class DailyClose(TenantOwned):
    """A business day, counted and final: what its Z-report says for ever."""

    business_date = models.DateField(_("business day"))
    z_number = models.PositiveIntegerField(_("Z number"), help_text=_("From 1, without a gap."))
    campground = models.CharField(max_length=120, help_text=_("Its name on that evening."))
    zone = models.CharField(max_length=64, help_text=_("The clock it is written on."))
    begins_at = models.DateTimeField(help_text=_("The first instant of the day."))
    ends_at = models.DateTimeField(help_text=_("The first instant after it."))
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    closed_by_name = models.CharField(max_length=310, blank=True, help_text=_("Empty: from the command line."))
    currency = models.CharField(max_length=3)
    opening_float = MoneyField(_("opening float"))
    external_cash = MoneyField(help_text=_("Cash and cash tips that outside tills took."))
    external_cash_in_drawer = models.BooleanField(help_text=_("Whether it is part of what was expected."))
    expected_amount = MoneyField(_("expected"))
    counted = models.JSONField(help_text=_("Notes and coins."))
    counted_amount = MoneyField(_("counted"))
    variance = MoneyField(_("variance"), help_text=_("Counted less expected."))
    variance_reason = models.TextField(_("reason"), blank=True)
    float_left = MoneyField(_("float left"), help_text=_("What the next close opens with."))
    sale_count = models.PositiveIntegerField(help_text=_("How many sales make it up."))
    totals = models.JSONField(help_text=_("What kasse.totals made of them."))
    vat = models.JSONField(help_text=_("What kasse.net made of their lines."))

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "business_date"], name="daily_close_once_per_day"),
            models.UniqueConstraint(fields=["tenant", "z_number"], name="daily_close_z_number_once"),
            models.CheckConstraint(condition=Q(z_number__gte=1), name="daily_close_z_number_from_one"),
            models.CheckConstraint(
                condition=Q(variance=F("counted_amount") - F("expected_amount")), name="daily_close_variance_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(variance=0) | ~Q(variance_reason=""), name="daily_close_variance_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(float_left__gte=0) & Q(float_left__lte=F("counted_amount")),
                name="daily_close_float_was_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"Z{self.z_number}: {self.business_date}"

    @property
    def day_totals(self) -> DayTotals:
        """What the day came to, as it was closed."""
        return DayTotals.from_json(self.totals)

    @property
    def net_lines(self) -> tuple[NetLine, ...]:
        """The day's lines with VAT taken out, as it was closed."""
        return net_from_json(self.vat)

    @property
    def counted_cash(self) -> CountedCash:
        """Notes and coins."""
        return CountedCash.from_json(self.counted)

    @property
    def drawer(self) -> Drawer:
        """What should have been there, part by part."""
        return drawer_of(
            self.day_totals, opening_float=self.opening_float, external_counts=self.external_cash_in_drawer
        )

    @property
    def taken_out(self) -> Decimal:
        """What went from the drawer into the safe or to the bank."""
        return self.counted_amount - self.float_left


class ClosedSale(TenantOwned):
    """A sale that a close is made of: exactly these. A close of three has three places, and they are taken."""

    # The sale holds the campground, as for lines and payments.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    pk = models.CompositePrimaryKey("tenant", "transaction")
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, db_index=False, related_name="+")
    close = models.ForeignKey(DailyClose, on_delete=models.PROTECT, related_name="closed_sales", db_index=False)
    position = models.PositiveIntegerField(help_text="From 1, in the order in which the sales came in.")

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "close", "position"], name="closed_sale_has_its_place"),
        ]

    def __str__(self) -> str:
        return f"{self.close_id}/{self.position}"


def drawer_of(totals: DayTotals, *, opening_float: Decimal, external_counts: bool) -> Drawer:
    """What a day's cash payments leave in the drawer that began with ``opening_float``."""
    cash, tips = _cash_of(totals, Source.FRONT_DESK)
    return Drawer(
        opening_float=opening_float,
        cash=cash,
        tips=tips,
        external_cash=sum(_cash_of(totals, Source.EXTERNAL_POS), ZERO),
        external_counts=external_counts,
    )


def _cash_of(totals: DayTotals, source: Source) -> tuple[Decimal, Decimal]:
    """What was paid in cash, and given as a tip in cash."""
    found = [each for each in totals.payments if (each.source, each.method) == (source, PaymentMethod.CASH)]
    return sum((each.paid.amount for each in found), ZERO), sum((each.tip_amount for each in found), ZERO)


NET_VERSION = 1


def net_to_json(lines: Iterable[NetLine]) -> dict[str, Any]:
    """As JSON can hold it, amounts as texts; ``net_from_json()`` gives back equal values, years later too."""
    return {
        "version": NET_VERSION,
        "lines": [
            {
                "vat_rate": None if line.vat_rate is None else plain(line.vat_rate, places=2),
                "category": line.category,
                "kind": line.kind.value,
                "gross": plain(line.gross, places=2),
                "net": plain(line.net, places=2),
                "vat": plain(line.vat, places=2),
            }
            for line in lines
        ],
    }


def net_from_json(stored: dict[str, Any]) -> tuple[NetLine, ...]:
    """What ``net_to_json()`` has written.

    Raises:
        ValueError: something else has, or a version that this one does not know.
    """
    if stored.get("version") != NET_VERSION:
        raise ValueError(f"Net lines of version {stored.get('version')!r}.")
    return tuple(
        NetLine(
            vat_rate=None if line["vat_rate"] is None else Decimal(line["vat_rate"]),
            category=line["category"],
            kind=LineKind(line["kind"]),
            **{name: Decimal(line[name]) for name in ("gross", "net", "vat")},
        )
        for line in stored["lines"]
    )
