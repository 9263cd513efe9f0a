"""Opening a campground: the tenant itself, and the VAT rates without which its tills cannot name one."""

from __future__ import annotations

from django.db import transaction

from catalogue.vat import add_swiss_rates
from tenants.fence import within
from tenants.models import Tenant


def open_campground(tenant: Tenant) -> None:
    """Check and save a new campground; one that counts in francs gets the Swiss VAT rates.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong, or the slug is taken.
    """
    tenant.full_clean()
    with transaction.atomic():
        tenant.save(force_insert=True)
        if tenant.currency == "CHF":
            with within(tenant):
                add_swiss_rates(tenant)
