"""What the admin calls its registers and their columns, in the language of whoever looks.

Here and not in the models: a name in a model is a part of its migrations, and these are words for people alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from catalogue.models import Product, VatRate
from journal.models import Attempt, Journal, Revision
from kasse.closing_models import DailyClose
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale
from tenants.models import Membership, Tenant

if TYPE_CHECKING:  # the stubs alone know it
    from django.utils.functional import _StrPromise

# One row, and several.
REGISTERS: dict[type[Model], tuple[_StrPromise, _StrPromise]] = {
    ApiKey: (_("API key"), _("API keys")),
    Attempt: (_("attempt to post"), _("attempts to post")),
    BridgeSettings: (_("settings of the bridge"), _("settings of the bridge")),
    DailyClose: (_("daily close"), _("daily closes")),
    InboundCall: (_("logged call"), _("inbound activity log")),
    Journal: (_("journal"), _("journals")),
    Membership: (_("membership"), _("memberships")),
    ParkedSale: (_("parked sale"), _("parked sales")),
    Product: (_("product"), _("products")),
    Revision: (_("revision of a journal"), _("revisions of journals")),
    Tenant: (_("campground"), _("campgrounds")),
    Transaction: (_("transaction"), _("transactions")),
    VatRate: (_("VAT rate"), _("VAT rates")),
}

# By the name that the column has in the code, whichever register it stands in.
COLUMNS: dict[str, _StrPromise] = {
    "active": _("switched on"),
    "api_key": _("API key"),
    "at": _("time"),
    "begins_at": _("begins at"),
    "budget": _("calls per hour"),
    "business_date": _("business day"),
    "by": _("by"),
    "calls": _("calls"),
    "campground": _("campground"),
    "category": _("category"),
    "claim": _("at work on it"),
    "claimed_until": _("at work until"),
    "closed_by": _("closed by"),
    "closed_by_name": _("closed by"),
    "counted": _("counted"),
    "created_at": _("created at"),
    "currency": _("currency"),
    "cutoff_hour": _("change of day, hour"),
    "decided_at": _("decided at"),
    "deed": _("deed"),
    "default_vat_rate": _("default VAT rate"),
    "differences": _("differences"),
    "earlier": _("posted earlier"),
    "enabled": _("switched on"),
    "ends_at": _("ends at"),
    "error_code": _("error code"),
    "error_field": _("field at fault"),
    "expires_at": _("expires"),
    "external_cash": _("cash of outside tills"),
    "external_cash_in_drawer": _("cash of outside tills is in the drawer"),
    "external_ref": _("reference of the till"),
    "fingerprint": _("fingerprint"),
    "first_received_at": _("first received"),
    "flavor": _("where to"),
    "id": _("ID"),
    "is_active": _("switched on"),
    "journal": _("journal"),
    "key_prefix": _("prefix of the key"),
    "label": _("label"),
    "last_received_at": _("last received"),
    "last_used_at": _("last used"),
    "latency_ms": _("took, in ms"),
    "line": _("first key of the till"),
    "lines": _("lines"),
    "metadata": _("further facts"),
    "method": _("method of the call"),
    "name": _("name"),
    "networks": _("networks"),
    "next_try_at": _("next try"),
    "occurred_at": _("time"),
    "opened_at": _("opened at"),
    "outcome": _("outcome"),
    "path": _("path"),
    "payload": _("payload"),
    "payment_method": _("payment method"),
    "prefix": _("prefix"),
    "rate": _("rate"),
    "reason": _("reason"),
    "receipt_seq": _("receipt number"),
    "received_at": _("received"),
    "refund_of": _("refund of"),
    "remarks": _("remarks"),
    "remote_address": _("from address"),
    "replaces": _("replaces"),
    "request_bytes": _("size in bytes"),
    "request_id": _("number of the call"),
    "revision": _("revision"),
    "revoked_at": _("revoked"),
    "role": _("role"),
    "rounding_amount": _("rounding"),
    "sale_count": _("number of sales"),
    "sap_key": _("key in SAP"),
    "scopes": _("scopes"),
    "sent_at": _("sent"),
    "sentence": _("what was said"),
    "sku": _("article number"),
    "slug": _("name in the address"),
    "source": _("source"),
    "status": _("status"),
    "stored": _("stored sale"),
    "tenant": _("campground"),
    "till_id": _("device"),
    "times_received": _("how often received"),
    "tip_amount": _("tip"),
    "token_hash": _("hash of the token"),
    "total_amount": _("amount"),
    "totals": _("totals"),
    "tries": _("tries"),
    "unit_price": _("unit price"),
    "updated_at": _("changed at"),
    "user": _("person"),
    "valid_from": _("valid from"),
    "valid_until": _("valid until"),
    "vat": _("VAT"),
    "vat_rate": _("VAT rate"),
    "zone": _("time zone"),
}


def name_registers() -> None:
    """Give every register and column its name; one that a model has named itself keeps it."""
    for model, (one, several) in REGISTERS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, several
        for field in model._meta.fields:
            if not isinstance(field.verbose_name, Promise):
                field.verbose_name = COLUMNS[field.name]
