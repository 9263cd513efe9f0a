"""A day at a campground, invented: bread in the morning, guests leaving, lunch, guests arriving, the evening.

Pure: the same campground, day and seed give the same sales, in the order of the day. Amounts are in francs,
VAT included. By weight, discounts, tips, vouchers, split payments, refunds and cash that is rounded to
5 Rappen all happen as often as they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from campone.till.sale import FIVE_RAPPEN, cash_rounding, to_rappen
from kasse.models import LineKind, PaymentMethod, Source
from kasse.money import ZERO
from kasse.sales import NewItem, NewPayment, NewSale

REFUND, DISCOUNT, LATE = 0.02, 0.06, 0.03
WEEKEND = 1.4
PIECES = {1: 60, 2: 26, 3: 8, 4: 6}
LINES = {1: 36, 2: 30, 3: 18, 4: 10, 6: 6}


@dataclass(frozen=True, slots=True)
class Article:
    """Something on the shelf; ``vat_rate`` in percent."""

    sku: str
    name: str
    category: str
    unit_price: Decimal
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of one kind: about how many sales, and which articles (the start of their SKU) are how much in demand."""

    begins: time
    ends: time
    sales: int
    demand: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Desk:
    """A place where sales are made; ``name`` is part of its receipt numbers, ``methods`` are payments by weight."""

    name: str
    source: Source
    methods: Mapping[PaymentMethod, int]
    tip: float
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale, the desk's receipt number, and when it reaches the ledger (a till may have been offline)."""

    desk: Desk
    receipt: str
    sale: NewSale
    received_at: datetime


IN_THE_SHOP = {
    PaymentMethod.CARD: 40,
    PaymentMethod.CASH: 28,
    PaymentMethod.TWINT: 20,
    PaymentMethod.ON_TAB: 5,
    PaymentMethod.VOUCHER: 3,
    PaymentMethod.MIXED: 4,
}
AT_THE_FRONT_DESK = {
    PaymentMethod.WORLDLINE: 45,
    PaymentMethod.TWINT: 18,
    PaymentMethod.CASH: 15,
    PaymentMethod.BANK: 8,
    PaymentMethod.STRIPE: 8,
    PaymentMethod.ON_TAB: 6,
}
NIGHTS = (
    Article("UEB-01", "Stellplatz mit Strom, 1 Nacht", "Service", Decimal("48.00"), Decimal("3.8")),
    Article("UEB-02", "Zeltplatz, 1 Nacht", "Service", Decimal("32.00"), Decimal("3.8")),
    Article("UEB-03", "Hund, 1 Nacht", "Service", Decimal("5.00"), Decimal("3.8")),
    Article("KUR-01", "Kurtaxe, 1 Nacht", "Service", Decimal("3.20"), Decimal(0)),
)
SHOP = Desk(
    "shop",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.0,
    shifts=(
        Shift(time(7), time(10, 30), 18, {"BRO": 14, "MIL": 4, "LEB": 3, "ZEI": 5, "FRU": 2}),
        Shift(time(10, 30), time(16, 30), 9, {"EIS": 9, "GET": 5, "SON": 3, "CAM": 3, "FRU": 3, "GAS": 1}),
        Shift(time(16, 30), time(20), 10, {"GRI": 8, "GET": 7, "LEB": 4, "FRU": 2, "GAS": 2, "MIL": 2}),
    ),
)
BISTRO = Desk(
    "bistro",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.35,
    shifts=(
        Shift(time(11, 30), time(14), 6, {"RES": 6, "BAR": 4, "KAF": 5}),
        Shift(time(17, 30), time(22), 9, {"RES": 6, "BAR": 8, "KAF": 2}),
    ),
)
RECEPTION = Desk(
    "desk",
    Source.FRONT_DESK,
    AT_THE_FRONT_DESK,
    tip=0.0,
    shifts=(
        Shift(time(8), time(12), 5, {"UEB": 6, "KUR": 5, "WAS": 2, "DUS": 2}),
        Shift(time(14), time(20), 7, {"UEB": 4, "KUR": 3, "VEL": 3, "WAS": 2, "DUS": 2, "GAS": 2}),
    ),
)
KIOSK = Desk(
    "kiosk",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.0,
    shifts=(Shift(time(8), time(18), 4, {"BRO": 5, "MIL": 2, "GET": 3, "GRI": 2, "GAS": 1}),),
)


