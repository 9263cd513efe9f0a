"""Which VAT rate a line carries when the till did not say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property

from msgspec.structs import replace

from catalogue.models import Product
from catalogue.vat import DatedRates, dated_rates, holding_on
from kasse.sales import NewItem, NewSale
from tenants.models import Tenant


class VatTable:
    """What a campground's catalogue says of rates: asked once for all ``sales``, and only if one of them needs it."""

    def __init__(
        self, tenant: Tenant, sales: Iterable[NewSale], *, default: Decimal | None, rates: DatedRates | None = None
    ) -> None:
        """``default`` in percent, for lines of which nobody knows better; ``rates`` are the tenant's, if at hand."""
        self._tenant = tenant
        self._sales = sales
        self._rates = rates
        self._default = default

    def rate_of(self, item: NewItem, day: date) -> Decimal | None:
        """In percent: as sent, else its product's, else the default, else None (unknown).

        A product's or default rate that does not hold on ``day`` is not used: last year's sale is not taxed at
        this year's rate, and nothing is guessed.
        """
        if item.vat_rate is not None:
            return item.vat_rate
        rate = self._of_products.get(item.sku, self._default) if item.sku else self._default
        return rate if rate is not None and rate in holding_on(self._of_tenant, day) else None

    @cached_property
    def _of_products(self) -> dict[str, Decimal]:
        skus = {item.sku for sale in self._sales for item in sale.items if item.sku and item.vat_rate is None}
        return dict(Product.objects.of(self._tenant).filter(sku__in=skus).values_list("sku", "vat_rate"))

    @cached_property
    def _of_tenant(self) -> DatedRates:
        return dated_rates(self._tenant) if self._rates is None else self._rates


def with_vat(sale: NewSale, *, day: date, vat: VatTable) -> NewSale:
    """The sale with the rate of each line filled in, as far as anybody knows it."""
    if all(item.vat_rate is not None for item in sale.items):
        return sale
    return replace(sale, items=tuple(replace(item, vat_rate=vat.rate_of(item, day)) for item in sale.items))
