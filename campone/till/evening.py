"""The evening: everything is read back through the API and compared with the journal, sale by sale."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from campone.till.answers import json_object
from campone.till.asking import Asking, Refused, Request, ask
from campone.till.journal import Entry
from campone.till.sale import NOTHING
from campone.till.stopping import TillStopped
from campone.till.wire import Answer, Wire

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """What till and server must agree on. ``lines`` and ``payments`` are sorted: their order is no fact."""

    external_ref: str
    occurred_at: datetime
    payment_method: str
    total_amount: Decimal
    rounding_amount: Decimal
    tip_amount: Decimal
    refund_of: str
    till_id: str
    receipt_seq: int
    lines: tuple[tuple[Decimal, Decimal], ...]
    payments: tuple[tuple[str, Decimal], ...]


def facts_of(sale: Mapping[str, Any]) -> Facts:
    """The facts of a sale, be it the body that was sent or what the server gives back.

    A plain till sends no rounding: it is what the total differs from the lines. A sale paid in one way
    has no ``payments`` of its own, so they are compared for ``MIXED`` only.
    """
    total = Decimal(sale["total_amount"])
    lines = sorted((Decimal(item["quantity"]), Decimal(item["line_total"])) for item in sale["items"])
    rounding = sale.get("rounding_amount") or total - sum((amount for _, amount in lines), NOTHING)
    mixed = sale["payment_method"] == "MIXED"
    payments = sorted((part["method"], Decimal(part["amount"])) for part in sale["payments"]) if mixed else []
    return Facts(
        external_ref=sale["external_ref"],
        occurred_at=datetime.fromisoformat(sale["occurred_at"]),
        payment_method=sale["payment_method"],
        total_amount=total,
        rounding_amount=Decimal(rounding),
        tip_amount=Decimal(sale.get("tip_amount") or 0),
        refund_of=sale.get("refund_of") or "",
        till_id=sale.get("till_id") or "",
        receipt_seq=sale.get("receipt_seq") or 0,
        lines=tuple(lines),
        payments=tuple(payments),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The till's journal beside the server's ledger; amounts in ``currency``, the rest are references."""

    sold: int
    stored: int
    sum_sold: Decimal
    sum_stored: Decimal
    currency: str
    doubled: tuple[str, ...]
    missing: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether both sides agree on every sale."""
        return not (self.doubled or self.missing or self.different) and self.sum_sold == self.sum_stored

    def __str__(self) -> str:
        verdict = "sums equal to the Rappen" if self.sum_sold == self.sum_stored else "SUMS DIFFER"
        sums = f"{self.currency} {self.sum_sold:.2f} / {self.currency} {self.sum_stored:.2f}"
        different = f", {len(self.different)} different" if self.different else ""
        return (
            f"sold {self.sold}, stored {self.stored}, {verdict} ({sums}),"
            f" {len(self.doubled)} doubled, {len(self.missing)} missing{different}"
        )


def compare(
    entries: Sequence[Entry], stored: Iterable[Mapping[str, Any]], *, stored_twice: Iterable[str] = ()
) -> Comparison:
    """Lay the ledger beside the journal; transactions of other tills are passed over.

    ``stored`` may show one transaction twice (pages shift while others sell): its ``id`` tells. Two ids
    under one reference are a doubled sale. ``stored_twice`` adds what the answers themselves gave away.
    """
    ours = {entry.external_ref: facts_of(json.loads(entry.body)) for entry in entries}
    found: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for transaction in stored:
        if transaction["external_ref"] in ours:
            found[transaction["external_ref"]][str(transaction["id"])] = transaction
    kept = [transaction for under_one in found.values() for transaction in under_one.values()]
    doubled = {reference for reference, under_one in found.items() if len(under_one) > 1}
    return Comparison(
        sold=len(ours),
        stored=len(kept),
        sum_sold=sum((facts.total_amount for facts in ours.values()), NOTHING),
        sum_stored=sum((Decimal(transaction["total_amount"]) for transaction in kept), NOTHING),
        currency=kept[0]["currency"] if kept else "CHF",
        doubled=tuple(sorted(doubled.union(stored_twice))),
        missing=tuple(reference for reference in ours if reference not in found),
        different=tuple(difference for each in kept if (difference := difference_of(ours[each["external_ref"]], each))),
    )


def difference_of(ours: Facts, stored: Mapping[str, Any]) -> str:
    """Each fact on which the two sides differ, with both values; empty when they agree."""
    theirs = facts_of(stored)
    differing = [
        f"{fact.name} sold {getattr(ours, fact.name)!s}, stored {getattr(theirs, fact.name)!s}"
        for fact in fields(Facts)
        if getattr(ours, fact.name) != getattr(theirs, fact.name)
    ]
    return f"{ours.external_ref}: {'; '.join(differing)}" if differing else ""


def transactions_of(entries: Sequence[Entry], *, wire: Wire, asking: Asking) -> Iterator[dict[str, Any]]:
    """Everything the server lists for the time the journal spans, page by page, other tills' included."""
    instants = [facts_of(json.loads(entry.body)).occurred_at for entry in entries]
    window = {
        "occurred_from": (min(instants) - timedelta(seconds=1)).isoformat(),
        "occurred_to": (max(instants) + timedelta(seconds=1)).isoformat(),
        "page_size": PAGE_SIZE,
    }
    return pages(f"transactions/?{urlencode(window)}", wire=wire, asking=asking)


def pages(path: str, *, wire: Wire, asking: Asking) -> Iterator[dict[str, Any]]:
    """Every result of a list, following ``next``; only its path and query count, not the host it names."""
    seen: set[str] = set()
    target: str | None = path
    while target:
        if target in seen:
            raise TillStopped(f"The list goes round in circles at {target}")
        seen.add(target)
        try:
            page = ask(wire, Request("GET", target), understand=_read, asking=asking)
        except Refused as refused:
            raise TillStopped(f"GET {target}: {refused}") from None
        yield from page["results"]
        following = urlsplit(page["next"] or "")
        target = following.path and f"{following.path}?{following.query}"


def read_back(entry: Entry, *, wire: Wire, asking: Asking) -> str:
    """Read one sale singly; the difference in words, empty when there is none."""
    path = f"transactions/{quote(entry.external_ref, safe='')}/"
    try:
        stored = ask(wire, Request("GET", path), understand=_read, asking=asking)
    except Refused as refused:
        return f"{entry.external_ref}: {refused}"
    return difference_of(facts_of(json.loads(entry.body)), stored)


def _read(answer: Answer) -> dict[str, Any] | None:
    return json_object(answer) if answer.status == 200 else None
