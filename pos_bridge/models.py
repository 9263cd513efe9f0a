"""The door's own rows: its settings, what was refused and parked, every call, and what each key has used."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from catalogue.exact_decimals import ExactDecimalField, MoneyField
from kasse.models import Transaction
from tenants.models import Tenant, TenantOwned, User
from tenants.written_once import WrittenOnceManager


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
        help_text=_("Percent; for lines whose rate neither the till nor the catalogue knows."),
    )

    class Meta:
        verbose_name = verbose_name_plural = "bridge settings"

    def __str__(self) -> str:
        return f"{self.tenant}: {'on' if self.enabled else 'off'}"


class Outcome(models.TextChoices):
    """What became of a call."""

    CREATED = "created", _("created")
    REPLAYED = "replayed", _("replayed")
    CONFLICT = "conflict", _("conflict")
    READ = "read", _("read")
    REFUSED = "refused", _("refused")
    THROTTLED = "throttled", _("throttled")
    FAILED = "failed", _("failed")
    FLOOD = "flood", _("flood")


ANSWER_LOST = "answer_lost"
"""In place of an error's code: the call was answered, and the answer lost on purpose (``rehearsing``)."""


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
    key_prefix = models.CharField(max_length=12, blank=True)
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


class InboundBatch(TenantOwned):
    """What became of the sales of one batch: how many of each, beside the row that its call has in the log.

    ``at`` is that of the log's row; ``received_at`` that of all its sales. Neither campground nor key is ever deleted.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    request_id = models.CharField(max_length=64)
    created = models.PositiveSmallIntegerField()
    replayed = models.PositiveSmallIntegerField()
    conflicts = models.PositiveSmallIntegerField(help_text="Parked.")
    invalid = models.PositiveSmallIntegerField()
    failed = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "inbound batches"
        indexes: ClassVar = [
            models.Index(fields=["tenant", "at"], name="inbound_batch_by_call"),
            models.Index(fields=["tenant", "received_at"], name="inbound_batch_by_sale"),
            models.Index(fields=["at"], name="inbound_batch_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.created}"


class ParkingReason(models.TextChoices):
    """Why a sale was parked."""

    CONFLICT = "conflict", _("The reference exists with other money")


class ParkedSale(TenantOwned):
    """A refused sale kept for staff to decide; parked once, however often the till repeats it."""

    external_ref = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=80, editable=False)
    reason = models.CharField(max_length=20, choices=ParkingReason)
    payload = models.TextField(help_text=_("What the till sent, credentials cut out."))
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


class Decision(models.TextChoices):
    """What staff make of a parked sale."""

    KEEP = "keep", _("Stored sale kept")
    BOOK = "book", _("Booked as a new sale")
    DISCARD = "discard", _("Discarded")


class ParkedDecision(TenantOwned):
    """What was decided about a parked sale, once and for ever; one booked as new is held by its row of the ledger."""

    parked = models.OneToOneField(ParkedSale, on_delete=models.PROTECT, primary_key=True, related_name="decision")
    decision = models.CharField(max_length=10, choices=Decision)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    decided_by_name = models.CharField(max_length=310)
    reason = models.TextField(blank=True)
    booked = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="parked_decision_known"),
            models.CheckConstraint(
                condition=Q(decision=Decision.BOOK, booked__isnull=False)
                | (~Q(decision=Decision.BOOK) & Q(booked__isnull=True)),
                name="parked_decision_books_a_sale",
            ),
            models.CheckConstraint(
                condition=~Q(decision=Decision.DISCARD) | ~Q(reason=""), name="parked_decision_discards_for_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parked_id}: {self.decision}"


class Verdict(models.TextChoices):
    """What comparing a till's day with ours has come to."""

    COMPLETE = "complete", _("complete")
    INCOMPLETE = "incomplete", _("incomplete")


class Reconciliation(TenantOwned):
    """A till's day compared with ours, as it was found at ``at``: evidence, written once.

    ``details`` holds the first hundred rows of each list that the till was told, the counts all of them.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    business_date = models.DateField()
    at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Verdict)
    by_totals = models.BooleanField(help_text="The till told only what its Z-report says.")
    told_count = models.PositiveIntegerField()
    told_amount = MoneyField()
    stored_count = models.PositiveIntegerField()
    stored_amount = MoneyField()
    missing_count = models.PositiveIntegerField()
    unknown_count = models.PositiveIntegerField()
    differing_count = models.PositiveIntegerField()
    other_day_count = models.PositiveIntegerField()
    details = models.JSONField()

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="reconciliation_verdict_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "business_date", "api_key", "-at"], name="reconciliation_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.business_date}: {self.verdict}"


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


# Django finds a room's models where its `models` is.
import pos_bridge.gap_models  # noqa: E402
import pos_bridge.importing.models  # noqa: E402
import pos_bridge.losing_models  # noqa: E402, F401
