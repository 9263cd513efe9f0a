"""From a file to receipts that wait: kept, laid out, and staged.

Errors::

    FileRefused      the file is none that we read
    NotEnough        its layout lacks what every sale needs
    NotToBeStarted   it is running already, is imported, or its rows are forgotten
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from kasse.sqlite import in_turn
from pos_bridge.importing.columns import Column, Layout, check_layout, guess_layout
from pos_bridge.importing.csv_files import read_csv
from pos_bridge.importing.models import ImportedFile, ImportedReceipt, ImportState, ReceiptFate, SalesImport
from pos_bridge.importing.receipts import Flaw, Receipt, receipts_in
from pos_bridge.importing.tables import MOST_BYTES, FileRefused, Row, table_of
from pos_bridge.importing.workbooks import BEGINNING, read_workbook
from tenants.models import Tenant, User

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
AT_ONCE = 1000
LONGEST_NAME, LONGEST_REFERENCE = 120, 255


class NotToBeStarted(Exception):
    """It is under way, has been imported, or nothing is left of its file; nothing was changed."""


def read_file(content: bytes) -> list[Row]:
    """The rows of a CSV file or a workbook; which of them it is, its beginning tells.

    Raises:
        FileRefused: it is neither, too large, or holds no rows.
    """
    if len(content) > MOST_BYTES:
        raise FileRefused("too_large")
    if content.startswith(OLD_EXCEL):
        raise FileRefused("old_excel")
    return table_of(read_workbook(content) if content.startswith(BEGINNING) else read_csv(content))


def open_import(*, tenant: Tenant, name: str, content: bytes, by: User | None, at: datetime) -> SalesImport:
    """Keep a file's rows, with a guess at what its columns hold; nothing is imported by that.

    Raises:
        FileRefused: it cannot be read.
    """
    rows = read_file(content)
    with in_turn(), transaction.atomic():
        made = SalesImport.objects.create(
            tenant=tenant,
            file_name="".join(each for each in name if each.isprintable())[-LONGEST_NAME:],
            layout=as_json(guess_layout(rows, currency=tenant.currency)),
            created_at=at,
            created_by=by,
            created_by_name=(by.get_full_name() or by.get_username()) if by else "",
        )
        ImportedFile.objects.create(tenant=tenant, sales_import=made, rows=json.dumps(rows, ensure_ascii=False))
    return made


def rows_of(sales_import: SalesImport) -> list[Row]:
    """The rows of its file; none once they are forgotten."""
    kept = ImportedFile.objects.of(sales_import.tenant).filter(sales_import=sales_import).first()
    return [Row(line, cells) for line, cells in json.loads(kept.rows)] if kept else []


def as_json(layout: Layout) -> dict[str, Any]:
    """A layout as its row keeps it."""
    return asdict(layout)


def layout_of(sales_import: SalesImport) -> Layout:
    """How its file is read."""
    kept = sales_import.layout
    return Layout(**{**kept, "columns": {Column(name): place for name, place in kept["columns"].items()}})


def receipts_of(sales_import: SalesImport, rows: Sequence[Row], layout: Layout) -> list[Receipt]:
    """Its receipts, read anew; each says in the ledger out of which file it came.

    Raises:
        NotEnough: the layout lacks what every sale needs.
    """
    check_layout(layout)
    tenant = sales_import.tenant
    receipts = receipts_in(rows, layout, currency=tenant.currency, zone=tenant.zone_info)
    for each in receipts:
        if each.document is not None:
            each.document["metadata"] = {"imported_from": sales_import.file_name, "line": str(each.lines[0])}
    return receipts


def stage(sales_import: SalesImport, *, dry_run: bool, at: datetime) -> None:
    """Set an import going: all its receipts wait, those that cannot be read are invalid at once.

    Raises:
        NotToBeStarted: it is running, or has been imported, or its file is forgotten.
        NotEnough: the layout lacks what every sale needs.
    """
    rows = rows_of(sales_import)
    if not rows:
        raise NotToBeStarted
    tenant = sales_import.tenant
    receipts = receipts_of(sales_import, rows, layout_of(sales_import))
    staged = [_staged(sales_import, position, each) for position, each in enumerate(receipts, start=1)]
    invalid = sum(each.fate == ReceiptFate.INVALID for each in staged)
    try:
        # Receipts come before their import, here as in working.work(): so none of them waits for the other in a ring.
        with in_turn(), transaction.atomic():
            ImportedReceipt.objects.of(tenant).filter(sales_import=sales_import).delete()
            ImportedReceipt.objects.bulk_create(staged, batch_size=AT_ONCE)
            _set_going(sales_import, dry_run=dry_run, at=at, receipts=len(staged), invalid=invalid)
    except IntegrityError:  # somebody else has set it going meanwhile
        raise NotToBeStarted from None
    sales_import.refresh_from_db()


def _set_going(sales_import: SalesImport, *, dry_run: bool, at: datetime, receipts: int, invalid: int) -> None:
    startable = SalesImport.objects.of(sales_import.tenant).exclude(state=ImportState.RUNNING)
    begun = startable.filter(pk=sales_import.pk, is_dry_run=True).update(
        state=ImportState.RUNNING if receipts > invalid else ImportState.DONE,
        is_dry_run=dry_run,
        started_at=at,
        worked_at=at,
        finished_at=None if receipts > invalid else at,
        receipts=receipts,
        created=0,
        replayed=0,
        conflict=0,
        invalid=invalid,
    )
    if not begun:
        raise NotToBeStarted


def _staged(sales_import: SalesImport, position: int, receipt: Receipt) -> ImportedReceipt:
    return ImportedReceipt(
        tenant=sales_import.tenant,
        sales_import=sales_import,
        position=position,
        external_ref=receipt.reference[:LONGEST_REFERENCE],
        lines=receipt.lines,
        document=json.dumps(receipt.document) if receipt.document else "",
        fate=ReceiptFate.WAITING if receipt.document else ReceiptFate.INVALID,
        faults=[told(flaw) for flaw in receipt.flaws],
    )


def told(flaw: Flaw) -> dict[str, Any]:
    """A flaw as its receipt's row keeps it."""
    return {"line": flaw.line, "column": flaw.column or "", "code": flaw.code, "value": flaw.value}
