"""A connection is a way in for sales: what the bridge's pill, and the lists of keys and tills, have to know of it."""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import reverse

from adapters.models import Connection
from adapters.vendors import VENDORS
from pos_bridge.doors import Door
from tenants.models import Tenant


def _is_open(tenant: Tenant) -> bool:
    return Connection.objects.of(tenant).filter(vendor__in=VENDORS, enabled=True).exists()


def _pages(tenant: Tenant) -> Mapping[int, str]:
    rows = Connection.objects.of(tenant).filter(vendor__in=VENDORS).values_list("till", "pk")
    return {key: reverse("connection", args=[pk]) for key, pk in rows}


DOOR = Door(is_open=_is_open, pages=_pages)
