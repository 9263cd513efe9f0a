"""What became of each receipt: as rows for a page, and as a CSV file that no spreadsheet takes for formulas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from kasse.export import Value, csv_lines
from pos_bridge.explaining import Text
from pos_bridge.importing.columns import Layout
from pos_bridge.importing.models import ImportedReceipt, ReceiptFate, SalesImport
from pos_bridge.importing.receipts import Receipt
from pos_bridge.importing.staging import layout_of, told
from pos_bridge.importing.words import FATES, OF_A_TRY, detail_of, sentence_of, title_of


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is wrong: on which line, in which column, what, and what stands there."""

    line: int
    column: str
    sentence: Text
    detail: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A receipt: its lines in the file, its reference and total, what became of it in a word, and what is wrong."""

    position: int
    lines: str
    reference: str
    total: Decimal | None
    fate: str
    word: Text
    badge: str
    faults: tuple[Said, ...]


def receipts_staged(sales_import: SalesImport) -> QuerySet[ImportedReceipt]:
    """What is known of each receipt, in the order of the file."""
    return ImportedReceipt.objects.of(sales_import.tenant).filter(sales_import=sales_import).order_by("position")


def report_row(receipt: ImportedReceipt, sales_import: SalesImport) -> ReportRow:
    """A receipt in words."""
    word, badge = FATES[receipt.fate]
    layout = layout_of(sales_import)
    return ReportRow(
        position=receipt.position,
        lines=_lines(receipt.lines),
        reference=receipt.external_ref,
        total=Decimal(json.loads(receipt.document)["total_amount"]) if receipt.document else None,
        fate=receipt.fate,
        word=OF_A_TRY.get(receipt.fate, word) if sales_import.is_dry_run else word,
        badge=badge,
        faults=tuple(_said(fault, layout) for fault in receipt.faults),
    )


def said_of(receipt: Receipt, layout: Layout) -> list[Said]:
    """What is wrong with a receipt that is not staged yet."""
    return [_said(told(flaw), layout) for flaw in receipt.flaws]


def _said(fault: Mapping[str, Any], layout: Layout) -> Said:
    return Said(fault["line"], title_of(fault, layout), sentence_of(fault), detail_of(fault))


def _lines(lines: Sequence[int]) -> str:
    """``7``, ``7–9``, or ``7, 12``."""
    if len(lines) > 1 and lines[-1] - lines[0] == len(lines) - 1:
        return f"{lines[0]}–{lines[-1]}"
    return ", ".join(map(str, lines))


def report_file(sales_import: SalesImport) -> Iterator[bytes]:
    """The report as CSV, in pieces: a row for each thing that is wrong, and one for each receipt that is right."""
    titles = [_("Rows"), _("Reference"), _("Total"), _("Result"), _("Row"), _("Column"), _("What is wrong"), _("Value")]
    return csv_lines(titles, _file_rows(sales_import))


def _file_rows(sales_import: SalesImport) -> Iterator[Sequence[Value]]:
    for receipt in receipts_staged(sales_import).iterator(chunk_size=500):
        row = report_row(receipt, sales_import)
        for fault in row.faults or (None,):
            said = (fault.line, fault.column, str(fault.sentence), fault.detail) if fault else (None, "", "", "")
            yield row.lines, row.reference, row.total, str(row.word), *said


def faulty(sales_import: SalesImport) -> QuerySet[ImportedReceipt]:
    """The receipts that somebody has to look at."""
    return receipts_staged(sales_import).filter(fate__in=[ReceiptFate.CONFLICT, ReceiptFate.INVALID])
