"""The audit trail: who changed what, when, and from where; written once."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from tenants.actor import actor
from tenants.fence import within
from tenants.models import Tenant, TenantOwned, User
from tenants.written_once import WrittenOnceManager


class Trace(TenantOwned):
    """One deed at a campground. The database refuses to change or delete it."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    deed = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    by_name = models.CharField(max_length=150)
    remote_address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict)

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=~models.Q(deed=""), name="trace_says_the_deed")]
        indexes: ClassVar = [models.Index(fields=["tenant", "-id"], name="trace_newest_first")]

    def __str__(self) -> str:
        return f"{self.deed} {self.subject}"


def trace(tenant: Tenant, deed: str, subject: object, /, **facts: Any) -> None:
    """Write a deed down, in the transaction of the deed: neither is ever without the other.

    ``deed`` is one of ``trail_words.DEEDS``; ``facts`` are what JSON can hold, and never a token, a password or another
    secret. What is done at a rehearsal is written down at its campground.
    """
    who = actor()
    with within(tenant):
        Trace.objects.create(
            tenant_id=abs(tenant.pk),
            deed=deed,
            subject=str(subject)[:200],
            by_id=who.user,
            by_name=who.name[:150],
            remote_address=who.address[:64],
            request_id=who.request_id[:64],
            facts=facts,
        )
