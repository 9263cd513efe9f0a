"""Amounts, days and times as a Swiss campground writes them, whatever the language of the page. Pure."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal


def money_text(amount: Decimal) -> str:
    """``1'234.50``; two places, a hyphen before what is negative, never ``-0.00``."""
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):,.2f}".replace(",", "'")


def price_text(price: Decimal) -> str:
    """A unit price: ``3.50``, and ``0.0875`` where two places do not hold it."""
    text = number_text(price)
    whole, _, places = text.partition(".")
    return f"{whole}.{places:0<2}"


def number_text(number: Decimal | int) -> str:
    """A number without zeros at its end: ``2``, ``1'250``, ``0.375``."""
    text = f"{number:,f}" if isinstance(number, Decimal) else f"{number:,}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", "'")


def percent_text(rate: Decimal) -> str:
    """A rate as the law writes it: ``8.1%``, ``0%``."""
    return f"{number_text(rate)}%"


def on_clock(instant: datetime, zone: tzinfo) -> datetime:
    """The instant on a clock of that zone; as it is, where the clock would leave the calendar (a till says 9999)."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def day_text(day: date) -> str:
    """``29.04.2026``."""
    return f"{day:%d.%m.%Y}"


def moment_text(instant: datetime) -> str:
    """``29.04.2026 08:14:32``, on the clock the instant carries: give it the campground's."""
    return f"{instant:%d.%m.%Y %H:%M:%S}"


def time_text(instant: datetime) -> str:
    """``08:14``, on the clock the instant carries."""
    return f"{instant:%H:%M}"
