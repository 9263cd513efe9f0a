"""Which VAT rate a line carries when the till did not say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from catalogue.models import Product
from catalogue.vat import rates_on
from kasse.sales import NewItem
from tenants.models import Tenant


def resolve_vat(
    *, tenant: Tenant, day: date, items: Sequence[NewItem], default_vat_rate: Decimal | None
) -> list[Decimal | None]:
    """The rate of each line, in percent: as sent, else its product's, else the default, else None (unknown).

    A product's or default rate that does not hold on ``day`` is not used: last year's sale is not taxed at
    this year's rate, and nothing is guessed.
    """
    if all(item.vat_rate is not None for item in items):
        return [item.vat_rate for item in items]
    of_product = _rates_of_products(tenant, {item.sku for item in items if item.sku})
    candidates = [_first(item.vat_rate, of_product.get(item.sku), default_vat_rate) for item in items]
    if all(rate is None for rate in candidates):
        return candidates
    holding = rates_on(tenant, day)
    return [
        rate if item.vat_rate is not None or rate in holding else None
        for item, rate in zip(items, candidates, strict=True)
    ]


def _rates_of_products(tenant: Tenant, skus: set[str]) -> dict[str, Decimal]:
    if not skus:
        return {}
    return dict(Product.objects.of(tenant).filter(sku__in=skus).values_list("sku", "vat_rate"))


def _first(*rates: Decimal | None) -> Decimal | None:
    return next((rate for rate in rates if rate is not None), None)
