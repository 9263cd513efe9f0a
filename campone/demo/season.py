"""A day at a campground, invented: bread in the morning, guests leaving, lunch, guests arriving, the evening.

Pure: the same campground, day and seed give the same sales, in the order of the day. Amounts are in francs,
VAT included. By weight, discounts, tips, vouchers, split payments, refunds and cash that is rounded to
5 Rappen all happen as often as they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from campone.demo.desks import Article, Desk, Shift
from campone.till.sale import FIVE_RAPPEN, cash_rounding, to_rappen
from kasse.models import LineKind, PaymentMethod, Source
from kasse.money import ZERO
from kasse.sales import NewItem, NewPayment, NewSale

REFUND, DISCOUNT, LATE = 0.02, 0.06, 0.03
LOST = 17
WEEKEND = 1.4
PIECES = {1: 60, 2: 26, 3: 8, 4: 6}
LINES = {1: 36, 2: 30, 3: 18, 4: 10, 6: 6}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale, the desk's receipt number, and when it reaches the ledger (a till may have been offline)."""

    desk: Desk
    receipt: str
    sale: NewSale
    received_at: datetime


def sales_of_day(
    desks: Sequence[Desk], goods: Sequence[Article], *, day: date, zone: ZoneInfo, seed: str
) -> list[Sold]:
    """What all desks sell on a calendar day of ``zone``, in the order of the day."""
    sold = [each for desk in desks for each in _sales_at(desk, goods, day, zone, Random(f"{seed}/{desk.name}/{day}"))]
    return sorted(sold, key=lambda each: each.sale.occurred_at)


def _sales_at(desk: Desk, goods: Sequence[Article], day: date, zone: ZoneInfo, rng: Random) -> Iterator[Sold]:
    """One desk's receipts, numbered through the day; a refund now and then, of a sale before it."""
    refundable: list[NewSale] = []
    moments = sorted(_moments(desk, day, zone, rng), key=lambda pair: pair[0])
    for number, (moment, shift) in zip(_numbers(desk, day), moments, strict=False):
        receipt = f"demo-{desk.name}-{day}-{number:04}"
        if refundable and rng.random() < REFUND:
            sale = _refund(refundable.pop(rng.randrange(len(refundable))), moment, rng)
        else:
            sale = _paid(_lines(shift, goods, rng), desk, moment, rng)
        sale = _numbered(sale, desk, receipt, number)
        if _is_refundable(sale):
            refundable.append(sale)
        yield Sold(desk, receipt, sale, moment + _way(desk, rng))


def _numbers(desk: Desk, day: date) -> Iterator[int]:
    """From 1 every day; on Sundays one is lost, after which nobody asks but the page of missing receipts."""
    lost = LOST if desk.counts and day.isoweekday() == 7 else None
    return (number for number in count(1) if number != lost)


def _moments(desk: Desk, day: date, zone: ZoneInfo, rng: Random) -> Iterator[tuple[datetime, Shift]]:
    for shift in desk.shifts:
        begins = datetime.combine(day, shift.begins, tzinfo=zone).astimezone(timezone.utc)
        ends = datetime.combine(day, shift.ends, tzinfo=zone).astimezone(timezone.utc)
        factor = rng.uniform(0.8, 1.2) * (WEEKEND if day.isoweekday() >= 6 else 1)
        for _ in range(max(1, round(shift.sales * factor))):
            yield begins + timedelta(seconds=rng.randrange(int((ends - begins).total_seconds()))), shift


def _way(desk: Desk, rng: Random) -> timedelta:
    """How long a sale takes to us: nothing at our own desk, seconds from a till, hours from one without network."""
    if desk.source is Source.FRONT_DESK:
        return timedelta(0)
    return timedelta(minutes=rng.randrange(20, 180)) if rng.random() < LATE else timedelta(seconds=rng.uniform(0.2, 3))


def _numbered(sale: NewSale, desk: Desk, receipt: str, number: int) -> NewSale:
    """A till's receipt number is its reference; the front desk has none, and keeps its number beside the sale."""
    if desk.source is Source.FRONT_DESK:
        return replace(sale, metadata={"receipt": receipt})
    return replace(sale, external_ref=receipt, receipt_seq=number if desk.counts else None)


