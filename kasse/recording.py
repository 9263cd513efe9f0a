"""The one door into the ledger, for one sale or for many.

Errors::

    ExternalRefConflict    the reference exists with other money or another day
    SaleForgotten          the reference belonged to a test sale, which was forgotten at this very moment
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from apikeys.models import ApiKey
from catalogue.vat import DatedRates
from kasse.business_day import business_date
from kasse.fingerprint import Difference, fingerprint_of, money_differences, money_facts, soft_differences
from kasse.ids import make_id
from kasse.models import Source
from kasse.reading import sales_under
from kasse.riders import Rider
from kasse.sales import NewSale, StoredSale
from kasse.vat import VatTable, with_vat
from kasse.writing import write_sales
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a sale: a new record, or the one that was there before.

    ``differences`` names the soft fields in which a retry was not what is stored; nothing is overwritten.
    """

    stored: StoredSale
    created: bool
    differences: tuple[Difference, ...] = ()


class SaleForgotten(Exception):
    """A test sale held the reference, and was forgotten while we looked at it: sent again, the sale is stored."""


class ExternalRefConflict(Exception):
    """The reference belongs to a sale with other money or of another day; that one stays untouched."""

    def __init__(self, stored: StoredSale, fingerprint: str, differences: tuple[Difference, ...]) -> None:
        super().__init__("external_ref_conflict")
        self.stored = stored
        self.fingerprint = fingerprint
        self.differences = differences


def record_transaction(
    *,
    tenant: Tenant,
    sale: NewSale,
    source: Source,
    received_at: datetime,
    api_key: ApiKey | None = None,
    default_vat_rate: Decimal | None = None,
    rates: DatedRates | None = None,
    rider: Rider | None = None,
) -> Recorded:
    """Record a sale once, however often the till sends it; see ``record_transactions()``.

    Raises:
        ExternalRefConflict: the reference exists with other money or another day.
        Exception: what the rider raises to keep the sale out.

    Source: product page, "Idempotent on external_ref"; ADR 0003.
    """
    (outcome,) = record_transactions(
        tenant=tenant,
        sales=[sale],
        source=source,
        received_at=received_at,
        api_key=api_key,
        default_vat_rate=default_vat_rate,
        rates=rates,
        rider=rider,
    )
    if isinstance(outcome, ExternalRefConflict):
        raise outcome
    return outcome


def record_transactions(
    *,
    tenant: Tenant,
    sales: Sequence[NewSale],
    source: Source,
    received_at: datetime,
    api_key: ApiKey | None = None,
    default_vat_rate: Decimal | None = None,
    rates: DatedRates | None = None,
    rider: Rider | None = None,
) -> list[Recorded | ExternalRefConflict]:
    """Record sales, each once, however often the till sends it; what became of each, in their order.

    Amounts are in the tenant's currency, two decimals, VAT included; a refund is negative. New ones commit
    together; a ``rider`` goes with a single sale, and what it brings commits with it. A conflict concerns its own sale
    and no other.

    Writers racing on one reference meet at the constraint ``transaction_external_ref_per_tenant``: one inserts,
    the others wait for it and read what it wrote. Lines without a VAT rate get their product's, else
    ``default_vat_rate`` (percent), as far as it holds on that day; ``rates`` are the tenant's, if at hand.

    Source: product page, "Idempotent on external_ref"; ADR 0003, ADR 0012.
    """
    vat = VatTable(tenant, sales, default=default_vat_rate, rates=rates)
    prepared = [
        _prepare(sale, tenant=tenant, source=source, received_at=received_at, api_key=api_key, vat=vat)
        for sale in sales
    ]
    written = write_sales(sorted(prepared, key=_reference), rider=rider)
    others = _others(tenant, [_reference(each) for each in prepared if each.id not in written])
    return [
        Recorded(each, created=True) if each.id in written else _compare(tenant, others[_reference(each)], sale)
        for each, sale in zip(prepared, sales, strict=True)
    ]


def _prepare(
    sale: NewSale,
    *,
    tenant: Tenant,
    source: Source,
    received_at: datetime,
    api_key: ApiKey | None,
    vat: VatTable,
) -> StoredSale:
    """The sale as it will be stored, if its reference is free."""
    day = business_date(sale.occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    return StoredSale(
        id=make_id(received_at),
        tenant_id=tenant.pk,
        source=source,
        fingerprint=fingerprint_of(money_facts(sale, business_date=day)),
        api_key_id=api_key.pk if api_key else None,
        business_date=day,
        received_at=received_at,
        sale=with_vat(sale, day=day, vat=vat),
    )


def _others(tenant: Tenant, references: Sequence[str]) -> dict[str, StoredSale]:
    """Who holds the references that were not free.

    Raises:
        SaleForgotten: nobody does any more.
    """
    found = sales_under(tenant, references) if references else {}
    if len(found) < len(set(references)):
        raise SaleForgotten
    return found


def _reference(stored: StoredSale) -> str:
    return stored.sale.external_ref or ""


def _compare(tenant: Tenant, stored: StoredSale, sale: NewSale) -> Recorded | ExternalRefConflict:
    """Tell a retry from another sale under the same reference."""
    facts = money_facts(sale, business_date=_day_in_the_light_of(tenant, stored, sale))
    fingerprint = fingerprint_of(facts)
    if fingerprint != stored.fingerprint:
        return ExternalRefConflict(stored, fingerprint, tuple(money_differences(stored, facts)))
    return Recorded(stored, created=False, differences=tuple(soft_differences(stored.sale, sale)))


def _day_in_the_light_of(tenant: Tenant, stored: StoredSale, sale: NewSale) -> date:
    """The same instant is the same day, even if the campground has moved its cut-off hour in between."""
    if sale.occurred_at == stored.sale.occurred_at:
        return stored.business_date
    return business_date(sale.occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
