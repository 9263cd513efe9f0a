"""Real tickets from a file: columns Date, Time, Transaction, Item, one line per piece sold.

The file has no prices. An item is priced from the catalogue (see ``PriceTags``), the payment method is
drawn from the reference: the same file and the same prices give the same sales on every run, so that
selling it twice adds nothing.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from campone.till.articles import PriceTags
from campone.till.sale import NOTHING, Line, Sale, cash_rounding, to_rappen

COLUMNS = ["Date", "Time", "Transaction", "Item"]
NO_ITEM = "NONE"
OLDEST = date(2000, 1, 1)
METHODS = {"CASH": 45, "CARD": 40, "TWINT": 15}


class MalformedTickets(Exception):
    """A line of the file cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket with its own time, and how often each item is on it, in the order of the file."""

    number: str
    occurred_at: datetime
    items: Counter[str] = field(default_factory=Counter)

    @property
    def reference(self) -> str:
        """Made of date and ticket number, for example ``bakery-2018-10-30-T-1``."""
        return f"bakery-{self.occurred_at:%Y-%m-%d}-T-{self.number}"


def read_tickets(lines: Iterable[str], *, zone: ZoneInfo, now: datetime) -> list[Ticket]:
    """All tickets of a file, in its order; a ticket has the time of its first line, local in ``zone``.

    Raises:
        MalformedTickets: a wrong heading, a missing column, no date or time, a time after ``now``.

    """
    rows = csv.reader(lines, strict=True)
    tickets: dict[str, Ticket] = {}
    try:
        if next(rows, None) != COLUMNS:
            raise MalformedTickets(f"Line 1: the heading must be {','.join(COLUMNS)}.")
        for row in filter(None, rows):
            ticket = _ticket(row, zone=zone, now=now)
            tickets.setdefault(ticket.reference, ticket).items[row[3].strip()] += 1
    except csv.Error as error:
        raise MalformedTickets(f"Line {rows.line_num}: {error}.") from None
    except ValueError as error:
        raise MalformedTickets(f"Line {rows.line_num}: {error}") from None
    if not tickets:
        raise MalformedTickets("The file holds no tickets.")
    return list(tickets.values())


def _ticket(row: list[str], *, zone: ZoneInfo, now: datetime) -> Ticket:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} columns, expected {len(COLUMNS)}.")
    day, clock, number, item = (cell.strip() for cell in row)
    occurred_at = datetime.combine(_date(day), _time(clock), tzinfo=zone)
    if occurred_at > now:
        raise ValueError(f"{day} {clock} lies in the future.")
    if not (number.isascii() and number.isdigit() and len(number) <= 20):
        raise ValueError(f"{number!r} is not a ticket number.")
    if not (item and item.isprintable() and len(item) <= 255):
        raise ValueError("an item needs 1 to 255 printable characters.")
    return Ticket(number=number, occurred_at=occurred_at)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date like 2018-10-30.") from None
    if day < OLDEST:
        raise ValueError(f"{text} lies before {OLDEST}.")
    return day


def _time(text: str) -> time:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    if clock is None or clock.tzinfo:
        raise ValueError(f"{text!r} is not a time like 09:58:11.")
    return clock


def sale_from(ticket: Ticket, *, tags: PriceTags) -> Sale:
    """Price a ticket. ``NONE`` is no item and is left out; a ticket of nothing else is sold as zero."""
    names = [name for name in ticket.items if name != NO_ITEM] or [NO_ITEM]
    lines = tuple(_line(name, ticket.items[name], tags) for name in names)
    method = Random(ticket.reference).choices(tuple(METHODS), tuple(METHODS.values()))[0]
    sale = Sale(external_ref=ticket.reference, occurred_at=ticket.occurred_at, payment_method=method, lines=lines)
    return replace(sale, rounding=cash_rounding(sale.total)) if method == "CASH" else sale


def _line(name: str, pieces: int, tags: PriceTags) -> Line:
    if name == NO_ITEM:
        return Line(description=NO_ITEM, quantity=Decimal(1), unit_price=NOTHING, line_total=NOTHING)
    article = tags.article_called(name)
    unit_price = tags.price_of(name)
    return Line(
        description=name,
        quantity=Decimal(pieces),
        unit_price=unit_price,
        line_total=to_rappen(unit_price * pieces),
        sku=article.sku if article else "",
        category=article.category if article else "",
    )
