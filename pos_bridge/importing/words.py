"""What is said of imports, in words that a bookkeeper understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from pos_bridge.explaining import FIELD_RULES, SENTENCES, Text
from pos_bridge.importing.columns import Column, Layout
from pos_bridge.importing.models import ReceiptFate

COLUMNS: Mapping[Column, Text] = {
    Column.DAY: _("Day, or day and time"),
    Column.TIME: _("Time"),
    Column.RECEIPT: _("Receipt number"),
    Column.REFERENCE: _("The till's own reference"),
    Column.TILL: _("Till"),
    Column.TOTAL: _("Total of the receipt"),
    Column.PAYMENT: _("Payment method"),
    Column.DESCRIPTION: _("What was sold"),
    Column.QUANTITY: _("Quantity"),
    Column.UNIT_PRICE: _("Price of one"),
    Column.LINE_TOTAL: _("Amount of the line"),
    Column.VAT_RATE: _("VAT rate"),
    Column.SKU: _("Article number"),
    Column.CATEGORY: _("Category"),
    Column.TIP: _("Tip"),
    Column.ROUNDING: _("Rounding"),
    Column.CURRENCY: _("Currency"),
}

FATES: Mapping[str, tuple[Text, str]] = {
    ReceiptFate.WAITING: (_("Waiting"), ""),
    ReceiptFate.CREATED: (_("Booked"), "good"),
    ReceiptFate.REPLAYED: (_("Already there"), "calm"),
    ReceiptFate.CONFLICT: (_("Conflict"), "warn"),
    ReceiptFate.INVALID: (_("Invalid"), "bad"),
}
"""A word, and the badge it wears."""

OF_A_TRY: Mapping[str, Text] = {ReceiptFate.CREATED: _("Would be booked")}

FILES: Mapping[str, Text] = {
    "too_large": _("The file is too large: at most 10 MB, and a workbook may not unfold to more than 50."),
    "old_excel": _("This is the old format of Excel (.xls). Save it as .xlsx or as CSV, and choose that."),
    "not_text": _("This is neither a CSV file nor an Excel workbook."),
    "not_csv": _("The CSV file cannot be read: somewhere a quotation mark is opened and never closed."),
    "not_a_workbook": _("The Excel workbook cannot be read. Save it once more as .xlsx, without a password."),
    "too_many_cells": _("Too many cells for a workbook: about 250'000 can be read. Save it as CSV, or cut it up."),
    "no_rows": _("There is nothing in the file but perhaps a header."),
    "too_many_rows": _("More than 20'000 rows. Cut the file up, by months for instance; nothing is doubled by that."),
    "too_many_columns": _("More than 100 columns. Delete those that nobody needs."),
}

LAYOUTS: Mapping[str, Text] = {
    "no_day": _("Choose the column in which the day stands."),
    "no_receipt": _("Choose the column of the receipt number: by it, a second import knows what is there already."),
    "no_amount": _("Choose the column of the total, or of the amount of each line."),
    "no_payment_method": _("A word for payments stands for a method that there is not."),
    "no_such_column": _("There is no such column."),
    "no_such_header": _("There is no such row for the header."),
    "bad_prefix": _("References begin with letters and digits, at most 30."),
}

FLAWS: Mapping[str, Text] = {
    "missing": _("Nothing stands there."),
    "not_a_number": _("That is no amount or number that can be read for sure."),
    "not_a_rate": _("That is no VAT rate."),
    "not_a_day": _("That is no day, such as 29.04.2026."),
    "month_first": _("Other days of this file have the month before the day, so this one could be two days."),
    "other_currency": _("That is not the currency of the campground."),
    "not_a_time": _("That is no time, such as 18:05."),
    "unknown_payment": _("Nobody has said what this word for a payment means."),
    "differs": _("The rows of this receipt say different things."),
    "several_rows": _(
        "Several rows have this receipt number. If they are its lines, choose the amount as the amount of the line."
    ),
    "beside_unreadable": _("The row beside it may belong to this receipt, and cannot be read. Mend that one first."),
    "differs_from_stored": _("Another sale is stored under this reference: there it is different."),
}

CODES: Mapping[str, Text] = {
    "max_places": _("That has too many decimal places: francs have two."),
    "unknown_vat_rate": _("The campground had no such VAT rate on that day."),
    "zero": _("That must not be 0."),
    "before_2000": _("That is before the year 2000."),
}


def sentence_of(fault: Mapping[str, Any]) -> Text:
    """What is wrong, in a sentence."""
    code = fault["code"]
    if code in FLAWS or code in CODES:
        return FLAWS.get(code) or CODES[code]
    if code in SENTENCES and code != "validation_error":
        return SENTENCES[code][0]
    return FIELD_RULES.get(OF_CONTRACT.get(fault["column"], fault["column"]), SENTENCES["validation_error"][0])


OF_CONTRACT: Mapping[str, str] = {
    Column.DAY: "occurred_at",
    Column.TOTAL: "total_amount",
    Column.PAYMENT: "payment_method",
    Column.RECEIPT: "external_ref",
    Column.REFERENCE: "external_ref",
    Column.TIP: "tip_amount",
    Column.ROUNDING: "rounding_amount",
}
"""The contract's field of a column, where it has another name."""


def title_of(fault: Mapping[str, Any], layout: Layout) -> str:
    """The column as the file calls it, else as we do; "" where no column is at fault."""
    if not fault["column"]:
        return ""
    column = Column(fault["column"])
    place = layout.columns.get(column)
    title = layout.titles[place] if place is not None and place < len(layout.titles) else ""
    return title or str(COLUMNS[column])


def detail_of(fault: Mapping[str, Any]) -> str:
    """What stands in the file, and in the ledger; or what a sum should have come to."""
    if fault.get("stored"):
        return _t("file: %(sent)s, stored: %(stored)s") % {"sent": fault["value"] or "–", "stored": fault["stored"]}
    if fault.get("expected"):
        return _t("lines: %(expected)s, total: %(actual)s") % {k: fault[k] for k in ("expected", "actual")}
    return str(fault["value"])
