"""The rehearsal of a campground: where its test keys sell, and nothing counts.

The rehearsal of campground 7 is the tenant -7. Its sales, calls and reconciliations are rows of that tenant, so no
question about the campground ever meets them; and whoever knows a row's ``tenant_id`` knows whether it counts.

It has no people, no host and no settings of its own: catalogue, VAT rates, card, clock and currency are those of the
campground, as they are at the moment. Its row in the table holds the foreign keys, and says nothing that anybody reads.
"""

from __future__ import annotations

from copy import copy

from tenants.models import Tenant


def rehearsal_of(tenant: Tenant) -> Tenant:
    """The rehearsal of a campground, with the campground's clock, currency and name."""
    rehearsal = copy(tenant)
    rehearsal.pk = -abs(tenant.pk)
    return rehearsal


def open_rehearsal(tenant: Tenant) -> Tenant:
    """The same, and from now on rows may belong to it; a second time changes nothing."""
    rehearsal = rehearsal_of(tenant)
    kept = {"slug": f"test:{tenant.pk}", "name": f"Test: {tenant.name}"[:120], "is_active": False}
    Tenant.rehearsals.get_or_create(pk=rehearsal.pk, defaults=kept)
    return rehearsal
