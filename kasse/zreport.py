"""The Z-report of a close: one value, made of nothing but its row, which page and PDF both write out as it stands.

Every text and figure in it is final; whoever renders it adds nothing and rounds nothing. It is in the language that is
active when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from kasse.closing_models import DailyClose
from kasse.models import LineKind, Source
from kasse.money import ZERO
from kasse.net import NetLine, by_rate
from kasse.totals import DayTotals
from tenants.swiss import day_text, moment_text, money_text, number_text, percent_text

Cells: TypeAlias = tuple[str, ...]
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a text and some figures; ``foot`` is their sum, or empty. ``name`` tells tables apart in any language."""

    name: str
    title: str
    columns: Cells
    rows: tuple[Cells, ...]
    foot: Cells = ()


@dataclass(frozen=True, slots=True)
class ZReport:
    """What is written out: a title, facts as pairs of texts, tables."""

    title: str
    campground: str
    closed_at: datetime
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def z_report(close: DailyClose) -> ZReport:
    """The Z-report of a close, in the active language, on the clock that the campground had then."""
    figures = figures_of(close.day_totals, close.net_lines)
    cash = _written([_drawer(close), _external(close), _counted(close)])
    return ZReport(
        title=_("Z-report no. %(number)s") % {"number": close.z_number},
        campground=close.campground,
        closed_at=close.closed_at.astimezone(ZoneInfo(close.zone)),
        facts=tuple(_facts(close)),
        tables=(*figures, *cash),
    )


def figures_of(totals: DayTotals, lines: tuple[NetLine, ...]) -> tuple[Table, ...]:
    """What sales came to, as the Z-report writes it; also of a day before it is closed, and of late sales."""
    return _written(
        [_revenue(lines), _vat(lines), _total(totals, lines), _sales(totals), _tills(totals), _methods(totals)]
    )


