"""The daily close: counted, numbered, final.

Days close in their order, because there is one drawer: what one close leaves in it is what the next begins with, and
cash of an earlier day that was counted with a later one would be missing in both. Days without a sale may be passed
over; they may be closed as well. The first close may be of any day; what lies before it was never counted.

Errors::

    NotClosed
    ├── DayToCome          it has not begun yet
    ├── AlreadyClosed      it is closed; or a later day is
    ├── EarlierDayOpen     a day with sales comes first
    ├── ReasonMissing      counted is not what was expected, and nobody says why
    ├── FloatNotCounted    more is to stay in the drawer than is in it
    ├── FiguresMoved       a sale came in after the figures were shown
    └── InOtherHands       somebody else is closing a day, and is not done in time
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Count

from kasse.business_day import bounds_of, today_of
from kasse.cash import CountedCash, Drawer
from kasse.closed_sales import write_closed_sales
from kasse.closing_models import CashDeskSettings, DailyClose, drawer_of, net_to_json
from kasse.models import Status, Transaction
from kasse.money import ZERO
from kasse.net import NetLine, net_of
from kasse.patience import waited_in_vain
from kasse.sqlite import in_turn, on_sqlite
from kasse.totals import DayTotals, day_totals
from tenants.models import Tenant, User
from tenants.trail_models import trace


class NotClosed(Exception):
    """The day was not closed; nothing has been written."""


class DayToCome(NotClosed):
    """The day has not begun yet."""

    def __init__(self, today: date) -> None:
        super().__init__(f"today is {today}")
        self.today = today


class AlreadyClosed(NotClosed):
    """The day is behind us: closed itself, or passed over by a later close."""

    def __init__(self, close: DailyClose) -> None:
        super().__init__(str(close))
        self.close = close


class EarlierDayOpen(NotClosed):
    """A day with sales has to be closed first."""

    def __init__(self, day: date) -> None:
        super().__init__(str(day))
        self.day = day


class ReasonMissing(NotClosed):
    """What was counted is not what was expected, and nobody says why."""

    def __init__(self, variance: Decimal) -> None:
        super().__init__(str(variance))
        self.variance = variance


class FloatNotCounted(NotClosed):
    """More is to stay in the drawer than is in it, or less than nothing."""

    def __init__(self, counted: Decimal) -> None:
        super().__init__(str(counted))
        self.counted = counted


class FiguresMoved(NotClosed):
    """Other cash is expected now than when the figures were shown."""

    def __init__(self, expected: Decimal) -> None:
        super().__init__(str(expected))
        self.expected = expected


class InOtherHands(NotClosed):
    """Somebody else is closing a day, and was not done in time."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a close of the day would say now. ``is_first``: nobody knows yet what lay in the drawer before."""

    day: date
    totals: DayTotals
    net_lines: tuple[NetLine, ...]
    drawer: Drawer
    is_first: bool


def preview(*, tenant: Tenant, day: date, at: datetime, first_float: Decimal = ZERO) -> Preview:
    """What a close of the day would say now; amounts in the campground's currency.

    Raises:
        DayToCome, AlreadyClosed, EarlierDayOpen: it cannot be closed.
        MixedCurrencies: the campground has changed its currency within the day.
    """
    last = _last_close(tenant)
    _check_turn(tenant, day, last, at)
    return _preview(tenant, day, day_totals(tenant, day), last, first_float)


def close_day(
    *,
    tenant: Tenant,
    day: date,
    by: User | None,
    counted: CountedCash,
    at: datetime,
    float_left: Decimal | None = None,
    variance_reason: str = "",
    first_float: Decimal = ZERO,
    expected_seen: Decimal | None = None,
) -> DailyClose:
    """Close a business day for ever, with the sales that are stored now.

    A sale that commits while this goes on is a member or late, never both and never neither. ``float_left`` stays in
    the drawer: by default what it began with, as far as there is as much. ``first_float`` is what lay in it before
    the very first close; later ones begin with what the one before left. ``expected_seen`` is what whoever counted
    was shown as expected.

    Raises:
        NotClosed: one of its kinds, drawn above; nothing has been written.
        MixedCurrencies: the campground has changed its currency within the day.

    Source: ADR 0015.
    """
    with _alone(), transaction.atomic():
        # Held to the end: of two closes of a campground one comes after the other. Tills do not wait for it.
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        last = _last_close(tenant)
        _check_turn(tenant, day, last, at)
        sales = _sales_of(tenant, day)
        seen = _preview(tenant, day, day_totals(tenant, day, only=sales), last, first_float)
        left = min(seen.drawer.opening_float, counted.amount) if float_left is None else float_left
        _check_cash(seen.drawer, counted.amount, left, variance_reason, expected_seen)
        close = _write(
            tenant,
            seen,
            len(sales),
            last=last,
            by=by,
            at=at,
            counted=counted,
            left=left,
            reason=variance_reason.strip(),
        )
        write_closed_sales(close, sales)
        trace(tenant, "close.closed", day.isoformat(), number=close.z_number, variance=str(close.variance))
    return close


