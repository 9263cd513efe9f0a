"""Which VAT rates hold on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

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


class DatedRate(NamedTuple):
    """A rate in percent, from its first day to its last; None while it holds."""

    rate: Decimal
    valid_from: date
    valid_until: date | None


DatedRates = tuple[DatedRate, ...]


def dated_rates(tenant: Tenant) -> DatedRates:
    """All rates of a campground, past and coming ones too."""
    rows = VatRate.objects.of(tenant).values_list("rate", "valid_from", "valid_until")
    return tuple(DatedRate(*row) for row in rows)


def holding_on(rates: DatedRates, day: date) -> list[Decimal]:
    """The rates, in percent, that may be used for a sale of ``day``."""
    return [
        each.rate for each in rates if each.valid_from <= day and (each.valid_until is None or day <= each.valid_until)
    ]


def rates_on(tenant: Tenant, day: date) -> frozenset[Decimal]:
    """The rates, in percent, that a campground may use for a sale of ``day``."""
    return frozenset(holding_on(dated_rates(tenant), day))


def add_swiss_rates(tenant: Tenant) -> None:
    """Give a campground the Swiss rates of today and of the years before; what is there stays as it is."""
    VatRate.objects.bulk_create(
        [
            VatRate(tenant=tenant, rate=rate, valid_from=first, valid_until=last, label=label)
            for rate, first, last, label in SWISS_RATES
        ],
        ignore_conflicts=True,
    )
