"""What the deeds of the audit trail are called."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

DEEDS: dict[str, str | Promise] = {
    "key.minted": _("API key created"),
    "key.replaced": _("API key replaced"),
    "key.changed": _("API key changed"),
    "key.revoked": _("API key revoked"),
    "key.test_sales_forgotten": _("Test sales forgotten"),
    "bridge.switched_on": _("Bridge switched on"),
    "bridge.switched_off": _("Bridge switched off"),
    "bridge.changed": _("Settings of the bridge changed"),
    "parked.decided": _("Parked sale decided"),
    "close.closed": _("Day closed"),
    "close.settings_changed": _("Settings of the daily close changed"),
    "journal.posted": _("Journal posted by hand"),
    "journal.reversed": _("Journal reversed"),
    "journal.settled": _("Journal settled by hand"),
    "journal.begun_again": _("Journal begun again"),
    "journal.settings_changed": _("Settings of the journal changed"),
    "journal.accounts_changed": _("Accounts changed"),
    "connection.opened": _("Till connected"),
    "connection.changed": _("Connection changed"),
    "connection.switched_on": _("Connection switched on"),
    "connection.switched_off": _("Connection switched off"),
    "connection.address_renewed": _("Connection given another address"),
    "event.mapped_again": _("Event of a vendor booked again"),
    "event.set_aside": _("Event of a vendor set aside"),
    "import.started": _("Import of sales started"),
    "gap.explained": _("Missing receipt numbers explained"),
    "person.second_factor_set_up": _("Second factor set up"),
    "person.second_factor_removed": _("Second factor removed"),
    "admin.added": _("Added in the administration"),
    "admin.changed": _("Changed in the administration"),
    "admin.deleted": _("Deleted in the administration"),
}

FACTS: dict[str, str | Promise] = {
    "scopes": _("scopes"),
    "replaces": _("takes over from"),
    "by": _("replaced by"),
    "leaked": _("ended at once"),
    "expires_at": _("expires"),
    "budget": _("calls per hour"),
    "networks": _("networks"),
    "count": _("sales"),
    "default_vat_rate": _("default VAT rate"),
    "decision": _("decision"),
    "reason": _("reason"),
    "number": _("number"),
    "variance": _("variance"),
    "fields": _("changed"),
    "outcome": _("outcome"),
    "register": _("register"),
    "said": _("changed"),
}


def word_of(deed: str) -> str:
    """A deed in words; one that has no word any more stands as it was written."""
    return str(DEEDS.get(deed, deed))


def fact_of(name: str, value: Any) -> tuple[str, str]:
    """A fact about a deed: what it is called, and the value as a text."""
    return str(FACTS.get(name, name)), _text_of(value)


def _text_of(value: Any) -> str:
    if value is None or value in ([], ""):
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list) and isinstance(value[0], dict):
        # As the administration keeps it, with its own words for it.
        return LogEntry(change_message=json.dumps(value)).get_change_message()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
