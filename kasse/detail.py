"""One sale, with all that the ledger knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.utils.functional import Promise

from kasse.late import with_late
from kasse.marks import Mark, marks_of, remarks_of
from kasse.models import LineKind, Payment, Transaction, TransactionItem
from kasse.money import ZERO
from kasse.net import RateTotal, by_rate, net_of
from kasse.searching import short_id
from kasse.totals import Counted, LineTotal, gather
from tenants.models import Tenant

MOST_CHAINED = 50


@dataclass(frozen=True, slots=True)
class Span:
    """A time between two clocks; ``is_negative`` if the first of them is behind."""

    length: timedelta

    @property
    def is_negative(self) -> bool:
        return self.length < timedelta(0)

    def __str__(self) -> str:
        """``0:02:13``, to the second."""
        return str(timedelta(seconds=round(abs(self.length).total_seconds())))

    def __bool__(self) -> bool:
        """Whether there is a second of it."""
        return abs(self.length) >= timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Detail:
    """A sale, its parts, and its refunds or its original, as far as they are here."""

    sale: Transaction
    lines: Sequence[TransactionItem]
    payments: Sequence[Payment]
    chain: Sequence[Transaction]
    refunded: Counted
    """All that name this one as their original, also where ``chain`` is cut off; negative."""

    @property
    def short_id(self) -> str:
        """As receipts show it."""
        return short_id(self.sale)

    @property
    def marks(self) -> list[Mark]:
        return marks_of(self.sale)

    @property
    def remarks(self) -> list[str | Promise]:
        return remarks_of(self.sale)

    @property
    def original(self) -> Transaction | None:
        """The sale that this refund names, if it is here."""
        named = (each for each in self.chain if self.sale.refund_of and each.external_ref == self.sale.refund_of)
        return next(named, None)

    @property
    def refunds(self) -> list[Transaction]:
        """Sales that name this one as their original; of very many, the first."""
        return [each for each in self.chain if each.refund_of and each.refund_of == self.sale.external_ref]

    @property
    def rates(self) -> tuple[RateTotal, ...]:
        """Net and VAT of this sale by itself. A day's are rounded once for the day, not for each sale."""
        sums = gather(((line.vat_rate, line.category, line.kind), Counted(1, line.line_total)) for line in self.lines)
        lines = (LineTotal(rate, category, LineKind(kind), sold) for (rate, category, kind), sold in sums.items())
        return by_rate(net_of(lines))

    @property
    def vouchers_sold(self) -> Decimal:
        """Money that is owed, not earned; without VAT."""
        return sum((line.line_total for line in self.lines if line.kind == LineKind.VOUCHER_SALE), ZERO)

    @property
    def has_other_kinds(self) -> bool:
        """Whether a line is anything else than an article sold."""
        return any(line.kind != LineKind.SALE for line in self.lines)

    @property
    def drift(self) -> Span | None:
        """How far the till's clock was ahead of ours when it sent this; the way to us counts as being behind."""
        return Span(self.sale.sent_at - self.sale.received_at) if self.sale.sent_at else None

    @property
    def on_its_way(self) -> Span:
        """From the sale, by the till's clock, until it was here, by ours."""
        return Span(self.sale.received_at - self.sale.occurred_at)

    @property
    def metadata(self) -> list[tuple[str, object]]:
        """What else the till sent along."""
        return sorted(self.sale.metadata.items()) if isinstance(self.sale.metadata, dict) else []


def detail_of(tenant: Tenant, pk: UUID) -> Detail | None:
    """A sale of the campground; None if there is no such one here."""
    sale = with_late(Transaction.objects.of(tenant)).select_related("api_key").filter(pk=pk).first()
    if sale is None:
        return None
    lines = TransactionItem.objects.of(tenant).filter(transaction=sale).order_by("position")
    payments = Payment.objects.of(tenant).filter(transaction=sale).order_by("position")
    chain = _chain(tenant, sale)
    return Detail(sale, list(lines), list(payments), chain, refunded=_refunded(tenant, sale, chain))


def _refunded(tenant: Tenant, sale: Transaction, chain: Sequence[Transaction]) -> Counted:
    """Counted by the database only where there are too many to show."""
    if len(chain) < MOST_CHAINED:
        amounts = [each.total_amount for each in chain if sale.external_ref and each.refund_of == sale.external_ref]
        return Counted(len(amounts), sum(amounts, ZERO))
    of_this = Transaction.objects.of(tenant).filter(refund_of=sale.external_ref or "").exclude(refund_of="")
    found = of_this.exclude(pk=sale.pk).aggregate(count=Count("pk"), amount=Sum("total_amount"))
    return Counted(found["count"], found["amount"] or ZERO)


def _chain(tenant: Tenant, sale: Transaction) -> list[Transaction]:
    """What a refund names, and what names this sale: the till's word by reference, which may point nowhere."""
    linked = Q()
    if sale.refund_of:
        linked |= Q(external_ref=sale.refund_of)
    if sale.external_ref:
        # That it is not empty goes without saying, but SQLite wants to hear it to use ``transaction_refunds_of``.
        linked |= Q(refund_of=sale.external_ref) & ~Q(refund_of="")
    if not linked:
        return []
    others = Transaction.objects.of(tenant).filter(linked).exclude(pk=sale.pk)
    return list(others.order_by("occurred_at", "id")[:MOST_CHAINED])
