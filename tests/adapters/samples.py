"""A vendor's samples, and the neutral sales that each is expected to become, written so that a person can check them.

Beside ``adapters/<vendor>/samples/NAME.json`` stands ``NAME.expected.json``: a list of sales, line by line, or
``{"parked": reason, "where": field}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.neutral import NeutralSale, Terms, Unmappable
from adapters.payloads import document_in, read_body, text_of
from adapters.vendor import Vendor
from kasse.money import plain
from tests.house.documents import ROOT

ADAPTERS = ROOT / "adapters"
SCOPES = {"lightspeed": "seeblick-restaurant", "zettle": "5e3b0f64-1f3a-4c0a-9f0e-0d2a8b7c6d51", "sumup": "MSEEBLICK"}


def samples_of(vendor: str) -> list[Path]:
    """The samples of a vendor, those beside which a result is expected."""
    folder = ADAPTERS / vendor / "samples"
    return sorted(path for path in folder.glob("*.json") if not path.name.endswith(".expected.json"))


def expected_of(sample: Path) -> Any:
    """What a sample is expected to become."""
    return json.loads(sample.with_suffix(".expected.json").read_text())


def outcome_of(vendor: Vendor, document: Any, **terms: Any) -> Any:
    """What the vendor's mapping makes of a document, as ``expected_of()`` spells it."""
    settings = Terms(**{"currency": "CHF", "scope": SCOPES.get(vendor.code, ""), **terms})
    kept = text_of(read_body(json.dumps(document).encode()))
    try:
        return [spelled(sale) for sale in vendor.map_event(document_in(kept), settings)]
    except Unmappable as fault:
        return {"parked": fault.code, "where": fault.where}


def spelled(sale: NeutralSale) -> dict[str, Any]:
    """A neutral sale as JSON: amounts as texts, what is empty left out."""
    whole = {
        "names": list(sale.names),
        "total": plain(sale.total, places=2),
        "rounding": plain(sale.rounding, places=2),
        "tip": plain(sale.tip, places=2),
        "method": sale.method,
        "currency": sale.currency,
        "occurred_at": sale.occurred_at.isoformat() if sale.occurred_at else None,
        "refund_of": sale.refund_of,
        "lines": [dict(_line(line)) for line in sale.lines],
        "tenders": [dict(_tender(tender)) for tender in sale.tenders],
        "review": list(sale.review),
        "details": {name: text for name, text in sale.details.items() if text},
    }
    return {name: value for name, value in whole.items() if value not in (None, "", [], {}, "0.00") or name == "total"}


def _line(line: Any) -> Iterator[tuple[str, Any]]:
    yield "description", line.description
    yield "quantity", plain(line.quantity)
    yield "unit_price", plain(line.unit_price, places=2)
    yield "line_total", plain(line.line_total, places=2)
    yield "vat_rate", None if line.vat_rate is None else plain(line.vat_rate)
    if line.kind != "SALE":
        yield "kind", line.kind
    for name in ("sku", "category"):
        if getattr(line, name):
            yield name, getattr(line, name)


def _tender(tender: Any) -> Iterator[tuple[str, Any]]:
    yield "method", tender.method
    yield "amount", plain(tender.amount, places=2)
    if tender.tip:
        yield "tip", plain(tender.tip, places=2)
    if tender.vendor_word:
        yield "vendor_word", tender.vendor_word
