"""What a cell says: numbers, days, times and rates as they are written here, out of its text. Pure and exact.

A cell is a text by now: that of a CSV file, or what a workbook holds written out (``workbooks``). What makes no sense,
or could mean two things, is ``Unreadable``; nothing is guessed, nothing is rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

MIDDAY = time(12)
# Far from where a calendar ends, whatever zone and cut-off hour do to a day.
YEARS = range(1900, 2200)
# On each side of the point; more than any contract takes, and few enough to reckon with exactly.
MOST_DIGITS = 10
# Thousands stand in groups of three. One mark alone is a decimal one, be it a point or a comma.
NUMBER = re.compile(
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:[' ][0-9]{3})+)(?:[.,](?P<places>[0-9]+))?"
    r"|(?P<by_point>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<after_comma>[0-9]+)"
    r"|(?P<by_comma>[0-9]{1,3}(?:,[0-9]{3})+)\.(?P<after_point>[0-9]+)"
    r"|(?P<grouped>[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}|(?:,[0-9]{3}){2,}))"
)
MARKS = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "−": "-", "–": "-", "—": "-"})
NO_RAPPEN = re.compile(r"[.,]-{1,2}\Z")
NOT_A_DIGIT = re.compile(r"[^0-9]")
CURRENCY_WORDS = {"CHF": ("chf", "sfr.", "sfr", "fr.", "fr"), "EUR": ("eur", "€")}

DAY = (
    r"(?:(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})"
    r"|(?P<day_first>[0-9]{1,2})[-./ ]+(?P<then_month>[0-9]{1,2})[-./ ]+(?P<last_year>[0-9]{4}|[0-9]{2}))"
)
TIME = (
    r"(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?| ?[Uu]hr| ?h)?"
    r"(?: ?(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2}))?"
)
WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,? +)?"
MOMENT = re.compile(rf"{WEEKDAY}{DAY}(?:(?:[Tt]|,? +){TIME})?")
ONLY_TIME = re.compile(TIME)
RATE = re.compile(r"[^0-9]*([0-9]{1,3}(?:[.,][0-9]+)?)[^0-9]*")


class Unreadable(Exception):
    """A cell that is not what its column holds; ``code`` is what it is not."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was sold: the day as the file has it, for the reference, and the instant."""

    day: date
    at: datetime


def number_in(text: str, *, currency: str = "") -> Decimal:
    """The number in a cell: ``1'234.50``, ``1.234,50``, ``CHF 12.–``, ``-3,5``, ``3.50-``, ``(3.50)``.

    A point or a comma that stands alone comes before the decimal places, so ``1.234`` has three of them.

    Raises:
        Unreadable: it is none, or is in another currency.
    """
    said, sign = _without_sign(text.translate(MARKS).strip())
    said = _without_currency(said, currency)
    if not sign:
        said, sign = _without_sign(said)
    match = NUMBER.fullmatch(said)
    if match is None:
        raise Unreadable("not_a_number")
    whole = NOT_A_DIGIT.sub("", match["whole"] or match["by_point"] or match["by_comma"] or match["grouped"])
    places = match["places"] or match["after_comma"] or match["after_point"] or "0"
    if max(len(whole), len(places)) > MOST_DIGITS:
        raise Unreadable("not_a_number")
    return (sign or 1) * Decimal(f"{whole}.{places}") + 0


def is_currency(text: str, currency: str) -> bool:
    """Whether a cell names the campground's currency."""
    return text.casefold() in {*CURRENCY_WORDS.get(currency, ()), currency.casefold()}


def _without_currency(text: str, currency: str) -> str:
    for word in CURRENCY_WORDS.get(currency, (currency.casefold(),)):
        if word and text.casefold().startswith(word):
            return text[len(word) :].strip()
        if word and text.casefold().endswith(word):
            return text[: -len(word)].strip()
    return text


def _without_sign(text: str) -> tuple[str, int]:
    """The rest and the sign, which stands before, behind, or round it; 0 where there is none."""
    text = NO_RAPPEN.sub("", text)
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), -1
    if text.startswith(("-", "+")):
        return text[1:].strip(), -1 if text[0] == "-" else 1
    return (text[:-1].strip(), -1) if text.endswith("-") else (text, 0)


def rate_in(text: str) -> Decimal:
    """A VAT rate in percent: ``8.1%``, ``8,1``, ``MWST 8.10 %``.

    Raises:
        Unreadable: there is no single number in it.
    """
    match = RATE.fullmatch(text)
    if match is None or "-" in text:
        raise Unreadable("not_a_rate")
    return Decimal(match[1].replace(",", ".")) + 0


def moment_in(day: str, clock: str, zone: ZoneInfo) -> Moment:
    """When it was sold, from the cell of the day and that of the time, which may be empty.

    Without an offset it is on the campground's wall clock. Without any time it is midday, which lies within that
    business day wherever the campground's days begin.

    Raises:
        Unreadable: no such day, or no such time.
    """
    match = MOMENT.fullmatch(day)
    if match is None:
        raise Unreadable("not_a_day")
    found = _day(match)
    if clock:
        match = ONLY_TIME.fullmatch(clock)
        if match is None:
            raise Unreadable("not_a_time")
    elif match["hour"] is None:
        return Moment(found, datetime.combine(found, MIDDAY, tzinfo=zone))
    at = datetime.combine(found, _time(match))
    if match["offset"] is None:
        return Moment(found, at.replace(tzinfo=zone))
    instant = at.replace(tzinfo=_offset(match["offset"]))
    try:
        return Moment(instant.astimezone(zone).date(), instant)
    except OverflowError:
        raise Unreadable("not_a_day") from None


def _day(match: re.Match[str]) -> date:
    year, month, day = (
        (match["year"], match["month"], match["day"])
        if match["year"]
        else (match["last_year"], match["then_month"], match["day_first"])
    )
    try:
        found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise Unreadable("not_a_day") from None
    if found.year not in YEARS:
        raise Unreadable("not_a_day")
    return found


def _time(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise Unreadable("not_a_time")
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        raise Unreadable("not_a_time") from None


def _offset(text: str) -> timezone:
    if text in {"Z", "z"}:
        return timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes >= 24 * 60:
        raise Unreadable("not_a_time")
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
