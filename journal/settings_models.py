"""How a campground's books are kept, and which account an amount goes to."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from journal.accounts import Account, Chart
from tenants.models import Tenant, TenantOwned


class Flavor(models.TextChoices):
    """Which SAP, if any."""

    FILES = "files", _("No SAP: files to import")
    BUSINESS_ONE = "business_one", "SAP Business One"
    S4HANA = "s4hana", "SAP S/4HANA"


class Environment(models.TextChoices):
    """What the books at that address are."""

    TEST = "test", _("Test")
    PRODUCTION = "production", _("Production")


class JournalSettings(models.Model):
    """How a campground's books are kept. Without a row, or switched off, nothing is posted by itself."""

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, primary_key=True, related_name="+")
    enabled = models.BooleanField(_("post every day"), default=False)
    first_date = models.DateField(
        _("first business day"), help_text=_("What was sold before is booked already, and stays out.")
    )
    posting_hour = models.PositiveSmallIntegerField(
        _("hour of posting"), default=2, validators=[MaxValueValidator(23)], help_text=_("On the campground's clock.")
    )
    block_unmapped = models.BooleanField(
        _("wait when an account is missing"),
        default=False,
        help_text=_("Otherwise such amounts go to the account for unclear amounts, and the journal says so."),
    )
    cost_centre = models.CharField(_("cost centre"), max_length=10, blank=True, help_text=_("For revenue, if needed."))
    flavor = models.CharField("SAP", max_length=20, choices=Flavor, default=Flavor.FILES)
    environment = models.CharField(_("environment"), max_length=20, choices=Environment, default=Environment.TEST)
    url = models.CharField(_("address"), max_length=255, blank=True)
    company = models.CharField(
        _("company"), max_length=100, blank=True, help_text=_("Business One: company database. S/4HANA: company code.")
    )
    username = models.CharField(_("user name"), max_length=100, blank=True)
    sealed_password = models.TextField(blank=True, editable=False)
    company_currency = models.CharField(
        _("currency of the company in SAP"),
        max_length=3,
        default="CHF",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, as in ISO 4217."))],
    )
    may_look_up = models.BooleanField(
        _("the user may read journal entries"),
        default=True,
        help_text=_("S/4HANA: by the OData service. Without it, a person has to look after a lost answer."),
    )
    swept_through = models.DateField(null=True, editable=False, help_text="The last day whose sales were gathered.")
    tested_at = models.DateTimeField(null=True, editable=False)
    test_passed = models.BooleanField(default=False, editable=False)
    test_sentence = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("journal settings")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(posting_hour__lte=23), name="journal_posting_hour_of_a_day"),
            models.CheckConstraint(condition=Q(flavor__in=Flavor.values), name="journal_flavor_known"),
            models.CheckConstraint(condition=Q(environment__in=Environment.values), name="journal_environment_known"),
        ]

    def __str__(self) -> str:
        return str(self.tenant)


ACCOUNT = RegexValidator(r"^[A-Za-z0-9._-]+\Z", _("Letters and digits."))


class AccountMapping(TenantOwned):
    """The account of one key at one campground, instead of the default."""

    key = models.CharField(_("key"), max_length=120)
    account = models.CharField(_("account"), max_length=15, validators=[ACCOUNT])
    tax_code = models.CharField(
        _("tax code"), max_length=8, blank=True, validators=[ACCOUNT], help_text="S/4HANA only."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "key"], name="account_mapping_once_per_key"),
            models.CheckConstraint(condition=~Q(account=""), name="account_mapping_has_an_account"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.account}"


def chart_of(tenant: Tenant) -> Chart:
    """The accounts of a campground."""
    rows = AccountMapping.objects.of(tenant).values_list("key", "account", "tax_code")
    return Chart({key: Account(account, tax_code) for key, account, tax_code in rows})
