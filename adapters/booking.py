"""From a kept event to sales in the ledger: map, name, record; or park, with the reason in words.

The same for the first delivery, for a repeated one, and for staff who map it again: a reference is recorded once,
whatever came how often, and nothing here is ever told to the vendor, who has had its answer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.connections import till_name
from adapters.models import WAITING, Connection, Standing, VendorEvent
from adapters.naming import reference_for
from adapters.neutral import Line, NeutralSale, Tender, Terms, Unmappable
from adapters.payloads import document_in
from adapters.reading import LARGEST
from adapters.vendor import Vendor
from catalogue.vat import rates_on
from kasse.business_day import business_date
from kasse.models import LineKind, PaymentMethod, Source
from kasse.money import ZERO
from kasse.recording import ExternalRefConflict, Recorded, record_transaction
from kasse.sales import NewItem, NewPayment, NewSale
from pos_bridge.activity import safe_text
from pos_bridge.contract import AHEAD
from pos_bridge.decoding import MOST_ITEMS
from pos_bridge.discretion import cut_rows_out
from pos_bridge.models import BridgeSettings
from pos_bridge.strict_json import Malformed

LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class _Found:
    """What became of the sales in an event so far."""

    references: list[str] = field(default_factory=list)
    reason: str = ""
    detail: str = ""


def take_event(event: VendorEvent, vendor: Vendor, *, at: datetime) -> VendorEvent:
    """Make of a kept event what can be made of it now, and note where it stands.

    Several sales of one event stand for themselves: one that cannot be taken keeps no other out.
    """
    found = _Found()
    try:
        sales = _mapped(event, vendor)
    except Unmappable as fault:
        found.reason, found.detail = fault.code, fault.where
        sales = []
    for sale in sales:
        _take_sale(event, vendor, sale, found, at=at)
    _settle(event, found, at=at)
    return event


def take_or_leave(event: VendorEvent, vendor: Vendor, *, at: datetime) -> bool:
    """The same for what is kept, so that nothing that fails concerns whoever brought it; False if it is left as it is.

    A repeated delivery of a settled event changes nothing. What could not be taken for a fault of ours stays
    ``received``; the scheduler takes it later.
    """
    try:
        if event.standing in WAITING:
            take_event(event, vendor, at=at)
    except Exception as error:
        cut_rows_out(error)
        LOGGER.exception("Event %s of connection %s is kept, and waits.", event.pk, event.connection_id)
        return False
    return True


def _mapped(event: VendorEvent, vendor: Vendor) -> list[NeutralSale]:
    connection = event.connection
    terms = Terms(
        currency=connection.currency,
        methods=connection.methods,
        scope=connection.scope,
        since=connection.created_at,
    )
    try:
        return list(vendor.map_event(document_in(event.payload), terms))
    except Malformed as fault:
        raise Unmappable(fault.code) from None
    except Unmappable:
        raise
    except Exception as error:
        # Whatever a vendor may send: what was received stays, and is mapped again once the mapping knows it.
        LOGGER.exception("Event %s of connection %s cannot be mapped.", event.pk, connection.pk)
        raise Unmappable("mapping_failed", type(error).__name__) from None


def _take_sale(event: VendorEvent, vendor: Vendor, sale: NeutralSale, found: _Found, *, at: datetime) -> None:
    try:
        recorded = _record(event, vendor, sale, at=at)
    except Unmappable as fault:
        found.reason, found.detail = fault.code, fault.where
    except ExternalRefConflict as conflict:
        found.reason = "conflict"
        found.detail = ", ".join(each.field for each in conflict.differences)
        found.references.append(conflict.stored.sale.external_ref or "")
    else:
        found.references.append(recorded.stored.sale.external_ref or "")


def _record(event: VendorEvent, vendor: Vendor, sale: NeutralSale, *, at: datetime) -> Recorded:
    """Record one sale.

    Raises:
        Unmappable: the ledger must not have it, as things are set now.
        ExternalRefConflict: its reference belongs to another one.
    """
    connection = event.connection
    _require_recordable(connection, sale, at=at)
    reference = reference_for(connection, sale.names) if vendor.several_names else sale.names[0]
    return record_transaction(
        tenant=connection.tenant,
        sale=_new_sale(event, vendor, sale, reference),
        source=Source.EXTERNAL_POS,
        received_at=at,
        api_key=connection.till,
        default_vat_rate=_default_rate(connection),
    )


def _require_recordable(connection: Connection, sale: NeutralSale, *, at: datetime) -> None:
    tenant = connection.tenant
    if (sale.currency or connection.currency) != tenant.currency:
        raise Unmappable("foreign_currency", "currency")
    if sale.occurred_at is not None and sale.occurred_at > at + AHEAD:
        raise Unmappable("in_future", "time")
    if len(sale.lines) > MOST_ITEMS:
        raise Unmappable("too_many_lines")
    sums = (sale.total, sale.tip, *(each for tender in sale.tenders for each in (tender.amount, tender.tip)))
    of_lines = (each for line in sale.lines for each in (line.quantity, line.unit_price, line.line_total))
    if any(abs(each) >= LARGEST for each in (*sums, *of_lines)):
        raise Unmappable("too_large")


def _default_rate(connection: Connection) -> Decimal | None:
    """The connection's, else the campground's."""
    if connection.default_vat_rate is not None:
        return connection.default_vat_rate
    return BridgeSettings.objects.filter(tenant=connection.tenant).values_list("default_vat_rate", flat=True).first()


def _new_sale(event: VendorEvent, vendor: Vendor, sale: NeutralSale, reference: str) -> NewSale:
    occurred_at = sale.occurred_at or event.received_at
    return NewSale(
        external_ref=reference,
        payment_method=PaymentMethod(sale.method),
        currency=event.connection.tenant.currency,
        total_amount=sale.total,
        rounding_amount=sale.rounding,
        tip_amount=sum((_tip(tender, sale) for tender in sale.tenders), ZERO),
        items=tuple(_item(line) for line in sale.lines),
        payments=tuple(
            NewPayment(method=PaymentMethod(tender.method), amount=tender.amount, tip_amount=_tip(tender, sale))
            for tender in sale.tenders
        ),
        occurred_at=occurred_at,
        refund_of=sale.refund_of,
        metadata=_metadata(event.connection, vendor, sale),
        remarks=" ".join(_remarks(event.connection, sale, occurred_at)),
    )


def _tip(tender: Tender, sale: NeutralSale) -> Decimal:
    """A tip may go back where money does; one that goes back from a sale is a remark, and stands in the kept event."""
    goes_back = tender.amount <= 0 and sale.total <= 0
    return tender.tip if goes_back else max(tender.tip, ZERO)


def _item(line: Line) -> NewItem:
    return NewItem(
        description=safe_text(line.description, 255) or "?",
        quantity=line.quantity,
        unit_price=line.unit_price,
        line_total=line.line_total,
        sku=safe_text(line.sku, 64),
        vat_rate=line.vat_rate,
        category=safe_text(line.category, 80),
        kind=LineKind(line.kind),
    )


def _metadata(connection: Connection, vendor: Vendor, sale: NeutralSale) -> dict[str, Any]:
    """Which till it was, and the vendor's own words that staff may ask for."""
    details = {name: safe_text(text, 120) for name, text in sale.details.items() if text}
    words = [tender.vendor_word for tender in sale.tenders if tender.vendor_word]
    return {
        "vendor": vendor.code,
        "till": till_name(connection, vendor.label),
        **({"paid_by": safe_text(", ".join(words), 200)} if words else {}),
        **details,
    }


def _remarks(connection: Connection, sale: NeutralSale, occurred_at: datetime) -> list[str]:
    tenant = connection.tenant
    rates = {line.vat_rate for line in sale.lines if line.vat_rate is not None}
    day = business_date(occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    codes = list(sale.review)
    if sale.occurred_at is None:
        codes.append("no_instant")
    if any(tender.tip != _tip(tender, sale) for tender in sale.tenders):
        codes.append("negative_tip")
    if rates and not rates <= rates_on(tenant, day):
        codes.append("unknown_vat_rate")
    return list(dict.fromkeys(codes))


def _settle(event: VendorEvent, found: _Found, *, at: datetime) -> None:
    """Where the event stands now. What staff have set aside stays there, unless it is recorded after all."""
    if found.reason:
        event.standing = Standing.PARKED
    else:
        event.standing = Standing.RECORDED if found.references else Standing.IGNORED
    event.reason = found.reason
    event.detail = safe_text(found.detail, 255)
    event.references = found.references
    event.handled_at = at
    event.save(update_fields=["standing", "reason", "detail", "references", "handled_at"])
