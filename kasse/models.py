"""The ledger: finished sales and refunds, their lines and their payments.

A ``Transaction`` is written once, by ``recording.record_transaction()``, and never changes; the database sees to it. A
refund is a transaction of its own with negative amounts; ``refund_of`` is the till's word about its original, a soft
link that may point nowhere. Amounts are in the tenant's currency, VAT included.
"""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from catalogue.exact_decimals import ExactDecimalField, MoneyField
from tenants.models import Tenant, TenantOwned
from tenants.written_once import WrittenOnceManager


class Source(models.TextChoices):
    """Where a sale was made."""

    FRONT_DESK = "FRONT_DESK", _("Front desk")
    EXTERNAL_POS = "EXTERNAL_POS", _("External POS")


class Status(models.TextChoices):
    """What became of it; a till's sale is complete when it comes."""

    COMPLETED = "COMPLETED", _("Completed")
    PENDING = "PENDING", _("Pending")
    FAILED = "FAILED", _("Failed")
    REFUNDED = "REFUNDED", _("Refunded")


class PaymentMethod(models.TextChoices):
    """How it was paid. ``MIXED`` says: see the payments."""

    CASH = "CASH", _("Cash")
    CARD = "CARD", _("Card")
    TWINT = "TWINT", "TWINT"
    WORLDLINE = "WORLDLINE", _("Card (Worldline)")
    BANK = "BANK", _("Bank")
    VOUCHER = "VOUCHER", _("Voucher")
    ON_TAB = "ON_TAB", _("On tab")
    STRIPE = "STRIPE", _("Stripe")
    OTHER = "OTHER", _("Other")
    MIXED = "MIXED", _("Mixed")


TENDERS = tuple(method for method in PaymentMethod if method is not PaymentMethod.MIXED)
LARGEST_RECEIPT = 2**53 - 1
"""The largest running number that every JSON reader gives back unchanged."""


class LineKind(models.TextChoices):
    """What a line is to the books."""

    SALE = "SALE", _("Sale")
    DISCOUNT = "DISCOUNT", _("Discount")
    SERVICE_CHARGE = "SERVICE_CHARGE", _("Service charge")
    VOUCHER_SALE = "VOUCHER_SALE", _("Voucher sold")


class Transaction(TenantOwned):
    """One finished sale or refund, unchangeable."""

    id = models.UUIDField(primary_key=True, editable=False)
    source = models.CharField(max_length=20, choices=Source)
    status = models.CharField(max_length=20, choices=Status, default=Status.COMPLETED)
    external_ref = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (front-desk sales have none)
    fingerprint = models.CharField(max_length=80, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    payment_method = models.CharField(max_length=20, choices=PaymentMethod)
    currency = models.CharField(max_length=3)
    total_amount = MoneyField()
    rounding_amount = MoneyField()
    tip_amount = MoneyField()
    occurred_at = models.DateTimeField(help_text=_("The till's clock."))
    business_date = models.DateField(help_text=_("The day it counts for."))
    received_at = models.DateTimeField(help_text=_("Our clock."))
    sent_at = models.DateTimeField(null=True, help_text=_("The till's clock when it sent this."))
    refund_of = models.CharField(max_length=255, blank=True, help_text=_("The till's reference of the original sale."))
    till_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("Which device of the key sold it.")
    )
    receipt_seq = models.BigIntegerField(null=True, blank=True, help_text=_("The till's own running receipt number."))
    metadata = models.JSONField(default=dict)
    remarks = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text=_("Codes of what was said about it when it was taken, parted by blanks."),
    )

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "external_ref"], name="transaction_external_ref_per_tenant"),
            models.CheckConstraint(condition=~Q(external_ref=""), name="transaction_external_ref_not_empty"),
            # Both ways: a front-desk sale without a reference can never be read, or met, through a till's key.
            models.CheckConstraint(
                condition=Q(source=Source.EXTERNAL_POS, external_ref__isnull=False)
                | Q(source=Source.FRONT_DESK, external_ref__isnull=True),
                name="transaction_reference_is_a_tills",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="transaction_status_known"),
            models.CheckConstraint(
                condition=Q(payment_method__in=PaymentMethod.values), name="transaction_payment_method_known"
            ),
            # Where money goes back, a tip may go back with it.
            models.CheckConstraint(
                condition=Q(tip_amount__gte=0) | Q(total_amount__lte=0), name="transaction_tip_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(receipt_seq__gte=1, receipt_seq__lte=LARGEST_RECEIPT), name="transaction_receipt_seq_counts"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "source", "received_at", "id"], name="transaction_by_arrival"),
            models.Index(fields=["tenant", "business_date", "source"], name="transaction_by_day"),
            models.Index(fields=["tenant", "occurred_at", "id"], name="transaction_by_time"),
            models.Index(
                fields=["tenant", "occurred_at", "id"], condition=~Q(remarks=""), name="transaction_with_remarks"
            ),
            # Of refunds alone: a sale that names no original is not in it, and costs nothing.
            models.Index(fields=["tenant", "refund_of"], condition=~Q(refund_of=""), name="transaction_refunds_of"),
            # Of numbered sales alone: one without a number is not in it, and costs nothing.
            models.Index(
                fields=["tenant", "occurred_at"], condition=Q(receipt_seq__isnull=False), name="transaction_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_ref or self.pk}: {self.total_amount} {self.currency}"

    @property
    def is_refund(self) -> bool:
        """Whether money went back to the guest."""
        return bool(self.total_amount < 0)


class TransactionItem(TenantOwned):
    """One line of a sale; ``line_total`` is what the guest paid for it."""

    # The sale holds the campground; a second check for each line would lock its row again and again.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    pk = models.CompositePrimaryKey("tenant", "transaction", "position")
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="items", db_index=False)
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=255)
    quantity = ExactDecimalField(places=3)
    unit_price = ExactDecimalField(places=4)
    line_total = MoneyField()
    sku = models.CharField("SKU", max_length=64, blank=True)
    vat_rate = ExactDecimalField(places=2, null=True, help_text="Percent; empty when nobody knows it.")
    category = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=20, choices=LineKind, default=LineKind.SALE)

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(quantity=0), name="transaction_item_quantity_not_zero"),
            models.CheckConstraint(condition=~Q(description=""), name="transaction_item_is_described"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="transaction_item_kind_known"),
            models.CheckConstraint(
                condition=Q(vat_rate=None) | (Q(vat_rate__gte=0) & Q(vat_rate__lte=100)),
                name="transaction_item_vat_is_a_percentage",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.description}"


class Payment(TenantOwned):
    """One tender of a sale, net of change; its tip is outside its amount."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    pk = models.CompositePrimaryKey("tenant", "transaction", "position")
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="payments", db_index=False)
    position = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=20, choices=[(method.value, method.label) for method in TENDERS])
    amount = MoneyField()
    tip_amount = MoneyField()

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(method__in=[each.value for each in TENDERS]), name="payment_method_known"
            ),
            models.CheckConstraint(condition=Q(tip_amount__gte=0) | Q(amount__lte=0), name="payment_tip_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.amount}"


# Django finds a room's models where its `models` is; those of the close stand on the ledger above.
import kasse.closing_models  # noqa: E402, F401
