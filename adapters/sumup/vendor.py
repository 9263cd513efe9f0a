"""SumUp: asked every few minutes, since it pushes no sale of its terminals."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from adapters.sumup import poller
from adapters.sumup.mapping import map_event
from adapters.sumup.receiver import hint
from adapters.vendor import SecretField, Vendor

VENDOR = Vendor(
    code="sumup",
    label="SumUp",
    what_for=_("Card readers and tills of SumUp. Sales are fetched every five minutes."),
    map_event=map_event,
    deeds={"": {"POST": hint}},
    address_help=_("Only if SumUp is to hint at once: enter it as the return address of checkouts and readers."),
    scope_label=_("Merchant code"),
    scope_help=_("It stands in SumUp's profile, and looks like MH4H92C7."),
    scope_needed=True,
    secrets=[SecretField("api_key", _("API key of SumUp"), _("Made at SumUp for this merchant."))],
    pull=poller.pull,
)
