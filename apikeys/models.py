"""The record of a key: whose it is, what it may do, and the hash that proves its token."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.networks import MOST_NETWORKS, NotANetwork, lies_within, network_in
from tenants.models import TenantOwned
from tenants.trail_models import trace

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


def validate_networks(value: object) -> None:
    """Networks as ``networks.network_in()`` writes them, each once; a key without any may be used from everywhere."""
    if not isinstance(value, list) or len(value) > MOST_NETWORKS or len(set(map(str, value))) != len(value):
        raise ValidationError(_("At most %(most)d networks."), code="networks", params={"most": MOST_NETWORKS})
    for each in value:
        try:
            as_kept = str(network_in(each)) if isinstance(each, str) else None
        except NotANetwork:
            as_kept = None
        if each != as_kept:
            raise ValidationError(_("Not a network: %(text)s"), code="network", params={"text": each})


class ApiKey(TenantOwned):
    """A till's key. The raw token is nowhere: only its public prefix and its hash are kept."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    token_hash = models.CharField(max_length=200, editable=False)
    scopes = models.JSONField(validators=[validate_scopes])
    budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=DEFAULT_BUDGET,
        validators=[MinValueValidator(1)],
        help_text=_("Calls in a rolling hour; empty means no limit."),
    )
    networks = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[validate_networks],
        help_text=_("From where it may be used; empty means from everywhere."),
    )
    # The key that this one took over from, and the first of all that were one till's, one after the other.
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="successors"
    )
    line = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(budget__isnull=True) | Q(budget__gte=1), name="api_key_budget_positive"),
            # Whose key it is decides whether its sales count, and its token says the same to everybody who sees it.
            models.CheckConstraint(
                condition=Q(tenant__gt=0, prefix__startswith="ck_") | Q(tenant__lt=0, prefix__startswith="ckt_"),
                name="api_key_prefix_shape",
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True, line__isnull=True) | Q(replaces__isnull=False, line__isnull=False),
                name="api_key_of_a_line_if_it_replaces",
            ),
            models.UniqueConstraint(
                fields=["tenant", "replaces"], condition=Q(revoked_at=None), name="api_key_replaced_by_one"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "-created_at"], name="api_key_by_tenant")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def till_key_id(self) -> int:
        """The key that names the till in whose hands this one is: the first of those that replaced one another."""
        return self.line_id or self.pk

    @property
    def is_test(self) -> bool:
        """Whether it opens the campground's rehearsal, where no sale counts."""
        return self.tenant_id < 0

    def is_active_at(self, instant: datetime) -> bool:
        """Whether the key, proven, opens anything: not revoked, not expired, its campground switched on."""
        expired = self.expires_at is not None and self.expires_at <= instant
        return self.revoked_at is None and not expired and self.tenant.is_active

    def may_be_used_from(self, address: str) -> bool:
        """Whether a call from an address is let in, which may be "" where it is not known."""
        return not self.networks or lies_within(address, self.networks)

    def revoke(self, *, at: datetime) -> None:
        """End the key for ever; a second time changes nothing."""
        with transaction.atomic():
            if type(self).objects.of(self.tenant).filter(pk=self.pk, revoked_at=None).update(revoked_at=at):
                trace(self.tenant, "key.revoked", self)
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


class ExpiryWarning(TenantOwned):
    """That a key ends soon, told by mail: once for each end of a key, and so many days ahead of it.

    Without ``sent_at`` it is in the hands of whoever sends it until ``claimed_until``; then it is to be sent again.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    expires_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()
    claimed_until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "api_key", "expires_at", "days"], name="expiry_warning_once"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}: {self.days}"
