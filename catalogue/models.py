"""What can be sold, its price, and the VAT rates with the days they hold."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs
from django.utils.translation import gettext_lazy as _

from catalogue.exact_decimals import ExactDecimalField, MoneyField
from tenants.models import Tenant, TenantOwned, TenantOwnedManager

M = TypeVar("M", bound=models.Model)


class CatalogueManager(TenantOwnedManager[M]):
    """A campground's catalogue, which its rehearsal shares."""

    def of(self, tenant: Tenant | models.OuterRef) -> models.QuerySet[M]:
        """The rows of ``tenant``; for a rehearsal those of its campground, as they are now."""
        return self.get_queryset().filter(tenant=abs(tenant.pk) if isinstance(tenant, Tenant) else Abs(tenant))


class VatRate(TenantOwned):
    """A rate in percent, from its first day to its last."""

    rate = ExactDecimalField(
        places=2, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text=_("Percent.")
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("Its last day; empty while it holds."))
    label = models.CharField(max_length=60, blank=True)

    objects: ClassVar[CatalogueManager[Self]] = CatalogueManager()

    class Meta:
        verbose_name = "VAT rate"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "rate", "valid_from"], name="vat_rate_once_per_first_day"),
            models.CheckConstraint(condition=Q(rate__gte=0) & Q(rate__lte=100), name="vat_rate_is_a_percentage"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="vat_rate_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rate.normalize():f} %"


class Product(TenantOwned):
    """Something a till can sell. Switched off, it leaves the till but not the list."""

    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=255)
    category = models.CharField(max_length=80, blank=True)
    unit_price = MoneyField(validators=[MinValueValidator(0)], help_text=_("Gross, VAT included."))
    vat_rate = ExactDecimalField(
        "VAT rate", places=2, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text=_("Percent.")
    )
    active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[CatalogueManager[Self]] = CatalogueManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "sku"], name="product_sku_per_tenant"),
            models.CheckConstraint(condition=~Q(sku=""), name="product_sku_not_empty"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0) & Q(vat_rate__lte=100), name="product_vat_is_a_percentage"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "updated_at"], name="product_by_change")]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"
