"""Past sales of the demo campgrounds, recorded once, and one conflict that waits for a decision."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db import transaction
from msgspec import structs

from apikeys.models import ApiKey
from campone.demo.campgrounds import Plan, goods_of
from campone.demo.season import Sold, sales_of_day
from catalogue.vat import dated_rates
from kasse.business_day import today_of
from kasse.models import Source, Transaction
from kasse.recording import ExternalRefConflict, record_transaction
from pos_bridge.activity import BASE_PATH, Call, log_call
from pos_bridge.admission import Admission
from pos_bridge.intake import take_in
from pos_bridge.models import BridgeSettings, ParkedSale
from pos_bridge.throttling import Charge
from tenants.models import Tenant


def fill_days(plan: Plan, tenant: Tenant, *, days: int, at: datetime, seed: int) -> int:
    """Record what the last ``days`` days, today among them, still lack; how many sales that was.

    Today's sales end at ``at`` and are not gone on with before tomorrow: a second run on one day adds nothing.
    """
    goods = goods_of(plan)
    today = today_of(tenant, at)
    added = 0
    for day in (today - timedelta(days=before) for before in reversed(range(days))):
        sold = sales_of_day(plan.desks, goods, day=day, zone=tenant.zone_info, seed=f"{seed}/{plan.slug}")
        recorded = _receipts_there(tenant, sold)
        if day != today:
            added += _record(plan, tenant, [each for each in sold if each.receipt not in recorded], at)
        elif not recorded:
            added += _record(plan, tenant, _happened_by(at, sold), at)
    return added


def _happened_by(at: datetime, sold: Sequence[Sold]) -> list[Sold]:
    """What has arrived by now; before the doors open, one early guest, so that the day has begun."""
    early = replace(sold[0], sale=structs.replace(sold[0].sale, occurred_at=at), received_at=at)
    return [each for each in sold if each.received_at <= at] or [early]


def _receipts_there(tenant: Tenant, sold: Sequence[Sold]) -> set[str]:
    receipts = [each.receipt for each in sold]
    rows = Transaction.objects.of(tenant)
    from_tills = rows.filter(external_ref__in=receipts).values_list("external_ref", flat=True)
    front_desk = rows.filter(source=Source.FRONT_DESK, metadata__receipt__in=receipts)
    return {*(ref for ref in from_tills if ref), *front_desk.values_list("metadata__receipt", flat=True)}


def _record(plan: Plan, tenant: Tenant, sold: Sequence[Sold], at: datetime) -> int:
    keys = {desk: _key_named(tenant, name) for desk, name in plan.keys.items()}
    with transaction.atomic():
        for each in sold:
            record_transaction(
                tenant=tenant,
                sale=each.sale,
                source=each.desk.source,
                # Yesterday's last sale, on its way for hours, has arrived by now.
                received_at=min(each.received_at, at),
                api_key=keys.get(each.desk.name),
            )
    return len(sold)


def _key_named(tenant: Tenant, name: str) -> ApiKey | None:
    return ApiKey.objects.of(tenant).filter(name=name).order_by("created_at").first()


def park_a_conflict(plan: Plan, tenant: Tenant, *, at: datetime) -> bool:
    """Let the shop's receipt counter have restarted: an old number comes again with another sale.

    It goes through the same intake as a till's call, once; False if there was nothing to do.
    """
    today = today_of(tenant, at)
    key = _key_named(tenant, plan.keys["shop"])
    if key is None or ParkedSale.objects.of(tenant).exists():
        return False
    stored = _first_receipt_before(today, key)
    if stored is None:
        return False
    document = _sale_under_an_old_number(stored, at)
    call = _call_of(key, document, at)
    try:
        take_in(
            admission=Admission(key, BridgeSettings(tenant=tenant), dated_rates(tenant)),
            body=json.dumps(document).encode(),
            charge=Charge(key, at=at),
            call=call,
            received_at=at,
        )
    except ExternalRefConflict:
        call.error_code = "external_ref_conflict"
        log_call(call, status=409)
    else:
        # With POS_CONFLICT_POLICY=replay it is parked just the same.
        log_call(call, status=200)
    return True


def _first_receipt_before(today: date, key: ApiKey) -> Transaction | None:
    rows = Transaction.objects.of(key.tenant).filter(api_key=key, business_date__lt=today)
    return rows.order_by("-business_date", "occurred_at", "id").first()


def _sale_under_an_old_number(stored: Transaction, at: datetime) -> dict[str, object]:
    line = {"description": "Gasflasche 11 kg, Tausch", "quantity": "1", "unit_price": "58.00", "line_total": "58.00"}
    return {
        "external_ref": stored.external_ref,
        "payment_method": "TWINT",
        "total_amount": "58.00",
        "items": [line],
        "occurred_at": (at - timedelta(minutes=1)).replace(microsecond=0).isoformat(),
    }


def _call_of(key: ApiKey, document: dict[str, object], at: datetime) -> Call:
    return Call(
        at=at,
        started=time.perf_counter(),
        method="POST",
        path=f"{BASE_PATH}/transactions/",
        request_id=secrets.token_hex(16),
        remote_address="",
        key_prefix=key.prefix,
        request_bytes=len(json.dumps(document)),
        api_key=key,
    )
