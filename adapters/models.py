"""Connections to vendors' tills: what was agreed, what came in, what became of it, and who called."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from catalogue.exact_decimals import ExactDecimalField
from tenants.models import TenantOwned

CASHIERS_LANGUAGES = [("de", "Deutsch"), ("fr", "Français"), ("it", "Italiano"), ("en", "English")]


class Connection(TenantOwned):
    """A campground's line to one vendor's till. Its address and its secrets lie sealed; a digest finds the address."""

    vendor = models.CharField(max_length=20, help_text="The folder of the vendor.")
    name = models.CharField(_("name"), max_length=80, help_text=_("As the till is called here: Restaurant, Kiosk."))
    till = models.OneToOneField(
        ApiKey, on_delete=models.PROTECT, related_name="+", help_text="Its till's name in the ledger; opens nothing."
    )
    address_digest = models.CharField(max_length=64, unique=True, editable=False)
    sealed_address = models.TextField(editable=False)
    sealed_secrets = models.TextField(blank=True, editable=False)
    scope = models.CharField(max_length=120, blank=True, help_text="Whose till it is, in the vendor's words.")
    currency = models.CharField(
        _("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, as in CHF."))]
    )
    language = models.CharField(
        _("language of the till"),
        max_length=2,
        choices=CASHIERS_LANGUAGES,
        default="de",
        help_text=_("In which a refused sale is explained at the till."),
    )
    methods = models.JSONField(default=dict, blank=True)
    default_vat_rate = ExactDecimalField(
        _("usual VAT rate"),
        places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Percent; for lines whose rate neither the till nor the product list knows."),
    )
    enabled = models.BooleanField(_("switched on"), default=True)
    trouble = models.CharField(max_length=40, blank=True, help_text="Code of what keeps it from working.")
    trouble_since = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True, help_text="When the vendor was last heard, or last answered us.")
    state = models.JSONField(default=dict, help_text="What the vendor's folder remembers: cursors, subscriptions.")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "vendor", "name"], name="connection_name_once_per_vendor"),
            models.CheckConstraint(condition=~Q(name=""), name="connection_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.name}"


class Standing(models.TextChoices):
    """Where an event stands."""

    RECEIVED = "received", _("received")
    RECORDED = "recorded", _("recorded")
    IGNORED = "ignored", _("no sale")
    PARKED = "parked", _("parked")
    SET_ASIDE = "set_aside", _("set aside")


WAITING = (Standing.PARKED, Standing.RECEIVED)
"""What nobody has settled yet."""


class VendorEvent(TenantOwned):
    """What a vendor sent or was asked for, credentials cut out: kept before anything is made of it."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    delivery = models.CharField(max_length=120, help_text="The vendor's identity of the delivery or the event.")
    digest = models.CharField(max_length=64, editable=False)
    payload = models.TextField()
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    times_received = models.PositiveIntegerField(default=1)
    standing = models.CharField(max_length=12, choices=Standing, default=Standing.RECEIVED)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=255, blank=True)
    references = models.JSONField(default=list, help_text="The references of its sales in the ledger.")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "delivery", "digest"], name="vendor_event_once_per_delivery"
            ),
            models.CheckConstraint(condition=Q(standing__in=Standing.values), name="vendor_event_standing_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "connection", "standing", "-received_at"], name="vendor_event_by_standing"),
            models.Index(fields=["received_at"], name="vendor_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.delivery}".strip()


class SaleName(TenantOwned):
    """A further name by which a vendor knows a sale, and the reference under which the ledger has it."""

    name = models.CharField(max_length=255)
    external_ref = models.CharField(max_length=255)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "name"], name="sale_name_means_one_sale"),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "external_ref"], name="sale_name_by_reference")]

    def __str__(self) -> str:
        return self.name


class ConnectionCall(TenantOwned):
    """One line of a connection's own log: a call of the vendor's, or one of ours. No body, no secret.

    Calls of one kind within a minute that bring nothing share a line, and are counted in ``calls``.
    """

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    deed = models.CharField(max_length=20)
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=40)
    detail = models.CharField(max_length=200, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)
    remote_address = models.CharField(max_length=64, blank=True)
    key_prefix = models.CharField(max_length=11, blank=True)
    calls = models.PositiveIntegerField(default=1)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "connection", "-at"], name="connection_call_by_time"),
            models.Index(fields=["at"], name="connection_call_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.deed}: {self.outcome}"
