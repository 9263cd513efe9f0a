"""One sale under several names: a vendor may know it first by its id, later by its fiscal number as well."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.connections import held
from adapters.models import Connection, SaleName
from tenants.models import Tenant


def reference_for(connection: Connection, names: Sequence[str]) -> str:
    """The reference of the sale known by ``names``, the strongest first; new names are remembered.

    The strongest name decides. A weaker one finds a sale that came before it had a stronger one; it never joins
    two sales whose strongest names differ. Deliveries that race wait for each other at the connection's row.
    """
    tenant = connection.tenant
    with held(connection):
        known = dict(SaleName.objects.of(tenant).filter(name__in=names).values_list("name", "external_ref"))
        reference = known.get(names[0]) or _of_a_weaker(tenant, names, known) or names[0]
        fresh = [SaleName(tenant=tenant, name=name, external_ref=reference) for name in names if name not in known]
        SaleName.objects.bulk_create(fresh, ignore_conflicts=True)
    return reference


def _of_a_weaker(tenant: Tenant, names: Sequence[str], known: dict[str, str]) -> str | None:
    """The reference of a sale that was known by a weaker name alone until now."""
    for name in names[1:]:
        if known.get(name) == name and not _has_others(tenant, name):
            return name
    return None


def _has_others(tenant: Tenant, reference: str) -> bool:
    return SaleName.objects.of(tenant).filter(external_ref=reference).exclude(name=reference).exists()