def _lines(shift: Shift, goods: Sequence[Article], rng: Random) -> tuple[NewItem, ...]:
    wanted = [(article, shift.demand.get(article.sku[:3], 0)) for article in goods]
    articles, weights = zip(*((article, weight) for article, weight in wanted if weight), strict=True)
    # Chosen twice, an article is still one line.
    chosen = dict.fromkeys(rng.choices(articles, weights, k=_weighted(LINES, rng)))
    lines = tuple(_line(article, rng) for article in chosen)
    return (*lines, _discount(lines)) if rng.random() < DISCOUNT and _is_taxed_alike(lines) else lines


def _line(article: Article, rng: Random) -> NewItem:
    quantity = Decimal(_weighted(PIECES, rng))
    if article.name.endswith("pro kg"):
        quantity = Decimal(rng.randrange(150, 1800)) / 1000
    return NewItem(
        description=article.name,
        quantity=quantity,
        unit_price=article.unit_price,
        line_total=to_rappen(quantity * article.unit_price),
        sku=article.sku,
        vat_rate=article.vat_rate,
        category=article.category,
    )


def _is_taxed_alike(lines: Sequence[NewItem]) -> bool:
    return len({line.vat_rate for line in lines}) == 1


def _discount(lines: Sequence[NewItem]) -> NewItem:
    """Ten per cent for regular guests, in a line of its own, at the rate of the lines that it lowers."""
    amount = to_rappen(sum((line.line_total for line in lines), ZERO) / 10)
    return NewItem(
        description="Stammgast 10 %",
        quantity=Decimal(1),
        unit_price=-amount,
        line_total=-amount,
        vat_rate=lines[0].vat_rate,
        kind=LineKind.DISCOUNT,
    )


def _paid(lines: tuple[NewItem, ...], desk: Desk, moment: datetime, rng: Random) -> NewSale:
    method = _weighted(desk.methods, rng)
    if method is PaymentMethod.MIXED:
        return _split(lines, moment, rng)
    tip = FIVE_RAPPEN * rng.randrange(20, 160) if rng.random() < desk.tip else ZERO
    return _sale(lines, method, moment, tip if method in {PaymentMethod.CARD, PaymentMethod.TWINT} else ZERO)


def _sale(lines: tuple[NewItem, ...], method: PaymentMethod, moment: datetime, tip: Decimal = ZERO) -> NewSale:
    """A sale paid one way; cash is rounded to what there are coins for."""
    amount = sum((line.line_total for line in lines), ZERO)
    rounding = cash_rounding(amount) if method is PaymentMethod.CASH else ZERO
    return NewSale(
        external_ref=None,
        payment_method=method,
        currency="CHF",
        total_amount=amount + rounding,
        rounding_amount=rounding,
        tip_amount=tip,
        items=lines,
        payments=(NewPayment(method=method, amount=amount + rounding, tip_amount=tip),),
        occurred_at=moment,
    )


def _split(lines: tuple[NewItem, ...], moment: datetime, rng: Random) -> NewSale:
    """A voucher pays the first francs, card or TWINT the rest; a sale too small to split goes by card."""
    sale = _sale(lines, PaymentMethod.CARD, moment)
    vouchers = range(5, int(sale.total_amount), 5)
    if not vouchers:
        return sale
    voucher = NewPayment(method=PaymentMethod.VOUCHER, amount=Decimal(rng.choice(vouchers)))
    other = rng.choice((PaymentMethod.CARD, PaymentMethod.TWINT))
    rest = NewPayment(method=other, amount=sale.total_amount - voucher.amount)
    return replace(sale, payment_method=PaymentMethod.MIXED, payments=(voucher, rest))


def _is_refundable(sale: NewSale) -> bool:
    """One way of payment, nothing taken off, and no refund itself: a line comes back at its price."""
    plain = all(line.kind is LineKind.SALE for line in sale.items)
    return plain and not sale.refund_of and sale.payment_method is not PaymentMethod.MIXED


def _refund(original: NewSale, moment: datetime, rng: Random) -> NewSale:
    """One line of a sale comes back, and the money the way it came."""
    line = rng.choice(original.items)
    returned = replace(line, quantity=-line.quantity, line_total=-line.line_total)
    sale = _sale((returned,), original.payment_method, moment)
    return replace(sale, refund_of=original.external_ref or original.metadata["receipt"])


def _weighted(choices: Mapping[T, int], rng: Random) -> T:
    return rng.choices(tuple(choices), tuple(choices.values()))[0]
