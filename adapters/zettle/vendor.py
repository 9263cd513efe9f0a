"""Zettle by PayPal: pushes every purchase to an address it is subscribed to; the rest is fetched."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from adapters.vendor import SecretField, Vendor
from adapters.zettle import poller
from adapters.zettle.mapping import map_event
from adapters.zettle.receiver import message

VENDOR = Vendor(
    code="zettle",
    label="Zettle",
    what_for=_("The till of the kiosk or the shop. It sends every purchase; what was missed is fetched once a day."),
    map_event=map_event,
    deeds={"": {"POST": message}},
    address_help=_("Nothing to do: Zettle is told this address by itself, within a minute."),
    secrets=[
        SecretField("client_id", _("Client ID"), _("From Zettle's page for API keys."), hidden=False),
        SecretField("api_key", _("API key of Zettle"), _("Made at Zettle with the right READ:PURCHASE.")),
        SecretField("contact_email", _("E-mail"), _("Zettle writes there when it cannot deliver."), hidden=False),
    ],
    pull=poller.pull,
)
