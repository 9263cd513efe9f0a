"""The door's own rows: its settings, what was refused and parked, every call, and what each key has used."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apikeys.models import ApiKey
from catalogue.exact_decimals import ExactDecimalField
from kasse.models import Transaction
from tenants.models import Tenant, TenantOwned


class BridgeSettings(models.Model):
    """The settings card of a campground; a campground without one has the bridge switched on."""

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, primary_key=True, related_name="+")
    enabled = models.BooleanField(default=True)
    default_vat_rate = ExactDecimalField(
        "default VAT rate",
        places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Percent; for lines whose rate neither the till nor the catalogue knows.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "bridge settings"

    def __str__(self) -> str:
        return f"{self.tenant}: {'on' if self.enabled else 'off'}"


class Outcome(models.TextChoices):
    """What became of a call."""

    CREATED = "created", "created"
    REPLAYED = "replayed", "replayed"
    CONFLICT = "conflict", "conflict"
    READ = "read", "read"
    REFUSED = "refused", "refused"
    THROTTLED = "throttled", "throttled"
    FAILED = "failed", "failed"
    FLOOD = "flood", "flood"


class InboundCall(models.Model):
    """One call of the API, answered by whatever. No body, no token.

    A row with the outcome ``flood`` stands for all further refusals of one address in one minute. On PostgreSQL the
    table is partitioned by month (``partitions.py``), and its primary key there is ``(id, at)``.
    """

    at = models.DateTimeField()
    # Without a constraint in the database: checking it would cost each call a lock on its campground's and its key's
    # row. Neither is ever deleted; PROTECT refuses that.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    key_prefix = models.CharField(max_length=11, blank=True)
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    latency_ms = ExactDecimalField("latency in ms", places=2)
    request_id = models.CharField(max_length=64)
    outcome = models.CharField(max_length=12, choices=Outcome)
    error_code = models.CharField(max_length=40, blank=True)
    error_field = models.CharField(max_length=120, blank=True)
    external_ref = models.CharField(max_length=255, blank=True)
    remote_address = models.CharField(max_length=64, blank=True)
    request_bytes = models.PositiveIntegerField()
    calls = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["remote_address", "at"],
                condition=Q(outcome=Outcome.FLOOD),
                name="inbound_call_one_flood_row_per_minute",
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="inbound_call_outcome_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-at"], name="inbound_call_by_tenant"),
            # Next to nothing to keep up, where rows come in the order of time. On SQLite it is an ordinary index.
            BrinIndex(fields=["at"], name="inbound_call_by_time"),
            models.Index(
                fields=["remote_address", "at"], condition=Q(status__gte=400), name="inbound_call_refused_by_whom"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"


class ParkingReason(models.TextChoices):
    """Why a sale was parked."""

    CONFLICT = "conflict", "The reference exists with other money"


class ParkedSale(TenantOwned):
    """A refused sale kept for staff to decide; parked once, however often the till repeats it."""

    external_ref = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=80, editable=False)
    reason = models.CharField(max_length=20, choices=ParkingReason)
    payload = models.TextField(help_text="What the till sent, credentials cut out.")
    differences = models.JSONField(default=list)
    stored = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="+", db_index=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    times_received = models.PositiveIntegerField(default=1)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "external_ref", "fingerprint"], name="parked_sale_once"),
            models.CheckConstraint(condition=Q(reason__in=ParkingReason.values), name="parked_sale_reason_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "decided_at", "-last_received_at"], name="parked_sale_open")
        ]

    def __str__(self) -> str:
        return self.external_ref


class OfOneKey(TenantOwned):
    """Base of what is counted for a key. No constraint holds it: each call would pay for checking what stays."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class BudgetSlot(OfOneKey):
    """The calls of one key in one second of the last hour; what is older goes with the key's next call."""

    pk = models.CompositePrimaryKey("tenant", "api_key", "second")
    second = models.BigIntegerField(help_text="Seconds since 1970.")
    calls = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.api_key.prefix}: {self.calls}"


class BudgetTotal(OfOneKey):
    """The sum of a key's slots. Whoever counts a call updates this row, so calls of one key cannot pass each other."""

    pk = models.CompositePrimaryKey("tenant", "api_key")
    calls = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.api_key.prefix}: {self.calls}"
