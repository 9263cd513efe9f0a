"""What staff have said about receipts that are missing: written once, and kept."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from apikeys.models import ApiKey
from tenants.models import TenantOwned, User
from tenants.written_once import WrittenOnceManager


class ExplainedGap(TenantOwned):
    """Missing numbers, why they are, and who has said so.

    ``api_key`` is the first of the till's keys. ``sold_after`` and ``sold_before`` are when the sales beside the hole
    were sold, by the till's clock: by them it is told from a hole with the same numbers in another run of the counter.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    till_id = models.CharField(max_length=64, blank=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    sold_after = models.DateTimeField()
    sold_before = models.DateTimeField()
    reason = models.TextField()
    explained_at = models.DateTimeField()
    explained_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    explained_by_name = models.CharField(max_length=310)

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "sold_before", "api_key", "till_id", "first", "last"], name="explained_gap_once"
            ),
            models.CheckConstraint(condition=Q(first__gte=1, first__lte=F("last")), name="explained_gap_is_a_range"),
            models.CheckConstraint(condition=~Q(reason=""), name="explained_gap_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.numbers}: {self.reason}"

    @property
    def numbers(self) -> str:
        """What is missing, as people say it."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"
