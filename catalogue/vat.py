"""Which VAT rates hold on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Q

from catalogue.models import VatRate
from tenants.models import Tenant

SWISS_RATES = (
    # rate, first day, last day, label
    (Decimal("8.1"), date(2024, 1, 1), None, "Normalsatz"),
    (Decimal("2.6"), date(2024, 1, 1), None, "Reduzierter Satz"),
    (Decimal("3.8"), date(2024, 1, 1), None, "Beherbergung"),
    (Decimal(0), date(2000, 1, 1), None, "Ausgenommen"),
    (Decimal("7.7"), date(2018, 1, 1), date(2023, 12, 31), "Normalsatz"),
    (Decimal("2.5"), date(2011, 1, 1), date(2023, 12, 31), "Reduzierter Satz"),
    (Decimal("3.7"), date(2018, 1, 1), date(2023, 12, 31), "Beherbergung"),
)


def rates_on(tenant: Tenant, day: date) -> frozenset[Decimal]:
    """The rates, in percent, that a campground may use for a sale of ``day``."""
    holding = (
        VatRate.objects.of(tenant).filter(valid_from__lte=day).filter(Q(valid_until=None) | Q(valid_until__gte=day))
    )
    return frozenset(holding.values_list("rate", flat=True))


def add_swiss_rates(tenant: Tenant) -> None:
    """Give a campground the Swiss rates of today and of the years before; what is there stays as it is."""
    VatRate.objects.bulk_create(
        [
            VatRate(tenant=tenant, rate=rate, valid_from=first, valid_until=last, label=label)
            for rate, first, last, label in SWISS_RATES
        ],
        ignore_conflicts=True,
    )
