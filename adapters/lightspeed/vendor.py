"""Lightspeed Restaurant, K-Series: pushes every closed account."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from adapters.lightspeed.mapping import map_event
from adapters.lightspeed.receiver import charge, refusal, search
from adapters.vendor import Vendor

VENDOR = Vendor(
    code="lightspeed",
    label="Lightspeed Restaurant",
    what_for=_("The till of the restaurant (K-Series). It sends every closed bill."),
    map_event=map_event,
    refusal=refusal,
    deeds={"charge": {"POST": charge}, "search": {"GET": search}},
    address_help=_("Enter this at Lightspeed as the endpoint, and an API key with pos:write as the API key."),
    scope_label=_("Business reference"),
    scope_help=_("As entered at Lightspeed. Bills of another business wait until somebody has looked at them."),
    knows_currency=False,
    knows_methods=True,
    speaks_at_till=True,
    several_names=True,
)
