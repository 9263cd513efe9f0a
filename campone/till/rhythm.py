"""Invents sales with the rhythm of a campground shop.

Bread and coffee in the morning, a quiet noon, drinks and gas in the evening; some by weight, some with a
discount, now and then a refund, a tip, a split payment, and cash that must be rounded to 5 Rappen.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from campone.till.articles import Article
from campone.till.sale import FIVE_RAPPEN, NOTHING, Line, Payment, Sale, cash_rounding, to_rappen

SALES_PER_HOUR = {
    7: 12, 8: 16, 9: 10, 10: 6, 11: 5, 12: 6, 13: 4, 14: 3,
    15: 4, 16: 5, 17: 8, 18: 10, 19: 7, 20: 4, 21: 2,
}  # fmt: skip
MORNING = ("brot", "bread", "pain", "pane", "gipfel", "croissant", "zopf", "kaffee", "coffee", "café")
METHODS = {"CARD": 38, "CASH": 30, "TWINT": 20, "ON_TAB": 5, "VOUCHER": 4, "MIXED": 3}
REFUND, BY_WEIGHT, LINE_DISCOUNT, DISCOUNT, TIP = 0.03, 0.05, 0.05, 0.06, 0.15


@dataclass(frozen=True, slots=True)
class Register:
    """One till of the shop; a plain one sends the five fields of the product page only."""

    name: str
    plain: bool


# The names end up in references: each holds something that must be percent-encoded in a path.
REGISTERS = (
    Register("Kiosk 1", plain=True),
    Register("Laden/2", plain=False),
    Register("Bar+Grill 50%", plain=False),
    Register("Bäckerei", plain=False),
)


def invent_sales(
    *, articles: Sequence[Article], number: int, prefix: str, now: datetime, zone: ZoneInfo, rng: Random
) -> list[Sale]:
    """``number`` sales of yesterday and today in ``zone``, oldest first, none of them after ``now``.

    Every reference begins with ``prefix``. The same ``rng`` state and ``now`` give the same sales.
    """
    instants = sorted(_instant(now=now, zone=zone, rng=rng) for _ in range(number))
    sales: list[Sale] = []
    receipts: Counter[str] = Counter()
    for count, moment in enumerate(instants, start=1):
        register = rng.choice(REGISTERS)
        receipts[register.name] += 1
        blank = Sale(
            external_ref=f"{prefix}-{register.name}-T-{count}",
            occurred_at=moment,
            payment_method="CASH",
            lines=(),
            currency=articles[0].currency,
            register=register.name,
            # Each run counts anew, over the same days: a register of its own.
            till_id=f"{prefix}-{register.name}",
            receipt_seq=receipts[register.name],
            plain=register.plain,
        )
        original = rng.choice(sales) if sales and rng.random() < REFUND else None
        if original and not original.refund_of and not original.payments:
            sales.append(_refund(blank, original, rng))
        else:
            sales.append(_sale(blank, articles, rng))
    return sales


def _instant(*, now: datetime, zone: ZoneInfo, rng: Random) -> datetime:
    """A moment in business hours; one that today has not reached yet is moved to the day before."""
    hour = rng.choices(tuple(SALES_PER_HOUR), tuple(SALES_PER_HOUR.values()))[0]
    day = now.astimezone(zone).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    moment = day + timedelta(seconds=rng.randrange(3600), days=-rng.randrange(2))
    return moment if moment <= now else moment - timedelta(days=1)


def _sale(blank: Sale, articles: Sequence[Article], rng: Random) -> Sale:
    weights = [_appetite(article, blank.occurred_at.hour) for article in articles]
    chosen = dict.fromkeys(rng.choices(articles, weights, k=rng.choice((1, 1, 2, 2, 3, 4, 6))))
    lines = [_line(article, rng) for article in chosen]
    if rng.random() < DISCOUNT and (discount := _discount(lines)):
        lines.append(discount)
    return _paid(replace(blank, lines=tuple(lines)), rng)


def _appetite(article: Article, hour: int) -> int:
    """How often an article is asked for at that hour, compared with others."""
    breakfast = any(word in f"{article.name} {article.category}".casefold() for word in MORNING)
    if hour < 10:
        return 8 if breakfast else 1
    return 1 if breakfast else 3


def _line(article: Article, rng: Random) -> Line:
    quantity = Decimal(rng.choices((1, 2, 3, 6), (60, 25, 10, 5))[0])
    if rng.random() < BY_WEIGHT:
        quantity = Decimal(rng.randrange(150, 2500)) / 1000
    line_total = to_rappen(quantity * article.unit_price)
    if rng.random() < LINE_DISCOUNT:
        line_total = to_rappen(line_total * Decimal("0.9"))
    return Line(
        description=article.name,
        quantity=quantity,
        unit_price=article.unit_price,
        line_total=line_total,
        sku=article.sku,
        category=article.category,
        vat_rate=article.vat_rate,
    )


def _discount(lines: Sequence[Line]) -> Line | None:
    """Ten per cent for regular guests, as a line of its own; nothing on very small sales."""
    amount = to_rappen(sum((line.line_total for line in lines), NOTHING) / 10)
    if not amount:
        return None
    return Line(
        description="Stammgast 10 %",
        quantity=Decimal(1),
        unit_price=-amount,
        line_total=-amount,
        kind="DISCOUNT",
    )


def _paid(sale: Sale, rng: Random) -> Sale:
    method = rng.choices(tuple(METHODS), tuple(METHODS.values()))[0]
    if method == "CASH":
        return _in_coins(sale)
    if method == "CARD" and not sale.plain and rng.random() < TIP:
        return replace(sale, payment_method="CARD", tip=FIVE_RAPPEN * rng.randrange(10, 120))
    if method == "MIXED":
        return _split(sale, rng)
    return replace(sale, payment_method=method)


def _in_coins(sale: Sale) -> Sale:
    return replace(sale, payment_method="CASH", rounding=cash_rounding(sale.total))


def _split(sale: Sale, rng: Random) -> Sale:
    """A voucher pays the first whole francs, another method the rest; a plain till cannot split."""
    if sale.plain or sale.total < 2:
        return replace(sale, payment_method="TWINT")
    voucher = Decimal(rng.randrange(1, int(sale.total))).quantize(NOTHING)
    rest = Payment(rng.choice(("CARD", "TWINT")), sale.total - voucher)
    return replace(sale, payment_method="MIXED", payments=(Payment("VOUCHER", voucher), rest))


def _refund(blank: Sale, original: Sale, rng: Random) -> Sale:
    """The whole sale comes back, or its first line: negative, paid out the way it was paid."""
    returned = original.lines if rng.random() < 0.5 else original.lines[:1]
    lines = tuple(replace(line, quantity=-line.quantity, line_total=-line.line_total) for line in returned)
    refund = replace(blank, lines=lines, refund_of=original.external_ref)
    if original.payment_method == "CASH":
        return _in_coins(refund)
    return replace(refund, payment_method=original.payment_method)
