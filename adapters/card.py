"""The card of the connections on the tab of the integrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.vendors import VENDORS
from adapters.views import rows_of
from pos_bridge.pages.vendors import VendorCard
from tenants.pages import Here


def _context(here: Here) -> Mapping[str, Any]:
    return {"rows": rows_of(here.tenant), "vendors": list(VENDORS.values())}


CARD = VendorCard(template="adapters/_card.html", context=_context)
