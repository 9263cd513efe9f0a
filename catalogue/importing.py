"""Products from a CSV file: every row or none, with a report that names each bad one.

Columns: ``sku, name, category, unit_price, vat_rate, active``; comma or semicolon; UTF-8, with or without a
byte-order mark. ``category`` and ``active`` (1, 0, true, false, ja, nein) may be left out.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.models import Product
from tenants.models import Tenant

NEEDED = ("sku", "name", "unit_price", "vat_rate")
KNOWN = (*NEEDED, "category", "active")
Row: TypeAlias = Mapping[Any, Any]
SWITCHES = {"": True, "1": True, "true": True, "ja": True, "0": False, "false": False, "nein": False}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be taken: its line in the file, and why."""

    line: int
    reason: str


class ImportRefused(Exception):
    """Nothing was imported; ``rows`` says what to mend."""

    def __init__(self, rows: list[BadRow]) -> None:
        super().__init__(f"{len(rows)} rows are wrong")
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Imported:
    """How many products were new, changed, and already as in the file."""

    created: int
    updated: int
    unchanged: int


def import_products(*, tenant: Tenant, lines: Iterable[str]) -> Imported:
    """Create or change a campground's products from the lines of a CSV file.

    Raises:
        ImportRefused: one row at least is wrong; nothing was changed.
    """
    wanted = _read_products(tenant, lines)
    with transaction.atomic():
        known = {product.sku: product for product in Product.objects.of(tenant).select_for_update()}
        created = [product for product in wanted if product.sku not in known]
        updated = [product for product in wanted if product.sku in known and _take_over(known[product.sku], product)]
        for product in [*created, *(known[product.sku] for product in updated)]:
            product.save()
    return Imported(len(created), len(updated), len(wanted) - len(created) - len(updated))


def _read_products(tenant: Tenant, lines: Iterable[str]) -> list[Product]:
    products: list[Product] = []
    faults: list[BadRow] = []
    lines_of: dict[str, int] = {}
    for line, row in _read_rows(lines):
        product = _product(tenant, row)
        faults += [BadRow(line, reason) for reason in _faults_of(product, row)]
        if product.sku in lines_of:
            faults.append(BadRow(line, f"sku: the same as on line {lines_of[product.sku]}"))
        lines_of.setdefault(product.sku, line)
        products.append(product)
    if faults:
        raise ImportRefused(faults)
    return products


def _read_rows(lines: Iterable[str]) -> list[tuple[int, Row]]:
    """Each row with the line on which it ends."""
    text = [line.removeprefix("\ufeff") for line in lines]
    delimiter = ";" if text and text[0].count(";") > text[0].count(",") else ","
    reader = csv.DictReader(text, delimiter=delimiter)
    try:
        _check_header(reader.fieldnames or [])
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ImportRefused([BadRow(reader.line_num + 1, str(error))]) from None


def _check_header(names: Sequence[str]) -> None:
    faults = {
        "missing columns": [name for name in NEEDED if name not in names],
        "unknown columns": [name for name in names if name not in KNOWN],
        "columns that come twice": [name for name in KNOWN if names.count(name) > 1],
    }
    said = [f"{what}: {', '.join(found)}" for what, found in faults.items() if found]
    if said:
        raise ImportRefused([BadRow(1, "; ".join(said))])


def _product(tenant: Tenant, row: Row) -> Product:
    cell = {name: (row.get(name) or "").strip() for name in KNOWN}
    return Product(
        tenant=tenant,
        sku=cell["sku"],
        name=cell["name"],
        category=cell["category"],
        unit_price=cell["unit_price"],
        vat_rate=cell["vat_rate"],
        active=SWITCHES.get(cell["active"].lower(), True),
    )


def _faults_of(product: Product, row: Row) -> list[str]:
    reasons = []
    if None in row:
        reasons.append("more cells than the header has columns")
    if str(row.get("active") or "").strip().lower() not in SWITCHES:
        reasons.append("active: neither 1 nor 0")
    texts = {"sku": product.sku, "name": product.name, "category": product.category}
    reasons += [f"{name}: control characters" for name, text in texts.items() if not _is_printable(text)]
    try:
        product.clean_fields()
    except ValidationError as error:
        reasons += [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
    return reasons


def _is_printable(text: str) -> bool:
    """Without control characters: PostgreSQL cannot hold a NUL, and no till can print the others."""
    return not any(unicodedata.category(character) == "Cc" for character in text)


def _take_over(known: Product, wanted: Product) -> bool:
    """Copy what differs; False if nothing does."""
    fields = ("name", "category", "unit_price", "vat_rate", "active")
    if all(getattr(known, name) == getattr(wanted, name) for name in fields):
        return False
    for name in fields:
        setattr(known, name, getattr(wanted, name))
    return True
