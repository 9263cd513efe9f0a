"""Template filters: Swiss writing, and instants on the campground's clock (the one the page is shown on)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from tenants import swiss

register = template.Library()


@register.filter
def money(amount: Decimal | None) -> str:
    """An amount; a dash for none."""
    return "–" if amount is None else swiss.money_text(amount)


@register.filter
def price(amount: Decimal | None) -> str:
    """A unit price, with two places or as many as it has; a dash for none."""
    return "–" if amount is None else swiss.price_text(amount)


@register.filter
def number(value: Decimal | int | None) -> str:
    """A quantity or a count; a dash for none."""
    return "–" if value is None else swiss.number_text(value)


@register.filter
def percent(rate: Decimal | None) -> str:
    """A VAT rate; a question mark for one that nobody knows."""
    return "?" if rate is None else swiss.percent_text(rate)


@register.filter
def day(value: date | None) -> str:
    """A day, or the day of an instant; a dash for none."""
    if value is None:
        return "–"
    return swiss.day_text(_local(value) if isinstance(value, datetime) else value)


@register.filter
def moment(instant: datetime | None) -> str:
    """Day and time to the second; a dash for none."""
    return "–" if instant is None else swiss.moment_text(_local(instant))


@register.filter
def hour(instant: datetime | None) -> str:
    """Hours and minutes; a dash for none."""
    return "–" if instant is None else swiss.time_text(_local(instant))


def _local(instant: datetime) -> datetime:
    return swiss.on_clock(instant, timezone.get_current_timezone())