def sales_of_day(
    desks: Sequence[Desk], goods: Sequence[Article], *, day: date, zone: ZoneInfo, seed: str
) -> list[Sold]:
    """What all desks sell on a calendar day of ``zone``, in the order of the day."""
    sold = [each for desk in desks for each in _sales_at(desk, goods, day, zone, Random(f"{seed}/{desk.name}/{day}"))]
    return sorted(sold, key=lambda each: each.sale.occurred_at)


def _sales_at(desk: Desk, goods: Sequence[Article], day: date, zone: ZoneInfo, rng: Random) -> Iterator[Sold]:
    """One desk's receipts, numbered through the day; a refund now and then, of a sale before it."""
    refundable: list[NewSale] = []
    for number, (moment, shift) in enumerate(sorted(_moments(desk, day, zone, rng), key=lambda pair: pair[0]), 1):
        receipt = f"demo-{desk.name}-{day}-{number:04}"
        if refundable and rng.random() < REFUND:
            sale = _refund(refundable.pop(rng.randrange(len(refundable))), rng)
        else:
            sale = _paid(_lines(shift, goods, rng), desk, rng)
            if sale.payment_method is not PaymentMethod.MIXED:
                refundable.append(_named(sale, desk, receipt, moment))
        yield Sold(desk, receipt, _named(sale, desk, receipt, moment), moment + _way(desk, rng))


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


def _named(sale: NewSale, desk: Desk, receipt: str, moment: datetime) -> NewSale:
    """A till's receipt number is its reference; the front desk has none, and keeps its number beside the sale."""
    if desk.source is Source.FRONT_DESK:
        return replace(sale, occurred_at=moment, metadata={"receipt": receipt})
    return replace(sale, occurred_at=moment, external_ref=receipt)


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


def _paid(lines: tuple[NewItem, ...], desk: Desk, rng: Random) -> NewSale:
    method = _weighted(desk.methods, rng)
    if method is PaymentMethod.MIXED:
        return _split(lines, rng)
    tip = FIVE_RAPPEN * rng.randrange(20, 160) if rng.random() < desk.tip else ZERO
    return _sale(lines, method, tip if method in {PaymentMethod.CARD, PaymentMethod.TWINT} else ZERO)


def _sale(lines: tuple[NewItem, ...], method: PaymentMethod, tip: Decimal = ZERO) -> NewSale:
    """A sale paid one way; cash is rounded to what there are coins for. Time and number come later."""
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
        occurred_at=datetime.min.replace(tzinfo=timezone.utc),
    )


def _split(lines: tuple[NewItem, ...], rng: Random) -> NewSale:
    """A voucher pays the first francs, card or TWINT the rest; a sale too small to split goes by card."""
    sale = _sale(lines, PaymentMethod.CARD)
    if sale.total_amount <= 5:
        return sale
    voucher = NewPayment(method=PaymentMethod.VOUCHER, amount=Decimal(rng.randrange(5, int(sale.total_amount) + 1, 5)))
    rest = sale.total_amount - voucher.amount
    if not rest:
        return _sale(lines, PaymentMethod.VOUCHER)
    other = NewPayment(method=rng.choice((PaymentMethod.CARD, PaymentMethod.TWINT)), amount=rest)
    return replace(sale, payment_method=PaymentMethod.MIXED, payments=(voucher, other))


def _refund(original: NewSale, rng: Random) -> NewSale:
    """One line of a sale comes back, and the money the way it came."""
    line = rng.choice([line for line in original.items if line.kind is LineKind.SALE])
    returned = replace(line, quantity=-line.quantity, line_total=-line.line_total)
    return replace(_sale((returned,), original.payment_method), refund_of=original.external_ref or "")


def _weighted[T](choices: Mapping[T, int], rng: Random) -> T:
    return rng.choices(tuple(choices), tuple(choices.values()))[0]
