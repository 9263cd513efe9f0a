"""The same rows as the product's, as ordinary models: decimals as ``DecimalField``, ids by Django."""

from __future__ import annotations

import uuid

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager


class Tenant(models.Model):
    """One campground."""

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="Europe/Zurich")
    cutoff_hour = models.PositiveSmallIntegerField(default=0)
    currency = models.CharField(max_length=3, default="CHF")
    is_active = models.BooleanField(default=True)


class TillKeyManager(BaseAPIKeyManager):
    """Keys with their campground: one query, not two."""

    def get_usable_keys(self):
        return super().get_usable_keys().select_related("tenant")


class TillKey(AbstractAPIKey):
    """A till's key; prefix, hash, revocation and expiry are the library's."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="keys")
    scopes = models.JSONField(default=list)
    budget = models.PositiveIntegerField(null=True)

    objects = TillKeyManager()


class VatRate(models.Model):
    """A rate in percent, from its first day to its last."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    rate = models.DecimalField(max_digits=5, decimal_places=2)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)


class Product(models.Model):
    """Something a till can sell."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    category = models.CharField(max_length=80, blank=True)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sku"], name="sku_per_tenant")]


class Transaction(models.Model):
    """One finished sale."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    api_key = models.ForeignKey(TillKey, on_delete=models.PROTECT, db_index=False)
    source = models.CharField(max_length=20, default="EXTERNAL_POS")
    status = models.CharField(max_length=20, default="COMPLETED")
    external_ref = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=80)
    payment_method = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    total_amount = models.DecimalField(max_digits=10, decimal_places=2)
    rounding_amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    tip_amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    occurred_at = models.DateTimeField()
    business_date = models.DateField()
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    refund_of = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "external_ref"], name="external_ref_per_tenant")]
        indexes = [
            models.Index(fields=["tenant", "source", "received_at", "id"], name="by_arrival"),
            models.Index(fields=["tenant", "business_date", "source"], name="by_day"),
            models.Index(fields=["tenant", "occurred_at", "id"], name="by_time"),
        ]


class TransactionItem(models.Model):
    """One line of a sale."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=255)
    quantity = models.DecimalField(max_digits=11, decimal_places=3)
    unit_price = models.DecimalField(max_digits=12, decimal_places=4)
    line_total = models.DecimalField(max_digits=10, decimal_places=2)
    sku = models.CharField(max_length=64, blank=True)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    category = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=20, default="SALE")

    class Meta:
        ordering = ["position"]


class Payment(models.Model):
    """One tender of a sale."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="payments")
    position = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    tip_amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    class Meta:
        ordering = ["position"]


class InboundCall(models.Model):
    """One call of the API."""

    at = models.DateTimeField()
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, db_index=False)
    api_key = models.ForeignKey(TillKey, on_delete=models.PROTECT, null=True, db_index=False)
    key_prefix = models.CharField(max_length=11, blank=True)
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    latency_ms = models.DecimalField(max_digits=10, decimal_places=2)
    request_id = models.CharField(max_length=64)
    outcome = models.CharField(max_length=12)
    error_code = models.CharField(max_length=40, blank=True)
    external_ref = models.CharField(max_length=255, blank=True)
    remote_address = models.CharField(max_length=64, blank=True)
    request_bytes = models.PositiveIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-at"], name="call_by_tenant"),
            models.Index(fields=["at"], name="call_by_time"),
        ]