def _written(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Without those that have nothing to say."""
    return tuple(table for table in tables if table.rows)


def _facts(close: DailyClose) -> Iterable[tuple[str, str]]:
    zone = ZoneInfo(close.zone)
    begins_at, ends_at, closed_at = (
        moment_text(instant.astimezone(zone)) for instant in (close.begins_at, close.ends_at, close.closed_at)
    )
    yield _("Business day"), day_text(close.business_date)
    yield _("From"), begins_at
    yield _("Until before"), ends_at
    yield _("Closed at"), closed_at
    yield _("Closed by"), close.closed_by_name or _("Command line")
    yield _("Currency"), close.currency
    yield _("Sales and refunds"), number_text(close.sale_count)
    if close.variance_reason:
        yield _("Reason for the variance"), close.variance_reason


def _revenue(lines: Iterable[NetLine]) -> Table:
    """By category, vouchers apart; an own row for what no rate is known of."""
    sums: dict[str, list[NetLine]] = {}
    for line in sorted(lines, key=lambda line: line.category):
        if line.is_revenue:
            sums.setdefault(line.category, []).append(line)
    rows = [(category or _("Without category"), *_net_cells(group)) for category, group in sums.items()]
    every = [line for group in sums.values() for line in group]
    columns = (_("Category"), _("Gross"), _("VAT"), _("Net"))
    return Table("revenue", _("Revenue by category"), columns, tuple(rows), _foot(_net_cells(every), rows))


def _net_cells(lines: Iterable[NetLine]) -> Cells:
    ordered = tuple(lines)
    sums = (sum((getattr(line, name) for line in ordered), ZERO) for name in ("gross", "vat", "net"))
    return tuple(map(money_text, sums))


def _vat(lines: tuple[NetLine, ...]) -> Table:
    """By rate. Of an unknown one the VAT is not known either; nothing has been taken out."""
    rates = by_rate(lines)
    rows = [
        (
            _("Rate unknown") if each.vat_rate is None else percent_text(each.vat_rate),
            money_text(each.gross),
            UNKNOWN if each.vat_rate is None else money_text(each.vat),
            money_text(each.net),
        )
        for each in rates
    ]
    foot = _net_cells(line for line in lines if line.is_revenue)
    return Table("vat", _("VAT"), (_("Rate"), _("Gross"), _("VAT"), _("Net")), tuple(rows), _foot(foot, rows))


def _total(totals: DayTotals, lines: Iterable[NetLine]) -> Table:
    """From revenue to what guests had to pay, and what they gave on top."""
    ordered = tuple(lines)
    revenue = sum((line.gross for line in ordered if line.is_revenue), ZERO)
    vouchers = sum((line.gross for line in ordered if line.kind == LineKind.VOUCHER_SALE), ZERO)
    rows = (
        (_("Revenue, VAT included"), money_text(revenue)),
        (_("Vouchers sold"), money_text(vouchers)),
        (_("Cash rounding"), money_text(totals.rounding_amount)),
        (_("To pay"), money_text(totals.total_amount)),
        (_("Tips, outside of it"), money_text(totals.tip_amount)),
    )
    return Table("total", _("The day"), ("", _("Amount")), rows)


def _sales(totals: DayTotals) -> Table:
    rows = tuple(
        (label, number_text(counted.count), money_text(counted.amount))
        for label, counted in ((_("Sales"), totals.sales), (_("Refunds"), totals.refunds))
    )
    both = totals.sales + totals.refunds
    foot = (_("Total"), number_text(both.count), money_text(both.amount))
    return Table("sales", _("Sales and refunds"), ("", _("Number"), _("Amount")), rows, foot)


def _tills(totals: DayTotals) -> Table:
    rows = [
        (
            each.name if each.source is Source.EXTERNAL_POS and each.name else str(each.source.label),
            money_text(each.sales.amount),
            money_text(each.refunds.amount),
            money_text((each.sales + each.refunds).amount),
            money_text(each.tip_amount),
        )
        for each in totals.tills
    ]
    amounts = (totals.sales.amount, totals.refunds.amount, totals.total_amount, totals.tip_amount)
    columns = (_("Till"), _("Sales"), _("Refunds"), _("Total"), _("Tips"))
    return Table("tills", _("By source"), columns, tuple(rows), _foot(map(money_text, amounts), rows))


def _methods(totals: DayTotals) -> Table:
    rows = [
        (
            f"{each.method.label} – {each.source.label}",
            number_text(each.paid.count),
            money_text(each.paid.amount),
            money_text(each.tip_amount),
        )
        for each in totals.payments
    ]
    count = sum(each.paid.count for each in totals.payments)
    amounts = (
        sum((each.paid.amount for each in totals.payments), ZERO),
        sum((each.tip_amount for each in totals.payments), ZERO),
    )
    columns = (_("Payment method"), _("Number"), _("Amount"), _("Tips"))
    foot = _foot((number_text(count), *map(money_text, amounts)), rows)
    return Table("methods", _("By payment method"), columns, tuple(rows), foot)


def _drawer(close: DailyClose) -> Table:
    drawer = close.drawer
    parts = [
        (_("Opening float"), drawer.opening_float),
        (_("Cash of the front desk"), drawer.cash),
        (_("Tips in cash"), drawer.tips),
        *([(_("Cash of outside tills"), drawer.external_cash)] if drawer.external_counts else []),
        (_("Expected"), close.expected_amount),
        (_("Counted"), close.counted_amount),
        (_("Variance"), close.variance),
        (_("Taken out"), close.taken_out),
        (_("Left as float"), close.float_left),
    ]
    return Table("drawer", _("Cash drawer"), ("", _("Amount")), _amounts(parts))


def _external(close: DailyClose) -> Table:
    """What lies in drawers of others; counted with ours, it is no block of its own."""
    apart = [] if close.external_cash_in_drawer else [(_("Cash and cash tips taken"), close.external_cash)]
    return Table("external", _("Cash of outside tills, in drawers of their own"), ("", _("Amount")), _amounts(apart))


def _counted(close: DailyClose) -> Table:
    counted = close.counted_cash
    rows = [
        (f"{close.currency} {money_text(value)}", number_text(count), money_text(value * count))
        for value, count in counted.pieces
    ]
    if counted.other or not rows:
        rows.append((_("Counted as a sum"), "", money_text(counted.other)))
    foot = (_("Counted"), "", money_text(counted.amount))
    columns = (_("Notes and coins"), _("Number"), _("Amount"))
    return Table("counted", _("Counted cash"), columns, tuple(rows), foot)


def _amounts(parts: Iterable[tuple[str, Decimal]]) -> tuple[Cells, ...]:
    return tuple((label, money_text(amount)) for label, amount in parts)


def _foot(cells: Iterable[str], rows: Sequence[Cells]) -> Cells:
    """The sum below the rows; none where there are no rows."""
    return (_("Total"), *cells) if rows else ()