@contextmanager
def _alone() -> Iterator[None]:
    """SQLite has one writer at a time; on PostgreSQL a campground has one who closes."""
    try:
        with in_turn() if on_sqlite() else nullcontext():
            yield
    except OperationalError as problem:
        if waited_in_vain(problem):
            raise InOtherHands from problem
        raise


def _last_close(tenant: Tenant) -> DailyClose | None:
    return DailyClose.objects.of(tenant).order_by("-z_number").first()


def _check_turn(tenant: Tenant, day: date, last: DailyClose | None, at: datetime) -> None:
    """Whether it is this day's turn."""
    today = today_of(tenant, at)
    if day > today:
        raise DayToCome(today)
    if last is None:
        return
    if day <= last.business_date:
        raise AlreadyClosed(DailyClose.objects.of(tenant).filter(business_date__gte=day).earliest("business_date"))
    first = _first_open_day(tenant, last.business_date, day)
    if first is not None:
        raise EarlierDayOpen(first)


def _first_open_day(tenant: Tenant, after: date, before: date) -> date | None:
    """The first day with sales between two days. One that nobody can ever close, for its two currencies, is none."""
    between = Transaction.objects.of(tenant).filter(
        business_date__gt=after, business_date__lt=before, status=Status.COMPLETED
    )
    days = between.values("business_date").annotate(currencies=Count("currency", distinct=True))
    first = days.filter(currencies=1).order_by("business_date").first()
    return first["business_date"] if first else None


def _check_cash(drawer: Drawer, counted: Decimal, left: Decimal, reason: str, seen: Decimal | None) -> None:
    """Whether what was counted can be written down so."""
    if seen is not None and seen != drawer.expected:
        raise FiguresMoved(drawer.expected)
    if counted != drawer.expected and not reason.strip():
        raise ReasonMissing(counted - drawer.expected)
    if not 0 <= left <= counted:
        raise FloatNotCounted(counted)


def _sales_of(tenant: Tenant, day: date) -> list[UUID]:
    """The complete sales of a day as they are stored at this moment, in the order in which they came in."""
    sales = Transaction.objects.of(tenant).filter(business_date=day, status=Status.COMPLETED)
    return list(sales.order_by("received_at", "id").values_list("pk", flat=True))


def _preview(tenant: Tenant, day: date, totals: DayTotals, last: DailyClose | None, first_float: Decimal) -> Preview:
    settings = CashDeskSettings.objects.filter(tenant=tenant).first() or CashDeskSettings(tenant=tenant)
    # Who counts in another currency since has begun with another drawer.
    goes_on = last is not None and last.currency == totals.currency
    drawer = drawer_of(
        totals,
        opening_float=last.float_left if last is not None and goes_on else first_float,
        external_counts=settings.external_cash_in_drawer,
    )
    return Preview(day, totals, net_of(totals.lines), drawer, is_first=not goes_on)


def _write(
    tenant: Tenant,
    seen: Preview,
    sale_count: int,
    *,
    last: DailyClose | None,
    by: User | None,
    at: datetime,
    counted: CountedCash,
    left: Decimal,
    reason: str,
) -> DailyClose:
    begins_at, ends_at = bounds_of(seen.day, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    return DailyClose.objects.create(
        tenant=tenant,
        business_date=seen.day,
        z_number=last.z_number + 1 if last else 1,
        campground=tenant.name,
        zone=tenant.zone,
        begins_at=begins_at,
        ends_at=ends_at,
        closed_at=at,
        closed_by=by,
        closed_by_name=(by.get_full_name() or by.get_username()) if by else "",
        currency=seen.totals.currency,
        opening_float=seen.drawer.opening_float,
        external_cash=seen.drawer.external_cash,
        external_cash_in_drawer=seen.drawer.external_counts,
        expected_amount=seen.drawer.expected,
        counted=counted.to_json(),
        counted_amount=counted.amount,
        variance=counted.amount - seen.drawer.expected,
        variance_reason=reason,
        float_left=left,
        sale_count=sale_count,
        totals=seen.totals.to_json(),
        vat=net_to_json(seen.net_lines),
    )
