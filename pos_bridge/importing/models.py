"""Imports of past sales: what was asked for, the file as rows, and each of its receipts with what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from tenants.models import TenantOwned, User


class ImportState(models.TextChoices):
    """How far an import has come."""

    MAPPING = "mapping", _("being prepared")
    RUNNING = "running", _("running")
    DONE = "done", _("finished")


class ReceiptFate(models.TextChoices):
    """What became of a receipt; empty while it waits."""

    WAITING = "", _("waiting")
    CREATED = "created", _("booked")
    REPLAYED = "replayed", _("already there")
    CONFLICT = "conflict", _("conflict")
    INVALID = "invalid", _("invalid")


class SalesImport(TenantOwned):
    """One file of past sales: who brought it, how it is read, how far it has come, and how many of each there were.

    ``is_dry_run``: what is counted would have happened, and nothing was stored. ``worked_at`` is when it last went on.
    """

    file_name = models.CharField(max_length=120)
    layout = models.JSONField()
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.MAPPING)
    is_dry_run = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=310, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    started_at = models.DateTimeField(null=True)
    worked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    receipts = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    replayed = models.PositiveIntegerField(default=0)
    conflict = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="sales_import_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-created_at"], name="sales_import_by_time"),
            models.Index(fields=["worked_at"], condition=Q(state="running"), name="sales_import_running"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def done(self) -> int:
        """How many receipts something has become of."""
        return self.created + self.replayed + self.not_taken

    @property
    def not_taken(self) -> int:
        """How many receipts somebody has to look at."""
        return self.conflict + self.invalid


class ImportedFile(TenantOwned):
    """The rows of a file, as JSON of lines and cells; deleted when their time is over."""

    sales_import = models.OneToOneField(SalesImport, on_delete=models.CASCADE, primary_key=True, related_name="file")
    rows = models.TextField()

    def __str__(self) -> str:
        return str(self.sales_import_id)


class ImportedReceipt(TenantOwned):
    """One receipt of a file as a document of the contract, and what became of it; deleted with the file.

    ``lines`` are those in the file. ``faults`` are objects with the line, the column, a code, and what stands there.
    """

    sales_import = models.ForeignKey(SalesImport, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveIntegerField()
    external_ref = models.CharField(max_length=255, blank=True)
    lines = models.JSONField()
    document = models.TextField(blank=True)
    fate = models.CharField(max_length=10, choices=ReceiptFate, blank=True, default=ReceiptFate.WAITING)
    faults = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "sales_import", "position"], name="imported_receipt_once_per_import"
            ),
            models.CheckConstraint(condition=Q(fate__in=ReceiptFate.values), name="imported_receipt_fate_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "sales_import", "fate", "position"], name="imported_receipt_by_fate"),
        ]

    def __str__(self) -> str:
        return self.external_ref or str(self.position)
