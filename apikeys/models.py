"""The record of a key: whose it is, what it may do, and the hash that proves its token."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantOwned

DEFAULT_BUDGET = 1000


class Scope(models.TextChoices):
    """What a key may be allowed to do; writing does not imply reading."""

    POS_READ = "pos:read", "pos:read"
    POS_WRITE = "pos:write", "pos:write"


def validate_scopes(value: object) -> None:
    """A key holds at least one scope, each known and named once."""
    scopes = value if isinstance(value, list) else []
    if not scopes or any(each not in Scope.values for each in scopes) or len(set(scopes)) != len(scopes):
        raise ValidationError(
            "Scopes are one or more of: %(known)s", code="scopes", params={"known": ", ".join(Scope.values)}
        )


class ApiKey(TenantOwned):
    """A till's key. The raw token is nowhere: only its public prefix and its hash are kept."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=11, unique=True, editable=False)
    token_hash = models.CharField(max_length=200, editable=False)
    scopes = models.JSONField(validators=[validate_scopes])
    budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=DEFAULT_BUDGET,
        validators=[MinValueValidator(1)],
        help_text=_("Calls in a rolling hour; empty means no limit."),
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(budget__isnull=True) | Q(budget__gte=1), name="api_key_budget_positive"),
            models.CheckConstraint(condition=Q(prefix__startswith="ck_"), name="api_key_prefix_shape"),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "-created_at"], name="api_key_by_tenant")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_active_at(self, instant: datetime) -> bool:
        """Whether the key, proven, opens anything: not revoked, not expired, its campground switched on."""
        expired = self.expires_at is not None and self.expires_at <= instant
        return self.revoked_at is None and not expired and self.tenant.is_active

    def revoke(self, *, at: datetime) -> None:
        """End the key for ever; a second time changes nothing."""
        type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=at)
        self.refresh_from_db(fields=["revoked_at"])


class UsedForm(TenantOwned):
    """A form that has minted its key. Sent again, it mints no second one that nobody has noted down."""

    form_id = models.UUIDField()
    api_key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "form_id"], name="used_form_mints_once"),
        ]

    def __str__(self) -> str:
        return str(self.form_id)
